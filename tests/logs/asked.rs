//! What the log says of a refused request: which client sent it, the value that is not right, and what it most likely is. The
//! client learns no more than before.

use oauth_runtime::Client;
use oauth_tests::{Answer, Browser, Server, changed, start, without_cookies};
use reqwest::Method;
use serde_json::json;

use crate::LOG;
use crate::issuers::lines;

/// With characters that a form writes in another way.
const CLUMSY: &str = "YWJj+ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo/MTIzNDU2Nzg=";

fn server(job: &'static str) -> Server {
    start(move |builder| {
        builder
            .client(Client::confidential(job).secret(CLUMSY).scope("notes:read"))
            .client(
                Client::public("app-of-asked")
                    .redirect_uri("https://app-of-asked.example/callback")
                    .post_logout_redirect_uri("https://app-of-asked.example/bye"),
            )
            .scope("openid", "Know who you are")
            .reload(async |_: &str| Some(json!({})))
    })
}

#[tokio::test]
async fn c19_a_refused_client_is_named_with_the_value_that_is_not_right() {
    let _ = LOG.clone();
    let server = server("asked-job");
    let browser = Browser::new(&server);
    let as_job = |form: &'static [(&str, &str)]| browser.post_as("/token", "asked-job", CLUMSY, form);
    assert_eq!(
        browser.post_as("/token", "asked-job", "wrong", &[("grant_type", "client_credentials")]).await.status,
        401
    );
    as_job(&[("grant_type", "password_of_asked")]).await;
    as_job(&[("grant_type", "client_credentials"), ("scope", "of:asked,notes:read")]).await;
    as_job(&[("grant_type", "client_credentials"), ("resource", "https://of-asked.example/x?secret=s3cret")]).await;
    browser.post("/token", "grant_type=authorization_code&client_id=app_of_asked&code=c").await;
    for (reason, fields) in [
        ("ClientSecretWrong", r#"client="asked-job""#),
        ("UnsupportedGrantType", r#"client="asked-job" grant_type="password_of_asked""#),
        ("ScopeBeyondClient", r#"client="asked-job" scope="of:asked,notes:read""#),
        ("TargetNotForClient", r#"client="asked-job" resource="https://of-asked.example/x?..""#),
        ("ClientUnknown", r#"client="app_of_asked""#),
    ] {
        let told = lines(fields);
        assert!(told.contains(&format!("token request refused reason={reason}")), "{fields}: {told}");
    }
    assert!(!lines("of-asked.example").contains("s3cret"));
    // At the other addresses of a client, and at those for browsers.
    browser.post("/revoke", "client_id=revoker_of_asked&token=t").await;
    assert!(lines("revoker_of_asked").contains("revocation refused reason=ClientUnknown"));
    browser.authorize(&[("resource", Some("https://authorized-of-asked.example"))]).await;
    let told = lines("authorized-of-asked.example");
    assert!(told.contains("authorization request refused") && told.contains(r#"client="demo""#), "{told}");
    let uri = "https://app-of-asked.example/bye/";
    browser.call(&format!("/logout?client_id=app-of-asked&post_logout_redirect_uri={uri}"), None).await;
    let told = lines("sign-out refused with a page reason=UnknownPostLogoutRedirectUri");
    assert!(told.contains(&format!(r#"redirect_uri="{uri}" nearest="{}""#, uri.trim_end_matches('/'))), "{told}");
    let code = browser.code().await;
    browser.redeem(&code, &[("redirect_uri", Some("http://127.0.0.1/callback-of-asked"))]).await;
    let told = lines("reason=RedirectUriMismatch");
    assert!(told.contains(r#"client="demo" redirect_uri="http://127.0.0.1/callback-of-asked" nearest="#), "{told}");
}

#[tokio::test]
async fn c17_a_secret_that_is_nearly_right_is_in_the_log_and_not_in_the_answer() {
    let _ = LOG.clone();
    let server = server("nearly-job");
    let browser = Browser::new(&server);
    let encoded = |text: &str| text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let rows = [
        (format!("{CLUMSY}\n"), "white space or quotes"),
        (format!("\"{CLUMSY}\""), "white space or quotes"),
        (encoded(CLUMSY), "percent-encoded once too often"),
        (CLUMSY.replace('+', " "), "a + that was sent as it is"),
    ];
    let told = || lines(r#"client="nearly-job""#);
    for (secret, hint) in &rows {
        let fields = [("grant_type", "client_credentials"), ("client_id", "nearly-job"), ("client_secret", secret)];
        let answer = browser.post("/token", changed(&fields, &[])).await;
        assert_eq!(answer.json()["error_description"], "the secret is not one of this client", "{answer:?}");
        assert!(told().contains(hint), "{secret}: {}", told());
    }
    let before = told().matches("the secret is right but").count();
    browser.post_as("/token", "nearly-job", "another", &[("grant_type", "client_credentials")]).await;
    assert_eq!((before, told().matches("the secret is right but").count()), (4, 4), "{}", told());
    assert!(!LOG.clone().text().contains(&CLUMSY[..20]), "no secret is in the log");
}

#[tokio::test]
async fn c17_a_secret_that_was_sent_as_the_id_is_not_logged() {
    let _ = LOG.clone();
    let server = server("swapped-job");
    let browser = Browser::new(&server);
    let swapped = "c3dhcHBlZCBzZWNyZXQgb2YgdGhpcyB2ZXJ5IHRlc3Q=";
    let form = [("grant_type", "client_credentials")];
    assert_eq!(browser.post_as("/token", swapped, "swapped-job", &form).await.status, 401);
    let both = [form[0], ("client_id", swapped), ("client_secret", "swapped-job")];
    assert_eq!(browser.post("/token", changed(&both, &[])).await.status, 400);
    assert!(!LOG.clone().text().contains(&swapped[..20]));
}

#[tokio::test]
async fn c35_a_page_of_another_origin_is_logged_with_its_cure() {
    let _ = LOG.clone();
    let server = server("cors-job");
    let browser = Browser::new(&server);
    let ask = |method, origin: &str| {
        let request = browser.http.request(method, format!("{}/token", server.base)).header("origin", origin);
        request.header("access-control-request-method", "POST").form(&[("grant_type", "x")])
    };
    let told = |origin: &str| lines(&format!("origin=\"{origin}\"")).lines().count();
    for (method, origin) in
        [(Method::OPTIONS, "http://preflight.example:5173"), (Method::POST, "http://posted.example:5173")]
    {
        let answer = Answer::to(ask(method, origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(told(origin), 1);
        assert!(
            lines(origin).contains("register a redirect URI of this origin, or add .origin(..)"),
            "{}",
            lines(origin)
        );
    }
    // The service's own pages, by whichever name they were opened, and those that may call.
    let by_another_name = server.base.replace("127.0.0.1", "localhost");
    let host = by_another_name.trim_start_matches("http://");
    Answer::to(ask(Method::POST, &by_another_name).header("host", host)).await;
    Answer::to(ask(Method::POST, &server.base)).await;
    Answer::to(ask(Method::POST, "https://app-of-asked.example")).await;
    for origin in [&by_another_name, &server.base, "https://app-of-asked.example"] {
        assert_eq!(told(origin), 0, "{}", lines(origin));
    }
}

#[tokio::test]
async fn c01_c16_what_to_send_is_said_where_the_method_or_the_place_is_wrong() {
    let _ = LOG.clone();
    let server = server("method-job");
    let browser = Browser::new(&server);
    let answer = browser.call("/token?grant_type=client_credentials", None).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    let said = "send a POST request: this address takes no other";
    assert_eq!(answer.json(), json!({ "error": "invalid_request", "error_description": said }));
    assert!(lines("token request refused").contains("reason=OtherMethod { is_for_posts: true }"));
    // A person who loads the address of the form again.
    let page = browser.call("/consent", None).await;
    assert_eq!((page.status, page.header("allow"), page.is_page()), (405, "POST", true), "{page:?}");
    assert!(page.body.contains("start again"), "{page:?}");
    // A script cannot ask for a sign-in.
    let preflight = browser.http.request(Method::OPTIONS, format!("{}/authorize", server.base));
    let preflight = preflight.header("origin", "https://app-of-asked.example");
    let answer = Answer::to(preflight.header("access-control-request-method", "GET")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, ""));
    assert!(lines("no script of another origin may call this address").contains("send the browser to it"));
    // Parameters in the query, and JSON that says it is a form.
    let post = |path: &str, body: &'static str| {
        let request = browser.http.post(format!("{}{path}", server.base)).body(body);
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded"))
    };
    for answer in [
        post("/token?grant_type=client_credentials", "").await,
        post("/token", r#"{"grant_type":"client_credentials"}"#).await,
    ] {
        let said =
            "grant_type is missing: send grant_type=.. in the body, form-encoded; the query and JSON are not read";
        assert_eq!(answer.json()["error_description"], said, "{answer:?}");
    }
}

#[tokio::test]
async fn c25_a_token_that_is_where_none_is_read_is_logged() {
    let _ = LOG.clone();
    let server = server("placed-job");
    let browser = Browser::new(&server);
    let (scheme, query, no_value) =
        ("does not begin with the word Bearer", "an access_token in the query", "a value that it does not have");
    for (path, authorization, hint) in [
        ("/me", Some("Token abc"), Some(scheme)),
        ("/me", Some("eyJhbGciOi.J9.x"), Some(scheme)),
        ("/me?x=1&access_token=abc", None, Some(query)),
        ("/me?my_access_token=abc", None, None),
        ("/me", None, None),
        ("/me", Some("Bearer undefined"), Some(no_value)),
        ("/me", Some("Bearer null"), Some(no_value)),
        ("/me", Some("Bearer abc"), None),
    ] {
        let told = || [scheme, query, no_value].map(|hint| lines(hint).lines().count());
        let before = told();
        let request = browser.http.get(format!("{}{path}", server.base));
        let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
        assert_eq!(Answer::to(request).await.status, 401);
        let more: Vec<_> = told().into_iter().zip(before).map(|(after, before)| after - before).collect();
        let expected: Vec<_> = [scheme, query, no_value].map(|it| usize::from(Some(it) == hint)).into();
        assert_eq!(more, expected, "{path} {authorization:?}");
    }
    // All URLs of the server have one pattern, which says nothing of this one.
    assert_eq!(browser.call("/userinfo", Some("of-no-use")).await.status, 401);
    assert_eq!(lines("{oauth:"), "");
}

#[tokio::test]
async fn c30_a_form_that_no_page_of_ours_sent_is_logged_with_its_origin() {
    let _ = LOG.clone();
    let server = server("form-job");
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let http = reqwest::Client::new();
    let post = |origin: Option<&str>| {
        let request = http.post(format!("{}/login", server.base)).form(&[("request", form.as_str())]);
        origin.into_iter().fold(request, |request, origin| request.header("origin", origin))
    };
    for (origin, logged) in [(None, "none"), (Some("http://localhost:4713"), "http://localhost:4713")] {
        assert_eq!(Answer::to(post(origin)).await.status, 403);
        let told = lines(&format!("reason=FormOfAnotherSite origin=\"{logged}\""));
        assert!(told.contains("open the page at that address"), "{told}");
    }
    // A browser at an http address keeps no cookie of an https issuer.
    let secure = start(|builder| builder.issuer("https://secure-of-asked.example").direct_peers());
    let browser = Browser { http: without_cookies(), base: secure.base.clone() };
    let form = browser.authorize(&[]).await.form();
    assert_eq!(browser.login(&form, "admin", "admin123").await.status, 403);
    let told = lines("reason=FormFromElsewhere");
    assert!(told.contains("no cookie came: those of an https issuer are Secure"), "{told}");
}
