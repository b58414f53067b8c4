//! What is opened to clients that the author did not list.

use crate::builder::misfit::UnknownScope;
#[cfg(feature = "mcp")]
use crate::clients::documents::hosts::Hosts;
use crate::model::Secret;
use crate::model::ceiling::Unlisted;

/// The settings for clients that are not listed.
#[derive(Default)]
pub(super) struct Openings {
    /// Resources of this very `App`.
    pub(super) served: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    /// The secret under which registrations are sealed, if not the service's.
    pub(super) registration_secret: Option<Secret>,
    /// Private schemes without a dot that they may register; none: the usual ones.
    pub(super) schemes: Option<Vec<String>>,
    /// The ways in which they may come.
    pub(super) ways: Vec<Unlisted>,
    #[cfg(feature = "mcp")]
    pub(super) documents: DocumentsFrom,
}

impl Openings {
    pub(super) fn open(&mut self, way: Unlisted) {
        if !self.ways.contains(&way) {
            self.ways.push(way);
        }
    }
}

/// The hosts whose documents about clients are accepted.
#[cfg(feature = "mcp")]
#[derive(Clone, Default)]
pub(super) enum DocumentsFrom {
    /// Not set: any host if there is an MCP server, else none.
    #[default]
    Usual,
    Nowhere,
    Hosts(Hosts),
}

#[cfg(feature = "mcp")]
impl Openings {
    /// `None` if no document is accepted.
    pub(super) fn hosts(&self) -> Option<Hosts> {
        match &self.documents {
            DocumentsFrom::Usual => (!self.served.is_empty()).then(Hosts::any),
            DocumentsFrom::Nowhere => None,
            DocumentsFrom::Hosts(hosts) => Some(hosts.clone()),
        }
    }
}

/// Why something cannot be opened to clients that are not listed, or a resource cannot be as it is said. `Display` and `Debug` print
/// the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// [`open_scopes`](crate::Builder::open_scopes) names a scope that the service does not have.
    #[error(".open_scopes(..) has {0}")]
    Scope(#[source] UnknownScope),
    /// [`open_resources`](crate::Builder::open_resources) names a resource that the service does not have.
    #[error(
        ".open_resources(..) has {resource:?}, which is neither the audience nor a .resource(..) or .mcp(..): add it"
    )]
    Resource {
        /// The resource as given.
        resource: String,
    },
    /// [`require_dpop_at`](crate::Builder::require_dpop_at) names a resource that the service does not have.
    #[error(
        ".require_dpop_at(..) has {resource:?}, which is neither the audience nor a .resource(..) or .mcp(..): add it"
    )]
    BoundTokensAt {
        /// The resource as given.
        resource: String,
    },
    /// A scheme that clients may register is not a private scheme.
    #[error(
        ".registration_schemes(..) has {scheme:?}: write a private scheme in lower case, such as cursor, and not one of a browser's own"
    )]
    Scheme {
        /// The scheme as given.
        scheme: String,
    },
    /// A resource of this `App` has the path of another, or none that a router can find.
    #[error(
        "the resource {resource:?} must be the URL of handlers here: https://host with a path of its own, such as \
         https://api.example/mcp (http on loopback), and no two with one path"
    )]
    Path {
        /// The resource as given.
        resource: String,
    },
    /// A host of clients' documents is not a host.
    #[error("{host:?} in Hosts::of(..) is not a host as in a URL: write claude.ai, or *.example.com for all below it")]
    Host {
        /// The host as given.
        host: String,
    },
    /// [`require_pushed_requests`](crate::Builder::require_pushed_requests) and clients with documents exclude each other: a
    /// document is fetched only once a user has signed in, and a client pushes its request before that.
    #[error(
        "clients with a document cannot push their requests, since it is fetched only once a user has signed in: leave \
         .require_pushed_requests() to single clients, or add .without_client_documents()"
    )]
    PushedWithDocuments,
    /// The HTTP client that fetches documents cannot be made; the log says why.
    #[error("the HTTP client for clients' documents cannot be made: see the log")]
    HttpClient,
}

crate::model::debug_as_text!(OpeningError);

#[cfg(all(test, feature = "mcp"))]
mod tests {
    use serde_json::json;

    use crate::{Builder, Client, Hosts, OpeningError};

    /// A document is fetched only once a user has signed in, and RFC 9126 §2.1 lets the client push before that.
    #[test]
    fn clients_with_documents_and_requests_that_must_be_pushed_exclude_each_other() {
        let documents = || {
            let client = Client::public("spa").redirect_uri("https://spa.example/cb");
            let builder = Builder::new().issuer("https://notes.example").direct_peers().client(client);
            builder.authenticate_blocking(|_| Some(json!({ "sub": "ada" }))).client_documents(Hosts::any())
        };
        assert!(documents().build().is_ok());
        let why = documents().require_pushed_requests().build().expect_err("they cannot push");
        assert_eq!(why, OpeningError::PushedWithDocuments.into());
        assert!(why.to_string().contains(".without_client_documents()"), "{why}");
        assert!(documents().without_client_documents().require_pushed_requests().build().is_ok());
    }
}
