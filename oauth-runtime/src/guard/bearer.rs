//! The access token of a request: found, verified, and still valid.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::OnceCell;

use crate::error::Reason;
use crate::guard::near::{Known, Stood};
use crate::guard::on_page::OnPage;
use crate::guard::possession::{self, Presented, Scheme};
use crate::guard::proofs;
use crate::guard::protection::Protection;
use crate::keys::{Proof, Registered, Texts, Verified};
use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::standing::{Ended, HandedOut, HandedOutGrant, Ledger, Refused};

/// The request's token, or the user of a page, or why it has neither.
pub(crate) async fn of_request(request: &HttpRequest, protection: &Arc<Protection>) -> Result<Arc<Verified>, Reason> {
    match header_token(request, protection) {
        Ok(presented) => of_token(presented, request, protection).await,
        Err(reason) => OnPage::user(request, protection).ok_or(reason),
    }
}

/// The same for a token that may also come in a form in the body (RFC 6750 §2.2).
pub(crate) async fn of_request_or_form(
    request: &HttpRequest,
    in_form: Option<&str>,
    protection: &Arc<Protection>,
) -> Result<Arc<Verified>, Reason> {
    let presented = match (header_token(request, protection), in_form) {
        (Err(Reason::TokenMissing), Some(token)) => Presented { scheme: Scheme::Bearer, token: token.as_bytes() },
        // RFC 6750 §2: in one way only
        (Ok(_) | Err(_), Some(_)) => return Err(Reason::TokenInTwoPlaces),
        (in_header, None) => in_header?,
    };
    of_token(presented, request, protection).await
}

async fn of_token(
    presented: Presented<'_>,
    request: &HttpRequest,
    protection: &Arc<Protection>,
) -> Result<Arc<Verified>, Reason> {
    let mut lookup = looked_up(presented, request, protection);
    if let Lookup::KeysMissing(_) = lookup {
        protection.tokens.fetch_keys().await;
        lookup = looked_up(presented, request, protection);
    }
    match lookup {
        Lookup::Decided(result) => result.map(Known::into_shared),
        Lookup::Pending(standing) => standing.decided().await,
        Lookup::KeysMissing(reason) => Err(reason),
    }
}

/// How much is known about a token.
pub(crate) enum Lookup {
    Decided(Result<Known, Reason>),
    /// The store has to be asked, but only once for all guards and extractors.
    Pending(Rc<PendingStanding>),
    /// The issuer may have keys that are not known here yet; the reason if it has none.
    KeysMissing(Reason),
}

/// What is known without waiting: everything if the store is in memory, and then nothing is allocated for a token that
/// came before.
pub(crate) fn without_waiting(request: &HttpRequest, protection: &Arc<Protection>) -> Lookup {
    match header_token(request, protection) {
        Ok(presented) => looked_up(presented, request, protection),
        Err(reason) => Lookup::Decided(OnPage::user(request, protection).map(Known::Shared).ok_or(reason)),
    }
}

