//! The one door to a client, and to where its users are sent.

pub(crate) mod registered;

use std::collections::HashMap;
use std::sync::Arc;

use crate::clients::registered::Registrar;
use crate::error::Reason;
use crate::model::GrantType;
use crate::model::ceiling::{Ceiling, Ceilings, Unlisted};
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationRequest;
use crate::model::redirect_uri::Destination;

/// The clients of a service.
pub(crate) struct Clients {
    listed: HashMap<String, Arc<RegisteredClient>>,
    /// Further web origins whose pages may call the server.
    origins: Vec<String>,
    /// The most that those may be given which are not listed, by how they came.
    unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
    registrar: Option<Registrar>,
    /// The kinds of those that are not listed.
    possible: Vec<RegisteredClient>,
}

impl Clients {
    pub(crate) fn new(
        listed: HashMap<String, Arc<RegisteredClient>>,
        origins: Vec<String>,
        unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
    ) -> Self {
        Clients { listed, origins, unlisted, registrar: None, possible: Vec::new() }
    }

    /// With what registers clients.
    pub(crate) fn registering(mut self, registrar: Registrar) -> Self {
        self.possible.extend(registrar.possible());
        Clients { registrar: Some(registrar), ..self }
    }

    /// What registers clients, where they may register themselves.
    pub(crate) fn registrar(&self) -> Option<&Registrar> {
        self.registrar.as_ref()
    }

    /// The client with this id, if there is one.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<RegisteredClient>>, Reason> {
        if let Some(listed) = self.listed.get(id) {
            return Ok(Some(Arc::clone(listed)));
        }
        match &self.registrar {
            Some(registrar) => Ok(registrar.find(id).await?.map(Arc::new)),
            None => Ok(None),
        }
    }

    /// The client of an authorization request, and where its answer goes. Either can have lost its registration since the
    /// request was found good.
    pub(crate) async fn of(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<(Arc<RegisteredClient>, Destination), Reason> {
        let client = self.find(&request.client_id).await?.ok_or(Reason::UnknownClient)?;
        let destination = match &request.device {
            Some(_) if client.may_use(GrantType::DeviceCode) => Destination::own_page(&request.redirect_uri),
            Some(_) => return Err(Reason::GrantNotForClient),
            None => client.destination(&request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?,
        };
        Ok((client, destination))
    }

    /// What each client may have, for tokens that come back.
    pub(crate) fn ceilings(&self) -> Ceilings {
        let listed = self.listed.iter().map(|(id, client)| (id.clone(), Arc::clone(&client.ceiling)));
        Ceilings::of(listed, self.unlisted.clone())
    }

    /// What clients that are not listed may have, where a resource is open to them.
    pub(crate) fn open_to(&self, resource: &str) -> Option<&Ceiling> {
        self.unlisted.iter().map(|(_, ceiling)| &**ceiling).find(|ceiling| ceiling.resources.has(resource))
    }

    /// The most that those may be given which come by this way; none where it is closed.
    pub(crate) fn open_by(&self, way: Unlisted) -> Option<Arc<Ceiling>> {
        self.unlisted.iter().find(|(known, _)| *known == way).map(|(_, ceiling)| Arc::clone(ceiling))
    }

    /// What users know the listed clients by.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.listed.values().map(|client| client.name.clone())
    }

    /// Whether any client has this property, or could have it: what the metadata may promise.
    pub(crate) fn any(&self, has: impl Fn(&RegisteredClient) -> bool) -> bool {
        self.listed.values().map(|client| &**client).chain(&self.possible).any(has)
    }

    /// The first that has this property, by its id.
    pub(crate) fn first(&self, has: impl Fn(&RegisteredClient) -> bool) -> Option<&RegisteredClient> {
        let with_it = self.listed.values().map(|client| &**client).filter(|client| has(client));
        with_it.min_by(|one, other| one.id.cmp(&other.id))
    }

    /// The ids of those that have this property, in order.
    #[cfg(feature = "testing")]
    pub(crate) fn ids(&self, has: impl Fn(&RegisteredClient) -> bool) -> Vec<&str> {
        let with_it = self.listed.values().filter(|client| has(client)).map(|client| client.id.as_str());
        let mut ids: Vec<&str> = with_it.collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a page of this web origin belongs to a client, for CORS.
    pub(crate) fn allow_origin(&self, origin: &str) -> bool {
        // Nothing is sent along by a browser that these URLs read, so a page of any origin is as any program.
        !self.unlisted.is_empty()
            || self.origins.iter().any(|listed| listed == origin)
            || self.listed.values().any(|client| client.redirect_uris.iter().any(|uri| uri.allows_origin(origin)))
    }
}
