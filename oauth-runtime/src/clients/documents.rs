//! Clients whose id is the URL of a document about them (draft-ietf-oauth-client-id-metadata-document-02): nothing is
//! stored, and nothing is fetched before a user has signed in.

mod address;
mod cache;
mod fetch;
mod freshness;
mod gate;
pub(crate) mod hosts;
mod metadata;
mod url;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::clients::documents::cache::Cache;
use crate::clients::documents::fetch::{Fetched, Fetcher, TIMEOUT};
use crate::clients::documents::gate::{Asker, Gate, NotFetched, system};
use crate::clients::documents::hosts::Hosts;
use crate::clients::documents::metadata::{Metadata, Proof, keys, object};
use crate::clients::documents::url::{DocumentUrl, Places};
use crate::error::Reason;
use crate::model::Clock;
use crate::model::ceiling::{Ceiling, Unlisted};
use crate::model::client::RegisteredClient;
use crate::model::credentials::Credentials;
use crate::model::document::Away;
use crate::model::issuer::Issuer;
use crate::model::redirect_uri::{Besides, OF_ANSWERS, RedirectUri};

/// Knows the clients that have documents.
pub(crate) struct Documents {
    places: Arc<Places>,
    /// For users who sign in.
    for_users: Fetcher,
    /// A budget of its own for clients that hold something, which new ones take nothing from.
    for_holders: Fetcher,
    cache: Cache,
    clock: Clock,
    ceiling: Arc<Ceiling>,
    /// Private schemes without a dot that they may have.
    schemes: Vec<String>,
    /// Whether the issuer is on loopback.
    is_local: bool,
}

/// How documents are accepted.
pub(crate) struct Rules<'a> {
    pub(crate) hosts: Hosts,
    pub(crate) issuer: &'a Issuer,
    /// The resources of this very `App`.
    pub(crate) served: Vec<&'a str>,
    pub(crate) clock: Clock,
    pub(crate) ceiling: Arc<Ceiling>,
    pub(crate) schemes: Vec<String>,
}

/// What a document says, the URLs that were asked for it, and how long it is fresh.
struct Found {
    client: RegisteredClient,
    from: Vec<DocumentUrl>,
    fresh: Duration,
}

impl Documents {
    /// `None` if no HTTP client can be made.
    pub(crate) fn new(rules: Rules<'_>) -> Option<Self> {
        let Rules { hosts, issuer, served, clock, ceiling, schemes } = rules;
        let places = Arc::new(Places::new(hosts, issuer, served.into_iter()));
        let fetcher = || {
            let fetcher = Fetcher::new(&Arc::new(Gate::new(places.reach, system(), clock.clone())));
            fetcher.map_err(|error| tracing::error!(target: "oauth", %error, "there is no HTTP client")).ok()
        };
        let (for_users, for_holders) = (fetcher()?, fetcher()?);
        let (cache, is_local) = (Cache::new(Arc::clone(&places)), !issuer.is_https());
        Some(Documents { places, for_users, for_holders, cache, clock, ceiling, schemes, is_local })
    }

    /// The client as it is known, by a document that is fresh or was fresh within the last day, from a host that is let
    /// in.
    pub(crate) fn held(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.cache.held(id, self.clock.now())
    }

    /// The client that asks for a user: as its document says if that is fresh, and else as its URL says, with the
    /// redirect URI that it asks for.
    pub(crate) fn asking(&self, id: &str, redirect_uri: Option<&str>) -> Result<Arc<RegisteredClient>, Reason> {
        let url = self.places.parse(id).map_err(Reason::DocumentUnfit)?;
        if let Some(client) = self.cache.fresh(id, self.clock.now()) {
            return Ok(client);
        }
        let uri = redirect_uri.ok_or(Reason::MissingParameter("redirect_uri"))?;
        let parsed = RedirectUri::parse_leaving(&OF_ANSWERS, uri, self.besides());
        let parsed = parsed.map_err(|_| Reason::UnknownRedirectUri)?;
        let client = self.client(&url, None, vec![parsed], None);
        Ok(Arc::new(RegisteredClient { is_provisional: true, ..client }))
    }

    /// The client as its document says, which is fetched if not known: for a user who is signed in.
    pub(crate) async fn fetched(&self, id: &str, subject: &str) -> Result<Arc<RegisteredClient>, Reason> {
        self.fetched_for(id, Asker::User(subject)).await
    }

    async fn fetched_for(&self, id: &str, asker: Asker<'_>) -> Result<Arc<RegisteredClient>, Reason> {
        let fetched = self.known_or_fetched(id, asker).await;
        fetched.map_err(|why| {
            tracing::warn!(target: "oauth", client = id, %why, "a document about a client is not accepted");
            refused(why)
        })
    }

    /// The same, for a client that holds something of this user: while the document cannot be fetched, the last good one
    /// counts.
    pub(crate) async fn fetched_or_held(&self, id: &str, subject: &str) -> Result<Arc<RegisteredClient>, Reason> {
        let fetched = self.fetched_for(id, Asker::Holder(subject)).await;
        let client = fetched.or_else(|reason| self.held(id).ok_or(reason))?;
        self.cache.used(id, subject, self.clock.now());
        Ok(client)
    }

