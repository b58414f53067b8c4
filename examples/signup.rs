//! Sign-up, verified addresses and forgotten passwords over SQLite: `cargo run --example signup`.
//!
//! Nothing is stored of a newcomer until they show that the address is theirs: the mail carries it, sealed. The sign-up then
//! ends the authorization that it began in, and a new password ends all that the old one gave. A stranger makes this server
//! neither hash a password nor send many mails: a hash takes a link, and an address gets three mails an hour.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::error::{ErrorBadRequest, ErrorInternalServerError};
use actix_web::http::header::ContentType;
use actix_web::web::{Data, Form, Query, ServiceConfig, block};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, get, post};
use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use oauth_runtime::store::{SqliteStore, Store};
use oauth_runtime::{AuthTime, Client, Login, OAuthService, Secret, SignIn, public};
use serde::Deserialize;
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
        let tables = "CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, address TEXT NOT NULL UNIQUE, hash TEXT NOT NULL); \
                      CREATE TABLE IF NOT EXISTS mails (address TEXT NOT NULL, at INTEGER NOT NULL)";
        sqlx::raw_sql(tables).execute(&pool).await?;
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

    /// Whether one more mail may go to this address: three within an hour, and this one counts.
    async fn may_mail(&self, address: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("DELETE FROM mails WHERE at <= unixepoch() - 3600").execute(&self.0).await?;
        let count =
            "INSERT INTO mails SELECT ?1, unixepoch() WHERE (SELECT count(*) FROM mails WHERE address = ?1) < 3";
        Ok(sqlx::query(count).bind(address).execute(&self.0).await?.rows_affected() == 1)
    }

    async fn claims(&self, id: &str) -> Result<Option<Value>, sqlx::Error> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT address FROM users WHERE id = ?").bind(id).fetch_optional(&self.0).await?;
        Ok(row.map(|(address,)| json!({ "sub": id, "email": address, "email_verified": true })))
    }

    async fn authenticate(&self, login: Login) -> Result<SignIn<Value>, Error> {
        let address = normalised(&login.username).unwrap_or_default();
        let user = self.find(&address).await.map_err(ErrorInternalServerError)?;
        // An address without a user costs the same time.
        let hash = user.as_ref().map_or(NO_HASH, |user| user.hash.as_str()).to_owned();
        let is_right = is_password(login.password.to_string(), hash).await?;
        let Some(user) = user else { return Ok(SignIn::refused()) };
        match self.claims(&user.id).await.map_err(ErrorInternalServerError)? {
            Some(claims) if is_right => Ok(SignIn::done(claims).amr("pwd")),
            // Failed attempts count for the user, by whichever spelling of the address.
            _ => Ok(SignIn::refused_for(&user.id)),
        }
    }
}

/// An address as it is kept and looked up: one mailbox, in no character that mailers or readers take for another.
fn normalised(address: &str) -> Option<String> {
    let address = address.trim().to_ascii_lowercase();
    let all = |text: &str, more: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || more.contains(it));
    let parts = address.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_one = parts.is_some_and(|(name, host)| all(name, "!#$%&'*+-./=^_{|}~") && all(host, "-."));
    (is_one && address.len() <= 254).then_some(address)
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

/// Where a browser comes from the sign-in page, and what its forms carry along. What is missing is refused like what is wrong,
/// by an answer for people.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Began {
    request: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    request: String,
    address: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    token: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewPassword {
    token: String,
    password: String,
}

#[public]
#[get("/sign-up")]
async fn sign_up_page(oauth: OAuthService, http: HttpRequest, began: Query<Began>) -> Result<HttpResponse, Error> {
    // Only what this server sealed for this browser is opened.
    oauth.pending(&http, &began.request).await?;
    Ok(page("Create an account", &form("/sign-up", &[("request", &began.request)], &[ADDRESS])))
}

#[public]
#[post("/sign-up")]
async fn sign_up(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    mail: Data<Mail>,
    form: Form<Asked>,
) -> Result<HttpResponse, Error> {
    // So that only a browser which came from the sign-in page makes us send mails.
    oauth.pending(&http, &form.request).await?;
    let address = normalised(&form.address).ok_or_else(|| ErrorBadRequest("this is not an address"))?;
    if users.may_mail(&address).await.map_err(ErrorInternalServerError)? {
        let text = match users.find(&address).await.map_err(ErrorInternalServerError)? {
            // The page says the same: only the owner of an address learns whether it has an account.
            Some(_) => "You have an account already. If you forgot its password, ask for a new one.".to_owned(),
            None => {
                let token = oauth.one_time(SIGN_UP, &address, HOUR).with(&form.request).seal().await?;
                format!("Is this your address? {}/confirm?token={token}", oauth.issuer())
            }
        };
        mail.send(&address, &text);
    }
    Ok(page("Look into your mail", "<p>We sent you a link.</p>"))
}

