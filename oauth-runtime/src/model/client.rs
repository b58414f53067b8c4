//! The applications that may ask for a sign-in (RFC 6749 §2).

use serde_json::{Map, Value};

use crate::model::credentials::Credentials;
use crate::model::redirect_uri::{Destination, RedirectUri};
use crate::model::{Scope, Secret};

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
    pub(crate) post_logout_redirect_uris: Vec<String>,
    pub(crate) may_refresh: bool,
    pub(crate) is_third_party: bool,
    pub(crate) is_confidential: bool,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) jwks: Vec<String>,
    pub(crate) scope: String,
    pub(crate) claims: Value,
}

impl Client {
    /// A client that can keep no secret: a web page, a mobile app, a command line. PKCE protects it.
    ///
    /// The id is 1 to 128 printable ASCII characters without spaces.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Client {
            id: id.into(),
            name: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            may_refresh: true,
            is_third_party: false,
            is_confidential: false,
            secrets: Vec::new(),
            jwks: Vec::new(),
            scope: String::new(),
            claims: Value::Object(Map::new()),
        }
    }

    /// A client that runs where its users cannot look: a server, a scheduled job. It proves itself by a
    /// [secret](Client::secret) or by a [key](Client::jwks), and may ask for tokens in its own name.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let from_the_environment = "0123456789abcdef0123456789abcdef";
    ///
    /// let job = Client::confidential("nightly-export").secret(from_the_environment).scope("notes:read");
    /// # let _ = job;
    /// ```
    #[must_use]
    pub fn confidential(id: impl Into<String>) -> Self {
        Client { is_confidential: true, ..Client::public(id) }
    }

    /// What the client sends as its secret: at least [`Secret::MIN_BYTES`] random bytes. Call it twice while the client
    /// changes from an old one to a new one. The service keeps a hash of it.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// The public key that the client signs its assertions with (`private_key_jwt`), as JSON: a JWK or a JWK set, of the
    /// kinds P-256, Ed25519 and RSA.
    #[must_use]
    pub fn jwks(mut self, json: impl ToString) -> Self {
        self.jwks.push(json.to_string());
        self
    }

    /// What a confidential client may ask for in its own name, as in `"notes:read notes:write"`: nothing, unless set.
    /// Where it asks for no scope it gets all of these. What its users may grant it does not depend on this.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// The claims of the tokens that a confidential client has in its own name, as a JSON object.
    #[must_use]
    pub fn claims(mut self, claims: impl Into<Value>) -> Self {
        self.claims = claims.into();
        self
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

    /// A place the browser may be sent to after a sign-out that this client asked for (OpenID Connect RP-Initiated Logout
    /// §3): call it once for each. Of the same kinds as a redirect URI.
    #[must_use]
    pub fn post_logout_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.post_logout_redirect_uris.push(uri.into());
        self
    }

    /// Says that this client is somebody else's: its users are asked whether they allow it what it asks for.
    ///
    /// A client of your own does not ask, as long as it shows who it is or is reached by https. One that does neither,
    /// such as a command line, is not let in by a session alone: any program could say that it is this one.
    #[must_use]
    pub fn third_party(mut self) -> Self {
        self.is_third_party = true;
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
    pub(crate) post_logout_redirect_uris: Vec<RedirectUri>,
    pub(crate) may_refresh: bool,
    pub(crate) is_third_party: bool,
    /// None: a public client.
    pub(crate) credentials: Option<Credentials>,
    /// In its own name.
    pub(crate) scope: Scope,
    pub(crate) claims: Map<String, Value>,
}

impl RegisteredClient {
    /// Where the browser goes, if the requested URI is registered.
    pub(crate) fn destination(&self, requested: &str) -> Option<Destination> {
        self.redirect_uris.iter().find(|uri| uri.matches(requested)).map(|uri| uri.destination(requested))
    }

    /// Where the browser goes after a sign-out, if the requested URI is registered for that.
    pub(crate) fn destination_after_sign_out(&self, requested: &str) -> Option<Destination> {
        self.post_logout_redirect_uris.iter().find(|uri| uri.matches(requested)).map(|uri| uri.destination(requested))
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
