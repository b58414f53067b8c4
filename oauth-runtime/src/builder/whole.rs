//! All that the service has, of which each client may be given a part.

use std::collections::BTreeMap;

use crate::model::Scope;
use crate::model::resource::Resources;

/// What the service has, of which a client may be given some.
#[derive(Clone)]
pub(super) struct Whole {
    pub(super) scopes: BTreeMap<String, String>,
    pub(super) audience: String,
    pub(super) resources: Vec<String>,
    /// The audience of tokens that are only for `/userinfo`.
    pub(super) userinfo: String,
    /// Whether the tokens of the author's own clients are sealed as well.
    pub(super) seals_all: bool,
    /// Whether the issuer is on loopback.
    pub(super) is_local: bool,
    pub(super) has_sessions: bool,
}

impl Whole {
    pub(super) fn all_scopes(&self) -> Scope {
        let mut all = Scope::default();
        all.extend(self.scopes.keys().map(String::as_str));
        all
    }

    pub(super) fn all_with_userinfo(&self) -> Resources {
        let mut all: Resources = self.all_resources().collect();
        all.join(&self.of_userinfo());
        all
    }

    pub(super) fn of_userinfo(&self) -> Resources {
        [self.userinfo.as_str()].into_iter().collect()
    }

    pub(super) fn all_resources(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.audience.as_str()).chain(self.resources.iter().map(String::as_str))
    }
}
