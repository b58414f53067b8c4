//! Who reads what of a token: clients, guards, other servers, and those who ask.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, Responder, get};
use oauth_runtime::states::WithReload;
use oauth_runtime::{
    AccessToken, Builder, Claims, Client, Keys, Login, Refusal, SigningKey, policy, require_claim, require_token,
};
use oauth_tests::{Browser, SECRET, Server, builder, free_port, handlers, serve};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const PARTNER: &str = "https://partner.example/cb";
const FILES: &str = "https://files.example";
const MAIL: &str = "https://mail.example";

#[derive(Serialize, Deserialize)]
struct User {
    sub: String,
    role: String,
    email: String,
}

#[require_claim(User { role, .. } if role == "admin")]
#[get("/typed")]
async fn typed(Claims(user): Claims<User>) -> impl Responder {
    user.email
}

#[require_claim(email = "admin@example.com", sub = path.who)]
#[get("/of/{who}")]
async fn of_path() -> impl Responder {
    "theirs"
}

#[require_token]
#[get("/within")]
async fn within(token: AccessToken, Claims(claims): Claims) -> Result<HttpResponse, Refusal> {
    token.satisfies(policy!(role = "admin"))?;
    Ok(HttpResponse::Ok().json(json!({ "session": token.session_id(), "claims": claims })))
}

#[require_claim(role = "admin", scope = "notes:write", fresh = "1h")]
#[get("/with_scope")]
async fn with_scope() -> impl Responder {
    "both"
}

#[require_claim(any(all(role = "admin", scope = "notes:read"), scope = "notes:write"))]
#[get("/either")]
async fn either() -> impl Responder {
    "one of them"
}

/// Of which a user who is no admin has another shape.
#[derive(Deserialize)]
struct Staff {
    badge: u64,
}

#[require_claim(Staff { badge: 100.. })]
#[get("/staff")]
async fn staff() -> impl Responder {
    "staff"
}

fn more(app: &mut ServiceConfig) {
    app.service((typed, of_path, within, with_scope, either, staff));
}

fn user(name: &str) -> Value {
    json!({ "sub": name, "role": if name == "admin" { "admin" } else { "user" }, "permissions": ["read"],
            "badge": if name == "admin" { json!(1) } else { json!("none") }, "name": format!("The {name}"), "email": format!("{name}@example.com"), "department": "secret affairs" })
}

/// A third party's clients and one of the service's own, which may ask for all that there is.
fn with_readers(builder: Builder, own: &str) -> Builder<WithReload> {
    let partner = |id: &str| {
        let client = Client::public(id).redirect_uri(PARTNER).third_party();
        client.allow_scopes("notes:read notes:write profile roles").allow_resources([own, FILES, MAIL])
    };
    builder
        .keys(Keys::new(SigningKey::generate().unwrap()))
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .scope("roles", "Know what you may do")
        .releases(["role", "permissions"])
        .own_resource(FILES)
        .resource(MAIL)
        .authenticate(async |login: Login| {
            (*login.password == *format!("{}123", login.username)).then(|| user(&login.username))
        })
        .reload(async |subject: &str| Some(user(subject)))
        .client(partner("partner"))
        .client(partner("second"))
        .client(Client::public("shop").redirect_uri("https://shop.example/cb").claims_in_id_tokens())
        .client(Client::confidential("api").secret(SECRET).resource_server(own))
        .client(Client::confidential("mail").secret(SECRET).resource_server(MAIL))
        .client(Client::confidential("files").secret(SECRET).resource_server(FILES))
        .client(Client::confidential("stranger").secret(SECRET))
}

fn start(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> Server {
    let (listener, base) = free_port();
    let oauth = change(with_readers(builder(&base), &base)).build().unwrap();
    serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers).configure(more);
    })
}

