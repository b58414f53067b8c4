//! Where the server's URLs are to be.

use std::collections::BTreeMap;

use crate::builder::error::BuildError;
use crate::model::issuer::{Issuer, is_plain_path};
use crate::server::described::Described;
use crate::server::paths::{Endpoint, Has, Paths, Place, Placed, Row, URLS, Url};

/// Places each URL; no two that are there may have one path.
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
