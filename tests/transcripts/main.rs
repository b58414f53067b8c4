//! The exchanges that the documentation shows, made by real requests: what differs from run to run is named, not shown.
//! The configurations that make them are in `shown/`, and each page shows its own, word for word.
//!
//! `PAGES=overwrite cargo test -p oauth-tests --test transcripts` writes both into the pages.
#![allow(clippy::unwrap_used)]

mod shown;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_runtime::{Keys, OAuthService, Secret, SigningKey};
use oauth_tests::{Answer, Browser, SECRET, Server, VERIFIER, free_port, own_page, pages, serve, start};
use reqwest::Method;
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use url::Url;

/// Sends requests, and writes down what went there and back.
struct Recorder {
    browser: Browser,
    text: String,
    /// What to write instead of a value that is another one in each run.
    names: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
}

/// The cookies of a browser that reaches the server by https, as through a proxy: `Secure` ones are kept and sent.
#[derive(Default)]
struct BehindTls(Jar);

impl CookieStore for BehindTls {
    fn set_cookies(&self, cookies: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        self.0.set_cookies(cookies, &https(url));
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        self.0.cookies(&https(url))
    }
}

fn https(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_scheme("https").unwrap();
    url
}

/// What a request has beside its address.
#[derive(Default)]
struct With<'a> {
    form: &'a [(&'a str, &'a str)],
    bearer: Option<&'a str>,
    basic: Option<(&'a str, &'a str)>,
}

