//! Whether a client has to prove that it holds a key.

use crate::model::Client;

impl<S> Client<S> {
    /// Requires that this client sends a proof of possession with each of its token requests (DPoP, RFC 9449): its tokens are all
    /// bound to its key (`dpop_bound_access_tokens`, §5.2). A request without one is refused with `invalid_request`.
    /// The service then accepts proofs from every client, as with [`Builder::dpop`](crate::Builder::dpop), which must
    /// be called explicitly if a function knows the client. Default: it may send them.
    ///
    /// ```
    /// use oauth_runtime::Client;
    ///
    /// let bank = Client::public("bank").redirect_uri("https://bank.example/callback").require_dpop();
    /// assert!(format!("{bank:?}").contains("requires_proof: true"));
    /// ```
    #[must_use]
    pub fn require_dpop(mut self) -> Self {
        self.settings.requires_proof = true;
        self
    }
}
