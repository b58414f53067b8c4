//! The tokens that guards accept: for the service's own audience, and each resource of this `App`.

use std::sync::Arc;

use crate::builder::Settings;
use crate::builder::proofs::proofs;
use crate::guard::cache::TokenCache;
use crate::guard::forged::Forged;
use crate::guard::own::OwnUrls;
use crate::guard::proofs::{Proofs, Rules};
use crate::guard::protection::{Below, OwnTokens, Protection, Tokens};
use crate::guard::refusal::{Prepared, RefusalForm, Resource};
use crate::keys::Expected;
use crate::model::issuer::Issuer;
use crate::server::address::ClientAddress;
use crate::server::paths::Paths;

pub(super) struct Guards {
    pub(super) own: Arc<Protection>,
    pub(super) userinfo: Arc<Protection>,
}

impl Settings {
    /// `described` is the service's own audience, if it is a URL here, and the resources of this `App`.
    pub(super) fn guards(
        &mut self,
        (issuer, audience): (&Issuer, &str),
        tokens: &Arc<OwnTokens>,
        paths: &Paths,
        (own, served): (Option<&Resource>, &[Resource]),
        rules: Option<&Arc<Rules>>,
    ) -> Guards {
        let own_urls = Arc::new(OwnUrls::new(paths.registered().map(|placed| placed.path.clone())));
        let body = self.refusal_body.take();
        let refusals = |resource: Option<&Resource>, proofs: Option<&Arc<Proofs>>| RefusalForm {
            realm: issuer.as_str().to_owned(),
            resource: resource.cloned(),
            proofs: proofs.cloned(),
            body: body.clone(),
            explains: self.explains_refusals,
            issues: true,
            prepared: Prepared::default(),
        };
        let address = self.client_address.clone();
        let forged = Arc::new(match &address {
            ClientAddress::Unsaid => Forged::by_peers(),
            ClientAddress::Peer | ClientAddress::Read(_) => Forged::new(move |request| address.of(request)),
        });
        let guards = |expected: Expected, cache, resource: Option<&Resource>, below| {
            let proofs = rules.map(|rules| proofs(rules, issuer, &expected.audience, resource));
            Arc::new(Protection {
                expected,
                tokens: Tokens::Own(Arc::clone(tokens)),
                token_cache: TokenCache::new(cache),
                forged: Arc::clone(&forged),
                own_urls: Arc::clone(&own_urls),
                refusals: Arc::new(refusals(resource, proofs.as_ref())),
                proofs,
                below,
            })
        };
        let below = |resource: &Resource| {
            let expected = Expected::own(issuer.as_str(), &resource.identifier);
            (resource.handlers.clone(), guards(expected, self.token_cache, Some(resource), Below::default()))
        };
        // No token has an audience of this name: no text of the author's has a NUL in it.
        let of_none = || guards(Expected::own(issuer.as_str(), "\0"), 0, None, Below::default());
        let unclear = (!served.is_empty()).then(of_none);
        let below = Below { resources: served.iter().map(below).collect(), unclear };
        let expected = Expected::own(issuer.as_str(), audience);
        let of_userinfo = expected.clone().or([issuer.userinfo().to_owned()]);
        Guards {
            own: guards(expected, self.token_cache, own, below),
            userinfo: guards(of_userinfo, self.token_cache.min(CACHE_OF_USERINFO), own, Below::default()),
        }
    }
}

/// Clients call it only now and then, guards all the time.
const CACHE_OF_USERINFO: usize = 1 << 20;