/// Mail scanners open links: this page changes nothing.
#[public]
#[get("/confirm")]
async fn confirm_page(oauth: OAuthService, link: Query<Link>) -> Result<HttpResponse, Error> {
    let newcomer = oauth.open_one_time::<String>(SIGN_UP, &link.token).await?;
    let about = format!("<p>Your address is {}.</p>", escaped(&newcomer.subject));
    Ok(page("Create your account?", &(about + &form("/confirm", &[("token", &link.token)], &[PASSWORD]))))
}

/// The password is chosen here, by the person who reads the mail, and not by the one who typed the address.
#[public]
#[post("/confirm")]
async fn confirm(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    form: Form<NewPassword>,
) -> Result<HttpResponse, Error> {
    let NewPassword { token, password } = form.into_inner();
    check_length(&password)?;
    // Before a hash costs anything: one link is one hash, however often it is sent.
    let newcomer = oauth.redeem_one_time::<String>(SIGN_UP, &token).await?;
    let id = users.insert(&newcomer.subject, &hashed(password).await?).await.map_err(ErrorInternalServerError)?;
    let Some(id) = id else { return Ok(page("You have an account already", "<p>Sign in with it.</p>")) };
    let claims = users.claims(&id).await.map_err(ErrorInternalServerError)?;
    // In the browser that began it, within the hour, the application gets its answer. The mail may be on another device.
    match oauth.pending(&http, &newcomer.payload).await {
        Ok(pending) => {
            let user =
                claims.map_or(SignIn::refused(), |claims| SignIn::done(claims).amr("pwd").shown_as(&newcomer.subject));
            pending.finish(&http, user, AuthTime::Now).await
        }
        Err(_) => Ok(page("Your account is there", "<p>Go back to the application, and sign in.</p>")),
    }
}

#[public]
#[get("/forgot")]
async fn forgot_page(oauth: OAuthService, http: HttpRequest, began: Query<Began>) -> Result<HttpResponse, Error> {
    oauth.pending(&http, &began.request).await?;
    Ok(page("Forgot your password?", &form("/forgot", &[("request", &began.request)], &[ADDRESS])))
}

#[public]
#[post("/forgot")]
async fn forgot(
    oauth: OAuthService,
    http: HttpRequest,
    users: Data<Users>,
    mail: Data<Mail>,
    form: Form<Asked>,
) -> Result<HttpResponse, Error> {
    oauth.pending(&http, &form.request).await?;
    let address = normalised(&form.address).ok_or_else(|| ErrorBadRequest("this is not an address"))?;
    if let Some(user) = users.find(&address).await.map_err(ErrorInternalServerError)?
        && users.may_mail(&address).await.map_err(ErrorInternalServerError)?
    {
        let token = oauth.one_time(RESET, &user.id, HOUR).with(&address).seal().await?;
        mail.send(&address, &format!("Set a new password: {}/reset?token={token}", oauth.issuer()));
    }
    Ok(page("Look into your mail", "<p>If there is such an account, we sent you a link.</p>"))
}

#[public]
#[get("/reset")]
async fn reset_page(oauth: OAuthService, link: Query<Link>) -> Result<HttpResponse, Error> {
    oauth.open_one_time::<String>(RESET, &link.token).await?;
    Ok(page("Set a new password", &form("/reset", &[("token", &link.token)], &[PASSWORD])))
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
    check_length(&password)?;
    let redeemed = oauth.redeem_one_time::<String>(RESET, &token).await?;
    let (subject, address) = (redeemed.subject, redeemed.payload);
    let hash = hashed(password).await?;
    // The old password opens nothing from here on; then all that it gave ends, and other links of this kind; then the new one is
    // there. Where a step fails the user asks for another link: there is never a new password beside a thief's session.
    users.set_hash(&subject, NO_HASH).await.map_err(ErrorInternalServerError)?;
    oauth.sign_out(&subject).await.map_err(ErrorInternalServerError)?;
    users.set_hash(&subject, &hash).await.map_err(ErrorInternalServerError)?;
    let mut answer = page("Your password is new", "<p>Go back to the application, and sign in with it.</p>");
    // The mail was theirs: from this browser they get in, whatever others fail with.
    oauth.know_browser(&http, &mut answer, &subject, &address).await?;
    Ok(answer)
}

