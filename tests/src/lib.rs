//! What the tests over the wire stand on: a server on a free port, a browser, a store that is watched, and real databases.
#![allow(clippy::unwrap_used)]

pub mod accounts;
pub mod documents;
pub mod engines;
pub mod linearizable;
pub mod pages;
pub mod proofs;
pub mod servers;
pub mod turns;
pub mod wrong_store;

pub use oauth_tests_costs::{
    CHALLENGE, PATIENCE, REDIRECT, SECRET, Server, VERIFIER, flows, free_port, keys, rows, serve, serve_with,
};

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, Responder, get, post, web};
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{AccessToken, Builder, Claims, Client, Clock, Login, OAuthService, require_claim, require_token};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

/// Another one, that it is changed to.
pub const NEW_SECRET: &str = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";

/// The usual configuration: the clients `demo` and `other`, two scopes, two users.
pub fn builder(issuer: &str) -> Builder {
    OAuthService::builder()
        // The programs of the tests have guards about many services.
        .untyped_claims()
        .issuer(issuer)
        .secret(SECRET)
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .client(
            Client::public("other").redirect_uri("https://other.example/cb").redirect_uri("https://other.example/2"),
        )
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        // A busy machine is no reason for a 503.
        .authenticate_timeout(PATIENCE)
        .authenticate(async |login: Login| users(&login))
}

/// `admin`/`admin123` and `user`/`user123`.
pub fn users(login: &Login) -> Option<Value> {
    match (login.username.as_str(), &*login.password) {
        ("admin", "admin123") => {
            Some(json!({ "sub": "admin", "role": "admin", "permissions": ["read", "write", "delete"] }))
        }
        ("user", "user123") => Some(json!({ "sub": "user", "role": "user", "permissions": ["read"] })),
        _ => None,
    }
}

/// Starts a server with the usual handlers and a changed configuration.
pub fn start<S>(change: impl FnOnce(Builder) -> Builder<S>) -> Server {
    start_with(change, |_| {})
}

/// As [`start`], for a configuration that speaks of the issuer.
pub fn start_here<S>(change: impl FnOnce(Builder, &str) -> Builder<S>) -> Server {
    let (listener, base) = free_port();
    serve_service(listener, &change(builder(&base), &base).build().unwrap())
}

/// Serves a service that the test has as well, with the usual handlers.
pub fn serve_service(listener: TcpListener, oauth: &OAuthService) -> Server {
    let oauth = oauth.clone();
    serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    })
}

/// Starts a server with a changed configuration, and more in its `App`.
pub fn start_with<S>(
    change: impl FnOnce(Builder) -> Builder<S>,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let (listener, base) = free_port();
    let oauth = change(builder(&base)).build().unwrap();
    serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers).configure(more.clone());
    })
}

/// The usual guarded handlers.
pub fn handlers(app: &mut ServiceConfig) {
    app.service(me).service(admin).service(notes).service(write).service(shaped).service(stacked).service(open);
}

#[get("/open")]
async fn open() -> impl Responder {
    "open to all"
}

#[require_token]
#[get("/me")]
async fn me(Claims(claims): Claims, token: AccessToken) -> impl Responder {
    HttpResponse::Ok().json(json!({
        "claims": claims,
        "sub": token.subject(),
        "iss": token.issuer(),
        "aud": token.audience().collect::<Vec<_>>(),
        "client_id": token.client_id(),
        "scope": token.scope(),
        "jti": token.id(),
        "lifetime": token.expires_at().since(token.issued_at()).as_secs(),
    }))
}

#[require_claim(role = "admin")]
#[get("/admin")]
async fn admin() -> impl Responder {
    "Admin access granted!"
}

#[require_claim(scope = "notes:read")]
#[get("/notes")]
async fn notes() -> impl Responder {
    "notes"
}

#[require_claim(role = "admin")]
#[post("/write")]
async fn write(body: web::Json<Value>) -> impl Responder {
    body
}

/// A role that is a number: no user has one.
#[derive(serde::Deserialize)]
struct Shape {
    role: u64,
}

#[get("/shaped")]
async fn shaped(Claims(shape): Claims<Shape>) -> impl Responder {
    shape.role.to_string()
}

