//! A whole request, as text: method and path, headers, an empty line, the body. A word in braces stands for something real:
//! the sealed `{form}` of a sign-in page and its `{cookie}`, a `{code}`, a `{refresh}` token, an access `{token}`. Whatever
//! comes, the answer is one of the specifications', leads nowhere else, and has no secret in it.
#![no_main]

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::to_bytes;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use actix_web::http::{Method, Uri};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::{AccessToken, Client, OAuthService, require_claim};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

libfuzzer_sys::fuzz_target!(|text: &str| {
    SITE.with_borrow_mut(|site| {
        // What the store has kept of those before would fill the memory in an hour.
        if site.as_ref().is_some_and(|site| site.requests > 20_000) {
            site.take().map(ManuallyDrop::into_inner);
        }
        site.get_or_insert_with(|| ManuallyDrop::new(Site::new())).take(text);
    });
});

thread_local! {
    /// Not dropped at the end of the thread, when what actix-web keeps in others is gone.
    static SITE: RefCell<Option<ManuallyDrop<Site>>> = const { RefCell::new(None) };
}

type Ask = dyn Fn(TestRequest) -> Pin<Box<dyn Future<Output = ServiceResponse>>>;

struct Site {
    runtime: Runtime,
    ask: Box<Ask>,
    /// Each is of an address of its own, and each sign-in of a user: no one is held up.
    requests: u32,
}

