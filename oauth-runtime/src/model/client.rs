//! The applications that may ask for a sign-in (RFC 6749 §2).

mod proofs;
mod registered;
mod requests;

use std::fmt;
use std::marker::PhantomData;

use serde_json::{Map, Value};

use crate::model::Secret;
use crate::model::grant_type::GrantType;
use crate::model::jwk::SignatureAlgorithm;

pub(crate) use registered::RegisteredClient;

/// An application that may send its users here to sign in.
///
/// ```
/// use oauth_runtime::Client;
///
/// let spa = Client::public("spa").name("Notes").redirect_uri("https://notes.example/callback");
/// let cli = Client::public("notes-cli").redirect_uri("http://127.0.0.1/callback"); // loopback: any port
/// # let _ = (spa, cli);
/// ```
pub struct Client<S = Ready> {
    pub(crate) settings: ClientSettings,
    state: PhantomData<fn() -> S>,
}

/// The settings of a client.
#[derive(Clone, Debug)]
pub(crate) struct ClientSettings {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) post_logout_redirect_uris: Vec<String>,
    pub(crate) logout_uri: Option<String>,
    pub(crate) schemes: Vec<String>,
    /// `None`: those that follow from the rest.
    pub(crate) grants: Option<Vec<GrantType>>,
    pub(crate) may_refresh: bool,
    pub(crate) is_on_devices: bool,
    /// `None`: all that the service has, for a client of the author's own.
    pub(crate) allowed_scopes: Option<String>,
    pub(crate) allowed_resources: Option<Vec<String>>,
    pub(crate) is_third_party: bool,
    pub(crate) has_claims_in_id_token: bool,
    pub(crate) may_omit_pkce: bool,
    pub(crate) must_push: bool,
    pub(crate) requires_proof: bool,
    pub(crate) id_token_algorithm: Option<SignatureAlgorithm>,
    pub(crate) serves: Vec<String>,
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
    ///
    /// Required: a redirect URI, [`Client::redirect_uri`], or [`Client::device`]. Before it has one, no builder accepts
    /// it.
    ///
    /// ```
    /// use oauth_runtime::Client;
    ///
    /// fn spa() -> Client {
    ///     Client::public("spa").name("Notes").redirect_uri("https://notes.example/callback")
    /// }
    /// assert!(format!("{:?}", spa()).contains("https://notes.example/callback"));
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use oauth_runtime::{Client, OAuthService};
    /// let builder = OAuthService::builder().client(Client::public("spa")); // has no redirect URI
    /// ```
    #[must_use]
    pub fn public(id: impl Into<String>) -> Client<NeedsRedirectUri> {
        Client::of(ClientSettings::new(id.into(), false))
    }

    /// A client that runs where its users cannot look: a server, a scheduled job. It authenticates with a
    /// [secret](Client::secret) or a [key](Client::jwks), and may ask for tokens in its own name.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let from_the_environment = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";
    ///
    /// let job = Client::confidential("nightly-export").secret(from_the_environment).scope("notes:read");
    /// # let _ = job;
    /// ```
    #[must_use]
    pub fn confidential(id: impl Into<String>) -> Self {
        Client::of(ClientSettings::new(id.into(), true))
    }
}

impl ClientSettings {
    fn new(id: String, is_confidential: bool) -> Self {
        ClientSettings {
            id,
            name: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            logout_uri: None,
            schemes: Vec::new(),
            grants: None,
            may_refresh: true,
            is_on_devices: false,
            allowed_scopes: None,
            allowed_resources: None,
            is_third_party: false,
            has_claims_in_id_token: false,
            may_omit_pkce: false,
            must_push: false,
            requires_proof: false,
            id_token_algorithm: None,
            serves: Vec::new(),
            is_confidential,
            secrets: Vec::new(),
            jwks: Vec::new(),
            scope: String::new(),
            claims: Value::Object(Map::new()),
        }
    }
}

impl<S> Client<S> {
    fn of(settings: ClientSettings) -> Self {
        Client { settings, state: PhantomData }
    }

