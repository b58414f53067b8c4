//! What the protocol speaks of: parsed once, then trusted. Knows no actix.

pub(crate) mod as_of;
pub(crate) mod ceiling;
pub(crate) mod claims;
pub(crate) mod client;
pub(crate) mod code;
pub(crate) mod credentials;
pub(crate) mod device;
pub(crate) mod form;
pub(crate) mod grant_type;
pub(crate) mod granting;
pub(crate) mod id;
pub(crate) mod issuer;
pub(crate) mod jwk;
pub(crate) mod lifetime;
pub(crate) mod name;
pub(crate) mod one_time;
pub(crate) mod pkce;
pub(crate) mod question;
pub(crate) mod record;
pub(crate) mod redirect_uri;
pub(crate) mod refresh;
pub(crate) mod release;
pub(crate) mod resource;
pub(crate) mod scope;
pub(crate) mod sealed_claims;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod text;
pub(crate) mod time;

pub use client::Client;
pub use grant_type::GrantType;
pub use granting::Granting;
pub use scope::{InvalidScope, Scope};
pub use secret::{Password, Secret};
pub(crate) use text::{debug_as_text, words};
pub use time::{Clock, Timestamp};
