//! What a user's own tests drive through an `App` of `test::init_service`, and what middlewares do to it.

use actix_web::middleware::{NormalizePath, TrailingSlash};
use actix_web::test::TestRequest;
use actix_web::{App, test, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::testing::NotSignedIn;
use oauth_runtime::{
    Builder, Client, Login, OAuthService, Question, SecondFactor, SignIn, policy, require_claim, testing,
};
use oauth_tests::SECRET;
use serde_json::json;

const ISSUER: &str = "http://127.0.0.1:8080";

/// `ada` has a second factor, `bob` has not.
fn builder(issuer: &str) -> Builder<WithReload> {
    OAuthService::builder()
        .untyped_claims()
        .issuer(issuer)
        .secret(SECRET)
        .client(Client::public("spa").redirect_uri("http://127.0.0.1/callback"))
        .client(Client::confidential("web").secret(SECRET).redirect_uri("https://web.example/cb?from=here"))
        .client(
            Client::public("partner")
                .redirect_uri("https://partner.example/cb")
                .third_party()
                .allow_scopes("notes:read")
                .allow_resources([issuer]),
        )
        .client(Client::confidential("job").secret(SECRET))
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| match (login.username.as_str(), &*login.password) {
            ("ada", "right") => SignIn::ask(Question::code("Enter the code")),
            ("bob", "right") => SignIn::done(json!({ "sub": "2", "role": "reader" })),
            _ => SignIn::refused(),
        })
        .second_factor(async |factor: SecondFactor| match &*factor.answer {
            "123456" => SignIn::done(json!({ "sub": "1", "role": "author" })),
            _ => SignIn::refused(),
        })
        .reload(async |_: &str| Some(json!({ "role": "reader" })))
}

#[require_claim(scope = "notes:read")]
#[actix_web::get("/notes")]
async fn notes() -> &'static str {
    "notes"
}

#[actix_web::test]
async fn c05_c13_a_users_own_test_drives_the_whole_flow() {
    let oauth = builder(ISSUER).build().unwrap();
    let app = test::init_service(App::new().configure(oauth.routes()).service(notes)).await;
    let status = async |header: (&'static str, String)| {
        test::call_service(&app, TestRequest::get().uri("/notes").insert_header(header).to_request()).await.status()
    };

    let ada = testing::sign_in(&app).user("ada", "right").client("spa").scope("openid notes:read").answer("123456");
    let ada = ada.await.unwrap();
    assert_eq!((ada.scope(), status(ada.header()).await.as_u16()), ("notes:read openid", 200));
    assert!(ada.id_token().is_some() && ada.answer()["token_type"] == "Bearer");
    let next = ada.refresh(&app).await.unwrap();
    assert_ne!((next.access_token(), next.refresh_token()), (ada.access_token(), ada.refresh_token()));
    assert_eq!(status(next.header()).await.as_u16(), 200);

    let bob = || testing::sign_in(&app).user("bob", "right");
    let plain = bob().client("spa").await.unwrap();
    assert_eq!((plain.scope(), plain.id_token(), status(plain.header()).await.as_u16()), ("", None, 403));
    let web = bob().client("web").client_secret(SECRET).scope("notes:read").await.unwrap();
    assert_eq!(web.refresh(&app).await.unwrap().scope(), "notes:read");
    let partner = bob().client("partner").scope("notes:read").resource(ISSUER).allow().await.unwrap();
    assert_eq!(status(partner.header()).await.as_u16(), 200);
    let other_port = bob().client("spa").redirect_uri("http://127.0.0.1:7777/callback").await.unwrap();
    assert_eq!(format!("{other_port:?}"), "SignedIn { client: \"spa\", scope: \"\", .. }");
}

#[actix_web::test]
async fn a_users_own_test_pushes_what_has_to_be_pushed() {
    let oauth = builder(ISSUER).require_pushed_requests().build().unwrap();
    let app = test::init_service(App::new().configure(oauth.routes())).await;
    let bob = || testing::sign_in(&app).user("bob", "right");
    let web = bob().client("web").client_secret(SECRET).scope("notes:read");
    assert_eq!(web.await.unwrap().scope(), "notes:read");
    assert_eq!(bob().client("spa").scope("notes:read").await.unwrap().scope(), "notes:read");
    let why = bob().client("web").client_secret("wrong").await.unwrap_err();
    assert!(why.to_string().starts_with("the client gets the error invalid_client: "), "{why}");
}

