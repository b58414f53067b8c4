//! What is opened to clients that the author did not list.

use crate::builder::misfit::UnknownScope;
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
}

impl Openings {
    pub(super) fn open(&mut self, way: Unlisted) {
        if !self.ways.contains(&way) {
            self.ways.push(way);
        }
    }
}

/// Why something cannot be opened to clients that are not listed. `Display` and `Debug` print the same text, which says what to
/// change.
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
}

crate::model::debug_as_text!(OpeningError);
