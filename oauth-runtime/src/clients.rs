//! The one door to a client, and to where its users are sent.

#[cfg(feature = "mcp")]
pub(crate) mod documents;
#[cfg(not(feature = "mcp"))]
#[path = "clients/undocumented.rs"]
mod documents;
pub(crate) mod registered;
pub(crate) mod told;

use std::collections::HashMap;
use std::sync::Arc;

use crate::clients::documents::Documents;
use crate::clients::registered::{Registrar, is_reserved};
use crate::clients::told::Told;
use crate::error::Reason;
use crate::model::GrantType;
use crate::model::ceiling::{Ceiling, Ceilings, Unlisted};
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationRequest;
use crate::model::credentials::Credentials;
use crate::model::redirect_uri::Destination;

/// The clients of a service.
pub(crate) struct Clients {
    listed: HashMap<String, Arc<RegisteredClient>>,
    /// Further web origins whose pages may call the server.
    origins: Vec<String>,
    /// The most that those may be given which are not listed, by how they came.
    unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
    /// Scopes that guards ask for, and of which the author said nothing that is about those.
    unopened: Vec<&'static str>,
    registrar: Option<Registrar>,
    /// The kinds of those that are not listed.
    possible: Vec<RegisteredClient>,
    documents: Option<Documents>,
    /// The most that those may have which a function of the author's knows, where there is one.
    tellable: Option<Arc<Ceiling>>,
    told: Option<Told>,
    /// Those who sign in to a page of the application itself do so for no client: what is in its place.
    pages: Arc<RegisteredClient>,
}

/// How clients show who they are, of those that there are or may come.
pub(crate) struct Proofs {
    pub(crate) none: bool,
    pub(crate) secrets: bool,
    pub(crate) keys: bool,
}

impl Clients {
    /// `name` is what users know the service by.
    pub(crate) fn new(
        listed: HashMap<String, Arc<RegisteredClient>>,
        origins: Vec<String>,
        unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
        tellable: Option<Arc<Ceiling>>,
        name: String,
    ) -> Self {
        Clients {
            listed,
            origins,
            unlisted,
            unopened: Vec::new(),
            registrar: None,
            possible: Vec::new(),
            documents: None,
            tellable,
            told: None,
            pages: Arc::new(RegisteredClient::pages(name)),
        }
    }

    /// With the scopes that guards ask for and that none gets who is not listed.
    pub(crate) fn without_scopes(self, unopened: Vec<&'static str>) -> Self {
        Clients { unopened, ..self }
    }

    /// Scopes that guards ask for and that those who are not listed cannot get, since nothing was said of it.
    pub(crate) fn unopened(&self) -> &[&'static str] {
        &self.unopened
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

    /// With what knows the clients that have documents.
    #[cfg(feature = "mcp")]
    pub(crate) fn documented(self, documents: Documents) -> Self {
        Clients { documents: Some(documents), ..self }
    }

    /// With those that a function of the author's knows.
    pub(crate) fn telling(self, told: Told) -> Self {
        Clients { told: Some(told), ..self }
    }

    /// What a function of the author's knows, if there is one.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// The client with this id, if there is one that is known. Nothing is fetched.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<RegisteredClient>>, Reason> {
        if let Some(listed) = self.listed.get(id) {
            return Ok(Some(Arc::clone(listed)));
        }
        if let Some(registrar) = &self.registrar
            && let Some(client) = registrar.find(id).await?
        {
            return Ok(Some(Arc::new(client)));
        }
        if let Some(held) = self.documents_of(id).and_then(|documents| documents.held(id)) {
            return Ok(Some(held));
        }
        match &self.told {
            Some(told) => told.find(id).await,
            None => Ok(None),
        }
    }

