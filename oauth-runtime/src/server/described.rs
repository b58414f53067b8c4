//! Which protected resources have a metadata document here, and where (RFC 9728 §3).

use crate::guard::refusal::Resource;

/// The protected resources with a metadata document here.
pub(crate) struct Described {
    /// The path of each document, and its resource.
    by_path: Vec<(String, String)>,
}

impl Described {
    /// The document of the service's own audience, and those of this `App`'s resources. The first resource that the
    /// author opened is also at the root if nothing else is: some clients look only there.
    pub(crate) fn new(own: Option<&Resource>, served: &[Resource], first: Option<&String>) -> Self {
        let of = |resource: &Resource| (resource.path.clone(), resource.identifier.clone());
        let mut by_path: Vec<_> = own.into_iter().chain(served).map(of).collect();
        if let Some(first) = first
            && by_path.iter().all(|(path, _)| *path != Resource::root())
        {
            by_path.push((Resource::root(), first.clone()));
        }
        Described { by_path }
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.iter().map(|(path, _)| path.as_str())
    }

    /// The resource whose document has this path.
    pub(crate) fn at(&self, path: &str) -> Option<&str> {
        let of_path = |(known, _): &&(String, String)| known == path || path.strip_suffix('/') == Some(known);
        self.by_path.iter().find(of_path).map(|(_, identifier)| identifier.as_str())
    }
}
