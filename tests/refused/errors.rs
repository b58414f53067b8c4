//! Every error code of the specifications that this server implements, produced over the wire: docs/errors.md is this
//! table. And how the errors of the library read where a program prints them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use actix_web::web;
use oauth_runtime::states::WithReload;
use oauth_runtime::store::{MemoryStore, StoreError};
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{
    BuildError, Builder, Client, Clock, Keys, Login, OAuthService, SigningKey, require_claim, testing,
};
use oauth_tests::proofs::ProofKey;
use oauth_tests::{Answer, Browser, REDIRECT, SECRET, Server, builder, changed, free_port, handlers, serve};
use serde_json::json;

/// Where an error stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// In the redirect to the client, with `state` and `iss`.
    Redirect,
    /// In a JSON body.
    Json,
    /// In `WWW-Authenticate`, and in the JSON body.
    Challenge,
}
use Place::{Challenge, Json, Redirect};

/// One code of one section.
struct Row {
    section: &'static str,
    code: &'static str,
    /// None: never sent, for this reason.
    got: Result<(Place, u16, Answer), &'static str>,
    when: &'static str,
}

#[require_claim(acr = "strong")]
#[actix_web::get("/strong")]
async fn strong() -> &'static str {
    "strong"
}

fn whole(builder: Builder) -> Builder<WithReload> {
    builder
        .keys(Keys::new(SigningKey::generate().unwrap()))
        .scope("openid", "Know who you are")
        .resource("https://files.example")
        .client(Client::public("fixed").redirect_uri("https://fixed.example/cb"))
        .client(Client::confidential("job").secret(SECRET))
        .client(Client::public("tv").device())
        .registration()
        .client(Client::public("fapi").redirect_uri(REDIRECT).require_pushed_requests())
        .authenticate(async |login: Login| match login.username.as_str() {
            // Claims that no token can carry.
            "broken" => Some(json!({ "iss": "x" })),
            _ => oauth_tests::users(&login),
        })
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
}

/// A store that has no answer to whatever `/authorize` asks.
fn away() -> FaultyStore {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(&[Verb::Read, Verb::Swap], Fault::Unavailable);
    store
}

/// Two servers of one issuer and secret: the second has another store, or other claims.
async fn with_a_session(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Answer, Server) {
    let (listener, base) = free_port();
    let store = FaultyStore::new(MemoryStore::new());
    let good = whole(builder(&base)).store(store.clone()).build().unwrap();
    let other = change(whole(builder(&base)).store(store)).build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(good.routes());
    });
    let (listener, elsewhere) = free_port();
    let _second = serve(listener, move |app| {
        app.configure(other.routes());
    });
    let browser = Browser::new(&server);
    let signed_in = browser.sign_in(&[], "admin", "admin123").await;
    let cookies = signed_in.headers.get_all("set-cookie").iter();
    let cookies: Vec<&str> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let url = browser.authorize_url(&[FIXED, &[STATE]].concat()).replace(&base, &elsewhere);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    (Answer::to(http.get(url).header("cookie", cookies.join("; "))).await, server)
}

const STATE: (&str, Option<&str>) = ("state", Some("s"));
const FIXED: &[(&str, Option<&str>)] =
    &[("client_id", Some("fixed")), ("redirect_uri", Some("https://fixed.example/cb"))];

/// What a device gets that asks at once, again, once its user has denied it, and at last.
async fn of_a_device(browser: &Browser, clock: &Clock) -> [Answer; 4] {
    let device = browser.post("/device_authorization", "client_id=tv").await.json();
    let polls = async || {
        let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        let form = [grant, ("client_id", "tv"), ("device_code", device["device_code"].as_str().unwrap())];
        browser.post("/token", changed(&form, &[])).await
    };
    let (pending, too_soon) = (polls().await, polls().await);
    let page = Answer::to(browser.http.get(device["verification_uri_complete"].as_str().unwrap())).await.form();
    let typed = [("request", page.as_str()), ("user_code", device["user_code"].as_str().unwrap())];
    let page = browser.post("/device", changed(&typed, &[])).await;
    let page = browser.login(&page.form(), "admin", "admin123").await;
    assert_eq!(browser.consent(&page.form(), "deny").await.status, 200);
    let denied = polls().await;
    clock.advance(Duration::from_secs(600));
    [pending, too_soon, denied, polls().await]
}

