//! The server's URLs as data: what the router registers, what the metadata names, and what a policy over the whole `App`
//! lets pass.

use actix_web::http::Method;

use crate::guard::own::is_spelling;

/// The form of a URL's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// A page for a person who signs in.
    Page,
    /// A page for a person who signs out.
    SignOutPage,
    /// RFC 6749 §5.2
    Json,
    /// The same, with 401 however a client tried to authenticate (RFC 7662 §2.3).
    JsonUnauthorized,
    /// As a guard refuses (RFC 6750 §3).
    Challenge,
}

/// What is read of a request before its handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Neither query nor body.
    Nothing,
    /// A body of JSON.
    Json,
    /// The parameters of a form, if one is posted; anything else is left unread.
    FormWherePosted,
    /// The parameters: of the form in the body for POST, else of a query of at most this many bytes.
    Parameters { query_bytes: usize },
    /// The same, for a URL to which pages of other sites may post: their posts come back by GET.
    ParametersOfAnySite { query_bytes: usize },
}

/// Which pages of other origins may read the answers (c35). Credentials are never allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cors {
    /// No others: this URL is for browsers to visit, not for scripts.
    None,
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
    /// Only in the OpenID provider's.
    InOpenId(&'static str),
}

/// The place of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the issuer's path, at this one unless the author chose another.
    Chosen(&'static str),
    /// Below the issuer's path, as a specification says.
    Below(&'static str),
    /// The well-known part before the issuer's path (RFC 8414 §3).
    WellKnown(&'static str),
    /// The well-known part after the issuer's path, and before it as well: clients look at both (RFC 8414 §5).
    EitherWay(&'static str),
    /// Where the metadata of the protected resources is, a path for each (RFC 9728 §3).
    Resource,
}

/// The optional parts of a configuration, for URLs that exist only with them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Has {
    pub(crate) logo: bool,
    pub(crate) confidential_clients: bool,
    pub(crate) devices: bool,
    pub(crate) public_keys: bool,
    pub(crate) openid: bool,
    pub(crate) sessions: bool,
    pub(crate) account: bool,
    pub(crate) resource: bool,
    pub(crate) registrar: bool,
}

/// One URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) url: Url,
    /// The name of a request to it in the log.
    pub(crate) request: &'static str,
    pub(crate) place: Place,
    pub(crate) methods: &'static [Method],
    pub(crate) input: Input,
    pub(crate) errors: Errors,
    pub(crate) cors: Cors,
    pub(crate) named: Named,
    pub(crate) is_there: fn(&Has) -> bool,
}

/// Makes the enums and the table from one list: URLs whose path can be chosen come first.
macro_rules! urls {
    (
        chosen { $(
            $(#[$doc:meta])*
            $name:ident, $request:literal, at $path:literal:
                $methods:ident, $input:expr, errors $errors:ident, cors $cors:ident, $named:expr, if $is_there:expr;
        )+ }
        fixed { $(
            $fixed:ident, $fixed_request:literal, at $place:expr;
                $fixed_methods:ident, errors $fixed_errors:ident, cors $fixed_cors:ident, $fixed_named:expr,
                if $fixed_is_there:expr;
        )+ }
    ) => {
        /// A URL of the server whose path can be chosen with [`Builder::path`](crate::Builder::path).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
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
                request: $request,
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
                request: $fixed_request,
                place: $place,
                methods: $fixed_methods,
                input: Input::Nothing,
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
/// OpenID Connect Core §3.1.2.1: a client may post.
const ANY_FORM: Input = Input::ParametersOfAnySite { query_bytes: 8 * 1024 };
/// With room for an ID token.
const LONG_ANY_FORM: Input = Input::ParametersOfAnySite { query_bytes: 16 * 1024 };

use Input::{FormWherePosted, Json, Nothing};
use Named::{InBoth, InOpenId, Nowhere};

// A row: its name, the name of a request to it in the log, and its path; then its methods, what is read of a request,
// the form of its errors, who may read it from another origin, its name in the metadata, and when it exists. The
// handlers are in `routes.rs`.
urls! {
    chosen {
        /// `/authorize`, where the sign-in page is.
        Authorize, "authorization request", at "/authorize":
            BOTH, ANY_FORM, errors Page, cors None, InBoth("authorization_endpoint"), if |_| true;
        /// `/login`, where the sign-in page posts its form, and to which pages of the application send users who are
        /// not signed in ([`OAuthService::pages`](crate::OAuthService::pages)).
        Login, "sign-in", at "/login":
            BOTH, FORM, errors Page, cors None, Nowhere, if |_| true;
        /// `/verify`, where the page for a second factor posts its form.
        Verify, "second factor", at "/verify":
            POST, FORM, errors Page, cors None, Nowhere, if |_| true;
        /// `/consent`, where the consent page posts its form.
        Consent, "decision on consent", at "/consent":
            POST, FORM, errors Page, cors None, Nowhere, if |_| true;
        /// `/logout`, which exists with sessions.
        Logout, "sign-out", at "/logout":
            BOTH, LONG_ANY_FORM, errors SignOutPage, cors None, InBoth("end_session_endpoint"), if |has| has.sessions;
        /// `/account`, which exists with [`Builder::account_page`](crate::Builder::account_page).
        Account, "account page", at "/account":
            BOTH, FORM, errors Page, cors None, Nowhere, if |has| has.account;
        /// `/device`, where users type the code that a device shows, which exists for [clients on
        /// devices](crate::Client::device).
        Device, "device page", at "/device":
            BOTH, FORM, errors Page, cors None, Nowhere, if |has| has.devices;
        /// `/device_authorization`, where a device asks for its code.
        DeviceAuthorization, "device authorization request", at "/device_authorization":
            POST, FORM, errors Json, cors Clients, InBoth("device_authorization_endpoint"), if |has| has.devices;
        /// `/par`, where a client pushes its authorization request before it sends the browser.
        PushedAuthorization, "pushed authorization request", at "/par":
            POST, FORM, errors Json, cors Clients, InBoth("pushed_authorization_request_endpoint"), if |_| true;
        /// `/token`.
        Token, "token request", at "/token":
            POST, FORM, errors Json, cors Clients, InBoth("token_endpoint"), if |_| true;
        /// `/revoke`.
        Revoke, "revocation", at "/revoke":
            POST, FORM, errors Json, cors Clients, InBoth("revocation_endpoint"), if |_| true;
        // Only servers ask here: no page of another origin may.
        /// `/introspect`, which exists for confidential clients.
        Introspect, "introspection", at "/introspect":
            POST, FORM, errors JsonUnauthorized, cors None, InBoth("introspection_endpoint"),
            if |has| has.confidential_clients;
        /// `/userinfo`, which exists with the scope `openid`.
        UserInfo, "userinfo request", at "/userinfo":
            BOTH, FormWherePosted, errors Challenge, cors Clients, InOpenId("userinfo_endpoint"), if |has| has.openid;
        /// `/register`, which exists with [`Builder::registration`](crate::Builder::registration).
        Register, "registration", at "/register":
            POST, Json, errors Json, cors Clients, InBoth("registration_endpoint"), if |has| has.registrar;
        /// `/oauth/pages.css`, the stylesheet of the pages.
        Stylesheet, "stylesheet", at "/oauth/pages.css":
            GET, Nothing, errors Page, cors None, Nowhere, if |_| true;
        /// `/oauth/logo`.
        Logo, "logo", at "/oauth/logo":
            GET, Nothing, errors Page, cors None, Nowhere, if |has| has.logo;
    }
    fixed {
        Metadata, "metadata", at Place::WellKnown("oauth-authorization-server");
            GET, errors Json, cors Everyone, Nowhere, if |_| true;
        // OpenID Connect Discovery §4
        OpenId, "metadata", at Place::EitherWay("openid-configuration");
            GET, errors Json, cors Everyone, Nowhere, if |has| has.openid;
        Jwks, "keys", at Place::Below("/.well-known/jwks.json");
            GET, errors Json, cors Everyone, InBoth("jwks_uri"), if |has| has.public_keys;
        ProtectedResource, "metadata", at Place::Resource;
            GET, errors Json, cors Everyone, Nowhere, if |has| has.resource;
    }
}

/// The places of a service's URLs, including the issuer's own path.
#[derive(Clone, Debug)]
pub(crate) struct Paths(Vec<Placed>);

/// The place of one URL.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) row: &'static Row,
    pub(crate) path: String,
}

impl Row {
    /// Its methods, and HEAD along with GET (RFC 9110 §9.3.2).
    pub(crate) fn allowed(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().flat_map(|method| match method {
            &Method::GET => &[Method::GET, Method::HEAD] as &[Method],
            other => std::slice::from_ref(other),
        })
    }
}

impl Paths {
    /// From the URLs of this configuration, in the order of [`URLS`].
    pub(crate) fn new(placed: Vec<Placed>) -> Self {
        Paths(placed)
    }

    pub(crate) fn of(&self, url: Url) -> &str {
        self.0.iter().find(|placed| placed.row.url == url).map_or("", |placed| &placed.path)
    }

    /// Which URL has this path.
    pub(crate) fn at(&self, path: &str) -> Option<&Placed> {
        self.0.iter().find(|placed| is_spelling(path, &placed.path))
    }

    pub(crate) fn registered(&self) -> impl Iterator<Item = &Placed> {
        self.0.iter()
    }
}
