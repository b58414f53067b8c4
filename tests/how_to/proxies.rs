//! nginx and Caddy with the configurations of the page on deployment, and the program of that page behind them.

use oauth_tests::servers::Proxy;
use oauth_tests::{Answer, Browser, REDIRECT, own_page, pages};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::deployed::Deployed;

/// Where the browser connects from: another address than the proxy's own.
const BROWSER: [u8; 4] = [127, 0, 0, 2];
/// What it claims to connect from.
const FORGED: &str = "198.51.100.7";

const HOST: &str = "https://notes.example";
const PATH: &str = "https://example.com/notes";

/// The host of an issuer.
fn host(issuer: &str) -> &str {
    issuer.trim_start_matches("https://").split('/').next().unwrap()
}

/// A browser behind the proxy's TLS, that lies about where it is and whom it asks.
fn browser(proxy: &Proxy, issuer: &str) -> Browser {
    let lies = [
        ("x-forwarded-for", FORGED),
        ("forwarded", "for=198.51.100.7;host=other.example;proto=http"),
        ("x-real-ip", FORGED),
        ("x-forwarded-host", "other.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-prefix", "/other"),
    ];
    let lies = lies.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let http = own_page().cookie_store(true).local_address(std::net::IpAddr::from(BROWSER));
    let http = http.default_headers(lies.into_iter().collect::<HeaderMap>());
    Browser { http: proxy.reached_by(http).build().unwrap(), base: issuer.to_owned() }
}

/// A user signs in through the proxy and calls a guard; the documents are where clients look for them; and the address that is
/// logged is the browser's.
async fn signs_in(proxy: &Proxy, deployed: &Deployed, issuer: &str, api: &str) {
    let browser = browser(proxy, issuer);
    let metadata = well_known(&browser, issuer).await;
    for name in ["authorization_endpoint", "token_endpoint"] {
        assert!(metadata[name].as_str().unwrap().starts_with(&format!("{issuer}/")), "{metadata}");
    }
    let redirect = browser.sign_in(&[("scope", Some("openid"))], "ada", "ada123").await;
    assert_eq!(redirect.status, 303, "{redirect:?} {}", proxy.log());
    let redirect = redirect.redirect();
    assert_eq!(redirect["iss"], issuer);
    let issued = browser.redeem(&redirect["code"], &[]).await.json();
    let token = issued["access_token"].as_str().unwrap();
    // Each process in turn.
    for _ in 0..2 {
        let called = Answer::to(browser.http.get(api).bearer_auth(token)).await;
        assert_eq!((called.status, called.body.as_str()), (200, "ada"), "{called:?}");
    }
    let silent = browser.authorize(&[("prompt", Some("none")), ("scope", Some("openid"))]).await.redirect();
    // Else it were `login_required`; any program can listen on loopback, so its user is asked.
    assert_eq!(silent["error"], "consent_required", "the session's cookie came back");
    let refused = Answer::to(browser.http.get(api)).await.challenge();
    let resource = Answer::to(browser.http.get(&refused["resource_metadata"])).await;
    assert_eq!(resource.json()["authorization_servers"][0], issuer, "{resource:?}");
    let keys = Answer::to(browser.http.get(metadata["jwks_uri"].as_str().unwrap())).await;
    assert_eq!(keys.status, 200, "{keys:?}");
    assert!(!issued["refresh_token"].is_null());

    let logs = deployed.logs().concat();
    let signed_in = logs.lines().find(|line| line.contains("a user signed in")).unwrap_or_else(|| panic!("{logs}"));
    assert!(signed_in.contains("address=127.0.0.2"), "{signed_in}");
    assert!(!logs.contains(FORGED) && !logs.contains("without a client's address"), "{logs}");
}