#[actix_web::test]
async fn a_step_that_answers_something_else_says_what_to_do() {
    let oauth = builder(ISSUER).build().unwrap();
    let app = test::init_service(App::new().configure(oauth.routes())).await;
    let bob = || testing::sign_in(&app).user("bob", "right").client("spa");
    let ada = || testing::sign_in(&app).user("ada", "right").client("spa");
    for (signing_in, says) in [
        (bob().user("bob", "wrong"), "the sign-in page says: "),
        (bob().user("", ""), "the sign-in page says: "),
        (ada(), "the user is asked \"Enter the code\": say .answer(..)"),
        (ada().answer("654321"), "the sign-in page says: "),
        (
            bob().client("partner").scope("notes:read"),
            "the user is asked to allow \"partner\" the scope \"notes:read\": say .allow()",
        ),
        (bob().client("no-one"), "no client \"no-one\" signs users in"),
        (bob().client("job"), "no client \"job\" signs users in"),
        (bob().scope("none"), "the client gets the error invalid_scope: "),
        (
            bob().redirect_uri("https://evil.example/cb"),
            "GET /authorize answered 400: this redirect_uri is not registered",
        ),
        (bob().client("web"), "the client gets the error invalid_client: "),
        (bob().client("web").client_secret("wrong"), "the client gets the error invalid_client: "),
    ] {
        let why = signing_in.await.unwrap_err();
        assert!(why.to_string().starts_with(says), "{why}");
    }
    // Which of several clients is meant, the test says.
    let why = testing::sign_in(&app).user("bob", "right").await.unwrap_err();
    assert_eq!(why.to_string(), "several clients sign users in: say .client(..) with one of partner, spa, web");
    // Nothing that refreshes, nothing that serves.
    let without = builder(ISSUER).refresh_tokens(false).build().unwrap();
    let app = test::init_service(App::new().configure(without.routes())).await;
    let bob = testing::sign_in(&app).user("bob", "right").client("spa").await.unwrap();
    let why = bob.refresh(&app).await.unwrap_err();
    assert!(matches!(&why, NotSignedIn::Refused { error, .. } if error == "unsupported_grant_type"), "{why}");
    let bare = test::init_service(App::new().service(notes)).await;
    assert_eq!(testing::sign_in(&bare).await.unwrap_err(), NotSignedIn::NoService);
    let elsewhere = OAuthService::builder()
        .untyped_claims()
        .issuer(ISSUER)
        .client(Client::public("spa").redirect_uri("http://127.0.0.1/callback"))
        .sign_in_at("/welcome")
        .build()
        .unwrap();
    let app = test::init_service(App::new().configure(elsewhere.routes())).await;
    let why = testing::sign_in(&app).await.unwrap_err();
    assert_eq!(why, NotSignedIn::Elsewhere { location: "/welcome".to_owned() });
}

#[actix_web::test]
async fn c36_the_routes_are_there_whatever_normalize_path_does() {
    for mode in [TrailingSlash::Trim, TrailingSlash::MergeOnly, TrailingSlash::Always] {
        for path in ["", "/tenant"] {
            let oauth = builder(&format!("{ISSUER}{path}")).build().unwrap();
            let app = App::new()
                .configure(oauth.routes())
                .wrap(oauth.require(policy!(role = "admin")))
                .wrap(oauth.closed())
                .wrap(NormalizePath::new(mode));
            let app = test::init_service(app).await;
            let signing_in = testing::sign_in(&app).user("ada", "right").client("spa").answer("123456").scope("openid");
            let ada = signing_in.await.unwrap();
            for at in [
                format!("/.well-known/oauth-authorization-server{path}"),
                format!("/.well-known/oauth-protected-resource{path}"),
                format!("{path}/.well-known/openid-configuration"),
                format!("{path}/.well-known/jwks.json"),
                format!("{path}/userinfo"),
                format!("{path}/oauth/pages.css"),
            ] {
                let request = TestRequest::get().uri(&at).insert_header(ada.header()).to_request();
                assert_eq!(test::call_service(&app, request).await.status().as_u16(), 200, "{at} {mode:?}");
            }
        }
    }
}

#[actix_web::test]
async fn c26_neither_spelling_of_an_address_is_a_way_around_a_policy() {
    // The application has one spelling, the server the other: the policy is for both, wherever a path is changed.
    for own in ["/token", "/token/"] {
        for mode in [TrailingSlash::Trim, TrailingSlash::MergeOnly, TrailingSlash::Always] {
            let oauth = builder(ISSUER).build().unwrap();
            let app = App::new()
                .route(own, web::to(async || "the application's"))
                .configure(oauth.routes())
                .wrap(NormalizePath::new(mode))
                .wrap(oauth.require(policy!(role = "admin")));
            let app = test::init_service(app).await;
            for asked in ["/token", "/token/", "//token"] {
                let request = TestRequest::post().uri(asked).to_request();
                let response = test::call_service(&app, request).await;
                assert_eq!(response.status().as_u16(), 401, "{own} {asked} {mode:?}");
            }
        }
    }
}
