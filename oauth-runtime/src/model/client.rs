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

/// What was said of a client.
#[derive(Clone, Debug)]
pub(crate) struct ClientSettings {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) post_logout_redirect_uris: Vec<String>,
    pub(crate) logout_uri: Option<String>,
    pub(crate) schemes: Vec<String>,
    /// None: those that follow from the rest.
    pub(crate) grants: Option<Vec<GrantType>>,
    pub(crate) may_refresh: bool,
    pub(crate) is_on_devices: bool,
    /// None: all that the service has, for a client of one's own.
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
    /// Required: a redirect URI, [`Client::redirect_uri`], or [`Client::device`]. Before it has one, no builder takes it.
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

    /// A client that runs where its users cannot look: a server, a scheduled job. It proves itself by a
    /// [secret](Client::secret) or by a [key](Client::jwks), and may ask for tokens in its own name.
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
    /// A line's end after a text, which most editors and commands leave in a file, is no part of it. Take it off where the client
    /// reads the same file, too.
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

    /// The public key that the client signs its assertions with (`private_key_jwt`), as JSON: a JWK or a JWK set, of the
    /// kinds P-256, Ed25519 and RSA.
    #[must_use]
    pub fn jwks(mut self, json: impl ToString) -> Self {
        self.settings.jwks.push(json.to_string());
        self
    }

    /// What a confidential client may ask for in its own name, as in `"notes:read notes:write"`. Where it asks for no scope
    /// it gets all of these. What its users may grant it is [`Client::allow_scopes`]. Default: nothing.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.settings.scope = scope.into();
        self
    }

    /// What the users of this client may grant it, as in `"notes:read profile"`: call it again for more. What is not among
    /// these it does not get, whatever it asks for, and what is taken out later is gone at its next request (RFC 6749 §3.3).
    /// One that no [`Builder::scope`](crate::Builder::scope) describes is a [`BuildError`](crate::BuildError::ClientScope).
    /// Default: all scopes of the service, and for a [third party](Client::third_party) none.
    ///
    /// `openid` needs no line: by itself it says who signed in, which every access token does.
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
    /// A client that may not have tokens for the service's own audience can still sign its users in: its tokens are then
    /// for `/userinfo` alone, and no guard takes them.
    #[must_use]
    pub fn allow_resources<R: Into<String>>(mut self, resources: impl IntoIterator<Item = R>) -> Self {
        self.settings.allowed_resources.get_or_insert_default().extend(resources.into_iter().map(Into::into));
        self
    }

    /// Puts the claims that the granted scopes are for ([`Builder::releases`](crate::Builder::releases)) into the ID tokens of
    /// this client, for one that does not ask `/userinfo`. Default: they are at `/userinfo` alone (OpenID Connect Core §5.4).
    #[must_use]
    pub fn claims_in_id_tokens(mut self) -> Self {
        self.settings.has_claims_in_id_token = true;
        self
    }

    /// How the ID tokens of this client are signed (`id_token_signed_response_alg`), for one that reads no other: many read RS256
    /// alone, which every OpenID Connect client is to read. Default: as the first key of the service signs.
    ///
    /// It takes a key of that algorithm, [`Keys::also`](crate::Keys::also); an RSA key is never derived from a secret.
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

    /// Says that this confidential client is a server which takes tokens for this resource, or for the service's own
    /// audience: it may ask `/introspect` about them, and is told what the resource may know (RFC 7662 §2.2). Call it once
    /// for each. Default: a client is told of its own tokens alone, and of others that they are not active.
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

    /// What the client may exchange at the token endpoint. All else is refused with `unauthorized_client` (RFC 6749 §5.2).
    ///
    /// Default: a client with redirect URIs has the code and refresh tokens, and a confidential one without them its own
    /// credentials. A client that is to have both says so:
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
    /// Where [`claims!`](crate::claims!) names types, they are claims of these, all or some: a name or a value that none of them
    /// has is a [`BuildError`](crate::BuildError::ClientClaims).
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
    /// Where the issuer is on loopback, names below `localhost` are as `localhost` itself. Compared as a string, never by
    /// prefix or pattern, so a `*` is refused. In the form that a browser goes to: no default port, no `..`. Its query must not
    /// have what an answer brings, such as `code`, `state` or `iss`.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Client {
        self.settings.redirect_uris.push(uri.into());
        Client::of(self.settings)
    }

    /// As [`Client::redirect_uri`], for a list that is known at run time only, such as a configuration file's. A public client
    /// with none is a [`BuildError`](crate::BuildError::NoRedirectUri).
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
    /// opens the address on a phone or a computer, types the code, signs in and allows it. Default: it may not, and where no
    /// client may, `/device_authorization` and `/device` are not there.
    ///
    /// Users are always asked, also for a client of your own: who shows them a code could be a stranger. A client that
    /// has a browser is better off with a [redirect URI](Client::redirect_uri), which no stranger can send around.
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

    /// Lets this client register redirect URIs of a private scheme that has no dot in it, as in `cursor://app/callback`. Any
    /// program can say that such a scheme is its own, so users are asked whether this client may sign in, one of your own
    /// too (RFC 8252 §8.4). In lower case; none that browsers have a meaning for.
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
    /// §3): call it once for each. Of the same kinds as a redirect URI.
    #[must_use]
    pub fn post_logout_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.settings.post_logout_redirect_uris.push(uri.into());
        self
    }

    /// Where the client is told that a session ended (OpenID Connect Back-Channel Logout 1.0): the service posts a signed
    /// `logout_token` there when its user signs out, or is signed out by your code, no matter who asked for it: a client that asked
    /// with its own `id_token_hint` is told as well. https, or http on loopback where the issuer is; no fragment.
    ///
    /// Required: the scope `openid`, and sessions ([`Builder::reload`](crate::Builder::reload)). The client is told of sessions by
    /// which it got an ID token, by `sub` and `sid`. Not told is what is over by itself, since it was idle or old.
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

    /// Says that this client is somebody else's: its users are asked whether they allow it what it asks for, and it may ask
    /// for nothing beyond who they are until [`Client::allow_scopes`] and [`Client::allow_resources`] name it.
    ///
    /// A client of your own does not ask, as long as it shows who it is or is reached by https. One that does neither,
    /// such as a command line, is not let in by a session alone: any program could say that it is this one.
    #[must_use]
    pub fn third_party(mut self) -> Self {
        self.settings.is_third_party = true;
        self
    }

    /// Gives this client no refresh tokens, though the service has them.
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

/// A [`Client`] that a builder takes.
#[derive(Clone, Copy, Debug)]
pub enum Ready {}

/// A public [`Client`] before [`Client::redirect_uri`] or [`Client::device`]: a browser could not bring it a code.
#[derive(Clone, Copy, Debug)]
pub enum NeedsRedirectUri {}

/// Of a [`Client`] that can get tokens: [`Ready`].
#[diagnostic::on_unimplemented(
    message = "the public client has no redirect URI: add `.redirect_uri(\"https://..\")`",
    label = "has no redirect URI",
    note = "where the URIs are known at run time only: `.redirect_uris(list)`; on devices without a browser: `.device()`"
)]
pub trait Complete: sealed::Sealed {}

impl Complete for Ready {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Ready {}
}

/// How long the id in a request may be: of a client that is not listed it may be a URL, or all that it registered.
pub(crate) const MAX_CLIENT_ID_BYTES: usize = 1024;

/// Whether a listed client may have this id.
pub(crate) fn is_client_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
