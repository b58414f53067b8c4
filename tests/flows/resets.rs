//! A client that goes away while it is answered: what its request did is reported all the same.

use std::future::IntoFuture as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use actix_web::dev::Service as _;
use actix_web::http::Method;
use actix_web::{App, HttpServer};
use oauth_runtime::store::{About, Change, Count, Counted, Incarnation, Key, MemoryStore, Reply, Seen, Store, Swap};
use oauth_runtime::{Event, EventKind, OAuthService};
use oauth_tests::{Answer, PATIENCE, authorization_request, builder, changed, free_port, without_cookies};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// A store that has written, and is slow to say so, as one with a replica is.
struct Held {
    store: MemoryStore,
    pause: Arc<Pause>,
}

/// Before the answer to one write.
#[derive(Default)]
struct Pause {
    is_on: AtomicBool,
    written: Notify,
    go: Notify,
}

impl Store for Held {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        Reply::later(self.store.read(key).into_future())
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        Reply::later(async move {
            let done = self.store.swap(key, change).await;
            if self.pause.is_on.swap(false, Ordering::SeqCst) {
                self.pause.written.notify_one();
                self.pause.go.notified().await;
            }
            done
        })
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.store.count(counts)
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.store.renew(bucket, was)
    }

    fn about(&self) -> About {
        self.store.about()
    }
}

/// Says that actix has dropped the answer to a post, or sent it.
struct Gone(Arc<Notify>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn serve(listener: TcpListener, oauth: OAuthService) -> Arc<Notify> {
    let gone = Arc::new(Notify::new());
    let tells = Arc::clone(&gone);
    std::thread::spawn(move || {
        let app = move || {
            let tells = Arc::clone(&tells);
            App::new().configure(oauth.routes()).wrap_fn(move |request, service| {
                let gone = (request.method() == Method::POST).then(|| Gone(Arc::clone(&tells)));
                let answer = service.call(request);
                async move {
                    let _gone = gone;
                    answer.await
                }
            })
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        actix_web::rt::System::new().block_on(server).unwrap();
    });
    gone
}

/// Else a thief of a password could sign in unseen: the form is sent again for its code, and that is no second sign-in.
#[tokio::test]
async fn c41_a_sign_in_is_reported_though_its_browser_resets_the_connection() {
    let (listener, base) = free_port();
    let pause = Arc::new(Pause::default());
    let (sender, told) = channel();
    let oauth = builder(&base)
        .store(Held { store: MemoryStore::new(), pause: Arc::clone(&pause) })
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .on_event(move |event: &Event| sender.send((event.kind, event.request.is_some())).unwrap_or_default())
        .build()
        .unwrap();
    let gone = serve(listener, oauth);

    let page = Answer::to(without_cookies().get(format!("{base}/authorize?{}", authorization_request(&[])))).await;
    let cookies = page.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap().split(';').next().unwrap());
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let form = page.form();
    let body = changed(&[("request", form.as_str()), ("username", "admin"), ("password", "admin123")], &[]);
    let host = base.trim_start_matches("http://");
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    pause.is_on.store(true, Ordering::SeqCst);
    let mut socket = TcpStream::connect(host).await.unwrap();
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    pause.written.notified().await;
    socket.set_zero_linger().unwrap();
    drop(socket);
    gone.notified().await;
    pause.go.notify_one();

    let told = [(); 3].map(|()| told.recv_timeout(PATIENCE).unwrap());
    let expected = [EventKind::SignedIn, EventKind::NewDevice, EventKind::CodeIssued];
    assert_eq!(told, expected.map(|kind| (kind, true)), "in the request that it was");
}
