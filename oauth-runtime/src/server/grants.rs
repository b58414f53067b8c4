//! What a person has granted to browsers and clients, for a page of the application on which they see and end it.

use std::sync::Arc;
use std::time::Duration;

use crate::clients::registered;
use crate::event::request::to_its_end;
use crate::event::{EventKind, Fact};
use crate::model::ceiling::Unlisted;
use crate::model::claims::OFFLINE_ACCESS;
use crate::model::client::RegisteredClient;
use crate::model::record::{self, Record};
use crate::model::resource::Resources;
use crate::model::{GrantType, Scope, Timestamp};
use crate::server::{OAuthService, Refreshing, Server};
use crate::standing::{Decision, Refused, View};
use crate::store::{Key, Kind, StoreError};

/// A live session, grant or consent: see [`OAuthService::grants`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Its id, for [`OAuthService::revoke_grant`].
    pub id: String,
    /// Who has it.
    pub holder: Holder,
    /// When it began, or was granted.
    pub begun: Timestamp,
    /// When it was last refreshed or signed in with, to the hour.
    pub last_used: Timestamp,
    /// When it ends unless it is used before.
    pub ends_at: Timestamp,
}

/// Who has a [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// A browser that stays signed in.
    Session,
    /// A client with refresh tokens.
    Client(Given),
    /// A third party's client for which the user is not asked again.
    Consent(Given),
}

/// What a client was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Given {
    /// Its `client_id`; for a client that registered itself, its name in tokens and events.
    pub client: String,
    /// What it called itself, if you did not list it and it has refresh tokens. This is not verified.
    pub name: Option<String>,
    /// What it may do, by the current configuration; for a consent, what was allowed.
    pub scope: Scope,
    /// Which resources its access tokens may be for, if it named any.
    pub resources: Vec<String>,
}

impl OAuthService {
    /// All live grants of a user: their sessions, the grants of clients that have refresh tokens, and the remembered
    /// consents. A grant without refresh tokens ends with its access token, and is not listed.
    ///
    /// It may call the function of [`Builder::clients`](crate::Builder::clients), which need not be `Send`, so its future is not:
    /// outside a handler, await it in a task of `actix_web::rt::spawn` instead of `tokio::spawn`. The futures of all other methods
    /// of a service are `Send`.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() {
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # let oauth = OAuthService::builder().issuer("http://127.0.0.1:8000").client(Client::public("demo")
    /// #     .redirect_uri("http://127.0.0.1/")).authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    /// #     .build().unwrap();
    /// let grants = oauth.grants("alice").await.unwrap();
    /// assert!(grants.is_empty(), "alice never signed in");
    /// assert!(!oauth.revoke_grant("alice", "none").await.unwrap());
    /// # }
    /// ```
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn grants(&self, subject: &str) -> Result<Vec<Grant>, StoreError> {
        let view = self.server().ledger().view(Key::of(Kind::Subject, subject)).await?;
        grants_in(self.server(), &view).await
    }

    /// Ends one of the [grants](OAuthService::grants) of a user: a session with all that clients got by it, a client's
    /// grant with its access tokens, or a consent. Returns `false` if there is none with this id.
    ///
    /// # Errors
    /// The store gave no answer: it is not known whether it has ended.
    pub async fn revoke_grant(&self, subject: &str, id: &str) -> Result<bool, StoreError> {
        let (oauth, subject, id) = (self.clone(), subject.to_owned(), id.to_owned());
        to_its_end(async move {
            let found = oauth.change_record(&subject, |record, now| record.end(&id, now)).await?;
            if found {
                oauth.server().tell(Fact::of(EventKind::Revoked).subject(&subject).grant(&id).reason("application"));
            }
            Ok(found)
        })
        .await
    }

    /// Ends all that one client has of a user: its grants, its access tokens, and what it was allowed.
    ///
    /// # Errors
    /// The store gave no answer: it is not known whether it has ended.
    pub async fn revoke_client(&self, subject: &str, client: &str) -> Result<(), StoreError> {
        let (oauth, subject, client) = (self.clone(), subject.to_owned(), registered::name_of(client));
        to_its_end(async move {
            let revoke = |record: &mut Record, now| {
                record.revoke_client(&client, now);
                true
            };
            oauth.change_record(&subject, revoke).await?;
            let revoked = Fact::of(EventKind::Revoked).subject(&subject).client(&client);
            oauth.server().tell(revoked.reason("application"));
            Ok(())
        })
        .await
    }

    /// Ends a client that registered itself, by its `client_id` or by its name in codes, tokens and events: it gets no
    /// more codes or tokens, and its access tokens last until they expire. Returns `false` if no such id was issued
    /// here, or if it has ended; whether a name was issued cannot be known. The ending is forgotten if the store loses
    /// its memory, and by [`OAuthService::renew`].
    ///
    /// # Errors
    /// The store gave no answer: it is not known whether it has ended.
    pub async fn end_registration(&self, client: &str) -> Result<bool, StoreError> {
        let (oauth, client) = (self.clone(), client.to_owned());
        to_its_end(async move {
            let Some(registrar) = oauth.server().clients().registrar() else { return Ok(false) };
            let has_ended = registrar.end(&client).await?;
            if has_ended {
                oauth.server().tell(Fact::of(EventKind::RegistrationEnded).client(&registered::name_of(&client)));
            }
            Ok(has_ended)
        })
        .await
    }

