//! Confidential clients: how they show who they are, and what they may have in their own name.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use oauth_runtime::states::WithReload;
use oauth_runtime::testing::Verb;
use oauth_runtime::{Builder, Client, Clock, GrantType};
use oauth_tests::{Answer, Browser, REDIRECT, Server, VERIFIER, aged, start, watched};
use serde_json::{Value, json};

const ONE: &str = "the first secret of a job, in the tests";
const TWO: &str = "the+second/secret of:a job%20=, 100% odd";
const WEB: &str = "the secret of a server with users, here";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) private: EncodingKey,
    pub(crate) public: Value,
}

fn key(algorithm: Algorithm, private: EncodingKey, id: &str) -> Key {
    let mut public = serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap();
    public["kid"] = json!(id);
    Key { algorithm, private, public }
}

/// ES256, EdDSA, RS256; and an ES256 key that was not registered.
pub(crate) static KEYS: LazyLock<[Key; 4]> = LazyLock::new(|| {
    let ec = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap();
    let ec = || EncodingKey::from_ec_der(ec().as_ref());
    let ed = EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref());
    let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap();
    // PKCS#8 is PKCS#1, which is wanted here, behind a header of this length.
    let rsa = EncodingKey::from_rsa_der(&AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref()[26..]);
    [
        key(Algorithm::ES256, ec(), "ec"),
        key(Algorithm::EdDSA, ed, "ed"),
        key(Algorithm::RS256, rsa, "rsa"),
        key(Algorithm::ES256, ec(), "ec"),
    ]
});

/// Each request is from another address, so that none comes after too many failed tries.
fn from_an_address_each(builder: Builder<WithReload>) -> Builder<WithReload> {
    let addresses = AtomicU32::new(1);
    builder.client_address(move |_| Some(Ipv4Addr::from(addresses.fetch_add(1, Ordering::SeqCst)).into()))
}

fn with_clients(builder: Builder) -> Builder<WithReload> {
    let set = json!({ "keys": KEYS[..3].iter().map(|key| key.public.clone()).collect::<Vec<_>>() });
    builder
        .reload_blocking(|_| Some(json!({ "role": "admin" })))
        .client(
            Client::confidential("job")
                .secret(ONE)
                .secret(TWO)
                .scope("notes:read notes:write")
                .claims(json!({ "role": "admin", "shift": "night" })),
        )
        .client(
            Client::confidential("web")
                .redirect_uri("http://127.0.0.1/callback")
                .secret(WEB)
                .grants(GrantType::ALL.iter().copied()),
        )
        .client(Client::confidential("signer").jwks(set).scope("notes:read"))
}

fn server() -> (Server, Browser) {
    let server = start(|builder| aged(with_clients(builder)));
    let browser = Browser::new(&server);
    (server, browser)
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn form(browser: &Browser, fields: &[(&str, &str)]) -> Answer {
    Answer::to(browser.http.post(format!("{}/token", browser.base)).form(fields)).await
}

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{answer:?}");
    let challenge = if status == 401 { "Basic realm=\"token\"" } else { "" };
    assert_eq!((answer.header("www-authenticate"), answer.header("cache-control")), (challenge, "no-store"));
}

#[tokio::test]
async fn c21_c22_a_client_in_its_own_name() {
    let (_server, browser) = server();
    let answer = browser.post_as("/token", "job", ONE, &[GRANT, ("scope", "notes:read")]).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.json(),
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "notes:read" })
    );
    let me = browser.call("/me", Some(&token)).await.json();
    assert_eq!((&me["sub"], &me["client_id"], &me["scope"]), (&json!("job"), &json!("job"), &json!("notes:read")));
    assert_eq!(me["claims"], json!({ "role": "admin", "shift": "night", "sub": "job" }));
    assert_eq!(browser.call("/admin", Some(&token)).await.status, 200);

    // None asked for: all that it may have.
    let all = browser.post_as("/token", "job", ONE, &[GRANT]).await;
    assert_eq!(all.json()["scope"], "notes:read notes:write");
    let none = browser.post_as("/token", "web", WEB, &[GRANT]).await;
    assert_eq!((none.status, none.json().get("scope")), (200, None));
    refused(&browser.post_as("/token", "web", WEB, &[GRANT, ("scope", "notes:read")]).await, 400, "invalid_scope");
    refused(&browser.post_as("/token", "job", ONE, &[GRANT, ("scope", "none")]).await, 400, "invalid_scope");
    refused(&browser.post_as("/token", "job", ONE, &[GRANT, ("scope", "\"")]).await, 400, "invalid_scope");
    // c21: for confidential clients only
    refused(&form(&browser, &[GRANT, ("client_id", "demo")]).await, 400, "unauthorized_client");
    // and what a client without users has no use for
    for grant in [("grant_type", "authorization_code"), ("grant_type", "refresh_token")] {
        refused(&browser.post_as("/token", "job", ONE, &[grant]).await, 400, "unauthorized_client");
    }
}