/// What the second of two windows comes to that are open for one pushed request.
async fn pushed_twice(browser: &Browser) -> Answer {
    let url = browser.authorize_url(&[STATE]);
    let pushed = browser.post("/par", url.split_once('?').unwrap().1.to_owned()).await.json();
    let named = [("client_id", "demo"), ("request_uri", pushed["request_uri"].as_str().unwrap())];
    let url = format!("{}/authorize?{}", browser.base, changed(&named, &[]));
    let [one, other] = [browser.http.get(&url), browser.http.get(&url)].map(Answer::to);
    let (one, other) = (one.await.form(), other.await.form());
    assert!(browser.login(&one, "admin", "admin123").await.redirect().contains_key("code"));
    browser.login(&other, "admin", "admin123").await
}

/// What is answered to a proof that proves nothing, and to one without a nonce: at `/token` and at a guard.
async fn of_proofs() -> [Answer; 4] {
    let (listener, base) = free_port();
    let oauth = builder(&base).dpop_nonces().build().unwrap();
    let key = ProofKey::new();
    let token =
        testing::token(&oauth, &json!({})).subject("ada").claim("cnf", json!({ "jkt": key.thumbprint() })).mint();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    });
    let browser = Browser::new(&server);
    let asks = async |proof: String| {
        let request = browser.http.post(format!("{base}/token")).header("dpop", proof);
        Answer::to(request.form(&[("grant_type", "authorization_code"), ("client_id", "demo")])).await
    };
    let calls = async |proof: String| {
        let request = browser.http.get(format!("{base}/me")).header("authorization", format!("DPoP {token}"));
        Answer::to(request.header("dpop", proof)).await
    };
    let (at_token, at_guard) =
        (key.proof("POST", &format!("{base}/token")), key.proof_with("GET", &format!("{base}/me"), &token));
    [asks("x.y.z".to_owned()).await, calls("x.y.z".to_owned()).await, asks(at_token).await, calls(at_guard).await]
}