fn check_length(password: &str) -> Result<(), Error> {
    let is_good = password.chars().count() >= 8 && password.len() <= 1024;
    if is_good { Ok(()) } else { Err(ErrorBadRequest("a password has 8 to 1024 characters")) }
}

async fn is_password(password: String, hash: String) -> Result<bool, Error> {
    let checked = block(move || {
        let hash = PasswordHash::new(&hash).ok()?;
        Argon2::default().verify_password(password.as_bytes(), &hash).ok()
    });
    Ok(checked.await?.is_some())
}

async fn hashed(password: String) -> Result<String, Error> {
    #[cfg(test)]
    tests::HASHED.lock().expect("no test panics while it holds it").push(password.clone());
    let hash = block(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()));
    hash.await?.map_err(ErrorInternalServerError)
}

const ADDRESS: (&str, &str) = ("address", r#"type="email" autocomplete="email""#);
const PASSWORD: (&str, &str) = ("password", r#"type="password" autocomplete="new-password" minlength="8""#);

fn form(action: &str, hidden: &[(&str, &str)], fields: &[(&str, &str)]) -> String {
    let hidden = hidden
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)));
    let fields = fields
        .iter()
        .map(|(name, kind)| format!("<p><label>{name} <input name=\"{name}\" {kind} required></label></p>"));
    let inputs: String = hidden.chain(fields).collect();
    format!("<form method=\"post\" action=\"{action}\">{inputs}<button>Continue</button></form>")
}

