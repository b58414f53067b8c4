//! An authorization request: validated in the order of the specification, with the client that asks and where the
//! answer goes (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1).

use std::sync::Arc;

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::model::asked_claims::{AskedClaims, Malformed};
use crate::model::ceiling::Wanted;
use crate::model::claims::OPENID;
use crate::model::client::{MAX_CLIENT_ID_BYTES, RegisteredClient};
use crate::model::code::{AuthorizationRequest, Prompt, Requirements};
use crate::model::form::{BadParameter, Parameters};
use crate::model::pkce::Challenge;
use crate::model::proof::Thumbprint;
use crate::model::redirect_uri::Destination;
use crate::model::session::Person;
use crate::model::{Scope, Timestamp};
use crate::server::Server;
use crate::server::granting::{Granted, InTheNameOf};
use crate::sign_in::language;

/// The client that asks, and where the answer goes.
pub(crate) struct Asking {
    pub(crate) client: Arc<RegisteredClient>,
    pub(crate) destination: Destination,
    redirect_uri_given: bool,
}

/// An authorization request, with the client that asks and where the answer goes.
pub(crate) struct Authorization {
    pub(crate) request: AuthorizationRequest,
    pub(crate) client: Arc<RegisteredClient>,
    pub(crate) destination: Destination,
}

impl Authorization {
    /// The request that a form carries.
    pub(crate) async fn of(server: &Server, request: AuthorizationRequest) -> Result<Self, Reason> {
        let (client, destination) = server.clients().of(&request).await?;
        Ok(Authorization { request, client, destination })
    }

    /// The same, now that the user is known: for a client with a document, by what that says.
    pub(crate) async fn known(self, server: &Server, subject: &str) -> Result<Self, Reason> {
        let Authorization { request, client, destination } = self;
        let (client, destination) = known(server, client, destination, subject).await?;
        Ok(Authorization { request, client, destination })
    }

    /// What this user grants of it, by the current configuration.
    pub(crate) fn granted_by(&self, server: &Server, person: &Person) -> Result<Granted, Reason> {
        self.given(server, person, Wanted::Asked(&self.request.resources))
    }

    /// The same, of what a page named and they allowed.
    pub(crate) fn allowed_by(&self, server: &Server, person: &Person) -> Result<Granted, Reason> {
        self.given(server, person, Wanted::Granted(&self.request.resources))
    }

    fn given(&self, server: &Server, person: &Person, resources: Wanted<'_>) -> Result<Granted, Reason> {
        let Authorization { request, client, .. } = self;
        let user = InTheNameOf::User { subject: &person.subject, claims: &person.claims };
        let granted = server.grant(client, &request.scope, resources, user)?;
        Ok(granted.within_offer(request.without_refresh))
    }

    /// What the pages say is asked for, before the user is known.
    pub(crate) fn offered(&self, server: &Server) -> Scope {
        server.offered(&self.client, &self.request.scope)
    }
}

impl Asking {
    /// Until these two are verified, no answer is sent to a client.
    pub(crate) async fn read(server: &Server, parameters: &Parameters<'_>) -> Result<Self, Reason> {
        let client_id =
            parameters.get("client_id", MAX_CLIENT_ID_BYTES)?.ok_or(Reason::MissingParameter("client_id"))?;
        let redirect_uri = parameters.get("redirect_uri", MAX_URI_BYTES)?;
        let client = server.clients().asking(client_id, redirect_uri).await?;
        let destination = match redirect_uri {
            Some(uri) => client.destination(uri).ok_or(Reason::UnknownRedirectUri)?,
            None => client.only_destination().ok_or(Reason::MissingParameter("redirect_uri"))?,
        };
        Ok(Asking { client, destination, redirect_uri_given: redirect_uri.is_some() })
    }

    /// The same, for a signed-in user: for a client with a document, by what that says.
    pub(crate) async fn known(self, server: &Server, subject: &str) -> Result<Self, Reason> {
        let Asking { client, destination, redirect_uri_given } = self;
        let (client, destination) = known(server, client, destination, subject).await?;
        Ok(Asking { client, destination, redirect_uri_given })
    }

