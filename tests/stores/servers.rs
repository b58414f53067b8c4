//! The servers that the tests of stores start: each answers, and has its data still after it was killed.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::web;
use oauth_tests::servers::{Nginx, Postgres, Redis, RedisCluster};
use oauth_tests::{Answer, PATIENCE, free_port, serve};

#[test]
fn postgres_keeps_what_was_committed() {
    let mut postgres = Postgres::start_with(&["max_connections=17"]);
    assert_eq!(postgres.ask("show fsync; show max_connections"), "on\n17");
    postgres.ask("create table notes (id int primary key, note text); insert into notes values (1, 'one')");

    let url = postgres.url();
    postgres.kill();
    assert!(!listens(&url));
    postgres.start_again();
    assert_eq!(postgres.url(), url);
    assert_eq!(postgres.ask("select * from notes"), "1|one");

    postgres.stop();
    let before = postgres.snapshot();
    postgres.start_again();
    postgres.ask("insert into notes values (2, 'two')");
    assert_eq!(postgres.ask("select id from notes order by id"), "1\n2");
    postgres.kill();
    postgres.restore(&before);
    postgres.start_again();
    assert_eq!(postgres.ask("select id from notes"), "1", "the backup is older");

    drop(postgres);
    assert!(!listens(&url));
}

#[test]
fn redis_keeps_what_it_has_acknowledged() {
    for binary in Redis::binaries() {
        let mut redis = Redis::start_binary(&binary, Redis::DURABLE);
        assert_eq!(redis.ask(&["CONFIG", "GET", "maxmemory-policy"]), "maxmemory-policy\nnoeviction");
        assert_eq!(redis.ask(&["SET", "note", "one"]), "OK");

        let url = redis.url();
        redis.kill();
        assert!(!listens(&url));
        redis.start_again();
        assert_eq!(redis.url(), url);
        assert_eq!(redis.ask(&["GET", "note"]), "one");

        let running = redis.snapshot();
        redis.ask(&["SET", "note", "two"]);
        redis.stop();
        let stopped = redis.snapshot();
        for (snapshot, note) in [(running, "one"), (stopped, "two")] {
            redis.restore(&snapshot);
            redis.start_again();
            assert_eq!(redis.ask(&["GET", "note"]), note);
            redis.kill();
        }
    }
}

#[test]
fn a_volatile_redis_keeps_what_it_had_when_it_was_stopped() {
    let mut redis = Redis::start_with(Redis::VOLATILE);
    redis.ask(&["SET", "note", "one"]);
    redis.stop();
    redis.start_again();
    redis.ask(&["SET", "note", "two"]);
    redis.kill();
    redis.start_again();
    assert_eq!(redis.ask(&["GET", "note"]), "one");
}

#[test]
fn a_cluster_keeps_what_it_has_acknowledged() {
    let mut cluster = RedisCluster::start();
    assert_eq!(cluster.urls().len(), 3);
    // Each is in the slots of another node.
    let notes = ["{b}", "{c}", "{a}"];
    let slots = notes.map(|note| cluster.ask(0, &["CLUSTER", "KEYSLOT", note]).parse::<u32>().unwrap() / 5461);
    assert_eq!(slots, [0, 1, 2]);
    for note in notes {
        assert_eq!(cluster.ask(0, &["SET", note, "kept"]), "OK");
    }
    for node in 0..3 {
        cluster.kill(node);
        assert!(!listens(&cluster.urls()[node]));
        cluster.start_again(node);
        for note in notes {
            assert_eq!(cluster.ask(node, &["GET", note]), "kept");
        }
    }
}

#[test]
fn a_replica_takes_over() {
    let mut cluster = RedisCluster::with_replicas();
    assert_eq!(cluster.urls().len(), 6);
    assert!(cluster.is_master(0) && !cluster.is_master(3));
    assert_eq!(cluster.ask(0, &["SET", "{b}", "kept"]), "OK");
    assert_eq!(cluster.ask(0, &["WAIT", "1", "0"]), "1");

    cluster.kill(0);
    cluster.wait_until_ok();
    assert!(cluster.is_master(3));
    assert_eq!(cluster.ask(1, &["GET", "{b}"]), "kept");

    cluster.start_again(0);
    assert!(!cluster.is_master(0) && cluster.is_master(3));
    assert_eq!(cluster.ask(0, &["GET", "{b}"]), "kept");
}

#[tokio::test]
async fn nginx_asks_one_server_after_the_other() {
    let (listeners, bases): (Vec<_>, Vec<_>) = (0..2).map(|_| free_port()).unzip();
    let nginx = Nginx::start(&bases);
    let mut servers = Vec::new();
    for (name, listener) in ["first", "second"].into_iter().zip(listeners) {
        servers.push(serve(listener, move |app| {
            app.default_service(web::to(move || async move { name }));
        }));
    }
    let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
    let mut names = Vec::new();
    for _ in 0..4 {
        let answer = Answer::to(http.post(format!("{}/path", nginx.url()))).await;
        assert_eq!(answer.status, 200, "{answer:?} {}", nginx.log());
        names.push(answer.body);
    }
    assert_eq!(names, ["first", "second", "first", "second"]);
    assert!(nginx.log().contains("POST /path HTTP/1.1 200 at 127.0.0.1:"), "{}", nginx.log());

    let url = nginx.url();
    drop(nginx);
    assert!(!listens(&url));
}

#[test]
fn nothing_is_left_of_a_test_that_is_killed() {
    const KILLED: &str = "OAUTH_TESTS_KILLED";
    if std::env::var_os(KILLED).is_some() {
        let servers = std::thread::spawn(|| (Postgres::start(), Redis::start(), Nginx::start(&["http://127.0.0.1:9"])));
        // That thread has ended, and the servers have not.
        let (postgres, redis, nginx) = servers.join().unwrap();
        for url in [postgres.url(), redis.url(), nginx.url()] {
            assert!(listens(&url));
            writeln!(std::io::stderr(), "listens at {url}").unwrap();
        }
        std::thread::sleep(PATIENCE);
        return;
    }
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "servers::nothing_is_left_of_a_test_that_is_killed", "--nocapture"]).env(KILLED, "yes");
    let mut test = test.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(test.stderr.take().unwrap()).lines().map(Result::unwrap);
    let urls: Vec<_> = lines.filter_map(|line| Some(line.strip_prefix("listens at ")?.to_owned())).take(3).collect();
    test.kill().unwrap();
    test.wait().unwrap();
    assert_eq!(urls.len(), 3);
    for url in urls {
        let begun = Instant::now();
        while listens(&url) {
            assert!(begun.elapsed() < PATIENCE, "{url} is left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_server_waits_for_its_port() {
    let (mut postgres, mut redis) = (Postgres::start(), Redis::start());
    postgres.kill();
    redis.kill();
    let taken = |url: String| TcpListener::bind(("127.0.0.1", url::Url::parse(&url).unwrap().port().unwrap())).unwrap();
    let listeners = [taken(postgres.url()), taken(redis.url())];
    std::thread::scope(|scope| {
        scope.spawn(|| postgres.start_again());
        scope.spawn(|| redis.start_again());
        for listener in listeners {
            // It asks who is there, and it is not itself.
            listener.accept().unwrap();
        }
    });
    assert_eq!(postgres.ask("select 1"), "1");
    assert_eq!(redis.ask(&["PING"]), "PONG");
}

/// Whether a server listens where a URL says.
fn listens(url: &str) -> bool {
    let url = url::Url::parse(url).unwrap();
    TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).is_ok()
}
