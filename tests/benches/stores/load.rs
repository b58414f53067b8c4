//! A service over a store, its users, and connections that ask it as fast as it answers.

use std::path::Path;
use std::sync::Arc;

use oauth_runtime::Builder;
use oauth_runtime::store::Store;
use oauth_tests::engines::Engine;
use oauth_tests::{Browser, Server, builder, free_port, handlers, serve_with};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Serves the users whose password is the name and `123`.
pub(crate) fn serve(store: impl Store, issuer: Option<&str>, change: impl FnOnce(Builder) -> Builder) -> Server {
    let (listener, base) = free_port();
    let oauth = change(builder(issuer.unwrap_or(&base)))
        .authenticate(async |login| {
            let is_right = *login.password == *format!("{}123", login.username);
            is_right.then(|| json!({ "sub": login.username, "role": "admin" }))
        })
        .reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
        .store(store)
        .build()
        .unwrap();
    serve_with(2, listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    })
}

/// A connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    host: Arc<str>,
}

impl Connection {
    pub(crate) async fn to(base: &str) -> Connection {
        let host: Arc<str> = base.trim_start_matches("http://").into();
        let stream = TcpStream::connect(&*host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, host }
    }

    /// Posts a form to `/token`; answers the JSON of its answer, which is good.
    pub(crate) async fn token(&mut self, form: &str) -> serde_json::Value {
        let head = format!("POST /token HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.host, form.len());
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n";
        serde_json::from_str(&self.ask(&[&head, kind, form].concat()).await).unwrap()
    }

    /// Calls a guarded handler, which lets this token in.
    pub(crate) async fn call(&mut self, token: &str) {
        let request = format!("GET /admin HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n", self.host);
        self.ask(&request).await;
    }

    async fn ask(&mut self, request: &str) -> String {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::with_capacity(4096);
        loop {
            assert_ne!(self.stream.read_buf(&mut answer).await.unwrap(), 0, "the server closed the connection");
            let text = std::str::from_utf8(&answer).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let (_, length) = head.split_once("content-length: ").unwrap();
            if body.len() == length.split('\r').next().unwrap().parse::<usize>().unwrap() {
                assert_eq!(&head[9..12], "200", "{text}");
                return body.to_owned();
            }
        }
    }
}

/// What is kept of a user, in bytes.
pub(crate) struct Records {
    /// Of one who is signed in once, and has one family of refresh tokens.
    pub(crate) one: Vec<u8>,
    /// Of one who is signed in from another browser as well.
    pub(crate) two: Vec<u8>,
}

/// As the service writes them.
pub(crate) async fn records() -> Records {
    let engine = Engine::start("sqlite");
    let Engine::Sqlite(file) = &engine else { unreachable!("it is this one") };
    let server = serve(engine.store().await, None, |builder| builder);
    sign_in(&server).await;
    let one = longest(file).await;
    sign_in(&server).await;
    Records { one, two: longest(file).await }
}

async fn sign_in(server: &Server) {
    let browser = Browser::new(server);
    let issued = browser.redeem(&browser.code_for("a-user@example.com").await, &[]).await.json();
    let refreshed = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
}

async fn longest(file: &Path) -> Vec<u8> {
    let mut connection = crate::sizes::open(file).await;
    let query = sqlx::query_scalar("SELECT value FROM oauth_values ORDER BY length(value) DESC LIMIT 1");
    query.fetch_one(&mut connection).await.unwrap()
}
