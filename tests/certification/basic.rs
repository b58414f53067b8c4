//! oidcc-basic-certification-test-plan

use std::time::Duration;

use oauth_tests::{Answer, CHALLENGE, VERIFIER};
use serde_json::{Value, json};

use crate::party::{CALLBACK, Party, code_of, error_of, secret, start};

#[tokio::test]
async fn oidcc_server() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[]).await;
    assert_eq!(tokens["token_type"].as_str().unwrap().to_lowercase(), "bearer");
    assert!(tokens["expires_in"].as_u64().unwrap() > 0);
    let claims = party.id_token(&tokens).await;
    assert_eq!(claims["nonce"], "the nonce");
    assert_eq!(party.userinfo(&tokens).await["sub"], claims["sub"]);
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let certified = start();
    let answer = Party::new(&certified).ask(&[("response_type", None)]).await;
    let is_told =
        answer.status == 303 && ["invalid_request", "unsupported_response_type"].contains(&&*error_of(&answer));
    assert!(is_told || answer.is_page() && answer.status == 400, "{answer:?}");
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[]).await;
    let header = jsonwebtoken::decode_header(tokens["id_token"].as_str().unwrap()).unwrap();
    assert!(header.kid.is_some());
    assert_eq!(header.alg, jsonwebtoken::Algorithm::RS256, "the one that the suite assumes");
    let listed = party.discovery().await["id_token_signing_alg_values_supported"].clone();
    assert!(listed.as_array().unwrap().contains(&json!(format!("{:?}", header.alg))), "{listed}");
    party.id_token(&tokens).await;
}

/// Not offered: no client can register for unsigned ID tokens.
#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let certified = start();
    let party = Party::new(&certified);
    let listed = party.discovery().await["id_token_signing_alg_values_supported"].clone();
    assert!(!listed.as_array().unwrap().contains(&json!("none")));
}

#[tokio::test]
async fn oidcc_userinfo_get() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[]).await;
    assert_eq!(party.userinfo(&tokens).await["sub"], "sue");
}

#[tokio::test]
async fn oidcc_userinfo_post_header() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[]).await;
    let request = party.browser.http.post(format!("{}/userinfo", party.browser.base));
    let answer = Answer::to(request.bearer_auth(tokens["access_token"].as_str().unwrap())).await;
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &json!("sue")));
}

#[tokio::test]
async fn oidcc_userinfo_post_body() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[]).await;
    let form = [("access_token", tokens["access_token"].as_str().unwrap())];
    let answer = Answer::to(party.browser.http.post(format!("{}/userinfo", party.browser.base)).form(&form)).await;
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &json!("sue")));
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[("nonce", None)]).await;
    assert!(party.id_token(&tokens).await["nonce"].is_null());
}

async fn scope(scope: &str, claims: &[&str]) {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[("scope", Some(scope))]).await;
    let userinfo = party.userinfo(&tokens).await;
    for claim in claims {
        assert!(!userinfo[*claim].is_null(), "{claim} in {userinfo}");
    }
    let expected = claims.len() + 1;
    assert_eq!(userinfo.as_object().unwrap().len(), expected, "no more than was asked for: {userinfo}");
}

const PROFILE: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];

#[tokio::test]
async fn oidcc_scope_profile() {
    scope("openid profile", &PROFILE).await;
}

#[tokio::test]
async fn oidcc_scope_email() {
    scope("openid email", &["email", "email_verified"]).await;
}

#[tokio::test]
async fn oidcc_scope_address() {
    scope("openid address", &["address"]).await;
}

#[tokio::test]
async fn oidcc_scope_phone() {
    scope("openid phone", &["phone_number", "phone_number_verified"]).await;
}

#[tokio::test]
async fn oidcc_scope_all() {
    let others = ["email", "email_verified", "address", "phone_number", "phone_number_verified"];
    scope("openid profile email address phone", &[&PROFILE[..], &others].concat()).await;
}

#[tokio::test]
async fn oidcc_ensure_other_scope_order_succeeds() {
    scope("email openid", &["email", "email_verified"]).await;
}

async fn parameter(name: &str, value: &str) -> Value {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[(name, Some(value))]).await;
    party.id_token(&tokens).await
}

#[tokio::test]
async fn oidcc_display_page() {
    parameter("display", "page").await;
}

#[tokio::test]
async fn oidcc_display_popup() {
    parameter("display", "popup").await;
}

#[tokio::test]
async fn oidcc_prompt_login() {
    let certified = start();
    let party = Party::new(&certified);
    let first = party.tokens(&[]).await;
    let first = party.id_token(&first).await;
    certified.clock.advance(Duration::from_secs(2));
    // Asked once more, although a user is signed in.
    let second = party.tokens(&[("prompt", Some("login"))]).await;
    let second = party.id_token(&second).await;
    assert_eq!(first["sub"], second["sub"]);
    assert!(second["auth_time"].as_u64().unwrap() > first["auth_time"].as_u64().unwrap_or_default());
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let certified = start();
    let answer = Party::new(&certified).ask(&[("prompt", Some("none"))]).await;
    assert!(["login_required", "interaction_required"].contains(&&*error_of(&answer)), "{answer:?}");
}

