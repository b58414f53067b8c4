//! The store on real servers of Redis: each clause of the contract, and what servers do to demands 11, 42 and 47 when they
//! crash, restart, fail over, fill up or move their slots.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use oauth_runtime::store::{
    Change, Count, Incarnation, Key, RedisOptions, RedisStore, Seen, Store, StoreError, Swap, Value, contract,
};
use oauth_tests::PATIENCE;
use oauth_tests::servers::{Redis, RedisCluster};

const SOON: Duration = Duration::from_secs(600);

fn put(seen: &Seen, bytes: &[u8]) -> Change {
    let since = seen.kept.as_ref().map(|kept| kept.version);
    Change { incarnation: seen.incarnation, since, value: Some(Value::from(bytes.to_vec())), keep: SOON }
}

/// Writes what comes next to a number; answers whether it was done.
async fn raise(store: &RedisStore, key: Key) -> Result<Option<u64>, StoreError> {
    let seen = store.read(key).await?;
    let held = seen.kept.as_ref().map_or(0, |kept| number(kept.value.as_bytes()));
    match store.swap(key, put(&seen, (held + 1).to_string().as_bytes())).await? {
        Swap::Done { .. } => Ok(Some(held + 1)),
        Swap::Changed(_) => Ok(None),
    }
}

