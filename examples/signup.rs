//! Sign-up, verified addresses and forgotten passwords over SQLite: `cargo run --example signup`.
//!
//! Nothing is stored of a newcomer until they show that the address is theirs: the mail carries it, sealed. The sign-up then
//! ends the authorization that it began in, and a new password ends all that the old one gave.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::error::{ErrorBadRequest, ErrorInternalServerError};
use actix_web::http::header::ContentType;
use actix_web::web::{Data, Form, Query, ServiceConfig, block};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, get, post};
use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use oauth_runtime::store::SqliteStore;
use oauth_runtime::{AuthTime, Client, Login, OAuthService, SignIn, public};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

const HOUR: Duration = Duration::from_secs(3600);
const SIGN_UP: &str = "sign up";
const RESET: &str = "reset password";

/// The users, in a file of their own.
#[derive(Clone)]
struct Users(SqlitePool);

struct User {
    id: String,
    hash: String,
}

impl Users {
    async fn open(file: &Path) -> Result<Users, sqlx::Error> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).create_if_missing(true)).await?;
        // An id that stays when the address changes: it is the `sub` of tokens.
        sqlx::query("CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, address TEXT NOT NULL UNIQUE COLLATE NOCASE, hash TEXT NOT NULL)")
            .execute(&pool)
            .await?;
        Ok(Users(pool))
    }

    async fn find(&self, address: &str) -> Result<Option<User>, sqlx::Error> {
        let row: Option<(String, String)> = sqlx::query_as("SELECT id, hash FROM users WHERE address = ?")
            .bind(address)
            .fetch_optional(&self.0)
            .await?;
        Ok(row.map(|(id, hash)| User { id, hash }))
    }

    /// The id of the new user; none where the address has one by now.
    async fn insert(&self, address: &str, hash: &str) -> Result<Option<String>, sqlx::Error> {
        let row: Option<(String,)> = sqlx::query_as(
            "INSERT INTO users VALUES (lower(hex(randomblob(16))), ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        )
        .bind(address)
        .bind(hash)
        .fetch_optional(&self.0)
        .await?;
        Ok(row.map(|(id,)| id))
    }

    async fn set_hash(&self, id: &str, hash: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE users SET hash = ? WHERE id = ?").bind(hash).bind(id).execute(&self.0).await.map(drop)
    }

    async fn claims(&self, id: &str) -> Result<Option<Value>, sqlx::Error> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT address FROM users WHERE id = ?").bind(id).fetch_optional(&self.0).await?;
        Ok(row.map(|(address,)| json!({ "sub": id, "email": address, "email_verified": true })))
    }

    async fn authenticate(&self, login: Login) -> Result<Option<Value>, Error> {
        let user = self.find(&login.username).await.map_err(ErrorInternalServerError)?;
        // An address without a user costs the same time.
        let hash = user.as_ref().map_or(NO_HASH, |user| user.hash.as_str()).to_owned();
        match (is_password(login.password.to_string(), hash).await?, user) {
            (true, Some(user)) => self.claims(&user.id).await.map_err(ErrorInternalServerError),
            _ => Ok(None),
        }
    }
}

/// Sends mails: here it writes them down.
#[derive(Clone, Default)]
struct Mail(Arc<Mutex<Vec<String>>>);

impl Mail {
    fn send(&self, to: &str, text: &str) {
        tracing::info!("a mail to {to}: {text}");
        if let Ok(mut sent) = self.0.lock() {
            sent.push(text.to_owned());
        }
    }
}

/// Where a browser comes from the sign-in page, and what its forms carry along.
#[derive(Deserialize)]
struct Began {
    request: String,
}

#[derive(Deserialize)]
struct NewUser {
    request: String,
    address: String,
    password: String,
}

/// What the mail of a sign-up carries.
#[derive(Serialize, Deserialize)]
struct Newcomer {
    hash: String,
    request: String,
}

#[derive(Deserialize)]
struct Link {
    token: String,
}