/// An editor, `echo` and `openssl rand` end its line; what the client sends has no end of a line.
#[tokio::test]
async fn c17_a_secret_from_a_file_is_the_line_that_is_in_it() {
    for end in ["\n", "\r\n"] {
        let server = start(|builder| builder.client(Client::confidential("job").secret(format!("{ONE}{end}"))));
        let answer = Browser::new(&server).post_as("/token", "job", ONE, &[GRANT]).await;
        assert_eq!(answer.status, 200, "{end:?}: {answer:?}");
    }
}

#[tokio::test]
async fn c17_c19_secrets_in_the_header_or_the_body_and_never_in_the_url() {
    let (_server, browser) = server();
    let token = format!("{}/token", browser.base);
    let header =
        async |value: String| Answer::to(browser.http.post(&token).header("authorization", value).form(&[GRANT])).await;
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    for (number, secret) in [ONE, TWO].into_iter().enumerate() {
        let post = form(&browser, &[GRANT, ("client_id", "job"), ("client_secret", secret)]).await;
        assert_eq!(post.status, 200, "{number}: {post:?}");
        // RFC 6749 §2.3.1 has them encoded; clients that do not are let in as well.
        for sent in [encoded(secret), encoded(secret).replace('+', "%20"), secret.to_owned()] {
            let basic = header(format!("Basic {}", STANDARD.encode(format!("job:{sent}")))).await;
            assert_eq!(basic.status, 200, "{sent}: {basic:?}");
        }
        let lower = header(format!("basic {}", STANDARD.encode(format!("%6Aob:{}", encoded(secret))))).await;
        assert_eq!(lower.status, 200, "{lower:?}");
    }
    let same = [GRANT, ("client_id", "job")];
    assert_eq!(browser.post_as("/token", "job", ONE, &same).await.status, 200);

    for (name, value) in [
        ("a wrong secret", format!("Basic {}", STANDARD.encode("job:wrong"))),
        ("the secret of another", format!("Basic {}", STANDARD.encode(format!("job:{WEB}")))),
        ("no secret", format!("Basic {}", STANDARD.encode("job:"))),
        ("no colon", format!("Basic {}", STANDARD.encode("job"))),
        ("no UTF-8", format!("Basic {}", STANDARD.encode(b"job:\xff"))),
        ("no base64", "Basic job".to_owned()),
        ("no credentials", "Basic".to_owned()),
        ("another scheme", "Bearer abc".to_owned()),
        ("an unknown client", format!("Basic {}", STANDARD.encode(format!("ghost:{ONE}")))),
        ("a public client", format!("Basic {}", STANDARD.encode(format!("demo:{ONE}")))),
    ] {
        let answer = header(value).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        refused(&answer, 401, "invalid_client");
    }
    for fields in [
        [("client_id", "job"), ("client_secret", "wrong")],
        [("client_id", "nobody"), ("client_secret", ONE)],
        [("client_id", "demo"), ("client_secret", ONE)],
        [("client_id", "job"), ("x", "no secret at all")],
        [("client_id", "job"), ("client_secret", "")],
    ] {
        refused(&form(&browser, &[&fields[..], &[GRANT]].concat()).await, 400, "invalid_client");
    }
    let url = format!("{token}?client_id=job&client_secret={}", encoded(ONE));
    refused(&Answer::to(browser.http.post(&url).form(&[GRANT])).await, 400, "invalid_client");
    let url = format!("{token}?client_secret={}", encoded(ONE));
    refused(&Answer::to(browser.http.post(&url).form(&[GRANT, ("client_id", "job")])).await, 400, "invalid_client");

    // RFC 6749 §2.3: one way in a request
    let both = [GRANT, ("client_id", "job"), ("client_secret", ONE)];
    refused(&browser.post_as("/token", "job", ONE, &both).await, 400, "invalid_request");
    let assertion = [GRANT, ("client_assertion", "a.b.c"), ("client_assertion_type", TYPE)];
    refused(&browser.post_as("/token", "job", ONE, &assertion).await, 400, "invalid_request");
    let three = [&assertion[..], &[("client_id", "job"), ("client_secret", ONE)]].concat();
    refused(&form(&browser, &three).await, 400, "invalid_request");
    let twice = browser.http.post(&token).basic_auth("job", Some(ONE)).header("authorization", "Basic eDp5");
    refused(&Answer::to(twice.form(&[GRANT])).await, 400, "invalid_request");
    refused(&browser.post_as("/token", "job", ONE, &[GRANT, ("client_id", "web")]).await, 401, "invalid_client");
}

