//! The FAPI 2.0 Security Profile, followed, and left where it says that this must not work: docs/fapi.md has a row for each of its
//! demands.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_runtime::{Client, Clock, SignatureAlgorithm};
use oauth_tests::proofs::{ProofKey, Unsigned};
use oauth_tests::{Answer, Browser, CHALLENGE, SECRET, Server, VERIFIER, changed, start};
use serde_json::{Value, json};

const CALLBACK: &str = "https://bank.example/callback";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client of the profile.
struct Bank {
    server: Server,
    clock: Clock,
    browser: Browser,
    /// It authenticates by this one.
    key: ProofKey,
    /// Its tokens are bound to this one.
    bound: ProofKey,
}

fn bank() -> Bank {
    let (clock, key) = (Clock::by_hand(), ProofKey::new());
    let public = key.public();
    let server = start(|builder| {
        builder
            .scope("openid", "Know who you are")
            .require_pushed_requests()
            .dpop()
            .assertion_algorithms([SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa])
            .client(Client::confidential("bank").jwks(public).redirect_uri(CALLBACK).require_dpop())
            .client(Client::confidential("old").secret(SECRET).redirect_uri(CALLBACK))
            .clock(clock.clone())
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
    });
    // What clients make, and may date ahead, has to be younger than the memory of the store.
    clock.advance(Duration::from_secs(15));
    let browser = Browser::new(&server);
    Bank { server, clock, browser, key, bound: ProofKey::new() }
}

type More<'a> = &'a [(&'a str, Option<&'a str>)];

impl Bank {
    /// Who it is, for one request.
    fn unsigned(&self) -> Unsigned<'_> {
        let now = self.clock.now().seconds();
        let assertion = self.key.for_request("", "").header("typ", Value::Null).header("jwk", Value::Null);
        [
            ("htm", Value::Null),
            ("htu", Value::Null),
            ("iss", json!("bank")),
            ("sub", json!("bank")),
            ("aud", json!(self.server.base)),
            ("iat", json!(now)),
            ("exp", json!(now + 60)),
        ]
        .into_iter()
        .fold(assertion, |assertion, (name, value)| assertion.claim(name, value))
    }

    fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
        let url = format!("{}{path}", self.server.base);
        let proof = self.bound.for_request(method, &url).claim("iat", json!(self.clock.now().seconds()));
        token.map_or(proof.sign(), |token| {
            let proof = self.bound.for_request(method, &url).claim("iat", json!(self.clock.now().seconds()));
            proof.token(token).sign()
        })
    }

    async fn post(&self, path: &str, form: String, proof: Option<String>) -> Answer {
        let request = self.browser.http.post(format!("{}{path}", self.server.base)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::to(proof.into_iter().fold(request, |request, proof| request.header("dpop", proof))).await
    }

    fn request(&self, more: More<'_>) -> String {
        let assertion = self.unsigned().sign();
        let usual = [
            ("client_id", "bank"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        changed(&usual, more)
    }

    async fn push(&self, more: More<'_>) -> Answer {
        self.post("/par", self.request(more), Some(self.proof("POST", "/par", None))).await
    }

    async fn redirected(&self) -> std::collections::BTreeMap<String, String> {
        let pushed = self.push(&[]).await;
        assert_eq!(pushed.status, 201, "{pushed:?}");
        let expires_in = pushed.json()["expires_in"].as_u64().unwrap();
        assert!((5..600).contains(&expires_in), "{expires_in}");
        let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
        let query = changed(&[("client_id", "bank"), ("request_uri", &uri)], &[]);
        let page = Answer::to(self.browser.http.get(format!("{}/authorize?{query}", self.server.base))).await;
        let sent = if page.is_page() { self.browser.login(&page.form(), "admin", "admin123").await } else { page };
        assert_eq!(sent.status, 303, "and never 307");
        sent.redirect()
    }

    fn redeem_form(&self, code: &str, more: More<'_>) -> String {
        let assertion = self.unsigned().sign();
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion.as_str()),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        changed(&usual, more)
    }

    async fn redeem(&self, code: &str, more: More<'_>) -> Answer {
        self.post("/token", self.redeem_form(code, more), Some(self.proof("POST", "/token", None))).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        let assertion = self.unsigned().sign();
        let usual = [
            ("grant_type", "refresh_token"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion.as_str()),
            ("refresh_token", token),
        ];
        self.post("/token", changed(&usual, &[]), Some(self.proof("POST", "/token", None))).await
    }

    async fn call(&self, query: &str, scheme: &str, token: &str, proof: Option<String>) -> Answer {
        let request = self.browser.http.get(format!("{}/me{query}", self.server.base));
        let request = request.header("authorization", format!("{scheme} {token}"));
        Answer::to(proof.into_iter().fold(request, |request, proof| request.header("dpop", proof))).await
    }
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("{name} in {answer:?}")).to_owned()
}

fn refused(answer: &Answer, code: &str, name: &str) {
    assert!((400..=401).contains(&answer.status), "{name}: {answer:?}");
    assert_eq!(text(answer, "error"), code, "{name}: {answer:?}");
}

