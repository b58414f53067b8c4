//! One of several processes of a service: `LISTEN` is its address, `ISSUER` the address of all, and `STORE` what they
//! share: `sqlite:FILE`, `postgres:URL` or `redis:URL`. `SECRET` is theirs, `NEXT` and `PREVIOUS` those beside it; with
//! `DEADLINE`, the store has so many seconds to answer, and a refresh that is sent many times as long as it may have.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use actix_web::http::KeepAlive;
use actix_web::{App, HttpServer};
use oauth_runtime::store::{PostgresStore, RedisStore, SqliteStore, Store};
use oauth_runtime::{Client, Login, OAuthService};
use oauth_tests::{PATIENCE, SECRET, handlers};
use serde_json::json;
use sqlx::postgres::PgPoolOptions;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn store(text: &str, deadline: Duration) -> Box<dyn Store> {
    match text.split_once(':').unwrap() {
        ("sqlite", file) => Box::new(SqliteStore::open(file).await.unwrap()),
        ("postgres", url) => {
            let pool = PgPoolOptions::new().max_connections(8).test_before_acquire(false);
            let pool = pool.acquire_timeout(deadline).connect(url).await.unwrap();
            Box::new(PostgresStore::new(pool).await.unwrap())
        }
        ("redis", url) => Box::new(RedisStore::connect(url).await.unwrap()),
        (other, _) => panic!("no store is called {other}"),
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let seconds = |name: &str| Some(Duration::from_secs(variable(name)?.parse().unwrap()));
    let deadline = seconds("DEADLINE");
    let mut builder = OAuthService::builder()
        .untyped_claims()
        .issuer(variable("ISSUER").unwrap())
        .secret(variable("SECRET").unwrap_or_else(|| SECRET.to_owned()))
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .client(Client::public("guest").redirect_uri("https://guest.example/cb").third_party())
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .authenticate_timeout(PATIENCE)
        .authenticate(async |login: Login| {
            let is_right = *login.password == *format!("{}123", login.username);
            is_right.then(|| json!({ "sub": login.username, "role": "admin" }))
        })
        .reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
        .store(store(&variable("STORE").unwrap(), deadline.unwrap_or(Duration::from_secs(3))).await);
    if let Some(next) = variable("NEXT") {
        builder = builder.next_secret(next);
    }
    if let Some(previous) = variable("PREVIOUS") {
        builder = builder.previous_secret(previous);
    }
    if let Some(tolerance) = seconds("TOLERANCE") {
        builder = builder.outage_tolerance(tolerance);
    }
    if let Some(deadline) = deadline {
        builder = builder.store_deadline(deadline).refresh_token_grace(Duration::from_secs(60));
    }
    let oauth = builder.build().unwrap();
    HttpServer::new(move || App::new().configure(oauth.routes()).configure(handlers))
        // On a busy machine a client may be slow; the server is never the first to hang up.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::ZERO)
        .workers(2)
        .shutdown_timeout(60)
        .bind(variable("LISTEN").unwrap())?
        .run()
        .await
}