impl Recorder {
    fn new(server: &Server) -> Self {
        let http = own_page().cookie_provider(Arc::new(BehindTls::default())).build().unwrap();
        let browser = Browser { http, base: server.base.clone() };
        Recorder { browser, text: String::new(), names: BTreeMap::new(), counts: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, With::default()).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, With { form, ..With::default() }).await
    }

    async fn call(&mut self, path: &str, bearer: &str) -> Answer {
        self.send(Method::GET, path, With { bearer: Some(bearer), ..With::default() }).await
    }

    async fn send(&mut self, method: Method, path: &str, with: With<'_>) -> Answer {
        let mut request = self.browser.http.request(method.clone(), format!("{}{path}", self.browser.base));
        let mut text = format!("{method} {}\n", wrapped(path));
        if let Some(token) = with.bearer {
            request = request.bearer_auth(token);
            writeln!(text, "Authorization: Bearer {token}").unwrap();
        }
        if let Some((id, secret)) = with.basic {
            request = request.basic_auth(id, Some(secret));
            writeln!(text, "Authorization: Basic base64({id}:SECRET)").unwrap();
        }
        if !with.form.is_empty() {
            request = request.form(with.form);
            let fields: Vec<String> = with.form.iter().map(|(name, value)| format!("{name}={value}")).collect();
            // As a browser says of the forms of pages.
            if ["/login", "/consent", "/verify", "/device", "/logout", "/account"].contains(&path) {
                text.push_str("Sec-Fetch-Site: same-origin\n");
            }
            write!(text, "Content-Type: application/x-www-form-urlencoded\n\n{}\n", fields.join("\n&")).unwrap();
        }
        let answer = Answer::to(request).await;
        self.learn(&answer);
        let reason = reqwest::StatusCode::from_u16(answer.status).unwrap().canonical_reason().unwrap_or_default();
        write!(text, "\n{} {reason}\n", answer.status).unwrap();
        for name in ["Location", "Set-Cookie", "WWW-Authenticate", "Cache-Control", "Retry-After"] {
            for value in answer.headers.get_all(name) {
                writeln!(text, "{name}: {}", wrapped(value.to_str().unwrap())).unwrap();
            }
        }
        let kind = answer.header("content-type");
        if kind.starts_with("text/html") {
            let (_, rest) = answer.body.split_once("<title>").unwrap();
            writeln!(text, "\n(the page \"{}\")", rest.split(" ·").next().unwrap()).unwrap();
        } else if kind == "application/json" {
            writeln!(text, "\n{}", pretty(answer.json())).unwrap();
        } else if !answer.body.is_empty() {
            writeln!(text, "\n{}", answer.body).unwrap();
        }
        let text = self.named(&text);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&text);
        answer
    }

    /// Shows what is in a JWT.
    fn decoded(&mut self, what: &str, jwt: &str) {
        let part = |index: usize| -> Value {
            let part = jwt.split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        for id in ["kid", "jti", "gid", "as_of", "sid", "at_hash"] {
            for part in [part(0), part(1)] {
                if let Some(value) = part[id].as_str() {
                    self.names.entry(value.to_owned()).or_insert_with(|| format!("({id})"));
                }
            }
        }
        let both = [part(0), part(1)].map(pretty);
        let text = self.named(&format!("\n{what}:\n{}\n{}\n", both[0], both[1]));
        self.text.push_str(&text);
    }

    fn learn(&mut self, answer: &Answer) {
        let location = answer.header("location").to_owned();
        if let Ok(url) = Url::parse(&location) {
            for (name, value) in url.query_pairs() {
                if name == "code" {
                    self.name("code", &value);
                }
            }
        }
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            // The issuer's hash is the end of it, and before that of a browser's own name.
            let is_browsers = name.contains("-browser-");
            let hashes = if is_browsers { "-12345678-12345678" } else { "-12345678" };
            let own = if is_browsers { "-(8 characters)" } else { "" };
            self.names.insert(name.to_owned(), format!("{}{own}", &name[..name.len() - hashes.len()]));
            if !value.is_empty() {
                self.names.insert(value.to_owned(), "(sealed)".to_owned());
            }
        }
        if answer.header("content-type").starts_with("text/html") && answer.body.contains("name=\"request\"") {
            self.names.insert(answer.form(), "(sealed)".to_owned());
        } else if answer.header("content-type") == "application/json" {
            let json = answer.json();
            for (kind, label) in
                [("access_token", "access token"), ("refresh_token", "refresh token"), ("id_token", "ID token")]
            {
                if let Some(value) = json[kind].as_str() {
                    self.name(label, value);
                }
            }
            for id in ["jti", "sid"] {
                if let Some(value) = json[id].as_str() {
                    self.names.entry(value.to_owned()).or_insert_with(|| format!("({id})"));
                }
            }
            for key in json["keys"].as_array().into_iter().flatten() {
                for member in ["kid", "x", "y"] {
                    self.names.insert(key[member].as_str().unwrap().to_owned(), format!("({member})"));
                }
            }
        }
    }

    fn name(&mut self, what: &'static str, value: &str) {
        let count = self.counts.entry(what).or_default();
        *count += 1;
        self.names.entry(value.to_owned()).or_insert(format!("({what} {count})"));
    }

    /// Longest first, since one value may stand within another.
    fn named(&self, text: &str) -> String {
        let mut values: Vec<_> = self.names.iter().collect();
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let mut text = text.to_owned();
        for (value, name) in values {
            text = text.replace(value.as_str(), name);
        }
        // Times are of now.
        let lines = text.lines().map(|line| match line.trim_start().split_once(": ") {
            Some((name @ ("\"iat\"" | "\"exp\"" | "\"auth_time\""), value))
                if value.starts_with(|it: char| it.is_ascii_digit()) =>
            {
                let indent = &line[..line.len() - line.trim_start().len()];
                format!("{indent}{name}: (seconds){}", if line.ends_with(',') { "," } else { "" })
            }
            _ => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Holds the page to what was written down.
    fn done(&mut self, page: &str, name: &str) {
        let text = std::mem::take(&mut self.text);
        let block = format!("```http\n{}```\n", text.trim_start());
        pages::hold(page, name, &block);
    }

    /// Signs in without writing it down, and answers the token response.
    async fn signed_in(&mut self, changes: &[(&str, Option<&str>)]) -> Value {
        let issued = self.browser.issued(changes).await;
        self.tokens_of(&issued);
        issued
    }

    fn tokens_of(&mut self, issued: &Value) {
        for (kind, label) in
            [("access_token", "access token"), ("refresh_token", "refresh token"), ("id_token", "ID token")]
        {
            if let Some(value) = issued[kind].as_str() {
                self.name(label, value);
            }
        }
    }
}

/// A line for each parameter.
fn wrapped(text: &str) -> String {
    text.replace('&', "\n  &")
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("{name}: {json}"))
}

const AUTHORIZE: &str = "/authorize?response_type=code&client_id=demo&redirect_uri=http%3A%2F%2F127.0.0.1%3A7777%2Fcallback\
    &scope=notes%3Aread&state=xyz&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn redemption(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", code),
        ("redirect_uri", "http://127.0.0.1:7777/callback"),
        ("code_verifier", VERIFIER),
    ]
}

