//! The grant `authorization_code` (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3).

use crate::endpoints::token::access_token::{Access, Issued, IssuedBy};
use crate::endpoints::token::caller::Caller;
use crate::endpoints::token::refresh_token;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::Timestamp;
use crate::model::ceiling::Wanted;
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationCode, uri_digest};
use crate::model::form::Parameters;
use crate::model::pkce::Verifier;
use crate::model::record::{Full, Grant, Record, Redeemed};
use crate::model::resource::Resources;
use crate::model::session::Authentication;
use crate::seal::{NotOpened, Opened};
use crate::server::Server;
use crate::server::granting::InTheNameOf;
use crate::sign_in::request::MAX_URI_BYTES;
use crate::standing::{Decision, Ended, HandedOut, HandedOutGrant, View};

pub(crate) async fn redeem(server: &Server, caller: Caller<'_>, parameters: &Parameters<'_>) -> Result<Issued, Reason> {
    let client = caller.client;
    let code = parameters.held("code")?.ok_or(Reason::MissingInForm("code"))?;
    let redirect_uri = parameters.get("redirect_uri", MAX_URI_BYTES)?;
    let verifier = parameters.get("code_verifier", 1024)?.map(str::parse::<Verifier>);
    let verifier = verifier.transpose().map_err(|_| Reason::VerifierMalformed)?;
    let asked = server.asked_resources(client, parameters)?;

    let Opened { value: code, expires_at, .. } = opened(server, code)?;
    // RFC 6749 §5.2: issued to another client
    if code.client_id != client.id {
        return Err(Reason::CodeOfAnotherClient);
    }
    check_binding(client, &code, redirect_uri, verifier.as_ref())?;
    // RFC 9449 §10: the key of the authorization request
    if code.key.is_some() && code.key.as_ref() != caller.key() {
        return Err(Reason::CodeOfAnotherKey);
    }
    issue(server, caller, (code, expires_at), asked, "authorization_code").await
}

/// Issues what a user granted, once: this spends the code, which is valid until then.
pub(super) async fn issue(
    server: &Server,
    caller: Caller<'_>,
    (mut code, expires_at): (AuthorizationCode, Timestamp),
    asked: Resources,
    told: &'static str,
) -> Result<Issued, Reason> {
    let Caller { client, proof } = caller;
    // RFC 8707 §2.2: no resource that was not granted; if none is named, all that were
    let resources = code.resources.narrowed(asked, server.audience())?;
    // RFC 6749 §3.3: by the current configuration, which may allow less than when the code was made
    let user = InTheNameOf::User { subject: &code.subject, claims: &code.claims };
    let granted =
        server.grant(client, &code.scope, Wanted::Granted(&resources), user)?.within_offer(code.without_refresh);

    let family = refresh_token::family(server, client, &code, granted.lasts(), server.now());
    let (claims, nonce) = (std::mem::take(&mut code.claims), code.nonce.take());
    let access = Access {
        told: Fact::of(EventKind::TokenIssued).reason(told),
        grant: &code.grant,
        client,
        proof,
        subject: &code.subject,
        granted,
        authentication: Some(&code.authentication),
        is_renewable: family.is_some(),
        claims,
        nonce,
        in_id_token: &code.in_id_token,
    };
    let access = access.checked(server).await?;

    // It is spent only now: a thief without the verifier cannot make the code useless to its owner.
    let tells = client.logout_uri.is_some() && access.is_openid();
    let view = spent(server, client, &code, (family.as_ref(), tells), expires_at).await?;
    let issued = IssuedBy { as_of: view.as_of(), at: server.now() };
    let refresh_token = match &family {
        Some(family) => Some(refresh_token::first(server, caller, &code, family, issued)?),
        None => None,
    };
    access.issue(server, issued, refresh_token)
}