fn looked_up(presented: Presented<'_>, request: &HttpRequest, protection: &Arc<Protection>) -> Lookup {
    let Presented { scheme, token } = presented;
    if let Some(pending) = request.extensions().get::<Rc<PendingStanding>>()
        && pending.is_of(request, protection, presented)
    {
        return pending.lookup();
    }
    let (verified, now) = match from_cache_or_keys(token, request, protection) {
        Ok(verified) => verified,
        Err(Reason::KeyUnknown) => return Lookup::KeysMissing(Reason::TokenSignature),
        Err(Reason::IssuerAway) => return Lookup::KeysMissing(Reason::IssuerAway),
        Err(reason) => return Lookup::Decided(Err(reason)),
    };
    let is_plain = scheme == Scheme::Bearer && verified.registered.bound_to.is_none() && protection.takes_bearers();
    let proof = if is_plain {
        None
    } else {
        // On every use: a proof is for one request.
        match possession::check(request, protection, presented, &verified.registered) {
            Ok(proof) => proof,
            Err(reason) => return Lookup::Decided(Err(reason)),
        }
    };
    let spend_here = |proof: &Option<Proof>| match proof {
        Some(proof) => possession::spend_here(request, protection, token, proof),
        None => Ok(()),
    };
    let Some(ledger) = protection.tokens.ledger() else {
        return Lookup::Decided(spend_here(&proof).map(|()| verified));
    };
    // For a proof that is spent through the store, the store's answer has to be awaited.
    let is_proven_here = proof.is_none() || possession::is_spent_here(protection);
    let stands = is_proven_here.then(|| stands_now(&verified, ledger, now)).flatten();
    let stands = stands.map(|standing| standing.and_then(|()| spend_here(&proof)));
    if let Some(stands) = &stands
        && protection.token_cache.is_on()
    {
        return Lookup::Decided(stands.clone().map(|()| verified));
    }
    // The other guards of this request, and its extractors: they would verify it again.
    let pending = Rc::new(PendingStanding {
        protection: Arc::clone(protection),
        scheme,
        token: token.into(),
        shown: proofs::header(request).ok().flatten().map(Into::into),
        verified: verified.into_shared(),
        proof,
        stands: OnceCell::new_with(stands),
    });
    request.extensions_mut().insert(Rc::clone(&pending));
    pending.lookup()
}

/// A verified token whose standing is asked for once in a request.
pub(crate) struct PendingStanding {
    protection: Arc<Protection>,
    scheme: Scheme,
    token: Box<[u8]>,
    /// The text of the proof that came with it.
    shown: Option<Box<str>>,
    verified: Arc<Verified>,
    /// To be spent once the token stands.
    proof: Option<Proof>,
    stands: OnceCell<Result<(), Reason>>,
}

impl PendingStanding {
    /// A middleware between two guards may have changed the header.
    fn is_of(
        &self,
        request: &HttpRequest,
        protection: &Arc<Protection>,
        Presented { scheme, token }: Presented<'_>,
    ) -> bool {
        let is_same = Arc::ptr_eq(&self.protection, protection) && self.scheme == scheme && *self.token == *token;
        is_same && (scheme == Scheme::Bearer || proofs::header(request) == Ok(self.shown.as_deref()))
    }

    fn lookup(self: &Rc<Self>) -> Lookup {
        match self.stands.get() {
            Some(stands) => Lookup::Decided(stands.clone().map(|()| Known::Shared(Arc::clone(&self.verified)))),
            None => Lookup::Pending(Rc::clone(self)),
        }
    }

    pub(crate) async fn decided(&self) -> Result<Arc<Verified>, Reason> {
        let registered = &self.verified.registered;
        let ask = async || {
            if let Some(ledger) = self.protection.tokens.ledger() {
                let as_of = registered.as_of.ok_or(Reason::TokenForgotten)?;
                ledger.check_at_guard(registered.key, as_of, handed_out(registered, as_of)).await.map_err(reason)?;
            }
            match &self.proof {
                Some(proof) => possession::spend(&self.protection, proof).await,
                None => Ok(()),
            }
        };
        self.stands.get_or_init(ask).await.clone()?;
        Ok(Arc::clone(&self.verified))
    }
}

fn from_cache_or_keys(
    token: &[u8],
    request: &HttpRequest,
    protection: &Protection,
) -> Result<(Known, Timestamp), Reason> {
    let Protection { token_cache, tokens, expected, forged, .. } = protection;
    let malformed_or = |reason| if is_b64token(token) { reason } else { Reason::AuthorizationMalformed };
    // A token that is not a JWT is refused whatever the time and the keys are.
    if token.len() < SHORTEST_SIGNATURE && !token.contains(&b'.') {
        return Err(malformed_or(Reason::TokenMalformed));
    }
    let now = tokens.clock().now();
    let generation = tokens.generation(now)?;
    if let Some(verified) = token_cache.get_near(token, generation) {
        if verified.registered.is_expired(expected, now) {
            token_cache.forget(token);
            return Err(Reason::TokenExpired);
        }
        return Ok((verified, now));
    }
    let text = std::str::from_utf8(token).map_err(|_| Reason::AuthorizationMalformed)?;
    let is_costly = || tokens.ask_a_public_key(text);
    forged.check(request, now, is_costly)?;
    let verified = tokens.verify(text, expected, now);
    if matches!(verified, Err(Reason::TokenSignature)) && is_costly() {
        forged.note(request, now);
    }
    let verified = Arc::new(verified.map_err(malformed_or)?);
    token_cache.keep(token, &verified, generation);
    Ok((Known::Shared(verified), now))
}