/// Serves an application with the routes of this service, and handlers of a page.
fn application(oauth: OAuthService, handlers: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Server {
    serve(free_port().0, move |app| {
        app.configure(oauth.routes()).configure(handlers.clone());
    })
}

fn keys() -> Keys {
    Keys::new(SigningKey::generate().unwrap())
}

fn no_handlers(_: &mut ServiceConfig) {}

#[test]
fn each_page_shows_the_configuration_of_its_exchanges() {
    for (page, language, text) in shown::SHOWN {
        pages::hold(page, "configuration", &format!("```{language}\n{text}```\n"));
    }
    for page in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/oauth-runtime/docs")).unwrap() {
        let page = page.unwrap().path();
        if page.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let name = page.file_stem().unwrap().to_str().unwrap();
        let has_exchanges = std::fs::read_to_string(&page).unwrap().contains("```http\n");
        assert_eq!(has_exchanges, shown::SHOWN.iter().any(|(shown, ..)| *shown == name), "{name}");
    }
}

#[tokio::test]
async fn sign_in() {
    let server = application(shown::sign_in::oauth().unwrap(), |app| {
        app.service(shown::sign_in::notes);
    });
    let mut wire = Recorder::new(&server);
    let page = wire.get(AUTHORIZE).await;
    let form = page.form();
    let fields = [("request", form.as_str()), ("username", "admin"), ("password", "admin123")];
    let signed_in = wire.post("/login", &fields).await.redirect();
    let issued = wire.post("/token", &redemption(&signed_in["code"])).await.json();
    wire.call("/notes", text(&issued, "access_token")).await;
    wire.done("sign-in", "the whole flow");
    wire.decoded("The access token", text(&issued, "access_token"));
    wire.done("sign-in", "the token");
    wire.post("/token", &redemption(&signed_in["code"])).await;
    wire.call("/notes", text(&issued, "access_token")).await;
    wire.done("sign-in", "a replay");
    wire.get(&AUTHORIZE.replace("&code_challenge_method=S256", "")).await;
    wire.done("sign-in", "an error");
}

