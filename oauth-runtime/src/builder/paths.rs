//! Where the server's URLs are to be.

use std::collections::BTreeMap;

use crate::builder::error::BuildError;
use crate::guard::refusal::Resource;
use crate::model::issuer::{Issuer, is_plain_path};
use crate::server::paths::{Endpoint, Has, Paths, Place, Placed, URLS, Url};

/// Places each URL; no two that are there may have one path.
pub(super) fn paths(
    issuer: &Issuer,
    resource: Option<&Resource>,
    chosen: &[(Endpoint, String)],
    has: &Has,
) -> Result<Paths, BuildError> {
    // The last choice counts.
    let chosen: BTreeMap<Endpoint, &str> = chosen.iter().map(|(endpoint, path)| (*endpoint, path.as_str())).collect();
    let choice = |url: Url| chosen.iter().find(|(endpoint, _)| Url::from(**endpoint) == url);
    let place = |row: &'static crate::server::paths::Row| Placed {
        row,
        path: match row.place {
            Place::Chosen(path) => format!("{}{}", issuer.path(), choice(row.url).map_or(path, |(_, path)| path)),
            Place::Below(path) => format!("{}{path}", issuer.path()),
            Place::WellKnown(name) => issuer.well_known(name),
            Place::Resource => resource.map(|resource| resource.path.clone()).unwrap_or_default(),
        },
        is_there: (row.is_there)(has),
    };
    let placed: Vec<Placed> = URLS.iter().map(place).collect();
    for (endpoint, path) in &chosen {
        let mut at = placed.iter().filter(|placed| placed.is_there || placed.row.url == Url::from(*endpoint));
        let whole = format!("{}{path}", issuer.path());
        let is_taken = at.any(|placed| placed.row.url != Url::from(*endpoint) && placed.path == whole);
        if path.is_empty() || !is_plain_path(path) || is_taken {
            return Err(BuildError::Path { endpoint: *endpoint, path: (*path).to_owned() });
        }
    }
    Ok(Paths::new(placed))
}
