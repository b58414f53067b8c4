//! Servers of Redis for tests: real processes, on free ports, in directories of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    pub port: u16,
    directory: PathBuf,
    settings: Vec<String>,
    process: Child,
}

impl Server {
    /// Starts a server, with settings as on its command line.
    pub fn start(settings: &[&str]) -> Self {
        let port = free_port();
        let directory = std::env::temp_dir().join(format!("oauth-redis-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let settings: Vec<String> = settings.iter().map(|it| (*it).to_owned()).collect();
        let process = spawn(port, &directory, &settings);
        let server = Server { port, directory, settings, process };
        server.wait();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// kill -9, and the same data again.
    pub fn crash(&mut self) {
        self.stop();
        self.again();
    }

    pub fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn again(&mut self) {
        self.process = spawn(self.port, &self.directory, &self.settings);
        self.wait();
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn wait(&self) {
        let begun = Instant::now();
        // One that wants a password says so, and is there.
        while !["PONG", "NOAUTH"].contains(&self.cli(&["ping"]).split_whitespace().next().unwrap_or_default()) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A Cluster of three masters.
pub fn cluster(settings: &[&str]) -> Vec<Server> {
    cluster_of(3, 0, settings)
}

pub fn cluster_of(servers: usize, replicas: usize, settings: &[&str]) -> Vec<Server> {
    let settings = [&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"], settings].concat();
    let servers: Vec<Server> = (0..servers).map(|_| Server::start(&settings)).collect();
    let addresses = servers.iter().map(|server| format!("127.0.0.1:{}", server.port));
    let created = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(addresses)
        .args(["--cluster-replicas", &replicas.to_string(), "--cluster-yes"])
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
    let (begun, replicated) = (Instant::now(), servers.len() * replicas / (replicas + 1));
    let is_ready = |server: &Server| {
        let replication = server.cli(&["info", "replication"]);
        server.cli(&["cluster", "info"]).contains("cluster_state:ok")
            && (replication.contains("role:master") || replication.contains("master_link_status:up"))
            && server.cli(&["cluster", "nodes"]).matches("slave ").count() == replicated
    };
    while !servers.iter().all(is_ready) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the Cluster does not form");
        std::thread::sleep(Duration::from_millis(50));
    }
    servers
}

fn spawn(port: u16, directory: &Path, settings: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1", "--dir"])
        .arg(directory)
        .args(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A free port below 55,000, whose bus (10,000 above) is one too.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..30_000);
        let free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 10_000) {
            return port;
        }
    }
}