#[require_token]
#[require_claim(role = "admin")]
#[require_claim(permissions = "read")]
#[get("/stacked")]
async fn stacked(_claims: Claims, _token: AccessToken) -> impl Responder {
    "stacked"
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// Sends a request; an error on the way is the test's failure.
    pub async fn to(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The parameters of the redirect.
    pub fn redirect(&self) -> BTreeMap<String, String> {
        assert_eq!(self.status, 303, "{self:?}");
        url::Url::parse(self.header("location")).unwrap().query_pairs().into_owned().collect()
    }

    /// The sealed request in the form.
    pub fn form(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("{self:?}"));
        rest.split('"').next().unwrap().to_owned()
    }

    /// The parameters of `WWW-Authenticate`, which must be one well-formed Bearer challenge (c27, c29).
    pub fn challenge(&self) -> BTreeMap<String, String> {
        let mut challenges = self.challenges();
        assert_eq!(challenges.len(), 1, "{self:?}");
        let (scheme, parameters) = challenges.remove(0);
        assert_eq!(scheme, "Bearer", "{self:?}");
        parameters
    }

    /// The schemes and parameters of each `WWW-Authenticate`, which must be well-formed.
    pub fn challenges(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let challenges = self.headers.get_all("www-authenticate").iter();
        challenges.map(|challenge| Answer::challenge_in(challenge.to_str().unwrap())).collect()
    }

    fn challenge_in(header: &str) -> (String, BTreeMap<String, String>) {
        let (scheme, mut rest) = header.split_once(' ').unwrap();
        let mut parameters = BTreeMap::new();
        loop {
            let (name, after) = rest.split_once("=\"").unwrap();
            assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            let (value, after) = after.split_once('"').unwrap();
            assert!(value.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{value}");
            assert!(parameters.insert(name.to_owned(), value.to_owned()).is_none(), "{name} is repeated");
            if after.is_empty() {
                return (scheme.to_owned(), parameters);
            }
            rest = after.strip_prefix(", ").unwrap();
        }
    }

    /// Whether it is a page of the server, with the headers of one.
    pub fn is_page(&self) -> bool {
        self.header("content-type").starts_with("text/html")
            && self.header("x-frame-options") == "DENY"
            && self.header("content-security-policy").contains("frame-ancestors 'none'")
            && self.header("referrer-policy") == "no-referrer"
            && self.header("cache-control") == "no-store"
            // It would cut a client's page from the window in which its user signs in.
            && !self.headers.contains_key("cross-origin-opener-policy")
            && !self.headers.contains_key("location")
    }
}

/// Parameters that are changed, added or, with `None`, left out.
pub type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

/// A form, but for the changes.
pub fn changed(usual: &[(&str, &str)], changes: Changes<'_>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in usual {
        if !changes.iter().any(|(changed, _)| changed == name) {
            query.append_pair(name, value);
        }
    }
    for (name, value) in changes {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// The parameters of an authorization request that is good but for the changes.
pub fn authorization_request(changes: Changes<'_>) -> String {
    let usual = [
        ("response_type", "code"),
        ("client_id", "demo"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    changed(&usual, changes)
}

/// What follows no redirect, and says what browsers say of a request that a page of the same origin makes.
pub fn own_page() -> reqwest::ClientBuilder {
    let says = (HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin"));
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .default_headers([says].into_iter().collect())
        .timeout(PATIENCE)
}

/// What a page of the server's makes a browser send, but for cookies: those are the test's own.
pub fn without_cookies() -> reqwest::Client {
    own_page().build().unwrap()
}

/// A browser with its cookies, and the client that it runs.
#[derive(Clone)]
pub struct Browser {
    /// Follows no redirect, keeps cookies.
    pub http: reqwest::Client,
    /// What the server's paths are put behind.
    pub base: String,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(server: &Server) -> Browser {
        Browser::at(&server.base)
    }

    /// The same, for a server at this address. It says what browsers say of a form that they post to where they got it.
    pub fn at(base: &str) -> Browser {
        Browser { http: own_page().cookie_store(true).build().unwrap(), base: base.to_owned() }
    }

    /// Posts as a page of another site makes a browser do it: cookies that are `SameSite=Lax` stay at home.
    pub async fn post_from_elsewhere(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let request = http.post(format!("{}{path}", self.base)).header("sec-fetch-site", "cross-site");
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Goes on to where an answer of the server's own sends it.
    pub async fn follow(&self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 303, "{answer:?}");
        Answer::to(self.http.get(format!("{}{}", self.base, answer.header("location")))).await
    }

    /// Posts the form of the page that asks whether to sign out.
    pub async fn sign_out(&self, form: &str, decision: &str) -> Answer {
        self.post("/logout", changed(&[("request", form), ("decision", decision)], &[])).await
    }

    /// The URL of an authorization request that is good but for the changes.
    pub fn authorize_url(&self, changes: Changes<'_>) -> String {
        format!("{}/authorize?{}", self.base, authorization_request(changes))
    }

    /// Asks for the sign-in page.
    pub async fn authorize(&self, changes: Changes<'_>) -> Answer {
        Answer::to(self.http.get(self.authorize_url(changes))).await
    }

    /// Posts the form of the consent page.
    pub async fn consent(&self, form: &str, decision: &str) -> Answer {
        let fields = [("request", form), ("decision", decision)];
        Answer::to(self.http.post(format!("{}/consent", self.base)).form(&fields)).await
    }

    /// Posts the sign-in form.
    pub async fn login(&self, form: &str, username: &str, password: &str) -> Answer {
        let fields = [("request", form), ("username", username), ("password", password)];
        Answer::to(self.http.post(format!("{}/login", self.base)).form(&fields)).await
    }

    /// Asks for the page and signs in, whether or not a user is signed in.
    pub async fn sign_in(&self, changes: Changes<'_>, username: &str, password: &str) -> Answer {
        let form = self.authorize(&[&[("prompt", Some("login"))], changes].concat()).await.form();
        self.login(&form, username, password).await
    }

    /// A code for the admin.
    pub async fn code(&self) -> String {
        self.code_for("admin").await
    }

    /// A code for a user, whose password is the name and `123`.
    pub async fn code_for(&self, username: &str) -> String {
        self.sign_in(&[], username, &format!("{username}123")).await.redirect()["code"].clone()
    }

    /// The form that redeems a code, but for the changes.
    pub fn token_form(&self, code: &str, changes: Changes<'_>) -> String {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "demo"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        changed(&usual, changes)
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str, changes: Changes<'_>) -> Answer {
        self.post("/token", self.token_form(code, changes)).await
    }

    /// Redeems a code for the admin; the answer has a refresh token where there are any.
    pub async fn issued(&self, changes: Changes<'_>) -> Value {
        let redirect = self.sign_in(changes, "admin", "admin123").await.redirect();
        let answer = self.redeem(&redirect["code"], &[]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, token: &str, changes: Changes<'_>) -> Answer {
        let usual = [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", token)];
        self.post("/token", changed(&usual, changes)).await
    }

    /// Posts a form as it stands.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base));
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Posts a form, with the credentials of a client in the header.
    pub async fn post_as(&self, path: &str, client: &str, secret: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).basic_auth(client, Some(secret));
        Answer::to(request.form(form)).await
    }

    /// An access token for the admin.
    pub async fn token(&self) -> String {
        self.token_for("admin").await
    }

    /// An access token for a user.
    pub async fn token_for(&self, username: &str) -> String {
        let answer = self.redeem(&self.code_for(username).await, &[]).await;
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// Calls a guarded handler.
    pub async fn call(&self, path: &str, token: Option<&str>) -> Answer {
        let request = self.http.get(format!("{}{path}", self.base));
        Answer::to(match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        })
        .await
    }
}

/// How old the store of an [`aged`] service is.
const AGE: Duration = Duration::from_secs(60);

/// A service whose store is some seconds old, as it is but for the first moment: a client's assertion has to be younger.
pub fn aged<S>(builder: Builder<S>) -> Builder<S> {
    // It runs, as clients date by it: a clock that stands still would soon be behind them on a busy machine.
    let behind = Clock::system_ahead_by(-i64::try_from(AGE.as_secs()).unwrap());
    builder.store(MemoryStore::with_clock(behind))
}

/// A memory store of this clock that a test can watch and break.
pub fn watched(clock: Clock) -> FaultyStore {
    FaultyStore::new(MemoryStore::with_clock(clock))
}

/// A store that takes this long to say what it knows of a user.
pub fn slow(delay: Duration) -> FaultyStore {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(&[Verb::Read], Fault::Slow(delay));
    store
}

/// Sends the head of a request and not one byte of its body; the status, if an answer comes within `wait`.
pub fn head_only(server: &Server, head: &str, wait: Duration) -> Option<u16> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(wait)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer[9..]).unwrap().parse().ok()
}
