//! The grant `refresh_token` (RFC 6749 §6, OAuth 2.1 §4.3, RFC 9700 §2.2.2).

use crate::endpoints::token::access_token::{Access, Issued, IssuedBy};
use crate::endpoints::token::caller::Caller;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::ceiling::Wanted;
use crate::model::claims::OFFLINE_ACCESS;
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationCode;
use crate::model::form::Parameters;
use crate::model::lifetime::{LONGEST_ACCESS_TOKEN, LONGEST_GRACE, Lifetimes, SLOWEST_ANSWER};
use crate::model::proof::Thumbprint;
use crate::model::record::{Family, Grant, Record, Rotated};
use crate::model::refresh::RefreshToken;
use crate::model::session::Authentication;
use crate::seal::NotOpened;
use crate::server::granting::InTheNameOf;
use crate::server::{Refreshing, Server};
use crate::standing::{Decision, Ended, HandedOut, HandedOutGrant, Refused, Whose};

pub(crate) async fn refresh(
    server: &Server,
    caller: Caller<'_>,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    let client = caller.client;
    let refreshing = server.refreshing().ok_or(Reason::UnsupportedGrantType)?;
    let token = parameters.held("refresh_token")?.ok_or(Reason::MissingInForm("refresh_token"))?;
    let scope = server.asked_scope(parameters)?;
    let asked = server.asked_resources(client, parameters)?;
    let token = opened(server, refreshing, token)?;
    // RFC 6749 §6: bound to the client it was issued to
    if token.client_id != client.id {
        return Err(Reason::RefreshTokenOfAnotherClient);
    }
    // RFC 9449 §5: and to the key
    if token.key.is_some() && token.key.as_ref() != caller.key() {
        return Err(Reason::RefreshTokenOfAnotherKey);
    }
    // OpenID Connect Core §11: lasting access came from that scope, and ends with it
    let came_of_scope = refreshing.needs_offline_access && token.scope.contains(OFFLINE_ACCESS);
    if came_of_scope && !client.ceiling.of_users.contains(OFFLINE_ACCESS) {
        return Err(Reason::GrantNotForClient);
    }
    // RFC 8707 §2.2: nor a resource that was not granted
    let resources = token.resources.narrowed(asked, server.audience())?;

    let whose = Whose::from(&*token.subject);
    let handed = HandedOut {
        sequence: token.authentication.as_of.sequence,
        session: token.authentication.session.as_deref(),
        grant: Some(HandedOutGrant { id: &token.grant, client: &client.id, has_family: true }),
    };
    // A grant that has ended costs the author's database nothing.
    server.ledger().check(whose.key, token.authentication.as_of, handed).await.map_err(refused)?;
    let Some(claims) = refreshing.reload.claims_of(&token.subject).await? else {
        server.end_grant(&token.subject, &client.id, &token.grant).await?;
        let revoked = Fact::of(EventKind::Revoked).subject(&token.subject).client(&client.id).grant(&token.grant);
        server.tell(revoked.reason("user_gone"));
        return Err(Reason::SubjectGone);
    };

    // RFC 6749 §3.3: by the current configuration and user, which may allow less than what was granted. Clients repeat what
    // they asked for at first: what is unknown, not for this client or not for this user is left out here as it was there.
    let user = InTheNameOf::User { subject: &token.subject, claims: &claims };
    let grant = |scope| server.grant(client, scope, Wanted::Granted(&resources), user);
    let granted = grant(scope.as_ref().unwrap_or(&token.scope))?;
    // RFC 6749 §6: and no scope that was not granted
    if !granted.scope().is_subset(&token.scope) {
        return Err(Reason::ScopeGrown);
    }
    // Lasting access ends as well once its user may not grant it. The request may leave its scope out for this one token.
    if came_of_scope && !granted.lasts() && !grant(&token.scope)?.lasts() {
        return Err(Reason::LastingNotForUser);
    }

    let access = Access {
        told: Fact::of(EventKind::Refreshed),
        grant: &token.grant,
        client,
        proof: caller.proof,
        subject: &token.subject,
        granted,
        authentication: Some(&token.authentication),
        is_renewable: true,
        claims,
        // OpenID Connect Core §12.2: the nonce of the first one is not repeated
        nonce: None,
        in_id_token: &token.in_id_token,
    };
    let access = access.checked(server).await?;

    // The family moves on only now: failures before this cost the client nothing.
    let (generation, as_of) = rotated(server, refreshing, client, (whose, &token)).await?;
    let authentication = Authentication { as_of, ..token.authentication.clone() };
    let next = RefreshToken { generation, authentication, key: key_of(caller), ..token.clone() };
    let issued = IssuedBy { as_of, at: server.now() };
    let next = sealed(server, refreshing, &next, issued.at)?;
    access.issue(server, issued, Some(next))
}

