//! Clients that registered themselves (RFC 7591): the id is what they registered, sealed, and nothing is stored.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Reason;
use crate::guard::protection::OwnTokens;
use crate::model::Timestamp;
use crate::model::ceiling::{Ceiling, REGISTERED, Unlisted};
use crate::model::client::RegisteredClient;
use crate::model::credentials::{Credentials, SecretHash};
use crate::model::id::{digest, random_id};
use crate::model::name::FoldedName;
use crate::model::redirect_uri::{Besides, RedirectUri};
use crate::model::registration::{Asked, Method, Registration};
use crate::model::secret::Secrets;
use crate::seal::{NotSealed, Sealer, derive};
use crate::standing::Spent;
use crate::store::{Key, Kind, StoreError};

/// Registers clients, and recognizes them.
pub(crate) struct Registrar {
    sealer: Sealer,
    /// The keys that make the secrets of clients, the current one first.
    keys: Vec<hmac::Key>,
    tokens: Arc<OwnTokens>,
    pub(crate) ceiling: Arc<Ceiling>,
    /// Private schemes without a dot that they may have.
    schemes: Vec<String>,
    /// Whether the issuer is on loopback.
    is_local: bool,
    /// The names of the service and of the listed clients, which no other client may have.
    taken: Vec<String>,
}

/// A client that was just registered.
pub(crate) struct Registered {
    pub(crate) client_id: String,
    /// Its name in codes, tokens and facts.
    pub(crate) name: String,
    pub(crate) secret: Option<String>,
    pub(crate) method: Method,
    pub(crate) registration: Registration,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// How a registrar is set up.
pub(crate) struct Rules {
    pub(crate) ceiling: Arc<Ceiling>,
    pub(crate) schemes: Vec<String>,
    pub(crate) is_local: bool,
    pub(crate) names: Vec<String>,
}

impl Registrar {
    /// `None` if no key can be derived.
    pub(crate) fn new(secrets: &Secrets, issuer: &str, tokens: &Arc<OwnTokens>, rules: Rules) -> Option<Self> {
        let key = |secret| Some(hmac::Key::new(hmac::HMAC_SHA256, &derive(secret, b"registered clients")?));
        let Rules { ceiling, schemes, is_local, names } = rules;
        Some(Registrar {
            sealer: Sealer::new(secrets, issuer)?,
            keys: secrets.iter().map(key).collect::<Option<_>>()?,
            tokens: Arc::clone(tokens),
            ceiling,
            schemes,
            is_local,
            taken: names.iter().map(|name| letters(name)).filter(|name| !name.is_empty()).collect(),
        })
    }

    pub(crate) fn register(&self, asked: Asked) -> Result<Registered, Reason> {
        let (registration, method) = asked.registration(self.besides(), random_id())?;
        let issued_at = self.tokens.clock.now();
        let expires_at = issued_at + LIFETIME;
        let sealed = self.sealer.seal(&registration, issued_at, expires_at).map_err(|why| match why {
            NotSealed::TooLarge => Reason::RegistrationTooLong,
            NotSealed::Failed => Reason::Internal,
        })?;
        let client_id = format!("{PREFIX}{sealed}");
        let secret = registration.has_secret.then(|| self.secrets(&client_id).next()).flatten();
        Ok(Registered { name: name_of(&client_id), secret, client_id, method, registration, issued_at, expires_at })
    }

    /// The client with this id, if it was registered here, and has neither expired nor been ended.
    pub(crate) async fn find(&self, client_id: &str) -> Result<Option<RegisteredClient>, Reason> {
        let Some(client) = self.opened(client_id) else { return Ok(None) };
        // Only for ids that were sealed here: a made-up id costs the store nothing.
        let has_ended = self.tokens.ledger.is_spent(ending_of(&client.id)).await?;
        Ok((!has_ended).then_some(client))
    }

    /// Ends a client, for as long as its registration could have lasted; `false` if there is none with this id or name,
    /// or if it has ended.
    pub(crate) async fn end(&self, client: &str) -> Result<bool, StoreError> {
        let is_name = Unlisted::of(client) == Some(Unlisted::Registered);
        if !is_name && self.opened(client).is_none() {
            return Ok(false);
        }
        let (key, ledger) = (ending_of(&name_of(client)), &self.tokens.ledger);
        let as_of = ledger.view(key).await?.as_of();
        Ok(ledger.spend(key, as_of, LIFETIME).await? == Spent::First)
    }