    /// What the client sends as its secret: at least [`Secret::MIN_BYTES`] random characters on one line. Call it twice while the
    /// client changes from an old one to a new one. The service keeps a hash of it.
    ///
    /// A line break at the end of the text, which most editors and commands leave in a file, is not part of it. Remove
    /// it in a client that reads the same file.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let file = std::env::temp_dir().join("oauth-runtime-secret-of-a-client");
    /// # std::fs::write(&file, "c8ZVrZ4zIVkYw4QmU2h1B5jzV6m8bX0pQ7tJ3sLdNfE\n").unwrap();
    ///
    /// let secret = std::fs::read_to_string(&file).unwrap();
    /// assert!(secret.ends_with('\n'));
    /// let job = Client::confidential("nightly-export").secret(secret).scope("notes:read");
    /// # let _ = job;
    /// ```
    #[must_use]
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.settings.secrets.push(secret.into());
        self
    }

    /// The public key for the client's signed assertions (`private_key_jwt`), as JSON: a JWK or a JWK set, of the kinds
    /// P-256, Ed25519 and RSA.
    #[must_use]
    pub fn jwks(mut self, json: impl ToString) -> Self {
        self.settings.jwks.push(json.to_string());
        self
    }

    /// What a confidential client may ask for in its own name, as in `"notes:read notes:write"`. If it asks for no
    /// scope it gets all of these. [`Client::allow_scopes`] says what its users may grant it. Default: nothing.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.settings.scope = scope.into();
        self
    }

    /// What the users of this client may grant it, as in `"notes:read profile"`: call it again for more. It never gets
    /// any other scope, and a scope that is removed later is gone at its next request (RFC 6749 §3.3). One that no
    /// [`Builder::scope`](crate::Builder::scope) describes is a [`BuildError`](crate::BuildError::ClientScope).
    /// Default: all scopes of the service, and for a [third party](Client::third_party) none.
    ///
    /// `openid` need not be listed: by itself it says who signed in, as every access token does.
    ///
    /// ```
    /// use oauth_runtime::Client;
    ///
    /// let partner = Client::public("partner")
    ///     .redirect_uri("https://partner.example/callback")
    ///     .third_party()
    ///     .allow_scopes("profile notes:read")
    ///     .allow_resources(["https://notes.example"]);
    /// assert!(format!("{partner:?}").contains("profile notes:read"));
    /// ```
    #[must_use]
    pub fn allow_scopes(mut self, scopes: impl AsRef<str>) -> Self {
        let allowed = self.settings.allowed_scopes.get_or_insert_default();
        allowed.push(' ');
        allowed.push_str(scopes.as_ref());
        self
    }

    /// What the tokens of this client may be for: resources of the service ([`Builder::resource`](crate::Builder::resource)),
    /// and its own audience, which is the issuer unless [`Builder::audience`](crate::Builder::audience) says otherwise. Call
    /// it again for more. Default: all of them, and for a [third party](Client::third_party) none.
    ///
    /// A client that may not have tokens for the service's own audience can still sign its users in: its tokens are
    /// then only for `/userinfo`, and no guard accepts them.
    #[must_use]
    pub fn allow_resources<R: Into<String>>(mut self, resources: impl IntoIterator<Item = R>) -> Self {
        self.settings.allowed_resources.get_or_insert_default().extend(resources.into_iter().map(Into::into));
        self
    }

    /// Puts the claims that the granted scopes release ([`Builder::releases`](crate::Builder::releases)) into the ID
    /// tokens of this client, for one that does not call `/userinfo`. Default: they are only at `/userinfo` (OpenID
    /// Connect Core §5.4).
    #[must_use]
    pub fn claims_in_id_tokens(mut self) -> Self {
        self.settings.has_claims_in_id_token = true;
        self
    }

    /// How the ID tokens of this client are signed (`id_token_signed_response_alg`), for one that supports no other
    /// algorithm: many support only RS256, which every OpenID Connect client has to support. Default: that of the
    /// service's first key.
    ///
    /// It needs a key of that algorithm, [`Keys::also`](crate::Keys::also); an RSA key is never derived from a secret.
    ///
    /// ```
    /// use oauth_runtime::{Client, SignatureAlgorithm};
    ///
    /// let old = Client::public("old").redirect_uri("https://old.example/cb").id_token_algorithm(SignatureAlgorithm::Rs256);
    /// # let _ = old;
    /// ```
    #[must_use]
    pub fn id_token_algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.settings.id_token_algorithm = Some(algorithm);
        self
    }

    /// Says that this confidential client is a server which accepts tokens for this resource, or for the service's own
    /// audience: it may ask `/introspect` about them, and learns what the resource may know (RFC 7662 §2.2). Call it
    /// once for each. Default: a client learns only about its own tokens; any others appear as not active.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let from_the_environment = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";
    ///
    /// let files = Client::confidential("files").secret(from_the_environment).resource_server("https://files.example");
    /// # let _ = files;
    /// ```
    #[must_use]
    pub fn resource_server(mut self, resource: impl Into<String>) -> Self {
        self.settings.serves.push(resource.into());
        self
    }

    /// The grant types that the client may use at the token endpoint. All others are refused with `unauthorized_client`
    /// (RFC 6749 §5.2).
    ///
    /// Default: the code and refresh tokens for a client with redirect URIs, the code of a device and refresh tokens for one
    /// with [`Client::device`], and its own credentials for one with neither. A client that needs more says so:
    ///
    /// ```
    /// use oauth_runtime::{Client, GrantType};
    /// # let from_the_environment = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";
    ///
    /// let web = Client::confidential("web")
    ///     .secret(from_the_environment)
    ///     .redirect_uri("https://web.example/callback")
    ///     .grants([GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials])
    ///     .scope("reports:read");
    /// # let _ = web;
    /// ```
    #[must_use]
    pub fn grants(mut self, grants: impl IntoIterator<Item = GrantType>) -> Self {
        self.settings.grants = Some(grants.into_iter().collect());
        self
    }

    /// The claims of the tokens that a confidential client has in its own name, as a JSON object.
    ///
    /// If [`claims!`](crate::claims!) names types, they must be claims of these, all or some: a name or a value that
    /// none of them has is a [`BuildError`](crate::BuildError::ClientClaims).
    #[must_use]
    pub fn claims(mut self, claims: impl Into<Value>) -> Self {
        self.settings.claims = claims.into();
        self
    }

    /// What the sign-in page calls the client. Default: its id.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// A place the browser may be sent to with a code: call it once for each.
    ///
    /// https; `http://127.0.0.1` or `http://[::1]` (any port matches, RFC 8252 §7.3); `http://localhost`, where any port
    /// matches unless one is written; or a private scheme, which has a dot or is [allowed](Client::allow_scheme) by its name.
    /// If the issuer is on loopback, names below `localhost` count as `localhost` itself. URIs are compared as strings,
    /// never by prefix or pattern, so a `*` is refused. Write the form that a browser uses: no default port, no `..`.
    /// The query must not have parameters of the response, such as `code`, `state` or `iss`.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Client {
        self.settings.redirect_uris.push(uri.into());
        Client::of(self.settings)
    }

    /// Like [`Client::redirect_uri`], for a list that is only known at run time, such as from a configuration file. A
    /// public client with an empty list is a [`BuildError`](crate::BuildError::NoRedirectUri).
    ///
    /// ```
    /// use oauth_runtime::Client;
    ///
    /// let listed = "https://notes.example/callback https://staging.notes.example/callback";
    /// let spa: Client = Client::public("spa").redirect_uris(listed.split(' '));
    /// assert!(format!("{spa:?}").contains("https://staging.notes.example/callback"));
    /// ```
    #[must_use]
    pub fn redirect_uris<U: Into<String>>(mut self, uris: impl IntoIterator<Item = U>) -> Client {
        self.settings.redirect_uris.extend(uris.into_iter().map(Into::into));
        Client::of(self.settings)
    }

    /// Lets this client sign its users in where there is no browser (RFC 8628): it shows a code and an address, and the user
    /// opens the address on a phone or a computer, types the code, signs in and allows it. Default: it may not, and if
    /// no client may, `/device_authorization` and `/device` do not exist.
    ///
    /// Users are always asked for consent, even for a client of your own, since the code that they see may come from an
    /// attacker. A client that has a browser should use a [redirect URI](Client::redirect_uri), which an attacker
    /// cannot send around.
    ///
    /// ```
    /// use oauth_runtime::Client;
    ///
    /// let tv = Client::public("tv").name("Notes for TV").device();
    /// let cli = Client::public("notes-cli").redirect_uri("http://127.0.0.1/callback").device(); // has both
    /// # let _ = (tv, cli);
    /// ```
    #[must_use]
    pub fn device(mut self) -> Client {
        self.settings.is_on_devices = true;
        Client::of(self.settings)
    }

    /// Lets this client register redirect URIs of a private scheme that has no dot in it, as in
    /// `cursor://app/callback`. Any program can claim such a scheme, so users are asked for consent even if this client
    /// is your own (RFC 8252 §8.6). Write it in lower case; schemes with a meaning to browsers are refused.
    ///
    /// ```
    /// use oauth_runtime::Client;
    ///
    /// let editor = Client::public("editor").allow_scheme("cursor").redirect_uri("cursor://app/callback");
    /// # let _ = editor;
    /// ```
    #[must_use]
    pub fn allow_scheme(mut self, scheme: impl Into<String>) -> Self {
        self.settings.schemes.push(scheme.into());
        self
    }

    /// A place the browser may be sent to after a sign-out that this client asked for (OpenID Connect RP-Initiated Logout
    /// §3): call it once for each. The same kinds of URIs are allowed as for redirect URIs.
    #[must_use]
    pub fn post_logout_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.settings.post_logout_redirect_uris.push(uri.into());
        self
    }

    /// Where the client is notified that a session ended (OpenID Connect Back-Channel Logout 1.0): the service posts a
    /// signed `logout_token` there when its user signs out, or your code signs them out, no matter who asked for it:
    /// even a client that asked with its own `id_token_hint` is notified. https, or http on loopback if the issuer is;
    /// no fragment.
    ///
    /// Required: the scope `openid`, and sessions ([`Builder::reload`](crate::Builder::reload)). The client is notified
    /// of sessions by which it got an ID token, by `sub` and `sid`. It is not notified when a session expires by
    /// itself.
    ///
    /// ```
    /// use oauth_runtime::Client;
    /// # let from_the_environment = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";
    ///
    /// let shop = Client::confidential("shop")
    ///     .secret(from_the_environment)
    ///     .redirect_uri("https://shop.example/callback")
    ///     .backchannel_logout_uri("https://shop.example/backchannel-logout");
    /// # let _ = shop;
    /// ```
    #[cfg(feature = "backchannel-logout")]
    #[must_use]
    pub fn backchannel_logout_uri(mut self, uri: impl Into<String>) -> Self {
        self.settings.logout_uri = Some(uri.into());
        self
    }

    /// Says that this client belongs to someone else: its users are asked for consent, and it may ask only who they are
    /// until [`Client::allow_scopes`] and [`Client::allow_resources`] allow more.
    ///
    /// Users are not asked about a client of your own, as long as it authenticates, or is reached by https elsewhere than
    /// on their own machine. With one that does neither, such as a command line, a session alone is not enough, since any
    /// program could claim to be it.
    #[must_use]
    pub fn third_party(mut self) -> Self {
        self.settings.is_third_party = true;
        self
    }

    /// Gives this client no refresh tokens, even if the service has them.
    #[must_use]
    pub fn without_refresh_tokens(mut self) -> Self {
        self.settings.may_refresh = false;
        self
    }
}

impl<S> Clone for Client<S> {
    fn clone(&self) -> Self {
        Client::of(self.settings.clone())
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.settings).finish()
    }
}

/// A [`Client`] that a builder accepts.
#[derive(Clone, Copy, Debug)]
pub enum Ready {}

/// A public [`Client`] before [`Client::redirect_uri`] or [`Client::device`]: a browser could not bring it a code.
#[derive(Clone, Copy, Debug)]
pub enum NeedsRedirectUri {}

/// Implemented for the state of a [`Client`] that can get tokens: [`Ready`].
#[diagnostic::on_unimplemented(
    message = "the public client has no redirect URI: add `.redirect_uri(\"https://..\")`",
    label = "has no redirect URI",
    note = "if the URIs are only known at run time: `.redirect_uris(list)`; on devices without a browser: `.device()`"
)]
pub trait Complete: sealed::Sealed {}

impl Complete for Ready {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Ready {}
}

/// How long the id in a request may be: that of a client that is not listed may be a URL, or all that it registered.
pub(crate) const MAX_CLIENT_ID_BYTES: usize = 1024;

/// Whether a listed client may have this id.
pub(crate) fn is_client_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
