//! For the tests of an application: tokens in one line, users who sign in, a check that no route was left open, tokens
//! that test each guard, and a store that fails on demand.
//!
//! ```
//! use actix_web::{App, http::StatusCode, test};
//! use oauth_runtime::{require_claim, testing};
//! use serde_json::json;
//!
//! #[require_claim(role = "admin")]
//! #[actix_web::get("/admin")]
//! async fn admin() -> &'static str { "admin" }
//!
//! # #[actix_web::main]
//! # async fn main() {
//! let oauth = testing::service();
//! let app = test::init_service(App::new().configure(oauth.routes()).service(admin)).await;
//!
//! let token = testing::token(&oauth, &json!({ "role": "admin" })).header();
//! let request = test::TestRequest::get().uri("/admin").insert_header(token).to_request();
//! assert_eq!(test::call_service(&app, request).await.status(), StatusCode::OK);
//! # }
//! ```
//!
//! The feature `testing` has actix-web list the routes of each `App` (`actix-web/experimental-introspection`). It
//! cannot list a parameter that occurs twice, once in a scope and once in a route within, as in
//! `web::scope("/org/{id}")` around `/user/{id}`: `test::init_service` then panics with `Wrong path pattern` and
//! `duplicate capture group`, where a build without the feature starts. [`coverage`] says which parameter it is. Give
//! each a name of its own: a guard accepts no parameter that occurs twice. (No build of actix-web accepts one twice in
//! a single pattern, such as `/org/{id}/user/{id}`.)

mod browser;
mod coverage;
#[cfg(feature = "utoipa")]
mod documented;
mod heard;
mod not_signed_in;
mod session;
mod sign_in;
mod suite;
mod table;
mod token;

pub use crate::store::faulty::{Fault, FaultyStore, Verb};
pub use coverage::coverage;
pub use not_signed_in::NotSignedIn;
pub use session::session;
pub use sign_in::{SignedIn, SigningIn, sign_in};
pub use suite::{Case, Suite, Unsuitable, suite, suite_of};
pub use table::{Coverage, Finding, Route};
pub use token::{Token, service, token};
