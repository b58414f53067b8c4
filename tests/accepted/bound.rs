//! A crate that binds its guards to a type of another crate, and to one of its own: they are checked wherever they stand, and
//! neither the compiler nor clippy complains of what the macros write.
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    absolute_paths_not_starting_with_crate,
    closure_returning_async_block,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents,
    let_underscore_drop,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    rust_2018_idioms,
    rust_2024_compatibility,
    single_use_lifetimes,
    tail_expr_drop_order,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_lifetimes,
    unused_qualifications,
    variant_size_differences
)]

use std::fmt::Debug;

use actix_web::{App, FromRequest, Responder, get, web};
use oauth_runtime::{
    AccessToken, BuildError, Claims, Client, OAuthService, Policy, claims, policy, require_claim, require_token,
};
use oauth_tests::accounts::{Role, User};
use serde::{Deserialize, Serialize};

/// A program, which signs in without a person. (Its name has the name of JSON in it, and is another.)
#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
pub struct RobotValue {
    sub: String,
    /// Of its maker.
    #[serde(rename = "serial-number")]
    serial: u32,
    r#type: Option<String>,
}

claims!(User, RobotValue, scope = ["notes:read", "notes:write", r"of,two"], acr = ["mfa"]);

#[require_claim(any(role = ["auditor", "admin"], "serial-number" > 3, r#type = "crawler"), not(suspended), not(dyn banned))]
#[get("/terms")]
async fn terms() -> impl Responder {
    "terms"
}

#[require_claim(User { role: Role::Admin | Role::Auditor, level: 3.., .. })]
#[require_claim(sub = path.owner, scope = "notes:read", acr = "mfa", fresh = "5m", client_id != "old")]
#[get("/pattern/{owner}")]
async fn pattern(Claims(user): Claims<User>, robot: Option<Claims<RobotValue>>) -> impl Responder {
    format!("{user:?} {robot:?}")
}

/// What these words are elsewhere is nothing to a guard.
pub mod shadows {
    use super::{Claims, Responder, Role, get, require_claim};
    use crate::User as Account;

    /// Of the name of what the guards look for.
    #[derive(Clone, Copy, Debug, serde::Deserialize)]
    pub struct User;
    /// The same.
    pub const BOUND: u8 = 3;

    /// Of a scope around it is the parameter.
    #[require_claim(Account { role: Role::Admin, level, .. } if *level > BOUND)]
    #[require_claim(all(teams = "blue", teams = "red"), sub = dyn path.owner)]
    #[get("/shadows")]
    pub async fn shadows(
        _: Claims<serde_json::Value>,
        user: Result<Claims<Account>, actix_web::Error>,
    ) -> impl Responder {
        let _ = User;
        user.is_ok().to_string()
    }
}

/// Handlers in an `impl`, one with parameters.
#[derive(Clone, Copy, Debug)]
pub struct Handlers<T>(T);

impl<T: FromRequest + Debug + 'static> Handlers<T> {
    const LEVEL: Policy = policy!(level >= 3);

    #[require_claim(teams = "blue")]
    async fn with(extracted: T) -> String {
        let _ = Self::LEVEL;
        format!("{extracted:?}")
    }
}

macro_rules! written {
    ($name:ident, $($policy:tt)*) => {
        #[require_claim($($policy)*)]
        #[get("/written")]
        async fn $name(token: AccessToken) -> Result<&'static str, oauth_runtime::Refusal> {
            token.satisfies(policy!($($policy)*))?;
            Ok("written")
        }
    };
}

written!(written, role != "reader", level <= 200);

#[require_token]
#[get("/either")]
async fn either(token: AccessToken) -> Result<String, oauth_runtime::Refusal> {
    let decided = token.satisfies(policy!(role = "admin"));
    let second = || token.satisfies(policy!(role = "auditor"));
    decided.or_else(|_| second())?;
    Ok(String::new())
}

static STAFF: Policy = policy!(role = ["auditor", "admin"]);

fn main() {
    let user = |name: &str| User {
        sub: name.to_owned(),
        role: Role::Admin,
        level: 7,
        suspended: false,
        teams: vec!["blue".to_owned()],
    };
    let service = || {
        OAuthService::builder()
            .issuer("http://127.0.0.1:8000")
            .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
            .scope("notes:read", "Read notes")
            .scope("notes:write", "Write notes")
            .authenticate(async move |login: oauth_runtime::Login| Some(user(&login.username)))
    };
    // The library that the type is of binds nothing, and has guards about other services: that this crate binds is nothing to
    // them.
    match service().build() {
        Err(BuildError::GuardMisfit { guard, .. }) => assert!(guard.starts_with("oauth_tests::"), "{guard}"),
        other => panic!("{other:?}"),
    }
    let service = service().untyped_claims().build().unwrap_or_else(|error| panic!("{error}"));
    let all = (terms, pattern, shadows::shadows, written, either);
    let handlers = web::resource("/with").wrap(service.require(STAFF)).to(Handlers::<web::Bytes>::with);
    drop(App::new().configure(service.routes()).service(all).service(handlers));
    let here = oauth_runtime::policy_map().iter().filter(|guard| guard.module.starts_with("bound")).count();
    assert_eq!(here, 13, "a guard each, and a policy each");
}