    /// The rest of the request.
    pub(crate) fn request(
        &self,
        server: &Server,
        http: &HttpRequest,
        parameters: &Parameters<'_>,
    ) -> Result<AuthorizationRequest, Reason> {
        let state = state(parameters)?;
        let nonce = parameters.get("nonce", MAX_NONCE_BYTES)?;
        // RFC 6749 appendix A.5 allows no control characters in a state, and the same holds for a nonce.
        for (name, value) in [("state", state), ("nonce", nonce)] {
            if value.is_some_and(|value| value.chars().any(char::is_control)) {
                return Err(Reason::ParameterEncoding(name));
            }
        }
        match parameters.get("response_type", 64)? {
            Some("code") => {}
            Some(_) => return Err(Reason::UnsupportedResponseType),
            None => return Err(Reason::MissingParameter("response_type")),
        }
        match parameters.get("response_mode", 64)? {
            Some("query") | None => {}
            Some(_) => return Err(Reason::UnsupportedResponseMode),
        }
        unsupported(parameters)?;
        let scope = scope(server, &self.client, parameters)?;
        // OpenID Connect Core §3.1.2.1: required, however many are registered
        if scope.contains(OPENID) && !self.redirect_uri_given {
            return Err(Reason::MissingParameter("redirect_uri"));
        }
        let mut claims = asked_claims(parameters)?;
        // OpenID Connect Core §5.5: claims that no granted scope releases are left out, essential or not
        claims.in_id_token.retain(|name| scope.contains(OPENID) && server.releases().has(&scope, name));
        let in_id_token = std::mem::take(&mut claims.in_id_token);
        Ok(AuthorizationRequest {
            client_id: self.client.client_id.clone(),
            redirect_uri: self.destination.uri.clone(),
            challenge: challenge(&self.client, parameters)?,
            key: key(server, parameters)?,
            without_refresh: !server.lasts(&self.client, &scope),
            scope,
            resources: server.asked_resources(&self.client, parameters)?,
            state: state.map(str::to_owned),
            nonce: nonce.map(str::to_owned),
            in_id_token,
            requirements: requirements(server, http, parameters, claims)?,
            remember: false,
            device: None,
            push: None,
            page: None,
        })
    }
}

/// The client as it is known now, and where its answer goes.
async fn known(
    server: &Server,
    client: Arc<RegisteredClient>,
    destination: Destination,
    subject: &str,
) -> Result<(Arc<RegisteredClient>, Destination), Reason> {
    if destination.is_registered {
        return Ok((client, destination));
    }
    let client = server.clients().known(client, subject).await?;
    let destination = client.destination(&destination.uri).ok_or(Reason::UnknownRedirectUri)?;
    Ok((client, destination))
}

/// What the client gets back unchanged (RFC 6749 §4.1.2).
pub(crate) fn state<'a>(parameters: &'a Parameters<'_>) -> Result<Option<&'a str>, Reason> {
    Ok(parameters.get("state", MAX_STATE_BYTES)?)
}

/// Unsupported parts of OpenID Connect (OpenID Connect Core §6, §7.2.1).
fn unsupported(parameters: &Parameters<'_>) -> Result<(), Reason> {
    for (name, reason) in [
        ("request", Reason::RequestObject),
        ("request_uri", Reason::RequestUri),
        ("registration", Reason::Registration),
    ] {
        if parameters.get(name, MAX_UNSUPPORTED_BYTES)?.is_some() {
            return Err(reason);
        }
    }
    Ok(())
}

fn asked_claims(parameters: &Parameters<'_>) -> Result<AskedClaims, Reason> {
    let asked = parameters.get("claims", MAX_CLAIMS_BYTES)?;
    asked.map_or(Ok(AskedClaims::default()), |json| json.parse().map_err(|Malformed| Reason::ClaimsMalformed))
}

/// The ways in which the user may sign in, by `acr_values` and by the claim `acr`: those in both, if both name any.
fn ways(server: &Server, acr_values: &str, claims: &AskedClaims) -> Result<Vec<String>, Reason> {
    let known = |acr: &&str| server.knows_acr(acr);
    let of_values: Vec<&str> = acr_values.split(' ').filter(known).collect();
    let of_claim: Vec<&str> = claims.acr.iter().map(String::as_str).filter(known).collect();
    let ways: Vec<&str> = match (of_values.is_empty(), of_claim.is_empty()) {
        (_, true) => of_values,
        (true, false) => of_claim.clone(),
        (false, false) => of_claim.iter().copied().filter(|acr| of_values.contains(acr)).collect(),
    };
    // OpenID Connect Core §5.5.1.1: if an essential claim cannot be met, signing in has failed
    let is_never_met = claims.is_acr_essential && !claims.acr.is_empty() && of_claim.is_empty();
    if is_never_met || (ways.is_empty() && !of_claim.is_empty()) {
        return Err(Reason::AcrUnmet);
    }
    Ok(ways.into_iter().map(str::to_owned).collect())
}

/// OAuth 2.1 §4.1.2.1: a client must send one; left out, the method would mean plain (RFC 7636 §4.3).
fn challenge(client: &RegisteredClient, parameters: &Parameters<'_>) -> Result<Option<Challenge>, Reason> {
    let challenge = parameters.get("code_challenge", 256)?;
    match (challenge, parameters.get("code_challenge_method", 64)?) {
        (Some(challenge), Some("S256")) => challenge.parse().map(Some).map_err(|_| Reason::ChallengeMalformed),
        (Some(_), Some(_) | None) => Err(Reason::ChallengeMethod),
        // OAuth 2.1 §7.5.1: for a confidential client that the author vouches for
        (None, None) if client.may_omit_pkce => Ok(None),
        (None, _) => Err(Reason::ChallengeMissing),
    }
}

