//! What authorization requests must look like.

use crate::builder::Builder;

/// # Authorization requests
impl<S> Builder<S> {
    /// Requires that clients push their authorization requests (RFC 9126), as FAPI 2.0 demands: what a browser brings
    /// then comes from the client itself. The metadata says so, and any other request is refused with
    /// `invalid_request`. For one client it is
    /// [`Client::require_pushed_requests`](crate::Client::require_pushed_requests). Clients with a document cannot push,
    /// since they are unknown before a user has signed in: with both the service is not built
    /// ([`OpeningError::PushedWithDocuments`](crate::OpeningError::PushedWithDocuments)). Default: each listed or
    /// registered client may push them.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .require_pushed_requests()
    ///     .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
    ///     .build();
    /// assert!(oauth.is_ok());
    /// ```
    pub fn require_pushed_requests(mut self) -> Self {
        self.settings.requires_pushed_requests = true;
        self
    }
}
