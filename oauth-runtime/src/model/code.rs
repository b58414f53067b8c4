//! What travels sealed between the steps of the authorization code grant.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::pkce::Challenge;
use crate::model::resource::Resources;
use crate::model::scope::Scope;

/// An authorization request that was found good (RFC 6749 §4.1.1).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    /// Registered, and where the answer goes.
    pub(crate) redirect_uri: String,
    /// Whether the request named it: then the token request has to as well.
    pub(crate) redirect_uri_given: bool,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    pub(crate) state: Option<String>,
    /// OpenID Connect Core §3.1.2.1: comes back in the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Challenge,
}

/// The hidden field of the sign-in form.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SignInForm {
    pub(crate) request: AuthorizationRequest,
    /// The hash of the cookie of the browser that the form was made for.
    pub(crate) browser: String,
}

/// An authorization code: all that its redemption needs, so that nothing is stored for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationCode {
    /// The grant that everything issued from this code belongs to.
    pub(crate) grant: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) redirect_uri_given: bool,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Challenge,
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
}
