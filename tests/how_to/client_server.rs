//! The client of the page on applications with a server, whose code this runs.

use std::time::Instant;

use oauth_runtime::Secret;
use oauth_tests::{Answer, own_page};
use url::Url;

use crate::shown::client_server;
use crate::shown::client_server_code::{Callback, SignedIn, Site};
use crate::site::{ISSUER, behind_nginx, behind_nginx_with};

const WEB_SECRET: &str = "XbyYqzRw8nYkOCkP0n0W8HnE3bHc9a3Yy3s0mJQfT1E=";

/// The query of the redirect, as a web framework reads it.
fn callback(answer: &Answer) -> Callback {
    assert_eq!(answer.status, 303, "{answer:?}");
    let url = Url::parse(answer.header("location")).unwrap();
    assert!(url.as_str().starts_with("https://web.example/callback?"), "{url}");
    let pairs: serde_json::Map<_, _> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    serde_json::from_value(pairs.into()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_with_a_server_signs_its_users_in_refreshes_and_signs_them_out() {
    let oauth = client_server::oauth(Secret::from(WEB_SECRET)).unwrap();
    let (_server, proxy, browser) = behind_nginx_with(&oauth, |app| {
        app.service(client_server::notes);
    });
    let http = proxy.reached_by(own_page()).build().unwrap();
    let site = Site::new(http.clone(), WEB_SECRET.to_owned()).await.unwrap();

    let (url, pending) = site.begin();
    let page = Answer::to(browser.http.get(url)).await;
    let user = site.finish(pending, callback(&browser.login(&page.form(), "ada", "ada123").await)).await.unwrap();
    assert_eq!(user.subject, "ada");
    assert_eq!(site.notes(&user).await.unwrap(), "the notes of ada");
    assert!(user.expires > Instant::now());

    let issued = site.refresh(&user).await.unwrap();
    let secret = |user: &SignedIn| user.refresh_token.as_ref().unwrap().secret().clone();
    assert!(issued.subject == "ada" && secret(&issued) != secret(&user));
    assert_eq!(site.notes(&issued).await.unwrap(), "the notes of ada");
    // Another user's session, with this one's refresh token.
    let mixed = SignedIn { subject: "bob".to_owned(), ..site.refresh(&issued).await.unwrap() };
    assert_eq!(site.refresh(&mixed).await.err().unwrap().to_string(), "the ID token is another user's");

    // Another tab, where no one is asked.
    let (url, pending) = site.begin();
    let again = site.finish(pending, callback(&Answer::to(browser.http.get(url)).await)).await.unwrap();
    assert_eq!(again.subject, "ada");

    let gone = Answer::to(browser.http.get(site.sign_out(&user).unwrap())).await;
    assert_eq!((gone.status, gone.header("location")), (303, "https://web.example/"), "{gone:?}");
    let refused = site.refresh(&issued).await.err().unwrap();
    assert!(refused.to_string().contains("invalid_grant"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_at_an_application_with_a_server_is_what_the_page_says() {
    let (_server, proxy, browser) = behind_nginx(&client_server::oauth(Secret::from(WEB_SECRET)).unwrap());
    let http = proxy.reached_by(own_page()).build().unwrap();
    let site = Site::new(http.clone(), WEB_SECRET.to_owned()).await.unwrap();
    let page = include_str!("../../oauth-runtime/docs/client-server.md");
    let says = |text: &str| assert!(page.contains(text), "the page does not say {text}");

    // Of another browser's sign-in.
    let ((url, _), (_, other)) = (site.begin(), site.begin());
    let form = Answer::to(browser.http.get(url)).await.form();
    let answer = callback(&browser.login(&form, "ada", "ada123").await);
    let refused = site.finish(other, answer).await.err().unwrap().to_string();
    assert_eq!(refused, "this is no answer to what was asked");
    says(&refused);

    let (mut url, pending) = site.begin();
    url.query_pairs_mut().append_pair("prompt", "login");
    let form = Answer::to(browser.http.get(url)).await.form();
    let cancelled =
        browser.http.post(format!("{ISSUER}/login")).form(&[("request", form.as_str()), ("cancel", "cancel")]);
    let refused = site.finish(pending, callback(&Answer::to(cancelled).await)).await.err().unwrap().to_string();
    assert_eq!(refused, "access_denied");
    says(&refused);

    let wrong = Site::new(http, "another secret than the one that is registered".to_owned()).await.unwrap();
    let (url, pending) = wrong.begin();
    let answer = callback(&Answer::to(browser.http.get(url)).await);
    let refused = wrong.finish(pending, answer).await.err().unwrap().to_string();
    assert!(refused.contains("invalid_client"), "{refused}");
    says("invalid_client");
}
