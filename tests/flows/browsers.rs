//! Forms of other browsers, methods that a URL does not have, and pages of other origins.

use oauth_runtime::{Builder, Client};
use oauth_tests::{Answer, Browser, SECRET, start};
use reqwest::Method;

#[tokio::test]
async fn c03_a_form_is_good_only_in_the_browser_that_asked_for_it() {
    let server = start(|builder| builder);
    let (mine, other, bare) = (Browser::new(&server), Browser::new(&server), Browser::new(&server));
    let form = mine.authorize(&[]).await.form();
    other.authorize(&[]).await;
    for browser in [&bare, &other] {
        let answer = browser.login(&form, "admin", "admin123").await;
        assert!(answer.status == 403 && answer.is_page() && !answer.body.contains("code="), "{answer:?}");
    }
    // What another page planted beside it hides no cookie of ours, and is none.
    let page = mine.authorize(&[]).await;
    let fresh = Browser::new(&server).authorize(&[]).await;
    let name = fresh.header("set-cookie").split('=').next().unwrap().to_owned();
    let cookie = fresh.header("set-cookie").split(';').next().unwrap().to_owned();
    let login = |cookie: String| {
        let request = bare.http.post(format!("{}/login", server.base)).header("cookie", cookie);
        Answer::to(request.form(&[("request", fresh.form().as_str()), ("username", "admin"), ("password", "admin123")]))
    };
    let renamed = cookie.replace(&name, &format!("{}AAAAAAAA", &name[..name.len() - 8]));
    for none in [format!("{name}=AAAA"), format!("{name}=; x=y"), renamed] {
        assert_eq!(login(none).await.status, 403);
    }
    assert_eq!(login(format!("{cookie}; {name}=AAAA; x=y")).await.status, 303);
    assert_eq!(mine.login(&page.form(), "admin", "admin123").await.status, 303);
}

#[tokio::test]
async fn c30_c33_the_cookie_and_the_page() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let page = browser.authorize(&[]).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("form-action 'self' http://127.0.0.1:7777;"));
    assert!(!page.body.contains("<script") && !page.body.contains("style=") && !page.body.contains("//"), "{page:?}");
    let again = browser.authorize(&[]).await;
    let id = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    assert_eq!(id(again.header("set-cookie")), id(cookie), "a browser keeps its id, so that two tabs work");
}