/// Whether a verified token is still valid according to the store.
pub(crate) async fn stands(token: &Registered, ledger: &Ledger) -> Result<(), Reason> {
    let as_of = token.as_of.ok_or(Reason::TokenForgotten)?;
    ledger.check(token.key, as_of, handed_out(token, as_of)).await.map(drop).map_err(reason)
}

/// The same, if that is known without waiting.
fn stands_now(known: &Known, ledger: &Ledger, now: Timestamp) -> Option<Result<(), Reason>> {
    let token = &known.registered;
    let Some(as_of) = token.as_of else { return Some(Err(Reason::TokenForgotten)) };
    // Read before the store is asked: a change in between is found by the next request.
    let stood = match known {
        Known::Near(near) => ledger.changes(token.key).map(|changes| (near, Stood { changes, at: now })),
        Known::Shared(_) => None,
    };
    if let Some((near, stood)) = &stood
        && near.stands(*stood)
    {
        return Some(Ok(()));
    }
    let checked = ledger.check_now(token.key, as_of, handed_out(token, as_of))?;
    if let (Some((near, stood)), Ok(view)) = (stood, &checked)
        && view.now() == now
    {
        near.note_standing(stood);
    }
    Some(checked.map(drop).map_err(reason))
}

fn handed_out(token: &Registered, as_of: AsOf) -> HandedOut<'_> {
    let Texts { session, grant, client_id, .. } = token.texts();
    HandedOut {
        sequence: as_of.sequence,
        session,
        grant: grant.map(|id| HandedOutGrant { id, client: client_id, has_family: token.is_renewable }),
    }
}

fn reason(why: Refused) -> Reason {
    why.into_reason(|ended| match ended {
        Ended::Forgotten => Reason::TokenForgotten,
        Ended::SignedOut | Ended::Revoked => Reason::TokenRevoked,
    })
}

/// The token of the `Authorization` header, and of nothing else (RFC 9700 §4.3.2, OAuth 2.1 §5.1).
fn header_token<'a>(request: &'a HttpRequest, protection: &Protection) -> Result<Presented<'a>, Reason> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let value = match (headers.next(), headers.next()) {
        (None, _) => return Err(Reason::TokenMissing),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Reason::AuthorizationMalformed),
    };
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(space);
    // RFC 9110 §11.1: the scheme is compared without case
    let scheme = match scheme {
        scheme if scheme.eq_ignore_ascii_case(b"bearer") => Scheme::Bearer,
        scheme if !scheme.eq_ignore_ascii_case(b"dpop") => return Err(Reason::TokenMissing),
        // RFC 9449 §7.1: it promises a proof, which nothing would check
        _ if protection.proofs.is_none() => return Err(Reason::TokenBound),
        _ => Scheme::DPoP,
    };
    let begin = token.iter().position(|byte| *byte != b' ').ok_or(Reason::AuthorizationMalformed)?;
    Ok(Presented { scheme, token: &token[begin..] })
}

/// No JWT is shorter: the shortest signature of all algorithms is this long in base64.
const SHORTEST_SIGNATURE: usize = 43;

/// RFC 6750 §2.1. Checked only for refused tokens: one that verifies has no other characters.
fn is_b64token(token: &[u8]) -> bool {
    token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte))
}
