//! Users and clients of other servers, as the page on migrating takes them over: hashes that those servers made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix_web::web;
use jsonwebtoken::{DecodingKey, EncodingKey, Header};
use oauth_runtime::Clock;
use oauth_tests::{Answer, Browser, free_port, serve, serve_service, start};
use serde_json::{Value, json};

use crate::shown::migrating_clients;
use crate::shown::migrating_hashes::{Users, from_keycloak, is_right, sign_in};
use crate::shown::migrating_login::{self, OldTokens};
use crate::shown::migrating_paths;

/// Its letters are not all ASCII.
const PASSWORD: &str = "correct horse €";

/// Of [`PASSWORD`], by Django 5.2 (`make_password`), `bcrypt` 5.0 as Auth0 exports it, and argon2-cffi 25.1.
const HASHES: [(&str, &str); 8] = [
    (
        "django-pbkdf2-sha256",
        "pbkdf2_sha256$1000000$G5Vm9hBrExbAAbumTNCGmO$9xSTTLq5RuCYUSy6ie89T3Y14HpZxCSQ51HP1hIWLvA=",
    ),
    ("django-pbkdf2-sha1", "pbkdf2_sha1$1000000$8lnYMk3wO33qDJb5eJcqcv$52oI1z4rboFX47DhKVVOLYuuoVY="),
    (
        "django-argon2",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$dWR4bnBERFZTY3NGMzd6dFZpamltdw$vWHHOzo/m1OCRQ6mMRrvU+pAtDYGT/aQ6WQNt9tl/F8",
    ),
    ("django-bcrypt-sha256", "bcrypt_sha256$$2b$12$NztL5T6ZQv09xOEmESXxfuhZc09qqfb.1zqzF2v7YhvHXVlo9J4t6"),
    ("django-bcrypt", "bcrypt$$2b$12$0FNADAy7z7oqNmd.sdY.XOW3gkC3VLz7dROMqmWiYTrtww7r8CLUO"),
    (
        "django-scrypt",
        "scrypt$16384$uiaxam6Ok1h7Uyy0v9UBet$8$5$BcYHbzhu/3qH7vZRxa6tGJWFwaiSV+rGUP5cWRcA0sRRhIvZJ6svuu+G7utpZpDCxA5ce//MJndWRg42rhl05w==",
    ),
    ("auth0", "$2b$10$pP53PDrTpkVw.kbE0ZiyI.p.uToJJUyI2rFa9JidjTVV9ovY5gZXO"),
    ("passlib", "$2a$10$kobEwfNF6NjtBqyuO65GBuaHhmnscsBG1pGt1pAsfIAZGnnA2Rci."),
];

/// The rows of Keycloak's table `credential`: hashes of the same password, by the functions and parameters of its providers.
const KEYCLOAK: [(&str, &str, &str); 4] = [
    (
        "keycloak-pbkdf2-sha512",
        r#"{"value":"nkP/JyQ8rL0Zml51AkIsDG0hspX9xRZxAaEhvsZnTQct3ly6xJ+SXlA6MGj+rLHLR4nE1pblJAuJHCWuUJCKOw==","salt":"gZK0BSRrYu0fIm1SNNfs+Q==","additionalParameters":{}}"#,
        r#"{"hashIterations":210000,"algorithm":"pbkdf2-sha512","additionalParameters":{}}"#,
    ),
    (
        "keycloak-pbkdf2-sha256",
        r#"{"value":"WappBzlqWnaqYa1UtDNzOj4O3vc63NiJ65did6BmP+lh4KHlVNHFtvG/U0I5xbEcvWVSsTfzpwntDgs5mxXfoA==","salt":"mGCBJhcRBzEOTqjHifPjSA==","additionalParameters":{}}"#,
        r#"{"hashIterations":27500,"algorithm":"pbkdf2-sha256","additionalParameters":{}}"#,
    ),
    (
        "keycloak-pbkdf2",
        r#"{"value":"C4FPHG1n/iW8pAP3r8p+V69bH4BikXk0ehHt6Mi/of4i4EB5WvMIWj1qfUOmXNS0zbwxpu/23L0QSY5rIhk4nw==","salt":"C55VVHjLn/7by/rEf3rl5Q==","additionalParameters":{}}"#,
        r#"{"hashIterations":20000,"algorithm":"pbkdf2","additionalParameters":{}}"#,
    ),
    (
        "keycloak-argon2",
        r#"{"value":"JYQjKPCvSl8dXoQP+iSmvUg7CpT90tTReubcL0JkePY=","salt":"Ba1+r1PxSQgS0V47Bd1Dtg==","additionalParameters":{}}"#,
        r#"{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}"#,
    ),
];

