//! The most that a client may be given, by today's configuration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::grant_type::GrantType;
use crate::model::resource::Resources;
use crate::model::scope::Scope;

/// The most that a client may be given. It is made from the configuration of this process, so nothing that was removed
/// from that is in it.
#[derive(Debug)]
pub(crate) struct Ceiling {
    /// The grant types that it may use.
    pub(crate) grants: Vec<GrantType>,
    /// What its users may grant it.
    pub(crate) of_users: Scope,
    /// What it may have in its own name.
    pub(crate) of_its_own: Scope,
    /// What its tokens may be for, including the service's own audience by its name.
    pub(crate) resources: Resources,
    /// What they are for if the client names nothing and may not have the service's own audience.
    pub(crate) default_resource: Option<String>,
}

/// The resources that a token shall be for. Where none is named, it is the service's own audience.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// By a request: what it leaves open may be another one, which the user is asked about.
    Asked(&'a Resources),
    /// By what was granted before: it becomes no other one, whatever the configuration says by now.
    Granted(&'a Resources),
}

/// A resource is beyond the ceiling.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BeyondCeiling;

/// What a client may still have of a token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left {
    All,
    /// This scope, and this audience.
    Less(Scope, Vec<String>),
}

impl Ceiling {
    /// The ceiling of a client that is given nothing.
    pub(crate) fn nothing() -> Self {
        Ceiling {
            grants: Vec::new(),
            of_users: Scope::default(),
            of_its_own: Scope::default(),
            resources: Resources::default(),
            default_resource: None,
        }
    }

    /// What is left today of the scope and the audience of an access token that was issued before; `None` if its client
    /// may no longer have such a token.
    pub(crate) fn left_of(&self, scope: &Scope, audience: &[String], is_of_user: bool) -> Option<Left> {
        let (grants, most): (&[GrantType], _) = match is_of_user {
            true => (&[GrantType::AuthorizationCode, GrantType::DeviceCode], &self.of_users),
            false => (&[GrantType::ClientCredentials], &self.of_its_own),
        };
        if !grants.iter().any(|grant| self.grants.contains(grant)) {
            return None;
        }
        if !audience.is_empty() && audience.iter().all(|named| self.resources.has(named)) && scope.is_subset(most) {
            return Some(Left::All);
        }
        let within = scope.within(most);
        let audience: Vec<String> = audience.iter().filter(|named| self.resources.has(named)).cloned().collect();
        // As when it was issued: some of its scope and of its audience must be left.
        let is_nothing = audience.is_empty() || (within.is_empty() && !scope.is_empty());
        (!is_nothing).then_some(Left::Less(within, audience))
    }

    /// Whether tokens may be for all of these, by their names.
    pub(crate) fn has(&self, resources: &Resources) -> bool {
        resources.is_subset(&self.resources)
    }

    /// Which of these resources tokens may be for. If none is named, that is the service's own audience; if that is
    /// beyond the ceiling, it is the ceiling's default where a request asks, or else the least, if any.
    pub(crate) fn resources(
        &self,
        wanted: Wanted<'_>,
        own: &str,
        least: Option<&str>,
    ) -> Result<Resources, BeyondCeiling> {
        let (Wanted::Asked(named) | Wanted::Granted(named)) = wanted;
        // Usually it has this very spelling, and need not be parsed.
        if named.is_empty() && self.resources.has(own) {
            return Ok(Resources::default());
        }
        let within = named.named(own).within(&self.resources);
        match (wanted, named.is_empty(), within.is_empty()) {
            (_, true, false) => Ok(Resources::default()),
            (_, false, false) => Ok(within),
            (_, true, true) => {
                let default = self.default_resource.as_deref().filter(|_| matches!(wanted, Wanted::Asked(_)));
                default.or(least).map(|least| [least].into_iter().collect()).ok_or(BeyondCeiling)
            }
            (_, false, true) => Err(BeyondCeiling),
        }
    }
}

