//! What the log says of an issuer elsewhere: why guards are closed, why a token that it signed is refused, and what to change.

use actix_web::{HttpResponse, web};
use oauth_runtime::{ResourceServer, require_token};
use oauth_tests::{Answer, Browser, Server, free_port, handlers, serve, start};
use serde_json::json;

use crate::LOG;

const API: &str = "https://api.example";

async fn api(issuer: &str, typ: Option<&str>) -> (Server, Browser) {
    let builder = ResourceServer::discover(issuer).audience(API);
    let builder = typ.into_iter().fold(builder, |builder, typ| builder.danger_accept_type(typ));
    let api = builder.build().await.unwrap();
    let server = serve(free_port().0, move |app| {
        app.configure(api.routes()).configure(handlers).service(closed);
    });
    let browser = Browser::new(&server);
    (server, browser)
}

#[require_token]
#[actix_web::get("/closed")]
async fn closed() -> &'static str {
    "closed"
}

/// The lines of the log that have this in them.
pub(crate) fn lines(part: &str) -> String {
    let text = LOG.clone().text();
    text.lines().filter(|line| line.contains(part)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn c48_the_log_says_why_there_are_no_keys_and_what_to_change() {
    let _ = LOG.clone();
    let rows = [
        (
            "other",
            json!({ "issuer": "https://idp.example" }),
            "that of \"https://idp.example\": write the issuer just like that",
        ),
        (
            "no-address",
            json!({}),
            "if it is an OAuthService, add .own_resource(..) there, with the audience of this server",
        ),
        ("plain", json!({ "jwks_uri": "http://idp.example/keys" }), "must be at an https address"),
        ("no-keys", json!({ "jwks_uri": "/keys" }), "there is no usable key at"),
        ("lost", json!({ "jwks_uri": "/nothing" }), "there is nothing at"),
    ];
    for (name, metadata, cure) in rows {
        let (listener, base) = free_port();
        let issuer = format!("{base}/{name}");
        let mut document = json!({ "issuer": issuer });
        for (name, value) in metadata.as_object().unwrap() {
            let path = value.as_str().filter(|path| path.starts_with('/'));
            document[name] = path.map_or(value.clone(), |path| json!(format!("{issuer}{path}")));
        }
        let _server = serve(listener, move |app| {
            let document = document.clone();
            let metadata = format!("/{name}/.well-known/openid-configuration");
            app.route(&metadata, web::get().to(move || std::future::ready(HttpResponse::Ok().json(&document))));
            let keys = web::get().to(|| async { HttpResponse::Ok().json(json!({ "keys": [] })) });
            app.route(&format!("/{name}/keys"), keys);
        });
        let (_api, browser) = api(&issuer, None).await;
        assert_eq!(browser.call("/closed", Some("x.y.z")).await.status, 503);
        let said = lines(&format!("issuer=\"{issuer}\""));
        assert!(said.contains("ERROR") && said.contains("guards answer 503 until there are"), "{said}");
        assert!(said.contains(cure), "{cure}: {said}");
    }
    let (listener, base) = free_port();
    drop(listener);
    let _api = api(&base, None).await;
    let said = lines(&format!("issuer=\"{base}\""));
    assert!(said.contains("cannot be fetched"), "{said}");
}

#[tokio::test]
async fn c26_c49_the_log_says_why_a_token_that_the_issuer_signed_is_refused() {
    let _ = LOG.clone();
    let idp =
        start(|builder| builder.resource(API).resource("https://other.example").scope("openid", "know who you are"));
    let user = Browser::new(&idp);
    let redirect = user.sign_in(&[("scope", Some("openid"))], "admin", "admin123").await.redirect();
    let tokens = user.redeem(&redirect["code"], &[]).await.json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let (id_token, own) = (text("id_token"), text("access_token"));

    let (_server, strict) = api(&idp.base, None).await;
    assert_eq!(strict.call("/closed", Some(&id_token)).await.status, 401);
    let said = lines("cure=\"its typ is not at+jwt");
    assert!(said.contains("add .danger_accept_type(\\\"JWT\\\")") && said.contains("reason=TokenType"), "{said}");
    assert_eq!(strict.call("/closed", Some(&own)).await.status, 401);
    let said = lines(
        "cure=\"it is for its issuer: the client has to ask for a token for this server, by the parameter `resource`",
    );
    assert!(said.contains(&idp.base) && said.contains("reason=TokenAudience"), "{said}");
    let said = lines("hint=\"it is for its issuer");
    assert!(said.contains(".own_resource(..); do not write the issuer in .audience(..) here"), "{said}");
    assert!(!lines(&idp.base).contains("write the audience of the token in .audience(..) here"));
    let of_another = user.issued(&[("resource", Some("https://other.example"))]).await;
    assert_eq!(strict.call("/closed", of_another["access_token"].as_str()).await.status, 401);
    let said = lines("cure=\"its aud is not that of .audience(..)");
    assert!(said.contains("https://other.example") && said.contains("reason=TokenAudience"), "{said}");
    let said = lines("write the audience of the token in .audience(..) here");
    assert!(said.contains("https://other.example"), "{said}");

    let (_server, lenient) = api(&idp.base, Some("JWT")).await;
    assert_eq!(lenient.call("/closed", Some(&id_token)).await.status, 401);
    let said = lines("cure=\"it is an ID token");
    assert!(said.contains("reason=TokenOfAnotherUse"), "{said}");
    assert!(!LOG.clone().text().contains(&id_token), "no token is logged");

    let request = strict.http.get(format!("{}/closed", strict.base)).header("authorization", format!("DPoP {own}"));
    assert_eq!(Answer::to(request).await.status, 401);
    assert!(lines("reason=TokenBound").contains("refused"), "{}", lines("reason=TokenBound"));
}
