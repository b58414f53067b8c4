//! How often a call waits for the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oauth_runtime::store::{Change, Count, Incarnation, Key, PostgresStore, Store};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{HOUR, database};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_round_trip() {
    for (tests, more) in [(false, 0), (true, 1)] {
        let proxy = Proxy::start(&database("")).await;
        let options = PgPoolOptions::new().max_connections(1).test_before_acquire(tests);
        let store = PostgresStore::new(options.connect(&proxy.url).await.unwrap()).await.unwrap();
        let key = Key::named("a");
        let counts = [1, 2, 3].map(|slot| Count { slot, add: 1, window: HOUR });
        // To hand a connection back is a round trip of its own that no caller waits for.
        let trips = async |what: &str| {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let trips = proxy.trips.swap(0, Ordering::SeqCst) - 1;
            println!("{what}: {trips}");
            trips
        };
        for round in 0..3 {
            let expected = 1 + more + u64::from(round == 0);
            tokio::time::sleep(Duration::from_millis(100)).await;
            proxy.trips.store(0, Ordering::SeqCst);
            let seen = store.read(key).await.unwrap();
            assert_eq!(trips("read").await, expected);
            let change = Change { incarnation: seen.incarnation, since: Some(99), value: None, keep: HOUR };
            let _ = store.swap(key, change).await.unwrap();
            assert_eq!(trips("swap").await, expected);
            store.count(&counts).await.unwrap();
            assert_eq!(trips("count").await, expected);
            store.renew(1, Incarnation::draw()).await.unwrap();
            assert_eq!(trips("renew").await, expected);
        }
    }
}

/// Hands everything on, and counts how often the client waits for the server: its messages `Sync` and `Query`.
struct Proxy {
    url: String,
    trips: Arc<AtomicU64>,
}

impl Proxy {
    async fn start(url: &str) -> Proxy {
        let options: PgConnectOptions = url.parse().unwrap();
        let (to, listener) = (options.get_port(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        let trips = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&trips);
        tokio::spawn(async move {
            loop {
                let client = listener.accept().await.unwrap().0;
                tokio::spawn(hand_on(client, to, Arc::clone(&counter)));
            }
        });
        // Without TLS the first message is of the same form each time.
        let url = format!("{}?sslmode=disable", url.replace(&format!(":{to}/"), &format!(":{port}/")));
        Proxy { url, trips }
    }
}

async fn hand_on(client: TcpStream, to: u16, trips: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = TcpStream::connect(("127.0.0.1", to)).await.unwrap().into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut first = true;
    loop {
        let mut head = vec![0; if first { 4 } else { 5 }];
        if from_client.read_exact(&mut head).await.is_err() {
            return;
        }
        let kind = (!first).then(|| head[0]);
        let length = u32::from_be_bytes(*head.last_chunk().unwrap()) as usize - 4;
        head.resize(head.len() + length, 0);
        let body = head.len() - length;
        from_client.read_exact(&mut head[body..]).await.unwrap();
        if matches!(kind, Some(b'S' | b'Q')) {
            trips.fetch_add(1, Ordering::SeqCst);
        }
        to_server.write_all(&head).await.unwrap();
        first = false;
    }
}
