//! The server as it would be certified, and the relying party that the suite is.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::{Builder, Client, Clock, Keys, Login, SignatureAlgorithm, SigningKey};
use oauth_tests::keys::rsa;
use oauth_tests::{Answer, Browser, Changes, Server, builder, changed, free_port, handlers, serve};
use serde_json::{Value, json};

pub(crate) const CALLBACK: &str = "https://suite.example/test/a/server/callback";
pub(crate) const GOODBYE: &str = "https://suite.example/test/a/server/post_logout_redirect";
pub(crate) const SECOND: &str = "https://suite.example/test/a/server/callback?dummy1=lorem&dummy2=ipsum";
const SECRET: &str = "a secret of the suite's, of more than 32 characters";

/// One server, and a clock that a test moves.
pub(crate) struct Certified {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
}

pub(crate) fn start() -> Certified {
    let (listener, base) = free_port();
    let clock = Clock::by_hand_ago(Duration::ZERO);
    let oauth = certified(builder(&base)).clock(clock.clone()).store(MemoryStore::with_clock(clock.clone())).build();
    let oauth = oauth.unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    });
    Certified { server, clock }
}

/// The configuration that is certified, with its opt-ins: see docs/certification.md.
fn certified(builder: Builder) -> Builder<WithReload> {
    let client = |id: &str| {
        Client::confidential(id)
            .secret(SECRET)
            .redirect_uri(CALLBACK)
            .redirect_uri(SECOND)
            .post_logout_redirect_uri(GOODBYE)
            .danger_without_pkce()
            .id_token_algorithm(SignatureAlgorithm::Rs256)
    };
    builder
        .keys(Keys::new(SigningKey::generate().unwrap()).also(rsa()).unwrap())
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .scope("email", "Know your address")
        .scope("address", "Know where you live")
        .scope("phone", "Know your number")
        .client(client("suite"))
        .client(client("suite-2"))
        .acr_values(["password"])
        .authenticate(async |login: Login| (&*login.password == "suite123").then(|| user(&login.username)))
        .reload(async |subject: &str| Some(user(subject)))
}

fn user(subject: &str) -> Value {
    json!({
        "sub": subject, "name": "Sue Ite", "given_name": "Sue", "family_name": "Ite", "middle_name": "T.",
        "nickname": "sue", "preferred_username": "sue", "profile": "https://suite.example/sue",
        "picture": "https://suite.example/sue.png", "website": "https://suite.example/", "gender": "female",
        "birthdate": "1990-01-01", "zoneinfo": "Europe/Vienna", "locale": "de-AT", "updated_at": 1_700_000_000,
        "email": "sue@suite.example", "email_verified": true, "phone_number": "+43 1 234567",
        "phone_number_verified": false, "address": { "country": "AT", "locality": "Wien" }
    })
}

/// What the suite does: a client, and a person at a browser.
pub(crate) struct Party {
    pub(crate) browser: Browser,
    pub(crate) client: &'static str,
}

impl Party {
    pub(crate) fn new(certified: &Certified) -> Party {
        Party { browser: Browser::new(&certified.server), client: "suite" }
    }

    pub(crate) fn url(&self, changes: Changes<'_>) -> String {
        let usual = [
            ("response_type", "code"),
            ("client_id", self.client),
            ("redirect_uri", CALLBACK),
            ("scope", "openid"),
            ("state", "the state"),
            ("nonce", "the nonce"),
        ];
        format!("{}/authorize?{}", self.browser.base, changed(&usual, changes))
    }

    pub(crate) async fn ask(&self, changes: Changes<'_>) -> Answer {
        Answer::to(self.browser.http.get(self.url(changes))).await
    }

    /// Signs in on the page that is shown; the code.
    pub(crate) async fn sign_in(&self, changes: Changes<'_>) -> String {
        let page = self.ask(changes).await;
        assert!(page.body.contains("type=\"password\""), "the sign-in page: {page:?}");
        self.go_on(&page).await
    }

    pub(crate) async fn go_on(&self, page: &Answer) -> String {
        let mut answer = self.browser.login(&page.form(), "sue", "suite123").await;
        if answer.body.contains("name=\"decision\"") {
            answer = self.browser.consent(&answer.form(), "allow").await;
        }
        code_of(&answer)
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.browser.post_as("/token", self.client, SECRET, form).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)]).await
    }

    /// The tokens for what is asked, after a sign-in.
    pub(crate) async fn tokens(&self, changes: Changes<'_>) -> Value {
        let code = self.sign_in(changes).await;
        let answer = self.redeem(&code).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
        answer.json()
    }

    pub(crate) async fn userinfo(&self, tokens: &Value) -> Value {
        let answer = self.browser.call("/userinfo", tokens["access_token"].as_str()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The claims of the ID token, by the published key that its header names.
    pub(crate) async fn id_token(&self, tokens: &Value) -> Value {
        let token = tokens["id_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
        let header = jsonwebtoken::decode_header(token).unwrap();
        let discovery = self.discovery().await;
        let keys = Answer::to(self.browser.http.get(discovery["jwks_uri"].as_str().unwrap())).await;
        let keys: JwkSet = serde_json::from_str(&keys.body).unwrap();
        let key = keys.find(header.kid.as_deref().expect("a key id")).expect("a published key");
        let mut validation = Validation::new(header.alg);
        // The clock is the test's.
        validation.validate_exp = false;
        validation.set_audience(&[self.client]);
        validation.set_issuer(&[&self.browser.base]);
        let claims =
            jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims;
        for claim in ["iss", "sub", "aud", "exp", "iat"] {
            assert!(!claims[claim].is_null(), "{claim} in {claims}");
        }
        claims
    }

    pub(crate) async fn discovery(&self) -> Value {
        let answer = self.browser.call("/.well-known/openid-configuration", None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

/// The code that comes back, with the state.
pub(crate) fn code_of(answer: &Answer) -> String {
    let redirect = answer.redirect();
    assert_eq!(redirect.get("state").map(String::as_str), Some("the state"), "{answer:?}");
    redirect.get("code").unwrap_or_else(|| panic!("{answer:?}")).clone()
}

/// The error that comes back to the client.
pub(crate) fn error_of(answer: &Answer) -> String {
    let redirect = answer.redirect();
    assert!(!redirect.contains_key("code"), "{answer:?}");
    redirect.get("error").unwrap_or_else(|| panic!("{answer:?}")).clone()
}

pub(crate) fn secret() -> &'static str {
    SECRET
}