#[tokio::test]
async fn a_client_of_the_profile_gets_tokens_that_are_bound_to_its_key() {
    let bank = bank();
    let sent = bank.redirected().await;
    assert_eq!(sent["iss"], bank.server.base, "RFC 9207");
    let issued = bank.redeem(&sent["code"], &[]).await;
    assert_eq!((issued.status, text(&issued, "token_type").as_str()), (200, "DPoP"), "{issued:?}");
    let token = text(&issued, "access_token");
    let me = bank.call("", "DPoP", &token, Some(bank.proof("GET", "/me", Some(&token)))).await;
    assert_eq!(me.status, 200, "{me:?}");
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["cnf"]["jkt"], bank.bound.thumbprint());
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["alg"], "ES256");
    // Rotation, and a retry where the answer was lost.
    let first = text(&issued, "refresh_token");
    let (one, again) = (bank.refresh(&first).await, bank.refresh(&first).await);
    assert_eq!((one.status, again.status), (200, 200), "{one:?} {again:?}");
    assert_eq!(bank.refresh(&text(&again, "refresh_token")).await.status, 200);
}

#[tokio::test]
async fn requests_that_leave_the_profile_are_refused() {
    let bank = bank();
    let direct =
        Answer::to(bank.browser.http.get(format!("{}/authorize?{}", bank.server.base, bank.request(&[])))).await;
    assert_eq!(direct.redirect()["error"], "invalid_request", "not pushed");
    let none: More<'_> = &[("client_assertion", None), ("client_assertion_type", None)];
    refused(&bank.push(none).await, "invalid_client", "not authenticated");
    refused(
        &bank.push(&[("code_challenge", None), ("code_challenge_method", None)]).await,
        "invalid_request",
        "no PKCE",
    );
    refused(&bank.push(&[("code_challenge_method", Some("plain"))]).await, "invalid_request", "plain");
    refused(&bank.push(&[("redirect_uri", Some("https://bank.example/other"))]).await, "invalid_request", "elsewhere");
    refused(&bank.push(&[("response_type", Some("token"))]).await, "unsupported_response_type", "implicit");
    let password = changed(&[("grant_type", "password"), ("username", "admin"), ("password", "admin123")], &[]);
    refused(&bank.post("/token", password, None).await, "unsupported_grant_type", "the password grant");

    let code = bank.redirected().await["code"].clone();
    refused(&bank.redeem(&code, none).await, "invalid_client", "not authenticated");
    let unproven = bank.post("/token", bank.redeem_form(&code, &[]), None).await;
    refused(&unproven, "invalid_request", "not bound");
    let other = ProofKey::new().for_request("POST", &format!("{}/token", bank.server.base)).sign();
    refused(&bank.post("/token", bank.redeem_form(&code, &[]), Some(other)).await, "invalid_grant", "another key");
    // None of these spent it.
    let token = text(&bank.redeem(&code, &[]).await, "access_token");

    assert_eq!(bank.call("", "Bearer", &token, None).await.status, 401, "as a bearer token");
    assert_eq!(bank.call("", "DPoP", &token, None).await.status, 401, "without a proof");
    let url = format!("{}/me?access_token={token}", bank.server.base);
    let proof = bank.proof("GET", "/me", Some(&token));
    assert_eq!(Answer::to(bank.browser.http.get(url).header("dpop", proof)).await.status, 401, "in the query");

    bank.clock.advance(Duration::from_secs(1));
    let late = bank.redirected().await["code"].clone();
    bank.clock.advance(Duration::from_secs(60));
    refused(&bank.redeem(&late, &[]).await, "invalid_grant", "after a minute");
}

#[tokio::test]
async fn who_a_client_is_is_said_to_the_issuer_alone_and_now() {
    let bank = bank();
    let pushed = async |assertion: Unsigned<'_>| {
        let assertion = assertion.sign();
        bank.push(&[("client_assertion", Some(&assertion))]).await
    };
    let (base, now) = (bank.server.base.clone(), bank.clock.now().seconds());
    for (name, aud) in [
        ("the endpoint", json!(format!("{base}/par"))),
        ("a list", json!([base, "https://other.example"])),
        ("another", json!("https://other.example")),
    ] {
        refused(&pushed(bank.unsigned().claim("aud", aud)).await, "invalid_client", name);
    }
    for (ahead, status) in [(10, 201), (61, 400)] {
        for name in ["iat", "nbf"] {
            let assertion = bank.unsigned().claim(name, json!(now + ahead)).claim("exp", json!(now + 120));
            assert_eq!(pushed(assertion).await.status, status, "{name} {ahead} s ahead");
        }
    }
}

#[tokio::test]
async fn the_metadata_names_what_the_profile_wants() {
    let bank = bank();
    let metadata = bank.browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["token_endpoint_auth_signing_alg_values_supported"], json!(["ES256", "EdDSA"]));
    assert!(metadata["dpop_signing_alg_values_supported"].as_array().unwrap().contains(&json!("ES256")), "{metadata}");
}