#[tokio::test]
async fn c17_guessing_a_client_s_secret_is_slowed_down_and_locks_no_one_out() {
    let clock = Clock::by_hand();
    let server = start(|builder| {
        with_clients(builder).clock(clock.clone()).client_address(|request| {
            request.headers().get("x-address").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok())
        })
    });
    let browser = Browser::new(&server);
    let from = async |address: &str, client: &str, secret: &str| {
        let request = browser.http.post(format!("{}/token", server.base)).header("x-address", address);
        Answer::to(request.basic_auth(client, Some(secret)).form(&[GRANT])).await
    };
    for attempt in 0..10 {
        assert_eq!(from("192.0.2.1", "job", "wrong").await.status, 401, "{attempt}");
    }
    for delay in [2_u64, 4, 8] {
        assert_eq!(from("192.0.2.1", "job", "wrong").await.status, 401, "one is let through");
        let refused = from("192.0.2.1", "job", "wrong").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, delay.to_string().as_str()), "{refused:?}");
        assert_eq!(refused.json()["error"], "temporarily_unavailable");
        for (address, client, secret) in
            [("192.0.2.1", "job", ONE), ("192.0.2.2", "job", ONE), ("192.0.2.1", "web", WEB)]
        {
            assert_eq!(from(address, client, secret).await.status, 200, "who is right is never held up");
        }
        assert_eq!(from("192.0.2.2", "job", "wrong").await.status, 401, "another address has tries of its own");
        clock.advance(Duration::from_secs(delay - 1));
        assert_eq!(from("192.0.2.1", "job", "wrong").await.status, 429);
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn c24_a_confidential_client_with_users_shows_who_it_is_at_every_step() {
    let (_server, browser) = server();
    let redirect = browser.sign_in(&[("client_id", Some("web"))], "admin", "admin123").await.redirect();
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", redirect["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let unproven = [&redeem[..], &[("client_id", "web")]].concat();
    refused(&form(&browser, &unproven).await, 400, "invalid_client");
    refused(&browser.post_as("/token", "web", "wrong", &redeem).await, 401, "invalid_client");
    let issued = browser.post_as("/token", "web", WEB, &redeem).await;
    assert_eq!(issued.status, 200, "a refusal has not spent the code: {issued:?}");
    let token = issued.json()["refresh_token"].as_str().unwrap().to_owned();
    refused(&browser.refresh(&token, &[("client_id", Some("web"))]).await, 400, "invalid_client");
    refused(&browser.refresh(&token, &[]).await, 400, "invalid_grant");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    refused(&browser.post_as("/token", "job", ONE, &refresh).await, 400, "unauthorized_client");
    assert_eq!(browser.post_as("/token", "web", WEB, &refresh).await.status, 200);
}

/// The claims of a good assertion, and a key to sign with.
struct Assertion {
    claims: Value,
    header: Header,
}

