//! The demands of an operation, in a form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use utoipa::openapi::security::SecurityRequirement;

use crate::openapi::demand::Demand;
use crate::policy::Rule;

/// The document's name for the scheme of access tokens.
pub(crate) const OAUTH2: &str = "oauth2";

/// Schemes that are demanded together, each with its scopes.
type Requirement = BTreeMap<String, BTreeSet<String>>;

/// Several, of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirements(BTreeSet<Requirement>);

impl Requirements {
    /// What guards, one inside the other, demand.
    pub(crate) fn of(rules: &[&Rule]) -> Self {
        let ways = Demand::of_all(rules).ways;
        Requirements(ways.into_iter().map(|scopes| Requirement::from([(OAUTH2.to_owned(), scopes)])).collect())
    }

    /// What a document says, if anything.
    pub(crate) fn read(written: Option<&[SecurityRequirement]>) -> Self {
        let written: BTreeSet<Requirement> = written.unwrap_or_default().iter().map(read).collect();
        if written.is_empty() { Requirements(BTreeSet::from([Requirement::new()])) } else { Requirements(written) }
    }

    /// Both.
    pub(crate) fn and(&self, other: &Requirements) -> Self {
        let pairs = self.0.iter().flat_map(|one| other.0.iter().map(move |other| both(one, other)));
        let all: BTreeSet<Requirement> = pairs.collect();
        // If less is enough as well, more is not an alternative.
        let is_least = |it: &&Requirement| !all.iter().any(|less| less != *it && covers(it, less));
        Requirements(all.iter().filter(is_least).cloned().collect())
    }

    pub(crate) fn write(&self) -> Vec<SecurityRequirement> {
        let write = |requirement: &Requirement| {
            requirement.iter().fold(SecurityRequirement::default(), |it, (scheme, scopes)| it.add(scheme, scopes))
        };
        self.0.iter().map(write).collect()
    }

    /// Whether a client that meets this also meets the other.
    #[cfg(feature = "testing")]
    pub(crate) fn are_enough_for(&self, other: &Requirements) -> bool {
        self.0.iter().all(|said| other.0.iter().any(|demanded| covers(said, demanded)))
    }

    /// Whether they name access tokens of this service.
    #[cfg(feature = "testing")]
    pub(crate) fn name_the_service(&self) -> bool {
        self.0.iter().any(|requirement| requirement.contains_key(OAUTH2))
    }
}

fn read(written: &SecurityRequirement) -> Requirement {
    // Its fields are private, and it serializes as a map of names to lists, so this cannot fail.
    let written = serde_json::to_value(written).and_then(serde_json::from_value);
    written.expect("a security requirement is a map of names to lists of scopes")
}

fn both(one: &Requirement, other: &Requirement) -> Requirement {
    let mut both = one.clone();
    for (scheme, scopes) in other {
        both.entry(scheme.clone()).or_default().extend(scopes.iter().cloned());
    }
    both
}

fn covers(one: &Requirement, other: &Requirement) -> bool {
    other.iter().all(|(scheme, scopes)| one.get(scheme).is_some_and(|has| scopes.is_subset(has)))
}

/// As in the document.
impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
