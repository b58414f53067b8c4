//! From what the author wrote to a service: each part is parsed once, and a mistake in it is an error that says what to
//! write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::builder::back_channel::telling_of_ends;
use crate::builder::clients::{clients, default_scope, origins, releases, scopes};
use crate::builder::error::BuildError;
use crate::builder::paths::{paths, tell_of_unusual};
use crate::builder::typing::known_claims;
use crate::builder::unlisted::tell_of_unopened;
use crate::builder::whole::Whole;
use crate::builder::{Builder, Settings};
use crate::clients::Clients;
use crate::event::teller::Events;
use crate::guard::protection::OwnTokens;
use crate::guard::refusal;
use crate::keys::sealed::Opener;
use crate::keys::{DerivedKeys, Expected, KeyRing};
use crate::limit::Limits;
use crate::meter;
use crate::model::GrantType;
use crate::model::ceiling::{Ceilings, Unlisted};
use crate::model::claims::{OFFLINE_ACCESS, OPENID};
use crate::model::client::RegisteredClient;
use crate::model::hierarchy::Hierarchy;
use crate::model::issuer::Issuer;
use crate::model::jwk::{Algorithm, SignatureAlgorithm};
use crate::model::resource::{Resource, is_resource};
use crate::model::secret::Secrets;
use crate::seal::{Sealer, derive};
use crate::server::described::Described;
use crate::server::paths::{Has, Paths};
use crate::server::shown::Shown;
use crate::server::{Configuration, OAuthService, SignInBy, Users};
use crate::standing::Ledger;
use crate::store::MemoryStore;

/// # The service
impl<S> Builder<S> {
    /// Checks the configuration and makes the service.
    ///
    /// # Errors
    /// The first mistake, and what to write instead.
    pub fn build(self) -> Result<OAuthService, BuildError> {
        self.settings.build()
    }
}

impl Settings {
    fn build(mut self) -> Result<OAuthService, BuildError> {
        let issuer = self.parsed_issuer()?;
        let secrets = self.checked_secrets(&issuer)?;
        let audience = self.checked_audience(&issuer)?;
        self.check_lifetimes()?;
        let scope_order = self.scopes.iter().map(|(scope, _)| scope.clone()).collect();
        let scopes = scopes(std::mem::take(&mut self.scopes))?;
        let default_scope = default_scope(self.default_scope.take(), &scopes)?;
        let (users, claims_type) = self.users(scopes.contains_key(OFFLINE_ACCESS))?;
        self.check_claims(&scopes, claims_type)?;
        let releases = releases(std::mem::take(&mut self.releases), &scopes)?;
        let whole = self.whole(&scopes, &audience, &issuer, users.sessions.is_some());
        let clients = self.all_clients(&whole, &issuer, users.sessions.is_some())?;

        let served = self.served(&issuer, &audience)?;
        let clients = self.documented(clients, &issuer, &served)?;
        let resource = refusal::Resource::new(&audience, &issuer);
        let openid = scopes.contains_key(OPENID);
        // OpenID Connect Core §2 and RFC 9068 §4: a client verifies its ID token, another server its access tokens
        let is_served = |named: &String| served.iter().any(|resource| resource.identifier == *named);
        let others_verify = openid || self.resources.iter().any(|named| *named != audience && !is_served(named));
        let has = Has {
            logo: self.look.logo.is_some(),
            devices: clients.any(|client| client.may_use(GrantType::DeviceCode)),
            confidential_clients: clients.any(|client| client.credentials.is_some())
                || self.openings.ways.contains(&Unlisted::Registered),
            public_keys: self.keys.is_some() || others_verify,
            openid,
            sessions: users.sessions.is_some(),
            account: self.account_page,
            resource: resource.is_some() || !served.is_empty(),
            registrar: self.openings.ways.contains(&Unlisted::Registered),
        };
        let described = Described::new(resource.as_ref(), &served, self.openings.served.first());
        let paths = paths(&issuer, &described, &self.paths, &has)?;
        tell_of_unusual(&paths, &self.openings.served);
        tell_of_unopened(clients.unopened());
        self.check_addresses(&issuer, &paths, &users)?;
        meter::describe();
        let sealer = Arc::new(Sealer::new(&secrets, issuer.as_str()).ok_or(BuildError::Cryptography)?);
        let opener = Opener::new(&sealer);
        let (tokens, limits) =
            self.own_tokens(&issuer, &secrets, opener, clients.ceilings(), (others_verify, self.hierarchy(&scopes)?))?;
        self.check_algorithms(&clients, &tokens.keys)?;
        let tokens = Arc::new(tokens);
        let clients = self.registering(clients, &secrets, &issuer, &tokens)?;
        let proofs = self.rules_of_proofs(&clients, &secrets, &issuer, &audience)?;
        let clients = self.telling(clients, whole, &tokens.keys, proofs.is_some());
        let guards = self.guards((&issuer, &audience), &tokens, &paths, (resource.as_ref(), &served), proofs.as_ref());
        Ok(telling_of_ends(OAuthService::new(Configuration {
            shown: Shown::new(Expected::own(issuer.as_str(), &audience), self.token_cache),
            userinfo: guards.userinfo,
            protection: guards.own,
            described,
            tokens,
            sealer,
            limits,
            clients,
            known_claims: known_claims(self.typing, claims_type, &scopes),
            scopes,
            scope_order,
            default_scope,
            narrow_scopes: self.narrow_scopes.take(),
            releases,
            own_resources: self.own_resources.iter().map(String::as_str).collect(),
            served: served.iter().map(|resource| resource.identifier.as_str()).collect(),
            acr_values: self.checked_acr_values()?,
            assertion_algorithms: self.assertion_algorithms.iter().map(|algorithm| algorithm.jose()).collect(),
            requires_pushed_requests: self.requires_pushed_requests,
            users,
            access_token_lifetime: self.access_token_lifetime,
            code_lifetime: self.code_lifetime,
            client_address: std::mem::take(&mut self.client_address),
            appearance: self.appearance(&issuer, &paths)?,
            issuer,
            paths,
        }))?)
    }

