//! A server's process.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::{PAUSE, program};
use crate::PATIENCE;

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

/// Another had the port.
pub(super) struct PortTaken;

impl Process {
    /// Starts a program that stays in the foreground, and waits until it is ready. That it ends instead is the test's
    /// failure, unless another program has its port.
    pub(super) fn start(server: &mut Command, log: &Path, ready: impl Fn(u32) -> bool) -> Result<Process, PortTaken> {
        let mut command = Command::new(program("setpriv", "util-linux"));
        command.args(["--pdeathsig", "KILL"]).arg("--").arg(server.get_program()).args(server.get_args());
        Process::run(command, log, ready)
    }

    /// As [`Process::start`], as another user.
    pub(super) fn start_as(
        user: &str,
        server: &mut Command,
        log: &Path,
        ready: impl Fn(u32) -> bool,
    ) -> Result<Process, PortTaken> {
        let mut command = as_user(user);
        command.args(["--pdeathsig", "KILL"]).arg("--").arg(server.get_program()).args(server.get_args());
        Process::run(command, log, ready)
    }

    fn run(mut command: Command, log: &Path, ready: impl Fn(u32) -> bool) -> Result<Process, PortTaken> {
        let file = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let begin = usize::try_from(file.metadata().unwrap().len()).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        // Not the directory of the test, which another user may not enter, and not its group, which a key may interrupt.
        command.current_dir(log.parent().unwrap()).process_group(0).env("LC_ALL", "C");
        let said = || String::from_utf8_lossy(&fs::read(log).unwrap()[begin..]).into_owned();
        let shown = format!("{command:?}");
        let mut process = Process { child: spawn(command).unwrap_or_else(|error| panic!("{shown}: {error}")) };
        let begun = Instant::now();
        loop {
            let is_ready = ready(process.id());
            if let Some(status) = process.child.try_wait().unwrap() {
                let said = said();
                assert!(said.contains("Address already in use"), "{shown} ended: {status}\n{said}");
                return Err(PortTaken);
            }
            if is_ready {
                return Ok(process);
            }
            assert!(begun.elapsed() < PATIENCE, "{shown} does not get ready\n{}", said());
            std::thread::sleep(PAUSE);
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn stop(mut self, name: &str) {
        signal(name, &[self.id()]);
        super::wait_until("a server stops", || self.child.try_wait().unwrap().is_some());
    }

    /// Stops it where it is, with its connections and its port, until it is [continued](Process::go_on).
    pub(super) fn pause(&self) {
        signal("STOP", &[self.id()]);
    }

    pub(super) fn go_on(&self) {
        signal("CONT", &[self.id()]);
    }

    /// Kills it and its children, and waits until they are gone.
    pub(super) fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let id = self.id();
        // It must not have another child while they are counted.
        signal("STOP", &[id]);
        gone(|| status(id).is_none_or(|(state, _)| matches!(state, 'T' | 'Z')));
        let mut all = children(id);
        all.push(id);
        signal("KILL", &all);
        drop(self.child.wait());
        gone(|| all.iter().all(|id| status(*id).is_none_or(|(state, _)| matches!(state, 'Z' | 'X'))));
    }
}

/// Waits, but never fails: it may be called while a test panics.
fn gone(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() && begun.elapsed() < PATIENCE {
        std::thread::sleep(PAUSE);
    }
}

/// Runs a program as another user: the arguments of `setpriv`, so far.
pub(super) fn as_user(user: &str) -> Command {
    let mut command = Command::new(program("setpriv", "util-linux"));
    command.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg("--init-groups");
    command
}

fn signal(name: &str, ids: &[u32]) {
    // The shell has its own `kill`; the program is in a package that may be missing.
    let mut command = Command::new("sh");
    command.args(["-c", "kill -s \"$@\"", "kill", name]).args(ids.iter().map(u32::to_string));
    drop(command.stdout(Stdio::null()).stderr(Stdio::null()).status());
}

/// The state of a process, and its parent.
fn status(id: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(PathBuf::from(format!("/proc/{id}/stat"))).ok()?;
    // Its name is in parentheses, and may have some of its own.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn children(of: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| status(*id).is_some_and(|(_, parent)| parent == of))
        .collect()
}

/// What the thread that starts processes is sent: a command, and where the child is awaited.
type Order = (Command, Sender<io::Result<Child>>);

/// Starts a process from a thread that lives as long as this one's process. The kernel means the thread that started a
/// child when it tells the child that its parent has died, and the thread of a test ends before those of others.
fn spawn(command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (sender, orders): (_, Receiver<Order>) = channel();
        std::thread::spawn(move || {
            for (mut command, child) in orders {
                drop(child.send(command.spawn()));
            }
        });
        Mutex::new(sender)
    });
    let (sender, child) = channel();
    starter.lock().unwrap_or_else(PoisonError::into_inner).send((command, sender)).unwrap();
    child.recv().unwrap()
}
