//! The access tokens of real issuers, by their documentation, and what is sent in their place.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_runtime::{Clock, Refusal, ResourceServer, ResourceServerBuilder, require_claim, testing};
use oauth_tests::{Answer, Browser, Server, builder, free_port, handlers, serve};
use serde_json::{Value, json};

use crate::clients::KEYS;
use crate::resource_server::{API, Issuer, issuer, signed, token};

#[require_claim(any(
    roles = "admin",
    realm_access.roles = "admin",
    permissions = "admin",
    groups = "admin",
    "cognito:groups" = "admin",
    "urn:zitadel:iam:org:project:roles".admin
))]
#[actix_web::get("/role")]
async fn role() -> &'static str {
    "admin"
}

/// One that signs by RS256 as all of these do.
fn of_rsa() -> Issuer {
    let issuer = issuer();
    issuer.keys.lock()["keys"] = json!([KEYS[2].public, KEYS[1].public]);
    issuer
}

async fn api(
    issuer: &Issuer,
    audience: &str,
    change: impl Fn(ResourceServerBuilder) -> ResourceServerBuilder,
) -> (Server, Browser) {
    let builder = ResourceServer::discover(&issuer.server.base).audience(audience).danger_explain_refusals();
    let api = change(builder).build().await.unwrap();
    let server = serve(free_port().0, move |app| {
        app.configure(api.routes()).configure(handlers).service(role);
    });
    let browser = Browser::new(&server);
    (server, browser)
}

/// What an issuer documents.
struct Row {
    issuer: &'static str,
    typ: Option<&'static str>,
    /// But for `iss` and the times.
    claims: Value,
    audience: &'static str,
    /// Whether its tokens need [`ResourceServerBuilder::danger_accept_type`].
    needs_type: bool,
    without_audience: Option<&'static str>,
    subject: &'static str,
    client: &'static str,
    scope: &'static str,
}

impl Row {
    fn builder(&self, with_type: bool, with_audience: bool, builder: ResourceServerBuilder) -> ResourceServerBuilder {
        let builder = if with_type { builder.danger_accept_type("JWT") } else { builder };
        match self.without_audience.filter(|_| with_audience) {
            Some(client) => builder.danger_without_audience([client]),
            None => builder,
        }
    }
}

const ENTRA_API: &str = "8ebbea06-f01e-4f94-8254-32da2e94c240";
const ENTRA_APP: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const ZITADEL_PROJECT: &str = "344374183645413380";

fn keycloak_claims() -> Value {
    json!({ "jti": "onrtac:9c4e", "aud": [API, "account"], "sub": "f1c4f64e", "typ": "Bearer", "azp": "spa", "sid": "4c0a",
        "acr": "1", "allowed-origins": ["https://spa.example"], "realm_access": { "roles": ["offline_access", "admin"] },
        "resource_access": { "account": { "roles": ["view-profile"] } }, "scope": "openid profile notes:read",
        "email_verified": true, "preferred_username": "ada" })
}

fn auth0_claims() -> Value {
    json!({ "sub": "auth0|123456", "aud": [API, "https://tenant.auth0.example/userinfo"], "azp": "my_client_id",
        "scope": "openid notes:read", "permissions": ["admin"], "gty": "password" })
}

