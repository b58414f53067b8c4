//! OpenID Connect, driven by a client library that others wrote.

use oauth_runtime::{Builder, Keys, Login, SigningKey};
use oauth_tests::{Answer, Browser, REDIRECT, Server, start};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
};
use serde_json::{Value, json};

/// Under a key of the author's own.
fn with_openid(builder: Builder) -> Builder {
    under_the_secret(builder).keys(Keys::new(SigningKey::generate().unwrap()))
}

fn under_the_secret(builder: Builder) -> Builder {
    builder
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .scope("email", "Know your address")
        .authenticate(async |login: Login| {
            oauth_tests::users(&login).map(|mut user| {
                user["name"] = json!("Ada Admin");
                user["email"] = json!("ada@example.com");
                user["email_verified"] = json!(true);
                user
            })
        })
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

#[tokio::test]
async fn the_openidconnect_crate_signs_in_and_asks_who_it_was() {
    for configure in [with_openid, under_the_secret] {
        signs_in_and_asks_who_it_was(&start(configure)).await;
    }
}

async fn signs_in_and_asks_who_it_was(server: &Server) {
    let browser = Browser::new(server);
    let http = |request: HttpRequest| send(browser.http.clone(), request);
    let issuer = IssuerUrl::new(server.base.clone()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new("demo".into()), None)
        .set_redirect_uri(RedirectUrl::new(REDIRECT.into()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(challenge)
        .url();
    let form = Answer::to(browser.http.get(url.clone())).await.form();
    let redirect = browser.login(&form, "admin", "admin123").await.redirect();
    assert_eq!(&redirect["state"], state.secret());

    let code = AuthorizationCode::new(redirect["code"].clone());
    let token = client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap();
    let id_token = token.id_token().unwrap();
    let rules = client.id_token_verifier();
    let claims = id_token.claims(&rules, &nonce).unwrap();
    assert_eq!(claims.subject().as_str(), "admin");
    assert!(claims.auth_time().is_some());
    let hash = AccessTokenHash::from_token(
        token.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&rules).unwrap(),
    );
    assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));
    assert!(id_token.claims(&rules, &Nonce::new_random()).is_err());

    // Of the scopes that were granted, and nothing else.
    let user: CoreUserInfoClaims = client
        .user_info(token.access_token().clone(), Some(claims.subject().clone()))
        .unwrap()
        .request_async(&http)
        .await
        .unwrap();
    assert_eq!(user.name().unwrap().get(None).unwrap().as_str(), "Ada Admin");
    assert!(user.email().is_none());
}

#[tokio::test]
async fn userinfo_answers_bearers_of_openid_alone() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    let signed_in = browser.sign_in(&[("scope", Some("openid email"))], "admin", "admin123").await.redirect();
    let answer = browser.redeem(&signed_in["code"], &[]).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let told = browser.call("/userinfo", Some(token)).await;
    assert_eq!(told.json(), json!({ "sub": "admin", "email": "ada@example.com", "email_verified": true }));
    assert_eq!(told.header("cache-control"), "no-store");
    let posted = Answer::to(browser.http.post(format!("{}/userinfo", server.base)).bearer_auth(token)).await;
    assert_eq!(posted.json(), told.json());

    // An ID token is no access token, and an access token without openid is for something else.
    let id_token = answer["id_token"].as_str().unwrap();
    assert_eq!(browser.call("/userinfo", Some(id_token)).await.status, 401);
    assert_eq!(browser.call("/me", Some(id_token)).await.status, 401);
    let refused = browser.call("/userinfo", Some(&browser.token().await)).await;
    let challenge = refused.challenge();
    assert_eq!(
        (refused.status, challenge["error"].as_str(), challenge["scope"].as_str()),
        (403, "insufficient_scope", "openid")
    );
    assert_eq!(browser.call("/userinfo", None).await.status, 401);
    let elsewhere = format!("{}/userinfo?access_token={token}", server.base);
    assert_eq!(Answer::to(browser.http.get(elsewhere)).await.status, 401);
}

#[tokio::test]
async fn without_openid_there_is_none_of_it() {
    let server = start(|builder| builder.keys(Keys::new(SigningKey::generate().unwrap())));
    let browser = Browser::new(&server);
    assert_eq!(browser.call("/userinfo", None).await.status, 404);
    assert_eq!(browser.call("/.well-known/openid-configuration", None).await.status, 404);
    let answer = browser.redeem(&browser.code().await, &[]).await;
    assert!(answer.json().get("id_token").is_none());
}

#[tokio::test]
async fn what_is_not_supported_is_refused_with_its_own_code() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    for (name, value, error) in [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://client.example/request", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
        ("claims", "[]", "invalid_request"),
        ("claims", "{", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("prompt", "none login", "invalid_request"),
        ("prompt", "create", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
    ] {
        let redirect =
            browser.authorize(&[("scope", Some("openid")), (name, Some(value)), ("state", Some("s"))]).await.redirect();
        assert_eq!((redirect["error"].as_str(), redirect["state"].as_str()), (error, "s"), "{name}={value}");
    }
    for (name, value) in
        [("prompt", "login consent"), ("max_age", "0"), ("acr_values", "x"), ("ui_locales", "de"), ("display", "page")]
    {
        assert_eq!(browser.authorize(&[(name, Some(value))]).await.status, 200, "{name}");
    }
    let hinted = browser.authorize(&[("login_hint", Some("ada\"><script>"))]).await;
    assert!(
        hinted.body.contains("ada&#34;&#62;&#60;script&#62;") || hinted.body.contains("ada&quot;&gt;&lt;script&gt;"),
        "{hinted:?}"
    );
}

#[tokio::test]
async fn the_metadata_is_true() {
    for configure in [with_openid, under_the_secret] {
        the_metadata_is_true_of(&start(configure)).await;
    }
}

async fn the_metadata_is_true_of(server: &Server) {
    let browser = Browser::new(server);
    let openid = browser.call("/.well-known/openid-configuration", None).await;
    assert_eq!(openid.header("access-control-allow-origin"), "*");
    let openid = openid.json();
    let oauth = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    for (name, value) in oauth.as_object().unwrap() {
        assert_eq!(&openid[name], value, "{name}");
    }
    assert_eq!(openid["id_token_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(openid["subject_types_supported"], json!(["public"]));
    for name in ["userinfo_endpoint", "jwks_uri", "authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        let path = openid[name].as_str().unwrap().strip_prefix(&server.base).unwrap();
        assert_ne!(browser.call(path, None).await.status, 404, "{name}");
    }
    let names: Vec<&str> = openid["claims_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&"email") && names.contains(&"nonce") && !names.contains(&"address"), "{names:?}");
}
