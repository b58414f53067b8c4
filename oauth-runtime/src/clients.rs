//! The only way to find a client, and where its users are sent.

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
    /// The most that clients that are not listed may be given, by how they came.
    unlisted: Vec<(Unlisted, Arc<Ceiling>)>,
    /// Scopes that guards ask for, and that the author neither opened to unlisted clients nor withheld.
    unopened: Vec<&'static str>,
    registrar: Option<Registrar>,
    /// The kinds of clients that are not listed.
    possible: Vec<RegisteredClient>,
    documents: Option<Documents>,
    /// The most that clients of the author's function may have, if there is one.
    tellable: Option<Arc<Ceiling>>,
    told: Option<Told>,
    /// Takes the place of a client when users sign in for a page of the application itself.
    pages: Arc<RegisteredClient>,
}

/// How clients authenticate, both existing and possible ones.
pub(crate) struct Proofs {
    pub(crate) none: bool,
    pub(crate) secrets: bool,
    pub(crate) keys: bool,
}

impl Clients {
    /// `name` is the service's name for users.
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

    /// Adds the scopes that guards ask for and that no unlisted client gets.
    pub(crate) fn without_scopes(self, unopened: Vec<&'static str>) -> Self {
        Clients { unopened, ..self }
    }

    /// Scopes that guards ask for and that unlisted clients cannot get, since `open_scopes` was not called.
    pub(crate) fn unopened(&self) -> &[&'static str] {
        &self.unopened
    }

    /// Adds what registers clients.
    pub(crate) fn registering(mut self, registrar: Registrar) -> Self {
        self.possible.extend(registrar.possible());
        Clients { registrar: Some(registrar), ..self }
    }

    /// What registers clients, if they may register themselves.
    pub(crate) fn registrar(&self) -> Option<&Registrar> {
        self.registrar.as_ref()
    }

    /// Adds what knows the clients that have documents.
    #[cfg(feature = "mcp")]
    pub(crate) fn documented(self, documents: Documents) -> Self {
        Clients { documents: Some(documents), ..self }
    }

    /// Adds the clients that the author's function knows.
    pub(crate) fn telling(self, told: Told) -> Self {
        Clients { told: Some(told), ..self }
    }

    /// The clients of the author's function, if there is one.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// The client with this id, if the author listed it.
    pub(crate) fn listed(&self, id: &str) -> Option<&RegisteredClient> {
        self.listed.get(id).map(|client| &**client)
    }

    /// The client with this id, if it is known. Nothing is fetched.
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

    /// The client that asks for a user. If its document is not known, it is taken at its own word until it is
    /// [known](Clients::known).
    pub(crate) async fn asking(&self, id: &str, redirect_uri: Option<&str>) -> Result<Arc<RegisteredClient>, Reason> {
        match self.documents_of(id) {
            Some(documents) => documents.asking(id, redirect_uri),
            None => self.find(id).await?.ok_or(Reason::UnknownClient),
        }
    }

    /// The client that asks, now that its user is known.
    pub(crate) async fn known(
        &self,
        client: Arc<RegisteredClient>,
        subject: &str,
    ) -> Result<Arc<RegisteredClient>, Reason> {
        match self.documents_of(&client.client_id).filter(|_| client.is_provisional) {
            Some(documents) => documents.fetched(&client.client_id, subject).await,
            None => Ok(client),
        }
    }

    /// The client that holds something of this user, according to what it presents.
    pub(crate) async fn holding(&self, id: &str, subject: &str) -> Result<Option<Arc<RegisteredClient>>, Reason> {
        match self.documents_of(id) {
            Some(documents) => documents.fetched_or_held(id, subject).await.map(Some),
            None => self.find(id).await,
        }
    }

    /// Whether a document can be fetched for this id.
    pub(crate) fn may_fetch(&self, id: &str) -> bool {
        self.documents_of(id).is_some()
    }

    /// The documents, if an id that the author did not list is the URL of one.
    fn documents_of(&self, id: &str) -> Option<&Documents> {
        let is_listed = || self.listed.contains_key(id);
        self.documents.as_ref().filter(|_| Unlisted::of(id) == Some(Unlisted::Document) && !is_listed())
    }