fn number(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

async fn number_at(store: &RedisStore, key: Key) -> u64 {
    store.read(key).await.unwrap().kept.map_or(0, |kept| number(kept.value.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_one_server_keeps_the_contract() {
    for binary in Redis::binaries() {
        let server = Redis::start_binary(&binary, Redis::VOLATILE);
        contract::check(RedisStore::connect(server.url()).await.unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_no_part_of_a_new_store_is_younger_than_the_store() {
    for binary in Redis::binaries() {
        let server = Redis::start_binary(&binary, Redis::VOLATILE);
        let store = RedisStore::connect(server.url()).await.unwrap();
        let begun = store.read(Key::named("first")).await.unwrap().now;
        // The times are whole seconds.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        for name in 0..50 {
            let seen = store.read(Key::named(&name.to_string())).await.unwrap();
            // What clients make themselves is to be younger than the memory that it is spent in.
            assert!(seen.born <= begun && begun < seen.now, "{name}: {seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_a_cluster_keeps_the_contract() {
    let cluster = RedisCluster::start();
    let urls = cluster.urls();
    // One name is enough, and of several the first that answers.
    contract::check(RedisStore::connect(&urls[1]).await.unwrap()).await;
    let urls = ["redis://127.0.0.1:1/", &urls[0], &urls[2]];
    let store = RedisStore::cluster(urls).await.unwrap();
    for name in 0..500 {
        assert_eq!(raise(&store, Key::named(&name.to_string())).await.unwrap(), Some(1));
    }
    for node in 0..3 {
        let keys: u64 = cluster.ask(node, &["dbsize"]).parse().unwrap();
        assert!(keys > 100, "a server has {keys} keys");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_replicas_keep_the_contract() {
    let master = Redis::start_with(Redis::VOLATILE);
    let mut replica = Redis::start_with(&[("replicaof", &format!("127.0.0.1 {}", master.port()))]);
    while !replica.ask(&["info", "replication"]).contains("master_link_status:up") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let store = RedisOptions::new().replicas(1).connect(master.url()).await.unwrap();
    contract::check(store).await;
    let why = RedisStore::connect(replica.url()).await.unwrap_err().to_string();
    assert!(why.contains("it is a replica"), "{why}");

    let store = RedisOptions::new().replicas(1).connect(master.url()).await.unwrap();
    let key = Key::named("a");
    let begun = Instant::now();
    for _ in 0..200 {
        raise(&store, key).await.unwrap();
    }
    let replicated = 200.0 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    join_all((0..4000).map(|name| {
        let store = &store;
        async move { raise(store, Key::named(&name.to_string())).await.unwrap() }
    }))
    .await;
    println!(
        "with WAIT: {replicated:.0} raises/s one at a time, {:.0} at once",
        4000.0 / begun.elapsed().as_secs_f64()
    );

    replica.kill();
    let begun = Instant::now();
    let why = raise(&store, key).await.unwrap_err().to_string();
    assert!(why.contains("0 of 1 replicas"), "{why}");
    assert!(begun.elapsed() < PATIENCE);
    // Reading does not wait behind those who write.
    let writes = join_all((0..8).map(|name| {
        let store = &store;
        async move { raise(store, Key::named(&format!("new {name}"))).await }
    }));
    let reads = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        store.read(key).await.unwrap();
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    };
    let (writes, ()) = tokio::join!(writes, reads);
    assert!(writes.iter().all(Result::is_err));
    replica.start_again();
    let begun = Instant::now();
    while raise(&store, key).await.is_err() {
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_what_is_kept_outlasts_a_restart_and_not_a_flush() {
    let mut server = Redis::start();
    let store = RedisStore::connect(server.url()).await.unwrap();
    let key = Key::named("a");
    raise(&store, key).await.unwrap();
    let before = store.read(key).await.unwrap();
    server.stop();
    server.start_again();
    let after = store.read(key).await.unwrap();
    assert_eq!((before.incarnation, before.born, before.sequence), (after.incarnation, after.born, after.sequence));
    assert_eq!(number_at(&store, key).await, 1);

    server.ask(&["flushall"]);
    assert!(matches!(store.swap(key, put(&after, b"2")).await.unwrap(), Swap::Changed(seen) if seen.kept.is_none()));
    let flushed = store.read(key).await.unwrap();
    assert_ne!(flushed.incarnation, after.incarnation);
    assert!(flushed.kept.is_none() && flushed.sequence == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_an_older_snapshot_shows() {
    let mut server = Redis::start_with(Redis::VOLATILE);
    let store = RedisStore::connect(server.url()).await.unwrap();
    let key = Key::named("a");
    raise(&store, key).await.unwrap();
    server.ask(&["save"]);
    for _ in 0..5 {
        raise(&store, key).await.unwrap();
    }
    let newer = store.read(key).await.unwrap();
    server.kill();
    server.start_again();
    let older = store.read(key).await.unwrap();
    assert_eq!(older.incarnation, newer.incarnation);
    assert_eq!((older.sequence, newer.sequence), (1, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_may_be_flushed() {
    let (server, cluster) = (Redis::start_with(Redis::VOLATILE), RedisCluster::start());
    let one = RedisStore::connect(server.url()).await.unwrap();
    let many = RedisStore::connect(&cluster.urls()[0]).await.unwrap();
    for round in 1..=10 {
        server.ask(&["script", "flush"]);
        for node in 0..3 {
            cluster.ask(node, &["script", "flush"]);
        }
        let count = [Count { slot: 1, add: 1, window: SOON }, Count { slot: 2, add: 1, window: SOON }];
        for store in [&one, &many] {
            for name in ["a", "b", "c", "d"] {
                assert_eq!(raise(store, Key::named(name)).await.unwrap(), Some(round));
            }
            assert!(store.count(&count).await.unwrap().iter().all(|counted| counted.sum == round));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_comes_back() {
    let mut server = Redis::start();
    let store = RedisStore::connect(server.url()).await.unwrap();
    let key = Key::named("a");
    raise(&store, key).await.unwrap();
    server.kill();
    for _ in 0..20 {
        let begun = Instant::now();
        let why = store.read(key).await.unwrap_err();
        assert!(matches!(why, StoreError::Unavailable(_)));
        assert!(begun.elapsed() < PATIENCE, "{why}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.start_again();
    // The first call connects.
    assert_eq!(raise(&store, key).await.unwrap(), Some(2));

    // A restart that happened while nothing was asked is not noticed.
    server.kill();
    server.start_again();
    assert_eq!(raise(&store, key).await.unwrap(), Some(3));

    // A server that says nothing.
    server.pause();
    let begun = Instant::now();
    let answers = join_all((0..10).map(|_| store.read(key))).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(store.read(key).await.is_err());
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    server.go_on();
    assert_eq!(raise(&store, key).await.unwrap(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_what_was_acknowledged_outlasts_kill_9() {
    let mut server = Redis::start();
    let store = Arc::new(RedisStore::connect(server.url()).await.unwrap());
    let keys: Vec<Key> = (0..16).map(|name| Key::named(&name.to_string())).collect();
    let mut acknowledged = HashMap::<Key, u64>::new();
    let total = Arc::new(AtomicU64::new(0));
    for round in 0..20 {
        let over = Arc::new(AtomicBool::new(false));
        let load = |key: &Key| tokio::spawn(load(Arc::clone(&store), *key, Arc::clone(&over), Arc::clone(&total)));
        let load: Vec<_> = keys.iter().map(load).collect();
        // In the middle of its writes, of which a busy machine does fewer at a time.
        let begun = Instant::now();
        while total.load(Ordering::SeqCst) <= 101 * (round + 1) && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(13 * round)).await;
        server.kill();
        over.store(true, Ordering::SeqCst);
        for (key, load) in keys.iter().zip(load) {
            let last = load.await.unwrap();
            acknowledged.entry(*key).and_modify(|held| *held = last.max(*held)).or_insert(last);
        }
        server.start_again();
        for (key, acknowledged) in &acknowledged {
            let there = number_at(&store, *key).await;
            assert!(there >= *acknowledged, "round {round}: {there} is there, {acknowledged} was acknowledged");
            // One more was on its way when it was killed, and no call is done twice.
            assert!(there <= acknowledged + 1 + round, "round {round}: {there} and {acknowledged}");
        }
    }
    let total = total.load(Ordering::SeqCst);
    println!("20 times kill -9: {total} acknowledged writes are there");
    assert!(total > 2000);
}

/// Writes until it is over: what was written last, of all that is counted.
async fn load(store: Arc<RedisStore>, key: Key, over: Arc<AtomicBool>, total: Arc<AtomicU64>) -> u64 {
    let mut last = 0;
    while !over.load(Ordering::SeqCst) {
        if let Ok(Some(written)) = raise(&store, key).await {
            last = written;
            total.fetch_add(1, Ordering::SeqCst);
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_c47_a_server_that_forgets_is_refused() {
    let server = Redis::start_with(&[("maxmemory-policy", "allkeys-lru")]);
    server.ask(&["config", "set", "requirepass", "hunter2"]);
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}/", server.port());
    let why = RedisStore::connect(url("hunter2")).await.unwrap_err().to_string();
    assert!(why.contains("set it to noeviction") && !why.contains("hunter2"), "{why}");
    let why = RedisStore::connect(url("wrong-password")).await.unwrap_err().to_string();
    assert!(!why.contains("wrong-password"), "{why}");
    println!("{why}");

    let cluster = RedisCluster::start();
    cluster.ask(2, &["config", "set", "maxmemory-policy", "volatile-ttl"]);
    let urls = cluster.urls();
    let why = RedisStore::connect(&urls[0]).await.unwrap_err().to_string();
    assert!(why.contains("volatile-ttl") && why.contains(urls[2].trim_start_matches("redis://")), "{why}");
    println!("{why}");

    let why = RedisStore::connect("redis://redis.example.com/").await.unwrap_err().to_string();
    assert!(why.contains("use rediss://"), "{why}");

    let server = Redis::start_with(Redis::VOLATILE);
    server.ask(&["set", "oauth:{0}:schema", "2"]);
    // Nor is it written over, so that the next start would find the older one.
    for _ in 0..2 {
        let why = RedisStore::connect(server.url()).await.unwrap_err().to_string();
        assert!(why.contains("schema 2"), "{why}");
    }
    RedisOptions::new().prefix("other").connect(server.url()).await.unwrap();
    assert!(RedisOptions::new().prefix("a{b}").connect(server.url()).await.is_err());
}

/// What docs/stores.md gives it is enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_least_rights_keeps_the_contract() {
    let page = include_str!("../../oauth-runtime/docs/stores.md");
    let rights = page.lines().find(|line| line.starts_with("ACL SETUSER app ")).unwrap();
    let and = |more: &[&'static str]| rights.split_whitespace().chain(more.iter().copied()).collect::<Vec<_>>();
    let of_app = |url: String| url.replace("redis://", "redis://app:password@");

    let server = Redis::start_with(Redis::VOLATILE);
    let allow = |more: &[&'static str]| assert_eq!(server.ask(&and(more)), "OK");
    let url = of_app(server.url());
    allow(&[]);
    contract::check(RedisStore::connect(&url).await.unwrap()).await;
    let other = RedisOptions::new().prefix("other").connect(&url).await.unwrap_err().to_string();
    assert!(other.contains("no permissions"), "the keys of others are not its own: {other}");
    allow(&["+wait"]);
    let waiting = RedisOptions::new().replicas(1).connect(&url).await.unwrap();
    let why = raise(&waiting, Key::named("a")).await.unwrap_err().to_string();
    assert!(why.contains("0 of 1 replicas knew"), "it may wait: {why}");
    allow(&["-info"]);
    let why = RedisStore::connect(&url).await.unwrap_err().to_string();
    assert!(why.contains("must be allowed to ask INFO"), "{why}");

    let cluster = RedisCluster::start();
    (0..3).for_each(|node| assert_eq!(cluster.ask(node, &and(&["+cluster|slots", "+asking"])), "OK"));
    contract::check(RedisStore::connect(of_app(cluster.urls().swap_remove(0))).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_c47_a_full_server_still_signs_out() {
    let server = Redis::start_with(Redis::VOLATILE);
    let store = RedisStore::connect(server.url()).await.unwrap();
    let key = Key::named("a");
    raise(&store, key).await.unwrap();
    server.ask(&["config", "set", "maxmemory", "1mb"]);
    assert_eq!(raise(&store, key).await.unwrap(), Some(2), "what is there is changed");
    assert!(matches!(raise(&store, Key::named("b")).await, Err(StoreError::Full)));
    assert_eq!(store.count(&[Count { slot: 1, add: 1, window: SOON }]).await.unwrap()[0].sum, 1);
    let seen = store.read(key).await.unwrap();
    let gone = store.swap(key, Change { value: None, ..put(&seen, b"") }).await.unwrap();
    assert!(matches!(gone, Swap::Done { .. }));
    let renewed = store.renew(key.bucket(), seen.incarnation).await.unwrap();
    assert_ne!(renewed, seen.incarnation);
    server.ask(&["config", "set", "maxmemory", "0"]);
    assert_eq!(raise(&store, Key::named("b")).await.unwrap(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_a_server_that_was_made_a_replica_answers_nothing() {
    let (server, other) = (Redis::start_with(Redis::VOLATILE), Redis::start_with(Redis::VOLATILE));
    let store = RedisStore::connect(server.url()).await.unwrap();
    let key = Key::named("a");
    raise(&store, key).await.unwrap();
    server.ask(&["replicaof", "127.0.0.1", &other.port().to_string()]);
    for _ in 0..3 {
        assert!(store.read(key).await.is_err());
        assert!(store.count(&[Count { slot: 1, add: 0, window: SOON }]).await.is_err());
    }
    server.ask(&["replicaof", "no", "one"]);
    store.read(key).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_no_update_is_lost() {
    let (server, cluster) = (Redis::start_with(Redis::VOLATILE), RedisCluster::start());
    for url in [server.url(), cluster.urls().remove(0)] {
        let (one, other) = (RedisStore::connect(&url).await.unwrap(), RedisStore::connect(&url).await.unwrap());
        let key = Key::named("a");
        let raises = (0..2000).map(|index| raise(if index % 2 == 0 { &one } else { &other }, key));
        let done = join_all(raises).await.into_iter().filter(|done| done.as_ref().unwrap().is_some()).count();
        assert_eq!(number_at(&one, key).await, done as u64);
        assert_eq!(one.read(key).await.unwrap().sequence, done as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_slots_move_under_load() {
    let cluster = RedisCluster::start();
    let store = Arc::new(RedisStore::connect(&cluster.urls()[0]).await.unwrap());
    let keys: Vec<Key> = (0..64).map(|name| Key::named(&name.to_string())).collect();
    let over = Arc::new(AtomicBool::new(false));
    let hammer = |key: Key| {
        let (store, over) = (Arc::clone(&store), Arc::clone(&over));
        tokio::spawn(async move {
            let (mut done, mut failed) = (0, Vec::new());
            while !over.load(Ordering::SeqCst) {
                match raise(&store, key).await {
                    Ok(written) => done += u64::from(written.is_some()),
                    Err(why) => failed.push(why.to_string()),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            (done, failed)
        })
    };
    let load: Vec<_> = keys.iter().map(|key| hammer(*key)).collect();
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.move_slots(0, 1, 3000);
        cluster
    })
    .await
    .unwrap();
    over.store(true, Ordering::SeqCst);
    let (mut total, mut errors) = (0, 0);
    for (key, load) in keys.iter().zip(load) {
        let (done, failed) = load.await.unwrap();
        if let Some(why) = failed.first() {
            println!("{why}");
        }
        (total, errors) = (total + done, errors + failed.len());
        let there = number_at(&store, *key).await;
        assert!((done..=done + failed.len() as u64).contains(&there), "{there} of {done}");
    }
    println!("{total} writes while 3,000 slots moved, {errors} failed");
    assert_eq!(errors, 0);
    let nodes = cluster.ask(1, &["cluster", "nodes"]);
    assert!(nodes.lines().any(|node| node.contains("myself") && node.contains(" 0-2999")), "{nodes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_a_master_of_a_cluster_fails() {
    let mut cluster = RedisCluster::with_replicas();
    let urls = cluster.urls();
    let store = RedisOptions::new().replicas(1).connect(&urls[0]).await.unwrap();
    let keys: Vec<Key> = (0..60).map(|name| Key::named(&name.to_string())).collect();
    for key in &keys {
        assert_eq!(raise(&store, *key).await.unwrap(), Some(1));
    }
    assert!(cluster.is_master(0));
    cluster.kill(0);
    let begun = Instant::now();
    let mut away = keys.clone();
    while !away.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{} keys are away", away.len());
        let mut still = Vec::new();
        for key in away {
            match store.read(key).await {
                Ok(seen) => assert_eq!(seen.kept.map(|kept| number(kept.value.as_bytes())), Some(1)),
                Err(_) => still.push(key),
            }
        }
        away = still;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("after {:?} all is there again", begun.elapsed());
    RedisStore::connect(&urls[1]).await.unwrap();
}

#[test]
fn the_store_outlives_the_runtime_that_connected() {
    let mut server = Redis::start();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime().block_on(RedisStore::connect(server.url())).unwrap();
    let key = Key::named("a");
    for round in 1..=3 {
        assert_eq!(runtime().block_on(raise(&store, key)).unwrap(), Some(round));
        server.kill();
        server.start_again();
    }
    // The caller's needs neither a clock nor a network.
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(bare.block_on(store.read(key)).unwrap().sequence, 3);
    // It takes its connection with it; the other that is left is the one that asks.
    let connected = || server.ask(&["info", "clients"]).contains("connected_clients:2");
    assert!(connected());
    drop(store);
    let begun = Instant::now();
    while connected() {
        assert!(begun.elapsed() < PATIENCE, "the connection stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_holds_where_expiry_pauses() {
    let server = Redis::start_with(Redis::VOLATILE);
    let store = RedisStore::connect(server.url()).await.unwrap();
    let key = Key::named("a");
    let seen = store.read(key).await.unwrap();
    let change = Change { keep: Duration::from_millis(300), ..put(&seen, b"1") };
    assert!(matches!(store.swap(key, change).await.unwrap(), Swap::Done { .. }));
    let name = format!("oauth:{{{}}}:v:{}", key.bucket(), key.to_text());
    assert_eq!(server.ask(&["persist", &name]), "1");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(server.ask(&["exists", &name]), "1");
    assert!(store.read(key).await.unwrap().kept.is_none());
    assert_eq!(raise(&store, key).await.unwrap(), Some(1));
    // The numbers at the edge of what a script can count.
    let other = Incarnation::from_bits(u64::MAX >> 1);
    let state = format!("oauth:{{{}}}:state", key.bucket());
    server.ask(&["hset", &state, "inc", &other.bits().to_string(), "seq", &((1u64 << 53) - 2).to_string()]);
    let seen = store.read(key).await.unwrap();
    assert_eq!((seen.incarnation, seen.sequence), (other, (1 << 53) - 2));
    let one_off = Change { incarnation: Incarnation::from_bits(other.bits() - 1), ..put(&seen, b"") };
    assert!(matches!(store.swap(key, one_off).await.unwrap(), Swap::Changed(_)));
    assert!(
        matches!(store.swap(key, put(&seen, b"1")).await.unwrap(), Swap::Done { sequence, .. } if sequence == (1 << 53) - 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis-tls");
    std::fs::create_dir_all(&directory).unwrap();
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 2 &&
        openssl req -newkey rsa:2048 -nodes -keyout redis.key -out redis.csr -subj /CN=redis &&
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost' > names &&
        openssl x509 -req -in redis.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out redis.crt -days 2 -extfile names";
    let made = Command::new("sh").args(["-c", make]).current_dir(&directory).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let server = Redis::start_with(Redis::VOLATILE);
    let url = server.speak_tls(&directory.join("redis.crt"), &directory.join("redis.key"));
    let why = RedisStore::connect(&url).await.unwrap_err().to_string();
    assert!(why.contains("certificate"), "{why}");
    let authority = std::fs::read(directory.join("ca.crt")).unwrap();
    let store = RedisOptions::new().root_certificate(authority).connect(&url).await.unwrap();
    assert_eq!(raise(&store, Key::named("a")).await.unwrap(), Some(1));
}
