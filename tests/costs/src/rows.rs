//! One request, guarded in each of several ways: what the benches measure in one run.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorForbidden, ErrorUnauthorized};
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, Error, FromRequest, HttpRequest, get, test, web};
use actix_web_grants::authorities::AttachAuthorities as _;
use actix_web_grants::protect;
use actix_web_httpauth::extractors::bearer::BearerAuth;
use actix_web_httpauth::middleware::HttpAuthentication;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode};
use oauth_runtime::store::{MemoryStore, Store};
use oauth_runtime::{AccessToken, Builder, Claims, Client, Login, OAuthService, policy, require_claim};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::form;
use crate::{CHALLENGE, PATIENCE, REDIRECT, SECRET, VERIFIER};

/// A way of guarding a handler, or of not doing so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// No guard, and nothing but this handler in the `App`.
    Alone,
    /// No guard; the `App` has the routes of the service, as in all rows below.
    Bare,
    /// Guarded; the token was seen before.
    Hit,
    /// Guarded; no token is ever remembered.
    Miss,
    /// Guarded, on top of it the claims as a type.
    Typed,
    /// Guarded; the token was seen before, and the handler takes its `AccessToken`.
    Token,
    /// The same token and policy, by a middleware around a scope.
    Wrapped,
    /// As [`Row::Hit`], with the handler before the routes of the service in the `App`.
    Before,
    /// Refused: no token is sent.
    None,
    /// Refused: what is sent is no token.
    Garbage,
    /// Refused: a token of this form and these claims, signed by someone else.
    Forged,
    /// Refused by the policy; the token was seen before.
    Refused,
    /// An extractor written by hand with `jsonwebtoken`.
    Hand,
    /// The same, refusing as [`Row::None`] does.
    HandNone,
    /// The same, refusing as [`Row::Garbage`] does.
    HandGarbage,
    /// The same, refusing as [`Row::Forged`] does.
    HandForged,
    /// The same, refusing as [`Row::Refused`] does; no token is ever remembered.
    HandRefused,
    /// `actix-web-grants` on `actix-web-httpauth`.
    Grants,
}

impl Row {
    /// All of them, in the order of a table.
    pub const ALL: [Row; 18] = [
        Row::Alone,
        Row::Bare,
        Row::Hit,
        Row::Miss,
        Row::Typed,
        Row::Token,
        Row::Wrapped,
        Row::Before,
        Row::None,
        Row::Garbage,
        Row::Forged,
        Row::Refused,
        Row::Hand,
        Row::HandNone,
        Row::HandGarbage,
        Row::HandForged,
        Row::HandRefused,
        Row::Grants,
    ];

    /// One word, for command lines.
    pub fn name(self) -> &'static str {
        match self {
            Row::Alone => "alone",
            Row::Bare => "bare",
            Row::Hit => "hit",
            Row::Miss => "miss",
            Row::Typed => "typed",
            Row::Token => "token",
            Row::Wrapped => "wrapped",
            Row::Before => "before",
            Row::None => "none",
            Row::Garbage => "garbage",
            Row::Forged => "forged",
            Row::Refused => "refused",
            Row::Hand => "hand",
            Row::HandNone => "hand-none",
            Row::HandGarbage => "hand-garbage",
            Row::HandForged => "hand-forged",
            Row::HandRefused => "hand-refused",
            Row::Grants => "grants",
        }
    }

    /// For readers of a table.
    pub fn title(self) -> &'static str {
        match self {
            Row::Alone => "bare handler, nothing else in the App",
            Row::Bare => "bare handler",
            Row::Hit => "guarded, hit",
            Row::Miss => "guarded, miss",
            Row::Typed => "guarded, hit, and Claims<User>",
            Row::Token => "guarded, hit, and AccessToken",
            Row::Wrapped => "a scope with .wrap(require), hit",
            Row::Before => "guarded, hit, before the routes of the service",
            Row::None => "guarded, 401: no token",
            Row::Garbage => "guarded, 401: garbage",
            Row::Forged => "guarded, 401: forged",
            Row::Refused => "guarded, 403",
            Row::Hand => "jsonwebtoken by hand",
            Row::HandNone => "jsonwebtoken by hand, 401: no token",
            Row::HandGarbage => "jsonwebtoken by hand, 401: garbage",
            Row::HandForged => "jsonwebtoken by hand, 401: forged",
            Row::HandRefused => "jsonwebtoken by hand, 403",
            Row::Grants => "actix-web-grants",
        }
    }

    /// The row of this name.
    pub fn named(name: &str) -> Option<Row> {
        Row::ALL.into_iter().find(|row| row.name() == name)
    }

    /// The status that the row must answer with, or it measures something else.
    pub fn status(self) -> u16 {
        match self {
            Row::None | Row::Garbage | Row::Forged | Row::HandNone | Row::HandGarbage | Row::HandForged => 401,
            Row::Refused | Row::HandRefused => 403,
            Row::Alone
            | Row::Bare
            | Row::Hit
            | Row::Miss
            | Row::Typed
            | Row::Token
            | Row::Wrapped
            | Row::Before
            | Row::Hand
            | Row::Grants => 200,
        }
    }
}

