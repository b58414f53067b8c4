//! Notes with owners, editors and auditors, each form of a policy once: `cargo run --example policies` prints the map of
//! its policies. What each of them admits and refuses is in the tests at the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::{Data, Json, Path, ServiceConfig, scope};
use actix_web::{App, HttpResponse, HttpServer, Responder, delete, get, post, put};
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use oauth_runtime::{
    AccessToken, Builder, Claims, Client, Login, OAuthService, Policy, Refusal, claims, policy, public, require_claim,
    require_token,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
enum Role {
    Author,
    Editor,
    Auditor,
}

/// What `authenticate` answers, and so what every guard here speaks of.
#[derive(Serialize, Deserialize, Claims)]
struct User {
    sub: String,
    role: Role,
    level: u8,
}

claims!(User, scope = ["notes:write"]);

/// By owner and title.
type Notes = Mutex<BTreeMap<(String, String), Note>>;

#[derive(Clone, Serialize, Deserialize)]
struct Note {
    text: String,
    #[serde(default)]
    embargoed: bool,
    #[serde(skip_deserializing)]
    published: bool,
}

#[public]
#[get("/")]
async fn welcome(notes: Data<Notes>) -> impl Responder {
    let published = open(&notes).values().filter(|note| note.published).count();
    format!("{published} notes to read. Sign in to see more.")
}

#[require_claim(any(sub = path.owner, role = ["editor", "auditor"]))]
#[get("/notes/{owner}")]
async fn list(owner: Path<String>, notes: Data<Notes>) -> impl Responder {
    let notes = open(&notes);
    Json(notes.keys().filter(|(of, _)| *of == *owner).map(|(_, title)| title.clone()).collect::<Vec<_>>())
}

/// The role is the person's, the scope the client's. Who audits writes nothing.
#[require_claim(any(sub = path.owner, role = "editor"), not(role = "auditor"), scope = "notes:write")]
#[put("/notes/{owner}/{title}")]
async fn edit(place: Path<(String, String)>, note: Json<Note>, notes: Data<Notes>) -> impl Responder {
    open(&notes).insert(place.into_inner(), note.into_inner());
    HttpResponse::NoContent().finish()
}

/// A token is not enough for what cannot be undone: the person has signed in just now.
#[require_claim(sub = path.owner, fresh = "5m")]
#[delete("/notes/{owner}/{title}")]
async fn remove(place: Path<(String, String)>, notes: Data<Notes>) -> impl Responder {
    match open(&notes).remove(&place.into_inner()) {
        Some(_) => HttpResponse::NoContent().finish(),
        None => HttpResponse::NotFound().finish(),
    }
}

/// Only the note itself tells who may publish it.
#[require_claim(any(sub = path.owner, role = "editor"))]
#[post("/notes/{owner}/{title}/publish")]
async fn publish(
    place: Path<(String, String)>,
    token: AccessToken,
    notes: Data<Notes>,
) -> Result<HttpResponse, Refusal> {
    let mut notes = open(&notes);
    let Some(note) = notes.get_mut(&place.into_inner()) else { return Ok(HttpResponse::NotFound().finish()) };
    if note.embargoed {
        token.satisfies(policy!(role = "editor"))?;
    }
    note.published = true;
    Ok(HttpResponse::NoContent().finish())
}

#[require_token]
#[get("/me")]
async fn me(Claims(user): Claims<User>) -> impl Responder {
    format!("{}, {:?}", user.sub, user.role)
}

/// Over all of `/audit`.
const AUDITORS: Policy = policy!(User { role: Role::Auditor, .. });

#[require_token]
#[get("/notes")]
async fn count(notes: Data<Notes>) -> impl Responder {
    open(&notes).len().to_string()
}

#[require_claim(User { level: 3.., .. })]
#[get("/withheld")]
async fn withheld(Claims(user): Claims<User>, notes: Data<Notes>) -> impl Responder {
    format!("{}, for {}", open(&notes).values().filter(|note| note.embargoed).count(), user.sub)
}

fn open(notes: &Notes) -> MutexGuard<'_, BTreeMap<(String, String), Note>> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All routes, for the server and for the tests.
fn routes(oauth: &OAuthService, notes: Data<Notes>) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let oauth = oauth.clone();
    move |app| {
        let audit = scope("/audit").service(count).service(withheld).wrap(oauth.require(AUDITORS));
        app.app_data(notes).configure(oauth.routes());
        app.service((welcome, list, edit, remove, publish, me)).service(audit);
    }
}

