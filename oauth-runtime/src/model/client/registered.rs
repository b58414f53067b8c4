//! A client as the service knows it, however it came.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::model::ceiling::{Ceiling, Unlisted};
use crate::model::credentials::Credentials;
use crate::model::grant_type::GrantType;
use crate::model::jwk::Algorithm;
use crate::model::redirect_uri::{Destination, RedirectUri};
use crate::model::resource::Resources;
use crate::model::session::sid;

/// A client whose every part has been parsed.
#[derive(Debug)]
pub(crate) struct RegisteredClient {
    /// Its name in codes, tokens and facts.
    pub(crate) id: String,
    /// Its `client_id`: the same, unless that is too long for them.
    pub(crate) client_id: String,
    /// How it came; `None` if the author listed it.
    pub(crate) unlisted: Option<Unlisted>,
    pub(crate) name: String,
    /// Another name that it gives itself, which is not verified.
    pub(crate) calls_itself: Option<String>,
    /// Whether only its request is known: its document is fetched once its user is known.
    pub(crate) is_provisional: bool,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is notified that a session ended.
    pub(crate) logout_uri: Option<String>,
    pub(crate) is_third_party: bool,
    /// Whether it can read only what it was granted in its access tokens.
    pub(crate) seals: bool,
    pub(crate) has_claims_in_id_token: bool,
    /// Whether its requests may come without a challenge.
    pub(crate) may_omit_pkce: bool,
    /// Whether it must push them first.
    pub(crate) must_push: bool,
    /// Whether its tokens are all bound to a key (RFC 9449 §5.2).
    pub(crate) requires_proof: bool,
    /// `None`: that of the service's first key.
    pub(crate) id_token_algorithm: Option<Algorithm>,
    /// The resources that it answers for.
    pub(crate) serves: Resources,
    /// `None`: a public client.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) ceiling: Arc<Ceiling>,
    /// The claims of tokens in its own name.
    pub(crate) claims: Map<String, Value>,
}

impl RegisteredClient {
    /// A client that the author did not list: a third party with what is open to such clients, and none of the
    /// exceptions that an author can make for a known client.
    pub(crate) fn unlisted(
        how: Unlisted,
        id: String,
        name: String,
        redirect_uris: Vec<RedirectUri>,
        credentials: Option<Credentials>,
        ceiling: &Arc<Ceiling>,
    ) -> Self {
        RegisteredClient {
            unlisted: Some(how),
            redirect_uris,
            is_third_party: true,
            credentials,
            ..RegisteredClient::without_exceptions(id, name, Arc::clone(ceiling))
        }
    }

    /// Takes the place of a client if there is none: no client could have its id, and it may be given nothing.
    pub(crate) fn pages(name: String) -> Self {
        RegisteredClient::without_exceptions(String::new(), name, Arc::new(Ceiling::nothing()))
    }

    /// A client for which the author made no exceptions.
    fn without_exceptions(id: String, name: String, ceiling: Arc<Ceiling>) -> Self {
        RegisteredClient {
            client_id: id.clone(),
            id,
            unlisted: None,
            name,
            calls_itself: None,
            is_provisional: false,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            logout_uri: None,
            is_third_party: false,
            seals: true,
            has_claims_in_id_token: false,
            may_omit_pkce: false,
            must_push: false,
            requires_proof: false,
            id_token_algorithm: None,
            serves: Resources::default(),
            credentials: None,
            ceiling,
            claims: Map::new(),
        }
    }

    /// The name by which the client knows a session: one of its own, if clients must not be able to compare.
    pub(crate) fn name_of_session(&self, session: &str) -> String {
        if self.seals { sid(&self.id, session) } else { session.to_owned() }
    }

    /// What a page calls it that does not say whether its name is verified. The name of one that registered itself is its
    /// own claim (RFC 7591 §5), so that is called by where it leads.
    pub(crate) fn called<'a>(&'a self, destination: &'a Destination) -> &'a str {
        match self.unlisted {
            Some(Unlisted::Registered) => &destination.shown,
            Some(Unlisted::Document) | None => &self.name,
        }
    }

    pub(crate) fn may_use(&self, grant: GrantType) -> bool {
        self.ceiling.grants.contains(&grant)
    }

    /// Where the browser goes, if the requested URI is registered.
    pub(crate) fn destination(&self, requested: &str) -> Option<Destination> {
        let registered = self.redirect_uris.iter().find(|uri| uri.matches(requested));
        registered.map(|uri| Destination { is_registered: !self.is_provisional, ..uri.destination(requested) })
    }

    /// Where the browser goes after a sign-out, if the requested URI is registered for that.
    pub(crate) fn destination_after_sign_out(&self, requested: &str) -> Option<Destination> {
        self.post_logout_redirect_uris.iter().find(|uri| uri.matches(requested)).map(|uri| uri.destination(requested))
    }

    /// RFC 6749 §3.1.2.3: a request may leave the URI out if only one is registered.
    pub(crate) fn only_destination(&self) -> Option<Destination> {
        match self.redirect_uris.as_slice() {
            [only] => self.destination(only.as_str()),
            [] | [_, _, ..] => None,
        }
    }
}
