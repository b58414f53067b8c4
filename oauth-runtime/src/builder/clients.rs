//! The clients and the scopes, parsed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::builder::back_channel::logout_uri;
use crate::builder::error::BuildError;
use crate::builder::misfit::UnknownScope;
use crate::builder::whole::Whole;
use crate::clients::registered::is_reserved;
use crate::model::ceiling::Ceiling;
use crate::model::claims::{OPENID, REGISTERED, UnusableClaims, UserClaims};
use crate::model::client::{ClientSettings, RegisteredClient, is_client_id};
use crate::model::credentials::{Credentials, SecretHash};
use crate::model::jwk::{PublicKey, SignatureAlgorithm};
use crate::model::redirect_uri::{AFTER_SIGN_OUT, Besides, OF_ANSWERS, RedirectUri, is_private_scheme};
use crate::model::release::Releases;
use crate::model::resource::Resources;
use crate::model::secret::is_predictable;
use crate::model::written::{is_normal, own_port, web};
use crate::model::{GrantType, Scope, Secret};
use crate::policy::said::near;

pub(super) fn clients(
    clients: Vec<ClientSettings>,
    whole: &Whole,
) -> Result<HashMap<String, Arc<RegisteredClient>>, BuildError> {
    let mut registered = HashMap::new();
    for settings in clients {
        let client = client(settings, whole)?;
        let id = client.id.clone();
        if registered.insert(id.clone(), Arc::new(client)).is_some() {
            return Err(BuildError::ClientTwice { client: id });
        }
    }
    Ok(registered)
}

/// Checks a client: the service must be able to offer each part of it.
pub(super) fn client(client: ClientSettings, whole: &Whole) -> Result<RegisteredClient, BuildError> {
    if !is_client_id(&client.id) || is_reserved(&client.id) {
        return Err(BuildError::ClientId { client: client.id });
    }
    let credentials = credentials(&client)?;
    if client.redirect_uris.is_empty() && !client.is_confidential && !is_on_devices(&client) {
        return Err(BuildError::NoRedirectUri { client: client.id });
    }
    let ceiling = Arc::new(ceiling(&client, whole)?);
    let serves = of_client(&client, known_resources(client.serves.iter().map(String::as_str), whole))?;
    let claims = match UserClaims::of(&client.id, client.claims) {
        Ok(claims) => claims,
        Err(UnusableClaims::OfAnother) => {
            return Err(BuildError::ClientClaims { client: client.id, why: "its `sub` is its id".to_owned() });
        }
        Err(why) => return Err(BuildError::ClientClaims { client: client.id, why: why.to_string() }),
    };
    if let Some(scheme) = client.schemes.iter().find(|scheme| !is_private_scheme(scheme)) {
        return Err(BuildError::ClientScheme { client: client.id, scheme: scheme.clone() });
    }
    let besides = Besides { schemes: &client.schemes, names_on_loopback: whole.is_local };
    let name = client.name.unwrap_or_else(|| client.id.clone());
    Ok(RegisteredClient {
        id: client.id.clone(),
        client_id: client.id.clone(),
        unlisted: None,
        name,
        calls_itself: None,
        is_provisional: false,
        redirect_uris: parsed_uris(&client.id, client.redirect_uris, besides, &OF_ANSWERS)?,
        post_logout_redirect_uris: parsed_uris(&client.id, client.post_logout_redirect_uris, besides, &AFTER_SIGN_OUT)?,
        logout_uri: logout_uri(&client.id, client.logout_uri, whole)?,
        is_third_party: client.is_third_party,
        seals: client.is_third_party || whole.seals_all,
        has_claims_in_id_token: client.has_claims_in_id_token,
        may_omit_pkce: client.may_omit_pkce,
        must_push: client.must_push,
        requires_proof: client.requires_proof,
        id_token_algorithm: client.id_token_algorithm.map(SignatureAlgorithm::jose),
        serves,
        credentials,
        ceiling,
        claims,
    })
}

/// Whether no user is behind some of its tokens.
pub(super) fn has_tokens_of_its_own(client: &ClientSettings) -> bool {
    grants(client).is_ok_and(|grants| grants.contains(&GrantType::ClientCredentials))
}