fn cognito_claims() -> Value {
    json!({ "sub": "aaaaaaaa-bbbb", "cognito:groups": ["admin"], "version": 2, "client_id": "7gdexample", "origin_jti": "o",
        "token_use": "access", "scope": "notes:read", "auth_time": 1_735_560_930, "jti": "j", "username": "ada" })
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let keycloak_typed = || { let mut claims = keycloak_claims(); claims["aud"] = json!(API); claims };
    let mut auth0_9068 = auth0_claims();
    for (name, value) in [("client_id", json!("my_client_id")), ("jti", json!("73Wakr")), ("azp", json!(null)), ("gty", json!(null))] {
        auth0_9068[name] = value;
    }
    let row = |issuer, typ, claims, audience, subject, client, scope| Row {
        issuer, typ, claims, audience, needs_type: typ != Some("at+jwt"), without_audience: None, subject, client, scope,
    };
    vec![
        // Keycloak: Server Administration Guide, "Client scopes" and "Audience support"; at+jwt is a client's setting.
        row("Keycloak", Some("JWT"), keycloak_claims(), API, "f1c4f64e", "spa", "notes:read openid profile"),
        row("Keycloak, at+jwt", Some("at+jwt"), keycloak_typed(), API, "f1c4f64e", "spa", "notes:read openid profile"),
        // Keycloak before 25 wrote the nonce into access tokens as well.
        row("Keycloak 24", Some("JWT"), { let mut claims = keycloak_claims(); claims["nonce"] = json!("n"); claims },
            API, "f1c4f64e", "spa", "notes:read openid profile"),
        // Microsoft Entra: "Access token claims reference".
        row("Entra v2.0", Some("JWT"), json!({ "aud": ENTRA_API, "nbf": 1, "aio": "AWQA", "azp": ENTRA_APP, "azpacr": "0",
            "name": "Ada", "oid": "bf6c3c10", "preferred_username": "ada@example.com", "rh": "0.ATAA", "roles": ["admin"],
            "scp": "access_as_user notes:read", "sub": "MiVyAiU0", "tid": "4b1fa0f3", "uti": "Ats0cwbTrk6D", "ver": "2.0" }),
            ENTRA_API, "MiVyAiU0", ENTRA_APP, "access_as_user notes:read"),
        // Its documented example: a single-page application that asks for its own API.
        row("Entra v2.0, own API", Some("JWT"), json!({ "aud": ENTRA_APP, "azp": ENTRA_APP, "azpacr": "0", "roles": ["admin"],
            "scp": "notes:read", "sub": "HKZpfaHy", "tid": "72f988bf", "uti": "fqiBqXLP", "ver": "2.0" }),
            ENTRA_APP, "HKZpfaHy", ENTRA_APP, "notes:read"),
        row("Entra v2.0, a daemon", Some("JWT"), json!({ "aud": ENTRA_API, "azp": ENTRA_APP, "azpacr": "2", "oid": "93a93e43",
            "roles": ["admin", "notes:read"], "sub": "93a93e43", "tid": "14bc2ff7", "uti": "2oWKKcZV", "ver": "2.0" }),
            ENTRA_API, "93a93e43", ENTRA_APP, ""),
        row("Entra v1.0", Some("JWT"), json!({ "aud": "api://notes", "acr": "1", "aio": "AUQA", "amr": ["pwd"],
            "appid": ENTRA_APP, "appidacr": "0", "ipaddr": "192.0.2.1", "oid": "e2", "roles": ["admin"], "scp": "notes:read",
            "sub": "6ovd", "tid": "df84", "unique_name": "ada@example.com", "uti": "P8", "ver": "1.0" }),
            "api://notes", "6ovd", ENTRA_APP, "notes:read"),
        // Auth0: "Access token profiles".
        row("Auth0", Some("JWT"), auth0_claims(), API, "auth0|123456", "my_client_id", "notes:read openid"),
        row("Auth0, RFC 9068", Some("at+jwt"), auth0_9068, API, "auth0|123456", "my_client_id", "notes:read openid"),
        row("Auth0, a machine", Some("JWT"), json!({ "sub": "awZf@clients", "aud": API, "azp": "awZf", "scope": "notes:read",
            "gty": "client-credentials", "permissions": ["admin"] }), API, "awZf@clients", "awZf", "notes:read"),
        // Okta: "OpenID Connect & OAuth 2.0 API", "Access token": the header has no typ.
        row("Okta", None, json!({ "ver": 1, "jti": "AT.Hk8l", "aud": "api://default", "cid": "0oahpnkb", "uid": "00ue9mlz",
            "scp": ["openid", "notes:read"], "auth_time": 1_688_145_909, "sub": "ada@example.com", "groups": ["Everyone", "admin"] }),
            "api://default", "ada@example.com", "0oahpnkb", "notes:read openid"),
        row("Okta, a machine", None, json!({ "ver": 1, "jti": "AT.EmHC", "aud": "api://default", "cid": "0oa8acv8",
            "scp": ["notes:read"], "sub": "0oa8acv8", "groups": ["admin"] }), "api://default", "0oa8acv8", "0oa8acv8", "notes:read"),
        // Cognito: "Understanding the access token": neither a typ nor an aud.
        Row { without_audience: Some("7gdexample"),
            ..row("Cognito", None, cognito_claims(), API, "aaaaaaaa-bbbb", "7gdexample", "notes:read") },
        // Cognito, resource binding (RFC 8707).
        row("Cognito, bound to a resource", None, { let mut claims = cognito_claims(); claims["aud"] = json!(API); claims },
            API, "aaaaaaaa-bbbb", "7gdexample", "notes:read"),
        // Zitadel: "Claims in ZITADEL": a project's id is the audience; no scope is written.
        row("Zitadel", Some("JWT"), json!({ "aud": ["324@notes", ZITADEL_PROJECT], "sub": "345377791925026818", "jti": "V2_1",
            "nbf": 1, "client_id": "324@notes", "urn:zitadel:iam:org:project:roles": { "admin": { "34437390": "org.example" } } }),
            ZITADEL_PROJECT, "345377791925026818", "324@notes", ""),
        // Duende IdentityServer: "Access tokens": scope as a list.
        row("Duende", Some("at+jwt"), json!({ "aud": API, "client_id": "web", "sub": "1", "sid": "S", "jti": "J", "amr": ["pwd"],
            "idp": "local", "scope": ["openid", "notes:read"], "roles": "admin" }), API, "1", "web", "notes:read openid"),
        // Ory Hydra: scp as a list, the author's claims in `ext`.
        row("Ory Hydra", Some("JWT"), json!({ "aud": [API], "client_id": "web", "sub": "ada", "jti": "j", "nbf": 1, "ext": {},
            "scp": ["openid", "notes:read"], "roles": ["admin"] }), API, "ada", "web", "notes:read openid"),
    ]
}