#[public]
#[get("/sign-up")]
async fn sign_up_page(oauth: OAuthService, http: HttpRequest, began: Query<Began>) -> Result<HttpResponse, Error> {
    // Only what this server sealed for this browser is opened.
    oauth.pending(&http, &began.request).await?;
    Ok(page("Create an account", &form("/sign-up", &[("request", &began.request)], &[ADDRESS, PASSWORD])))
}

#[public]
#[post("/sign-up")]
async fn sign_up(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    mail: Data<Mail>,
    form: Form<NewUser>,
) -> Result<HttpResponse, Error> {
    oauth.pending(&http, &form.request).await?;
    let NewUser { request, address, password } = form.into_inner();
    if !address.contains('@') || password.len() < 8 {
        return Err(ErrorBadRequest("an address, and a password of 8 characters or more"));
    }
    let hash = hashed(password).await?;
    let text = match users.find(&address).await.map_err(ErrorInternalServerError)? {
        // The page says the same: whether somebody has an account is only told to them.
        Some(_) => "You have an account already. If you forgot its password, ask for a new one.".to_owned(),
        None => {
            let token = oauth.one_time(SIGN_UP, &address, HOUR).with(Newcomer { hash, request }).seal().await?;
            format!("Is this your address? {}/confirm?token={token}", origin(&http))
        }
    };
    mail.send(&address, &text);
    Ok(page("Look into your mail", "<p>We sent you a link.</p>"))
}

/// Mail scanners open links: this page changes nothing.
#[public]
#[get("/confirm")]
async fn confirm_page(oauth: OAuthService, http: HttpRequest, link: Query<Link>) -> Result<HttpResponse, Error> {
    let newcomer = oauth.open_one_time::<Newcomer>(SIGN_UP, &link.token).await?;
    let about = format!("<p>Your address is {}.</p>", escaped(&newcomer.subject));
    // The person who began this may have typed an address that is not theirs: in another browser, the password says who it is.
    let is_here = oauth.pending(&http, &newcomer.payload.request).await.is_ok();
    let fields: &[(&str, &str)] = if is_here { &[] } else { &[PASSWORD] };
    Ok(page("Create your account?", &(about + &form("/confirm", &[("token", &link.token)], fields))))
}

#[derive(Deserialize)]
struct Confirmed {
    token: String,
    #[serde(default)]
    password: String,
}

#[public]
#[post("/confirm")]
async fn confirm(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    confirmed: Form<Confirmed>,
) -> Result<HttpResponse, Error> {
    let Confirmed { token, password } = confirmed.into_inner();
    let newcomer = oauth.open_one_time::<Newcomer>(SIGN_UP, &token).await?;
    // In the browser that began it, within the hour, the application gets its answer. The mail may be on another device.
    let pending = oauth.pending(&http, &newcomer.payload.request).await;
    if pending.is_err() && !is_password(password, newcomer.payload.hash.clone()).await? {
        return Err(ErrorBadRequest("this is not the password that the account was asked for with"));
    }
    let newcomer = oauth.redeem_one_time::<Newcomer>(SIGN_UP, &token).await?;
    let id = users.insert(&newcomer.subject, &newcomer.payload.hash).await.map_err(ErrorInternalServerError)?;
    let Some(id) = id else { return Ok(page("You have an account already", "<p>Sign in with it.</p>")) };
    let claims = users.claims(&id).await.map_err(ErrorInternalServerError)?;
    match pending {
        Ok(pending) => {
            let user = claims.map_or(SignIn::refused(), |claims| SignIn::done(claims).amr("pwd"));
            pending.finish(&http, user, AuthTime::Now).await
        }
        Err(_) => Ok(page("Your account is there", "<p>Go back to the application, and sign in.</p>")),
    }
}

#[public]
#[get("/forgot")]
async fn forgot_page(began: Query<Began>) -> HttpResponse {
    page("Forgot your password?", &form("/forgot", &[("request", &began.request)], &[ADDRESS]))
}

#[derive(Deserialize)]
struct Forgot {
    request: String,
    address: String,
}

