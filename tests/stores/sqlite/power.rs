//! A loss of power: what was written and not synced is dropped.
//!
//! A process writes under strace. From what it asked of the kernel, the files are made again as a disk would have them
//! that kept what was synced, and of the rest nothing, or some of it, at any moment of the run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use oauth_runtime::store::{Key, Store as _};

use super::support::*;

/// What happened to the files, in order.
#[derive(Debug)]
enum Step {
    Wrote { file: String, at: usize, bytes: Vec<u8> },
    Cut { file: String, length: usize },
    Synced { file: String },
    Removed { file: String },
    Acknowledged { name: String, version: u64 },
}

/// A file in the memory of the kernel and on the disk.
#[derive(Clone, Default)]
struct File {
    cached: Vec<u8>,
    synced: Vec<u8>,
    /// Not synced yet.
    pending: Vec<(usize, Vec<u8>)>,
}

#[tokio::test]
async fn c11_c42_nothing_acknowledged_is_lost_when_the_power_is() {
    let path = fresh("power");
    let steps = traced(&path);
    let acknowledged = steps.iter().filter(|step| matches!(step, Step::Acknowledged { .. })).count();
    let synced = steps.iter().filter(|step| matches!(step, Step::Synced { .. })).count();
    assert!(acknowledged >= 60 && synced > 10, "{acknowledged} writes were acknowledged, {synced} syncs seen");
    // After the schema is there; before it nothing is acknowledged.
    let first = steps.iter().position(|step| matches!(step, Step::Acknowledged { .. })).expect("one");
    let rounds = 40;
    for round in 0..rounds {
        let moment = first + (steps.len() - first) * round / rounds;
        for torn in [false, true] {
            let lost = lost(steps[..=moment].iter(), torn, &format!("{round}-{torn}")).await;
            assert!(lost.is_empty(), "after {moment} of {} steps, {torn}: {lost:?}", steps.len());
        }
    }
    // The control: were the last syncs not there, it would be seen.
    let unsynced = steps.iter().enumerate().filter(|(at, step)| *at < first || !matches!(step, Step::Synced { .. }));
    assert!(!lost(unsynced.map(|(_, step)| step), false, "control").await.is_empty());
}

/// Makes the files as the disk has them after these steps; what was acknowledged and is not in them.
async fn lost(steps: impl Iterator<Item = &Step>, torn: bool, name: &str) -> Vec<String> {
    let (mut files, mut versions) = (BTreeMap::<&str, File>::new(), BTreeMap::<&str, u64>::new());
    for step in steps {
        match step {
            Step::Wrote { file, at, bytes } => {
                let file = files.entry(file).or_default();
                put_at(&mut file.cached, *at, bytes);
                file.pending.push((*at, bytes.clone()));
            }
            Step::Cut { file, length } => {
                let file = files.entry(file).or_default();
                file.cached.resize(*length, 0);
                file.synced.resize(file.synced.len().min(*length), 0);
            }
            Step::Synced { file } => {
                let file = files.entry(file).or_default();
                file.synced.clone_from(&file.cached);
                file.pending.clear();
            }
            Step::Removed { file } => drop(files.remove(file.as_str())),
            Step::Acknowledged { name, version } => drop(versions.insert(name, *version)),
        }
    }
    let path = fresh(&format!("power-{name}"));
    for (name, mut file) in files {
        // Every other one of what was not synced has reached the disk all the same.
        for (at, bytes) in file.pending.iter().step_by(2).filter(|_| torn) {
            put_at(&mut file.synced, *at, bytes);
        }
        fs::write(format!("{}{}", path.display(), name.strip_prefix("power.db").expect("its name")), file.synced)
            .expect("written");
    }
    let (store, mut lost) = (open(&path).await, Vec::new());
    for (name, version) in versions {
        let seen = store.read(Key::named(name)).await.expect("read");
        let kept = seen.kept.map_or(0, |kept| kept.version);
        if seen.sequence < version || kept < version {
            lost.push(format!("{version} of {name}: {kept} of {} is there", seen.sequence));
        }
    }
    close(store, &path).await;
    assert_eq!(integrity(&path).await, "ok");
    lost
}

fn put_at(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    file.resize(file.len().max(at + bytes.len()), 0);
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// What a process asks of the kernel while it writes.
fn traced(path: &Path) -> Vec<Step> {
    let trace = path.with_extension("trace");
    let calls = "trace=pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat";
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-xx", "-s", "300000", "-e", calls, "-e", "signal=none", "-o"]).arg(&trace);
    strace.arg(std::env::current_exe().expect("this program"));
    strace.args(["--exact", "sqlite::child_process", "--nocapture"]);
    strace.env(WHAT, "powered").env(PATH, path).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(strace.status().expect("strace: install the package strace").success());
    let trace = fs::read_to_string(trace).expect("written");
    let mut unfinished = BTreeMap::<&str, String>::new();
    let mut steps = Vec::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').expect("a thread");
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            // A write may have reached the disk by now; a sync counts once it is done.
            unfinished.insert(thread, begun.to_owned());
        } else if let Some((_, rest)) = call.strip_prefix("<... ").and_then(|call| call.split_once(" resumed>")) {
            let begun = unfinished.remove(thread).unwrap_or_default();
            steps.extend(step(&(begun + rest)));
        } else {
            steps.extend(step(call));
        }
    }
    steps
}

/// `pwrite64(7</folder/power.db-wal>, "\x37\x7f..", 32, 0) = 32`
fn step(call: &str) -> Option<Step> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once("= ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    if result.starts_with('-') {
        return None;
    }
    let file = |text: &str| {
        let (_, path) = text.split_once('<')?;
        let file = unescaped(path.split_once('>')?.0);
        let file = String::from_utf8(file).ok()?.rsplit('/').next()?.to_owned();
        // Shared memory is made anew by the first to open the file.
        (file.starts_with("power.db") && !file.ends_with("-shm")).then_some(file)
    };
    match name {
        "pwrite64" => {
            let (text, at) = quoted(arguments)?;
            let at = at.rsplit(", ").next()?.trim().parse().ok()?;
            Some(Step::Wrote { file: file(arguments)?, at, bytes: unescaped(text) })
        }
        "write" => {
            let told = String::from_utf8(unescaped(quoted(arguments)?.0)).ok()?;
            let (name, version) = told.lines().find_map(acknowledgement)?;
            Some(Step::Acknowledged { name, version })
        }
        "ftruncate" => {
            let length = arguments.rsplit(", ").next()?.trim().parse().ok()?;
            Some(Step::Cut { file: file(arguments)?, length })
        }
        "fsync" | "fdatasync" => Some(Step::Synced { file: file(arguments)? }),
        "unlink" | "unlinkat" => Some(Step::Removed { file: file(&format!("<{}>", quoted(arguments)?.0))? }),
        _ => None,
    }
}

fn quoted(arguments: &str) -> Option<(&str, &str)> {
    let (_, rest) = arguments.split_once('"')?;
    rest.split_once('"')
}

/// `\x41` is A; a path is shown as it is where it has no such letters.
fn unescaped(text: &str) -> Vec<u8> {
    if !text.starts_with("\\x") {
        return text.as_bytes().to_vec();
    }
    let byte = |hex: &str| u8::from_str_radix(hex.get(..2)?, 16).ok();
    text.split("\\x").skip(1).filter_map(byte).collect()
}
