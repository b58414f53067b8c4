//! What a client is given of what it asks for: one rule for codes, tokens and the pages.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value};

use crate::error::Reason;
use crate::model::Scope;
use crate::model::ceiling::{BeyondCeiling, Wanted};
use crate::model::client::RegisteredClient;
use crate::model::resource::Resources;
use crate::server::Server;
use crate::users::granting::Granting;

/// In whose name a client asks.
#[derive(Clone, Copy)]
pub(crate) enum InTheNameOf<'a> {
    /// With the current claims.
    User {
        subject: &'a str,
        claims: &'a Map<String, Value>,
    },
    Itself,
}

/// What a client is given. It is made only here, so everything that is issued followed this rule.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    scope: Scope,
    resources: Resources,
    lasts: bool,
}

impl Granted {
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Whether it gets refresh tokens.
    pub(crate) fn lasts(&self) -> bool {
        self.lasts
    }

    /// The same, without refresh tokens if none were offered.
    pub(crate) fn within_offer(self, without_refresh: bool) -> Self {
        Granted { lasts: self.lasts && !without_refresh, ..self }
    }
}

impl Server {
    /// What a client is given of what it asks for: within its current ceiling, and what this user may grant.
    pub(crate) fn grant(
        &self,
        client: &RegisteredClient,
        scope: &Scope,
        resources: Wanted<'_>,
        name: InTheNameOf<'_>,
    ) -> Result<Granted, Reason> {
        let userinfo = self.issuer().userinfo();
        let (within, least, may_last) = match name {
            InTheNameOf::User { subject, claims } => {
                let asked = self.offered(client, scope);
                let granting = Granting {
                    client_id: &client.id,
                    subject,
                    asked: &asked,
                    claims,
                    known: &self.configured.known_claims,
                };
                (self.narrowed(&granting)?, Some(userinfo), true)
            }
            // RFC 6749 §4.4.3 and §5.2: no user narrows it, so asking for more than its own is the client's mistake
            InTheNameOf::Itself if !scope.is_subset(&client.ceiling.of_its_own) => {
                return Err(Reason::ScopeBeyondClient);
            }
            // OpenID Connect Core §5.3: there is no user to ask about
            InTheNameOf::Itself => (scope.clone(), None, false),
        };
        // RFC 6749 §3.3: the answer says if it is less than was asked for; nothing at all is an error
        if within.is_empty() && !scope.is_empty() {
            return Err(Reason::ScopeNotForClient);
        }
        let resources = client.ceiling.resources(resources, self.audience(), least);
        let resources = resources.map_err(|BeyondCeiling| Reason::TargetNotForClient)?;
        Ok(Granted { lasts: may_last && self.lasts(client, &within), scope: within, resources })
    }

    /// Whether a client that is granted this scope gets refresh tokens.
    pub(crate) fn lasts(&self, client: &RegisteredClient, scope: &Scope) -> bool {
        self.refreshing().is_some_and(|refreshing| refreshing.is_for(client, scope))
    }

    /// What the pages may say that a client asks for, before the user is known.
    pub(crate) fn offered(&self, client: &RegisteredClient, scope: &Scope) -> Scope {
        scope.within(&client.ceiling.of_users)
    }

    /// Whether a token for these is for a server of the author that cannot open what is sealed. Then the others are the
    /// author's own as well, or they would not share a token.
    pub(crate) fn is_for_own_resource(&self, resources: &Resources) -> bool {
        resources.iter().any(|resource| self.configured.own_resources.has(resource))
    }

    /// Whether one token may be for all of these: if one of them is not the author's own, it could use the token at the
    /// others.
    pub(crate) fn may_share_a_token(&self, resources: &Resources) -> bool {
        let userinfo = self.issuer().userinfo();
        let is_own = |resource: &str| {
            let is_here = resource == self.audience() || resource == userinfo || self.configured.served.has(resource);
            is_here || self.configured.own_resources.has(resource)
        };
        resources.iter().count() < 2 || resources.iter().all(is_own)
    }

    /// Whether the handlers of this resource are in this `App`.
    #[cfg(feature = "doctor")]
    pub(crate) fn serves(&self, resource: &str) -> bool {
        self.configured.served.has(resource)
    }

    /// Whether a token for any of these must be bound to a key.
    pub(crate) fn needs_proof(&self, resources: &Resources) -> bool {
        let Some(proofs) = &self.protection().proofs else { return false };
        let required = &proofs.rules.required;
        let userinfo = self.issuer().userinfo();
        // `/userinfo` needs what the service's own audience needs.
        let needs = |resource: &str| required.has(resource) || (proofs.is_required && resource == userinfo);
        if resources.is_empty() { proofs.is_required } else { resources.iter().any(needs) }
    }

    fn narrowed(&self, granting: &Granting<'_>) -> Result<Scope, Reason> {
        let Some(narrow) = &self.configured.narrow_scopes else { return Ok(granting.asked.clone()) };
        let kept = || granting.asked.iter().filter(|scope| narrow(granting, scope)).collect::<Vec<_>>();
        let kept = catch_unwind(AssertUnwindSafe(kept)).map_err(|_| {
            tracing::error!(target: "oauth", client = granting.client_id, "narrow_scopes panicked: nothing is granted");
            Reason::Internal
        })?;
        let mut scope = Scope::default();
        scope.extend(kept);
        Ok(scope)
    }
}