fn timed(issuer: &Issuer, claims: &Value) -> Value {
    let now = Clock::system().now().seconds();
    let mut claims = claims.clone();
    claims["iss"] = json!(issuer.server.base);
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 300);
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// 401 with this text, which names the reason.
fn refused(answer: &Answer, text: &str, what: &str) {
    assert_eq!((answer.status, answer.challenge()["error"].as_str()), (401, "invalid_token"), "{what}: {answer:?}");
    assert!(answer.json()["error_description"].as_str().unwrap().contains(text), "{what}: {answer:?}");
}

const NOT_TYPED: &str = "its type is not at+jwt";
const NOT_ACCESS: &str = "its claims are those of an ID token or another JWT";
const NOT_FOR_THIS: &str = "another audience";

#[tokio::test]
async fn c26_the_access_tokens_of_real_issuers_are_read_as_documented() {
    let issuer = of_rsa();
    for row in rows() {
        let name = row.issuer;
        let claims = timed(&issuer, &row.claims);
        let token = signed(2, json!({ "typ": row.typ }), &claims);
        let (_server, browser) = api(&issuer, row.audience, |it| row.builder(row.needs_type, true, it)).await;
        let me = browser.call("/me", Some(&token)).await;
        assert_eq!(me.status, 200, "{name}: {me:?}");
        let me = me.json();
        let read = (me["sub"].as_str(), me["client_id"].as_str(), me["scope"].as_str());
        assert_eq!(read, (Some(row.subject), Some(row.client), Some(row.scope)), "{name}");
        assert_eq!(browser.call("/role", Some(&token)).await.status, 200, "{name}");
        let of_scope = if row.scope.is_empty() { 403 } else { 200 };
        assert_eq!(browser.call("/notes", Some(&token)).await.status, of_scope, "{name}");

        // Without the builder's lines, and for another audience.
        if row.needs_type {
            let (_server, strict) = api(&issuer, row.audience, |it| row.builder(false, true, it)).await;
            refused(&strict.call("/me", Some(&token)).await, NOT_TYPED, name);
        }
        if row.without_audience.is_some() {
            let (_server, strict) = api(&issuer, row.audience, |it| row.builder(row.needs_type, false, it)).await;
            refused(&strict.call("/me", Some(&token)).await, NOT_FOR_THIS, name);
            let (_server, other) =
                api(&issuer, row.audience, |it| it.danger_accept_type("JWT").danger_without_audience(["x"])).await;
            refused(&other.call("/me", Some(&token)).await, NOT_FOR_THIS, name);
        } else {
            let (_server, other) =
                api(&issuer, "https://other.example", |it| row.builder(row.needs_type, true, it)).await;
            refused(&other.call("/me", Some(&token)).await, NOT_FOR_THIS, name);
        }
    }
}

