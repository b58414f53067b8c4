//! Tokens that are bound to a key, and the proofs of it (RFC 9449).

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, EncodingKey};
use oauth_runtime::{Client, Clock};
use oauth_tests::proofs::{ProofKey, Unsigned};
use oauth_tests::{Answer, Browser, Changes, SECRET, Server, changed, start};
use serde_json::{Value, json};

/// A client with a key.
pub(crate) struct Bound {
    pub(crate) browser: Browser,
    pub(crate) key: ProofKey,
}

impl Bound {
    pub(crate) fn new(server: &Server) -> Bound {
        Bound { browser: Browser::new(server), key: ProofKey::new() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.browser.base)
    }

    /// Posts a form with these proofs.
    pub(crate) async fn post(&self, path: &str, form: String, proofs: &[String]) -> Answer {
        let request = self.browser.http.post(self.url(path)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::to(proofs.iter().fold(request, |request, proof| request.header("dpop", proof))).await
    }

    /// Asks for tokens with a proof of its key.
    pub(crate) async fn token(&self, form: String) -> Answer {
        self.post("/token", form, &[self.key.proof("POST", &self.url("/token"))]).await
    }

    /// Signs the admin in, and gets tokens that are bound.
    pub(crate) async fn issued(&self, changes: Changes<'_>) -> Value {
        let redirect = self.browser.sign_in(changes, "admin", "admin123").await.redirect();
        let answer = self.token(self.browser.token_form(&redirect["code"], &[])).await;
        assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{answer:?}");
        answer.json()
    }

    pub(crate) async fn access_token(&self) -> String {
        text(&self.issued(&[]).await, "access_token")
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.token(refresh_form(token)).await
    }

    /// Calls a guarded handler with a token and these proofs.
    pub(crate) async fn present(&self, path: &str, scheme: &str, token: &str, proofs: &[String]) -> Answer {
        let request = self.browser.http.get(self.url(path)).header("authorization", format!("{scheme} {token}"));
        Answer::to(proofs.iter().fold(request, |request, proof| request.header("dpop", proof))).await
    }

    /// The same, with a good proof.
    pub(crate) async fn call(&self, path: &str, token: &str) -> Answer {
        self.present(path, "DPoP", token, &[self.key.proof_with("GET", &self.url(path), token)]).await
    }
}

pub(crate) fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("{name} in {json}")).to_owned()
}

pub(crate) fn refresh_form(token: &str) -> String {
    changed(&[("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", token)], &[])
}

pub(crate) fn refused(answer: &Answer, code: &str, name: &str) {
    assert_eq!((answer.status, text(&answer.json(), "error")), (400, code.to_owned()), "{name}: {answer:?}");
}

/// Refused at a guard, in the scheme of bound tokens alone.
pub(crate) fn challenged(answer: &Answer, code: &str, name: &str) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 401, "{name}: {answer:?}");
    let [(scheme, parameters)] = &answer.challenges()[..] else { panic!("{name}: {answer:?}") };
    assert_eq!((scheme.as_str(), parameters["error"].as_str()), ("DPoP", code), "{name}: {answer:?}");
    assert_eq!(parameters["algs"], "ES256 EdDSA Ed25519 RS256", "{name}");
    parameters.clone()
}

fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test]
async fn c52_tokens_are_bound_to_the_key_that_a_client_shows() {
    let server = start(|builder| {
        let builder = builder.dpop().scope("openid", "Know who you are");
        builder.reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let bound = Bound::new(&server);
    let metadata = bound.browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA", "Ed25519", "RS256"]));

    let tokens = bound.issued(&[("scope", Some("openid notes:read"))]).await;
    let token = text(&tokens, "access_token");
    assert_eq!(claims_of(&token)["cnf"], json!({ "jkt": bound.key.thumbprint() }));
    // Several guards and extractors of one request need one proof.
    for path in ["/me", "/notes", "/admin", "/stacked", "/me?page=2"] {
        let answer = bound.call(path, &token).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    assert_eq!(bound.call("/userinfo", &token).await.json()["sub"], "admin");
    let scheme = bound.present("/me", "dpop", &token, &[bound.key.proof_with("GET", &bound.url("/me"), &token)]).await;
    assert_eq!(scheme.status, 200, "{scheme:?}");

    // The refresh token of a public client is bound, too, and so are the tokens that it is exchanged for.
    let refresh = text(&tokens, "refresh_token");
    refused(&bound.browser.refresh(&refresh, &[]).await, "invalid_grant", "without a proof");
    let thief = Bound { browser: bound.browser.clone(), key: ProofKey::new() };
    refused(&thief.refresh(&refresh).await, "invalid_grant", "with another key");
    let next = bound.refresh(&refresh).await.json();
    assert_eq!(next["token_type"], "DPoP", "{next}");
    assert_eq!(bound.call("/me", &text(&next, "access_token")).await.status, 200);
    refused(&bound.browser.refresh(&text(&next, "refresh_token"), &[]).await, "invalid_grant", "the next one");

    // A client without a proof gets a bearer token, as before, and may show a key later on.
    let plain = bound.browser.issued(&[]).await;
    assert_eq!(plain["token_type"], "Bearer");
    let later = bound.refresh(&text(&plain, "refresh_token")).await.json();
    assert_eq!(later["token_type"], "DPoP");
    refused(&bound.browser.refresh(&text(&later, "refresh_token"), &[]).await, "invalid_grant", "bound since");
}

#[tokio::test]
async fn c52_every_grant_binds_and_introspection_tells_it() {
    let server = start(|builder| {
        let web = Client::confidential("web").secret(SECRET).redirect_uri("https://web.example/cb");
        let job = Client::confidential("job").secret(SECRET).scope("notes:read");
        let builder = builder.dpop().client(web).client(job).client(Client::public("tv").device());
        builder.reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let bound = Bound::new(&server);
    let proven = async |fields: &[(&str, &str)], client: Option<&str>, key: &ProofKey| {
        let request = bound.browser.http.post(bound.url("/token")).form(fields);
        let request = request.header("dpop", key.proof("POST", &bound.url("/token")));
        Answer::to(match client {
            Some(client) => request.basic_auth(client, Some(SECRET)),
            None => request,
        })
        .await
        .json()
    };
    let own = proven(&[("grant_type", "client_credentials")], Some("job"), &bound.key).await;
    assert_eq!(own["token_type"], "DPoP", "{own}");
    let token = text(&own, "access_token");
    assert_eq!(bound.call("/notes", &token).await.status, 200);
    let told = bound.browser.post_as("/introspect", "job", SECRET, &[("token", &token)]).await.json();
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("DPoP")), "{told}");
    assert_eq!(told["cnf"], json!({ "jkt": bound.key.thumbprint() }));

    // A confidential client authenticates by its secret: its refresh tokens are not bound, its access tokens to what it shows.
    let asked = [("client_id", Some("web")), ("redirect_uri", Some("https://web.example/cb"))];
    let redirect = bound.browser.sign_in(&asked, "admin", "admin123").await.redirect();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &redirect["code"]),
        ("redirect_uri", "https://web.example/cb"),
        ("code_verifier", oauth_tests::VERIFIER),
    ];
    let tokens = proven(&form, Some("web"), &bound.key).await;
    assert_eq!(tokens["token_type"], "DPoP", "{tokens}");
    let other = ProofKey::new();
    let refresh = text(&tokens, "refresh_token");
    let next = proven(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)], Some("web"), &other).await;
    assert_eq!(claims_of(&text(&next, "access_token"))["cnf"]["jkt"], other.thumbprint());

    let asked = bound.browser.post("/device_authorization", "client_id=tv").await.json();
    let phone = Browser::at(&bound.browser.base);
    let page = crate::device::asked(&phone, &text(&asked, "user_code"), "admin").await;
    assert_eq!(phone.consent(&page.form(), "allow").await.status, 200);
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let code = text(&asked, "device_code");
    let got = proven(&[("grant_type", grant), ("client_id", "tv"), ("device_code", &code)], None, &bound.key).await;
    assert_eq!(got["token_type"], "DPoP", "{got}");
    assert_eq!(bound.call("/me", &text(&got, "access_token")).await.status, 200);
}

/// A token that is not bound is accepted from its bearer, and one that is bound is not; nor is either in the other's scheme.
#[tokio::test]
async fn c49_a_bound_token_is_no_bearer_token_and_a_bearer_token_is_not_bound() {
    let server = start(|builder| builder.dpop().scope("openid", "Know who you are"));
    let bound = Bound::new(&server);
    let token = text(&bound.issued(&[("scope", Some("openid"))]).await, "access_token");
    for path in ["/me", "/userinfo"] {
        let proof = bound.key.proof_with("GET", &bound.url(path), &token);
        for proofs in [vec![], vec![proof]] {
            let answer = bound.present(path, "Bearer", &token, &proofs).await;
            challenged(&answer, "invalid_token", path);
        }
    }
    let in_form = bound.browser.post("/userinfo", format!("access_token={token}")).await;
    challenged(&in_form, "invalid_token", "in the form");

    let plain = bound.browser.token().await;
    assert_eq!(bound.present("/me", "Bearer", &plain, &[]).await.status, 200);
    let answer = bound.call("/me", &plain).await;
    // Either scheme would do, with a token of its own.
    let schemes: Vec<_> = answer.challenges().into_iter().map(|(scheme, it)| (scheme, it["error"].clone())).collect();
    let both = ["Bearer", "DPoP"].map(|scheme| (scheme.to_owned(), "invalid_token".to_owned()));
    assert_eq!((answer.status, schemes), (401, both.to_vec()), "{answer:?}");
    // Nothing was presented: both are named, and neither has an error.
    let answer = bound.browser.call("/notes", None).await;
    let [(bearer, first), (dpop, second)] = &answer.challenges()[..] else { panic!("{answer:?}") };
    assert_eq!((bearer.as_str(), dpop.as_str()), ("Bearer", "DPoP"));
    assert_eq!((&first["scope"], &second["scope"]), (&"notes:read".to_owned(), &"notes:read".to_owned()));
    assert!(!first.contains_key("error") && !second.contains_key("error") && !first.contains_key("algs"), "{answer:?}");
    assert_eq!(second["algs"], "ES256 EdDSA Ed25519 RS256");
}