/// The ceilings of all clients, by their names in tokens.
pub(crate) struct Ceilings {
    listed: HashMap<String, Arc<Ceiling>>,
    /// The ceilings of clients that are not listed, by how they came.
    unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
    /// The most that clients of the author's function may have: what they were issued was cut to their own ceiling.
    told: Option<Arc<Ceiling>>,
}

impl Ceilings {
    pub(crate) fn of(
        listed: impl Iterator<Item = (String, Arc<Ceiling>)>,
        unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
        told: Option<Arc<Ceiling>>,
    ) -> Self {
        Ceilings { listed: listed.collect(), unlisted, told }
    }

    /// The ceiling of a client; `None` if the client is gone.
    pub(crate) fn get(&self, client: &str) -> Option<&Ceiling> {
        let listed = self.listed.get(client);
        let of_its_kind = || match Unlisted::of(client) {
            Some(kind) => self.unlisted.iter().find(|(known, _)| *known == kind).map(|(_, ceiling)| ceiling),
            None => self.told.as_ref(),
        };
        listed.or_else(of_its_kind).map(AsRef::as_ref)
    }
}

/// How a client that is not listed came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlisted {
    /// It registered itself (RFC 7591).
    Registered,
    /// Its id is the URL of a document about it (draft-ietf-oauth-client-id-metadata-document).
    Document,
}

impl Unlisted {
    /// By its name in codes, tokens and facts.
    pub(crate) fn of(id: &str) -> Option<Unlisted> {
        if id.starts_with(REGISTERED) {
            Some(Unlisted::Registered)
        } else if id.starts_with("https://") || id.starts_with("http://") {
            Some(Unlisted::Document)
        } else {
            None
        }
    }
}

/// The beginning of the name of a client that registered itself.
pub(crate) const REGISTERED: &str = "registered-";

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Resources {
        text.split_whitespace().collect()
    }

    #[test]
    fn c43_resources_are_cut_to_the_ceiling_and_none_named_is_no_way_around_it() {
        let ceiling = |text: &str| Ceiling {
            grants: Vec::new(),
            of_users: Scope::default(),
            of_its_own: Scope::default(),
            resources: set(text),
            default_resource: None,
        };
        let cut = |text: &str, asked: &str| ceiling(text).resources(Wanted::Asked(&set(asked)), "own", Some("least"));
        assert_eq!(ceiling("least a").resources(Wanted::Asked(&set("")), "own", None), Err(BeyondCeiling));
        assert_eq!(cut("own least a", ""), Ok(set("")));
        assert_eq!(cut("least a", ""), Ok(set("least")));
        assert_eq!(cut("own least a", "a own b"), Ok(set("a own")));
        assert_eq!(cut("least a", "own"), Err(BeyondCeiling));
        assert_eq!(cut("least", "least"), Ok(set("least")));
        assert_eq!(cut("least", "a b"), Err(BeyondCeiling));
        let with_a_default = Ceiling { default_resource: Some("a".to_owned()), ..ceiling("least a b") };
        let cut = |wanted: Wanted<'_>| with_a_default.resources(wanted, "own", Some("least"));
        assert_eq!(cut(Wanted::Asked(&set(""))), Ok(set("a")));
        // It was for the service's own audience.
        assert_eq!(cut(Wanted::Granted(&set(""))), Ok(set("least")));
        assert_eq!(with_a_default.resources(Wanted::Granted(&set("")), "own", None), Err(BeyondCeiling));
        let (b, own) = (set("b"), set("own"));
        for wanted in [Wanted::Asked, Wanted::Granted] {
            assert_eq!(cut(wanted(&b)), Ok(b.clone()));
            assert_eq!(cut(wanted(&own)), Err(BeyondCeiling));
        }
        let own = ceiling("own a");
        assert_eq!(own.resources(Wanted::Granted(&set("")), "own", None), Ok(set("")));
    }
}