#[derive(Default)]
struct Table(Mutex<BTreeMap<String, String>>);

impl Users for Table {
    fn find(&self, name: &str) -> Option<(String, String)> {
        self.0.lock().unwrap().get(name).map(|hash| (name.to_owned(), hash.clone()))
    }

    fn replace_hash(&self, subject: &str, old: &str, new: &str) {
        let mut table = self.0.lock().unwrap();
        let row = table.get_mut(subject).unwrap();
        if row == old {
            new.clone_into(row);
        }
    }
}

/// Every user of the old system, with the hash that goes into the table.
fn moved() -> BTreeMap<String, String> {
    let rows = HASHES.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned()));
    let of_keycloak = KEYCLOAK.map(|(name, secret, data)| (name.to_owned(), from_keycloak(secret, data).unwrap()));
    rows.chain(of_keycloak).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_other_servers_sign_in_and_their_hashes_become_those_of_today() {
    let table = Arc::new(Table(Mutex::new(moved())));
    let of_server = Arc::clone(&table);
    let server = start(|builder| builder.authenticate_blocking(move |login| sign_in(&*of_server, &login)));
    for (name, before) in moved() {
        let browser = Browser::new(&server);
        assert_eq!(browser.sign_in(&[], &name, "another").await.status, 401, "{name}");
        assert_eq!(table.find(&name).unwrap().1, before, "a wrong password changes nothing");
        assert_eq!(browser.sign_in(&[], &name, PASSWORD).await.status, 303, "{name}: {before}");
        let (_, now) = table.find(&name).unwrap();
        assert!(now.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && now != before, "{name}: {now}");
        // By the new hash, which stays.
        let browser = Browser::new(&server);
        assert_eq!(browser.sign_in(&[], &name, PASSWORD).await.status, 303, "{name}");
        assert_eq!(table.find(&name).unwrap().1, now);
        assert_eq!(Browser::new(&server).sign_in(&[], &name, "another").await.status, 401, "{name}");
    }
    assert_eq!(Browser::new(&server).sign_in(&[], "no one of these", PASSWORD).await.status, 401);
}

