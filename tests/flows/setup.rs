//! Where the routes are, where they must not be, and what the metadata says of them.

use actix_web::web;
use oauth_runtime::Endpoint;
use oauth_tests::{Browser, builder, free_port, handlers, serve, start};
use serde_json::json;

#[tokio::test]
async fn an_app_without_the_routes_lets_no_one_in() {
    let whole = start(|builder| builder);
    let token = Browser::new(&whole).token().await;
    let (listener, _) = free_port();
    let server = serve(listener, handlers);
    let browser = Browser::new(&server);
    for path in ["/me", "/admin", "/stacked", "/shaped"] {
        for token in [None, Some(token.as_str())] {
            let answer = browser.call(path, token).await;
            assert_eq!((answer.status, &answer.json()["error"]), (500, &json!("server_error")), "{path}");
            assert_eq!(answer.header("www-authenticate"), "");
        }
    }
    assert_eq!(browser.call("/open", None).await.status, 200);
}

#[tokio::test]
async fn routes_in_a_scope_do_not_work_by_half() {
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let server = serve(listener, move |app| {
        app.service(web::scope("/auth").configure(oauth.routes()).configure(handlers)).configure(handlers);
    });
    let browser = Browser::new(&server);
    let scoped = Browser { base: format!("{base}/auth"), ..browser.clone() };
    for path in ["/authorize", "/login", "/token", "/.well-known/oauth-authorization-server", "/oauth/pages.css"] {
        assert_eq!(browser.call(path, None).await.status, 404, "{path}");
        assert_eq!(scoped.call(path, None).await.status, 500, "{path}");
        assert_eq!(scoped.post(path, "").await.status, 500, "{path}");
    }
    assert_eq!(scoped.authorize(&[]).await.status, 500);
    assert_eq!(browser.call("/me", None).await.status, 500);
    assert_eq!(scoped.call("/me", None).await.status, 401, "no user has a token, and none gets one");
}

#[tokio::test]
async fn c14_c34_c36_metadata_is_true() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let request = browser.http.get(format!("{}/.well-known/oauth-authorization-server", server.base));
    let request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example");
    let metadata = oauth_tests::Answer::to(request.header("forwarded", "host=evil.example;proto=https")).await;
    let base = &server.base;
    assert_eq!(
        metadata.json(),
        json!({
            "issuer": base,
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"),
            "pushed_authorization_request_endpoint": format!("{base}/par"),
            "revocation_endpoint": format!("{base}/revoke"),
            "revocation_endpoint_auth_methods_supported": ["none"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["notes:read", "notes:write"],
            "ui_locales_supported": ["en"],
        })
    );
    // c21: what it does not list it does not do.
    for grant in ["password", "client_credentials", "refresh_token", "implicit"] {
        let answer = browser.redeem("x", &[("grant_type", Some(grant))]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("unsupported_grant_type")), "{grant}");
    }
    for response_type in ["token", "id_token", "code token"] {
        let answer = browser.authorize(&[("response_type", Some(response_type))]).await.redirect();
        assert_eq!(answer["error"], "unsupported_response_type");
    }
}

#[tokio::test]
async fn c36_an_issuer_with_a_path_and_urls_of_ones_own() {
    let (listener, base) = free_port();
    let issuer = format!("{base}/tenant/a");
    let oauth = builder(&issuer).path(Endpoint::Token, "/t/oken").build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    });
    let root = Browser::new(&server);
    let metadata = root.call("/.well-known/oauth-authorization-server/tenant/a", None).await.json();
    assert_eq!(metadata["issuer"], issuer);
    assert_eq!(metadata["authorization_endpoint"], format!("{issuer}/authorize"));
    assert_eq!(metadata["token_endpoint"], format!("{issuer}/t/oken"));
    assert_eq!(root.call("/.well-known/oauth-authorization-server", None).await.status, 404);
    assert_eq!(root.authorize(&[]).await.status, 404);

    let tenant = Browser { base: issuer.clone(), ..root.clone() };
    let page = tenant.authorize(&[]).await;
    assert!(page.body.contains("action=\"/tenant/a/login\""), "{page:?}");
    let redirect = tenant.login(&page.form(), "admin", "admin123").await.redirect();
    assert_eq!(redirect["iss"], issuer);
    let issued = tenant.post("/t/oken", tenant.token_form(&redirect["code"], &[])).await.json();
    let me = root.call("/me", issued["access_token"].as_str()).await.json();
    assert_eq!((&me["iss"], &me["aud"]), (&json!(issuer), &json!([issuer])));
}
