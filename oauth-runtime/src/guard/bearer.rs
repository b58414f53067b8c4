//! The access token of a request: found, verified, and still good.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::OnceCell;

use crate::error::Reason;
use crate::guard::protection::Protection;
use crate::keys::{self, Registered, Verified};
use crate::model::Timestamp;
use crate::server::OAuthService;
use crate::store::Store;

/// The request's token, or why it has none that is good.
pub(crate) async fn verified(request: &HttpRequest, protection: &Arc<Protection>) -> Result<Arc<Verified>, Reason> {
    match present(request, protection) {
        Presented::Decided(result) => result,
        Presented::Asked(once) => once.answer().await,
        Presented::KeyUnknown => {
            protection.keys.fetch().await;
            match present(request, protection) {
                Presented::Decided(result) => result,
                Presented::Asked(once) => once.answer().await,
                Presented::KeyUnknown => Err(Reason::TokenSignature),
            }
        }
    }
}

pub(crate) enum Presented {
    Decided(Result<Arc<Verified>, Reason>),
    /// The store has to be asked, once however many guards and extractors want to know.
    Asked(Rc<Once>),
    /// The issuer may have a key that is not known here yet.
    KeyUnknown,
}

/// As far as can be told without waiting: all the way where the store is in memory, and then nothing is allocated for a
/// token that came before.
pub(crate) fn present(request: &HttpRequest, protection: &Arc<Protection>) -> Presented {
    if let Some(once) = request.extensions().get::<Rc<Once>>()
        && once.is_of(protection)
    {
        return Presented::Asked(Rc::clone(once));
    }
    let verified = match verify(request, protection) {
        Ok(verified) => verified,
        Err(Reason::KeyUnknown) => return Presented::KeyUnknown,
        Err(reason) => return Presented::Decided(Err(reason)),
    };
    let Some(store) = &protection.store else { return Presented::Decided(Ok(verified)) };
    if protection.token_cache.is_on()
        && let Some(standing) = standing_now(&verified.registered, store.as_ref())
    {
        return Presented::Decided(standing.map(|()| verified));
    }
    let once = Rc::new(Once { protection: Arc::clone(protection), verified, standing: OnceCell::new() });
    request.extensions_mut().insert(Rc::clone(&once));
    Presented::Asked(once)
}

/// A verified token whose standing is asked for once.
pub(crate) struct Once {
    protection: Arc<Protection>,
    verified: Arc<Verified>,
    standing: OnceCell<Result<(), Reason>>,
}

impl Once {
    fn is_of(&self, protection: &Arc<Protection>) -> bool {
        Arc::ptr_eq(&self.protection, protection)
    }

    pub(crate) async fn answer(&self) -> Result<Arc<Verified>, Reason> {
        let ask = async || match &self.protection.store {
            Some(store) => standing(&self.verified.registered, store.as_ref()).await,
            None => Ok(()),
        };
        self.standing.get_or_init(ask).await.clone()?;
        Ok(Arc::clone(&self.verified))
    }
}

fn verify(request: &HttpRequest, protection: &Protection) -> Result<Arc<Verified>, Reason> {
    let Protection { token_cache, keys, expected, clock, .. } = protection;
    let token = bearer(request)?;
    let now = clock.now();
    let generation = keys.generation();
    if let Some(verified) = token_cache.get(token, generation) {
        // RFC 7519 §4.1.4: on or after the expiry
        if verified.registered.expires_at + expected.leeway <= now {
            token_cache.forget(token);
            return Err(Reason::TokenExpired);
        }
        return Ok(verified);
    }
    let text = std::str::from_utf8(token).map_err(|_| Reason::AuthorizationMalformed)?;
    let verified = keys.verify(text, expected, now);
    let verified =
        Arc::new(verified.map_err(|reason| if is_b64token(token) { reason } else { Reason::AuthorizationMalformed })?);
    token_cache.keep(token, &verified, generation);
    Ok(verified)
}

/// Whether a verified token was revoked since, where the store knows without waiting.
fn standing_now(token: &Registered, store: &dyn Store) -> Option<Result<(), Reason>> {
    let birth = store.birth().if_now()?;
    let ended = |id: &Option<String>| id.as_ref().map_or(Some(Ok(false)), |id| store.is_revoked(id).if_now());
    let (revoked, signed_out) = (ended(&token.grant)?, ended(&token.session)?);
    let not_before = store.not_before(&token.subject).if_now()?;
    Some((|| judge(token, birth?, revoked? || signed_out?, not_before?))())
}

/// A token that was signed here for any audience, while it lasts: for the endpoints that a token is shown to rather than
/// used at.
pub(crate) fn verify_for_anyone(token: &str, oauth: &OAuthService) -> Option<Verified> {
    oauth.0.audiences.iter().find_map(|expected| oauth.0.keys.verify(token, expected, oauth.now()).ok())
}

/// Whether a verified token is as good as when it was issued.
pub(crate) async fn standing(token: &Registered, store: &dyn Store) -> Result<(), Reason> {
    let birth = store.birth().await?;
    let mut revoked = false;
    // What a session gave ends with it.
    for id in token.grant.iter().chain(&token.session) {
        revoked |= store.is_revoked(id).await?;
    }
    judge(token, birth, revoked, store.not_before(&token.subject).await?)
}

fn judge(token: &Registered, birth: Timestamp, revoked: bool, not_before: Option<Timestamp>) -> Result<(), Reason> {
    // A store that forgot what was revoked takes nothing from before.
    if token.issued_at <= birth {
        return Err(Reason::TokenForgotten);
    }
    if revoked || not_before.is_some_and(|not_before| token.issued_at <= not_before) {
        return Err(Reason::TokenRevoked);
    }
    Ok(())
}

/// The token of the `Authorization` header; from nowhere else (RFC 9700 §4.3.2, OAuth 2.1 §5.1).
fn bearer(request: &HttpRequest) -> Result<&[u8], Reason> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let value = match (headers.next(), headers.next()) {
        (None, _) => return Err(Reason::TokenMissing),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Reason::AuthorizationMalformed),
    };
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(space);
    // RFC 9110 §11.1: the scheme is compared without case
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Reason::TokenMissing);
    }
    let begin = token.iter().position(|byte| *byte != b' ').ok_or(Reason::AuthorizationMalformed)?;
    Ok(&token[begin..])
}

/// Of a token, wherever it is shown.
pub(crate) const MAX_BYTES: usize = keys::MAX_BYTES;

/// RFC 6750 §2.1. Asked only of what was refused: whatever verifies is of these characters.
fn is_b64token(token: &[u8]) -> bool {
    token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte))
}