    /// The clients that are listed, and what other clients may come.
    fn all_clients(&mut self, whole: &Whole, issuer: &Issuer, has_sessions: bool) -> Result<Clients, BuildError> {
        let unopened = self.unopened(whole)?;
        let listed = clients(std::mem::take(&mut self.clients), whole)?;
        let unlisted = self.unlisted(whole, listed.is_empty(), has_sessions)?;
        let origins = origins(std::mem::take(&mut self.origins))?;
        let clients = Clients::new(listed, origins, unlisted, self.tellable(whole), self.known_as(issuer));
        Ok(clients.without_scopes(unopened))
    }

    /// The addresses on the pages, and that of the sign-in page.
    fn check_addresses(&self, issuer: &Issuer, paths: &Paths, users: &Users) -> Result<(), BuildError> {
        if self.account_page && users.sessions.is_none() {
            return Err(BuildError::AccountWithoutSessions);
        }
        if let SignInBy::PageAt(path) = &users.sign_in
            && paths.registered().any(|own| own.path == *path)
        {
            return Err(BuildError::SignInAtOwnPath { path: path.clone() });
        }
        if issuer.is_https() && !self.client_address.is_said() {
            return Err(BuildError::NoClientAddress);
        }
        Ok(())
    }

    /// The algorithms by which clients sign, and by which ID tokens are signed for them.
    fn check_algorithms(&self, clients: &Clients, keys: &KeyRing) -> Result<(), BuildError> {
        let signed = keys.algorithms();
        let misfit = |client: &RegisteredClient| check_algorithms(client, &self.assertion_algorithms, &signed);
        clients.first(|client| misfit(client).is_err()).map_or(Ok(()), misfit)
    }

    /// All that the service has, of which each client may be given a part.
    fn whole(&self, scopes: &BTreeMap<String, String>, audience: &str, issuer: &Issuer, has_sessions: bool) -> Whole {
        Whole {
            scopes: scopes.clone(),
            audience: audience.to_owned(),
            resources: self.resources.clone(),
            userinfo: issuer.userinfo().to_owned(),
            seals_all: self.seals_claims,
            is_local: !issuer.is_https(), // plain http is for loopback alone
            has_sessions,
        }
    }

