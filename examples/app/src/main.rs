//! Notes: users who sign up, their roles, and an API, in one program. README.md says how to run it.

mod accounts;
mod api;
mod database;

use std::{error::Error, path::Path};

use actix_web::{App, HttpServer, web::Data, web::ServiceConfig};
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use oauth_runtime::{Claims, Client, Login, OAuthService, Secret, SignIn, claims, store::SqliteStore};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use utoipa::OpenApi as _;
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

use crate::database::{Database, NO_PASSWORD, normalised};

/// What tokens say of a user, and guards decide by.
#[derive(Serialize, Deserialize, Claims)]
struct User {
    sub: String,
    email: String,
    role: Role,
}

#[derive(Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
enum Role {
    Member,
    Admin,
}

claims!(User, scope = ["notes:read", "notes:write"]);

/// Runs on a thread of its own, since a password hash is slow on purpose.
fn authenticate(database: &Database, login: &Login) -> Result<SignIn<User>, sqlx::Error> {
    let address = normalised(&login.username).unwrap_or_default();
    let found = Handle::current().block_on(database.find(&address))?;
    // A name without an account costs the same time, so that no one can tell which names have one.
    let hash = PasswordHash::new(found.as_ref().map_or(NO_PASSWORD, |(_, hash)| hash));
    let is_right = hash.is_ok_and(|hash| Argon2::default().verify_password(login.password.as_bytes(), &hash).is_ok());
    Ok(match found {
        Some((user, _)) if is_right => SignIn::done(user).amr("pwd"),
        Some((user, _)) => SignIn::refused_for(&user.sub),
        None => SignIn::refused(),
    })
}

/// With an http origin it is for this machine alone, as in development: the builder takes no other.
async fn service(origin: &str, secret: Secret, data: &Path) -> Result<(OAuthService, Database), Box<dyn Error>> {
    let is_local = origin.starts_with("http://");
    if !is_local {
        return Err("links that open accounts would go to the log: write accounts::mail, and take this out".into());
    }
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)] // its owner's alone: there are hashes of passwords in it
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(data)?;
    let database = Database::open(&data.join("app.db")).await?;
    let (users, again) = (database.clone(), database.clone());
    let builder = OAuthService::builder()
        .issuer(origin)
        .name("Notes")
        .secret(secret)
        .store(SqliteStore::open(data.join("oauth.db")).await?)
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write notes in your name")
        .link("Forgot password?", "/account/new")
        .link("Create an account", "/account/new")
        .authenticate_blocking(move |login: Login| authenticate(&users, &login))
        .reload(async move |sub: &str| Ok::<_, sqlx::Error>(again.find(sub).await?.map(|(user, _)| user)));
    let docs = Client::public("docs").redirect_uri(format!("{origin}/docs/oauth2-redirect.html"));
    Ok((if is_local { builder.client(docs) } else { builder }.build()?, database))
}

/// All that an `App` has.
fn routes(oauth: &OAuthService, database: &Database, app: &mut ServiceConfig) {
    app.app_data(Data::new(database.clone())).configure(oauth.routes()).service((api::notes, api::add_note));
    app.service((accounts::address_form, accounts::send_link, accounts::password_form, accounts::set_password));
    // A script in these pages could do at the service what their reader can: for others, put them on a host of their own.
    if oauth.issuer().starts_with("http://") {
        let client = oauth::Config::new().client_id("docs").use_pkce_with_authorization_code_grant(true);
        let docs = SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", oauth.document(api::Description::openapi()));
        app.service(docs.config(Config::default()).oauth(client));
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (origin, data) = (variable("ORIGIN", "http://127.0.0.1:8000"), variable("DATA", "data"));
    let (oauth, database) = service(&origin, Secret::from_env("OAUTH_SECRET")?, Path::new(&data)).await?;
    let server = HttpServer::new(move || App::new().configure(|app| routes(&oauth, &database, app)));
    Ok(server.bind(("127.0.0.1", variable("PORT", "8000").parse()?))?.run().await?)
}

#[cfg(test)]
#[actix_web::test]
async fn no_route_is_open_by_oversight_and_the_document_says_what_the_guards_do() {
    use {actix_web::test, oauth_runtime::testing};
    let data = std::env::temp_dir().join(format!("notes-app-routes-{}", std::process::id()));
    let secret = || Secret::from("6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=");
    let for_others = service("https://notes.example", secret(), &data).await.err().expect("no mails are sent yet");
    assert!(for_others.to_string().contains("accounts::mail") && !data.exists());
    let (oauth, database) = service("http://127.0.0.1:8000", secret(), &data).await.expect("a good configuration");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&data.metadata().expect("a folder")) & 0o777, 0o700);
    let app = || App::new().configure(|app| routes(&oauth, &database, app));
    let coverage = testing::coverage(app()).await.except(&["/docs/{_:.*}", "/openapi.json"]);
    coverage.assert_closed();
    coverage.assert_documented(&oauth.document(api::Description::openapi()));
    // For each term of a policy a token that it admits, and one that it refuses.
    let (app, suite) = (test::init_service(app()).await, testing::suite_of("notes"));
    suite.expect("its terms").check(&oauth, &app, || test::TestRequest::get().uri("/api/notes/1")).await;
    std::fs::remove_dir_all(data).expect("the folder is there");
}