/// A request that shows no page: the same user, who was authenticated when they were.
async fn silently(changes: &[(&str, Option<&str>)]) {
    let certified = start();
    let party = Party::new(&certified);
    let before = party.tokens(&[("max_age", Some("20000"))]).await;
    let first = party.id_token(&before).await;
    certified.clock.advance(Duration::from_secs(2));
    let hint = before["id_token"].as_str().unwrap();
    let changes: Vec<(&str, Option<&str>)> = changes
        .iter()
        .map(|(name, value)| (*name, if *value == Some("{id_token}") { Some(hint) } else { *value }))
        .collect();
    let code = code_of(&party.ask(&changes).await);
    let second = party.id_token(&party.redeem(&code).await.json()).await;
    assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
    assert!(second["auth_time"].is_u64());
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    silently(&[("prompt", Some("none"))]).await;
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[]).await;
    let first = party.id_token(&tokens).await;
    certified.clock.advance(Duration::from_secs(2));
    let tokens = party.tokens(&[("max_age", Some("1"))]).await;
    let second = party.id_token(&tokens).await;
    assert_eq!(first["sub"], second["sub"]);
    let at = second["auth_time"].as_u64().expect("required where max_age was asked for");
    assert!(second["iat"].as_u64().unwrap() - at <= 1, "{second}");
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    silently(&[("max_age", Some("10000"))]).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    parameter("extra", "foobar").await;
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    silently(&[("prompt", Some("none")), ("id_token_hint", Some("{id_token}"))]).await;
}

#[tokio::test]
async fn oidcc_login_hint() {
    assert_eq!(parameter("login_hint", "sue@suite.example").await["sub"], "sue");
}

#[tokio::test]
async fn oidcc_ui_locales() {
    parameter("ui_locales", "se").await;
}

#[tokio::test]
async fn oidcc_claims_locales() {
    parameter("claims_locales", "se").await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    parameter("acr_values", "1 2").await;
}

#[tokio::test]
async fn oidcc_codereuse() {
    let certified = start();
    let party = Party::new(&certified);
    let code = party.sign_in(&[]).await;
    assert_eq!(party.redeem(&code).await.status, 200);
    let again = party.redeem(&code).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    let certified = start();
    let party = Party::new(&certified);
    let code = party.sign_in(&[]).await;
    let tokens = party.redeem(&code).await.json();
    certified.clock.advance(Duration::from_secs(31));
    let again = party.redeem(&code).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
    // RFC 6749 §4.1.2: what the code gave is ended.
    assert_eq!(party.browser.call("/userinfo", tokens["access_token"].as_str()).await.status, 401);
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let certified = start();
    let elsewhere = "https://suite.example/test/a/server/callback/unregistered";
    let answer = Party::new(&certified).ask(&[("redirect_uri", Some(elsewhere))]).await;
    assert!(answer.is_page() && answer.status == 400, "{answer:?}");
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let certified = start();
    let party = Party::new(&certified);
    let (_, query) = party.url(&[]).split_once('?').map(|(url, query)| (url.to_owned(), query.to_owned())).unwrap();
    let sent_on = party.browser.post_from_elsewhere("/authorize", query).await;
    let page = party.browser.follow(&sent_on).await;
    let code = party.go_on(&page).await;
    assert_eq!(party.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let certified = start();
    let party = Party::new(&certified);
    let code = party.sign_in(&[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", party.client),
        ("client_secret", secret()),
    ];
    let answer = Answer::to(party.browser.http.post(format!("{}/token", party.browser.base)).form(&form)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    let certified = start();
    let party = Party::new(&certified);
    let answer = party.ask(&[("request_uri", Some("https://suite.example/request.jwt"))]).await;
    assert_eq!(error_of(&answer), "request_uri_not_supported");
    assert_eq!(party.discovery().await["request_uri_parameter_supported"], false);
}

/// `{"alg":"none"}` and `{}`
const UNSIGNED: &str = "eyJhbGciOiJub25lIn0.e30.";

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let certified = start();
    let answer = Party::new(&certified).ask(&[("request", Some(UNSIGNED))]).await;
    assert_eq!(error_of(&answer), "request_not_supported");
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let certified = start();
    let party = Party::new(&certified);
    let claims = r#"{"userinfo":{"name":{"essential":true}}}"#;
    assert_eq!(party.discovery().await["claims_parameter_supported"], true);
    let tokens = party.tokens(&[("claims", Some(claims)), ("scope", Some("openid profile"))]).await;
    assert_eq!(party.userinfo(&tokens).await["name"], "Sue Ite");
}

#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let certified = start();
    // Not offered: the object's own redirect URI is not looked at, and the answer goes where the parameter says.
    let answer = Party::new(&certified).ask(&[("request", Some(UNSIGNED)), ("redirect_uri", Some(CALLBACK))]).await;
    assert!(answer.header("location").starts_with(CALLBACK) && error_of(&answer) == "request_not_supported");
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let certified = start();
    let party = Party::new(&certified);
    let tokens = party.tokens(&[("scope", Some("openid offline_access")), ("prompt", Some("consent"))]).await;
    let refresh = tokens["refresh_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
    let first = party.id_token(&tokens).await;
    certified.clock.advance(Duration::from_secs(1));
    let answer = party.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    let next = answer.json();
    let second = party.id_token(&next).await;
    // Core §12.2
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
    assert!(second["iat"].as_u64() >= first["iat"].as_u64());
    assert_eq!(party.userinfo(&next).await["sub"], "sue");
    // The second client of the suite has nothing of it.
    let other = Party { browser: party.browser.clone(), client: "suite-2" };
    let form = [("grant_type", "refresh_token"), ("refresh_token", next["refresh_token"].as_str().unwrap())];
    assert_eq!(other.token(&form).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let certified = start();
    let party = Party::new(&certified);
    let challenge = [("code_challenge", Some(CHALLENGE)), ("code_challenge_method", Some("S256"))];
    let code = party.sign_in(&challenge).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(party.token(&form).await.status, 200);
    let code = code_of(&party.ask(&challenge).await);
    assert_eq!(party.redeem(&code).await.json()["error"], "invalid_grant", "no downgrade");
}
