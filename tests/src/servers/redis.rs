//! Redis, and Valkey.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::{PortTaken, Process};
use super::{Snapshot, directory::Directory, free_port, in_time, installed, output, program};
use crate::PATIENCE;

/// A Redis, or a Valkey.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    directory: Directory,
    binary: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
}

impl Redis {
    /// What it has acknowledged is on the disk, and is never evicted.
    pub const DURABLE: &[(&str, &str)] =
        &[("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")];

    /// It keeps only what it had when it last was stopped gracefully; a kill loses what came after.
    pub const VOLATILE: &[(&str, &str)] = &[("appendonly", "no"), ("maxmemory-policy", "noeviction")];

    /// The servers that are installed, of `redis-server` and `valkey-server`; never none.
    pub fn binaries() -> Vec<PathBuf> {
        let all: Vec<_> = ["redis-server", "valkey-server"].into_iter().filter_map(installed).collect();
        assert!(!all.is_empty(), "redis-server is missing: install the package redis-server");
        all
    }

    /// Starts an empty one that is [`Redis::DURABLE`].
    pub fn start() -> Redis {
        Redis::start_with(Redis::DURABLE)
    }

    /// Starts an empty one with these settings.
    pub fn start_with(settings: &[(&str, &str)]) -> Redis {
        Redis::start_binary(&Redis::binaries()[0], settings)
    }

    /// Starts an empty one of [`Redis::binaries`] with these settings.
    pub fn start_binary(binary: &Path, settings: &[(&str, &str)]) -> Redis {
        let directory = Directory::new();
        fs::create_dir(directory.data()).unwrap();
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut redis = Redis { process: None, directory, binary: binary.to_owned(), port: free_port(), settings };
        while redis.run().is_err() {
            redis.port = free_port();
        }
        redis
    }

    /// Its database 0.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What `redis-cli` answers to a command: a line for each part of it.
    pub fn ask(&self, command: &[&str]) -> String {
        self.cli(command, PATIENCE).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Whether it runs, as far as this has been told.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Lets it speak TLS too, on a port of its own and with the files of this certificate and its key; answers the URL.
    pub fn speak_tls(&self, certificate: &Path, key: &Path) -> String {
        let (port, text) = (free_port(), |path: &Path| path.to_str().unwrap().to_owned());
        self.ask(&["CONFIG", "SET", "tls-cert-file", &text(certificate), "tls-key-file", &text(key)]);
        self.ask(&["CONFIG", "SET", "tls-auth-clients", "no", "tls-port", &port.to_string()]);
        format!("rediss://127.0.0.1:{port}")
    }

    /// Makes it silent: connections to it are accepted, and nothing is answered, until [`Redis::go_on`].
    pub fn pause(&self) {
        self.process.as_ref().unwrap().pause();
    }

    /// Ends a [`Redis::pause`].
    pub fn go_on(&self) {
        self.process.as_ref().unwrap().go_on();
    }

    /// Stops it gracefully.
    pub fn stop(&mut self) {
        self.process.take().unwrap().stop("TERM");
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// Starts it with the same data on the same port.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it is running");
        super::wait_until("the port is free again", || self.run().is_ok());
    }

    /// Copies its dump and its log of appended commands. While it runs, it must not be written to.
    pub fn snapshot(&mut self) -> Snapshot {
        if self.is_running() {
            self.ask(&["SAVE"]);
        }
        self.directory.snapshot("nothing")
    }

    /// Puts its data back as they were; it must not be running.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        assert!(self.process.is_none(), "it is running");
        self.directory.restore(snapshot);
    }

    fn run(&mut self) -> Result<(), PortTaken> {
        let mut server = Command::new(&self.binary);
        server.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        // A log that is written anew while it is copied would be of no use.
        server.args(["--auto-aof-rewrite-percentage", "0"]).arg("--dir").arg(self.directory.data());
        for (name, value) in &self.settings {
            server.arg(format!("--{name}")).arg(value);
        }
        let ready = |id: u32| {
            let info = self.cli(&["INFO"], Duration::from_secs(20)).unwrap_or_default();
            let has = |line: &str| info.lines().any(|other| other.trim_end() == line);
            // Another server may have its port.
            has(&format!("process_id:{id}")) && has("loading:0")
        };
        self.process = Some(Process::start(&mut server, &self.directory.log(), ready)?);
        Ok(())
    }

    fn cli(&self, command: &[&str], most: Duration) -> Result<String, String> {
        let cli = installed("redis-cli").or_else(|| installed("valkey-cli"));
        let mut cli = in_time(&cli.unwrap_or_else(|| program("redis-cli", "redis-tools")), most);
        cli.args(["-e", "-c", "-h", "127.0.0.1", "-p", &self.port.to_string()]).args(command);
        output(cli.stdin(Stdio::null()))
    }
}