/// The token is in the address of these pages: they tell it to no other site, and no cache keeps them.
fn page(title: &str, body: &str) -> HttpResponse {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><main><h1>{title}</h1>{body}"
    );
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"))
        .body(html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn service(
    origin: &str,
    users: Users,
    store: impl Store,
    secret: impl Into<Secret>,
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

/// The hash of no password that is known: all of it is random.
const NO_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$+VlQ3Jcq4Q04x+iXyaxIAA$qzymc5n4whFnF9TcOR/0YKHcP/egcJhliWKZfo6NB08";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let (origin, secret) = ("http://127.0.0.1:8000", Secret::from_env("OAUTH_SECRET")?);
    let data = Path::new("data/signup");
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)] // its owner's alone: there are hashes of passwords in it
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(data)?;
    let users = Users::open(&data.join("users.db")).await?;
    let oauth = service(origin, users.clone(), SqliteStore::open(data.join("oauth.db")).await?, secret)?;
    let (users, mail) = (Data::new(users), Data::new(Mail::default()));
    HttpServer::new(move || {
        let app = App::new().app_data(users.clone()).app_data(mail.clone());
        app.configure(oauth.routes()).configure(routes)
    })
    .bind(("127.0.0.1", 8000))?
    .run()
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use oauth_runtime::testing::{self, Fault, FaultyStore, Verb};

    use super::*;

    /// The passwords that were hashed.
    pub(super) static HASHED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    const SECRET: &str = "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=";

    struct Running {
        origin: String,
        mail: Mail,
        store: FaultyStore,
        folder: std::path::PathBuf,
    }

    impl Running {
        async fn start(name: &str) -> Running {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            let origin = format!("http://{}", listener.local_addr().expect("its address"));
            let folder = std::env::temp_dir().join(format!("signup-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder");
            let users = Users::open(&folder.join("users.db")).await.expect("users");
            let store = FaultyStore::new(SqliteStore::open(folder.join("oauth.db")).await.expect("a store"));
            let oauth = service(&origin, users.clone(), store.clone(), SECRET).expect("a service");
            let (data, mail) = (Data::new(users), Mail::default());
            let sent = Data::new(mail.clone());
            let server = HttpServer::new(move || {
                let app = App::new().app_data(data.clone()).app_data(sent.clone());
                app.configure(oauth.routes()).configure(routes)
            });
            actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).expect("it listens").run());
            Running { origin, mail, store, folder }
        }

        /// The path in the last mail.
        fn link(&self) -> String {
            let sent = self.mail.0.lock().expect("mails");
            let (_, link) = sent.last().and_then(|text| text.split_once(&self.origin)).expect("a link");
            link.to_owned()
        }

        fn mails(&self) -> usize {
            self.mail.0.lock().expect("mails").len()
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
        let running = Running::start("whole").await;
        let ada = Browser::new(&running);
        let request = ada.request().await;
        assert_eq!(ada.get(&format!("/sign-up?request={request}")).await.0, 200);
        assert_eq!(Browser::new(&running).get(&format!("/sign-up?request={request}")).await.0, 403, "another browser");
        for path in ["/sign-up", "/forgot", "/confirm", "/reset"] {
            let (status, text) = ada.get(path).await;
            assert!(status == 400 && !text.contains("deserialize"), "{path}: {status} {text}");
        }
        let fields = [("request", request.as_str()), ("address", " Ada@Example.com")];
        assert_eq!(ada.post("/sign-up", &fields).await.0, 200);

        // A scanner opens the link, twice; then the user does, and presses the button.
        let link = running.link();
        let token = link.strip_prefix("/confirm?token=").expect("the link of a sign-up");
        for _ in 0..2 {
            assert_eq!(Browser::new(&running).get(&link).await.0, 200);
        }
        let with = |password| [("token", token), ("password", password)];
        assert_eq!(ada.post("/confirm", &with("short")).await.0, 400);
        let (status, place) = ada.post("/confirm", &with("correct horse")).await;
        assert_eq!(status, 303);
        assert!(place.starts_with(&format!("{}/?code=", running.origin)) && place.contains("state=xyz"), "{place}");
        assert_eq!(ada.post("/reset", &with("of another purpose")).await.0, 400);
        // What is sent again costs no hash.
        assert_eq!(ada.post("/confirm", &with("sent once more")).await.0, 400, "once");
        let hashed = HASHED.lock().expect("a list").clone();
        for (password, is_hashed) in [("correct horse", true), ("sent once more", false), ("of another purpose", false)]
        {
            assert_eq!(hashed.iter().any(|it| it == password), is_hashed, "{password}");
        }
        assert_eq!(ada.login("correct horse").await.0, 303);

        // The same page for an address that has an account: only its mail says so.
        let request = ada.request().await;
        let fields = [("request", request.as_str()), ("address", "ADA@example.com")];
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

        // Others guess, from the same network: the browser in which the password was reset is known. On a busy machine the
        // first delays pass between two guesses; each is longer than the one before.
        let mut guesses = Vec::new();
        while guesses.len() < 100 && guesses.last() != Some(&429) {
            guesses.push(Browser::new(&running).login("a guess").await.0);
        }
        assert!(guesses.starts_with(&[401]) && guesses.ends_with(&[429]), "{guesses:?}");
        // Of others one gets through, and then none for a while.
        for _ in 0..3 {
            assert_eq!(known.login("battery staple").await.0, 303);
        }
    }

    /// Signs `ada@example.com` up, and answers the token of a link that sets a new password.
    async fn reset_link(running: &Running, ada: &Browser<'_>) -> String {
        let asked = async |path| {
            let request = ada.request().await;
            assert_eq!(ada.post(path, &[("request", &request), ("address", "ada@example.com")]).await.0, 200);
            running.link().split_once("?token=").expect("a token").1.to_owned()
        };
        let token = asked("/sign-up").await;
        assert_eq!(ada.post("/confirm", &[("token", &token), ("password", "correct horse")]).await.0, 303);
        asked("/forgot").await
    }

    #[actix_web::test]
    async fn a_new_password_is_there_only_once_all_that_the_old_one_gave_has_ended() {
        let running = Running::start("order").await;
        let ada = Browser::new(&running);
        let token = reset_link(&running, &ada).await;
        // The link is spent, and then the store goes away.
        running.store.fail_after(1, &[Verb::Swap], Fault::Unavailable);
        assert_eq!(ada.post("/reset", &[("token", &token), ("password", "battery staple")]).await.0, 500);
        running.store.repair();
        // Nor does one that other examples name.
        for password in ["correct horse", "battery staple", "alice123"] {
            assert_eq!(ada.login(password).await.0, 401, "{password}");
        }
    }

    #[actix_web::test]
    async fn an_address_gets_three_mails_an_hour_and_the_page_says_nothing_of_it() {
        let running = Running::start("mails").await;
        let ada = Browser::new(&running);
        reset_link(&running, &ada).await;
        for path in ["/forgot", "/sign-up", "/forgot"] {
            let request = ada.request().await;
            let typed = [("request", request.as_str()), ("address", "ada@EXAMPLE.com")];
            assert_eq!(ada.post(path, &typed).await.0, 200);
        }
        assert_eq!(running.mails(), 3);
        let request = ada.request().await;
        assert_eq!(ada.post("/sign-up", &[("request", &request), ("address", "bob@example.com")]).await.0, 200);
        assert_eq!(running.mails(), 4);
    }

    #[actix_web::test]
    async fn no_route_is_open_by_oversight() {
        testing::coverage(App::new().configure(routes)).await.assert_closed();
    }
}