#[test]
fn a_hash_of_an_unknown_kind_is_told_from_a_wrong_password() {
    for (hash, right) in [
        (HASHES[0].1, Some(true)),
        ("md5$salt$hash", None),
        ("", None),
        ("!", None),
        ("plain text", None),
        ("keycloak$pbkdf3$1$$", None),
        ("pbkdf2_sha256$0$salt$aGFzaA==", None),
        ("pbkdf2_sha256$many$salt$aGFzaA==", None),
        ("scrypt$16385$salt$8$5$aGFzaA==", None),
        ("$2b$10$short", None),
        // What would take the memory or the minutes of the process.
        ("scrypt$1073741824$salt$8$1$AAAAAAAAAAAAAAAAAAAAAA==", None),
        ("scrypt$16384$salt$8$17$AAAAAAAAAAAAAAAAAAAAAA==", None),
        ("pbkdf2_sha256$4294967295$salt$AAAAAAAAAAAAAAAAAAAAAA==", None),
        (
            "$argon2id$v=19$m=4294967295,t=2,p=1$gZK0BSRrYu0fIm1SNNfs+Q$L+Snmjx9keCRoaaFDJhTpk3z1OCH8wMFhYxkM98FdpY",
            None,
        ),
        ("$2b$31$nOUIs5kJ7naTuTFkBy1veuK0kSxUFXfuaOKdOKf9xYT0KKIGSJwFa", None),
        ("bcrypt$$2b$31$nOUIs5kJ7naTuTFkBy1veuK0kSxUFXfuaOKdOKf9xYT0KKIGSJwFa", None),
        // Cut off, and so easy to guess.
        ("pbkdf2_sha256$1000$salt$", None),
        ("pbkdf2_sha256$1000$salt$aGFzaA==", None),
        ("scrypt$16384$salt$8$5$", None),
        ("scrypt$16384$salt$8$5$aGFzaA==", None),
    ] {
        assert_eq!(is_right(PASSWORD, hash), right, "{hash}");
    }
    assert_eq!(from_keycloak("{}", "{}"), None);
    // The name that there is not takes as long: its hash is one.
    let (_, rest) = include_str!("shown/migrating_hashes.rs").split_once("const OF_NO_ONE: &str =\n    \"").unwrap();
    assert_eq!(is_right("x", rest.split('"').next().unwrap()), Some(false));
}

/// The key of RFC 7515 §A.3.
const KEYS_OF_A_CLIENT: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// A client as `kc.sh export` writes it, but for what is not read.
fn exported(change: Value) -> Value {
    let mut client = json!({ "clientId": "team", "name": "", "enabled": true, "publicClient": false,
        "standardFlowEnabled": true, "secret": "9vX2hT4kLmQ8sR1wZ7bN3cJ6fD0gAyEu", "redirectUris": ["https://team.example/cb"],
        "attributes": { "post.logout.redirect.uris": "https://team.example/##+" } });
    for (name, value) in change.as_object().unwrap() {
        client[name] = value.clone();
    }
    client
}

#[tokio::test]
async fn clients_of_keycloak_are_registered_and_a_pattern_of_redirects_is_refused() {
    let registered = |client: &Value| migrating_clients::from_keycloak(client).unwrap().unwrap();
    let team = registered(&exported(json!({})));
    let page =
        exported(json!({ "clientId": "page", "publicClient": true, "redirectUris": ["https://page.example/cb"] }));
    let page = registered(&page);
    let server = start(|builder| builder.client(team).client(page));
    let browser = Browser::new(&server);
    let of = [("client_id", Some("team")), ("redirect_uri", Some("https://team.example/cb"))];
    let code = browser.sign_in(&of, "admin", "admin123").await.redirect()["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://team.example/cb"),
        ("code_verifier", oauth_tests::VERIFIER),
    ];
    let issued = browser.post_as("/token", "team", "9vX2hT4kLmQ8sR1wZ7bN3cJ6fD0gAyEu", &form).await;
    assert_eq!(issued.status, 200, "{issued:?}");

    for change in [json!({ "standardFlowEnabled": false }), json!({ "enabled": false })] {
        assert!(migrating_clients::from_keycloak(&exported(change.clone())).unwrap().is_none(), "{change}");
    }
    // A secret that no one authenticates by does not become one.
    for kind in ["client-jwt", "client-x509", "client-secret-jwt"] {
        let refused = migrating_clients::from_keycloak(&exported(json!({ "clientAuthenticatorType": kind })));
        assert!(refused.unwrap_err().contains(kind));
    }
    assert!(migrating_clients::from_keycloak(&exported(json!({ "secret": null }))).is_err());
    let of_key = json!({ "clientAuthenticatorType": "client-jwt",
        "attributes": { "use.jwks.string": "true", "jwks.string": KEYS_OF_A_CLIENT } });
    let builder = oauth_tests::builder("http://127.0.0.1:9").client(registered(&exported(of_key)));
    assert!(builder.build().is_ok());
    let anywhere = exported(json!({ "redirectUris": ["https://team.example/*"] }));
    let builder = oauth_tests::builder("http://127.0.0.1:9");
    let refused = builder.client(registered(&anywhere)).build().unwrap_err().to_string();
    assert!(refused.contains("https://team.example/*"), "{refused}");
    // What the console of the administrators exports.
    let masked = exported(json!({ "secret": "**********" }));
    let builder = oauth_tests::builder("http://127.0.0.1:9");
    assert!(builder.client(registered(&masked)).build().is_err());
}

