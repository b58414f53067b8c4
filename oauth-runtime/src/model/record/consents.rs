//! What a subject allowed to clients.

use std::time::Duration;

use super::parts::{Consent, Record};
use crate::model::Timestamp;
use crate::model::lifetime::LONGEST;
use crate::model::resource::Resources;
use crate::model::scope::Scope;

impl Record {
    /// Remembers what was allowed, together with what was before.
    pub(crate) fn allow(
        &mut self,
        client: &str,
        bound_to: &str,
        scope: &Scope,
        resources: &Resources,
        lasts: bool,
        now: Timestamp,
    ) {
        self.prune(now);
        let is_same = |it: &Consent| it.client == client && it.bound_to == bound_to;
        let mut consent = self.consents.iter().find(|it| is_same(it)).cloned().unwrap_or_else(|| Consent {
            client: client.to_owned(),
            bound_to: bound_to.to_owned(),
            scope: Scope::default(),
            resources: resources.clone(),
            lasts,
            given: now,
            until: now,
        });
        // Joined only along one of the two: otherwise what was allowed at one resource would be allowed at another.
        if consent.resources == *resources {
            consent.scope.extend(scope.iter());
            // Like the scope that asks for it, it applies to everything that is allowed there.
            consent.lasts |= lasts;
        } else if consent.scope == *scope && consent.lasts == lasts {
            consent.resources.join(resources);
        } else {
            consent.scope.clone_from(scope);
            consent.resources.clone_from(resources);
            consent.lasts = lasts;
        }
        consent.until = now + REMEMBERED;
        // The latest consent is the last; the first makes room.
        self.consents.retain(|it| it.client != client);
        if self.consents.len() >= MAX_CONSENTS {
            self.consents.remove(0);
        }
        self.consents.push(consent);
    }

    /// Whether what is asked for is within what was allowed.
    pub(crate) fn allows(
        &self,
        client: &str,
        bound_to: &str,
        scope: &Scope,
        resources: &Resources,
        lasts: bool,
        now: Timestamp,
    ) -> bool {
        self.consents.iter().any(|it| {
            it.client == client
                && it.bound_to == bound_to
                && it.until > now
                && scope.is_subset(&it.scope)
                && resources.is_subset(&it.resources)
                && (it.lasts || !lasts)
        })
    }

    /// What is allowed.
    pub(crate) fn consents(&self, now: Timestamp) -> impl Iterator<Item = &Consent> {
        self.consents.iter().filter(move |it| it.until > now)
    }

    /// Withdraws what a client was allowed. `false` if there was nothing.
    pub(crate) fn withdraw(&mut self, client: &str) -> bool {
        let before = self.consents.len();
        self.consents.retain(|it| it.client != client);
        self.consents.len() < before
    }
}

/// How long a consent is remembered.
const REMEMBERED: Duration = LONGEST;
/// How many clients' consents of one subject are remembered.
const MAX_CONSENTS: usize = 100;
