//! The grant `refresh_token` (RFC 6749 §6, OAuth 2.1 §4.3, RFC 9700 §2.2.2).

use crate::endpoints::token::access_token::{Access, Issued};
use crate::error::Reason;
use crate::model::claims::OFFLINE_ACCESS;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::model::lifetime::{GRACE, LONGEST_ACCESS_TOKEN, Lifetimes, SLOWEST_ANSWER};
use crate::model::refresh::RefreshToken;
use crate::model::resource::Resources;
use crate::model::session::Authentication;
use crate::model::{Scope, Timestamp};
use crate::seal::{NotOpened, Opened, Sealable as _};
use crate::server::{Refreshing, Server};
use crate::standing::{self, Ended, HandedOut, remembered_until};
use crate::store::Advance;

pub(crate) async fn refresh(
    server: &Server,
    client: &RegisteredClient,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    let refreshing = server.refreshing().ok_or(Reason::UnsupportedGrantType)?;
    let token =
        parameters.get("refresh_token", RefreshToken::MAX_BYTES)?.ok_or(Reason::MissingParameter("refresh_token"))?;
    let scope = server.asked_scope(parameters)?;
    let asked = server.asked_resources(parameters)?;
    let Opened { value: token, issued_at: sealed_at, .. } = opened(server, refreshing, token)?;
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
    let resources = token.resources.narrowed(asked, server.audience())?;

    // Read the clock before the sign-out: one that comes between the two then finds this token too old.
    let issued_at = server.issue_time().await?;
    // What has ended costs the author's database nothing.
    let handed = HandedOut::of_sign_in(sealed_at, &token.subject, &token.authentication, Some(&token.grant));
    standing::check(server.store(), handed).await?.map_err(|ended| match ended {
        Ended::Forgotten => Reason::RefreshTokenForgotten,
        Ended::SignedOut => Reason::SignedOut,
        Ended::Revoked => Reason::GrantEnded,
    })?;
    let Some(claims) = refreshing.reload.claims_of(&token.subject).await? else {
        server.store().revoke(&token.grant, remembered_until(issued_at, Some(token.ends_at))).await?;
        tracing::info!(target: "oauth", subject = token.subject, client = client.id, grant = token.grant, "no such user any more: the grant is revoked");
        return Err(Reason::SubjectGone);
    };

    // Only now does the family move on: whatever failed before has cost the client nothing.
    let generation = advanced(server, refreshing, client, &token, issued_at).await?;
    let token = RefreshToken { generation, ..token };
    let next = sealed(server, refreshing, &token, issued_at)?;
    let access = Access {
        grant: &token.grant,
        client_id: &client.id,
        subject: &token.subject,
        scope,
        resources,
        authentication: Some(&token.authentication),
        issued_at,
        claims,
        // OpenID Connect Core §12.2: that of the first one is not repeated
        nonce: None,
    };
    access.issue(server, Some(next)).await
}

fn opened(server: &Server, refreshing: &Refreshing, token: &str) -> Result<Opened<RefreshToken>, Reason> {
    let opened = server.sealer().open::<RefreshToken>(token, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::RefreshTokenForged,
        // OAuth 2.1 §4.3.3: not used for too long, or too old whatever its use
        NotOpened::Expired => Reason::RefreshTokenExpired,
    })?;
    // Lifetimes that were shortened since count for what was issued before.
    let Lifetimes { idle, absolute } = refreshing.lifetimes;
    if (opened.issued_at + idle).min(opened.value.authentication.at + absolute) <= server.now() {
        return Err(Reason::RefreshTokenExpired);
    }
    Ok(opened)
}

/// OAuth 2.1 §4.3.1: a new one for each use, and the end of all where an old one comes back.
async fn advanced(
    server: &Server,
    refreshing: &Refreshing,
    client: &RegisteredClient,
    token: &RefreshToken,
    now: Timestamp,
) -> Result<u64, Reason> {
    let until = family_lives_until(refreshing, now);
    match server.store().advance(&token.grant, token.generation, GRACE, until).await? {
        Advance::Advanced(generation) | Advance::Grace(generation) => Ok(generation),
        Advance::Reused => {
            // The family is gone with this call; that it was ended is remembered as any ending is.
            server.store().revoke(&token.grant, remembered_until(now, Some(token.ends_at))).await?;
            tracing::warn!(target: "oauth", subject = token.subject, client = client.id, grant = token.grant, "a refresh token was reused: its grant is revoked");
            Err(Reason::RefreshTokenReused)
        }
        Advance::Ended => Err(Reason::GrantEnded),
    }
}

/// The first of a family, if this client may have one. The store knows of it before the client does: an absent family is
/// a dead one.
pub(crate) async fn first(
    server: &Server,
    client: &RegisteredClient,
    grant: RefreshGrant<'_>,
    issued_at: Timestamp,
) -> Result<Option<String>, Reason> {
    let Some(refreshing) = server.refreshing() else { return Ok(None) };
    let asked = !refreshing.needs_offline_access || grant.scope.contains(OFFLINE_ACCESS);
    if !client.may_refresh || !asked {
        return Ok(None);
    }
    // Not beyond the end of all that its sign-in gives: for longer its session's end is not remembered.
    let ends_at = grant.authentication.at + refreshing.lifetimes.absolute;
    let ends_at = grant.authentication.until.map_or(ends_at, |until| until.min(ends_at));
    if ends_at <= issued_at {
        return Ok(None);
    }
    let token = RefreshToken {
        grant: grant.id.to_owned(),
        generation: 0,
        client_id: client.id.clone(),
        subject: grant.subject.to_owned(),
        scope: grant.scope.clone(),
        resources: grant.resources.clone(),
        authentication: grant.authentication.clone(),
        ends_at,
    };
    let sealed = sealed(server, refreshing, &token, issued_at)?;
    server.store().begin(grant.id, family_lives_until(refreshing, issued_at)).await?;
    Ok(Some(sealed))
}

/// What a family of refresh tokens begins with.
pub(crate) struct RefreshGrant<'a> {
    pub(crate) id: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) resources: &'a Resources,
    pub(crate) authentication: &'a Authentication,
}

fn sealed(
    server: &Server,
    refreshing: &Refreshing,
    token: &RefreshToken,
    issued_at: Timestamp,
) -> Result<String, Reason> {
    let expires_at = (issued_at + refreshing.lifetimes.idle).min(token.ends_at);
    server.sealer().seal(token, issued_at, expires_at).map_err(|why| {
        tracing::error!(target: "oauth", ?why, "a refresh token could not be sealed");
        Reason::Internal
    })
}

/// Until when the store has to know that a family lives, unless it is used again. Once that is forgotten the family is
/// taken to have ended, so this is no matter of safety; a reuse is remembered for as long as its access tokens can live.
fn family_lives_until(refreshing: &Refreshing, used_at: Timestamp) -> Timestamp {
    used_at + refreshing.lifetimes.idle.max(LONGEST_ACCESS_TOKEN) + GRACE + SLOWEST_ANSWER
}