async fn rows() -> Vec<Row> {
    let (listener, base) = free_port();
    let clock = Clock::by_hand();
    let oauth: OAuthService = whole(builder(&base)).clock(clock.clone()).build().unwrap();
    let server = serve(listener, move |app: &mut web::ServiceConfig| {
        app.configure(oauth.routes()).configure(handlers).service(strong);
    });
    let fresh = || Browser::new(&server);
    let register = async |json: &'static str| {
        let request =
            fresh().http.post(format!("{}/register", fresh().base)).header("content-type", "application/json");
        Answer::to(request.body(json)).await
    };
    let asked = async |name, value| fresh().authorize(&[STATE, (name, value)]).await;
    let none = ("prompt", Some("none"));
    let browser = fresh();
    let (token, user) = (browser.token().await, fresh().token_for("user").await);
    let denied = {
        let form = fresh().authorize(&[]).await;
        assert_eq!(form.status, 200);
        let browser = fresh();
        let form = browser.authorize(&[STATE]).await.form();
        let fields = [("request", form.as_str()), ("cancel", "cancel")];
        Answer::to(browser.http.post(format!("{base}/login")).form(&fields)).await
    };
    let [pending, too_soon, denied_device, expired] = of_a_device(&fresh(), &clock).await;
    let (unavailable, _server) = with_a_session(|builder| builder.store(away())).await;
    let (failed, _server) =
        with_a_session(|builder| builder.reload(async |_: &str| Some(json!({ "iss": "not for claims" })))).await;
    let post = async |form: &str| fresh().post("/token", form.to_owned()).await;
    let as_job = async |path: &str, form: &[(&str, &str)]| fresh().post_as(path, "job", SECRET, form).await;
    let called = async |path: &str, header: &str| {
        Answer::to(fresh().http.get(format!("{base}{path}")).header("authorization", header)).await
    };
    let code =
        "grant_type=authorization_code&client_id=demo&code=x&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    let [no_proof, no_proof_at_guard, no_nonce, no_nonce_at_guard] = of_proofs().await;
    let row =
        |section, code, place, status, answer, when| Row { section, code, got: Ok((place, status, answer)), when };
    let never = |section, code, why| Row { section, code, got: Err(why), when: "" };
    const A: &str = "RFC 6749 §4.1.2.1";
    const T: &str = "RFC 6749 §5.2";
    const R: &str = "RFC 7591 §3.2.2";
    const D: &str = "RFC 8628 §3.5";
    const G: &str = "RFC 6750 §3.1";
    const O: &str = "OpenID Connect Core §3.1.2.6";
    vec![
        row(A, "invalid_request", Redirect, 303, asked("code_challenge", None).await, "PKCE is missing"),
        never(A, "unauthorized_client", "a client with a redirect URI may use the one response type there is"),
        row(A, "access_denied", Redirect, 303, denied, "the user would not sign in, or denied consent"),
        row(
            A,
            "unsupported_response_type",
            Redirect,
            303,
            asked("response_type", Some("token")).await,
            "it is not `code`",
        ),
        row(
            A,
            "invalid_scope",
            Redirect,
            303,
            asked("scope", Some("unknown")).await,
            "a scope that no `.scope(..)` names",
        ),
        row(A, "server_error", Redirect, 303, failed, "`reload` answered claims that no token can carry"),
        row(A, "temporarily_unavailable", Redirect, 303, unavailable, "the store has no answer"),
        row(T, "invalid_request", Json, 400, post("client_id=demo").await, "`grant_type` is missing"),
        row(
            T,
            "invalid_client",
            Json,
            401,
            fresh().post_as("/token", "job", "wrong", &[("grant_type", "client_credentials")]).await,
            "a wrong secret in the header",
        ),
        row(T, "invalid_grant", Json, 400, post(code).await, "a code that was not issued here"),
        row(
            T,
            "unauthorized_client",
            Json,
            400,
            post("grant_type=client_credentials&client_id=demo").await,
            "a public client in its own name",
        ),
        row(
            T,
            "unsupported_grant_type",
            Json,
            400,
            post("grant_type=password&client_id=demo").await,
            "a grant that is not there",
        ),
        row(
            T,
            "invalid_scope",
            Json,
            400,
            as_job("/token", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await,
            "a scope that is not the client's own",
        ),
        row(G, "invalid_request", Challenge, 400, called("/me", "Bearer a b").await, "the header is malformed"),
        row(G, "invalid_token", Challenge, 401, called("/me", "Bearer x.y.z").await, "it was not signed here"),
        row(
            G,
            "insufficient_scope",
            Challenge,
            403,
            called("/notes", &format!("Bearer {token}")).await,
            "the policy asks for a scope, or for claims",
        ),
        never(
            "RFC 7009 §2.2.1",
            "unsupported_token_type",
            "both kinds of tokens can be revoked, and a hint may be ignored",
        ),
        row(
            "RFC 7009 §2.2.1",
            "invalid_client",
            Json,
            400,
            fresh().post("/revoke", "client_id=nobody&token=x").await,
            "the client is unknown",
        ),
        row(
            "RFC 7009 §2.2.1",
            "invalid_request",
            Json,
            400,
            fresh().post("/revoke", "client_id=demo").await,
            "`token` is missing",
        ),
        row(
            "RFC 7662 §2.3",
            "invalid_client",
            Json,
            401,
            fresh().post("/introspect", "client_id=demo&token=x").await,
            "a public client, which cannot authenticate",
        ),
        row(
            R,
            "invalid_redirect_uri",
            Json,
            400,
            register(r#"{"redirect_uris":["http://evil.example/cb"]}"#).await,
            "one that is neither https nor on loopback",
        ),
        row(
            R,
            "invalid_client_metadata",
            Json,
            400,
            register(r#"{"token_endpoint_auth_method":"tls_client_auth"}"#).await,
            "a method of authentication that is not supported",
        ),
        never(R, "invalid_software_statement", "a software statement is left unread (RFC 7591 §2.3)"),
        row(D, "authorization_pending", Json, 400, pending, "the user has not decided yet"),
        row(D, "slow_down", Json, 400, too_soon, "the device asks again before the interval is over"),
        row(D, "access_denied", Json, 400, denied_device, "the user did not allow it"),
        row(D, "expired_token", Json, 400, expired, "ten minutes have passed"),
        row(
            "RFC 8707 §2",
            "invalid_target",
            Redirect,
            303,
            asked("resource", Some("https://unknown.example")).await,
            "a resource that no `.resource(..)` names",
        ),
        row(
            "RFC 8707 §2",
            "invalid_target",
            Json,
            400,
            as_job("/token", &[("grant_type", "client_credentials"), ("resource", "https://unknown.example")]).await,
            "the same at `/token`",
        ),
        row(
            "RFC 9126 §2.3",
            "invalid_request",
            Json,
            400,
            fresh().post("/par", "client_id=demo&request_uri=x").await,
            "a `request_uri` is pushed",
        ),
        row(
            "RFC 9126 §4",
            "invalid_request",
            Redirect,
            303,
            fresh().authorize(&[("client_id", Some("fapi")), STATE]).await,
            "the request had to be pushed first",
        ),
        row("RFC 9449 §5", "invalid_dpop_proof", Json, 400, no_proof, "the proof proves nothing"),
        row("RFC 9449 §7.1", "invalid_dpop_proof", Challenge, 401, no_proof_at_guard, "the same at a guard"),
        row("RFC 9449 §8", "use_dpop_nonce", Json, 400, no_nonce, "`.dpop_nonces()`, and the proof has none"),
        row("RFC 9449 §9", "use_dpop_nonce", Challenge, 401, no_nonce_at_guard, "the same at a guard"),
        row(
            "RFC 9470 §3",
            "insufficient_user_authentication",
            Challenge,
            401,
            called("/strong", &format!("Bearer {user}")).await,
            "the sign-in is too weak, or too long ago",
        ),
        never(O, "interaction_required", "what could be asked of a signed-in user is consent, which has its own code"),
        row(
            O,
            "login_required",
            Redirect,
            303,
            fresh().authorize(&[STATE, none]).await,
            "`prompt=none`, and no user is signed in well enough",
        ),
        never(O, "account_selection_required", "one account is signed in at a time"),
        row(
            "OpenID Connect Core Unmet Authentication Requirements §1",
            "unmet_authentication_requirements",
            Redirect,
            303,
            fresh().sign_in(&[STATE, ("acr_values", Some("gold"))], "admin", "admin123").await,
            "the user signed in, and in none of the ways of `acr_values`",
        ),
        row(
            O,
            "consent_required",
            Redirect,
            303,
            browser.authorize(&[STATE, none]).await,
            "`prompt=none`, and the user has to be asked",
        ),
        row(
            O,
            "invalid_request_uri",
            Redirect,
            303,
            pushed_twice(&fresh()).await,
            "of what was pushed (RFC 9126) there is a code already",
        ),
        never(O, "invalid_request_object", "`request` is not supported, and refused as that"),
        row(O, "request_not_supported", Redirect, 303, asked("request", Some("x")).await, "`request` is there"),
        row(
            O,
            "request_uri_not_supported",
            Redirect,
            303,
            asked("request_uri", Some("https://a.example/")).await,
            "`request_uri` is there",
        ),
        row(
            O,
            "registration_not_supported",
            Redirect,
            303,
            asked("registration", Some("{}")).await,
            "`registration` is there",
        ),
    ]
}

#[tokio::test]
async fn each_error_of_the_specifications_is_produced_or_never_sent_for_a_reason() {
    let mut table = String::from("| Specification | Code | Where, status | When |\n|---|---|---|---|\n");
    for Row { section, code, got, when } in rows().await {
        let name = format!("{section} {code}");
        let (place, when) = match got {
            Err(why) => ("never sent".to_owned(), why),
            Ok((place, status, answer)) => {
                assert_eq!(answer.status, status, "{name}: {answer:?}");
                let (error, description) = match place {
                    Redirect => {
                        let redirect = answer.redirect();
                        assert_eq!(redirect["state"], "s", "{name}");
                        assert!(redirect.contains_key("iss") && !redirect.contains_key("code"), "{name}: {answer:?}");
                        (redirect["error"].clone(), redirect["error_description"].clone())
                    }
                    Json => {
                        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401, "{name}");
                        let json = answer.json();
                        let text = |name: &str| json[name].as_str().unwrap().to_owned();
                        (text("error"), text("error_description"))
                    }
                    Challenge => {
                        let (_, challenge) = answer.challenges().remove(0);
                        assert_eq!(
                            answer.json()["error"].as_str(),
                            challenge.get("error").map(String::as_str),
                            "{name}"
                        );
                        (challenge["error"].clone(), challenge["error_description"].clone())
                    }
                };
                assert_eq!(error, code, "{name}: {answer:?}");
                assert!(!description.is_empty() && description.is_ascii(), "{name}: {description}");
                let place = match place {
                    Redirect => "redirect",
                    Json => "JSON",
                    Challenge => "`WWW-Authenticate` and JSON",
                };
                (format!("{place}, {status}"), when)
            }
        };
        writeln!(table, "| {section} | `{code}` | {place} | {when} |").unwrap();
    }
    oauth_tests::pages::hold("errors", "errors", &table);
}

#[tokio::test]
async fn nothing_but_these_codes_is_in_the_table_of_all() {
    let (_, errors) = include_str!("../../oauth-runtime/docs/errors.md").split_once("## Every error").unwrap();
    let known: Vec<&str> = rows().await.iter().map(|row| row.code).collect();
    for line in errors.lines().filter(|line| line.starts_with("| `")) {
        let code = line.split('|').nth(1).unwrap();
        for code in code.split(',').map(|code| code.trim().trim_matches('`')) {
            assert!(known.contains(&code), "{code}");
        }
    }
}

#[test]
fn main_shows_what_to_change() {
    let output = Command::new(env!("CARGO_BIN_EXE_short_secret")).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "Error: a secret is plain text, which others could guess: write 32 random bytes in base64, base64url or hex, such \
         as `openssl rand -base64 32` makes; a phrase of your own is .danger_passphrase(..)\n"
    );
}

