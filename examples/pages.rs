//! Pages that the server renders, for users who sign in to the application itself: `cargo run --example pages`.
//!
//! There is no client and no token: the session of the browser opens the pages, and their forms work on this origin alone.

use std::collections::HashMap;

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::web::{Data, Form, Query, scope};
use actix_web::{App, HttpResponse, HttpServer, Responder, get, post};
use oauth_runtime::{Claims, Login, OAuthService, claims, public, require_claim};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

claims!(User);

#[derive(Clone, Serialize, Deserialize, Claims)]
struct User {
    sub: String,
    role: String,
}

/// The notes of each user.
type Notes = Data<Mutex<HashMap<String, Vec<String>>>>;

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

/// A user who is signed in sees their own notes.
#[get("/notes")]
async fn notes(Claims(user): Claims<User>, Query(Search { q }): Query<Search>, kept: Notes) -> impl Responder {
    let kept = kept.lock();
    let found = kept.get(&user.sub).into_iter().flatten().filter(|note| note.contains(&q));
    let found: String = found.map(|note| format!("<li>{}</li>", escape(note))).collect();
    page(&format!(
        r#"<p>You are <b>{}</b>. <a href="/logout">Sign out</a></p>
        <form><label>Find <input name="q" value="{}"></label></form>
        <form method="post"><label>Note <input name="text" required></label> <button>Add</button></form>
        <ul>{found}</ul>"#,
        escape(&user.sub),
        escape(&q)
    ))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[post("/notes")]
async fn add_note(Claims(user): Claims<User>, Form(note): Form<Note>, kept: Notes) -> impl Responder {
    kept.lock().entry(user.sub).or_default().push(note.text);
    HttpResponse::SeeOther().insert_header((LOCATION, "/app/notes")).finish()
}

/// This page is for some of them.
#[require_claim(role = "admin")]
#[get("/users")]
async fn users() -> impl Responder {
    page("<ul><li>ada</li><li>bob</li></ul>")
}

#[public]
#[get("/")]
async fn welcome() -> impl Responder {
    page(r#"<p><a href="/app/notes">Your notes</a></p>"#)
}

fn page(body: &str) -> HttpResponse {
    let html = format!(
        r#"<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Notes</title><main><h1>Notes</h1>{body}</main></html>"#
    );
    HttpResponse::Ok().insert_header(ContentType::html()).body(html)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Look your users up here, and compare a hash: `quickstart` does.
fn user(name: &str) -> Option<User> {
    let role = match name {
        "ada" => "admin",
        "bob" => "user",
        _ => return None,
    };
    Some(User { sub: name.to_owned(), role: role.to_owned() })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8000), |port| port.parse())?;
    let origin = format!("http://127.0.0.1:{port}");
    let oauth = OAuthService::builder()
        .issuer(&origin)
        .name("Notes")
        .authenticate(async |login: Login| {
            user(&login.username).filter(|_| *login.password == *format!("{}123", login.username))
        })
        .reload(async |subject: &str| user(subject))
        .build()?;
    tracing::info!("open {origin}/ and sign in as ada/ada123 or bob/bob123");
    let all = Notes::new(Mutex::default());
    HttpServer::new(move || {
        let pages = scope("/app").wrap(oauth.pages()).service(notes).service(add_note).service(users);
        App::new().app_data(all.clone()).configure(oauth.routes()).service(welcome).service(pages)
    })
    .bind(("127.0.0.1", port))?
    .run()
    .await?;
    Ok(())
}
