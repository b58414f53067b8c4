//! What a record takes, and what a read and a swap take where there are many.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oauth_runtime::store::{BUCKETS, Change, Swap, Value};
use oauth_tests::engines::Engine;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::{Plan, Shared, heading, key, load, row};

/// How many records are read and written at each size.
const SAMPLE: u64 = 512;
const KEEP: Duration = Duration::from_secs(30 * 86_400);

pub(crate) async fn run(plan: &Plan) {
    let records = load::records().await;
    let (one, two) = (records.one.len(), records.two.len());
    println!("\nA record: {one} bytes of JSON; signed in twice: {two}.");
    heading(
        "By the number of records",
        &["store", "records", "read µs", "swap µs", "bytes a record", "of these, beside the value"],
    );
    for name in Engine::NAMES {
        let engine = Engine::start(name);
        let store: Shared = Arc::from(engine.store().await);
        for number in 0..u64::from(BUCKETS) {
            drop(store.read(key(number)).await.unwrap());
        }
        let (empty, mut before) = (bytes(&engine).await, 0);
        let mut own = Own { store, since: vec![None; SAMPLE as usize] };
        for size in plan.sizes {
            own.time(&records.one).await;
            fill(&engine, &own.store, before.max(SAMPLE), *size, &records.one).await;
            let (read, swap) = own.time(&records.one).await;
            let each = (bytes(&engine).await - empty) / *size as f64;
            let numbers = [read, swap, each, each - one as f64].map(|number| format!("{number:.1}"));
            row(&[[name.to_owned(), size.to_string()].as_slice(), &numbers].concat());
            before = *size;
        }
    }
}

/// The records that are read and written among the others.
struct Own {
    store: Shared,
    since: Vec<Option<u64>>,
}

impl Own {
    /// Microseconds of a read and of a swap: the median, one after another.
    async fn time(&mut self, record: &[u8]) -> (f64, f64) {
        let (mut reads, mut swaps) = (Vec::new(), Vec::new());
        for number in 0..SAMPLE {
            // Spread over the buckets.
            let key = key(number);
            let begun = Instant::now();
            let incarnation = self.store.read(key).await.unwrap().incarnation;
            reads.push(begun.elapsed().as_secs_f64() * 1e6);
            let since = self.since[number as usize];
            let change = Change { incarnation, since, value: Some(Value::from(record.to_vec())), keep: KEEP };
            let begun = Instant::now();
            let Swap::Done { sequence, .. } = self.store.swap(key, change).await.unwrap() else { panic!("not ours") };
            swaps.push(begun.elapsed().as_secs_f64() * 1e6);
            self.since[number as usize] = Some(sequence);
        }
        (crate::median(reads), crate::median(swaps))
    }
}

/// Puts records beside those that are there, from one number to another.
async fn fill(engine: &Engine, store: &Shared, from: u64, to: u64, record: &[u8]) {
    match engine {
        Engine::Memory => {
            for number in from..to {
                let (key, value) = (key(number), Some(Value::from(record.to_vec())));
                let incarnation = store.read(key).await.unwrap().incarnation;
                let swap = store.swap(key, Change { incarnation, since: None, value, keep: KEEP }).await;
                assert!(matches!(swap, Ok(Swap::Done { .. })), "{swap:?}");
            }
        }
        Engine::Sqlite(file) => {
            let mut connection = open(file).await;
            let sql = format!(
                "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to}) \
                 INSERT INTO oauth_values (bucket, key, version, expires, value) \
                 SELECT i % {BUCKETS}, unhex(printf('%04x', i % {BUCKETS}) || hex(randomblob(30))), 1, \
                     unixepoch() + {}, ?1 FROM n",
                KEEP.as_secs()
            );
            sqlx::query(AssertSqlSafe(sql)).bind(record).execute(&mut connection).await.unwrap();
        }
        Engine::Postgres(server) => drop(server.ask(&format!(
            "INSERT INTO oauth_values SELECT \
                 decode(lpad(to_hex(i % {BUCKETS}), 4, '0') || md5(i::text) || left(md5((-i)::text), 28), 'hex'), \
                 i % {BUCKETS}, b.incarnation, 1, now() + interval '30 days', decode('{}', 'hex') \
             FROM generate_series({from}, {to} - 1) AS i JOIN oauth_buckets AS b ON b.bucket = i % {BUCKETS}",
            hex(record)
        ))),
        Engine::Redis(server) => {
            let record = std::str::from_utf8(record).unwrap();
            for bucket in 0..BUCKETS {
                let (bucket, from, to) = (bucket.to_string(), from.to_string(), to.to_string());
                server.ask(&["EVAL", FILL, "0", &bucket, &BUCKETS.to_string(), &from, &to, record]);
            }
        }
    }
}

/// As `swap.lua` writes them, of one bucket.
const FILL: &str = "
local state = 'oauth:{' .. ARGV[1] .. '}:state'
local inc = redis.call('HGET', state, 'inc')
local till = string.format('%.0f', redis.call('TIME')[1] * 1000 + 2592000000)
local first = ARGV[3] + (ARGV[1] - ARGV[3]) % ARGV[2]
for i = first, ARGV[4] - 1, ARGV[2] do
    local key = string.format('oauth:{%s}:v:%043d', ARGV[1], i)
    redis.call('HSET', key, 'inc', inc, 'ver', '1', 'end', till, 'val', ARGV[5])
    redis.call('PEXPIREAT', key, till)
end
return 'OK'";

/// How much it takes by now: of memory, or of the disk.
pub(crate) async fn bytes(engine: &Engine) -> f64 {
    match engine {
        Engine::Memory => {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let (_, resident) = status.split_once("VmRSS:").unwrap();
            resident.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1024.0
        }
        Engine::Sqlite(file) => {
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut open(file).await).await.unwrap();
            std::fs::metadata(file).unwrap().len() as f64
        }
        Engine::Postgres(server) => {
            server.ask("VACUUM oauth_values");
            server.ask("SELECT pg_total_relation_size('oauth_values')").parse().unwrap()
        }
        Engine::Redis(server) => {
            let info = server.ask(&["INFO", "memory"]);
            let used = info.lines().find_map(|line| line.trim_end().strip_prefix("used_memory:"));
            used.unwrap().parse().unwrap()
        }
    }
}

/// A connection of its own, beside the store's.
pub(crate) async fn open(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(60));
    options.connect().await.unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
