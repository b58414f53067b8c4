//! What the authorization requests of a client must look like.

use crate::model::Client;

impl<S> Client<S> {
    /// Lets this confidential client ask for a code without PKCE, for one that does not support it. Only the client
    /// itself can then detect a stolen code that is injected into its session, by checking `nonce` and `state` (OAuth
    /// 2.1 §7.5.1, RFC 9700 §2.1.1); it has to send `redirect_uri` with the code. The log names each such client at
    /// start-up. If it does send a challenge, the code needs its verifier. Default: every client needs PKCE.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let from_the_environment = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";
    ///
    /// let old = Client::confidential("wiki")
    ///     .secret(from_the_environment)
    ///     .redirect_uri("https://wiki.example/callback")
    ///     .danger_without_pkce();
    /// # let _ = old;
    /// ```
    #[must_use]
    pub fn danger_without_pkce(mut self) -> Self {
        self.settings.may_omit_pkce = true;
        self
    }

    /// Requires that this client pushes its authorization requests (RFC 9126): what the browser brings then comes from
    /// the client itself, and cannot be put together by others. Any other request is refused with `invalid_request`.
    /// Default: it may push them.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let from_the_environment = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";
    ///
    /// let web = Client::confidential("web")
    ///     .secret(from_the_environment)
    ///     .redirect_uri("https://web.example/callback")
    ///     .require_pushed_requests();
    /// assert!(format!("{web:?}").contains("must_push: true"));
    /// ```
    #[must_use]
    pub fn require_pushed_requests(mut self) -> Self {
        self.settings.must_push = true;
        self
    }
}