#[public]
#[post("/forgot")]
async fn forgot(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    mail: Data<Mail>,
    form: Form<Forgot>,
) -> Result<HttpResponse, Error> {
    // So that only a browser which came from the sign-in page makes us send mails. Limit them by address as well.
    oauth.pending(&http, &form.request).await?;
    if let Some(user) = users.find(&form.address).await.map_err(ErrorInternalServerError)? {
        let token = oauth.one_time(RESET, &user.id, HOUR).with(&form.address).seal().await?;
        mail.send(&form.address, &format!("Set a new password: {}/reset?token={token}", origin(&http)));
    }
    Ok(page("Look into your mail", "<p>If there is such an account, we sent you a link.</p>"))
}

#[public]
#[get("/reset")]
async fn reset_page(oauth: OAuthService, link: Query<Link>) -> Result<HttpResponse, Error> {
    oauth.open_one_time::<String>(RESET, &link.token).await?;
    Ok(page("Set a new password", &form("/reset", &[("token", &link.token)], &[PASSWORD])))
}

#[derive(Deserialize)]
struct NewPassword {
    token: String,
    password: String,
}

#[public]
#[post("/reset")]
async fn reset(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    form: Form<NewPassword>,
) -> Result<HttpResponse, Error> {
    let NewPassword { token, password } = form.into_inner();
    if password.len() < 8 {
        return Err(ErrorBadRequest("a password of 8 characters or more"));
    }
    // Hashed before the link is spent: what fails until here can be tried again.
    let hash = hashed(password).await?;
    let redeemed = oauth.redeem_one_time::<String>(RESET, &token).await?;
    let (subject, address) = (redeemed.subject, redeemed.payload);
    users.set_hash(&subject, &hash).await.map_err(ErrorInternalServerError)?;
    // A thief of the old password is out: sessions, tokens, and other links of this kind.
    oauth.sign_out(&subject).await.map_err(ErrorInternalServerError)?;
    let mut answer = page("Your password is new", "<p>Go back to the application, and sign in with it.</p>");
    // The mail was theirs: from this browser they get in, whatever others fail with.
    oauth.know_browser(&http, &mut answer, &subject, &address).await?;
    Ok(answer)
}

async fn is_password(password: String, hash: String) -> Result<bool, Error> {
    let checked = block(move || {
        let hash = PasswordHash::new(&hash).ok()?;
        Argon2::default().verify_password(password.as_bytes(), &hash).ok()
    });
    Ok(checked.await?.is_some())
}

async fn hashed(password: String) -> Result<String, Error> {
    let hash = block(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()));
    hash.await?.map_err(ErrorInternalServerError)
}

/// From the configuration, and never from a header: the mail's link leads there.
fn origin(http: &HttpRequest) -> &str {
    http.app_data::<Data<Origin>>().map_or("", |origin| &origin.0)
}

struct Origin(String);

const ADDRESS: (&str, &str) = ("address", "email");
const PASSWORD: (&str, &str) = ("password", "password");

fn form(action: &str, hidden: &[(&str, &str)], fields: &[(&str, &str)]) -> String {
    let hidden = hidden
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)));
    let fields = fields
        .iter()
        .map(|(name, kind)| format!("<p><label>{name} <input name=\"{name}\" type=\"{kind}\" required></label></p>"));
    let inputs: String = hidden.chain(fields).collect();
    format!("<form method=\"post\" action=\"{action}\">{inputs}<button>Continue</button></form>")
}