    fn opened(&self, client_id: &str) -> Option<RegisteredClient> {
        let sealed = client_id.strip_prefix(PREFIX)?;
        let opened = self.sealer.open::<Registration>(sealed, self.tokens.clock.now()).ok()?;
        self.client(client_id, opened.value)
    }

    /// The kinds of clients that there can be, for the metadata.
    pub(crate) fn possible(&self) -> impl Iterator<Item = RegisteredClient> {
        let redirect_uris = vec!["https://client.example/callback".to_owned()];
        [false, true].into_iter().filter_map(move |has_secret| {
            let redirect_uris = redirect_uris.clone();
            let requires_proof = false;
            self.client(
                "",
                Registration { name: None, redirect_uris, has_secret, requires_proof, drawn: String::new() },
            )
        })
    }

    fn client(&self, client_id: &str, registration: Registration) -> Option<RegisteredClient> {
        let Registration { name, redirect_uris, has_secret, requires_proof, .. } = registration;
        // By the current configuration, since a URI may no longer be allowed.
        let parsed = |uri: &String| RedirectUri::parse(uri, self.besides()).ok();
        let redirect_uris: Vec<RedirectUri> = redirect_uris.iter().filter_map(parsed).collect();
        let first = redirect_uris.first()?;
        let shown = first.destination(first.as_str()).shown;
        let secrets = || self.secrets(client_id).map(|secret| SecretHash::of(&secret)).collect();
        let name = name.filter(|name| !self.is_taken(name)).unwrap_or(shown);
        let credentials = has_secret.then(|| Credentials { secrets: secrets(), keys: Vec::new() });
        let (id, way) = (name_of(client_id), Unlisted::Registered);
        let client = RegisteredClient::unlisted(way, id, name, redirect_uris, credentials, &self.ceiling);
        Some(RegisteredClient { client_id: client_id.to_owned(), requires_proof, ..client })
    }

    /// The secret of a client, and those that it had before the service's secret changed.
    fn secrets(&self, client_id: &str) -> impl Iterator<Item = String> {
        self.keys.iter().map(move |key| URL_SAFE_NO_PAD.encode(hmac::sign(key, client_id.as_bytes())))
    }

    /// Whether users could mistake this name for the service's, or for a client that its author listed.
    fn is_taken(&self, name: &str) -> bool {
        let name = letters(name);
        let is_like =
            |taken: &String| name == *taken || (taken.chars().count() >= LEAST_TO_CONTAIN && name.contains(taken));
        name.is_empty() || self.taken.iter().any(is_like)
    }

    fn besides(&self) -> Besides<'_> {
        Besides { schemes: &self.schemes, names_on_loopback: self.is_local }
    }
}

/// The part of a name that is compared.
fn letters(name: &str) -> String {
    FoldedName::of(name).as_str().chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// The name of a client in codes, tokens and facts, from its id or this name: it fits into a code, and does not reveal
/// where its users are sent.
pub(crate) fn name_of(client: &str) -> String {
    if client.starts_with(PREFIX) { digest(REGISTERED.trim_end_matches('-'), client) } else { client.to_owned() }
}

/// Whether an id or a name is one that only such clients have.
pub(crate) fn is_reserved(client: &str) -> bool {
    client.starts_with(PREFIX) || client.starts_with(REGISTERED)
}

fn ending_of(id: &str) -> Key {
    Key::of(Kind::Registration, id)
}

/// The beginning of the id of a client that registered itself.
const PREFIX: &str = "r.";
/// How long a registration lasts.
const LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);
/// A shorter name is contained in many others by chance.
const LEAST_TO_CONTAIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_users_read_them() {
        for (name, read) in
            [("Nötes", "notes"), ("N o t e s", "notes"), ("Notes\u{200b}!", "notes"), ("ＮＯＴＥＳ", "notes")]
        {
            assert_eq!(letters(name), read, "{name}");
        }
    }
}