#[tokio::test]
async fn refresh() {
    let server = application(shown::refresh::oauth().unwrap(), |app| {
        app.service(shown::refresh::me);
    });
    let mut wire = Recorder::new(&server);
    let issued = wire.signed_in(&[("scope", Some("notes:read"))]).await;
    let refresh = |token| [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", token)];
    let next = wire.post("/token", &refresh(text(&issued, "refresh_token"))).await.json();
    wire.done("refresh", "a refresh");
    let token = text(&next, "refresh_token").to_owned();
    wire.post("/revoke", &[("client_id", "demo"), ("token", &token)]).await;
    wire.post("/token", &refresh(&token)).await;
    wire.call("/me", text(&next, "access_token")).await;
    wire.done("refresh", "a revocation");
}

fn clients_application() -> Server {
    let public_key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let secrets = ["61d610f0653565a89f14cfb8e44a7d40", "016aaf4198d1bf43a26cc7e864232ed4", SECRET].map(Secret::from);
    let oauth = shown::clients::oauth(keys(), public_key, secrets).unwrap();
    application(oauth, |app| {
        app.service(shown::clients::me);
    })
}

#[tokio::test]
async fn clients() {
    let server = clients_application();
    let mut wire = Recorder::new(&server);
    let basic = Some(("job", SECRET));
    let form = [("grant_type", "client_credentials"), ("scope", "notes:read")];
    let issued = wire.send(Method::POST, "/token", With { form: &form, basic, bearer: None }).await.json();
    let form = [("token", text(&issued, "access_token"))];
    wire.send(Method::POST, "/introspect", With { form: &form, basic, bearer: None }).await;
    wire.done("clients", "in its own name");
    let form = [("grant_type", "client_credentials")];
    wire.send(Method::POST, "/token", With { form: &form, basic: Some(("job", "wrong")), bearer: None }).await;
    wire.done("clients", "refused");
}

#[tokio::test]
async fn resources() {
    let server = clients_application();
    let mut wire = Recorder::new(&server);
    let both = [("resource", Some("https://files.example")), ("resource", Some("https://mail.example"))];
    let code = wire.browser.sign_in(&both, "admin", "admin123").await.redirect()["code"].clone();
    let issued = wire.browser.redeem(&code, &[("resource", Some("https://mail.example"))]).await.json();
    wire.tokens_of(&issued);
    let token = text(&issued, "refresh_token");
    let ask = |resource| {
        [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", token), ("resource", resource)]
    };
    let narrow = wire.post("/token", &ask("https://files.example")).await.json();
    wire.decoded("The access token", text(&narrow, "access_token"));
    wire.call("/me", text(&narrow, "access_token")).await;
    wire.post("/token", &ask("https://other.example")).await;
    wire.done("clients", "narrowing");
}

#[tokio::test]
async fn openid() {
    let server = application(shown::openid::oauth(keys(), Secret::from(SECRET)).unwrap(), no_handlers);
    let mut wire = Recorder::new(&server);
    let issued = wire.signed_in(&[("scope", Some("openid email")), ("nonce", Some("n-0S6_WzA2Mj"))]).await;
    wire.decoded("The ID token", text(&issued, "id_token"));
    wire.call("/userinfo", text(&issued, "access_token")).await;
    wire.done("openid", "who it is");
    wire.get("/.well-known/openid-configuration").await;
    wire.get("/.well-known/jwks.json").await;
    wire.done("openid", "discovery");
}

#[tokio::test]
async fn sessions() {
    let server = application(shown::sessions::oauth(keys()).unwrap(), no_handlers);
    let mut wire = Recorder::new(&server);
    let shop = AUTHORIZE
        .replace("client_id=demo", "client_id=shop")
        .replace("http%3A%2F%2F127.0.0.1%3A7777%2Fcallback", "https%3A%2F%2Fshop.example%2Fcb")
        .replace("notes%3Aread", "openid");
    let form = wire.get(&shop).await.form();
    let fields = [("request", form.as_str()), ("username", "admin"), ("password", "admin123")];
    let first = wire.post("/login", &fields).await.redirect();
    wire.text.clear();
    wire.get(&format!("{shop}&prompt=none")).await;
    wire.done("sessions", "signed in already");

    let consent = wire.get(AUTHORIZE).await.form();
    wire.post("/consent", &[("request", &consent), ("decision", "deny")]).await;
    wire.done("sessions", "consent");

    let mut redeem = redemption(&first["code"]);
    redeem[1] = ("client_id", "shop");
    redeem[3] = ("redirect_uri", "https://shop.example/cb");
    let issued = wire.post("/token", &redeem).await.json();
    wire.text.clear();
    let id_token = text(&issued, "id_token");
    wire.get(&format!(
        "/logout?id_token_hint={id_token}&post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye&state=abc"
    ))
    .await;
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", text(&issued, "refresh_token"))];
    wire.post("/token", &refresh).await;
    wire.get(&format!("{shop}&prompt=none")).await;
    wire.done("sessions", "sign-out");
}

#[tokio::test]
async fn second_factor() {
    let server = application(shown::second_factor::oauth().unwrap(), |app| {
        app.service(shown::second_factor::payments);
    });
    let mut wire = Recorder::new(&server);
    let form = wire.browser.authorize(&[("state", Some("xyz"))]).await.form();
    wire.names.insert(form.clone(), "(sealed)".to_owned());
    let asked = wire.post("/login", &[("request", &form), ("username", "Ada"), ("password", "ada123")]).await.form();
    wire.post("/verify", &[("request", &asked), ("answer", "000000")]).await;
    let done = wire.post("/verify", &[("request", &asked), ("answer", "314159")]).await.redirect();
    let issued = wire.browser.redeem(&done["code"], &[]).await.json();
    wire.decoded("The access token", text(&issued, "access_token"));
    wire.done("second-factor", "two steps");
}

#[tokio::test]
async fn resource_server() {
    let idp = start(|builder| builder.keys(keys()).resource("https://api.example"));
    let api = shown::resource_servers::api(&idp.base).await.unwrap();
    let server = serve(free_port().0, move |app| {
        app.configure(api.routes()).service((shown::resource_servers::admin, shown::resource_servers::notes));
    });
    let issued = Browser::new(&idp).issued(&[("resource", Some("https://api.example"))]).await;
    let mut wire = Recorder::new(&server);
    wire.names.insert(idp.base.clone(), "https://idp.example".to_owned());
    wire.name("access token", text(&issued, "access_token"));
    wire.get("/.well-known/oauth-protected-resource").await;
    wire.call("/admin", text(&issued, "access_token")).await;
    wire.call("/notes", text(&issued, "access_token")).await;
    wire.done("resource-servers", "an API");
}

/// With its names sorted, whether serde_json sorts or keeps an order.
fn pretty(mut json: Value) -> String {
    json.sort_all_objects();
    serde_json::to_string_pretty(&json).unwrap()
}
