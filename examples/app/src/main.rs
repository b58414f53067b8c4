//! Notes: users who sign up, their roles, and an API, in one program. README.md says how to run it.

mod accounts;
mod api;
mod database;

use std::error::Error;
use std::path::Path;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use oauth_runtime::store::SqliteStore;
use oauth_runtime::{Claims, Client, Login, OAuthService, SignIn, claims};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use utoipa::OpenApi as _;
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

use crate::database::{Database, normalised};

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
    let found = Handle::current().block_on(database.by_address(&address))?;
    // A name without an account costs the same time, so that no one can tell which names have one.
    let no_ones = "$argon2id$v=19$m=19456,t=2,p=1$H2j+9J2Hf4RktzYT9DOOMw$L+Snmjx9keCRoaaFDJhTpk3z1OCH8wMFhYxkM98FdpY";
    let hash = PasswordHash::new(found.as_ref().map_or(no_ones, |(_, hash)| hash));
    let is_right = hash.is_ok_and(|hash| Argon2::default().verify_password(login.password.as_bytes(), &hash).is_ok());
    Ok(match found {
        Some((user, _)) if is_right => SignIn::done(user).amr("pwd"),
        Some((user, _)) => SignIn::refused_for(&user.sub),
        None => SignIn::refused(),
    })
}

/// The service, and what an `App` has but for the documentation.
async fn application(
    origin: &str,
    secret: &str,
    data: &Path,
) -> Result<(OAuthService, impl Fn(&mut ServiceConfig) + Clone + use<>), Box<dyn Error>> {
    std::fs::create_dir_all(data)?;
    let database = Database::open(&data.join("app.db")).await?;
    let (users, again) = (database.clone(), database.clone());
    let oauth = OAuthService::builder()
        .issuer(origin)
        .name("Notes")
        .secret(secret)
        .store(SqliteStore::open(data.join("oauth.db")).await?)
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write notes in your name")
        .client(Client::public("docs").redirect_uri(format!("{origin}/docs/oauth2-redirect.html")))
        .link("Forgot password?", "/account/new")
        .link("Create an account", "/account/new")
        .authenticate_blocking(move |login: Login| authenticate(&users, &login))
        .reload(async move |sub: &str| again.by_sub(sub).await)
        .build()?;
    let (server, database, mail) = (oauth.clone(), Data::new(database), Data::new(accounts::Mail(origin.to_owned())));
    let routes = move |app: &mut ServiceConfig| {
        app.app_data(database.clone()).app_data(mail.clone()).configure(server.routes());
        app.service((accounts::address_form, accounts::send_link, accounts::password_form, accounts::set_password));
        app.service((api::notes, api::add_note));
    };
    Ok((oauth, routes))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let secret = std::env::var("OAUTH_SECRET").map_err(|_| "set OAUTH_SECRET: `openssl rand -base64 32` makes one")?;
    let (origin, data) = (variable("ORIGIN", "http://127.0.0.1:8000"), variable("DATA", "data"));
    let (oauth, routes) = application(&origin, &secret, Path::new(&data)).await?;
    let server = HttpServer::new(move || {
        let client = oauth::Config::new().client_id("docs").use_pkce_with_authorization_code_grant(true);
        let docs = SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", oauth.document(api::Description::openapi()));
        App::new().configure(routes.clone()).service(docs.config(Config::default()).oauth(client))
    });
    Ok(server.bind(("127.0.0.1", variable("PORT", "8000").parse()?))?.run().await?)
}

#[cfg(test)]
#[actix_web::test]
async fn no_route_is_open_by_oversight_and_the_document_says_what_the_guards_do() {
    use {actix_web::test, oauth_runtime::testing};
    let data = std::env::temp_dir().join(format!("notes-app-routes-{}", std::process::id()));
    let made = application("http://127.0.0.1:8000", "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=", &data).await;
    let (oauth, routes) = made.expect("a good configuration");
    let coverage = testing::coverage(App::new().configure(routes.clone())).await;
    coverage.assert_closed();
    coverage.assert_documented(&oauth.document(api::Description::openapi()));
    // For each term of a policy a token that it lets in, and one that it refuses.
    let (app, suite) = (test::init_service(App::new().configure(routes)).await, testing::suite_of("notes"));
    suite.expect("its terms").check(&oauth, &app, || test::TestRequest::get().uri("/api/notes/1")).await;
    std::fs::remove_dir_all(data).expect("the folder is there");
}
