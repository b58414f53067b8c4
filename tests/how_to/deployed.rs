//! The program of the page on deployment, as processes.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oauth_tests::{PATIENCE, SECRET, free_port, pages};

/// Two processes of one service. They are killed, and their files removed, when this is dropped.
pub(crate) struct Deployed {
    folder: PathBuf,
    pub(crate) addresses: [String; 2],
    processes: Vec<Child>,
}

impl Deployed {
    pub(crate) fn start(issuer: &str) -> Deployed {
        let addresses = [free_port(), free_port()].map(|(_, base)| base.trim_start_matches("http://").to_owned());
        Deployed::at(issuer, |_| addresses)
    }

    /// Each on a socket in the file system, which no other user of the machine may open.
    pub(crate) fn on_sockets(issuer: &str) -> Deployed {
        Deployed::at(issuer, |folder| ["0.sock", "1.sock"].map(|name| format!("unix:{}", folder.join(name).display())))
    }

    fn at(issuer: &str, addresses: impl FnOnce(&Path) -> [String; 2]) -> Deployed {
        // A path to a socket is short.
        let folder = std::env::temp_dir().join(format!("deployed-{:016x}", rand::random::<u64>()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("oauth_secret"), format!("{SECRET}\n")).unwrap();
        let addresses = addresses(&folder);
        let processes = (0..2).map(|index| process(&folder, issuer, index, &addresses[index])).collect();
        let mut deployed = Deployed { folder, addresses, processes };
        for (index, process) in deployed.processes.iter_mut().enumerate() {
            let begun = Instant::now();
            while !listens(&deployed.addresses[index]) {
                let ended = process.try_wait().unwrap();
                assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it does not start: {ended:?}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        deployed
    }

    /// What each has logged so far.
    pub(crate) fn logs(&self) -> [String; 2] {
        [0, 1].map(|index| fs::read_to_string(self.folder.join(format!("{index}.log"))).unwrap())
    }

    /// Kills one of them, and leaves the other.
    pub(crate) fn kill(&mut self, index: usize) {
        self.processes[index].kill().unwrap();
        self.processes[index].wait().unwrap();
    }

    pub(crate) fn upstreams(&self) -> [&str; 2] {
        self.addresses.each_ref().map(String::as_str)
    }
}

fn listens(address: &str) -> bool {
    match address.strip_prefix("unix:") {
        Some(socket) => UnixStream::connect(socket).is_ok(),
        None => TcpStream::connect(address).is_ok(),
    }
}

fn process(folder: &Path, issuer: &str, index: usize, address: &str) -> Child {
    let log = File::create(folder.join(format!("{index}.log"))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployed"));
    command.env("ISSUER", issuer).env("LISTEN", address).env("STORE", folder.join("oauth.db"));
    command.env("OAUTH_SECRET_FILE", folder.join("oauth_secret")).env("RUST_LOG", "info").env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(log).spawn().unwrap()
}

impl Drop for Deployed {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn a_variable_that_is_missing_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_deployed")).env_remove("ISSUER").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "Error: \"ISSUER: environment variable not found\"\n");
}

/// What the page shows is what the tests start.
#[test]
fn the_page_shows_the_program_that_is_deployed() {
    let (_, program) = include_str!("../src/bin/deployed.rs").split_once("\n\n").unwrap();
    pages::hold("deployment", "program", &format!("```rust,no_run\n{program}```\n"));
}