/// The key that the code is bound to (RFC 9449 §10), if this service accepts proofs.
fn key(server: &Server, parameters: &Parameters<'_>) -> Result<Option<Thumbprint>, Reason> {
    let named = parameters.get(KEY, 256)?.filter(|_| server.protection().proofs.is_some());
    named.map(|named| named.parse().map_err(|_| Reason::KeyMalformed)).transpose()
}

/// RFC 6749 §3.3: scopes that are unknown, or not for this client, are left out, and the answer says what was granted.
pub(crate) fn scope(server: &Server, client: &RegisteredClient, parameters: &Parameters<'_>) -> Result<Scope, Reason> {
    let Some(asked) = server.asked_scope(parameters)? else {
        return Ok(server.offered(client, server.default_scope()));
    };
    let offered = server.offered(client, &asked);
    if offered.is_empty() && !asked.is_empty() { Err(Reason::ScopeUnknown) } else { Ok(offered) }
}

/// How the user has to be authenticated (OpenID Connect Core §3.1.2.1, RFC 9470 §4).
fn requirements(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    claims: AskedClaims,
) -> Result<Requirements, Reason> {
    let max_age = match parameters.get("max_age", 32)?.map(str::parse::<u64>) {
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return Err(Reason::MaxAgeMalformed),
        None => None,
    };
    let acr = parameters.get("acr_values", 512)?.unwrap_or_default();
    let mut requirements = Requirements {
        prompt: prompts(parameters)?,
        max_age,
        signed_in_since: None,
        acr: ways(server, acr, &claims)?,
        subject: None,
        subjects: claims.subjects,
        login_hint: login_hint(parameters)?,
        language: language::asked(http, server, language::named(parameters)?),
    };
    requirements.signed_in_since = signed_in_since(server, &requirements);
    Ok(requirements)
}

/// A hint that cannot be a name is ignored; two are an error, as of any parameter (RFC 6749 §3.1).
fn login_hint(parameters: &Parameters<'_>) -> Result<Option<String>, BadParameter> {
    match parameters.get("login_hint", 256) {
        Ok(hint) => Ok(hint.map(str::to_owned)),
        Err(BadParameter::TooLong(_) | BadParameter::Encoding(_)) => Ok(None),
        Err(twice @ BadParameter::Repeated(_)) => Err(twice),
    }
}

/// The time since which a sign-in is recent enough: processes that share a store may be a moment apart.
pub(crate) fn signed_in_since(server: &Server, requirements: &Requirements) -> Option<Timestamp> {
    let now = server.now().seconds();
    let since = if requirements.want_a_sign_in() {
        now
    } else {
        // Both are whole seconds, so the real age may be nearly a second more.
        now.saturating_sub(requirements.max_age?).saturating_add(1)
    };
    Some(Timestamp::from_seconds(since.saturating_sub(server.ledger().slack().as_secs())))
}

/// The pages that a request wants shown; empty for `none`, which [`is_silent`] checks.
fn prompts(parameters: &Parameters<'_>) -> Result<Vec<Prompt>, Reason> {
    let words = parameters.get("prompt", MAX_PROMPT_BYTES)?.unwrap_or_default();
    if words.trim() == NO_PROMPT {
        return Ok(Vec::new());
    }
    let words = words.split(' ').filter(|word| !word.is_empty());
    let prompt = |word: &str| Prompt::ALL.iter().find(|prompt| prompt.as_str() == word).copied();
    words.map(|word| prompt(word).ok_or(Reason::PromptUnknown)).collect()
}

/// Whether no page may be shown (`prompt=none`).
pub(crate) fn is_silent(parameters: &Parameters<'_>) -> Result<bool, Reason> {
    Ok(parameters.get("prompt", MAX_PROMPT_BYTES)?.is_some_and(|words| words.trim() == NO_PROMPT))
}

/// The values of `prompt`, as in the metadata.
pub(crate) fn known_prompts() -> Vec<&'static str> {
    std::iter::once(NO_PROMPT).chain(Prompt::ALL.iter().map(|prompt| prompt.as_str())).collect()
}

/// RFC 9449 §10
pub(crate) const KEY: &str = "dpop_jkt";
const NO_PROMPT: &str = "none";
const MAX_PROMPT_BYTES: usize = 256;
/// It has to fit into an answer together with a code and the cookies.
const MAX_STATE_BYTES: usize = 1024;
const MAX_NONCE_BYTES: usize = 512;
pub(crate) const MAX_URI_BYTES: usize = 2048;
const MAX_UNSUPPORTED_BYTES: usize = 8 * 1024;
const MAX_CLAIMS_BYTES: usize = 4 * 1024;