fn opened(server: &Server, refreshing: &Refreshing, token: &str) -> Result<RefreshToken, Reason> {
    let opened = server.sealer().open::<RefreshToken>(token, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::RefreshTokenForged,
        // OAuth 2.1 §4.3.3: not used for too long, or too old whatever its use
        NotOpened::Expired => Reason::RefreshTokenExpired,
    })?;
    // Lifetimes that were shortened since apply to what was issued before.
    let Lifetimes { idle, absolute } = refreshing.lifetimes;
    if (opened.issued_at + idle).min(opened.value.authentication.at + absolute) <= server.now() {
        return Err(Reason::RefreshTokenExpired);
    }
    Ok(opened.value)
}

fn refused(why: Refused) -> Reason {
    why.into_reason(|ended| match ended {
        Ended::Forgotten => Reason::RefreshTokenForgotten,
        Ended::SignedOut => Reason::SignedOut,
        Ended::Revoked => Reason::GrantEnded,
    })
}

/// OAuth 2.1 §4.3.1: a new one for each use, and the end of the grant if an old one comes back.
async fn rotated(
    server: &Server,
    refreshing: &Refreshing,
    client: &RegisteredClient,
    (whose, token): (Whose<'_>, &RefreshToken),
) -> Result<(u64, AsOf), Reason> {
    let handed = HandedOut {
        sequence: token.authentication.as_of.sequence,
        session: token.authentication.session.as_deref(),
        grant: None,
    };
    let rotate = |record: &mut Record, now: Timestamp| {
        record.judge(&handed, now)?;
        let until = family_lives_until(refreshing, now);
        Ok(match record.rotate(&token.grant, token.generation, refreshing.grace, until, now) {
            rotated @ (Rotated::Next(_) | Rotated::Reused) => Decision::Write(rotated),
            rotated @ (Rotated::Grace(_) | Rotated::Ended) => Decision::Keep(rotated),
        })
    };
    let changed = server.ledger().change(whose, Some(token.authentication.as_of), rotate).await;
    let (rotated, view) = changed.map_err(refused)?;
    match rotated {
        Rotated::Next(generation) | Rotated::Grace(generation) => Ok((generation, view.as_of())),
        Rotated::Reused => {
            let reused = Fact::of(EventKind::RefreshTokenReused);
            server.tell(reused.subject(&token.subject).client(&client.id).grant(&token.grant));
            Err(Reason::RefreshTokenReused)
        }
        Rotated::Ended => Err(Reason::GrantEnded),
    }
}

/// The family that a code begins, if its client may have one.
pub(crate) fn family(
    server: &Server,
    client: &RegisteredClient,
    code: &AuthorizationCode,
    lasts: bool,
    now: Timestamp,
) -> Option<Grant> {
    let refreshing = server.refreshing()?;
    (lasts && ends_at(refreshing, code) > now).then(|| Grant {
        id: code.grant.clone(),
        client: client.id.clone(),
        name: client.unlisted.map(|_| client.name.clone()),
        session: code.authentication.session.clone(),
        scope: code.scope.clone(),
        resources: code.resources.clone(),
        begun: now,
        used: now,
        family: Family { generation: 0, since: now, until: family_lives_until(refreshing, now) },
    })
}

/// RFC 9449 §5: the refresh tokens of a public client are bound to its key. Any other client authenticates by its
/// credentials, and may change its key.
fn key_of(caller: Caller<'_>) -> Option<Thumbprint> {
    caller.key().filter(|_| caller.client.credentials.is_none()).cloned()
}

/// The first token of a family that has begun.
pub(crate) fn first(
    server: &Server,
    caller: Caller<'_>,
    code: &AuthorizationCode,
    family: &Grant,
    issued: IssuedBy,
) -> Result<String, Reason> {
    let refreshing = server.refreshing().ok_or(Reason::Internal)?;
    let token = RefreshToken {
        grant: family.id.clone(),
        generation: family.family.generation,
        client_id: family.client.clone(),
        subject: code.subject.clone(),
        scope: code.scope.clone(),
        resources: code.resources.clone(),
        in_id_token: code.in_id_token.clone(),
        key: key_of(caller),
        authentication: Authentication { as_of: issued.as_of, ..code.authentication.clone() },
        ends_at: ends_at(refreshing, code),
    };
    sealed(server, refreshing, &token, issued.at)
}

/// Not beyond the end of everything from its sign-in.
fn ends_at(refreshing: &Refreshing, code: &AuthorizationCode) -> Timestamp {
    let ends_at = code.authentication.at + refreshing.lifetimes.absolute;
    code.authentication.until.map_or(ends_at, |until| until.min(ends_at))
}

/// It has room: the code that it comes from contained all of it, and more.
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

/// Until when a family lives, unless it is used again: as long as its refresh token and its access tokens.
fn family_lives_until(refreshing: &Refreshing, used_at: Timestamp) -> Timestamp {
    used_at + refreshing.lifetimes.idle.max(LONGEST_ACCESS_TOKEN) + LONGEST_GRACE + SLOWEST_ANSWER
}