/// Where every row has its handler.
pub const PATH: &str = "/api/admin";

/// What the rows need: two services, and a token for each row.
#[derive(Clone, Debug)]
pub struct Rows {
    hit: OAuthService,
    miss: OAuthService,
    verifier: Data<Verifier>,
    hit_token: Arc<str>,
    miss_token: Arc<str>,
    foreign_token: Arc<str>,
}

impl Rows {
    /// Builds the services and signs in at each.
    pub async fn new() -> Rows {
        Rows::over(MemoryStore::new()).await
    }

    /// The same; all rows but [`Row::Miss`] are over this store. What it said holds for as long as anything is measured.
    pub async fn over(store: impl Store) -> Rows {
        let hit = service("http://127.0.0.1:8001", |builder| builder.store(store).revocation_lag(PATIENCE));
        let miss = service("http://127.0.0.1:8002", without_cache);
        let hit_token = token_of(&hit).await;
        let miss_token = token_of(&miss).await;
        // The same header and claims to the byte, so that all rows decode the same.
        let message = hit_token.rsplit_once('.').unwrap().0;
        let key = EncodingKey::from_secret(FOREIGN_SECRET);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        let foreign_token = format!("{message}.{signature}").into();
        let verifier = Data::new(Verifier::new("http://127.0.0.1:8001"));
        Rows { hit, miss, verifier, hit_token, miss_token, foreign_token }
    }

    /// The value of `Authorization` that a row is sent, if it is sent any. The bare handlers are sent it too, so that all read
    /// the same.
    pub fn authorization(&self, row: Row) -> Option<HeaderValue> {
        let token = match row {
            // To the extractor written by hand it is the service's token that another key has signed.
            Row::Alone
            | Row::Bare
            | Row::Hit
            | Row::Typed
            | Row::Token
            | Row::Wrapped
            | Row::Before
            | Row::Refused
            | Row::HandForged => &*self.hit_token,
            Row::Miss => &self.miss_token,
            Row::Forged | Row::Hand | Row::HandRefused | Row::Grants => &self.foreign_token,
            Row::Garbage | Row::HandGarbage => "garbage",
            Row::None | Row::HandNone => return None,
        };
        Some(HeaderValue::from_str(&format!("Bearer {token}")).unwrap())
    }

    /// What a row puts into its `App`.
    ///
    /// The routes of the service are in all but [`Row::Alone`], so that a difference between rows is what the guard
    /// costs, and not the longer list of routes.
    pub fn configure(&self, row: Row) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static + use<> {
        let rows = self.clone();
        move |app| {
            match row {
                Row::Alone => {}
                Row::Before => {
                    app.service(admin);
                }
                Row::Miss => {
                    app.configure(rows.miss.routes());
                }
                _ => {
                    app.configure(rows.hit.routes());
                }
            }
            match row {
                Row::Alone | Row::Bare => app.service(bare),
                Row::Hit | Row::Miss | Row::None | Row::Garbage | Row::Forged => app.service(admin),
                Row::Typed => app.service(typed),
                Row::Token => app.service(whose),
                Row::Before => app.configure(rows.hit.routes()),
                Row::Wrapped => app
                    .service(web::scope("/api").wrap(rows.hit.require(policy!(role = "admin"))).service(bare_in_scope)),
                Row::Refused => app.service(auditor),
                Row::Hand | Row::HandNone | Row::HandGarbage | Row::HandForged => {
                    app.app_data(rows.verifier.clone()).service(by_hand)
                }
                Row::HandRefused => app.app_data(rows.verifier.clone()).service(auditor_by_hand),
                Row::Grants => app
                    .app_data(rows.verifier.clone())
                    .service(web::scope("/api").wrap(HttpAuthentication::bearer(validator)).service(protected)),
            };
        }
    }
}

/// Every token is verified anew.
fn without_cache(builder: Builder) -> Builder {
    builder.token_cache(0)
}

/// A service for benches. The issuer is another for each, since two services of one issuer in a process log an error.
pub fn service<S>(issuer: &str, change: impl FnOnce(Builder) -> Builder<S>) -> OAuthService {
    let builder = OAuthService::builder()
        .untyped_claims()
        .issuer(issuer)
        .secret(SECRET)
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .authenticate(async |login: Login| login.username.starts_with("alice").then(|| user(&login.username)));
    change(builder).build().unwrap()
}

pub(crate) fn user(name: &str) -> Value {
    json!({ "sub": name, "role": "admin", "level": 3 })
}

async fn token_of(oauth: &OAuthService) -> Arc<str> {
    let app = test::init_service(App::new().configure(oauth.routes())).await;
    sign_in(&app).await.into()
}

