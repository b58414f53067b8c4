//! The paths of the server's URLs.

use std::collections::BTreeMap;

use crate::builder::error::BuildError;
use crate::model::issuer::{Issuer, is_plain_path};
use crate::server::described::Described;
use crate::server::paths::{Endpoint, Has, Paths, Place, Placed, Row, URLS, Url};

/// Places each URL; no two may have the same path.
pub(super) fn paths(
    issuer: &Issuer,
    described: &Described,
    chosen: &[(Endpoint, String)],
    has: &Has,
) -> Result<Paths, BuildError> {
    // The last choice counts.
    let chosen: BTreeMap<Endpoint, &str> = chosen.iter().map(|(endpoint, path)| (*endpoint, path.as_str())).collect();
    let choice = |url: Url| chosen.iter().find(|(endpoint, _)| Url::from(**endpoint) == url);
    let place = |row: &'static Row| {
        let paths = match row.place {
            Place::Chosen(path) => vec![format!("{}{}", issuer.path(), choice(row.url).map_or(path, |(_, path)| path))],
            Place::Below(path) => vec![format!("{}{path}", issuer.path())],
            Place::WellKnown(name) => vec![issuer.well_known(name)],
            Place::EitherWay(name) => {
                let mut paths = vec![format!("{}/.well-known/{name}", issuer.path()), issuer.well_known(name)];
                paths.dedup();
                paths
            }
            Place::Resource => described.paths().map(str::to_owned).collect(),
        };
        paths.into_iter().map(move |path| Placed { row, path })
    };
    let placed: Vec<Placed> = URLS.iter().filter(|row| (row.is_there)(has)).flat_map(place).collect();
    for (endpoint, path) in &chosen {
        let (url, whole) = (Url::from(*endpoint), format!("{}{path}", issuer.path()));
        let is_taken = placed.iter().any(|placed| placed.row.url != url && placed.path == whole);
        if path.is_empty() || !is_plain_path(path) || is_taken {
            return Err(BuildError::Path { endpoint: *endpoint, path: (*path).to_owned() });
        }
    }
    Ok(Paths::new(placed))
}

/// Clients that cannot read the metadata of an MCP server fall back to these paths at the root of its host, whatever the
/// issuer's own path is (MCP of 2025-03-26).
pub(super) fn tell_of_unusual(paths: &Paths, served: &[String]) {
    let usual = [(Url::Authorize, "/authorize"), (Url::Token, "/token"), (Url::Register, "/register")];
    for (path, fallback) in usual.map(|(url, fallback)| (paths.of(url), fallback)) {
        if !served.is_empty() && path != fallback {
            tracing::info!(
                target: "oauth",
                path,
                fallback,
                "a client of the MCP server finds this path by the metadata; one that cannot read it tries the fallback, where \
                 nothing is: an issuer without a path, and no .path(..) of your own, serve both"
            );
        }
    }
}