    async fn known_or_fetched(&self, id: &str, asker: Asker<'_>) -> Result<Arc<RegisteredClient>, NotFetched> {
        let url = self.places.parse(id)?;
        if let Some(client) = self.cache.fresh(id, self.clock.now()) {
            return Ok(client);
        }
        // Before there is an entry, so that made-up URLs that are not fetched take no room.
        if !self.fetcher(asker).has_room(asker) {
            return Err(Away::Budget.into());
        }
        let entry = self.cache.entry(id, self.clock.now())?;
        let _one_at_a_time = entry.asking.lock().await;
        if let Some(known) = entry.known(self.clock.now()) {
            return known;
        }
        let asked = tokio::time::timeout(TIMEOUT, self.ask(&url, asker)).await;
        let asked = asked.unwrap_or_else(|_| Err(Away::Unreachable.into()));
        match asked {
            Ok(Found { client, from, fresh }) => {
                let client = Arc::new(client);
                entry.hold(Arc::clone(&client), from.into(), fresh, self.clock.now());
                Ok(client)
            }
            Err(why) => {
                entry.refuse(why, self.clock.now());
                Err(why)
            }
        }
    }

    fn fetcher(&self, asker: Asker<'_>) -> &Fetcher {
        match asker {
            Asker::User(_) => &self.for_users,
            Asker::Holder(_) => &self.for_holders,
        }
    }

    async fn ask(&self, url: &DocumentUrl, asker: Asker<'_>) -> Result<Found, NotFetched> {
        let fetcher = self.fetcher(asker);
        let Fetched { json, mut fresh } = fetcher.get(url, asker).await?;
        let metadata = Metadata::parse(&json, url, &self.places, self.besides())?;
        let Metadata { name, redirect_uris, proof, requires_proof } = metadata;
        let mut from = vec![url.clone()];
        let credentials = match proof {
            None => None,
            Some(Proof::Keys(credentials)) => Some(credentials),
            Some(Proof::KeysAt(at)) => {
                let fetched = fetcher.get(&at, asker).await?;
                fresh = fresh.min(fetched.fresh);
                from.push(at);
                Some(keys(&Value::Object(object(&fetched.json)?))?)
            }
        };
        let client = self.client(url, name, redirect_uris, credentials);
        Ok(Found { client: RegisteredClient { requires_proof, ..client }, from, fresh })
    }

    fn client(
        &self,
        url: &DocumentUrl,
        name: Option<String>,
        redirect_uris: Vec<RedirectUri>,
        credentials: Option<Credentials>,
    ) -> RegisteredClient {
        let (id, way) = (url.as_str().to_owned(), Unlisted::Document);
        // Its own name is not verified; the host is, by the domain name system.
        let client = RegisteredClient::unlisted(way, id, url.shown(), redirect_uris, credentials, &self.ceiling);
        RegisteredClient { calls_itself: name, ..client }
    }

    fn besides(&self) -> Besides<'_> {
        Besides { schemes: &self.schemes, names_on_loopback: self.is_local }
    }
}

fn refused(why: NotFetched) -> Reason {
    match why {
        NotFetched::Unfit(unfit) => Reason::DocumentUnfit(unfit),
        NotFetched::Away(away) => Reason::DocumentAway(away),
    }
}

/// An accepted document is one with which this service could have been configured.
#[cfg(fuzzing)]
pub(crate) fn fuzz(json: &[u8]) {
    use crate::model::redirect_uri::{Besides, OF_ANSWERS};

    let issuer: Issuer = "https://a.example".parse().expect("an issuer");
    let places = Places::new(Hosts::any(), &issuer, std::iter::empty());
    let url = places.parse("https://b.example/client").ok().expect("not our own");
    let Ok(found) = Metadata::parse(json, &url, &places, Besides::default()) else { return };
    let document: Value = serde_json::from_slice(json).expect("it was read as JSON");
    assert_eq!(document["client_id"], "https://b.example/client");
    assert!(document.get("client_secret").is_none());
    assert!(!found.redirect_uris.is_empty());
    assert!(found.redirect_uris.iter().all(|uri| uri.leaves(&OF_ANSWERS).is_ok() && uri.matches(uri.as_str())));
    assert!(found.name.is_none_or(|name| !name.chars().any(char::is_control)));
    match found.proof {
        Some(Proof::KeysAt(at)) => {
            let at = at.url();
            assert_eq!((at.scheme(), at.port()), ("https", None));
            assert!(matches!(at.host(), Some(::url::Host::Domain(name)) if name.contains('.') && name != "a.example"));
        }
        Some(Proof::Keys(credentials)) => assert!(!credentials.keys.is_empty() && credentials.secrets.is_empty()),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::model::resource::Resources;
    use crate::model::scope::Scope;

    pub(super) fn client(id: &str) -> Arc<RegisteredClient> {
        static DOCUMENTS: LazyLock<Documents> = LazyLock::new(documents);
        let url = format!("https://app.example/{id}").replace(' ', "-").parse().expect("a URL");
        Arc::new(DOCUMENTS.client(&url, None, Vec::new(), None))
    }

    pub(super) fn places() -> Arc<Places> {
        Arc::new(Places::new(Hosts::any(), &"https://notes.example".parse().expect("an issuer"), std::iter::empty()))
    }

    fn documents() -> Documents {
        let ceiling = Arc::new(Ceiling {
            grants: Vec::new(),
            of_users: Scope::default(),
            of_its_own: Scope::default(),
            resources: Resources::default(),
            default_resource: None,
        });
        let rules = Rules {
            hosts: Hosts::any(),
            issuer: &"https://notes.example".parse().expect("an issuer"),
            served: Vec::new(),
            clock: Clock::system(),
            ceiling,
            schemes: Vec::new(),
        };
        Documents::new(rules).expect("an HTTP client")
    }
}
