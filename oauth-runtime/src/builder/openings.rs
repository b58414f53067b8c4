//! What is opened to clients that the author did not list.

use crate::builder::misfit::UnknownScope;
#[cfg(feature = "mcp")]
use crate::clients::documents::hosts::Hosts;
use crate::model::Secret;
use crate::model::ceiling::Unlisted;

/// What was said of clients that are not listed.
#[derive(Default)]
pub(super) struct Openings {
    /// Resources of this very `App`.
    pub(super) served: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    /// What registrations are sealed under, where it is not the service's secret.
    pub(super) registration_secret: Option<Secret>,
    /// Private schemes without a dot that they may register; none: the usual ones.
    pub(super) schemes: Option<Vec<String>>,
    /// By which ways they may come.
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

/// From where documents about clients are taken.
#[cfg(feature = "mcp")]
#[derive(Clone, Default)]
pub(super) enum DocumentsFrom {
    /// Nothing was said: from any host where there is an MCP server, and else from none.
    #[default]
    Usual,
    Nowhere,
    Hosts(Hosts),
}

#[cfg(feature = "mcp")]
impl Openings {
    /// None where no document is taken.
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
    /// What clients that are not listed may have names a scope that the service has not.
    #[error(".open_scopes(..) has {0}")]
    Scope(#[source] UnknownScope),
    /// What clients that are not listed may have tokens for names a resource that the service has not.
    #[error(
        ".open_resources(..) has {resource:?}, which is neither the audience nor a .resource(..) or .mcp(..): add it"
    )]
    Resource {
        /// The resource as given.
        resource: String,
    },
    /// [`require_dpop_at`](crate::Builder::require_dpop_at) names a resource that the service has not.
    #[error(
        ".require_dpop_at(..) has {resource:?}, which is neither the audience nor a .resource(..) or .mcp(..): add it"
    )]
    BoundTokensAt {
        /// The resource as given.
        resource: String,
    },
    /// A scheme that clients may register is no private scheme.
    #[error(
        ".registration_schemes(..) has {scheme:?}: write a private scheme in lower case, such as cursor, and none of a browser's own"
    )]
    Scheme {
        /// The scheme as given.
        scheme: String,
    },
    /// A resource of this `App` cannot be told from another by its path, or has none that a router can find.
    #[error(
        "the resource {resource:?} must be the URL of handlers here: https://host with a path of its own, such as \
         https://api.example/mcp (http on loopback), and no two with one path"
    )]
    Path {
        /// The resource as given.
        resource: String,
    },
    /// Clients' documents are to come from what is no host.
    #[error("{host:?} of Hosts::of(..) is no host as a URL has it: write claude.ai, or *.example.com for all below it")]
    Host {
        /// The host as given.
        host: String,
    },
    /// No HTTP client can be made, to fetch documents with; the log says why.
    #[error("the HTTP client for clients' documents cannot be made: see the log")]
    HttpClient,
}

crate::model::debug_as_text!(OpeningError);
