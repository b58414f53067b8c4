//! Real servers for the tests of stores: PostgreSQL, Redis, a Redis cluster, and nginx or Caddy in front of servers of ours.
//!
//! Each listens on free ports of 127.0.0.1 and keeps its files in a temporary directory. None is a service of the
//! system. A server is killed and its files are removed when its value is dropped; when the test process itself is
//! killed, or a value is never dropped as in a `static`, the kernel kills the server and the next one started here
//! removes the files.
//!
//! Every verb blocks until it is done: a test that has to do something meanwhile calls it on a thread of its own.

mod cluster;
mod directory;
mod nginx;
mod postgres;
mod process;
mod proxy;
mod redis;

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use self::cluster::RedisCluster;
pub use self::directory::Snapshot;
pub use self::nginx::Nginx;
pub use self::postgres::Postgres;
pub use self::proxy::Proxy;
pub use self::redis::Redis;
use crate::PATIENCE;

/// How often something is looked at that has not happened yet.
const PAUSE: Duration = Duration::from_millis(20);

/// How far above its port a node of a Redis cluster has its bus.
const BUS: u16 = 10_000;

/// A program, wherever it is installed.
fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A user's PATH often lacks the directories of servers.
    let more = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A program, or the end of the test and the Debian package that has it.
fn program(name: &str, package: &str) -> PathBuf {
    installed(name).unwrap_or_else(|| panic!("{name} is missing: install the package {package}"))
}

/// Something at random.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// A port that nothing listens on, nor on the one [`BUS`] above. This process gets it only once. Both are below those
/// that the kernel gives to connections and for port 0, so that a server that is down for a while finds its port free.
fn free_port() -> u16 {
    static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let port = 10_000 + u16::try_from(random() % 10_000).unwrap();
        if free(port) && free(port + BUS) && TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return port;
        }
    }
}

/// Waits until something holds; that it does not is the test's failure.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// What a command writes, or what it complains of.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{command:?}: {}\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// A command that is ended if it hangs.
fn in_time(program: &std::path::Path, most: Duration) -> Command {
    let mut command = Command::new(self::program("timeout", "coreutils"));
    command.arg(most.as_secs().to_string()).arg(program).env("LC_ALL", "C");
    command
}