/// What is true of the server, the same in every place where a client looks for it.
async fn well_known(browser: &Browser, issuer: &str) -> serde_json::Value {
    let origin = format!("https://{}", host(issuer));
    let path = issuer.strip_prefix(&origin).unwrap();
    let mut found = serde_json::Value::Null;
    for url in [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
        format!("{issuer}/.well-known/openid-configuration"),
    ] {
        let document = Answer::to(browser.http.get(&url)).await;
        assert_eq!(document.status, 200, "{url} {document:?}");
        assert_eq!(document.json()["issuer"], issuer, "{url}");
        found = document.json();
    }
    found
}

/// What stands above the server's own block is the same for both.
fn nginx_with_a_path() -> String {
    let own = pages::shown("deployment", "nginx");
    let (above, _) = own.split_once("server {\n    listen 443 ssl;\n").unwrap();
    let of_path = pages::shown("deployment", "nginx with a path");
    format!("{}{of_path}", above.replace(host(HOST), host(PATH)))
}

/// What no one but this machine may ask, and what comes without TLS or for another host.
async fn keeps_others_out(proxy: &Proxy, issuer: &str) {
    let browser = browser(proxy, issuer);
    let health = Answer::to(browser.http.get(format!("{issuer}/healthz"))).await;
    let at_root = Answer::to(browser.http.get(format!("https://{}/healthz", host(issuer)))).await;
    assert_eq!((health.status, at_root.status), (404, 404), "{health:?}");
    let page = browser.authorize(&[]).await;
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000", "{page:?}");
    // Whatever port it has here.
    let plain = browser.http.get(proxy.plain("/authorize?x=1"));
    let moved = Answer::to(plain.header("host", host(issuer))).await;
    assert!(matches!(moved.status, 301 | 308), "{moved:?}");
    assert!(moved.header("location").starts_with(&format!("https://{}", host(issuer))), "{moved:?}");
    assert!(browser.http.get("https://other.example/").send().await.is_err());
    assert_eq!(
        ["-tls1_1", "-tls1_2", "-tls1_3"].map(|version| proxy.speaks(version, host(issuer))),
        [false, true, true]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_users_sign_in_through_the_nginx_that_the_page_shows() {
    let deployed = Deployed::start(HOST);
    let proxy = Proxy::nginx(&pages::shown("deployment", "nginx"), host(HOST), deployed.upstreams());
    signs_in(&proxy, &deployed, HOST, "https://notes.example/notes/me").await;
    keeps_others_out(&proxy, HOST).await;
    let another = own_page().build().unwrap().get(proxy.plain("/authorize")).header("host", "other.example");
    assert!(another.send().await.is_err(), "it is sent nowhere");
    let accesses = proxy.accesses();
    assert!(accesses.contains("127.0.0.2 ") && accesses.contains("\"GET /authorize\" 200 "), "{accesses}");
    assert!(!accesses.contains('?') && !accesses.contains("state="), "{accesses}");
    for log in deployed.logs() {
        assert!(log.contains("address=127.0.0.2"), "both were asked: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_users_sign_in_below_a_path_through_the_nginx_that_the_page_shows() {
    let deployed = Deployed::start(PATH);
    let shown = nginx_with_a_path();
    let proxy = Proxy::nginx(&shown, host(PATH), deployed.upstreams());
    signs_in(&proxy, &deployed, PATH, "https://example.com/notes/me").await;
    let other = Answer::to(browser(&proxy, PATH).http.get("https://example.com/authorize")).await;
    assert_eq!(other.status, 404, "another application's: {other:?}");
    keeps_others_out(&proxy, PATH).await;

    // With a slash it takes the path away, and nothing is found.
    let strips = shown.replacen("proxy_pass http://notes;", "proxy_pass http://notes/;", 1);
    let strips = Proxy::nginx(&strips, host(PATH), deployed.upstreams());
    assert_eq!(browser(&strips, PATH).authorize(&[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_users_sign_in_through_the_caddy_that_the_page_shows() {
    let deployed = Deployed::start(HOST);
    let proxy = Proxy::caddy(&pages::shown("deployment", "caddy"), host(HOST), deployed.upstreams());
    signs_in(&proxy, &deployed, HOST, "https://notes.example/notes/me").await;
    keeps_others_out(&proxy, HOST).await;
}

/// What a process that is gone does not take goes to the other, so that no user notices. Caddy sends no body a second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_behind_each_proxy_one_process_of_two_is_enough() {
    for (name, start) in [("nginx", Proxy::nginx as fn(&str, &str, [&str; 2]) -> Proxy), ("caddy", Proxy::caddy)] {
        let mut deployed = Deployed::start(HOST);
        let proxy = start(&pages::shown("deployment", name), host(HOST), deployed.upstreams());
        deployed.kill(0);
        let browser = browser(&proxy, HOST);
        for _ in 0..8 {
            assert_eq!(browser.authorize(&[]).await.status, 200, "{name}: {}", proxy.log());
            if name == "nginx" {
                let refused = browser.redeem("no code", &[]).await;
                assert_eq!(refused.status, 400, "{refused:?} {}", proxy.log());
            }
        }
    }
}

/// No port is open to the other users of the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_users_sign_in_where_the_processes_listen_on_sockets() {
    let deployed = Deployed::on_sockets(HOST);
    let proxy = Proxy::nginx(&pages::shown("deployment", "nginx"), host(HOST), deployed.upstreams());
    signs_in(&proxy, &deployed, HOST, "https://notes.example/notes/me").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_users_sign_in_below_a_path_through_the_caddy_that_the_page_shows() {
    let deployed = Deployed::start(PATH);
    let shown = pages::shown("deployment", "caddy with a path");
    let proxy = Proxy::caddy(&shown, host(PATH), deployed.upstreams());
    signs_in(&proxy, &deployed, PATH, "https://example.com/notes/me").await;
    let other = Answer::to(browser(&proxy, PATH).http.get("https://example.com/authorize")).await;
    assert_eq!(other.status, 404, "another application's: {other:?}");
    keeps_others_out(&proxy, PATH).await;

    let strips = shown.replace("\t\treverse_proxy", "\t\turi strip_prefix /notes\n\t\treverse_proxy");
    let strips = Proxy::caddy(&strips, host(PATH), deployed.upstreams());
    assert_eq!(browser(&strips, PATH).authorize(&[]).await.status, 404);
}

/// A proxy that adds to the header does as well as one that replaces it; whom a request says that it is for decides nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c46_what_a_browser_writes_stands_to_the_left_of_what_the_proxy_adds() {
    let deployed = Deployed::start(HOST);
    let adds = pages::shown("deployment", "nginx").replace("For $remote_addr", "For $proxy_add_x_forwarded_for");
    let proxy = Proxy::nginx(&adds, host(HOST), deployed.upstreams());
    signs_in(&proxy, &deployed, HOST, "https://notes.example/notes/me").await;

    let http = own_page().build().unwrap();
    let near = format!("http://{}", deployed.addresses[0]);
    let metadata = http.get(format!("{near}/.well-known/oauth-authorization-server")).header("host", "other.example");
    assert_eq!(Answer::to(metadata).await.json()["issuer"], HOST);
    assert_eq!(Answer::to(http.get(format!("{near}/healthz"))).await.status, 200);
    // Past the proxy there is no address, and the log says so.
    let page = Answer::to(http.get(format!("{near}/authorize?{}", oauth_tests::authorization_request(&[])))).await;
    assert_eq!(page.status, 200, "{page:?} {REDIRECT}");
    let cookies = page.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap().split(';').next().unwrap());
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let login = http.post(format!("{near}/login")).header("cookie", cookies);
    let wrong = login.form(&[("request", page.form().as_str()), ("username", "ada"), ("password", "wrong")]);
    assert_eq!(Answer::to(wrong).await.status, 401);
    assert!(deployed.logs()[0].contains("a request came without a client's address"));
}
