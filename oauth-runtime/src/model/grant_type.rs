//! What a client may exchange at the token endpoint (RFC 6749 §1.3).

crate::model::words! {
    /// What a client may exchange for an access token: see [`Client::grants`](crate::Client::grants).
    ///
    /// ```
    /// use oauth_runtime::GrantType;
    ///
    /// assert_eq!(GrantType::ClientCredentials.as_str(), "client_credentials");
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum GrantType {
        /// A code that the user's browser brings (RFC 6749 §4.1).
        AuthorizationCode = "authorization_code",
        /// A refresh token, if the service issues them (RFC 6749 §6).
        RefreshToken = "refresh_token",
        /// The client's own credentials, for a token in its own name (RFC 6749 §4.4).
        ClientCredentials = "client_credentials",
        /// The code of a device without a browser, whose user allows it elsewhere (RFC 8628 §3.4).
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
    }
}