/// The audience is the client's id, which is the worst that a builder can choose, and every danger is on.
#[tokio::test]
async fn c26_an_id_token_is_no_access_token_with_any_builder_line() {
    let issuer = of_rsa();
    let change = |it: ResourceServerBuilder| it.danger_accept_type("JWT").danger_without_audience(["app"]);
    let (_server, browser) = api(&issuer, "app", change).await;
    let rows = [
        ("Keycloak", json!({ "aud": "app", "azp": "app", "sub": "a", "typ": "ID", "sid": "s", "scope": "openid" })),
        (
            "Keycloak, a refresh token",
            json!({ "aud": "app", "azp": "app", "sub": "a", "typ": "Refresh", "scope": "x" }),
        ),
        (
            "Entra",
            json!({ "aud": "app", "azp": "app", "sub": "a", "nonce": "n", "oid": "o", "roles": ["admin"], "ver": "2.0" }),
        ),
        ("Auth0", json!({ "aud": "app", "azp": "app", "sub": "auth0|1", "nonce": "n", "sid": "s" })),
        (
            "Okta",
            json!({ "aud": "app", "cid": "app", "sub": "00u", "ver": 1, "jti": "ID.a", "amr": ["pwd"], "at_hash": "h" }),
        ),
        (
            "Cognito",
            json!({ "aud": "app", "client_id": "app", "sub": "a", "token_use": "id", "cognito:groups": ["admin"] }),
        ),
        (
            "Zitadel",
            json!({ "aud": ["app", "p"], "azp": "app", "client_id": "app", "sub": "a", "at_hash": "h", "amr": ["pwd"] }),
        ),
        ("Google", json!({ "aud": "app", "azp": "app", "sub": "1", "email": "a@example.com", "email_verified": true })),
        (
            "a logout token",
            json!({ "aud": "app", "azp": "app", "sub": "a", "jti": "j", "scope": "x",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} } }),
        ),
        ("from the authorization endpoint", json!({ "aud": "x", "azp": "app", "sub": "a", "c_hash": "h" })),
    ];
    for (name, claims) in rows {
        for typ in [Some("JWT"), None] {
            let token = signed(2, json!({ "typ": typ }), &timed(&issuer, &claims));
            refused(&browser.call("/me", Some(&token)).await, NOT_ACCESS, name);
        }
    }
    // Those of Entra and Auth0 name no client, which an access token always does.
    let token = signed(2, json!({ "typ": "JWT" }), &timed(&issuer, &json!({ "aud": "app", "sub": "a" })));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 401);
    // A type of its own is neither.
    for typ in ["logout+jwt", "id_token+jwt", "secevent+jwt", "dpop+jwt"] {
        let token = signed(2, json!({ "typ": typ }), &timed(&issuer, &json!({ "aud": "app", "azp": "c", "sub": "a" })));
        refused(&browser.call("/me", Some(&token)).await, NOT_TYPED, typ);
    }
}

#[tokio::test]
async fn c26_a_scope_is_text_or_a_list_of_single_scopes() {
    let issuer = issuer();
    let (_server, browser) = api(&issuer, API, |it| it).await;
    let with = |claims: Value| token(&issuer, 0, json!({}), claims);
    let rows = [
        (json!({ "scope": ["notes:read", "a"] }), 200),
        (json!({ "scope": null, "scp": "a notes:read" }), 200),
        (json!({ "scope": null, "scp": ["notes:read"] }), 200),
        (json!({ "scope": "a", "scp": ["notes:read"] }), 403),
        (json!({ "scope": [] }), 403),
        (json!({ "scope": null }), 403),
        // Two in one, or something else: it is not known what was granted.
        (json!({ "scope": ["a notes:read"] }), 401),
        (json!({ "scope": ["notes:read", 1] }), 401),
        (json!({ "scope": { "notes:read": true } }), 401),
        (json!({ "scope": null, "scp": 1 }), 401),
        (json!({ "scope": ["notes:\"read"] }), 401),
    ];
    for (claims, status) in rows {
        assert_eq!(browser.call("/notes", Some(&with(claims.clone()))).await.status, status, "{claims}");
    }
}

#[tokio::test]
async fn c26_an_audience_is_the_same_with_and_without_its_closing_slash_alone() {
    let issuer = issuer();
    for (configured, aud, status) in [
        ("https://api.example", "https://api.example/", 200),
        ("https://api.example/", "https://api.example", 200),
        ("https://api.example:8443", "https://api.example:8443/", 200),
        ("https://api.example", "https://api.example//", 401),
        ("https://api.example", "https://API.example/", 401),
        ("https://api.example", "https://api.example:443/", 401),
        ("https://api.example", "http://api.example/", 401),
        ("https://api.example/v1", "https://api.example/v1/", 401),
        ("https://api.example/v1/", "https://api.example/v1", 401),
        ("https://api.example?x=", "https://api.example?x=/", 401),
        ("api://notes", "api://notes/", 401),
        ("notes", "notes/", 401),
    ] {
        let (_server, browser) = api(&issuer, configured, |it| it).await;
        for aud in [json!(aud), json!(["x", aud])] {
            let token = token(&issuer, 0, json!({}), json!({ "aud": aud }));
            assert_eq!(browser.call("/me", Some(&token)).await.status, status, "{configured} {aud}");
        }
    }
}

