//! oidcc-rp-initiated-logout-certification-test-plan

use oauth_tests::{Answer, changed};
use serde_json::Value;

use crate::party::{Certified, GOODBYE, Party, error_of, start};

async fn signed_in(certified: &Certified) -> (Party, Value) {
    let party = Party::new(certified);
    let tokens = party.tokens(&[]).await;
    (party, tokens)
}

async fn logout(party: &Party, parameters: &[(&str, &str)]) -> Answer {
    party.browser.call(&format!("/logout?{}", changed(parameters, &[])), None).await
}

async fn is_signed_out(party: &Party) -> bool {
    let answer = party.ask(&[("prompt", Some("none"))]).await;
    answer.redirect().contains_key("error") && error_of(&answer) == "login_required"
}

/// The browser did not go back to the client; the person is asked, or told what is wrong.
async fn stays(party: &Party, answer: &Answer) {
    assert!(answer.is_page(), "{answer:?}");
    assert!(answer.status == 400 || answer.body.contains("Sign out?"), "{answer:?}");
    assert!(!is_signed_out(party).await, "nothing has happened yet");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let certified = start();
    let party = Party::new(&certified);
    assert_eq!(party.discovery().await["end_session_endpoint"], format!("{}/logout", party.browser.base));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let certified = start();
    let (party, tokens) = signed_in(&certified).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let parameters = [("id_token_hint", hint), ("post_logout_redirect_uri", GOODBYE), ("state", "a state")];
    let answer = logout(&party, &parameters).await;
    assert!(answer.header("location").starts_with(GOODBYE), "{answer:?}");
    assert_eq!(answer.redirect().get("state").map(String::as_str), Some("a state"));
    assert!(is_signed_out(&party).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let certified = start();
    let (party, tokens) = signed_in(&certified).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let elsewhere = "https://suite.example/elsewhere";
    stays(&party, &logout(&party, &[("id_token_hint", hint), ("post_logout_redirect_uri", elsewhere)]).await).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let certified = start();
    let (party, tokens) = signed_in(&certified).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let added = format!("{GOODBYE}?foo=bar");
    stays(&party, &logout(&party, &[("id_token_hint", hint), ("post_logout_redirect_uri", &added)]).await).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let certified = start();
    let (party, tokens) = signed_in(&certified).await;
    let mut hint = tokens["id_token"].as_str().unwrap().to_owned();
    let last = hint.pop().unwrap();
    hint.insert_str(hint.rfind('.').unwrap() + 1, "AAAA");
    hint.push(last);
    stays(&party, &logout(&party, &[("id_token_hint", &hint), ("post_logout_redirect_uri", GOODBYE)]).await).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let certified = start();
    let (party, _) = signed_in(&certified).await;
    stays(&party, &logout(&party, &[("id_token_hint", "bad"), ("post_logout_redirect_uri", GOODBYE)]).await).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let certified = start();
    let (party, _) = signed_in(&certified).await;
    stays(&party, &logout(&party, &[("post_logout_redirect_uri", GOODBYE), ("state", "a state")]).await).await;
}

/// Asked, and then signed out on a page of the server.
async fn asked_and_signed_out(parameters: &[(&str, &str)]) {
    let certified = start();
    let (party, _) = signed_in(&certified).await;
    let page = logout(&party, parameters).await;
    assert!(page.body.contains("Sign out?"), "{page:?}");
    let done = party.browser.sign_out(&page.form(), "sign_out").await;
    assert!(done.is_page() && done.body.contains("You are signed out"), "{done:?}");
    assert!(is_signed_out(&party).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    asked_and_signed_out(&[]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    asked_and_signed_out(&[("state", "a state")]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let certified = start();
    let (party, tokens) = signed_in(&certified).await;
    let answer = logout(&party, &[("id_token_hint", tokens["id_token"].as_str().unwrap())]).await;
    assert!(answer.is_page() && answer.body.contains("You are signed out"), "{answer:?}");
    assert!(is_signed_out(&party).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let certified = start();
    let (party, tokens) = signed_in(&certified).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let answer = logout(&party, &[("id_token_hint", hint), ("post_logout_redirect_uri", GOODBYE)]).await;
    assert!(answer.header("location").starts_with(GOODBYE), "{answer:?}");
    assert!(!answer.redirect().contains_key("state"));
    assert!(is_signed_out(&party).await);
}
