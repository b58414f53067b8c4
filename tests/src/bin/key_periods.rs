//! A service whose clock a request moves: for the tests of client libraries that keep the published keys.
//!
//! `PORT` is where.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use actix_web::{App, HttpServer, Responder, post, web};
use oauth_runtime::{Client, Clock, Login, OAuthService, public};
use oauth_tests::SECRET;
use serde_json::Value;

#[public]
#[post("/advance/{seconds}")]
async fn advance(seconds: web::Path<u64>, clock: web::Data<Clock>) -> impl Responder {
    clock.advance(Duration::from_secs(*seconds));
    clock.now().seconds().to_string()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let clock = Clock::by_hand();
    let oauth = OAuthService::builder()
        .untyped_claims()
        .issuer(format!("http://127.0.0.1:{port}"))
        .secret(SECRET)
        .clock(clock.clone())
        .resource("https://files.example")
        .client(Client::confidential("job").secret(SECRET))
        .authenticate(async |_: Login| None::<Value>)
        .build()
        .unwrap();
    let clock = web::Data::new(clock);
    HttpServer::new(move || App::new().app_data(clock.clone()).configure(oauth.routes()).service(advance))
        .workers(2)
        .bind(("127.0.0.1", port))?
        .run()
        .await
}