    /// The client that asks for a user. Of one whose document is not known that is what it says itself, until it is
    /// [known](Clients::known).
    pub(crate) async fn asking(&self, id: &str, redirect_uri: Option<&str>) -> Result<Arc<RegisteredClient>, Reason> {
        match self.documents_of(id) {
            Some(documents) => documents.asking(id, redirect_uri),
            None => self.find(id).await?.ok_or(Reason::UnknownClient),
        }
    }

    /// The client that asks, now that it is known who its user is.
    pub(crate) async fn known(&self, client: Arc<RegisteredClient>) -> Result<Arc<RegisteredClient>, Reason> {
        match self.documents_of(&client.client_id).filter(|_| client.is_provisional) {
            Some(documents) => documents.fetched(&client.client_id).await,
            None => Ok(client),
        }
    }

    /// The client that holds something of a user's, as what it presents says.
    pub(crate) async fn holding(&self, id: &str) -> Result<Option<Arc<RegisteredClient>>, Reason> {
        match self.documents_of(id) {
            Some(documents) => documents.fetched_or_held(id).await.map(Some),
            None => self.find(id).await,
        }
    }

    /// Whether an id is one that a document can be fetched for.
    pub(crate) fn may_fetch(&self, id: &str) -> bool {
        self.documents_of(id).is_some()
    }

    /// Where an id that the author did not list is the URL of a document.
    fn documents_of(&self, id: &str) -> Option<&Documents> {
        let is_listed = || self.listed.contains_key(id);
        self.documents.as_ref().filter(|_| Unlisted::of(id) == Some(Unlisted::Document) && !is_listed())
    }

    /// Whether a user's subject would read as a client (RFC 9700 §4.15.1): a token of a user must not.
    pub(crate) async fn has_named(&self, subject: &str) -> Result<bool, Reason> {
        let is_known = self.listed.contains_key(subject) || (self.registrar.is_some() && is_reserved(subject));
        match &self.told {
            Some(told) if !is_known => Ok(told.find(subject).await?.is_some()),
            Some(_) | None => Ok(is_known),
        }
    }

    /// The client of an authorization request, and where its answer goes. Either can have lost its registration since the
    /// request was found good.
    pub(crate) async fn of(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<(Arc<RegisteredClient>, Destination), Reason> {
        if request.page.is_some() {
            let destination = Destination { is_told: false, ..Destination::own_page(&request.redirect_uri) };
            return Ok((Arc::clone(&self.pages), destination));
        }
        let client = self.asking(&request.client_id, Some(&request.redirect_uri)).await?;
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
        Ceilings::of(listed, self.unlisted.clone(), self.tellable.clone())
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

    /// How they show who they are: what the metadata may promise.
    pub(crate) fn proofs(&self) -> Proofs {
        let has_document = self.documents.is_some();
        let proven = |has: fn(&Credentials) -> bool| self.any(|client| client.credentials.as_ref().is_some_and(has));
        Proofs {
            none: has_document || self.any(|client| client.credentials.is_none()),
            secrets: proven(|credentials| !credentials.secrets.is_empty()),
            keys: has_document || proven(|credentials| !credentials.keys.is_empty()),
        }
    }

    /// Whether clients may come whose id is the URL of a document.
    pub(crate) fn may_have_documents(&self) -> bool {
        self.documents.is_some()
    }

    /// Whether any may exchange this for a token.
    pub(crate) fn any_may_use(&self, grant: GrantType) -> bool {
        self.any(|client| client.may_use(grant)) || self.unlisted.iter().any(|(_, open)| open.grants.contains(&grant))
    }

    /// Whether any client has this property, or could have it: what the metadata may promise.
    pub(crate) fn any(&self, has: impl Fn(&RegisteredClient) -> bool) -> bool {
        // Of what a function knows, anything could be.
        self.tellable.is_some() || self.listed.values().map(|client| &**client).chain(&self.possible).any(has)
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
            || self.tellable.is_some()
            || self.origins.iter().any(|listed| listed == origin)
            || self.listed.values().any(|client| client.redirect_uris.iter().any(|uri| uri.allows_origin(origin)))
    }
}
