//! A program that binds its claims to one type, and links a library that binds its own to another: each binding is compared with
//! what signs in.
#![allow(clippy::unwrap_used, reason = "not production code")]

use actix_web::{Responder, get};
use oauth_runtime::{BuildError, Builder, Claims, Client, Login, OAuthService, claims, require_claim};
use oauth_tests_library::{Account, paid};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
struct User {
    sub: String,
    level: u8,
}

claims!(User);

#[require_claim(level > 3)]
#[get("/high")]
async fn high() -> impl Responder {
    "high"
}

fn service() -> Builder {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
}

fn user(login: Login) -> Option<User> {
    Some(User { sub: login.username, level: 7 })
}

fn account(login: Login) -> Option<Account> {
    Some(Account { sub: login.username, paid: true })
}

#[test]
fn a_library_bound_to_another_type_than_signs_in_is_told() {
    // They are linked.
    let _ = (high, paid);
    let refused = |built: Result<OAuthService, BuildError>| {
        let refused = built.expect_err("two types");
        let text = refused.to_string();
        let BuildError::UnboundClaims { answered, bound } = refused else { panic!("{text}") };
        assert!(text.contains(&format!("authenticate returns {answered}, and claims!(..) names {bound}")), "{text}");
        (answered, bound)
    };
    // The program's own binding is right, and the library's is not.
    let (answered, bound) = refused(service().authenticate_blocking(user).build());
    assert_eq!((answered, bound.as_str()), ("foreign::User", "oauth_tests_library::Account"));
    // The other way round.
    let (answered, bound) = refused(service().authenticate_blocking(account).build());
    assert_eq!((answered, bound.as_str()), ("oauth_tests_library::Account", "foreign::User"));
    let built = service().untyped_claims().authenticate_blocking(user).build();
    assert!(built.is_ok(), "{built:?}");
}
