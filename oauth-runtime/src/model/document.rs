//! Why a document about a client is not accepted (draft-ietf-oauth-client-id-metadata-document-02).

/// From the table below: the enum, its texts, and all of them for the tests.
macro_rules! unfit {
    ($($(#[$meta:meta])* $name:ident: $text:literal, $withdraws:literal;)+) => {
        /// What is wrong with a client's URL, or with the document there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(not(any(test, feature = "mcp")), expect(dead_code, reason = "no documents are fetched"))]
        pub(crate) enum Unfit { $($(#[$meta])* $name,)+ }

        impl Unfit {
            #[cfg(test)]
            pub(crate) const ALL: &[Unfit] = &[$(Unfit::$name,)+];

            /// What is wrong, and what would be right: for the people who run the client.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Unfit::$name => $text,)+ }
            }

            /// Whether the client's own server shows this now: then an earlier document no longer counts.
            #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "no documents are fetched"))]
            pub(crate) fn withdraws(self) -> bool {
                match self { $(Unfit::$name => $withdraws,)+ }
            }
        }
    };
}

unfit! {
    /// Draft §3.
    Url: "the client_id must be an https URL with a path, written as a parser of URLs writes it, of at most 256 bytes, without \
          port, user name, fragment and dot segments", true;
    Host: "the host of the client_id must be a public name, and not one of this server", true;
    /// The author's list does not have it.
    NotLetIn: "this server accepts no client from that host: ask the people who run it", true;
    /// Draft §8.6.
    Address: "the host of the client_id is at an address that is not public", false;
    /// Draft §5.
    Redirected: "the URL of the client answers with a redirect, which is not followed: use the one that it leads to", false;
    /// Draft §5.
    NotThere: "there is nothing at the URL of the client", true;
    Status: "the URL of the client must answer with status 200", false;
    /// Draft §4.
    NotJson: "the document of the client must be a JSON object, sent as application/json", false;
    Compressed: "the document of the client must be sent without a Content-Encoding", false;
    /// Draft §8.7.
    TooLong: "the document of the client is longer than 5 KiB", false;
    MemberTwice: "the document of the client has a member more than once", true;
    /// Draft §4.
    OtherClient: "the client_id in the document must be its URL, character for character", true;
    /// Draft §4.1.
    HasSecret: "the document of the client must have no client_secret and no client_secret_expires_at", true;
    /// Draft §4.1.
    Method: "token_endpoint_auth_method must be none or private_key_jwt", true;
    /// Draft §4.1.
    PrivateKey: "the keys of the client must be public ones: take the private parts out and make new keys", true;
    NoKey: "private_key_jwt needs jwks or jwks_uri, not both, with a key for ES256, EdDSA or RS256", true;
    /// Draft §4.2.
    NoRedirectUri: "redirect_uris must have an https URL, http on loopback, or a private scheme with a dot", true;
    TooManyRedirectUris: "redirect_uris must have at most 20 URIs", true;
    RedirectUriTwice: "redirect_uris has a URI more than once", true;
}

/// Why a document could not be fetched, which may change in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(test, feature = "mcp")), expect(dead_code, reason = "no documents are fetched"))]
pub(crate) enum Away {
    /// No address, no connection, no answer in time.
    Unreachable,
    /// It answers that its server fails.
    Failing,
    /// Too many are asked for.
    Budget,
    /// Too many are in use.
    Full,
}

impl Away {
    #[cfg(test)]
    pub(crate) const ALL: &[Away] = &[Away::Unreachable, Away::Failing, Away::Budget, Away::Full];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Away::Unreachable => "the URL of the client cannot be reached, or takes more than three seconds",
            Away::Failing => "the URL of the client answers that its server fails",
            Away::Budget => "too many new clients are asked about: try again in a minute",
            Away::Full => "this server knows as many clients as it has room for: try again later",
        }
    }
}
