//! The server's own URLs, which a policy over a whole `App` lets pass.
//!
//! Own is what the server answers, and not what a path spells: where an application's route has one of
//! these addresses before the server's, actix-web takes that one, and the policy is for it.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::ServiceRequest;
use actix_web::{HttpRequest, Resource};

/// By their paths.
pub(crate) struct OwnUrls {
    paths: Vec<String>,
    is_told: AtomicBool,
}

impl OwnUrls {
    pub(crate) fn new(paths: impl Iterator<Item = String>) -> Self {
        OwnUrls { paths: paths.collect(), is_told: AtomicBool::new(false) }
    }

    /// Whether the server answers this request, in an `App` that has its routes. Where its resource comes first, it answers
    /// every method.
    pub(crate) fn answer(&self, request: &ServiceRequest) -> bool {
        // As the router reads it, percent-decoded.
        let path = request.match_info().as_str();
        self.has(path) && request.resource_map().match_name(path) == Some(RESOURCE)
    }

    /// Whether one of them has this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|own| own == path)
    }

    /// Tells of the application's routes at these addresses, once: they can be seen as soon as there is a request.
    pub(crate) fn tell_of_shadows(&self, request: &HttpRequest) {
        if self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        for path in self.paths.iter().filter(|path| request.resource_map().match_name(path) != Some(RESOURCE)) {
            tracing::error!(
                target: "oauth",
                path,
                "a route of the application has an address of the server, and comes first: give it another, or the server's \
                 by .paths(..), or configure oauth.routes() before it"
            );
        }
    }
}

/// Marks a resource of an `App` as one of these.
pub(crate) fn named(resource: Resource) -> Resource {
    resource.name(RESOURCE)
}

const RESOURCE: &str = "oauth-runtime";
