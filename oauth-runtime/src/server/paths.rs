//! The server's URLs as data: what the router registers, the metadata names, and a policy over the whole `App` lets pass.

use actix_web::http::Method;

/// How the errors of a URL are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// A page for a person.
    Page,
    /// RFC 6749 §5.2
    Json,
    /// The same, and 401 whichever way a client tried to show who it is (RFC 7662 §2.3).
    JsonUnauthorized,
    /// As a guard refuses (RFC 6750 §3).
    Challenge,
}

/// What is read of a request before its handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Neither query nor body.
    Nothing,
    /// The parameters: of the form in the body for POST, else of a query of at most this many bytes.
    Parameters { query_bytes: usize },
}

/// Which pages of other origins may read the answers (c35). Credentials are never allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cors {
    /// None: this URL is for a browser to go to, not for scripts.
    Nobody,
    /// Those of registered redirect URIs and of `.origin(..)`.
    Clients,
    Everyone,
}

/// Which metadata documents name a URL, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Nowhere,
    /// In the authorization server's metadata and in the OpenID provider's, which has all of it.
    InBoth(&'static str),
    /// In the OpenID provider's alone.
    InOpenId(&'static str),
}

/// Where a URL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the issuer's path, at this one unless the author chose another.
    Chosen(&'static str),
    /// Below the issuer's path, where a specification has it.
    Below(&'static str),
    /// The well-known part before the issuer's path (RFC 8414 §3).
    WellKnown(&'static str),
    /// Where the metadata of the protected resource is (RFC 9728 §3).
    Resource,
}

/// What a configuration can have or not, for the URLs that are there only with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Has {
    pub(crate) logo: bool,
    pub(crate) confidential_clients: bool,
    pub(crate) public_keys: bool,
    pub(crate) openid: bool,
    pub(crate) sessions: bool,
    pub(crate) resource: bool,
}

/// One URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) url: Url,
    pub(crate) place: Place,
    pub(crate) methods: &'static [Method],
    pub(crate) input: Input,
    pub(crate) errors: Errors,
    pub(crate) cors: Cors,
    pub(crate) named: Named,
    pub(crate) is_there: fn(&Has) -> bool,
}

/// Makes the enums and the table of one list: what a path can be chosen for comes first.
macro_rules! urls {
    (
        chosen { $($(#[$doc:meta])* $name:ident, $path:literal, $methods:ident, $input:expr, $errors:ident, $cors:ident, $named:expr, $is_there:expr;)+ }
        fixed { $($fixed:ident, $place:expr, $fixed_methods:ident, $fixed_input:expr, $fixed_errors:ident, $fixed_cors:ident, $fixed_named:expr, $fixed_is_there:expr;)+ }
    ) => {
        /// A URL of the server whose path can be chosen with [`Builder::path`](crate::Builder::path).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Endpoint {
            $($(#[$doc])* $name),+
        }

        /// A URL of the server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Url {
            $($name,)+
            $($fixed),+
        }

        impl From<Endpoint> for Url {
            fn from(endpoint: Endpoint) -> Url {
                match endpoint {
                    $(Endpoint::$name => Url::$name),+
                }
            }
        }

        /// Every URL of the server.
        pub(crate) const URLS: &[Row] = &[
            $(Row {
                url: Url::$name,
                place: Place::Chosen($path),
                methods: $methods,
                input: $input,
                errors: Errors::$errors,
                cors: Cors::$cors,
                named: $named,
                is_there: $is_there,
            },)+
            $(Row {
                url: Url::$fixed,
                place: $place,
                methods: $fixed_methods,
                input: $fixed_input,
                errors: Errors::$fixed_errors,
                cors: Cors::$fixed_cors,
                named: $fixed_named,
                is_there: $fixed_is_there,
            }),+
        ];
    };
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const BOTH: &[Method] = &[Method::GET, Method::POST];

const FORM: Input = Input::Parameters { query_bytes: 8 * 1024 };
/// With an ID token in it.
const LONG_FORM: Input = Input::Parameters { query_bytes: 16 * 1024 };

use Input::Nothing;
use Named::{InBoth, InOpenId, Nowhere};

// A handler for each is in `routes.rs`.
urls! {
    chosen {
        /// `/authorize`, where the sign-in page is.
        Authorize, "/authorize", BOTH, FORM, Page, Nobody, InBoth("authorization_endpoint"), |_| true;
        /// `/login`, where the sign-in page posts its form.
        Login, "/login", POST, FORM, Page, Nobody, Nowhere, |_| true;
        /// `/verify`, where the page for a second factor posts its form.
        Verify, "/verify", POST, FORM, Page, Nobody, Nowhere, |_| true;
        /// `/consent`, where the consent page posts its form.
        Consent, "/consent", POST, FORM, Page, Nobody, Nowhere, |_| true;
        /// `/logout`, which is there with sessions.
        Logout, "/logout", BOTH, LONG_FORM, Page, Nobody, InBoth("end_session_endpoint"), |has| has.sessions;
        /// `/token`.
        Token, "/token", POST, FORM, Json, Clients, InBoth("token_endpoint"), |_| true;
        /// `/revoke`.
        Revoke, "/revoke", POST, FORM, Json, Clients, InBoth("revocation_endpoint"), |_| true;
        /// `/introspect`, which is there for confidential clients.
        // Servers alone ask here: no page of another origin may.
        Introspect, "/introspect", POST, FORM, JsonUnauthorized, Nobody, InBoth("introspection_endpoint"), |has| has.confidential_clients;
        /// `/userinfo`, which is there with the scope `openid`.
        UserInfo, "/userinfo", BOTH, Nothing, Challenge, Clients, InOpenId("userinfo_endpoint"), |has| has.openid;
        /// `/oauth/pages.css`, what the pages look like.
        Stylesheet, "/oauth/pages.css", GET, Nothing, Page, Nobody, Nowhere, |_| true;
        /// `/oauth/logo`.
        Logo, "/oauth/logo", GET, Nothing, Page, Nobody, Nowhere, |has| has.logo;
    }
    fixed {
        Metadata, Place::WellKnown("oauth-authorization-server"), GET, Nothing, Json, Everyone, Nowhere, |_| true;
        // OpenID Connect Discovery §4
        OpenId, Place::Below("/.well-known/openid-configuration"), GET, Nothing, Json, Everyone, Nowhere, |has| has.openid;
        Jwks, Place::Below("/.well-known/jwks.json"), GET, Nothing, Json, Everyone, InBoth("jwks_uri"), |has| has.public_keys;
        ProtectedResource, Place::Resource, GET, Nothing, Json, Everyone, Nowhere, |has| has.resource;
    }
}

/// Where the URLs of one service are, the issuer's own path included.
#[derive(Clone, Debug)]
pub(crate) struct Paths(Vec<Placed>);

/// Where one URL is.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) row: &'static Row,
    pub(crate) path: String,
    pub(crate) is_there: bool,
}

impl Paths {
    /// In the order of [`URLS`], one for each.
    pub(crate) fn new(placed: Vec<Placed>) -> Self {
        Paths(placed)
    }

    pub(crate) fn of(&self, url: Url) -> &str {
        self.0.iter().find(|placed| placed.row.url == url).map_or("", |placed| &placed.path)
    }

    /// Those that are there in this configuration.
    pub(crate) fn registered(&self) -> impl Iterator<Item = &Placed> {
        self.0.iter().filter(|placed| placed.is_there)
    }
}