#[test]
fn a_source_is_in_the_text_and_debug_is_the_text() {
    let built =
        |change: fn(Builder) -> Builder| change(builder("https://notes.example").direct_peers()).build().unwrap_err();
    let errors: [(Box<dyn Error>, bool); 7] = [
        (Box::new(built(|builder| builder.issuer("notes.example"))), true),
        (Box::new(built(|builder| builder.client(Client::public("a").redirect_uri("x://y")))), true),
        (Box::new(built(|builder| builder.client(Client::confidential("a").jwks("{}")))), true),
        (Box::new(built(|builder| builder.accent("blue"))), true),
        (Box::new(StoreError::Unavailable("away".into())), true),
        (Box::new(StoreError::Full), false),
        (Box::new(BuildError::NoIssuer), false),
    ];
    for (error, has_source) in errors {
        assert_eq!(format!("{error:?}"), error.to_string());
        assert_eq!(error.source().is_some(), has_source, "{error}");
        if let Some(source) = error.source() {
            assert!(error.to_string().ends_with(&source.to_string()), "{error}: {source}");
        }
    }
}

/// `Debug` of every public error comes from the one macro that prints the text. Beside it the compiler refuses a derived
/// one.
#[test]
fn no_public_error_has_a_debug_that_hides_its_text() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("oauth-runtime/src"), &mut files);
    let errors: BTreeSet<&str> = files.iter().flat_map(|text| errors(text)).collect();
    let print_text = files.iter().flat_map(|text| text.split("debug_as_text!(").skip(1)).map(name).collect();
    let hide_text: Vec<_> = errors.difference(&print_text).collect();
    assert!(hide_text.is_empty(), "write debug_as_text!(..) below {hide_text:?}");
    for known in ["BuildError", "DiscoveryError", "InvalidColour", "KeyError", "Refusal", "StoreError", "Unsuitable"] {
        assert!(errors.contains(known), "{known} is not found");
    }
}

/// The public types of a file that derive or implement `Error`, or are named like one.
fn errors(text: &str) -> Vec<&str> {
    let items = ["pub enum ", "pub struct "].into_iter().flat_map(|keyword| text.match_indices(keyword));
    let derived = items.filter_map(|(at, keyword)| {
        let attributes = text[..at].rsplit("\n\n").next().unwrap();
        let item = name(&text[at + keyword.len()..]);
        let is_error = attributes.contains("Error)]") || item.ends_with("Error") || item.starts_with("Invalid");
        is_error.then_some(item)
    });
    let implementations = text.lines().filter(|line| line.starts_with("impl"));
    derived
        .chain(implementations.filter_map(|line| line.split_once("Error for ")).map(|(_, item)| name(item)))
        .collect()
}

/// The identifier that a text begins with.
fn name(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap()
}

/// The texts of all Rust files in a directory and below.
fn sources(directory: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}
