//! The server's own URLs, which a policy over a whole `App` lets pass.
//!
//! What counts is which handler answers, not how the path is spelled: if a route of the application has one of these
//! addresses and comes first, actix-web chooses that route, and the policy applies to it.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
#[cfg(feature = "resource-server")]
use actix_web::Resource;
use actix_web::dev::{ResourceDef, ServiceRequest};

/// By their paths.
pub(crate) struct OwnUrls {
    paths: Vec<String>,
    is_told: AtomicBool,
}

impl OwnUrls {
    pub(crate) fn new(paths: impl Iterator<Item = String>) -> Self {
        OwnUrls { paths: paths.collect(), is_told: AtomicBool::new(false) }
    }

    /// Whether the server answers this request, in an `App` that has its routes. If its resource comes first, it
    /// answers every method.
    pub(crate) fn answer(&self, request: &ServiceRequest) -> bool {
        let Some(path) = self.of(request.match_info().as_str()) else { return false };
        // A middleware may yet change one spelling into the other.
        spellings(path).iter().all(|path| request.resource_map().match_name(path) == Some(RESOURCE))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    fn of(&self, path: &str) -> Option<&str> {
        self.paths.iter().map(String::as_str).find(|own| is_spelling(path, own))
    }

    /// Logs the application's routes at these addresses, once: they are visible as soon as there is a request.
    pub(crate) fn tell_of_shadows(&self, request: &HttpRequest) {
        if self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let is_other = |path: &String| request.resource_map().match_name(path) != Some(RESOURCE);
        for path in self.paths.iter().flat_map(|path| spellings(path)).filter(is_other) {
            tracing::error!(
                target: "oauth",
                path,
                "a route of the application has an address of the server, and comes first: give it another, or the server's \
                 by .path(Endpoint::.., \"..\"), or configure oauth.routes() before it"
            );
        }
    }
}

/// Where these paths are in an `App`, marked as the server's own.
pub(crate) fn definition<'a>(paths: impl Iterator<Item = &'a str>) -> ResourceDef {
    let mut definition = ResourceDef::new(pattern(paths));
    definition.set_name(RESOURCE);
    definition
}

/// The same of one path, as a resource.
#[cfg(feature = "resource-server")]
pub(crate) fn resource(path: &str) -> Resource {
    Resource::new(pattern([path].into_iter())).name(RESOURCE)
}

/// Several paths, and each as `NormalizePath` may leave it, are one pattern: the router tries it for each request to
/// the application as well, and would try a list of patterns one after another if actix-web lacks its feature
/// `unicode`.
fn pattern<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    // Only letters, digits and `-._~/`: see `is_plain_path`.
    let paths: Vec<String> = paths.map(|path| path.trim_start_matches('/').replace('.', r"\.")).collect();
    format!("{BEGIN}{})/?}}", paths.join("|"))
}

/// Whether this is the one pattern of the server's URLs.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    pattern.starts_with(BEGIN)
}

/// The path, and as `NormalizePath` may leave it: a middleware that adds a slash must not make the server disappear.
fn spellings(path: &str) -> [String; 2] {
    [path.to_owned(), format!("{path}/")]
}

/// Whether this is one of them.
pub(crate) fn is_spelling(path: &str, own: &str) -> bool {
    path == own || path.strip_suffix('/') == Some(own)
}

const RESOURCE: &str = "oauth-runtime";
/// The beginning of the one pattern for all of them, which `match_pattern` returns for each.
const BEGIN: &str = "/{oauth:(?:";