    /// Whether a user's subject would look like a client, which it must not (RFC 9700 §4.15.1).
    pub(crate) async fn has_named(&self, subject: &str) -> Result<bool, Reason> {
        let is_known = self.listed.contains_key(subject) || (self.registrar.is_some() && is_reserved(subject));
        match &self.told {
            Some(told) if !is_known => told.has_named(subject).await,
            Some(_) | None => Ok(is_known),
        }
    }

    /// The client of an authorization request, and where its answer goes. Either may have lost its registration since
    /// the request was validated.
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

    /// What each client may have, to check tokens that come back.
    pub(crate) fn ceilings(&self) -> Ceilings {
        let listed = self.listed.iter().map(|(id, client)| (id.clone(), Arc::clone(&client.ceiling)));
        Ceilings::of(listed, self.unlisted.clone(), self.tellable.clone())
    }

    /// What clients that are not listed may have, if a resource is open to them.
    pub(crate) fn open_to(&self, resource: &str) -> Option<&Ceiling> {
        self.unlisted.iter().map(|(_, ceiling)| &**ceiling).find(|ceiling| ceiling.resources.has(resource))
    }

    /// The most that clients that come in this way may be given; `None` if it is closed.
    pub(crate) fn open_by(&self, way: Unlisted) -> Option<Arc<Ceiling>> {
        self.unlisted.iter().find(|(known, _)| *known == way).map(|(_, ceiling)| Arc::clone(ceiling))
    }

    /// The names of the listed clients for users.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.listed.values().map(|client| client.name.clone())
    }

    /// How they authenticate, for the metadata.
    pub(crate) fn proofs(&self) -> Proofs {
        let has_document = self.documents.is_some();
        let proven = |has: fn(&Credentials) -> bool| self.any(|client| client.credentials.as_ref().is_some_and(has));
        Proofs {
            none: has_document || self.any(|client| client.credentials.is_none()),
            secrets: proven(|credentials| !credentials.secrets.is_empty()),
            keys: has_document || proven(|credentials| !credentials.keys.is_empty()),
        }
    }

    /// Whether there may be clients whose id is the URL of a document.
    pub(crate) fn may_have_documents(&self) -> bool {
        self.documents.is_some()
    }

    /// Whether any client may use this grant.
    pub(crate) fn any_may_use(&self, grant: GrantType) -> bool {
        self.any(|client| client.may_use(grant)) || self.unlisted.iter().any(|(_, open)| open.grants.contains(&grant))
    }

    /// Whether any client has this property, or could have it, for the metadata.
    pub(crate) fn any(&self, has: impl Fn(&RegisteredClient) -> bool) -> bool {
        // Clients that a function knows may have any property.
        self.tellable.is_some() || self.listed.values().map(|client| &**client).chain(&self.possible).any(has)
    }

    /// The first client with this property, by its id.
    pub(crate) fn first(&self, has: impl Fn(&RegisteredClient) -> bool) -> Option<&RegisteredClient> {
        let with_it = self.listed.values().map(|client| &**client).filter(|client| has(client));
        with_it.min_by(|one, other| one.id.cmp(&other.id))
    }

    /// The ids of the clients with this property, in order.
    #[cfg(feature = "testing")]
    pub(crate) fn ids(&self, has: impl Fn(&RegisteredClient) -> bool) -> Vec<&str> {
        let with_it = self.listed.values().filter(|client| has(client)).map(|client| client.id.as_str());
        let mut ids: Vec<&str> = with_it.collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a page of this web origin belongs to a client, for CORS.
    pub(crate) fn allow_origin(&self, origin: &str) -> bool {
        // These URLs read nothing that a browser sends by itself, so a page of any origin is like any other program.
        !self.unlisted.is_empty()
            || self.tellable.is_some()
            || self.origins.iter().any(|listed| listed == origin)
            || self.listed.values().any(|client| client.redirect_uris.iter().any(|uri| uri.allows_origin(origin)))
    }
}
