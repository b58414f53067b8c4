//! What is wrong with a configuration.

use std::time::Duration;

use crate::builder::misfit::UnknownScope;
use crate::builder::openings::OpeningError;
use crate::model::issuer::InvalidIssuer;
use crate::model::jwk::InvalidJwk;
use crate::model::redirect_uri::InvalidRedirectUri;
use crate::model::secret::InvalidSecret;
use crate::model::{Scope, Secret};
use crate::pages::InvalidColour;
use crate::server::paths::Endpoint;

/// What is wrong with a configuration.
///
/// `Display` and `Debug` print the same text, which says what to change. The text of a
/// [`source`](std::error::Error::source) is part of it: print one or the other.
///
/// ```
/// use oauth_runtime::{Client, OAuthService};
/// use std::error::Error as _;
///
/// let builder = OAuthService::builder().client(Client::public("app").redirect_uri("https://app.example/callback"));
/// let error = builder.issuer("http://notes.example").build().unwrap_err();
/// assert!(error.to_string().ends_with("plain http is for loopback only, such as http://127.0.0.1:8000 or http://localhost:8000; elsewhere write https"));
/// assert_eq!(format!("{error:?}"), error.to_string());
/// assert!(error.source().is_some());
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`issuer`](crate::Builder::issuer) was not called.
    #[error("there is no issuer: add .issuer(\"https://your.host\"), or http://127.0.0.1:PORT to try it")]
    NoIssuer,
    /// The issuer is not an https URL (http on loopback) in normal form.
    #[error("the issuer {issuer:?} cannot be used: {why}")]
    Issuer {
        /// The issuer as given.
        issuer: String,
        /// What is wrong with it.
        #[source]
        why: InvalidIssuer,
    },
    /// The issuer is https, and neither [`client_address`](crate::Builder::client_address) nor
    /// [`direct_peers`](crate::Builder::direct_peers) says whose failed attempts are counted together.
    #[error(
        "it is not known where requests come from, and failed attempts are counted by that: behind a reverse proxy add \
         .client_address(client_address::x_forwarded_for(1)), with the number of your proxies; where browsers connect \
         without one, add .direct_peers()"
    )]
    NoClientAddress,
    /// There is neither a function that signs users in nor [`sign_in_at`](crate::Builder::sign_in_at).
    #[error(
        "no user can sign in: add .authenticate_blocking(fn), a function from Login to Option<claims>, \
         or .authenticate(async fn)"
    )]
    NoAuthenticate,
    /// A current, previous or next secret has fewer bytes, once decoded, than [`Secret::MIN_BYTES`].
    #[error("{}; this one has {bytes} bytes", InvalidSecret::Short(*bytes).text())]
    ShortSecret {
        /// How many bytes the decoded secret has.
        bytes: usize,
    },
    /// A current, previous or next secret is neither base64, base64url or hex, nor raw bytes.
    #[error("{}", InvalidSecret::PlainText.text())]
    PlainSecret,
    /// A current, previous or next secret is not random: it repeats itself, its bytes count up or down, or it says
    /// "change me".
    #[error("{}", InvalidSecret::Predictable.text())]
    PredictableSecret,
    /// There is a [`previous_secret`](crate::Builder::previous_secret) or a
    /// [`next_secret`](crate::Builder::next_secret), and no [`secret`](crate::Builder::secret).
    #[error("there is a previous or a next secret, and no current one: add .secret(..), the one that signs and seals")]
    NoCurrentSecret,
    /// The [`store`](crate::Builder::store) outlives the process, but no [`secret`](crate::Builder::secret) does.
    #[error(
        "{engine} keeps what is granted, and without a secret of its own each process would forget how to read it: add \
         .secret(..), the same in every process; `openssl rand -base64 32` makes a good one"
    )]
    StoreWithoutSecret {
        /// The store's name.
        engine: &'static str,
    },
    /// [`audience`](crate::Builder::audience) is an empty string.
    #[error("the audience is empty: leave .audience(..) out to use the issuer")]
    EmptyAudience,
    /// A [`resource`](crate::Builder::resource) is not an absolute URI, has a fragment, or is too long.
    #[error(
        "the resource {resource:?} must be an absolute URI without a fragment, of at most 256 bytes, \
         such as https://api.example"
    )]
    Resource {
        /// The resource as given.
        resource: String,
    },
    /// Two of the [resources](crate::Builder::resource) and the [`audience`](crate::Builder::audience) are spellings of one:
    /// they differ in the case of the host, a default port or a closing slash.
    #[error(
        "the resources {resource:?} and {other:?} are the same, spelled differently: keep the one that its server expects"
    )]
    ResourceTwice {
        /// One spelling.
        resource: String,
        /// The other.
        other: String,
    },
    /// A lifetime is shorter than a second, longer than this one may be, or has a fraction of a second.
    #[error("{what} must be between 1 second and {} seconds, in whole seconds", .longest.as_secs())]
    Lifetime {
        /// The name of the builder's method, such as `code_lifetime`.
        what: &'static str,
        /// The longest that it may be.
        longest: Duration,
    },
    /// [`refresh_token_grace`](crate::Builder::refresh_token_grace) is longer than it may be, or has a fraction of a second.
    #[error("refresh_token_grace must be {} seconds or less, in whole seconds: a copied token is as good as the first for as long", .longest.as_secs())]
    Grace {
        /// The longest that it may be.
        longest: Duration,
    },
    /// A lifetime is longer than another one that ends first: it would never be reached, or the other one would be
    /// useless.
    #[error("{what} is {} seconds, and {other}, of {}, ends first: lengthen {other}, or shorten {what}", .lifetime.as_secs(), .ends.as_secs())]
    Outlives {
        /// The name of the builder's method, such as `access_token_lifetime`.
        what: &'static str,
        /// What it says, or its default.
        lifetime: Duration,
        /// The name of the method of the shorter one, such as `refresh_token_lifetime`.
        other: &'static str,
        /// What that says, or its default.
        ends: Duration,
    },
    /// A registered key of a client is of another kind than
    /// [`assertion_algorithms`](crate::Builder::assertion_algorithms) names.
    #[error(
        "client {client} has a key of a kind that .assertion_algorithms(..) does not name: replace the key, or name its \
         algorithm"
    )]
    AssertionAlgorithm {
        /// The client's id.
        client: String,
    },
    /// No key signs as [`Client::id_token_algorithm`](crate::Client::id_token_algorithm) says.
    #[error(
        "no key signs the ID tokens of client {client} with the algorithm that it asks for: give one, \
         .keys(Keys::new(..).also(key)); an RSA key is never derived"
    )]
    IdTokenAlgorithm {
        /// The client's id.
        client: String,
    },
    /// The setting of this name is zero: [`blocking_at_once`](crate::Builder::blocking_at_once),
    /// [`authenticate_timeout`](crate::Builder::authenticate_timeout) or [`store_deadline`](crate::Builder::store_deadline).
    #[error("nothing would ever be answered in time: {0} must be above zero")]
    NeverAnswers(&'static str),
    /// The scope `offline_access`, which stands for refresh tokens, is named, but nothing looks the user's claims up
    /// again.
    #[error(
        "the scope offline_access stands for refresh tokens, which need .reload(async fn) or .reload_blocking(fn), from a \
         subject to Option<claims>: add one of them, or leave the scope out"
    )]
    NoReload,
    /// Two of the functions that return claims return different types. That is allowed only with
    /// [`untyped_claims`](crate::Builder::untyped_claims).
    #[error(
        "authenticate returns {authenticate}, and {function} returns {other}: use one type, or say .untyped_claims() if \
         more than one is meant"
    )]
    OtherClaims {
        /// The name of the type that `authenticate` returns.
        authenticate: &'static str,
        /// The other function: `reload` or `second_factor`.
        function: &'static str,
        /// The name of the type that the other function returns.
        other: &'static str,
    },
    /// The path of [`sign_in_at`](crate::Builder::sign_in_at) is malformed.
    #[error(
        "the path {path:?} of .sign_in_at(..) cannot be used: write the path of your page on this origin, /segments \
         of letters, digits and -._~"
    )]
    SignInAt {
        /// The path as given.
        path: String,
    },
    /// The path of [`sign_in_at`](crate::Builder::sign_in_at) is that of one of the server's own URLs.
    #[error(
        "the path {path:?} of .sign_in_at(..) is the server's own: choose another for your page, or move the server's \
         with .path(..)"
    )]
    SignInAtOwnPath {
        /// The path as given.
        path: String,
    },
    /// There is [`sign_in_at`](crate::Builder::sign_in_at) together with a function that the built-in page would call.
    #[error(
        "users sign in on a page of yours, and .{function}(..) is for the built-in one: leave it or .sign_in_at(..) out"
    )]
    SignInTwice {
        /// `authenticate` or `second_factor`.
        function: &'static str,
    },
    /// There is an [`account_page`](crate::Builder::account_page), but no session to open it with.
    #[error(
        "the account page is opened by a session, and there are none: remove .sessions(false), or leave .account_page() out"
    )]
    AccountWithoutSessions,
    /// A [`link`](crate::Builder::link) says nothing, or does not lead to a path of this origin.
    #[error(
        "the link {label:?} cannot lead to {path:?}: write what it says, and a path of this origin such as /forgot"
    )]
    SignInLink {
        /// What it says.
        label: String,
        /// The path as given.
        path: String,
    },
    /// [`terms`](crate::Builder::terms) or [`privacy`](crate::Builder::privacy) is not an address that a page can link
    /// to.
    #[error("{what} cannot be at {address:?}: write an https URL, or a path of this origin such as /terms")]
    Link {
        /// Which of them.
        what: &'static str,
        /// The address as given.
        address: String,
    },
    /// The [`Texts`](crate::Texts) of a language have no valid tag, or a sentence is empty or lacks a placeholder.
    #[error("the texts of the language {language:?} cannot be used: {why}")]
    Language {
        /// The tag of the language, such as `de`.
        language: String,
        /// What is wrong, with the name of the sentence.
        why: String,
    },
    /// A [`scope`](crate::Builder::scope) is declared twice, or is not a scope.
    #[error(
        "the scope {scope:?} is there twice or is not a scope: one word of printable ASCII without \" and \\, of at most {} bytes",
        Scope::MAX_BYTES
    )]
    Scope {
        /// The scope as given.
        scope: String,
    },
    /// One of the [`acr_values`](crate::Builder::acr_values) is empty or contains a space: clients send them separated
    /// by spaces.
    #[error(
        "acr_values: {value:?} cannot be asked for: write each by itself, without spaces, such as .acr_values([\"two-factors\"])"
    )]
    AcrValue {
        /// As given.
        value: String,
    },
    /// The [`default_scope`](crate::Builder::default_scope) is malformed, or has a scope that is not declared.
    #[error("the default scope has {0}")]
    DefaultScope(#[source] UnknownScope),
    /// [`implies`](crate::Builder::implies) has a scope that is not declared.
    #[error(".implies(..) has {0}")]
    ImpliedScope(#[source] UnknownScope),
    /// [`implies`](crate::Builder::implies) was called before any scope.
    #[error(".implies(..) belongs to the scope before it: call it after .scope(..)")]
    ImpliesWithoutScope,
    /// A [`path`](crate::Builder::path) is malformed, or another URL of the server has it already.
    #[error(
        "the path {path:?} of {endpoint:?} is taken or cannot be used: write /segments of letters, digits and -._~"
    )]
    Path {
        /// The endpoint that should have the path.
        endpoint: Endpoint,
        /// The path, without that of the issuer.
        path: String,
    },
    /// [`client`](crate::Builder::client) was not called, and there are no sessions for pages of the application's own.
    #[error(
        "there is no client: add .client(Client::public(\"app\").redirect_uri(..)), .clients(..) for those that your function knows, or .registration() for those that register themselves"
    )]
    NoClient,
    /// The id of a client is empty, too long, or has other characters than printable ASCII.
    #[error(
        "the client id {client:?} must be 1 to 128 printable ASCII characters without spaces, and not begin with \"r.\" or \"registered-\""
    )]
    ClientId {
        /// The id as given.
        client: String,
    },
    /// Two clients have one id.
    #[error("the client {client:?} is there twice: register it once, with all its redirect URIs")]
    ClientTwice {
        /// The id of both.
        client: String,
    },
    /// A public client has no [redirect URIs](crate::Client::redirect_uris), so it could never get a token.
    #[error(
        "the client {client:?} has nowhere to go after sign-in: its .redirect_uris(..) are empty, name one, or add .device()"
    )]
    NoRedirectUri {
        /// The id of the client.
        client: String,
    },
    /// A confidential client has neither a secret nor a key.
    #[error("the confidential client {client:?} cannot authenticate: add .secret(..) or .jwks(..)")]
    NoCredentials {
        /// The id of the client.
        client: String,
    },
    /// A secret of a client is shorter than [`Secret::MIN_BYTES`].
    #[error(
        "a secret of the client {client:?} has {bytes} bytes and needs at least {}: \
         `openssl rand -hex 32` makes a good one",
        Secret::MIN_BYTES
    )]
    ClientSecret {
        /// The id of the client.
        client: String,
        /// The length of the secret in bytes, without a line break at its end.
        bytes: usize,
    },
    /// A secret of the client with this id is not text on one line, so no client could send it.
    #[error(
        "a secret of the client {0:?} is not text, or has a line break in it, so no client can send it: write it in hex"
    )]
    ClientSecretLine(String),
    /// A secret of a client is not random: it repeats itself, its bytes count up or down, or it says "change me".
    #[error("client {client:?}: {}", InvalidSecret::Predictable.text())]
    PredictableClientSecret {
        /// The id of the client.
        client: String,
    },
    /// A key of a client is malformed, private, or of a kind that is not supported.
    #[error("a key of the client {client:?} cannot be used: {why}")]
    ClientJwk {
        /// The id of the client.
        client: String,
        /// What is wrong with the key.
        #[source]
        why: InvalidJwk,
    },
    /// The scope of a client, or what its users may grant it, is malformed, or has a scope that is not declared.
    #[error("the client {client:?} names the scope {why}")]
    ClientScope {
        /// The id of the client.
        client: String,
        /// The scope, and what to write.
        why: UnknownScope,
    },
    /// A client may have tokens for a resource that is neither declared nor the service's own audience.
    #[error(
        "the client {client:?} may have tokens for {resource:?}, which is neither a .resource(..) of the builder nor its \
         audience"
    )]
    ClientResource {
        /// The id of the client.
        client: String,
        /// The resource as given.
        resource: String,
    },
    /// A client cannot be notified of a sign-out.
    #[error(transparent)]
    Backchannel(#[from] crate::builder::back_channel::BackchannelError),
    /// Something cannot be opened to clients that are not listed.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The grants of a client do not fit the rest of its settings.
    #[error("the grants of the client {client:?} do not fit: {why}; name all that it may use in .grants(..)")]
    ClientGrants {
        /// The id of the client.
        client: String,
        /// What does not fit.
        why: &'static str,
    },
    /// [`releases`](crate::Builder::releases) was called before any scope.
    #[error(".releases(..) belongs to the scope before it: write .scope(\"roles\", \"..\").releases([\"role\"])")]
    ReleasesWithoutScope,
    /// A scope releases a claim that the server sets, or one that no type of the claims has.
    #[error("the scope {scope:?} releases {claim:?}: {why}")]
    ReleasedClaim {
        /// The scope.
        scope: String,
        /// The claim as given.
        claim: String,
        /// What to write.
        why: String,
    },
    /// An audience or resource has the name that is the audience of tokens only for `/userinfo`.
    #[error("{audience:?} is the audience of tokens that are only for /userinfo: choose another name")]
    UserInfoAudience {
        /// The audience as given.
        audience: String,
    },
    /// The claims of a client are not a JSON object, or have one that the server sets or no type of
    /// [`claims!`](crate::claims!) has.
    #[error("the claims of the client {client:?} cannot be used: {why}")]
    ClientClaims {
        /// The id of the client.
        client: String,
        /// What is wrong, with the name of the claim.
        why: String,
    },
    /// A public client has what only a confidential one can have: a secret, a key, a scope or claims.
    #[error(
        "the client {client:?} is public, and has a secret, a key, a scope or claims of its own: \
         write Client::confidential({client:?})"
    )]
    PublicClient {
        /// The id of the client.
        client: String,
    },
    /// A public client should go [without PKCE](crate::Client::danger_without_pkce), which is all that protects its
    /// codes.
    #[error("the client {client:?} is public, and PKCE is all that protects its codes: remove .danger_without_pkce()")]
    PublicWithoutPkce {
        /// The id of the client.
        client: String,
    },
    /// A redirect URI of a client, for after the sign-in or after the sign-out, is invalid.
    #[error("the redirect URI {uri:?} of the client {client:?} cannot be used: {why}")]
    RedirectUri {
        /// The id of the client.
        client: String,
        /// The redirect URI as given.
        uri: String,
        /// What is wrong with it.
        #[source]
        why: InvalidRedirectUri,
    },
    /// A scheme that a client [allows](crate::Client::allow_scheme) is malformed, or has a meaning to browsers.
    #[error(
        "the client {client:?} cannot have the scheme {scheme:?}: write the name of a private one, such as \"cursor\", \
         in lower case and without \"://\""
    )]
    ClientScheme {
        /// The id of the client.
        client: String,
        /// The scheme as given.
        scheme: String,
    },
    /// An [`origin`](crate::Builder::origin) has more than scheme, host and port.
    #[error("the origin {origin:?} must be scheme and host (and port), such as https://app.example")]
    Origin {
        /// The origin as given.
        origin: String,
    },
    /// The [`accent`](crate::Builder::accent) is not a colour.
    #[error("{0}")]
    Accent(#[from] InvalidColour),
    /// A handler reads the claims as another type than `authenticate` returns, or its guard is a pattern over one. That
    /// is allowed only with [`untyped_claims`](crate::Builder::untyped_claims).
    #[error(
        "{handler} reads the claims as {guard_type}, and authenticate returns {claims_type}: use one type, or say \
         .untyped_claims() if more than one is meant"
    )]
    ForeignClaims {
        /// The path of the handler, such as `app::admin`.
        handler: String,
        /// The name of the type in the pattern.
        guard_type: &'static str,
        /// The name of the type that `authenticate` returns.
        claims_type: &'static str,
    },
    /// `authenticate` returns another type than [`claims!`](crate::claims!) binds the guards to.
    #[error(
        "authenticate returns {answered}, and claims!(..) names {bound}: return that, or name both, or say \
         .untyped_claims() if the two should not be compared"
    )]
    UnboundClaims {
        /// The name of the type that `authenticate` returns.
        answered: &'static str,
        /// The names of the types in `claims!(..)`.
        bound: String,
    },
    /// A term of a guard can never hold, or holds for everyone, by the type that `authenticate` returns or the
    /// `acr_values`.
    #[error("the guard of {guard} does not fit the claims: {misfit}")]
    GuardMisfit {
        /// The path of the handler, such as `app::admin`; of a value it ends in `policy!`.
        guard: String,
        /// What does not fit, and what to write.
        misfit: String,
    },
    /// A guard asks for a scope that no client can have.
    #[error(
        "the guard of {guard} asks for the scope {scope:?}, which no token here can have: add .scope({scope:?}, \
         \"what it allows\"), or say .untyped_claims() where it is about the tokens of another service"
    )]
    GuardScope {
        /// The path of the handler, such as `app::admin`; of a value it ends in `policy!`.
        guard: String,
        /// The scope.
        scope: &'static str,
    },
    /// The cryptographic library could not derive a key from the secret.
    #[error("no keys could be derived: the cryptographic library failed")]
    Cryptography,
    /// The thread for [`on_event`](crate::Builder::on_event) could not be started.
    #[error("no thread could be started for .on_event(..): the system has no room for one")]
    EventThread,
}

crate::model::debug_as_text!(BuildError);
