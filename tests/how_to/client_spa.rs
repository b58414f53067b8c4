//! The page on single-page applications, but for its code, which Chromium runs: its files behind nginx, and its development server.

use oauth_tests::servers::Proxy;
use oauth_tests::{Answer, Browser, Server, free_port, own_page, pages, serve_service};

use crate::shown::client_spa_development;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_of_the_application_is_its_page_with_the_policy() {
    let folder = std::env::temp_dir().join(format!("notes-app-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("index.html"), "the page").unwrap();
    std::fs::write(folder.join("app.js"), "the code").unwrap();
    let shown = pages::shown("client-spa", "nginx").replace("/srv/notes-app", folder.to_str().unwrap());
    let nginx = format!("{}{shown}", pages::shown("deployment", "nginx"));
    let proxy = Proxy::nginx(&nginx, "notes.example", ["127.0.0.1:9", "127.0.0.1:10"]);
    let http = proxy.reached_by(own_page()).build().unwrap();
    for (path, body) in [("/", "the page"), ("/callback?code=1&state=2", "the page"), ("/app.js", "the code")] {
        let answer = Answer::to(http.get(format!("https://app.notes.example{path}"))).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path} {answer:?}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'self'"), "{policy}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    }
    assert!(!proxy.accesses().contains("code="), "{}", proxy.accesses());
    std::fs::remove_dir_all(folder).unwrap();
}

/// The service has the origin of a development server, which passes its URLs on to where it listens: as this browser does.
fn developed(page: &str) -> (Server, Browser) {
    let (listener, base) = free_port();
    let server = serve_service(listener, &client_spa_development::oauth("http://localhost:5173", page).unwrap());
    (server, Browser { http: own_page().cookie_store(true).build().unwrap(), base })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_is_developed_no_one_is_asked_again_where_its_origin_is_the_issuer_s() {
    for (page, answered) in [("http://localhost:5173", None), ("http://localhost:5174", Some("consent_required"))] {
        let (_server, browser) = developed(page);
        let redirect = format!("{page}/callback");
        let of = [("client_id", Some("app")), ("redirect_uri", Some(redirect.as_str())), ("scope", Some("openid"))];
        let signed_in = browser.sign_in(&of, "ada", "ada123").await;
        assert!(signed_in.redirect().contains_key("code"), "{signed_in:?}");
        let [id, back, scope] = of;
        let silent = browser.authorize(&[id, back, scope, ("prompt", Some("none"))]).await.redirect();
        assert_eq!(silent.get("error").map(String::as_str), answered, "{page} {silent:?}");
        let token = browser.http.post(format!("{}/token", browser.base)).header("origin", page);
        let token = Answer::to(token.form(&[("client_id", "app")])).await;
        assert_eq!(token.header("access-control-allow-origin"), page, "{token:?}");
    }
}
