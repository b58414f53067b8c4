//! The service that `oauth-runtime/docs/client-spa.md` shows, at the port `PORT`: for the tests in a browser, which put TLS before it.
#![allow(clippy::unwrap_used)]

#[path = "../../how_to/shown/client_spa.rs"]
#[allow(unreachable_pub, reason = "a page shows what an application would write")]
mod client_spa;

use actix_web::{App, HttpServer};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let oauth = client_spa::oauth().unwrap();
    HttpServer::new(move || App::new().configure(oauth.routes()).configure(client_spa::api))
        .workers(2)
        .bind(("127.0.0.1", port))?
        .run()
        .await
}