/// What is wrong with a proof, and how it is made.
type Broken<'a> = (&'static str, Box<dyn Fn(Unsigned<'a>) -> String + 'a>);

/// Each proof that proves nothing at all, wherever it is shown.
fn broken<'a>(key: &'a ProofKey, other: &'a ProofKey, url: &'a str) -> Vec<Broken<'a>> {
    let now = Clock::system().now().seconds();
    let row = |name, make: Box<dyn Fn(Unsigned<'a>) -> String + 'a>| (name, make);
    let claim = |name: &'static str, claim: &'static str, value: Value| {
        row(name, Box::new(move |proof: Unsigned<'a>| proof.claim(claim, value.clone()).sign()))
    };
    let header = |name: &'static str, member: &'static str, value: Value| {
        row(name, Box::new(move |proof: Unsigned<'a>| proof.header(member, value.clone()).sign()))
    };
    let private = {
        let mut jwk = key.public();
        jwk["d"] = jwk["x"].clone();
        jwk
    };
    let off_curve = {
        let mut jwk = key.public();
        jwk["y"] = jwk["x"].clone();
        jwk
    };
    let point = key.public()["x"].as_str().unwrap().to_owned();
    let hs256 = move |secret: Vec<u8>| {
        move |proof: Unsigned<'a>| {
            proof.header("alg", json!("HS256")).signed_by(&EncodingKey::from_secret(&secret), Algorithm::HS256)
        }
    };
    vec![
        row("no JWT", Box::new(|_| "x".to_owned())),
        row("alg none", Box::new(|proof| proof.header("alg", json!("none")).with_signature(""))),
        row("HS256 by the public key", Box::new(hs256(key.public().to_string().into_bytes()))),
        row("HS256 by its x", Box::new(hs256(point.into_bytes()))),
        header("an alg of another kind", "alg", json!("RS256")),
        header("an unknown alg", "alg", json!("ES512")),
        header("a private jwk", "jwk", private),
        header("no jwk", "jwk", Value::Null),
        header("a jwk that is a text", "jwk", json!("x")),
        header("a jwk that is no point", "jwk", off_curve),
        header("a secret key", "jwk", json!({ "kty": "oct", "k": "AAAA" })),
        header("a jwk of another", "jwk", other.public()),
        header("no typ", "typ", Value::Null),
        header("typ JWT", "typ", json!("JWT")),
        header("typ at+jwt", "typ", json!("at+jwt")),
        header("crit", "crit", json!(["exp"])),
        row("signed by another", Box::new(|proof| proof.signed_by_key(other))),
        row("no signature", Box::new(|proof| proof.with_signature(""))),
        claim("no htm", "htm", Value::Null),
        claim("another htm", "htm", json!("PUT")),
        claim("htm in lower case", "htm", json!("post")),
        claim("no htu", "htu", Value::Null),
        claim("htu of another host", "htu", json!("https://evil.example/token")),
        claim("htu of another path", "htu", json!(format!("{url}/x"))),
        claim("htu with a user", "htu", json!(url.replace("://", "://ada@"))),
        claim("no iat", "iat", Value::Null),
        claim("an old iat", "iat", json!(now - 65)),
        claim("a future iat", "iat", json!(now + 75)),
        claim("a negative iat", "iat", json!(-1)),
        claim("an endless iat", "iat", json!(1e300)),
        claim("no jti", "jti", Value::Null),
        claim("an empty jti", "jti", json!("")),
        claim("a long jti", "jti", json!("x".repeat(257))),
        claim("a long proof", "x", json!("x".repeat(4000))),
    ]
}

#[tokio::test]
async fn c52_a_broken_proof_gets_no_token() {
    let server = start(|builder| builder.dpop());
    let bound = Bound::new(&server);
    let (url, other) = (bound.url("/token"), ProofKey::new());
    let code = bound.browser.code().await;
    let post = async |proofs: &[String]| bound.post("/token", bound.browser.token_form(&code, &[]), proofs).await;
    for (name, make) in broken(&bound.key, &other, &url) {
        let answer = post(&[make(bound.key.for_request("POST", &url))]).await;
        refused(&answer, "invalid_dpop_proof", name);
    }
    let proof = || bound.key.proof("POST", &url);
    refused(&post(&[proof(), proof()]).await, "invalid_dpop_proof", "two of them");
    refused(&post(&[bound.key.proof("GET", &url)]).await, "invalid_dpop_proof", "htm GET");
    // The host of a request is anyone's word.
    let elsewhere = bound.key.proof("POST", "http://evil.example/token");
    let request = bound.browser.http.post(&url).header("host", "evil.example").header("dpop", elsewhere);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = Answer::to(request.body(bound.browser.token_form(&code, &[]))).await;
    refused(&answer, "invalid_dpop_proof", "the host of the request");

    // None of it has spent the code. A proof is good once, for its own key, however it is written.
    let own = url.replace("http://", "HTTP://") + "?x#y";
    let once =
        bound.key.for_request("POST", &own).claim("iat", json!(Clock::system().now().seconds() as f64 + 0.5)).sign();
    assert_eq!(post(std::slice::from_ref(&once)).await.json()["token_type"], "DPoP");
    let again = bound.browser.code().await;
    let answer = bound.post("/token", bound.browser.token_form(&again, &[]), &[once]).await;
    refused(&answer, "invalid_dpop_proof", "replayed");
    for key in [&bound.key, &other] {
        let code = bound.browser.code().await;
        let proof = key.for_request("POST", &url).claim("jti", json!("the same")).sign();
        let answer = bound.post("/token", bound.browser.token_form(&code, &[]), &[proof]).await;
        assert_eq!(answer.status, 200, "the name is another client's: {answer:?}");
    }
}

#[tokio::test]
async fn c52_a_broken_proof_opens_no_guard() {
    let server = start(|builder| builder.dpop());
    let bound = Bound::new(&server);
    let (url, other) = (bound.url("/me"), ProofKey::new());
    let (token, second) = (bound.access_token().await, bound.access_token().await);
    let present = async |proofs: &[String]| bound.present("/me", "DPoP", &token, proofs).await;
    // Known from here on: a proof is checked all the same.
    assert_eq!(bound.call("/me", &token).await.status, 200);
    for (name, make) in broken(&bound.key, &other, &url) {
        let answer = present(&[make(bound.key.for_request("GET", &url).token(&token))]).await;
        challenged(&answer, "invalid_dpop_proof", name);
        assert_eq!(answer.json()["error"], "invalid_dpop_proof", "{name}");
    }
    let proof = || bound.key.proof_with("GET", &url, &token);
    for (name, proofs) in [
        ("none", vec![]),
        ("two of them", vec![proof(), proof()]),
        ("no ath", vec![bound.key.proof("GET", &url)]),
        ("the ath of another token", vec![bound.key.proof_with("GET", &url, &second)]),
        ("htm POST", vec![bound.key.proof_with("POST", &url, &token)]),
        ("made for another path", vec![bound.key.proof_with("GET", &bound.url("/notes"), &token)]),
        ("made for /token", vec![bound.key.proof("POST", &bound.url("/token"))]),
    ] {
        challenged(&present(&proofs).await, "invalid_dpop_proof", name);
    }
    challenged(&present(&[other.proof_with("GET", &url, &token)]).await, "invalid_token", "another key");
    let once = proof();
    assert_eq!(present(std::slice::from_ref(&once)).await.status, 200);
    challenged(&present(&[once]).await, "invalid_dpop_proof", "replayed");
    // A proof is no token's life: what is revoked is refused as ever.
    assert_eq!(bound.browser.post("/revoke", format!("client_id=demo&token={token}")).await.status, 200);
    let answer = bound.call("/me", &token).await;
    assert_eq!(answer.challenges()[1].1["error_description"], "the token was revoked", "{answer:?}");
}

#[tokio::test]
async fn c52_nothing_is_spent_for_what_is_refused_anyway() {
    let server = start(|builder| builder.dpop());
    let bound = Bound::new(&server);
    let proof = bound.key.proof("POST", &bound.url("/token"));
    for _ in 0..2 {
        let answer = bound.post("/token", bound.browser.token_form("made up", &[]), std::slice::from_ref(&proof)).await;
        refused(&answer, "invalid_grant", "a stranger writes nothing to the store");
    }
    let redirect = bound.browser.sign_in(&[], "admin", "admin123").await.redirect();
    let issued =
        bound.post("/token", bound.browser.token_form(&redirect["code"], &[]), std::slice::from_ref(&proof)).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let redirect = bound.browser.sign_in(&[], "admin", "admin123").await.redirect();
    let again = bound.post("/token", bound.browser.token_form(&redirect["code"], &[]), &[proof]).await;
    refused(&again, "invalid_dpop_proof", "now it is");
}
