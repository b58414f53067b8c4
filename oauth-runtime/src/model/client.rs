//! The applications that may ask for a sign-in (RFC 6749 §2).

use crate::model::redirect_uri::{Destination, RedirectUri};

/// An application that may send its users here to sign in.
///
/// ```
/// use oauth_runtime::Client;
///
/// let spa = Client::public("spa").name("Notes").redirect_uri("https://notes.example/callback");
/// let cli = Client::public("notes-cli").redirect_uri("http://127.0.0.1/callback"); // loopback: any port
/// # let _ = (spa, cli);
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) may_refresh: bool,
}

impl Client {
    /// A client that can keep no secret: a web page, a mobile app, a command line. PKCE protects it.
    ///
    /// The id is 1 to 128 printable ASCII characters without spaces.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Client { id: id.into(), name: None, redirect_uris: Vec::new(), may_refresh: true }
    }

    /// What the sign-in page calls the client; its id unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A place the browser may be sent to with a code: call it once for each.
    ///
    /// https; `http://127.0.0.1` or `http://[::1]` (any port matches, RFC 8252 §7.3); `http://localhost` with
    /// its exact port; or a private scheme with a dot. Compared as a string, never by prefix.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Gives this client no refresh tokens, though the service has them.
    #[must_use]
    pub fn without_refresh_tokens(mut self) -> Self {
        self.may_refresh = false;
        self
    }
}

/// A client whose every part has been parsed.
#[derive(Debug)]
pub(crate) struct RegisteredClient {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) may_refresh: bool,
}

impl RegisteredClient {
    /// Where the browser goes, if the requested URI is registered.
    pub(crate) fn destination(&self, requested: &str) -> Option<Destination> {
        self.redirect_uris.iter().find(|uri| uri.matches(requested)).map(|uri| uri.destination(requested))
    }

    /// RFC 6749 §3.1.2.3: a request may leave the URI out where only one is registered.
    pub(crate) fn only_destination(&self) -> Option<Destination> {
        match self.redirect_uris.as_slice() {
            [only] => Some(only.destination(only.as_str())),
            [] | [_, _, ..] => None,
        }
    }
}

pub(crate) fn is_client_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