async fn issued(browser: &Browser, client: &str, asked: &[(&str, Option<&str>)]) -> Value {
    let uri = if client == "shop" { "https://shop.example/cb" } else { PARTNER };
    let client = [("client_id", Some(client)), ("redirect_uri", Some(uri))];
    // By the session, if there is one.
    let mut answer = browser.authorize(&[&client, asked].concat()).await;
    if answer.body.contains("type=\"password\"") {
        answer = browser.login(&answer.form(), "admin", "admin123").await;
    }
    if answer.status == 200 {
        answer = browser.consent(&answer.form(), "allow").await;
    }
    let answer = browser.redeem(&answer.redirect()["code"], &client).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn open(token: &Value) -> Value {
    crate::sessions::claims(token)
}

/// Sorted, whether serde_json sorts or keeps an order.
fn names(claims: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

const PROTOCOL: [&str; 11] =
    ["amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "sub"];

fn protocol_and(more: &[&'static str]) -> Vec<&'static str> {
    let mut names = [&PROTOCOL[..], more].concat();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn c44_a_third_party_reads_what_it_was_granted_and_guards_read_it_all() {
    for cache in [16 << 20, 0] {
        let server = start(|builder| builder.token_cache(cache));
        let browser = Browser::new(&server);
        for (scope, readable) in [
            ("notes:read", &["sealed"][..]),
            ("notes:read profile", &["name", "sealed"]),
            ("notes:read roles", &["permissions", "role", "sealed"]),
        ] {
            let token = issued(&browser, "partner", &[("scope", Some(scope))]).await;
            let claims = open(&token["access_token"]);
            assert_eq!(names(&claims), protocol_and(readable), "{scope}");
            let token = token["access_token"].as_str().unwrap();
            // The second time from the cache.
            for _ in 0..2 {
                let me = browser.call("/me", Some(token)).await.json();
                assert_eq!(me["claims"], user("admin"), "{scope}");
                for path in ["/admin", "/notes", "/stacked", "/of/admin"] {
                    assert_eq!(browser.call(path, Some(token)).await.status, 200, "{path}");
                }
                assert_eq!(browser.call("/of/other", Some(token)).await.status, 403);
                assert_eq!(browser.call("/typed", Some(token)).await.body, "admin@example.com");
                assert_eq!(browser.call("/within", Some(token)).await.json()["claims"], user("admin"));
            }
        }
    }
}

#[tokio::test]
async fn c44_the_session_has_another_name_for_each_third_party_and_none_reads_the_grant() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let scope = [("scope", Some("openid notes:read"))];
    let (first, second, own) = (
        issued(&browser, "partner", &scope).await,
        issued(&browser, "second", &scope).await,
        issued(&browser, "shop", &scope).await,
    );
    let sid = |issued: &Value, which: &str| open(&issued[which])["sid"].as_str().unwrap().to_owned();
    assert_ne!(sid(&first, "access_token"), sid(&second, "access_token"));
    assert_ne!(sid(&first, "access_token"), sid(&own, "access_token"));
    for issued in [&first, &second, &own] {
        assert_eq!(sid(issued, "access_token"), sid(issued, "id_token"));
        let told = browser.call("/within", issued["access_token"].as_str()).await.json();
        assert_eq!(told["session"], sid(&own, "access_token"), "guards know the session itself");
    }
    let refreshed = browser.refresh(first["refresh_token"].as_str().unwrap(), &[("client_id", Some("partner"))]).await;
    assert_eq!(sid(&refreshed.json(), "access_token"), sid(&first, "access_token"), "it stays the same");

    // What it shows of its own ends its own, without the browser.
    let hint = format!("/logout?id_token_hint={}", first["id_token"].as_str().unwrap());
    assert_eq!(Browser::new(&server).call(&hint, None).await.status, 200);
    for (issued, status) in [(&first, 401), (&second, 200), (&own, 200)] {
        assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, status);
    }
    // The end of the session ends them all.
    let hint = format!("/logout?id_token_hint={}", own["id_token"].as_str().unwrap());
    browser.call(&hint, None).await;
    for issued in [&second, &own] {
        assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);
    }
}

#[tokio::test]
async fn c44_a_server_of_the_authors_own_reads_all_and_one_of_somebody_else_what_was_granted() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let own = server.base.as_str();
    for (resources, is_open) in
        [(&[FILES][..], true), (&[FILES, own], true), (&[MAIL], false), (&[own], false), (&[], false)]
    {
        let mut asked = vec![("scope", Some("notes:read"))];
        asked.extend(resources.iter().map(|resource| ("resource", Some(*resource))));
        let claims = open(&issued(&browser, "partner", &asked).await["access_token"]);
        assert_eq!(claims.get("department").is_some(), is_open, "{resources:?}: {claims}");
        assert_eq!(claims.get("sealed").is_none(), is_open, "{resources:?}: {claims}");
    }
}

#[tokio::test]
async fn c44_a_server_of_the_authors_own_reads_nothing_by_which_clients_could_compare_sessions() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let own = server.base.as_str();
    let both = [("scope", Some("notes:read")), ("resource", Some(FILES)), ("resource", Some(own))];
    let (first, second) = (issued(&browser, "partner", &both).await, issued(&browser, "second", &both).await);
    let [one, other] = [&first, &second].map(|issued| open(&issued["access_token"]));
    assert_ne!(one["sid"], other["sid"]);
    for claims in [&one, &other] {
        assert_eq!(claims["department"], "secret affairs");
        for name in ["gid", "as_of", "renewable", "sealed"] {
            assert_eq!(claims.get(name), None, "{name}: {claims}");
        }
    }
    // Guards here know the session and the grant, and that it has ended.
    let token = first["access_token"].as_str();
    let told = browser.call("/within", token).await.json();
    assert_eq!(told["claims"], user("admin"));
    assert_ne!(told["session"], one["sid"]);
    let revoke = format!("token={}&client_id=partner", token.unwrap());
    assert_eq!(browser.post("/revoke", revoke).await.status, 200);
    assert_eq!(browser.call("/within", token).await.status, 401);
    // An own client's says all, as before.
    assert!(open(&issued(&browser, "shop", &both).await["access_token"]).get("gid").is_some());
}

#[tokio::test]
async fn c44_a_refusal_tells_a_client_nothing_of_a_claim_that_it_cannot_read() {
    let server = start(|builder| builder);
    let with = async |name: &str, client: &str, scope: &str| {
        let asked = [("client_id", Some(client)), ("redirect_uri", Some(PARTNER)), ("scope", Some(scope))];
        let browser = Browser::new(&server);
        let mut answer = browser.sign_in(&asked, name, &format!("{name}123")).await;
        if answer.status == 200 {
            answer = browser.consent(&answer.form(), "allow").await;
        }
        browser.redeem(&answer.redirect()["code"], &asked).await.json()["access_token"].as_str().unwrap().to_owned()
    };
    let browser = Browser::new(&server);
    for (path, scope, needed) in [
        ("/with_scope", "notes:read", Some("notes:write")),
        ("/either", "profile", Some("notes:read")),
        ("/staff", "notes:read", None),
    ] {
        let mut answers = Vec::new();
        for name in ["admin", "user"] {
            let refused = browser.call(path, Some(&with(name, "partner", scope).await)).await;
            let challenge = refused.challenge();
            assert_eq!((refused.status, challenge["error"].as_str()), (403, "insufficient_scope"), "{path} {name}");
            assert_eq!(challenge.get("scope").map(String::as_str), needed, "{path} {name}");
            answers.push((challenge, refused.body));
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
    // With all that a scope can give, it is not sent for it again; where another way in is left, for that.
    let user = with("user", "partner", "notes:read notes:write").await;
    assert_eq!(browser.call("/with_scope", Some(&user)).await.challenge().get("scope"), None);
    let user = with("user", "partner", "notes:read").await;
    assert_eq!(browser.call("/either", Some(&user)).await.challenge()["scope"], "notes:write");
    assert_eq!(browser.call("/either", Some(&with("user", "partner", "notes:write").await)).await.status, 200);
}

#[tokio::test]
async fn c44_one_line_seals_the_tokens_of_all_clients() {
    let (as_usual, sealing) = (start(|builder| builder), start(Builder::seal_claims));
    let scope = [("scope", Some("notes:read"))];
    let browser = Browser::new(&as_usual);
    let token = issued(&browser, "shop", &scope).await["access_token"].clone();
    assert_eq!((&open(&token)["role"], open(&token).get("sealed")), (&json!("admin"), None));
    let browser = Browser::new(&sealing);
    let token = issued(&browser, "shop", &scope).await["access_token"].clone();
    assert_eq!(names(&open(&token)), protocol_and(&["sealed"]));
    assert_eq!(browser.call("/admin", token.as_str()).await.status, 200);
}

#[tokio::test]
async fn c44_what_is_sealed_under_a_secret_that_is_gone_lets_no_one_in() {
    let keys = Keys::new(SigningKey::generate().unwrap());
    let (listener, base) = free_port();
    let store = oauth_runtime::testing::FaultyStore::new(oauth_runtime::store::MemoryStore::new());
    let with = |secret: &str| {
        with_readers(builder(&base), &base).secret(secret).keys(keys.clone()).store(store.clone()).build().unwrap()
    };
    let (before, after) = (with(SECRET), with("bmV3IGJ5dGVzIGluIGEgc2VjcmV0IG9mIGEgdGVzdCE="));
    let server = serve(listener, move |app| {
        app.configure(before.routes()).configure(handlers);
    });
    let elsewhere = serve(free_port().0, move |app| {
        app.configure(after.routes()).configure(handlers);
    });
    let browser = Browser::new(&server);
    let (sealed, own) = (issued(&browser, "partner", &[]).await, issued(&browser, "shop", &[]).await);
    let there = Browser::new(&elsewhere);
    let refused = there.call("/admin", sealed["access_token"].as_str()).await;
    assert_eq!((refused.status, refused.challenge()["error"].as_str()), (401, "invalid_token"), "{refused:?}");
    assert_eq!(there.call("/admin", own["access_token"].as_str()).await.status, 200, "the keys are the same");
}

#[tokio::test]
async fn c44_a_scope_is_for_its_claims_at_userinfo_and_where_a_client_wants_them_in_its_id_token() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    for client in ["partner", "shop"] {
        for (scope, released) in [
            ("openid", json!({})),
            ("openid roles", json!({ "role": "admin", "permissions": ["read"] })),
            ("openid profile roles", json!({ "role": "admin", "permissions": ["read"], "name": "The admin" })),
        ] {
            let issued = issued(&browser, client, &[("scope", Some(scope))]).await;
            let told = browser.call("/userinfo", issued["access_token"].as_str()).await.json();
            let mut expected = released.clone();
            expected["sub"] = json!("admin");
            assert_eq!(told, expected, "{client} {scope}");
            let id_token = open(&issued["id_token"]);
            for name in ["role", "permissions", "name", "email", "department"] {
                let in_it = if client == "shop" { released.get(name) } else { None };
                assert_eq!(id_token.get(name), in_it, "{client} {scope}");
            }
        }
    }
    let metadata = browser.call("/.well-known/openid-configuration", None).await.json();
    let supported = metadata["claims_supported"].as_array().unwrap();
    for name in ["role", "permissions", "name"] {
        assert_eq!(supported.iter().filter(|claim| *claim == name).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn c44_introspection_tells_a_client_what_is_meant_for_it() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let asks = async |client: &str, token: &Value| {
        let fields = [("token", token.as_str().unwrap())];
        let answer = browser.post_as("/introspect", client, SECRET, &fields).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let inactive = json!({ "active": false });
    let all = ["active", "badge", "department", "email", "name", "permissions", "role", "token_type"];

    // For this service: its resource server sees what guards see, others nothing.
    let here = issued(&browser, "partner", &[("scope", Some("notes:read"))]).await["access_token"].clone();
    assert_eq!(names(&asks("api", &here).await), protocol_and(&all));
    for other in ["mail", "files", "stranger"] {
        assert_eq!(asks(other, &here).await, inactive, "{other}");
    }
    // For a server elsewhere: what is in the open for it.
    let scope = ("scope", Some("notes:read roles"));
    let at_mail = issued(&browser, "partner", &[scope, ("resource", Some(MAIL))]).await["access_token"].clone();
    assert_eq!(names(&asks("mail", &at_mail).await), protocol_and(&["active", "permissions", "role", "token_type"]));
    for other in ["api", "files", "stranger"] {
        assert_eq!(asks(other, &at_mail).await, inactive, "{other}");
    }
    // For one of the author's own all is in the open.
    let at_files = issued(&browser, "partner", &[scope, ("resource", Some(FILES))]).await["access_token"].clone();
    assert_eq!(names(&asks("files", &at_files).await), protocol_and(&all));
    // A client learns of its own tokens what it can read itself.
    let own = browser.post_as("/token", "stranger", SECRET, &[("grant_type", "client_credentials")]).await.json();
    assert_eq!(asks("stranger", &own["access_token"]).await["active"], true);
    assert_eq!(asks("mail", &own["access_token"]).await, inactive);
}