#[require_claim(role = "admin")]
#[get("/guarded/{owner}")]
async fn guarded(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

impl Site {
    fn new() -> Site {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let web = Client::confidential("web").secret(CLIENT_SECRET).redirect_uri(REDIRECT).resource_server(ISSUER);
        let oauth = OAuthService::builder()
            .issuer(ISSUER)
            .secret(SECRET)
            .direct_peers()
            .client(Client::public("spa").redirect_uri(REDIRECT))
            .client(web)
            .scope("openid", "Know who you are")
            .scope("notes", "Read your notes")
            .authenticate(async |login| {
                (*login.password == *"x").then(|| json!({ "sub": login.username, "role": "admin" }))
            })
            .reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
            .build()
            .expect("a service");
        let app = runtime.block_on(init_service(App::new().configure(oauth.routes()).service(guarded)));
        let app = Rc::new(app);
        let ask = move |request: TestRequest| -> Pin<Box<dyn Future<Output = ServiceResponse>>> {
            let app = Rc::clone(&app);
            Box::pin(async move { app.call(request.to_request()).await.expect("an answer") })
        };
        Site { runtime, ask: Box::new(ask), requests: 0 }
    }

    fn take(&mut self, text: &str) {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let wants = |name: &str| text.contains(name);
        let mut real = Vec::new();
        if ["{form}", "{cookie}", "{code}", "{refresh}", "{token}"].into_iter().any(wants) {
            self.sign_in(wants("{code}"), wants("{refresh}") || wants("{token}"), &mut real);
        }
        let filled = |text: &str| real.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let mut lines = head.lines();
        let Some((method, path)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
        let Ok(method) = method.parse::<Method>() else { return };
        let Ok(uri) = filled(path).parse::<Uri>() else { return };
        if uri.path_and_query().is_none() || !uri.path().starts_with('/') {
            return;
        }
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.filter_map(|(name, value)| {
            Some((name.parse::<HeaderName>().ok()?, filled(value).parse::<HeaderValue>().ok()?))
        });
        let (headers, sent): (Vec<_>, _) = (headers.collect(), filled(body));
        let mut ask = || {
            let request = self.request().method(method.clone()).uri(&uri.to_string()).set_payload(sent.clone());
            let request = headers.iter().fold(request, |request, header| request.append_header(header.clone()));
            self.asked(request)
        };
        let (answer, body) = ask();
        check(text, &answer, &body);
        check_that_it_was_earned(text, uri.path(), &answer, &body);
        let Some(token) = issued(&answer, &body).filter(|_| !wants("{refresh}")) else { return };
        // OAuth 2.1 §4.1.3: a code is good once, and its tokens end where it comes back
        let (again, twice) = ask();
        assert!(issued(&again, &twice).is_none(), "a code twice: {twice}");
        let use_of_token =
            self.request().uri("/guarded/alice").insert_header(("authorization", format!("Bearer {token}")));
        let (answer, body) = self.asked(use_of_token);
        assert_eq!(answer.status(), 401, "of a code that came back: {body}");
    }

    fn request(&mut self) -> TestRequest {
        self.requests += 1;
        TestRequest::default().peer_addr(SocketAddr::from((Ipv4Addr::from_bits(0x0500_0000 + self.requests), 7)))
    }

    fn asked(&self, request: TestRequest) -> (ServiceResponse<()>, String) {
        let answer = self.runtime.block_on((self.ask)(request));
        let (request, answer) = answer.into_parts();
        let (answer, body) = answer.into_parts();
        let body = self.runtime.block_on(to_bytes(body)).expect("a body");
        (ServiceResponse::new(request, answer), String::from_utf8_lossy(&body).into_owned())
    }

    /// The real things for the words in braces.
    fn sign_in(&mut self, has_code: bool, has_tokens: bool, real: &mut Vec<(&'static str, String)>) {
        let query = format!(
            "response_type=code&client_id=spa&redirect_uri={REDIRECT}&state=s&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let request = self.request().uri(&format!("/authorize?{query}"));
        let (page, html) = self.asked(request);
        let sealed =
            html.split_once("name=\"request\" value=\"").expect("a form").1.split('"').next().unwrap_or_default();
        let cookie = page.headers().get("set-cookie").expect("a cookie").to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default();
        real.extend([("{form}", sealed.to_owned()), ("{cookie}", cookie.to_owned())]);
        if !has_code && !has_tokens {
            return;
        }
        let body = format!("request={sealed}&username=alice{}&password=x", self.requests);
        let request = self.posted("/login", body).insert_header(("cookie", cookie.to_owned()));
        let (answer, html) = self.asked(request.insert_header(("sec-fetch-site", "same-origin")));
        let location = answer.headers().get(LOCATION).unwrap_or_else(|| panic!("{} {html}", answer.status()));
        let location = url::Url::parse(location.to_str().expect("text")).expect("a URL");
        let code = location.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        if !has_tokens {
            return real.push(("{code}", code));
        }
        let body = format!(
            "grant_type=authorization_code&client_id=spa&redirect_uri={REDIRECT}&code={code}&code_verifier={VERIFIER}"
        );
        let request = self.posted("/token", body);
        let tokens: Value = serde_json::from_str(&self.asked(request).1).expect("JSON");
        for (name, member) in [("{token}", "access_token"), ("{refresh}", "refresh_token")] {
            real.push((name, tokens[member].as_str().expect("a token").to_owned()));
        }
    }

    fn posted(&mut self, path: &str, body: String) -> TestRequest {
        let request = self.request().method(Method::POST).uri(path);
        request.insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded")).set_payload(body)
    }
}

fn check(text: &str, answer: &ServiceResponse<()>, body: &str) {
    let status = answer.status().as_u16();
    // RFC 9700 §4.12: 307 and 308 would send a password on
    assert!(STATUS.contains(&status), "{status}: {body}");
    for secret in [SECRET, CLIENT_SECRET] {
        assert!(text.contains(secret) || !body.contains(secret), "a secret: {body}");
        let is_in = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).contains(secret);
        assert!(
            text.contains(secret) || !answer.headers().iter().any(|(_, value)| is_in(value)),
            "a secret in a header"
        );
    }
    let header = |name: HeaderName| answer.headers().get(name).map(|value| value.to_str().expect("ASCII"));
    if let Some(location) = header(LOCATION) {
        // RFC 9700 §4.11: no open redirector
        let base = url::Url::parse(ISSUER).expect("a URL");
        let to = base.join(location).expect("a URL");
        assert!(to.origin() == base.origin() || is_to_client(&to), "{location}");
    }
    if header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")) {
        assert!(header(CONTENT_SECURITY_POLICY).is_some_and(|policy| policy.contains("frame-ancestors 'none'")));
    }
}

/// No guard, no token and no code without the real thing for it.
fn check_that_it_was_earned(text: &str, path: &str, answer: &ServiceResponse<()>, body: &str) {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is_good = answer.status().is_success();
    assert!(!is_good || !path.starts_with("/guarded/") || has(&["{token}"]), "a guard let it in: {body}");
    assert!(issued(answer, body).is_none() || has(&["{code}", "{refresh}"]), "a token for nothing: {body}");
    let location = answer.headers().get(LOCATION).and_then(|location| url::Url::parse(location.to_str().ok()?).ok());
    let has_code = |url: &url::Url| is_to_client(url) && url.query_pairs().any(|(name, _)| name == "code");
    // A password may be written in other ways where something is encoded.
    let signed_in = has(&["{form}"]) && has(&["{cookie}"]) && has(&["password=x", "%"]);
    assert!(signed_in || !location.as_ref().is_some_and(has_code), "a code for nothing: {location:?}");
}

/// The access token of an answer.
fn issued(answer: &ServiceResponse<()>, body: &str) -> Option<String> {
    let json: Value = serde_json::from_str(body).ok().filter(|_| answer.status().is_success())?;
    json["access_token"].as_str().map(str::to_owned)
}

fn is_to_client(url: &url::Url) -> bool {
    let client = url::Url::parse(REDIRECT).expect("a URL");
    url.origin() == client.origin() && url.path() == client.path() && url.username().is_empty()
}

const STATUS: [u16; 16] = [200, 201, 204, 302, 303, 304, 400, 401, 403, 404, 405, 406, 413, 415, 429, 503];
const ISSUER: &str = "https://a.example";
const SECRET: &str = "R/jkJGdch7lRM9q9YGadE1DNWiIIdkBEX9b6rluOm/k=";
const CLIENT_SECRET: &str = "lAE0wTXcvlz57H0bePJO5Z6cZip3hNA4RH3HERD2wu8";
const REDIRECT: &str = "https://app.example/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