#[tokio::test]
async fn the_addresses_of_before_can_stay() {
    let (listener, base) = free_port();
    let _server = serve_service(listener, &migrating_paths::oauth().unwrap());
    let url = format!("{base}/realms/notes/.well-known/openid-configuration");
    let metadata = Answer::to(oauth_tests::without_cookies().get(url)).await.json();
    let of = |member: &str| metadata[member].as_str().unwrap().to_owned();
    let before = "https://id.example/realms/notes/protocol/openid-connect";
    assert_eq!(of("issuer"), "https://id.example/realms/notes");
    for (member, path) in [
        ("authorization_endpoint", "auth"),
        ("token_endpoint", "token"),
        ("userinfo_endpoint", "userinfo"),
        ("end_session_endpoint", "logout"),
        ("revocation_endpoint", "revoke"),
    ] {
        assert_eq!(of(member), format!("{before}/{path}"));
    }
}

/// The tokens of the old login open the old route until its end, and nothing else; those of the service the other.
#[tokio::test]
async fn old_tokens_open_what_checks_them_itself_until_their_end() {
    let secret = b"the old secret key of thirty-two";
    let old_token = |secret: &[u8], lasts: u64| {
        let exp = Clock::system().now().seconds() + lasts;
        let claims = json!({ "sub": "ada", "exp": exp, "role": "admin" });
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let app = |until| {
        let (listener, base) = free_port();
        let oauth = migrating_login::oauth(&base).unwrap();
        serve(listener, move |app| {
            let old = web::Data::new(OldTokens { key: DecodingKey::from_secret(secret), until });
            let closed = web::scope("").wrap(oauth.closed());
            app.configure(oauth.routes()).app_data(old).route("/login", web::post().to(|| async { "the old login" }));
            app.service(closed.service((migrating_login::notes, migrating_login::notes_before)));
        })
    };
    let server = app(u64::MAX);
    let browser = Browser::new(&server);
    let page = browser.authorize(&[("client_id", Some("app")), ("redirect_uri", Some(APP))]).await;
    let form = page.form();
    let fields = [("request", &*form), ("username", "ada"), ("password", "ada123")];
    let signed_in = Answer::to(browser.http.post(format!("{}/oauth/login", browser.base)).form(&fields)).await;
    let code = signed_in.redirect()["code"].clone();
    let changes = [("client_id", Some("app")), ("redirect_uri", Some(APP))];
    let new = browser.redeem(&code, &changes).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(Answer::to(browser.http.post(format!("{}/login", browser.base))).await.body, "the old login");
    let old = old_token(secret, 3600);
    for (path, token, status) in [
        ("/v2/notes", Some(&new), 200),
        ("/v2/notes", Some(&old), 401),
        ("/notes", Some(&old), 200),
        ("/notes", Some(&new), 401),
        ("/notes", Some(&old_token(b"another secret key of thirty-two", 3600)), 401),
        ("/notes", None, 401),
    ] {
        let answer = browser.call(path, token.map(String::as_str)).await;
        assert_eq!(answer.status, status, "{path} {answer:?}");
        assert!(status != 200 || answer.body == "the notes of ada", "{answer:?}");
    }
    let ended = app(Clock::system().now().seconds());
    assert_eq!(Browser::new(&ended).call("/notes", Some(&old)).await.status, 401);
}

const APP: &str = "com.example.app:/callback";
