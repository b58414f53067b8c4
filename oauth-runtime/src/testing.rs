//! For the tests of an application: tokens in one line, users who sign in, a check that no route was left open, for each guard the
//! tokens that prove it, and a store that fails on demand.
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

mod browser;
mod coverage;
mod heard;
mod not_signed_in;
mod sign_in;
mod suite;
mod table;
mod token;

pub use crate::store::faulty::{Fault, FaultyStore, Verb};
pub use coverage::coverage;
pub use not_signed_in::NotSignedIn;
pub use sign_in::{SignedIn, SigningIn, sign_in};
pub use suite::{Case, Suite, Unsuitable, suite, suite_of};
pub use table::{Coverage, Finding, Route};
pub use token::{Token, service, token};
