//! A file for each URL of the server. What they share is how an answer is written.

pub(crate) mod answer;
pub(crate) mod assets;
pub(crate) mod authorize;
pub(crate) mod browser;
pub(crate) mod consent;
pub(crate) mod cookie;
pub(crate) mod discovery;
pub(crate) mod finish;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod language;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod protected_resource;
pub(crate) mod revoke;
pub(crate) mod session;
pub(crate) mod token;
pub(crate) mod url;
pub(crate) mod userinfo;
pub(crate) mod verify;
