//! The stores that the benches compare, each over a server or a file of its own.

use std::path::PathBuf;
use std::time::Duration;

use oauth_runtime::store::{MemoryStore, PostgresStore, RedisStore, SqliteStore, Store};
use sqlx::postgres::PgPoolOptions;

use crate::servers::{Postgres, Redis};

/// What a store keeps its values in. It goes away when this is dropped.
#[derive(Debug)]
pub enum Engine {
    /// This process's memory.
    Memory,
    /// A file, in a folder that is its own.
    Sqlite(PathBuf),
    /// A server that counts statements.
    Postgres(Postgres),
    /// A server whose writes are on the disk before they are acknowledged.
    Redis(Redis),
}

impl Engine {
    /// One word for each, the one first that the others are compared with.
    pub const NAMES: [&str; 4] = ["memory", "sqlite", "postgres", "redis"];

    /// Starts the engine of this name, with nothing in it.
    pub fn start(name: &str) -> Engine {
        match name {
            "memory" => Engine::Memory,
            "sqlite" => {
                let folder = std::env::temp_dir().join(format!("oauth-engine-{:016x}", crate::servers::random()));
                std::fs::create_dir(&folder).unwrap();
                Engine::Sqlite(folder.join("oauth.db"))
            }
            "postgres" => {
                let server = Postgres::start_with(&["shared_preload_libraries=pg_stat_statements"]);
                server.ask("CREATE EXTENSION pg_stat_statements");
                Engine::Postgres(server)
            }
            "redis" => Engine::Redis(Redis::start()),
            other => panic!("no engine is called {other}"),
        }
    }

    /// A store over it. Its runtime has to last as long as the store.
    pub async fn store(&self) -> Box<dyn Store> {
        match self {
            Engine::Memory => Box::new(MemoryStore::with_capacity(2 * MemoryStore::DEFAULT_CAPACITY)),
            Engine::Sqlite(file) => Box::new(SqliteStore::open(file).await.unwrap()),
            Engine::Postgres(server) => {
                let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
                let pool = pool.acquire_timeout(crate::PATIENCE).connect(&server.url()).await.unwrap();
                Box::new(PostgresStore::new(pool).await.unwrap())
            }
            Engine::Redis(server) => Box::new(RedisStore::connect(server.url()).await.unwrap()),
        }
    }

    /// How many statements or commands its server counted; none where there is no server.
    pub fn asked(&self) -> Option<u64> {
        match self {
            Engine::Memory | Engine::Sqlite(_) => None,
            Engine::Postgres(server) => {
                let calls = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements \
                    WHERE toplevel AND query NOT LIKE '%pg\\_%'";
                Some(server.ask(calls).parse().unwrap())
            }
            Engine::Redis(server) => {
                // Those that a script calls are counted as well, and are no round trips.
                let stats = server.ask(&["INFO", "commandstats"]);
                let calls = |name: &str| stats.lines().find_map(|line| line.strip_prefix(name)?.split(',').next());
                let of = ["cmdstat_evalsha:calls=", "cmdstat_eval:calls=", "cmdstat_wait:calls="];
                Some(of.iter().filter_map(|name| calls(name)).map(|calls| calls.parse::<u64>().unwrap()).sum())
            }
        }
    }

    /// The processor's time that its server has taken; none where there is no server.
    pub fn server_time(&self) -> Option<Duration> {
        match self {
            Engine::Memory | Engine::Sqlite(_) => None,
            Engine::Postgres(server) => {
                let id = server.ask("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
                Some(time_of_tree(id.parse().unwrap()))
            }
            Engine::Redis(server) => {
                let info = server.ask(&["INFO", "cpu"]);
                let seconds = |name: &str| info.lines().find_map(|line| line.trim_end().strip_prefix(name));
                let of = ["used_cpu_sys:", "used_cpu_user:"].map(|name| seconds(name).unwrap().parse::<f64>().unwrap());
                Some(Duration::from_secs_f64(of.iter().sum()))
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Engine::Sqlite(file) = self {
            drop(std::fs::remove_dir_all(file.parent().unwrap()));
        }
    }
}

/// The processor's time that this process has taken.
pub fn own_time() -> Duration {
    of_ticks(ticks("self").unwrap().own)
}

/// The processor's time that a process and its children have taken, those that have ended among them.
fn time_of_tree(root: u32) -> Duration {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str().map(str::to_owned));
    let of = ids.filter_map(|id| Some((id.parse::<u32>().ok()?, ticks(&id)?)));
    let of = of.filter(|(id, it)| *id == root || it.parent == root);
    of_ticks(of.map(|(_, it)| it.own + it.ended_children).sum())
}

struct Ticks {
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn ticks(id: &str) -> Option<Ticks> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Its name is in parentheses, and may have some of its own.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |field: usize| fields.get(field).and_then(|field| field.parse::<u64>().ok());
    let parent = fields.get(1)?.parse().ok()?;
    Some(Ticks { parent, own: number(11)? + number(12)?, ended_children: number(13)? + number(14)? })
}

/// Linux counts in hundredths of a second wherever it shows this.
fn of_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 10)
}

/// Of a pool: as many as one process of a service might have.
const CONNECTIONS: u32 = 16;