/// RFC 6749 §5.2: what a client may exchange.
fn grants(client: &ClientSettings) -> Result<Vec<GrantType>, BuildError> {
    let has_users = !client.redirect_uris.is_empty();
    let in_its_own_name = !client.scope.is_empty() || client.claims.as_object().is_none_or(|it| !it.is_empty());
    let is_on_devices = is_on_devices(client);
    let mut grants = match &client.grants {
        Some(grants) => grants.clone(),
        None if has_users => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        None if is_on_devices => vec![GrantType::RefreshToken],
        None => vec![GrantType::ClientCredentials],
    };
    if is_on_devices && !grants.contains(&GrantType::DeviceCode) {
        grants.push(GrantType::DeviceCode);
    }
    if !client.may_refresh {
        grants.retain(|grant| *grant != GrantType::RefreshToken);
    }
    let has = |grant| grants.contains(&grant);
    let why = if grants.is_empty() {
        "it has none"
    } else if has(GrantType::ClientCredentials) && !client.is_confidential {
        "a public client has no credentials, so it cannot have client_credentials"
    } else if has(GrantType::AuthorizationCode) != has_users {
        "authorization_code and redirect URIs belong together"
    } else if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) && !is_on_devices {
        "refresh_token needs authorization_code or a device's code"
    } else if in_its_own_name && !has(GrantType::ClientCredentials) {
        "its .scope(..) and .claims(..) are for client_credentials, which it does not have"
    } else {
        return Ok(grants);
    };
    Err(BuildError::ClientGrants { client: client.id.clone(), why })
}

/// Whether it signs its users in where there is no browser.
fn is_on_devices(client: &ClientSettings) -> bool {
    client.is_on_devices || client.grants.iter().flatten().any(|grant| *grant == GrantType::DeviceCode)
}

/// The most that the client may be given, of all that the service has.
fn ceiling(client: &ClientSettings, whole: &Whole) -> Result<Ceiling, BuildError> {
    let known = |text: &str| {
        known_scopes(text, whole).map_err(|why| BuildError::ClientScope { client: client.id.clone(), why })
    };
    let mut of_users = Scope::default();
    match (&client.allowed_scopes, client.is_third_party) {
        (Some(named), _) => of_users = known(named)?,
        (None, false) => of_users.extend(whole.scopes.keys().map(String::as_str)),
        (None, true) => {}
    }
    // OpenID Connect Core §3.1.2.1: who signed in, which the access token says as well
    of_users.extend([OPENID].into_iter().filter(|scope| whole.scopes.contains_key(*scope)));
    Ok(Ceiling {
        grants: grants(client)?,
        of_users,
        of_its_own: known(&client.scope)?,
        resources: resources(client, whole)?,
        default_resource: None,
    })
}

/// These scopes, where the service has all of them.
pub(super) fn known_scopes(text: &str, whole: &Whole) -> Result<Scope, UnknownScope> {
    described(text, &whole.scopes)
}

fn resources(client: &ClientSettings, whole: &Whole) -> Result<Resources, BuildError> {
    let mut allowed = match (&client.allowed_resources, client.is_third_party) {
        (Some(named), _) => of_client(client, known_resources(named.iter().map(String::as_str), whole))?,
        (None, false) => whole.all_resources().collect(),
        (None, true) => Resources::default(),
    };
    allowed.join(&whole.of_userinfo());
    Ok(allowed)
}

/// These resources, as the service spells them; else the one that it does not have.
pub(super) fn known_resources<'a>(named: impl Iterator<Item = &'a str>, whole: &Whole) -> Result<Resources, String> {
    let all: Resources = whole.all_resources().collect();
    named
        .map(|resource| {
            let named: Resources = [resource].into_iter().collect();
            if named.is_subset(&all) { Ok(named.within(&all)) } else { Err(resource.to_owned()) }
        })
        .try_fold(Resources::default(), |mut known, one| {
            known.join(&one?);
            Ok(known)
        })
}

fn of_client(client: &ClientSettings, known: Result<Resources, String>) -> Result<Resources, BuildError> {
    known.map_err(|resource| BuildError::ClientResource { client: client.id.clone(), resource })
}