/// RFC 9864 §2.2: another name for the same signature.
#[tokio::test]
async fn ed25519_is_eddsa_by_its_newer_name() {
    let issuer = issuer();
    let mut key = KEYS[1].public.clone();
    for alg in ["EdDSA", "Ed25519"] {
        key["alg"] = json!(alg);
        issuer.keys.lock()["keys"] = json!([key]);
        let (_server, browser) = api(&issuer, API, |it| it).await;
        let now = Clock::system().now().seconds();
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let claims = json!({ "iss": issuer.server.base, "aud": API, "sub": "a", "client_id": "c", "iat": now, "exp": now + 60, "jti": "1" });
        for (named, status) in [("EdDSA", 200), ("Ed25519", 200), ("Ed448", 401), ("ES256", 401)] {
            let header = json!({ "alg": named, "typ": "at+jwt", "kid": "ed" });
            let message = format!("{}.{}", part(header), part(claims.clone()));
            let algorithm = jsonwebtoken::Algorithm::EdDSA;
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &KEYS[1].private, algorithm).unwrap();
            let answer = browser.call("/me", Some(&format!("{message}.{signature}"))).await;
            assert_eq!(answer.status, status, "{alg} {named}: {answer:?}");
        }
    }
}

/// Here and elsewhere: who presents it has not shown the key.
#[tokio::test]
async fn c49_a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let elsewhere = issuer();
    let (_server, there) = api(&elsewhere, API, |it| it).await;
    const BOUND: &str = "this server accepts only tokens that are bound to no key";
    for cnf in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "x" }),
        json!({}),
        json!("x"),
    ] {
        let bound = token(&elsewhere, 0, json!({}), json!({ "cnf": cnf }));
        refused(&there.call("/me", Some(&bound)).await, BOUND, "elsewhere");
    }
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    let here = Browser::new(&server);
    let good = testing::token(&oauth, &json!({})).subject("ada");
    assert_eq!(here.call("/me", Some(&good.mint())).await.status, 200);
    let bound = testing::token(&oauth, &json!({})).subject("ada").claim("cnf", json!({ "jkt": "x" })).mint();
    refused(&here.call("/me", Some(&bound)).await, BOUND, "here");
    // Presented as bound: the scheme promises a proof, which nothing here checks.
    for (browser, token) in [(&here, good.mint()), (&there, token(&elsewhere, 0, json!({}), json!({})))] {
        for scheme in ["DPoP", "dpop"] {
            let request = browser.http.get(format!("{}/me", browser.base));
            let request = request.header("authorization", format!("{scheme} {token}"));
            refused(&Answer::to(request).await, BOUND, scheme);
        }
    }
}

#[tokio::test]
async fn c26_c27_clocks_may_differ_by_the_leeway_and_a_body_of_ones_own_is_the_answer() {
    let issuer = of_rsa();
    let ends = |ago: u64| {
        let mut claims = timed(&issuer, &json!({ "aud": API, "client_id": "web", "sub": "ada", "jti": "j" }));
        claims["exp"] = json!(Clock::system().now().seconds() - ago);
        signed(2, json!({ "typ": "at+jwt" }), &claims)
    };
    let body = |refusal: &Refusal, _: &HttpRequest| HttpResponse::Ok().body(format!("mine: {:?}", refusal.error()));
    for (leeway, ago, status) in [(600, 300, 200), (600, 900, 401), (0, 300, 401)] {
        let (_server, browser) =
            api(&issuer, API, |it| it.leeway(Duration::from_secs(leeway)).refusal_body(body).token_cache(0)).await;
        let answer = browser.call("/me", Some(&ends(ago))).await;
        assert_eq!(answer.status, status, "{leeway} {ago}: {answer:?}");
        assert_eq!(answer.body.starts_with("mine: "), status == 401, "{answer:?}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401, "{answer:?}");
    }
}
