//! The grant `authorization_code` (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3).

use crate::endpoints::token::access_token::{Access, Issued};
use crate::endpoints::token::refresh_token::{self, RefreshGrant};
use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationCode;
use crate::model::form::Parameters;
use crate::model::lifetime::SLOWEST_ANSWER;
use crate::model::pkce::Verifier;
use crate::seal::{NotOpened, Opened, Sealable as _};
use crate::server::Server;
use crate::sign_in::request::MAX_URI_BYTES;
use crate::standing::{self, Ended, HandedOut, remembered_until};
use crate::store::Spend;

pub(crate) async fn redeem(
    server: &Server,
    client: &RegisteredClient,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    let code = parameters.get("code", AuthorizationCode::MAX_BYTES)?.ok_or(Reason::MissingParameter("code"))?;
    let redirect_uri = parameters.get("redirect_uri", MAX_URI_BYTES)?;
    // RFC 7636 §4.5; every code here was asked for with a challenge, so there is none without a verifier
    let verifier = parameters.get("code_verifier", 1024)?.ok_or(Reason::MissingParameter("code_verifier"))?;
    let verifier: Verifier = verifier.parse().map_err(|_| Reason::VerifierMalformed)?;
    let asked = server.asked_resources(parameters)?;

    let Opened { value: code, issued_at: sealed_at, expires_at } = opened(server, code)?;
    // RFC 6749 §5.2: issued to another client
    if code.client_id != client.id {
        return Err(Reason::CodeOfAnotherClient);
    }
    // OAuth 2.1 §10.2: named in the authorization request, it has to come again; left out there, it may be here
    let matches = match redirect_uri {
        Some(uri) => uri == code.redirect_uri,
        None => !code.redirect_uri_given,
    };
    if !matches {
        return Err(Reason::RedirectUriMismatch);
    }
    // RFC 7636 §4.6
    if !code.challenge.matches(&verifier) {
        return Err(Reason::VerifierMismatch);
    }
    // RFC 8707 §2.2: no resource that was not granted; none named means all that were
    let resources = code.resources.narrowed(asked, server.audience())?;

    // Read the clock before the sign-out: one that comes between the two then finds this token too old.
    let issued_at = server.issue_time().await?;
    // Whether it was used before is decided where it is spent.
    let handed = HandedOut::of_sign_in(sealed_at, &code.subject, &code.authentication, None);
    standing::check(server.store(), handed).await?.map_err(|ended| match ended {
        Ended::Forgotten => Reason::CodeForgotten,
        Ended::SignedOut | Ended::Revoked => Reason::SignedOut,
    })?;

    // The family begins before the code is spent, so that a store that fails between the two has cost nothing.
    let grant = RefreshGrant {
        id: &code.grant,
        subject: &code.subject,
        scope: &code.scope,
        resources: &code.resources,
        authentication: &code.authentication,
    };
    let refresh_token = refresh_token::first(server, client, grant, issued_at).await?;
    // Only now is it spent: a thief without the verifier cannot make the code useless to its owner.
    spend(server, client, &code, expires_at, issued_at).await?;
    let access = Access {
        grant: &code.grant,
        client_id: &client.id,
        subject: &code.subject,
        scope: code.scope,
        resources,
        authentication: Some(&code.authentication),
        issued_at,
        claims: code.claims,
        nonce: code.nonce,
    };
    access.issue(server, refresh_token).await
}

fn opened(server: &Server, code: &str) -> Result<Opened<AuthorizationCode>, Reason> {
    server.sealer().open::<AuthorizationCode>(code, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::CodeForged,
        NotOpened::Expired => Reason::CodeExpired,
    })
}

/// RFC 6749 §4.1.2: a code is used once; what was issued from one that comes twice is revoked.
async fn spend(
    server: &Server,
    client: &RegisteredClient,
    code: &AuthorizationCode,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Reason> {
    match server.store().spend(&code.grant, &client.id, expires_at + SLOWEST_ANSWER).await? {
        Spend::First => Ok(()),
        Spend::Already(_) => {
            server.store().revoke(&code.grant, remembered_until(now, code.authentication.until)).await?;
            tracing::warn!(target: "oauth", subject = code.subject, client = client.id, grant = code.grant, "a code was replayed: its grant is revoked");
            Err(Reason::CodeReplayed)
        }
    }
}