/// `brought` are the parameters that a browser brings along.
fn parsed_uris(
    client: &str,
    uris: Vec<String>,
    besides: Besides<'_>,
    brought: &[&'static str],
) -> Result<Vec<RedirectUri>, BuildError> {
    let parsed = |uri: String| {
        let parsed = RedirectUri::parse_leaving(brought, &uri, besides);
        parsed.map_err(|why| BuildError::RedirectUri { client: client.to_owned(), uri, why })
    };
    uris.into_iter().map(parsed).collect()
}

fn credentials(client: &ClientSettings) -> Result<Option<Credentials>, BuildError> {
    let name = || client.id.clone();
    if client.may_omit_pkce {
        // OAuth 2.1 §7.5.1
        if !client.is_confidential {
            return Err(BuildError::PublicWithoutPkce { client: name() });
        }
        tracing::warn!(
            target: "oauth",
            client = client.id,
            "this client may leave out PKCE: only the client itself can then tell a stolen code, by nonce and state; let it \
             send a code_challenge, and remove .danger_without_pkce()"
        );
    }
    if !client.is_confidential {
        let in_its_own_name = !client.scope.is_empty() || client.claims.as_object().is_none_or(|it| !it.is_empty());
        if !client.secrets.is_empty() || !client.jwks.is_empty() || in_its_own_name || !client.serves.is_empty() {
            return Err(BuildError::PublicClient { client: name() });
        }
        return Ok(None);
    }
    let keys = PublicKey::registered(&client.jwks).map_err(|why| BuildError::ClientJwk { client: name(), why })?;
    let sent = |secret| Secret::as_sent(secret).ok_or_else(|| BuildError::ClientSecretLine(name()));
    let secrets = client.secrets.iter().map(sent).collect::<Result<Vec<_>, _>>()?;
    for secret in &secrets {
        let bytes = secret.len();
        if bytes < Secret::MIN_BYTES {
            return Err(BuildError::ClientSecret { client: name(), bytes });
        }
        if is_predictable(secret.as_bytes()) {
            return Err(BuildError::PredictableClientSecret { client: name() });
        }
    }
    if keys.is_empty() && secrets.is_empty() {
        return Err(BuildError::NoCredentials { client: name() });
    }
    Ok(Some(Credentials { secrets: secrets.into_iter().map(SecretHash::of).collect(), keys }))
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

/// Which claims each scope is for.
pub(super) fn releases(
    added: Vec<(Option<String>, Vec<String>)>,
    scopes: &BTreeMap<String, String>,
) -> Result<Releases, BuildError> {
    let mut releases = Releases::of(scopes.keys().map(String::as_str));
    for (scope, claims) in added {
        let scope = scope.ok_or(BuildError::ReleasesWithoutScope)?;
        if let Some(claim) = claims.iter().find(|claim| claim.is_empty() || REGISTERED.contains(&claim.as_str())) {
            let why = "it is not a claim of yours: leave it out".to_owned();
            return Err(BuildError::ReleasedClaim { scope, claim: claim.clone(), why });
        }
        releases.add(&scope, claims);
    }
    Ok(releases)
}

/// What is granted where no scope is asked for.
pub(super) fn default_scope(text: Option<String>, scopes: &BTreeMap<String, String>) -> Result<Scope, BuildError> {
    let Some(text) = text else { return Ok(Scope::default()) };
    described(&text, scopes).map_err(BuildError::DefaultScope)
}

/// Any number of them: only what a request asks for is bounded.
pub(super) fn described(text: &str, scopes: &BTreeMap<String, String>) -> Result<Scope, UnknownScope> {
    let parsed = Scope::try_from(text.to_owned()).map_err(|why| UnknownScope {
        scope: text.trim().to_owned(),
        why: format!("{why}: write names with spaces between them, such as \"notes:read notes:write\""),
    })?;
    let Some(unknown) = parsed.iter().find(|scope| !scopes.contains_key(*scope)) else { return Ok(parsed) };
    let known: Vec<&str> = scopes.keys().map(String::as_str).collect();
    let why = match near(unknown, &known) {
        // RFC 6749 §3.3: a comma is a character of a scope like any other
        _ if unknown.contains(',') => {
            let apart = unknown.split(',').filter(|scope| !scope.is_empty()).collect::<Vec<_>>().join(" ");
            format!("scopes have spaces between them, and no commas: write {apart:?}")
        }
        Some(meant) => format!("one with a similar name exists, {meant:?}"),
        None => format!("add .scope({unknown:?}, \"what it allows\") to the builder, or leave it out here"),
    };
    Err(UnknownScope { scope: unknown.to_owned(), why })
}

/// Scheme and host, and nothing else.
pub(super) fn origins(origins: Vec<String>) -> Result<Vec<String>, BuildError> {
    for origin in &origins {
        // As a browser sends it, so never a `*`, for example.
        let is_normal = web(origin.as_bytes())
            .is_some_and(|(authority, rest)| rest.is_empty() && is_normal(authority, own_port(origin.as_bytes())));
        if !is_normal || url::Url::parse(origin).is_err() {
            return Err(BuildError::Origin { origin: origin.clone() });
        }
    }
    Ok(origins)
}