    /// Says that a client has changed that the function of [`Builder::clients`](crate::Builder::clients) knows, so that this
    /// process calls it again: for after a change of its row. Other processes call it again within a minute. Nothing that was
    /// issued ends.
    pub fn client_changed(&self, client_id: &str) {
        if let Some(told) = self.server().clients().told() {
            told.forget(client_id);
        }
    }

    /// Removes what is kept about a user: signs them out everywhere and forgets what they allowed. Under a hash of the
    /// subject two things stay: for a day and twelve minutes that they were signed out, to refuse what is still on its
    /// way, and for two hours which forms they sent, since a form is in a browser's history with the password.
    ///
    /// # Errors
    /// The store gave no answer: it is not known whether it is removed.
    pub async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        self.end_all(subject, Record::forget, EventKind::Forgotten).await
    }

    /// Changes a record, and stores it if the change says so. Nothing is presented, so nothing can be from an earlier
    /// memory.
    pub(super) async fn change_record(
        &self,
        subject: &str,
        change: impl Fn(&mut Record, Timestamp) -> bool,
    ) -> Result<bool, StoreError> {
        let decide = |record: &mut Record, now| {
            Ok(if change(record, now) { Decision::Write(true) } else { Decision::Keep(false) })
        };
        match self.server().ledger().change(subject, None, decide).await {
            Ok((has_changed, _)) => Ok(has_changed),
            Err(Refused::Store(error)) => Err(error),
            Err(Refused::Ended(_)) => Ok(false),
        }
    }

    /// Ends all that a user holds, even if their record cannot be read, and reports it.
    pub(super) async fn end_all(
        &self,
        subject: &str,
        end: fn(&mut Record, Timestamp),
        told: EventKind,
    ) -> Result<(), StoreError> {
        let (oauth, subject) = (self.clone(), subject.to_owned());
        to_its_end(async move {
            let (key, ledger) = (Key::of(Kind::Subject, &subject), oauth.server().ledger());
            let end = |record: &mut Record, now| {
                end(record, now);
                true
            };
            match oauth.change_record(&subject, end).await {
                // There is always a way to sign a user out.
                Err(_) if ledger.view(key).await?.record().is_err() => ledger.start_over(key).await?,
                ended => _ = ended?,
            }
            oauth.server().tell(Fact::of(told).subject(&subject));
            Ok(())
        })
        .await
    }
}

/// The live grants in a record.
pub(crate) async fn grants_in(server: &Server, view: &View) -> Result<Vec<Grant>, StoreError> {
    let (record, now) = (view.record()?, view.now());
    // A session that was not used for too long lives in no browser any more. Its last use is kept to the hour.
    let idle = server.sessions().map_or(Duration::ZERO, |sessions| sessions.lifetimes.idle) + AN_HOUR;
    let sessions = record.sessions(now).map(Grant::from).map(|session| {
        let ends_at = session.ends_at.min(session.last_used + idle);
        Grant { ends_at, ..session }
    });
    let sessions = sessions.filter(|session| session.ends_at > now);
    let mut clients: Vec<Grant> = record.grants(now).map(Grant::from).collect();
    for grant in &mut clients {
        cut_to_ceiling(server, &mut grant.holder).await;
    }
    let consents = record.consents(now).map(Grant::from);
    Ok(sessions.chain(clients).chain(consents).collect())
}

/// Reduces what a client was granted to what it may still do.
async fn cut_to_ceiling(server: &Server, holder: &mut Holder) {
    let Holder::Client(given) = holder else { return };
    let ceiling = match server.clients().find(&given.client).await {
        Ok(Some(client)) => Some(Arc::clone(&client.ceiling)),
        // A client that registered itself is not found by its name; all of them have the same ceiling.
        Ok(None) | Err(_) => Unlisted::of(&given.client).and_then(|way| server.clients().open_by(way)),
    };
    if let Some(ceiling) = ceiling {
        given.scope = given.scope.within(&ceiling.of_users);
        given.resources.retain(|resource| ceiling.has(&[resource.as_str()].into_iter().collect()));
    }
}

impl Refreshing {
    /// Whether a client that is granted this scope gets refresh tokens.
    pub(crate) fn is_for(&self, client: &RegisteredClient, scope: &Scope) -> bool {
        client.may_use(GrantType::RefreshToken) && (!self.needs_offline_access || scope.contains(OFFLINE_ACCESS))
    }
}

const AN_HOUR: Duration = Duration::from_secs(3600);

impl From<&record::Live> for Grant {
    fn from(session: &record::Live) -> Self {
        let record::Live { id, begun, used, .. } = session.clone();
        Grant { id, holder: Holder::Session, begun, last_used: used.max(begun), ends_at: session.over() }
    }
}

impl From<&record::Grant> for Grant {
    fn from(grant: &record::Grant) -> Self {
        let record::Grant { id, begun, used, family, .. } = grant.clone();
        let given = Given::new(&grant.client, &grant.scope, &grant.resources);
        let holder = Holder::Client(Given { name: grant.name.clone(), ..given });
        Grant { id, holder, begun, last_used: used.max(begun), ends_at: family.until }
    }
}

impl From<&record::Consent> for Grant {
    fn from(consent: &record::Consent) -> Self {
        let holder = Holder::Consent(Given::new(&consent.client, &consent.scope, &consent.resources));
        let (begun, ends_at) = (consent.given, consent.until);
        Grant { id: consent.id(), holder, begun, last_used: begun, ends_at }
    }
}

impl Given {
    fn new(client: &str, scope: &Scope, resources: &Resources) -> Self {
        let resources = resources.iter().map(str::to_owned).collect();
        Given { client: client.to_owned(), name: None, scope: scope.clone(), resources }
    }
}
