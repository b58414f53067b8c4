//! What a change is checked by: that scripts which others name are there, and that what is fuzzed is what is published.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// What a workflow, `.ci/run` or `tests/run.sh` calls of ours.
#[test]
fn the_scripts_that_others_call_are_there() {
    let mut called = BTreeSet::new();
    for path in [".github/workflows/ci.yml", ".ci/run", "tests/run.sh"] {
        let text = read(path);
        let words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
        let is_ours = |word: &&str| {
            ["tests/", "fuzz/", ".ci/"].iter().any(|place| word.starts_with(place))
                && (word.ends_with(".sh") || *word == ".ci/run")
        };
        called.extend(words.filter(is_ours).map(str::to_owned));
    }
    for script in ["tests/run.sh", "tests/features.sh", "tests/tools.sh", "fuzz/run.sh", ".ci/run"] {
        assert!(called.contains(script), "{script} is called by nothing: {called:?}");
    }
    for script in called {
        let mode =
            fs::metadata(root().join(&script)).unwrap_or_else(|why| panic!("{script}: {why}")).permissions().mode();
        assert_ne!(mode & 0o111, 0, "{script} is no program");
    }
}

#[test]
fn the_oldest_compiler_is_the_one_that_is_checked() {
    let manifest = read("Cargo.toml");
    let (_, version) = manifest.split_once("rust-version = \"").unwrap();
    let version = version.split('"').next().unwrap();
    let workflow = read(".github/workflows/ci.yml");
    assert!(workflow.contains(&format!("rust:{version}-")), "{version}");
    assert!(read("README.md").contains(version), "{version}");
}

#[test]
fn each_target_has_seeds_a_program_and_a_row() {
    let (manifest, table) = (read("fuzz/Cargo.toml"), read("fuzz/README.md"));
    let targets = fs::read_dir(root().join("fuzz/targets")).unwrap();
    let targets: Vec<String> =
        targets.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(targets.len() >= 10, "{targets:?}");
    for target in targets {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
        assert!(table.contains(&format!("`{target}`")), "{target}");
        assert!(fs::read_dir(root().join("fuzz/seeds").join(&target)).is_ok_and(|seeds| seeds.count() > 0), "{target}");
    }
}

/// Of a crate that both lock files have, a version is the same: what is fuzzed is what is tested.
#[test]
fn what_is_fuzzed_has_the_dependencies_that_are_tested() {
    let versions = |path: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let text = read(path);
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2) {
            let value = |line: &str, name: &str| Some(line.strip_prefix(name)?.strip_suffix('"')?.to_owned());
            if let (Some(name), Some(version)) = (value(pair[0], "name = \""), value(pair[1], "version = \"")) {
                all.entry(name).or_default().insert(version);
            }
        }
        all
    };
    let (tested, fuzzed) = (versions("Cargo.lock"), versions("fuzz/Cargo.lock"));
    let shared: Vec<_> = fuzzed.iter().filter_map(|(name, fuzzed)| Some((name, fuzzed, tested.get(name)?))).collect();
    assert!(shared.len() > 100, "{}", shared.len());
    for (name, fuzzed, tested) in shared {
        assert!(
            fuzzed.is_subset(tested),
            "{name}: {fuzzed:?} is fuzzed and {tested:?} tested; cargo update --manifest-path fuzz/Cargo.toml"
        );
    }
}