#[tokio::test]
async fn c01_c16_methods_that_a_url_does_not_have() {
    let server = start(|builder| builder.client(Client::confidential("job").secret(SECRET)));
    let browser = Browser::new(&server);
    for (path, has) in [
        ("/authorize", "GET, HEAD, POST"),
        ("/login", "GET, HEAD, POST"),
        ("/token", "POST"),
        ("/par", "POST"),
        ("/revoke", "POST"),
        ("/introspect", "POST"),
        ("/.well-known/oauth-authorization-server", "GET, HEAD"),
        ("/oauth/pages.css", "GET, HEAD"),
    ] {
        for method in
            [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS]
        {
            if !has.split(", ").any(|it| it == method.as_str()) {
                let answer = Answer::to(browser.http.request(method.clone(), format!("{}{path}", server.base))).await;
                assert_eq!((answer.status, answer.header("allow")), (405, has), "{method} {path}");
                assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn c01_head_is_answered_wherever_get_is() {
    let server = start(|builder| {
        builder
            .keys(oauth_runtime::Keys::generate().unwrap())
            .scope("openid", "Know who you are")
            .reload_blocking(|_| Some(serde_json::json!({})))
            .logo(oauth_runtime::Logo::svg("<svg/>"))
    });
    let browser = Browser::new(&server);
    for path in [
        &browser.authorize_url(&[])[server.base.len()..],
        "/authorize",
        "/logout",
        "/userinfo",
        "/oauth/pages.css",
        "/oauth/logo",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/.well-known/oauth-protected-resource",
    ] {
        let [get, head] = [Method::GET, Method::HEAD]
            .map(|method| Answer::to(Browser::new(&server).http.request(method, format!("{}{path}", server.base))));
        let (get, head) = (get.await, head.await);
        assert_ne!(get.status, 404, "{path} is there");
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        for header in ["content-type", "cache-control", "www-authenticate", "access-control-allow-origin"] {
            assert_eq!(head.header(header), get.header(header), "{path}: {header}");
        }
    }
}

#[tokio::test]
async fn c01_head_ends_no_session() {
    let server = start(|builder| {
        builder
            .keys(oauth_runtime::Keys::generate().unwrap())
            .scope("openid", "Know who you are")
            .reload_blocking(|subject: &str| Some(serde_json::json!({ "sub": subject })))
    });
    let browser = Browser::new(&server);
    let issued = browser.issued(&[("scope", Some("openid"))]).await;
    let access = issued["access_token"].as_str().unwrap();
    let url = format!("{}/logout?id_token_hint={}", server.base, issued["id_token"].as_str().unwrap());
    assert_eq!(browser.call("/me", Some(access)).await.status, 200);
    // A scanner of links, without the browser's cookies.
    let answer = Answer::to(Browser::new(&server).http.request(Method::HEAD, &url)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(browser.call("/me", Some(access)).await.status, 200, "HEAD ended the session");
    assert_eq!(Answer::to(Browser::new(&server).http.get(&url)).await.status, 200);
    assert_eq!(browser.call("/me", Some(access)).await.status, 401, "GET ends it");
}

#[tokio::test]
async fn c02_c35_which_origins_may_read_what() {
    let server = start(|builder| builder.origin("https://spa.example"));
    let browser = Browser::new(&server);
    let ask = async |method: Method, path: &str, origin: &str| {
        let request = browser.http.request(method.clone(), format!("{}{path}", server.base)).header("origin", origin);
        Answer::to(match method {
            Method::OPTIONS => request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type"),
            _ => request,
        })
        .await
    };
    let allowed = |answer: &Answer| answer.headers.get("access-control-allow-origin").map(|_| ()).is_some();
    for origin in ["https://spa.example", "https://other.example", "http://127.0.0.1", "http://127.0.0.1:1234"] {
        let preflight = ask(Method::OPTIONS, "/token", origin).await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, origin));
        assert_eq!(preflight.header("access-control-allow-methods"), "POST");
        assert!(preflight.header("access-control-allow-headers").contains("content-type"));
        let answer = ask(Method::POST, "/token", origin).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (400, origin), "errors are readable");
        for answer in [preflight, answer] {
            assert_eq!(answer.header("vary"), "Origin");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        }
    }
    for origin in [
        "https://evil.example",
        "http://spa.example",
        "https://spa.example:8443",
        "https://spa.example.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:99999",
        "http://127.0.0.2",
        "http://127.0.0.1:80/",
        "null",
    ] {
        let preflight = ask(Method::OPTIONS, "/token", origin).await;
        assert!(preflight.status == 204 && !allowed(&preflight), "{origin} {preflight:?}");
        let answer = ask(Method::POST, "/token", origin).await;
        assert!(answer.status == 400 && !allowed(&answer), "{origin}");
    }
    let metadata = ask(Method::GET, "/.well-known/oauth-authorization-server", "https://evil.example").await;
    assert_eq!((metadata.status, metadata.header("access-control-allow-origin")), (200, "*"));
    let metadata = ask(Method::OPTIONS, "/.well-known/oauth-authorization-server", "https://evil.example").await;
    assert_eq!((metadata.status, metadata.header("access-control-allow-origin")), (204, "*"));
    for path in ["/authorize", "/login"] {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let answer = ask(method, path, "https://spa.example").await;
            assert!(!allowed(&answer), "{path} {answer:?}");
        }
    }
}

/// As the table in `oauth-runtime/docs/configuration.md` has it.
#[tokio::test]
async fn c35_each_url_takes_pages_of_the_clients_or_of_any_origin_or_of_none() {
    let device = || Client::public("tv").device();
    let usual = |builder: Builder| builder.scope("openid", "Know who you are").client(device());
    let listed = start(move |builder| usual(builder).origin("https://spa.example"));
    let registering = start(move |builder| usual(builder).registration());
    let table = start(move |builder| usual(builder).clients(async |_: &str| None));
    for (server, stranger) in [(&listed, false), (&registering, true), (&table, true)] {
        let http = Browser::new(server).http;
        let allows = async |path: &str, origin: &str| {
            let request = http.request(Method::OPTIONS, format!("{}{path}", server.base)).header("origin", origin);
            let answer = Answer::to(request.header("access-control-request-method", "POST")).await;
            answer.headers.contains_key("access-control-allow-origin")
        };
        for path in ["/par", "/token", "/device_authorization", "/revoke", "/userinfo"] {
            assert!(allows(path, "http://127.0.0.1").await, "{path}: it is that of a redirect URI");
            assert!(allows(path, "https://spa.example").await, "{path}");
            assert_eq!(allows(path, "https://evil.example").await, stranger, "{path}");
        }
        let registers = std::ptr::eq(server, &registering);
        assert_eq!(allows("/register", "https://evil.example").await, registers);
        for path in ["/authorize", "/login", "/verify", "/consent", "/device", "/introspect", "/oauth/pages.css"] {
            assert!(!allows(path, "https://spa.example").await, "{path}");
        }
    }
}

#[tokio::test]
async fn on_https_the_cookie_is_one_that_no_other_host_can_set() {
    let server = start(|builder| builder.issuer("https://notes.example").direct_peers());
    let page = Browser::new(&server).authorize(&[]).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-oauth-browser-"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn c01_head_makes_no_code_and_spends_no_pushed_request() {
    const SECRET: &str = "a secret of a client that no one else has";
    let server = start(|builder| {
        let web = Client::confidential("web").secret(SECRET).redirect_uri("https://web.example/cb");
        builder.reload_blocking(|_| Some(serde_json::json!({ "role": "admin" }))).client(web)
    });
    let browser = Browser::new(&server);
    let web = [("client_id", Some("web")), ("redirect_uri", Some("https://web.example/cb"))];
    browser.sign_in(&web, "admin", "admin123").await;
    let form = oauth_tests::authorization_request(&web);
    let pushed = browser.post("/par", format!("{form}&client_secret={}", SECRET.replace(' ', "+"))).await.json();
    let url =
        format!("{}/authorize?client_id=web&request_uri={}", browser.base, pushed["request_uri"].as_str().unwrap());
    for _ in 0..2 {
        let head = Answer::to(browser.http.head(&url)).await;
        assert!(head.status == 200 && head.headers.get("location").is_none(), "{head:?}");
    }
    assert!(Answer::to(browser.http.get(&url)).await.redirect().contains_key("code"));
}
