//! The clients and the scopes, parsed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::builder::error::BuildError;
use crate::model::claims::{UnusableClaims, UserClaims};
use crate::model::client::{RegisteredClient, is_client_id};
use crate::model::credentials::{Credentials, SecretHash};
use crate::model::jwk::PublicKey;
use crate::model::redirect_uri::RedirectUri;
use crate::model::{Client, Scope, Secret};

pub(super) fn clients(
    clients: Vec<Client>,
    scopes: &BTreeMap<String, String>,
) -> Result<HashMap<String, Arc<RegisteredClient>>, BuildError> {
    if clients.is_empty() {
        return Err(BuildError::NoClient);
    }
    let mut registered = HashMap::new();
    for client in clients {
        if !is_client_id(&client.id) {
            return Err(BuildError::ClientId { client: client.id });
        }
        let credentials = credentials(&client)?;
        if client.redirect_uris.is_empty() && !client.is_confidential {
            return Err(BuildError::NoRedirectUri { client: client.id });
        }
        let scope = match client.scope.parse::<Scope>() {
            Ok(scope) if scope.iter().all(|scope| scopes.contains_key(scope)) => scope,
            Ok(_) | Err(_) => return Err(BuildError::ClientScope { client: client.id, scope: client.scope }),
        };
        let claims = match UserClaims::of(&client.id, client.claims) {
            Ok(claims) => claims,
            Err(UnusableClaims::OfAnother) => {
                return Err(BuildError::ClientClaims { client: client.id, why: "its `sub` is its id".to_owned() });
            }
            Err(why) => return Err(BuildError::ClientClaims { client: client.id, why: why.to_string() }),
        };
        let name = client.name.unwrap_or_else(|| client.id.clone());
        let parsed = RegisteredClient {
            id: client.id.clone(),
            name,
            redirect_uris: parsed_uris(&client.id, client.redirect_uris)?,
            post_logout_redirect_uris: parsed_uris(&client.id, client.post_logout_redirect_uris)?,
            may_refresh: client.may_refresh,
            is_third_party: client.is_third_party,
            credentials,
            scope,
            claims,
        };
        if registered.insert(client.id.clone(), Arc::new(parsed)).is_some() {
            return Err(BuildError::ClientTwice { client: client.id });
        }
    }
    Ok(registered)
}

fn parsed_uris(client: &str, uris: Vec<String>) -> Result<Vec<RedirectUri>, BuildError> {
    let parsed = uris.into_iter().map(|uri| match uri.parse() {
        Ok(parsed) => Ok(parsed),
        Err(why) => Err(BuildError::RedirectUri { client: client.to_owned(), uri, why }),
    });
    parsed.collect()
}

fn credentials(client: &Client) -> Result<Option<Credentials>, BuildError> {
    let name = || client.id.clone();
    if !client.is_confidential {
        let in_its_own_name = !client.scope.is_empty() || client.claims.as_object().is_none_or(|it| !it.is_empty());
        if !client.secrets.is_empty() || !client.jwks.is_empty() || in_its_own_name {
            return Err(BuildError::PublicClient { client: name() });
        }
        return Ok(None);
    }
    let keys = PublicKey::registered(&client.jwks).map_err(|why| BuildError::ClientJwk { client: name(), why })?;
    for secret in &client.secrets {
        let bytes = secret.bytes().len();
        if bytes < Secret::MIN_BYTES {
            return Err(BuildError::ClientSecret { client: name(), bytes });
        }
    }
    if keys.is_empty() && client.secrets.is_empty() {
        return Err(BuildError::NoCredentials { client: name() });
    }
    Ok(Some(Credentials { secrets: client.secrets.iter().map(SecretHash::of).collect(), keys }))
}

pub(super) fn scopes(scopes: Vec<(String, String)>) -> Result<BTreeMap<String, String>, BuildError> {
    let mut described = BTreeMap::new();
    for (scope, description) in scopes {
        let one = scope.parse::<Scope>().is_ok_and(|parsed| parsed.contains(&scope) && parsed.iter().count() == 1);
        if !one || described.insert(scope.clone(), description).is_some() {
            return Err(BuildError::Scope { scope });
        }
    }
    Ok(described)
}

/// What is granted where no scope is asked for.
pub(super) fn default_scope(text: Option<String>, scopes: &BTreeMap<String, String>) -> Result<Scope, BuildError> {
    let Some(text) = text else { return Ok(Scope::default()) };
    match text.parse::<Scope>() {
        Ok(scope) if scope.iter().all(|scope| scopes.contains_key(scope)) => Ok(scope),
        Ok(_) | Err(_) => Err(BuildError::DefaultScope { scope: text }),
    }
}

/// Scheme and host, and nothing else.
pub(super) fn origins(origins: &[String]) -> Result<(), BuildError> {
    for origin in origins {
        let parsed = url::Url::parse(origin).ok();
        if parsed.is_none_or(|url| !url.origin().is_tuple() || url.origin().ascii_serialization() != *origin) {
            return Err(BuildError::Origin { origin: origin.clone() });
        }
    }
    Ok(())
}
