//! The `claims` parameter (OpenID Connect Core §5.5).

use oauth_runtime::states::WithReload;
use oauth_runtime::{Builder, Client, Login, SignIn};
use oauth_tests::{Answer, Browser, start};
use serde_json::{Value, json};

fn with_names(builder: Builder) -> Builder<WithReload> {
    let known = |mut user: Value| {
        user["email"] = json!("ada@example.com");
        user["email_verified"] = json!(true);
        user["name"] = json!("Ada Admin");
        user
    };
    builder
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .scope("email", "Know your address")
        .scope("roles", "Know what you may do")
        .releases(["role"])
        .acr_values(["one", "two"])
        .client(Client::public("guest").redirect_uri("https://guest.example/cb").third_party())
        .authenticate(async move |login: Login| match oauth_tests::users(&login) {
            Some(user) => SignIn::done(known(user)).acr("one"),
            None => SignIn::refused(),
        })
        .reload(async move |_: &str| Some(known(json!({ "role": "admin" }))))
}

async fn signs_in(browser: &Browser, scope: &str, claims: Option<&Value>, user: &str) -> Answer {
    let claims = claims.map(Value::to_string);
    let asked = [("scope", Some(scope)), ("claims", claims.as_deref()), ("prompt", Some("login"))];
    let page = browser.authorize(&asked).await;
    if page.status == 303 { page } else { browser.login(&page.form(), user, &format!("{user}123")).await }
}

/// Those of the claims asked for that the user has.
fn told(token: &Value) -> Value {
    let claims = crate::sessions::claims(token);
    let asked = ["email", "email_verified", "name", "role"].into_iter();
    asked.filter_map(|name| Some((name.to_owned(), claims.get(name)?.clone()))).collect()
}

#[tokio::test]
async fn c44_single_claims_are_asked_for_within_the_granted_scopes() {
    let server = start(with_names);
    let browser = Browser::new(&server);
    let asked = json!({
        "id_token": { "email": { "essential": true }, "role": null, "name": { "essential": true }, "auth_time": null },
        "userinfo": { "email": null, "name": { "essential": true } },
    });
    for (scope, claims, expected) in [
        ("openid email roles", Some(&asked), json!({ "email": "ada@example.com", "role": "admin" })),
        ("openid roles", Some(&asked), json!({ "role": "admin" })),
        ("openid", Some(&asked), json!({})),
        ("openid email roles", None, json!({})),
        ("openid email", Some(&json!({ "userinfo": { "email": null } })), json!({})),
    ] {
        let code = signs_in(&browser, scope, claims, "admin").await.redirect()["code"].clone();
        let issued = browser.redeem(&code, &[]).await.json();
        assert_eq!(told(&issued["id_token"]), expected, "{scope} {claims:?}");
        // What is not covered by a granted scope is nowhere, essential or not.
        let userinfo = browser.call("/userinfo", issued["access_token"].as_str()).await.json();
        assert_eq!(userinfo.get("email").is_some(), scope.contains("email"), "{userinfo}");
        assert!(userinfo.get("name").is_none(), "{userinfo}");
        let refreshed = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await.json();
        assert_eq!(told(&refreshed["id_token"]), expected, "as the first one: {scope}");
    }
    let metadata = browser.call("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["claims_parameter_supported"], true);
    let supported = metadata["claims_supported"].as_array().unwrap();
    for (claim, is_there) in
        [("role", true), ("email", true), ("name", true), ("address", false), ("permissions", false)]
    {
        assert_eq!(supported.contains(&json!(claim)), is_there, "{claim}: {supported:?}");
    }
}

#[tokio::test]
async fn c39_a_subject_and_an_acr_that_claims_name_bind_as_hint_and_acr_values_do() {
    let server = start(with_names);
    let sub = |member: &str, how: Value| json!({ member: { "sub": how } });
    let acr = |how: Value| json!({ "id_token": { "acr": how } });
    let (none, another, unmet) = (None, Some("login_required"), Some("unmet_authentication_requirements"));
    for (claims, user, error) in [
        (sub("id_token", json!({ "value": "admin" })), "admin", none),
        (sub("id_token", json!({ "value": "admin" })), "user", another),
        (sub("userinfo", json!({ "values": ["x", "user"] })), "user", none),
        (sub("userinfo", json!({ "values": ["x", "user"] })), "admin", another),
        (sub("id_token", Value::Null), "user", none),
        (acr(json!({ "essential": true, "values": ["two"] })), "admin", unmet),
        (acr(json!({ "values": ["two"] })), "admin", unmet),
        (acr(json!({ "values": ["two", "one"] })), "admin", none),
        (acr(json!({ "essential": true })), "admin", none),
        // As of acr_values, what the author did not declare is no requirement, unless there is to be no token without it.
        (acr(json!({ "value": "gold" })), "admin", none),
        (acr(json!({ "essential": true, "value": "gold" })), "admin", unmet),
    ] {
        let browser = Browser::new(&server);
        let answer = signs_in(&browser, "openid", Some(&claims), user).await.redirect();
        assert_eq!(answer.get("error").map(String::as_str), error, "{claims} {user}: {answer:?}");

        // Nor does the session of another user, or of a weaker sign-in, answer for them.
        let browser = Browser::new(&server);
        signs_in(&browser, "openid", None, user).await.redirect();
        let claims = claims.to_string();
        // By a client that is known by its address, and so need not ask.
        let other = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
        let silent = [("scope", Some("openid")), ("claims", Some(&*claims)), ("prompt", Some("none"))];
        let answer = browser.authorize(&[&other[..], &silent].concat()).await.redirect();
        assert_eq!(answer.contains_key("code"), error.is_none(), "{claims} {user}: {answer:?}");
    }
    // A client that names a subject is not told whether that is who is signed in, before the user has allowed it anything.
    let browser = Browser::new(&server);
    signs_in(&browser, "openid", None, "admin").await.redirect();
    for (claims, error) in [
        (None, "consent_required"),
        (Some(sub("id_token", json!({ "value": "admin" })).to_string()), "login_required"),
        (Some(sub("id_token", json!({ "value": "user" })).to_string()), "login_required"),
    ] {
        let guest = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
        let silent = [("scope", Some("openid")), ("claims", claims.as_deref()), ("prompt", Some("none"))];
        let answer = browser.authorize(&[&guest[..], &silent].concat()).await.redirect();
        assert_eq!(answer["error"], error, "{claims:?}");
    }
    let browser = Browser::new(&server);
    let long = json!({ "id_token": { "email": { "values": ["x".repeat(4096)] } } }).to_string();
    for bad in ["[]", "{", "null", r#"{"id_token":{"sub":{"value":7}}}"#, r#"{"userinfo":true}"#, &long] {
        let redirect = browser.authorize(&[("scope", Some("openid")), ("claims", Some(bad))]).await.redirect();
        assert_eq!(redirect["error"], "invalid_request", "{bad}");
    }
}
