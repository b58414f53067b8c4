//! The grant `refresh_token` (RFC 6749 §6, OAuth 2.1 §4.3, RFC 9700 §2.2.2).

use crate::endpoints::token::{Access, Issued};
use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::model::refresh::{GRACE, RefreshLifetimes, RefreshToken};
use crate::model::resource::Resources;
use crate::model::session::Authentication;
use crate::model::{Scope, Timestamp};
use crate::seal::{NotOpened, Sealable as _};
use crate::server::OAuthService;
use crate::store::Advance;

pub(crate) async fn refresh(
    oauth: &OAuthService,
    client: &RegisteredClient,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    let refreshing = oauth.0.refreshing.as_ref().ok_or(Reason::UnsupportedGrantType)?;
    let token =
        parameters.get("refresh_token", RefreshToken::MAX_BYTES)?.ok_or(Reason::MissingParameter("refresh_token"))?;
    let scope = match parameters.get("scope", Scope::MAX_BYTES)? {
        Some(text) => Some(text.parse::<Scope>().map_err(|_| Reason::ScopeMalformed)?),
        None => None,
    };
    let asked = oauth.asked_resources(parameters)?;
    let opened = oauth.0.sealer.open::<RefreshToken>(token, oauth.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::RefreshTokenForged,
        // OAuth 2.1 §4.3.3: not used for too long, or too old whatever its use
        NotOpened::Expired => Reason::RefreshTokenExpired,
    })?;
    let token = opened.value;
    // Lifetimes that were shortened since count for what was issued before: no longer is a revocation remembered.
    let RefreshLifetimes { idle, absolute } = refreshing.lifetimes;
    if (opened.issued_at + idle).min(token.how.at + absolute) <= oauth.now() {
        return Err(Reason::RefreshTokenExpired);
    }
    // A store that forgot what was revoked takes nothing from before.
    if opened.issued_at <= oauth.0.store.birth().await? {
        return Err(Reason::RefreshTokenForgotten);
    }
    // RFC 6749 §6: bound to the client it was issued to
    if token.client_id != client.id {
        return Err(Reason::RefreshTokenOfAnotherClient);
    }
    // RFC 6749 §6: no scope that was not granted; none asked for means all that was
    let scope = match scope {
        Some(scope) if scope.is_subset(&token.scope) => scope,
        Some(_) => return Err(Reason::ScopeGrown),
        None => token.scope.clone(),
    };
    // RFC 8707 §2.2: nor a resource that was not
    let resources = token.resources.narrowed(asked, &oauth.0.expected.audience)?;
    // Read the clock before the sign-out: one that comes between the two then finds this token too old.
    let issued_at = oauth.issue_time().await?;
    if oauth.0.store.not_before(&token.subject).await?.is_some_and(|at| token.how.at <= at) {
        return Err(Reason::SignedOut);
    }
    if let Some(session) = &token.how.session
        && oauth.0.store.is_revoked(session).await?
    {
        return Err(Reason::SignedOut);
    }
    // What has ended costs the author's database nothing.
    if oauth.0.store.is_revoked(&token.grant).await? {
        return Err(Reason::GrantEnded);
    }
    let Some(claims) = refreshing.reload.claims_of(&token.subject).await? else {
        oauth.0.store.revoke(&token.grant, oauth.grant_ends(issued_at)).await?;
        tracing::info!(target: "oauth", client = client.id, grant = token.grant, "no such user any more: the grant is revoked");
        return Err(Reason::SubjectGone);
    };

    // Only now does the family move on: whatever failed before has cost the client nothing.
    // OAuth 2.1 §4.3.1: a new one for each use, and the end of all where an old one comes back
    let ends = oauth.grant_ends(issued_at);
    let generation = match oauth.0.store.advance(&token.grant, token.generation, GRACE, ends).await? {
        Advance::Advanced(generation) | Advance::Grace(generation) => generation,
        Advance::Reused => {
            tracing::warn!(target: "oauth", client = client.id, grant = token.grant, "a refresh token was reused: its grant is revoked");
            return Err(Reason::RefreshTokenReused);
        }
        Advance::Ended => return Err(Reason::GrantEnded),
    };
    let token = RefreshToken { generation, ..token };
    let next = sealed(oauth, &token, issued_at)?;
    let access = Access {
        grant: &token.grant,
        client_id: &client.id,
        subject: &token.subject,
        scope,
        resources,
        how: Some(&token.how),
        issued_at,
        claims,
        // OpenID Connect Core §12.2: that of the first one is not repeated
        nonce: None,
    };
    access.issue(oauth, Some(next))
}

/// The first of a family, if this client may have one. The store knows of it before the client does: an absent family is
/// a dead one.
pub(crate) async fn first(
    oauth: &OAuthService,
    client: &RegisteredClient,
    grant: RefreshGrant<'_>,
    issued_at: Timestamp,
) -> Result<Option<String>, Reason> {
    let Some(refreshing) = &oauth.0.refreshing else { return Ok(None) };
    let asked = !refreshing.needs_offline_access || grant.scope.contains(OFFLINE_ACCESS);
    if !client.may_refresh || !asked {
        return Ok(None);
    }
    let token = RefreshToken {
        grant: grant.id.to_owned(),
        generation: 0,
        client_id: client.id.clone(),
        subject: grant.subject.to_owned(),
        scope: grant.scope.clone(),
        resources: grant.resources.clone(),
        how: grant.how.clone(),
        ends_at: grant.how.at + refreshing.lifetimes.absolute,
    };
    let sealed = sealed(oauth, &token, issued_at)?;
    oauth.0.store.begin(grant.id, oauth.grant_ends(issued_at)).await?;
    Ok(Some(sealed))
}

/// What a family of refresh tokens begins with.
pub(crate) struct RefreshGrant<'a> {
    pub(crate) id: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) resources: &'a Resources,
    pub(crate) how: &'a Authentication,
}

fn sealed(oauth: &OAuthService, token: &RefreshToken, issued_at: Timestamp) -> Result<String, Reason> {
    let refreshing = oauth.0.refreshing.as_ref().ok_or(Reason::Internal)?;
    let expires_at = (issued_at + refreshing.lifetimes.idle).min(token.ends_at);
    oauth.0.sealer.seal(token, issued_at, expires_at).map_err(|why| {
        tracing::error!(target: "oauth", ?why, "a refresh token could not be sealed");
        Reason::Internal
    })
}

/// OpenID Connect Core §11
const OFFLINE_ACCESS: &str = "offline_access";