/// Checks that the code comes from the client's own session: by PKCE, or for a client without PKCE by what remains.
fn check_binding(
    client: &RegisteredClient,
    code: &AuthorizationCode,
    redirect_uri: Option<&str>,
    verifier: Option<&Verifier>,
) -> Result<(), Reason> {
    // OAuth 2.1 §10.2: PKCE binds the code, so this may be left out; if present, it must be the same
    if redirect_uri.is_some_and(|uri| uri_digest(uri) != code.redirect_uri) {
        return Err(Reason::RedirectUriMismatch);
    }
    match (&code.challenge, verifier) {
        // RFC 7636 §4.6
        (Some(challenge), Some(verifier)) if challenge.matches(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(Reason::VerifierMismatch),
        (Some(_), None) => Err(Reason::VerifierMissing),
        // RFC 9700 §4.8.2: an attacker removed the challenge from the authorization request
        (None, Some(_)) => Err(Reason::VerifierWithoutChallenge),
        // By the current configuration
        (None, None) if !client.may_omit_pkce => Err(Reason::CodeWithoutChallenge),
        // RFC 6749 §4.1.3: then it is what binds the code
        (None, None) if redirect_uri.is_none() => Err(Reason::RedirectUriMismatch),
        (None, None) => Ok(()),
    }
}

/// Spends the code and begins its family, or, if it came before, ends what it gave: in one step.
async fn spent(
    server: &Server,
    client: &RegisteredClient,
    code: &AuthorizationCode,
    (family, tells): (Option<&Grant>, bool),
    expires_at: Timestamp,
) -> Result<View, Reason> {
    let Authentication { as_of, session, .. } = &code.authentication;
    let redeem = |record: &mut Record, now: Timestamp| {
        // A code that came twice has ended its grant already, and must end it again.
        let is_replay = record.is_spent(&code.grant);
        let grant = HandedOutGrant { id: &code.grant, client: &client.id, has_family: false };
        let grant = (!is_replay).then_some(grant);
        record.judge(&HandedOut { sequence: as_of.sequence, session: session.as_deref(), grant }, now)?;
        let redeemed = record.redeem(&code.grant, &client.id, expires_at, family.cloned(), now);
        if let (true, Ok(Redeemed::First), Some(session)) = (tells, redeemed, session)
            && !record.tell_at_end(session, &client.id)
        {
            tracing::warn!(target: "oauth", client = client.id, "this client will not be notified when its session ends: the session has as many such clients as it may");
        }
        Ok(match redeemed {
            Ok(Redeemed::First | Redeemed::Replayed) => Decision::Write(redeemed),
            Ok(Redeemed::Expired) | Err(Full) => Decision::Keep(redeemed),
        })
    };
    let redeemed = server.ledger().change(&*code.subject, Some(*as_of), redeem).await;
    let (redeemed, view) = redeemed.map_err(|why| {
        why.into_reason(|ended| match ended {
            Ended::Forgotten => Reason::CodeForgotten,
            Ended::SignedOut => Reason::SignedOut,
            Ended::Revoked => Reason::GrantEnded,
        })
    })?;
    match redeemed {
        Ok(Redeemed::First) => Ok(view),
        // RFC 6749 §4.1.2: if a code comes twice, what was issued from it is revoked
        Ok(Redeemed::Replayed) => {
            let replayed = Fact::of(EventKind::CodeReplayed);
            server.tell(replayed.subject(&code.subject).client(&client.id).grant(&code.grant));
            Err(Reason::CodeReplayed)
        }
        Ok(Redeemed::Expired) => Err(Reason::CodeExpired),
        Err(Full) => {
            server.tell(Fact::of(EventKind::Throttled).subject(&code.subject).client(&client.id).reason("grants"));
            Err(Reason::TooManyGrants)
        }
    }
}

fn opened(server: &Server, code: &str) -> Result<Opened<AuthorizationCode>, Reason> {
    server.sealer().open::<AuthorizationCode>(code, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::CodeForged,
        NotOpened::Expired => Reason::CodeExpired,
    })
}
