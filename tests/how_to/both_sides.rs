//! A service, and an API of the same author's beside it, as the page on resource servers sets them up.

use oauth_tests::{Browser, free_port, handlers, serve, serve_service};

use crate::shown::both_sides;

#[tokio::test]
async fn a_client_that_names_the_api_gets_a_token_for_it_and_one_that_does_not_gets_none() {
    let ((issuer, base), (listener, api_base)) = (free_port(), free_port());
    let _idp = serve_service(issuer, &both_sides::oauth(&base, &api_base).unwrap());
    let api = both_sides::api(&base, &api_base).await.unwrap();
    let _api = serve(listener, move |app| {
        app.configure(api.routes()).configure(handlers);
    });
    let token = async |resource| {
        let browser = Browser::at(&base);
        let asked = [("client_id", Some("app")), ("resource", resource)];
        let code = browser.sign_in(&asked, "ada", "ada123").await.redirect()["code"].clone();
        let answer = browser.redeem(&code, &[("client_id", Some("app"))]).await.json();
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let (for_api, for_issuer) = (token(Some(&*api_base)).await, token(None).await);
    let (at_api, at_issuer) = (Browser::at(&api_base), Browser::at(&base));
    assert_eq!(at_api.call("/me", Some(&for_api)).await.status, 200);
    assert_eq!(at_api.call("/admin", Some(&for_api)).await.status, 200, "its claims are in the open");
    assert_eq!(at_api.call("/me", Some(&for_issuer)).await.status, 401);
    assert_eq!(at_issuer.call("/me", Some(&for_issuer)).await.status, 200);
    assert_eq!(at_issuer.call("/me", Some(&for_api)).await.status, 401);
}