fn now() -> u64 {
    Clock::system().now().seconds()
}

impl Assertion {
    fn new(issuer: &str) -> Assertion {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let id = NUMBER.fetch_add(1, Ordering::SeqCst);
        let claims = json!({
            "iss": "signer", "sub": "signer", "aud": issuer, "iat": now(), "exp": now() + 60, "jti": id.to_string()
        });
        Assertion { claims, header: Header::new(Algorithm::ES256) }
    }

    fn with(mut self, name: &str, value: Value) -> Assertion {
        self.claims[name] = value;
        if self.claims[name].is_null() {
            self.claims.as_object_mut().unwrap().remove(name);
        }
        self
    }

    fn sign(&self, key: &Key) -> String {
        let header = Header { alg: key.algorithm, ..self.header.clone() };
        jsonwebtoken::encode(&header, &self.claims, &key.private).unwrap()
    }
}

async fn assert_with(browser: &Browser, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[GRANT, ("client_assertion_type", TYPE), ("client_assertion", assertion)], more].concat();
    form(browser, &fields).await
}

#[tokio::test]
async fn c17_private_key_jwt_by_each_kind_of_key_and_once_only() {
    let (_server, browser) = server();
    for key in &KEYS[..3] {
        let assertion = Assertion::new(&browser.base).sign(key);
        let answer = assert_with(&browser, &assertion, &[]).await;
        assert_eq!((answer.status, &answer.json()["scope"]), (200, &json!("notes:read")), "{answer:?}");
        refused(&assert_with(&browser, &assertion, &[]).await, 400, "invalid_client");
    }
    let good = || Assertion::new(&browser.base);
    let mut typed = good();
    typed.header.typ = Some("client-authentication+jwt".into());
    typed.header.kid = Some("ec".into());
    let audience = json!([browser.base]);
    // RFC 7519 §2: times may have fractions.
    let (at, until) = (now() as f64 + 1.25, now() as f64 + 60.5);
    let exact = good().with("iat", json!(at)).with("nbf", json!(at)).with("exp", json!(until));
    for assertion in [typed, exact, good().with("aud", audience), good().with("nbf", json!(now()))] {
        let answer = assert_with(&browser, &assertion.sign(&KEYS[0]), &[("client_id", "signer")]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn c42_an_assertion_of_the_stores_first_second_may_have_been_spent_before() {
    let clock = Clock::by_hand();
    let server = start(|builder| with_clients(builder).store(watched(clock.clone())).clock(clock.clone()));
    let browser = Browser::new(&server);
    let born = clock.now().seconds();
    let of =
        |at: u64| Assertion::new(&browser.base).with("iat", json!(at)).with("exp", json!(born + 60)).sign(&KEYS[0]);
    refused(&assert_with(&browser, &of(born), &[]).await, 400, "invalid_client");
    // A clock that is ahead makes it no younger: one that may be ahead by ten seconds has to be younger by more.
    refused(&assert_with(&browser, &of(born + 10), &[]).await, 400, "invalid_client");
    clock.advance(Duration::from_secs(1));
    assert_eq!(assert_with(&browser, &of(born + 11), &[]).await.status, 200);
}

/// Another client cannot use up the ids that a client may draw.
#[tokio::test]
async fn c17_each_client_has_ids_of_its_own_for_its_assertions() {
    let set = json!({ "keys": [KEYS[1].public] });
    let second = Client::confidential("second").jwks(set).scope("notes:read");
    let server = start(|builder| aged(with_clients(builder).client(second)));
    let browser = Browser::new(&server);
    let first = Assertion::new(&browser.base).with("jti", json!("1"));
    let second = Assertion::new(&browser.base).with("jti", json!("1"));
    let second = second.with("iss", json!("second")).with("sub", json!("second"));
    for (assertion, key) in [(first, &KEYS[0]), (second, &KEYS[1])] {
        assert_eq!(assert_with(&browser, &assertion.sign(key), &[]).await.status, 200);
        refused(&assert_with(&browser, &assertion.sign(key), &[]).await, 400, "invalid_client");
    }
}

#[tokio::test]
async fn c17_an_assertion_is_valid_before_its_expiry_and_not_at_it() {
    let clock = Clock::by_hand();
    let server = start(|builder| with_clients(builder).store(watched(clock.clone())).clock(clock.clone()));
    let browser = Browser::new(&server);
    clock.advance(Duration::from_secs(60));
    let now = clock.now().seconds();
    for (exp, status) in [(now, 400), (now + 1, 200), (now + 300, 200), (now + 301, 200)] {
        let assertion = Assertion::new(&browser.base).with("iat", json!(now)).with("exp", json!(exp)).sign(&KEYS[0]);
        assert_eq!(assert_with(&browser, &assertion, &[]).await.status, status, "{exp} at {now}");
    }
}

/// Libraries date them for five minutes by a clock that is a little ahead, or for an hour.
#[tokio::test]
async fn c17_an_assertion_ends_five_minutes_after_its_issue_whatever_it_says() {
    let clock = Clock::by_hand();
    // From an address of its own each, so that none is too many.
    let server =
        start(|builder| from_an_address_each(with_clients(builder)).store(watched(clock.clone())).clock(clock.clone()));
    let browser = Browser::new(&server);
    clock.advance(Duration::from_secs(600));
    let now = clock.now().seconds();
    let signed = |iat: u64, lives: u64| {
        let assertion = Assertion::new(&browser.base).with("jti", json!(format!("{iat} {lives}")));
        assertion.with("iat", json!(iat)).with("exp", json!(iat + lives)).sign(&KEYS[0])
    };
    let day = 24 * 3600;
    for (iat, lives, status) in [
        (now + 1, 300, 200),
        (now + 10, 300, 200),
        (now + 11, 300, 400),
        (now, 3600, 200),
        (now + 10, 3600, 200),
        (now - 299, 3600, 200),
        (now - 300, 3600, 400),
        (now - 299, 365 * day, 200),
        (now - 301, 365 * day, 400),
    ] {
        let answer = assert_with(&browser, &signed(iat, lives), &[]).await;
        assert_eq!(answer.status, status, "{iat} for {lives} at {now}: {answer:?}");
    }
    // Each is remembered for as long as it is good.
    let (ahead, long) = (signed(now + 10, 300), signed(now, 3600));
    for _ in 0..312 {
        clock.advance(Duration::from_secs(1));
        for used in [&ahead, &long] {
            refused(&assert_with(&browser, used, &[]).await, 400, "invalid_client");
        }
    }
}

#[tokio::test]
async fn c17_assertions_that_prove_nothing() {
    let clock = Clock::by_hand_ago(Duration::from_secs(60));
    let spy = watched(clock.clone());
    let store = spy.clone();
    clock.advance(Duration::from_secs(60));
    // From an address of its own each, so that what is refused is refused for what it is.
    let server = start(|builder| from_an_address_each(with_clients(builder)).store(store).clock(clock));
    let browser = Browser::new(&server);
    let good = || Assertion::new(&browser.base);
    let typed = |typ: &str| {
        let mut assertion = good();
        assertion.header.typ = Some(typ.to_owned());
        assertion
    };
    let mut other_key = good();
    other_key.header.kid = Some("rsa".into());
    let access = browser.post_as("/token", "job", ONE, &[GRANT]).await.json()["access_token"].clone();
    let signed = good().sign(&KEYS[0]);
    let (head, rest) = signed.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let part = |json: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string());
    let none = part(json!({ "alg": "none", "typ": "JWT" }));
    let crit = part(json!({ "alg": "ES256", "crit": ["x"], "x": 1 }));
    let hmac = Header::new(Algorithm::HS256);
    let public = EncodingKey::from_secret(KEYS[0].public.to_string().as_bytes());
    let hmac = jsonwebtoken::encode(&hmac, &good().claims, &public).unwrap();
    let before = spy.calls(&[Verb::Swap]);
    for (name, assertion) in [
        ("an unregistered key", good().sign(&KEYS[3])),
        ("a key of another name", other_key.sign(&KEYS[0])),
        ("no signature", format!("{head}.{payload}.")),
        ("the algorithm none", format!("{none}.{payload}.")),
        ("a public key as a secret", hmac),
        ("an extension", format!("{crit}.{payload}.{signature}")),
        ("another payload", format!("{head}.{}.{signature}", part(good().claims))),
        ("another type", typed("at+jwt").sign(&KEYS[0])),
        ("an access token", access.as_str().unwrap().to_owned()),
        ("two parts", format!("{head}.{payload}")),
        ("a word", "assertion".to_owned()),
        ("no issuer", good().with("iss", json!(null)).sign(&KEYS[0])),
        ("another issuer", good().with("iss", json!("job")).sign(&KEYS[0])),
        ("another subject", good().with("sub", json!("job")).sign(&KEYS[0])),
        ("an unknown subject", good().with("sub", json!("nobody")).sign(&KEYS[0])),
        ("no audience", good().with("aud", json!(null)).sign(&KEYS[0])),
        ("the token endpoint", good().with("aud", json!(format!("{}/token", browser.base))).sign(&KEYS[0])),
        ("two audiences", good().with("aud", json!([browser.base, "https://other.example"])).sign(&KEYS[0])),
        ("another audience", good().with("aud", json!("https://other.example")).sign(&KEYS[0])),
        ("no expiry", good().with("exp", json!(null)).sign(&KEYS[0])),
        ("an expiry that is past", good().with("exp", json!(now() - 40)).sign(&KEYS[0])),
        ("an expiry before 1970", good().with("exp", json!(-1)).sign(&KEYS[0])),
        ("an expiry before 1970 by half a second", good().with("exp", json!(-0.5)).sign(&KEYS[0])),
        ("an expiry without an end", good().with("exp", json!(1e300)).sign(&KEYS[0])),
        ("no time", good().with("iat", json!(null)).sign(&KEYS[0])),
        ("a time to come", good().with("iat", json!(now() + 45)).sign(&KEYS[0])),
        ("from before the server", good().with("iat", json!(now() - 100)).sign(&KEYS[0])),
        ("not yet", good().with("nbf", json!(now() + 45)).sign(&KEYS[0])),
        ("a time that is none", good().with("nbf", json!("now")).sign(&KEYS[0])),
        ("no id", good().with("jti", json!(null)).sign(&KEYS[0])),
        ("a long id", good().with("jti", json!("x".repeat(257))).sign(&KEYS[0])),
    ] {
        let answer = assert_with(&browser, &assertion, &[]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_client")), "{name}: {answer:?}");
        assert_eq!(spy.calls(&[Verb::Swap]), before, "{name}: no id was spent");
    }
    let assertion = good().sign(&KEYS[0]);
    let other = [GRANT, ("client_assertion_type", "urn:x"), ("client_assertion", assertion.as_str())];
    refused(&form(&browser, &other).await, 400, "invalid_client");
    refused(&form(&browser, &other[..2]).await, 400, "invalid_request");
    refused(&form(&browser, &[GRANT, other[2]]).await, 400, "invalid_request");
    refused(&assert_with(&browser, &assertion, &[("client_id", "job")]).await, 400, "invalid_client");
    assert_eq!(
        assert_with(&browser, &assertion, &[("client_id", "signer")]).await.status,
        200,
        "it was good all along"
    );
}

#[tokio::test]
async fn c21_metadata_says_how_clients_show_who_they_are() {
    let (_server, browser) = server();
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let grants = json!(["authorization_code", "refresh_token", "client_credentials", device]);
    assert_eq!(metadata["grant_types_supported"], grants);
    let proofs = json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    let methods = json!(["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]);
    for (endpoint, path, methods) in
        [("token", "token", &methods), ("revocation", "revoke", &methods), ("introspection", "introspect", &proofs)]
    {
        assert_eq!(metadata[format!("{endpoint}_endpoint")], format!("{}/{path}", browser.base));
        assert_eq!(&metadata[format!("{endpoint}_endpoint_auth_methods_supported")], methods, "{endpoint}");
        let algorithms = &metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
        assert_eq!(algorithms, &json!(["ES256", "EdDSA", "RS256"]), "{endpoint}");
    }
}