    fn checked_acr_values(&mut self) -> Result<Vec<String>, BuildError> {
        let values = std::mem::take(&mut self.acr_values);
        match values.iter().find(|value| value.is_empty() || value.contains(' ')) {
            Some(value) => Err(BuildError::AcrValue { value: value.clone() }),
            None => Ok(values),
        }
    }

    fn parsed_issuer(&mut self) -> Result<Issuer, BuildError> {
        let issuer = self.issuer.take().ok_or(BuildError::NoIssuer)?;
        issuer.parse().map_err(|why| BuildError::Issuer { issuer, why })
    }

    fn checked_audience(&mut self, issuer: &Issuer) -> Result<String, BuildError> {
        let audience = self.audience.take().unwrap_or_else(|| issuer.as_str().to_owned());
        if audience.is_empty() {
            return Err(BuildError::EmptyAudience);
        }
        if let Some(resource) = self.resources.iter().find(|resource| !is_resource(resource)) {
            return Err(BuildError::Resource { resource: resource.clone() });
        }
        let userinfo = Resource::from(issuer.userinfo());
        let mut known: BTreeSet<Resource> = BTreeSet::new();
        for resource in self.resources.iter().chain([&audience]).map(|named| Resource::from(named.as_str())) {
            if resource == userinfo {
                return Err(BuildError::UserInfoAudience { audience: resource.into() });
            }
            if let Some(other) = known.get(&resource).filter(|other| other.as_str() != resource.as_str()) {
                return Err(BuildError::ResourceTwice { resource: resource.into(), other: other.as_str().to_owned() });
            }
            known.insert(resource);
        }
        Ok(audience)
    }

    fn own_tokens(
        &mut self,
        issuer: &Issuer,
        secrets: &Secrets,
        opener: Opener,
        ceilings: Ceilings,
        (others_verify, hierarchy): (bool, Hierarchy),
    ) -> Result<(OwnTokens, Limits), BuildError> {
        let clock = self.clock.clone();
        let keys = match self.keys.take() {
            Some(keys) => {
                keys.set_clock(clock.clone());
                Some(KeyRing::Own(keys))
            }
            None => DerivedKeys::new(secrets, issuer.as_str(), others_verify, clock.clone()).map(KeyRing::Derived),
        };
        let events = Events::new(clock.clone(), std::mem::take(&mut self.listeners));
        let events = Arc::new(events.map_err(|_| BuildError::EventThread)?);
        let store = self.store.take().unwrap_or_else(|| {
            if issuer.is_https() {
                tracing::warn!(
                    target: "oauth",
                    "what is spent and revoked is kept in the memory of this process: a restart signs every user out, and a \
                     second process would not know of it; to change that, add .store(..)"
                );
            }
            Arc::new(MemoryStore::with(MemoryStore::DEFAULT_CAPACITY, clock.clone()))
        });
        let counters = secrets.iter().next().and_then(|secret| derive(secret, b"counters"));
        let counters = counters.ok_or(BuildError::Cryptography)?;
        let ledger = Ledger::new(store, clock.clone(), self.patience, Arc::clone(&events));
        let limits = Limits::new(ledger.shared_store(), &counters, self.authenticate_timeout);
        Ok((
            OwnTokens {
                keys: keys.ok_or(BuildError::Cryptography)?,
                opener,
                ceilings,
                hierarchy,
                ledger,
                clock,
                events,
            },
            limits,
        ))
    }
}

/// The algorithms by which a client signs, and by which its ID tokens are signed.
pub(super) fn check_algorithms(
    client: &RegisteredClient,
    assertions: &[SignatureAlgorithm],
    signed: &[Algorithm],
) -> Result<(), BuildError> {
    let mut keys = client.credentials.iter().flat_map(|credentials| &credentials.keys);
    if keys.any(|key| assertions.iter().all(|allowed| allowed.jose() != key.algorithm)) {
        return Err(BuildError::AssertionAlgorithm { client: client.id.clone() });
    }
    if client.id_token_algorithm.is_some_and(|it| !signed.contains(&it)) {
        return Err(BuildError::IdTokenAlgorithm { client: client.id.clone() });
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