/// The token is in the address of these pages: they tell it to no other site, and no cache keeps them.
fn page(title: &str, body: &str) -> HttpResponse {
    let html = format!("<!doctype html><html lang=\"en\"><title>{title}</title><h1>{title}</h1>{body}");
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("X-Frame-Options", "DENY"))
        .body(html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn service(
    origin: &str,
    users: Users,
    store: SqliteStore,
    secret: &str,
) -> Result<OAuthService, oauth_runtime::BuildError> {
    let again = users.clone();
    OAuthService::builder()
        .issuer(origin)
        .secret(secret)
        .store(store)
        .client(Client::public("demo").name("Demo").redirect_uri(format!("{origin}/")))
        .link("Forgot password?", "/forgot")
        .link("Create an account", "/sign-up")
        .authenticate(async move |login: Login| users.authenticate(login).await.map_err(|error| error.to_string()))
        .reload(async move |subject: &str| again.claims(subject).await)
        .build()
}

fn routes(app: &mut ServiceConfig) {
    app.service((sign_up_page, sign_up, confirm_page, confirm, forgot_page, forgot, reset_page, reset));
}

/// The hash of a password that nothing is compared with.
const NO_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$H2j+9J2Hf4RktzYT9DOOMw$L+Snmjx9keCRoaaFDJhTpk3z1OCH8wMFhYxkM98FdpY";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let secret = std::env::var("OAUTH_SECRET").map_err(|_| "set OAUTH_SECRET: `openssl rand -base64 32` makes one")?;
    let origin = "http://127.0.0.1:8000";
    let users = Users::open(Path::new("users.db")).await?;
    let oauth = service(origin, users.clone(), SqliteStore::open("oauth.db").await?, &secret)?;
    let (users, mail, origin) = (Data::new(users), Data::new(Mail::default()), Data::new(Origin(origin.to_owned())));
    HttpServer::new(move || {
        let app = App::new().app_data(users.clone()).app_data(mail.clone()).app_data(origin.clone());
        app.configure(oauth.routes()).configure(routes)
    })
    .bind(("127.0.0.1", 8000))?
    .run()
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use oauth_runtime::testing;

    use super::*;

    const SECRET: &str = "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=";

    struct Running {
        origin: String,
        mail: Mail,
        folder: std::path::PathBuf,
    }

    impl Running {
        async fn start() -> Running {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            let origin = format!("http://{}", listener.local_addr().expect("its address"));
            let folder = std::env::temp_dir().join(format!("signup-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder");
            let users = Users::open(&folder.join("users.db")).await.expect("users");
            let store = SqliteStore::open(folder.join("oauth.db")).await.expect("a store");
            let oauth = service(&origin, users.clone(), store, SECRET).expect("a service");
            let (data, mail, at) = (Data::new(users), Mail::default(), Data::new(Origin(origin.clone())));
            let sent = Data::new(mail.clone());
            let server = HttpServer::new(move || {
                let app = App::new().app_data(data.clone()).app_data(sent.clone()).app_data(at.clone());
                app.configure(oauth.routes()).configure(routes)
            });
            actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).expect("it listens").run());
            Running { origin, mail, folder }
        }

        /// The path in the last mail.
        fn link(&self) -> String {
            let sent = self.mail.0.lock().expect("mails");
            let (_, link) = sent.last().and_then(|text| text.split_once(&self.origin)).expect("a link");
            link.to_owned()
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    /// A browser with its cookies.
    struct Browser<'a>(reqwest::Client, &'a Running);

    impl<'a> Browser<'a> {
        fn new(running: &'a Running) -> Self {
            let http = reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none());
            Browser(http.build().expect("a client"), running)
        }

        async fn get(&self, path: &str) -> (u16, String) {
            let answer = self.0.get(format!("{}{path}", self.1.origin)).send().await.expect("an answer");
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        }

        /// Posts a form; the status, and where the browser is sent.
        async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
            let to = self.0.post(format!("{}{path}", self.1.origin)).header("origin", &self.1.origin);
            let sent = to.form(fields).send().await.expect("an answer");
            let place = sent.headers().get("location").map(|value| value.to_str().unwrap_or_default().to_owned());
            (sent.status().as_u16(), place.unwrap_or_default())
        }

        /// The sealed request of a new sign-in page.
        async fn request(&self) -> String {
            let page = self
                .get(&format!(
                    "/authorize?response_type=code&client_id=demo&redirect_uri={}/&state=xyz&prompt=login\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
                    self.1.origin
                ))
                .await
                .1;
            let (_, rest) = page.split_once("/sign-up?request=").expect("the link");
            rest.split('"').next().unwrap_or_default().to_owned()
        }

        async fn login(&self, password: &str) -> (u16, String) {
            let request = self.request().await;
            self.post("/login", &[("request", &request), ("username", "ada@example.com"), ("password", password)]).await
        }
    }

    #[actix_web::test]
    async fn a_newcomer_signs_up_and_sets_a_new_password() {
        let running = Running::start().await;
        let ada = Browser::new(&running);
        let request = ada.request().await;
        assert_eq!(ada.get(&format!("/sign-up?request={request}")).await.0, 200);
        assert_eq!(Browser::new(&running).get(&format!("/sign-up?request={request}")).await.0, 403, "another browser");
        let fields = [("request", request.as_str()), ("address", "ada@example.com"), ("password", "correct horse")];
        assert_eq!(ada.post("/sign-up", &fields).await.0, 200);
        assert_eq!(ada.login("correct horse").await.0, 401, "the address is not verified yet");

        // A scanner opens the link, twice; then the user does, and presses the button.
        let link = running.link();
        let token = link.strip_prefix("/confirm?token=").expect("the link of a sign-up");
        for _ in 0..2 {
            assert_eq!(Browser::new(&running).get(&link).await.0, 200);
        }
        // Another browser has to know the password: else an account would wait for its owner with a stranger's.
        let elsewhere = Browser::new(&running);
        assert!(elsewhere.get(&link).await.1.contains("name=\"password\""));
        assert_eq!(elsewhere.post("/confirm", &[("token", token)]).await.0, 400);
        assert_eq!(elsewhere.post("/confirm", &[("token", token), ("password", "a guess")]).await.0, 400);
        let (status, place) = ada.post("/confirm", &[("token", token)]).await;
        assert_eq!(status, 303);
        assert!(place.starts_with(&format!("{}/?code=", running.origin)) && place.contains("state=xyz"), "{place}");
        assert_eq!(ada.post("/confirm", &[("token", token)]).await.0, 400, "once");
        assert_eq!(ada.post("/reset", &[("token", token), ("password", "of another purpose")]).await.0, 400);
        assert_eq!(ada.login("correct horse").await.0, 303);

        // The same page for an address that has an account: only its mail says so.
        let request = ada.request().await;
        let fields = [("request", request.as_str()), ("address", "ADA@example.com"), ("password", "battery staple")];
        assert_eq!(ada.post("/sign-up", &fields).await.0, 200);
        assert!(running.mail.0.lock().expect("mails").last().is_some_and(|text| text.contains("an account already")));

        let asks = async |address: &str| {
            let request = ada.request().await;
            ada.post("/forgot", &[("request", &request), ("address", address)]).await.0
        };
        assert_eq!((asks("ada@example.com").await, asks("stranger@example.com").await), (200, 200));
        let link = running.link();
        let token = link.strip_prefix("/reset?token=").expect("the link of a reset");
        // The mail may be on another device.
        let known = Browser::new(&running);
        assert_eq!(known.get(&link).await.0, 200);
        assert_eq!(known.post("/reset", &[("token", token), ("password", "short")]).await.0, 400);
        assert_eq!(known.post("/reset", &[("token", token), ("password", "battery staple")]).await.0, 200);
        assert_eq!(ada.post("/reset", &[("token", token), ("password", "another one")]).await.0, 400, "once");
        assert_eq!(ada.login("correct horse").await.0, 401);
        // A sign-in that begins in the second of the sign-out is refused: it is tried again until that is over.
        let mut last = 0;
        for _ in 0..300 {
            last = ada.login("battery staple").await.0;
            if last == 303 {
                break;
            }
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(last, 303);

        // Others guess, from the same network: the browser in which the password was reset is known.
        let mut guesses = Vec::new();
        for _ in 0..12 {
            guesses.push(Browser::new(&running).login("a guess").await.0);
        }
        assert!(guesses.starts_with(&[401]) && guesses.ends_with(&[429]), "{guesses:?}");
        // Of others one gets through, and then none for a while.
        for _ in 0..3 {
            assert_eq!(known.login("battery staple").await.0, 303);
        }
    }

    #[actix_web::test]
    async fn no_route_is_open_by_oversight() {
        testing::coverage(App::new().configure(routes)).await.assert_closed();
    }
}
