//! Several processes of one service over one store: real processes, real stores, nginx in front.
#![allow(clippy::unwrap_used)]

mod clocks;
mod killed;
mod load;
mod outage;
mod restored;
mod shared;
mod storm;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oauth_tests::servers::{Postgres, Redis, RedisCluster};
use oauth_tests::{Browser, PATIENCE, free_port};

/// What the processes share.
enum Shared {
    Sqlite(PathBuf),
    Postgres(Postgres),
    Redis(Redis),
    Cluster(RedisCluster),
}

impl Shared {
    fn all() -> Vec<Shared> {
        vec![
            Shared::Sqlite(sqlite_file()),
            Shared::Postgres(Postgres::start()),
            Shared::Redis(Redis::start()),
            Shared::Cluster(RedisCluster::start()),
        ]
    }

    /// As the configuration of a process names it.
    fn store(&self) -> String {
        match self {
            Shared::Sqlite(file) => format!("sqlite:{}", file.display()),
            Shared::Postgres(server) => format!("postgres:{}", server.url()),
            Shared::Redis(server) => format!("redis:{}", server.url()),
            Shared::Cluster(servers) => format!("redis:{}", servers.urls()[0]),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Shared::Sqlite(file) = self {
            drop(std::fs::remove_dir_all(file.parent().unwrap()));
        }
    }
}

fn sqlite_file() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("several-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("oauth.db")
}

/// A process of the service. It is killed when this is dropped.
struct Node {
    address: String,
    settings: Vec<(&'static str, String)>,
    process: Option<Child>,
}

impl Node {
    /// At an address that is free, and not started yet.
    fn new(issuer: &str, store: &str) -> Node {
        let (listener, base) = free_port();
        drop(listener);
        let settings = vec![("ISSUER", issuer.to_owned()), ("STORE", store.to_owned())];
        Node { address: base.trim_start_matches("http://").to_owned(), settings, process: None }
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
        command.env("LISTEN", &self.address).envs(self.settings.iter().map(|(name, value)| (name, value)));
        self.process = Some(command.stdin(Stdio::null()).spawn().unwrap());
        let begun = Instant::now();
        while std::net::TcpStream::connect(&self.address).is_err() {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().unwrap());
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it does not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// As a deployment does: it takes no more connections, and ends when it has answered those that it has.
    fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
        process.wait().unwrap();
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    fn browser(&self) -> Browser {
        Browser::at(&self.base())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two processes of one service, each asked by its own address. However many ask at once, on however busy a machine, they
/// wait for their store.
fn two(store: &str) -> [Node; 2] {
    [(); 2].map(|()| {
        let mut node = Node::new("http://127.0.0.1:9", store);
        node.settings.push(("DEADLINE", PATIENCE.as_secs().to_string()));
        node.start();
        node
    })
}