/// From the authorization request to the token, in this process.
pub async fn sign_in<B>(app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>) -> String
where
    B: actix_web::body::MessageBody,
{
    let query = form(&[
        ("response_type", "code"),
        ("client_id", "demo"),
        ("redirect_uri", REDIRECT),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let page = test::call_service(app, test::TestRequest::get().uri(&format!("/authorize?{query}")).to_request()).await;
    let cookie = page.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let html = test::read_body(page).await;
    let html = std::str::from_utf8(&html).unwrap();
    let (_, rest) = html.split_once("name=\"request\" value=\"").unwrap();
    let sealed = rest.split('"').next().unwrap();

    let login = test::TestRequest::post()
        .uri("/login")
        .insert_header((header::COOKIE, cookie))
        .insert_header(("sec-fetch-site", "same-origin"))
        .insert_header(header::ContentType::form_url_encoded())
        .set_payload(form(&[("request", sealed), ("username", "alice"), ("password", "x")]));
    let response = test::call_service(app, login.to_request()).await;
    assert_eq!(response.status(), 303);
    let location = response.headers().get(header::LOCATION).unwrap().to_str().unwrap();
    let location = url::Url::parse(location).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1;

    let redeem = test::TestRequest::post()
        .uri("/token")
        .insert_header(header::ContentType::form_url_encoded())
        .set_payload(form(&[
            ("grant_type", "authorization_code"),
            ("client_id", "demo"),
            ("redirect_uri", REDIRECT),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ]));
    let issued: Value = test::call_and_read_body_json(app, redeem.to_request()).await;
    issued["access_token"].as_str().unwrap().to_owned()
}

#[get("/api/admin")]
async fn bare() -> &'static str {
    "hello"
}

/// Guarded; also what the whole flow of the benches ends at.
#[require_claim(role = "admin")]
#[get("/api/admin")]
pub async fn admin() -> &'static str {
    "hello"
}

#[require_claim(role = "auditor")]
#[get("/api/admin")]
async fn auditor() -> &'static str {
    "hello"
}

#[require_claim(role = "admin")]
#[get("/api/admin")]
async fn whose(token: AccessToken) -> &'static str {
    assert_eq!(token.subject(), "alice");
    "hello"
}

#[get("/admin")]
async fn bare_in_scope() -> &'static str {
    "hello"
}

#[require_claim(role = "admin")]
#[get("/api/admin")]
async fn typed(Typed(user): Typed) -> &'static str {
    assert_eq!(user.level, 3);
    "hello"
}

/// `Claims<User>`, out of sight of the services that all programs with this file in them build: theirs are of other types.
struct Typed(User);

impl FromRequest for Typed {
    type Error = Error;
    type Future = TypedLater;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        TypedLater(Claims::from_request(request, payload))
    }
}

struct TypedLater(<Claims<User> as FromRequest>::Future);

impl Future for TypedLater {
    type Output = Result<Typed, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_ok(|Claims(user)| Typed(user))
    }
}

/// The claims that an application is interested in.
#[derive(Debug, Deserialize)]
struct User {
    #[serde(rename = "sub")]
    _subject: String,
    role: String,
    level: u64,
}

/// Key and rules, made once and kept in the data of the `App`.
struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    fn new(issuer: &str) -> Verifier {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Verifier { key: DecodingKey::from_secret(FOREIGN_SECRET), validation }
    }

    fn user(&self, token: &str) -> Result<User, Error> {
        decode(token, &self.key, &self.validation).map(|data| data.claims).map_err(ErrorUnauthorized)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

struct Bearer(User);

impl FromRequest for Bearer {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let verifier = request.app_data::<Data<Verifier>>().unwrap();
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| ErrorUnauthorized("a bearer token is needed"));
        ready(token.and_then(|token| verifier.user(token)).map(Bearer))
    }
}

#[get("/api/admin")]
async fn by_hand(Bearer(user): Bearer) -> Result<&'static str, Error> {
    if user.role == "admin" { Ok("hello") } else { Err(ErrorForbidden("not for this role")) }
}

#[get("/api/admin")]
async fn auditor_by_hand(Bearer(user): Bearer) -> Result<&'static str, Error> {
    if user.role == "auditor" { Ok("hello") } else { Err(ErrorForbidden("not for this role")) }
}

/// As in the example `jwt-httpauth` of `actix-web-grants`, but key and rules are made once.
async fn validator(
    request: ServiceRequest,
    credentials: BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    let verifier = request.app_data::<Data<Verifier>>().unwrap();
    match verifier.user(credentials.token()) {
        Ok(user) => {
            request.attach([format!("ROLE_{}", user.role.to_ascii_uppercase())]);
            Ok(request)
        }
        Err(error) => Err((error, request)),
    }
}

#[get("/admin")]
#[protect("ROLE_ADMIN")]
async fn protected() -> &'static str {
    "hello"
}

const FOREIGN_SECRET: &[u8] = b"another secret, of as many bytes";