fn builder(origin: &str) -> Builder {
    OAuthService::builder()
        .issuer(origin)
        .name("Notes")
        .client(Client::public("notes").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:write", "Write and change notes")
        .authenticate_blocking(validate_user)
}

/// Runs on a thread of its own, since a password hash is slow on purpose.
fn validate_user(login: Login) -> Option<User> {
    let known = USERS.iter().find(|(name, ..)| *name == login.username);
    // A name that does not exist costs the same time, so that no one can tell which names do.
    let (_, hash, role, level) = known.unwrap_or(&USERS[0]);
    let hash = PasswordHash::new(hash).ok()?;
    Argon2::default().verify_password(login.password.as_bytes(), &hash).ok()?;
    known.map(|(name, ..)| User { sub: (*name).to_owned(), role: *role, level: *level })
}

/// Name, Argon2 hash (of the name and `123`), role and level.
const USERS: [(&str, &str, Role, u8); 3] = [
    (
        "alice",
        "$argon2id$v=19$m=19456,t=2,p=1$H2j+9J2Hf4RktzYT9DOOMw$L+Snmjx9keCRoaaFDJhTpk3z1OCH8wMFhYxkM98FdpY",
        Role::Author,
        1,
    ),
    (
        "bob",
        "$argon2id$v=19$m=19456,t=2,p=1$3RxyTxt1Waz/HXlhYiAleA$LHojy+RqkeyYQOO5vFCqI0S6jnGdZwCBbQM0smgyspc",
        Role::Editor,
        2,
    ),
    (
        "carol",
        "$argon2id$v=19$m=19456,t=2,p=1$npNhkJ2xbaieJB6n1ZjqSA$Dq+FN2iWltTxtJ0Rij/BDKNanzW53NKcSJ+8uG1lFK8",
        Role::Auditor,
        3,
    ),
];

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8000), |port| port.parse())?;
    let origin = format!("http://127.0.0.1:{port}");
    let (oauth, notes) = (builder(&origin).build()?, Data::new(Notes::default()));
    tracing::info!("open {origin}/, whose policies are\n{}", oauth_runtime::policy_map());
    HttpServer::new(move || App::new().configure(routes(&oauth, notes.clone())))
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::Method;
    use actix_web::test::{TestRequest, call_service, init_service};
    use oauth_runtime::testing;
    use serde_json::json;

    use super::*;

    /// Who may do what changes in that file too, or not at all.
    #[test]
    fn the_policies_are_those_that_were_reviewed() {
        assert_eq!(oauth_runtime::policy_map().snapshot(), include_str!("policies.txt"));
    }

    /// Notes of `alice`, one of them under embargo.
    fn app() -> (OAuthService, impl FnOnce(&mut ServiceConfig)) {
        let oauth = builder("http://127.0.0.1:1").build().expect("a good configuration");
        let note = |embargoed| Note { text: "to be".to_owned(), embargoed, published: false };
        let notes = [("plan", note(false)), ("secret", note(true))];
        let notes = notes.into_iter().map(|(title, note)| (("alice".to_owned(), title.to_owned()), note)).collect();
        let routes = routes(&oauth, Data::new(Mutex::new(notes)));
        (oauth, routes)
    }

    /// Who asks: a user, whom the client lets write (`+w`), or who signed in an hour ago (`-1h`).
    fn header(oauth: &OAuthService, who: &str) -> (&'static str, String) {
        let name = who.trim_end_matches("+w").trim_end_matches("-1h");
        let (role, level) = match name {
            "bob" => (Role::Editor, 2),
            "carol" => (Role::Auditor, 3),
            "erin" => (Role::Auditor, 1),
            _ => (Role::Author, 1),
        };
        let mut token = testing::token(oauth, &User { sub: name.to_owned(), role, level });
        if who.ends_with("+w") {
            token = token.scope("notes:write");
        }
        if who.ends_with("-1h") {
            token = token.signed_in(Duration::from_secs(3600));
        }
        token.header()
    }

    /// A route that leaves its scope, or a scope that loses its policy, changes that file and not the one above.
    #[actix_web::test]
    async fn no_route_is_left_open_and_each_has_the_guards_that_were_reviewed() {
        let (_oauth, routes) = app();
        let coverage = testing::coverage(App::new().configure(routes)).await;
        coverage.assert_closed();
        assert_eq!(coverage.snapshot(), include_str!("routes.txt"));
    }

    /// For each term a token that it admits and one that it refuses, which differ in nothing else.
    #[actix_web::test]
    async fn each_term_decides() {
        let (oauth, routes) = app();
        let app = init_service(App::new().configure(routes)).await;
        for (handler, method, path) in [
            ("list", Method::GET, "/notes/1"),
            ("edit", Method::PUT, "/notes/1/new"),
            ("remove", Method::DELETE, "/notes/1/new"),
            ("publish", Method::POST, "/notes/1/new/publish"),
        ] {
            let suite = testing::suite_of(handler).expect("terms");
            let request = || TestRequest::with_uri(path).method(method.clone()).set_json(json!({ "text": "new" }));
            suite.check(&oauth, &app, request).await;
        }
    }

    #[actix_web::test]
    async fn each_route_lets_in_and_refuses() {
        let (oauth, routes) = app();
        let app = init_service(App::new().configure(routes)).await;
        let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
        for (method, path, who, status) in [
            (&get, "/", "nobody", 200),
            (&get, "/me", "nobody", 401),
            (&get, "/me", "dave", 200),
            (&get, "/notes/alice", "nobody", 401),
            (&get, "/notes/alice", "dave", 403),
            (&get, "/notes/alice", "alice", 200),
            (&get, "/notes/alice", "bob", 200),
            (&get, "/notes/alice", "carol", 200),
            (&put, "/notes/alice/new", "alice", 403),
            (&put, "/notes/alice/new", "dave+w", 403),
            (&put, "/notes/carol/new", "carol+w", 403),
            (&put, "/notes/alice/new", "alice+w", 204),
            (&put, "/notes/alice/new", "bob+w", 204),
            (&post, "/notes/alice/plan/publish", "dave", 403),
            (&post, "/notes/alice/plan/publish", "alice", 204),
            (&post, "/notes/alice/secret/publish", "alice", 403),
            (&post, "/notes/alice/secret/publish", "bob", 204),
            (&delete, "/notes/alice/plan", "bob", 403),
            (&delete, "/notes/alice/plan", "alice-1h", 401),
            (&delete, "/notes/alice/plan", "alice", 204),
            (&delete, "/notes/alice/plan", "alice", 404),
            (&get, "/audit/notes", "nobody", 401),
            (&get, "/audit/notes", "bob", 403),
            (&get, "/audit/notes", "erin", 200),
            (&get, "/audit/withheld", "erin", 403),
            (&get, "/audit/withheld", "carol", 200),
        ] {
            let request = TestRequest::with_uri(path).method(method.clone()).set_json(json!({ "text": "new" }));
            let request = match who {
                "nobody" => request,
                who => request.insert_header(header(&oauth, who)),
            };
            let answer = call_service(&app, request.to_request()).await;
            assert_eq!(answer.status().as_u16(), status, "{who}: {method} {path}");
        }
    }
}
