//! What is wrong with a configuration.

use std::fmt;
use std::time::Duration;

use crate::model::Secret;
use crate::model::issuer::InvalidIssuer;
use crate::model::jwk::InvalidJwk;
use crate::model::redirect_uri::InvalidRedirectUri;
use crate::pages::InvalidColour;
use crate::server::paths::Endpoint;

/// What is wrong with a configuration; its text says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the text of each is its documentation")]
pub enum BuildError {
    NoIssuer,
    Issuer { issuer: String, why: InvalidIssuer },
    NoAuthenticate,
    ShortSecret { bytes: usize },
    EmptyAudience,
    Resource { resource: String },
    Lifetime { what: &'static str, longest: Duration },
    NeverAnswers,
    NoReload,
    OtherClaims { authenticate: &'static str, function: &'static str, other: &'static str },
    SignInAt { path: String },
    Language { language: String, why: String },
    Scope { scope: String },
    DefaultScope { scope: String },
    Path { endpoint: Endpoint, path: String },
    NoClient,
    ClientId { client: String },
    ClientTwice { client: String },
    NoRedirectUri { client: String },
    NoCredentials { client: String },
    ClientSecret { client: String, bytes: usize },
    ClientJwk { client: String, why: InvalidJwk },
    ClientScope { client: String, scope: String },
    ClientClaims { client: String, why: String },
    PublicClient { client: String },
    RedirectUri { client: String, uri: String, why: InvalidRedirectUri },
    Origin { origin: String },
    Accent(InvalidColour),
    ForeignClaims { handler: String, guard_type: &'static str, claims_type: &'static str },
    OpenidWithoutKeys,
    Cryptography,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::NoIssuer => {
                f.write_str("there is no issuer: add .issuer(\"https://your.host\"), or http://127.0.0.1:PORT to try it")
            }
            BuildError::Issuer { issuer, why } => write!(f, "the issuer {issuer:?} cannot be used: {why}"),
            BuildError::NoAuthenticate => f.write_str(
                "nobody can sign in: add .authenticate_blocking(fn), a function from Login to Option<claims>, or .authenticate(async fn)",
            ),
            BuildError::ShortSecret { bytes } => write!(
                f,
                "a secret has {bytes} bytes and needs at least {}: `openssl rand -base64 48` makes a good one",
                Secret::MIN_BYTES
            ),
            BuildError::EmptyAudience => f.write_str("the audience is empty: leave .audience(..) out to use the issuer"),
            BuildError::Resource { resource } => write!(
                f,
                "the resource {resource:?} must be an absolute URI without a fragment, of at most 256 bytes, such as https://api.example"
            ),
            BuildError::Lifetime { what, longest } => {
                write!(f, "{what} must be between 1 second and {} seconds", longest.as_secs())
            }
            BuildError::NeverAnswers => {
                f.write_str("authenticate could never answer: blocking_at_once and authenticate_timeout must be above zero")
            }
            BuildError::NoReload => f.write_str(
                "refresh tokens and sessions need .reload(async fn) or .reload_blocking(fn), from a subject to Option<claims>: \
                 without it a role that was taken away would live on; or write .refresh_tokens(false) and .sessions(false)",
            ),
            BuildError::OtherClaims { authenticate, function, other } => {
                write!(f, "authenticate answers {authenticate}, and {function} answers {other}: use one type")
            }
            BuildError::SignInAt { path } => write!(
                f,
                "the path {path:?} of .sign_in_at(..) cannot be used: write the path of your page on this origin, /segments \
                 of letters, digits and -._~, and leave .authenticate(..) out"
            ),
            BuildError::Language { language, why } => {
                write!(f, "the texts of the language {language:?} cannot be used: {why}")
            }
            BuildError::Scope { scope } => write!(
                f,
                "the scope {scope:?} is there twice or is not a scope: one word of printable ASCII without \" and \\"
            ),
            BuildError::DefaultScope { scope } => {
                write!(f, "the default scope {scope:?} has a scope that no .scope(..) describes")
            }
            BuildError::Path { endpoint, path } => write!(
                f,
                "the path {path:?} of {endpoint:?} is taken or cannot be used: write /segments of letters, digits and -._~"
            ),
            BuildError::NoClient => {
                f.write_str("there is no client: add .client(Client::public(\"app\").redirect_uri(..))")
            }
            BuildError::ClientId { client } => {
                write!(f, "the client id {client:?} must be 1 to 128 printable ASCII characters without spaces")
            }
            BuildError::ClientTwice { client } => write!(f, "the client {client:?} is there twice: register it once, with all its redirect URIs"),
            BuildError::NoRedirectUri { client } => {
                write!(f, "the client {client:?} has nowhere to go after sign-in: add .redirect_uri(..)")
            }
            BuildError::NoCredentials { client } => {
                write!(f, "the confidential client {client:?} cannot show who it is: add .secret(..) or .jwks(..)")
            }
            BuildError::ClientSecret { client, bytes } => write!(
                f,
                "a secret of the client {client:?} has {bytes} bytes and needs at least {}: `openssl rand -hex 32` makes a good one",
                Secret::MIN_BYTES
            ),
            BuildError::ClientJwk { client, why } => {
                write!(f, "a key of the client {client:?} cannot be used: {why}")
            }
            BuildError::ClientScope { client, scope } => {
                write!(f, "the scope {scope:?} of the client {client:?} has a scope that no .scope(..) of the builder describes")
            }
            BuildError::ClientClaims { client, why } => {
                write!(f, "the claims of the client {client:?} cannot be used: {why}")
            }
            BuildError::PublicClient { client } => write!(
                f,
                "the client {client:?} is public, and has a secret, a key, a scope or claims of its own: write Client::confidential({client:?})"
            ),
            BuildError::RedirectUri { client, uri, why } => {
                write!(f, "the redirect URI {uri:?} of the client {client:?} cannot be used: {why}")
            }
            BuildError::Origin { origin } => {
                write!(f, "the origin {origin:?} must be scheme and host (and port), such as https://app.example")
            }
            BuildError::Accent(why) => why.fmt(f),
            BuildError::ForeignClaims { handler, guard_type, claims_type } => write!(
                f,
                "the guard of {handler} is a pattern of {guard_type}, and authenticate answers {claims_type}: use one type"
            ),
            BuildError::OpenidWithoutKeys => f.write_str(
                "the scope openid needs a key that others can verify by: add .keys(Keys::new(SigningKey::from_env(\"OAUTH_KEY\")?)), \
                 or .keys(Keys::generate()?) for development",
            ),
            BuildError::Cryptography => f.write_str("no keys could be derived: the cryptographic library failed"),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<InvalidColour> for BuildError {
    fn from(why: InvalidColour) -> Self {
        BuildError::Accent(why)
    }
}
