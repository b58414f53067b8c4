//! The guard on a handler: a request is decided before anything else of it is touched.

use std::any::Any;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest};
use percent_encoding::percent_decode_str;

use crate::error::Reason;
use crate::guard::bearer::{self, Lookup};
use crate::guard::found;
use crate::guard::near::Known;
use crate::guard::protection::Protection;
use crate::guard::refusal::{Asked, Refusal};
use crate::guard::watch;
use crate::keys::Verified;
use crate::meter;
use crate::model::Scope;
use crate::policy::{Facts, Guard, Rule, Shapes};

/// A handler's arguments before the guard has decided: the request and its body, untouched.
///
/// Actix polls all extractors of a handler together, so the macro makes one of them.
pub struct Guarded<E> {
    request: HttpRequest,
    payload: Payload,
    arguments: PhantomData<fn() -> E>,
}

impl<E> Guarded<E> {
    /// Decides: token, then policy. Only then the handler's own extractors run.
    ///
    /// # Errors
    /// The refusal, or the error of an extractor.
    pub async fn admit(mut self, guard: &'static Guard) -> Result<E, Error>
    where
        E: FromRequest,
    {
        let verified = match check(&self.request, guard).await {
            Ok(verified) => verified,
            Err(refusal) => return Err(refusal.into_error(&self.request)),
        };
        let extract = || E::from_request(&self.request, &mut self.payload);
        found::during(&self.request, guard, verified, extract).await.map_err(Into::into)
    }
}

impl<E: 'static> FromRequest for Guarded<E> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Guarded { request: request.clone(), payload: payload.take(), arguments: PhantomData }))
    }
}

impl<E> std::fmt::Debug for Guarded<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guarded")
    }
}

/// The decision of an attribute, on the service of the `App`: the token that it admits, if it asks for one.
async fn check(request: &HttpRequest, guard: &'static Guard) -> Result<Option<Known>, Refusal> {
    let admitted = match guard.rule {
        Rule::Public => Ok(None),
        _ => match Protection::of(request) {
            Ok(protection) => decide(request, protection, guard).await.map(Some),
            Err(reason) => Err(Refusal::new(reason, None)),
        },
    };
    watch::note(request, guard, admitted.as_ref().err());
    admitted
}

/// Decides a request: does the guard fit this route, is the token valid, do its claims meet the policy?
pub(crate) async fn decide(
    request: &HttpRequest,
    protection: &Arc<Protection>,
    guard: &'static Guard,
) -> Result<Known, Refusal> {
    counted(decide_request(request, protection, guard).await)
}

fn counted<T>(decided: Result<T, Refusal>) -> Result<T, Refusal> {
    meter::guard_decided(|| decided.as_ref().err().map(|refusal| refusal.status().as_u16()));
    decided
}

async fn decide_request(
    request: &HttpRequest,
    protection: &Arc<Protection>,
    guard: &'static Guard,
) -> Result<Known, Refusal> {
    // A guard that cannot fit its route refuses everyone, so that its first test finds out.
    if let Some(misfit) = guard.parameters.iter().find_map(|name| parameter_misfit(request, name)) {
        let Guard { policy, handler, file, line, .. } = guard;
        let misfit = format!("the guard of `{}` does not fit its route: {misfit}", handler.unwrap_or("policy!"));
        tracing::error!(target: "oauth", policy, handler, file, line, "{misfit}");
        return Err(protection.refusal(Reason::ParameterMisfit).by(guard, misfit));
    }
    let verified = match bearer::without_waiting(request, protection) {
        Lookup::Decided(decided) => decided,
        // Boxed, so that a request that need not wait does not carry it along.
        Lookup::Pending(standing) => Box::pin(standing.decided()).await.map(Known::Shared),
        Lookup::KeysMissing(_) => Box::pin(bearer::of_request(request, protection)).await.map(Known::Shared),
    };
    let verified = verified.map_err(|reason| match protection.refusal(reason) {
        refusal if guard.rule.names_a_scope() => refusal.asking(|| guard.rule.scope_of_a_stranger()),
        refusal => refusal,
    })?;
    let asked = Asked { request: Some(request), within: None, by: Some(&*verified) };
    if verified.is_session {
        needs_no_token(guard, protection, asked)?;
    }
    let of_route = |name: &str| parameter(request, name);
    let facts =
        Facts::of(verified.claimed()).hiding(&verified.hidden).by(protection.tokens.clock()).with_parameters(&of_route);
    let Rule::Typed(_) = guard.rule else {
        apply(facts, guard, protection, &verified, asked)?;
        return Ok(verified);
    };

    // Parsed once, by the first guard: the next ones and the handler's `Claims<T>` take it from here.
    let earlier = Parsed::take(request, &verified);
    let parsed = apply(facts.with_shapes(Shapes::of(earlier)), guard, protection, &verified, asked)?;
    if let Some(claims) = parsed {
        Parsed::keep(request, &verified, claims);
    }
    Ok(verified)
}

/// A scope is what a token may do: a guard that asks for one, or for none, does not admit a user without a token.
fn needs_no_token(guard: &'static Guard, protection: &Protection, asked: Asked<'_>) -> Result<(), Refusal> {
    if guard.rule.scopes().is_empty() {
        return Ok(());
    }
    let Guard { policy, handler, file, line, .. } = guard;
    tracing::warn!(
        target: "oauth",
        policy, handler, file, line,
        "a guard names a scope and is below oauth.pages(): tokens have scopes, and a user in a browser has none; ask for a \
         claim of the user there, or take the handler out of the pages"
    );
    let refusal = protection.refusal(Reason::TokenNeeded).on_page();
    Err(refusal.logged_by(guard, asked, || format!("{policy}, of a session")))
}

/// Why the route does not fit a guard that names this parameter, and the cure.
fn parameter_misfit(request: &HttpRequest, name: &str) -> Option<String> {
    match request.match_info().iter().filter(|(there, _)| *there == name).count() {
        0 => Some(format!(
            "the route has no parameter `{name}`: name it in its pattern, as in \"/report/{{{name}}}\", or correct `path.{name}`"
        )),
        1 => None,
        _ => Some(format!(
            "the route has the parameter `{name}` twice, with its scopes, and the guard may read another than the handler: \
             give each a name of its own"
        )),
    }
}

/// Decides claims without a request.
pub(crate) fn decide_claims(
    verified: &Verified,
    protection: &Arc<Protection>,
    guard: &'static Guard,
    within: Option<&'static Guard>,
) -> Result<(), Refusal> {
    let facts = Facts::of(verified.claimed()).hiding(&verified.hidden).by(protection.tokens.clock());
    let asked = Asked { request: None, within, by: Some(verified) };
    counted(apply(facts, guard, protection, verified, asked).map(drop))
}

/// The claims of one token as a type of the application.
pub(crate) struct Parsed {
    of: Known,
    claims: Box<dyn Any>,
}

impl Parsed {
    pub(crate) fn keep(request: &HttpRequest, of: &Known, claims: Box<dyn Any>) {
        request.extensions_mut().insert(Parsed { of: of.clone(), claims });
    }

    /// What was parsed of this token: a middleware between two guards may have changed the header.
    pub(crate) fn take(request: &HttpRequest, of: &Known) -> Option<Box<dyn Any>> {
        let parsed = request.extensions_mut().remove::<Parsed>()?;
        std::ptr::eq::<Verified>(&*parsed.of, &**of).then_some(parsed.claims)
    }
}

/// Applies the rule, and returns the claims as the type of its pattern, if it has one.
fn apply(
    facts: Facts<'_>,
    guard: &'static Guard,
    protection: &Arc<Protection>,
    verified: &Verified,
    asked: Asked<'_>,
) -> Result<Option<Box<dyn Any>>, Refusal> {
    if guard.rule.decide(&facts).admits() {
        return Ok(facts.shapes.into_parsed());
    }
    let misfit = facts.shapes.misfit.borrow_mut().take();
    if let Some(misfit) = misfit {
        tracing::warn!(target: "oauth", handler = guard.handler, policy = guard.policy, misfit, "claims of another shape");
        // To a client that cannot read them it is a refusal like any other.
        if !facts.hides_the_user() {
            let refusal = protection.refusal(Reason::ClaimsOfAnotherShape).to(verified);
            return Err(refusal.logged_by(guard, asked, || misfit.clone()));
        }
    }
    let reason = match guard.rule.need(&facts) {
        // RFC 9470 §3
        Some(need) if need.is_step_up() => Reason::SignInAgain(need),
        Some(need) => Reason::PolicyRefused(need.scope),
        // A scope that would not be enough is not asked for: a client that follows the challenge would be refused
        // again.
        None => Reason::PolicyRefused(Scope::default()),
    };
    Err(protection.refusal(reason).to(verified).logged_by(guard, asked, || guard.rule.decisive(&facts)))
}

/// A route's parameter as `web::Path<String>` reads it, except for one that was not UTF-8: actix replaces that by
/// U+FFFD, so two different paths would look the same.
fn parameter<'a>(request: &'a HttpRequest, name: &str) -> Option<Cow<'a, str>> {
    let value = percent_decode_str(request.match_info().get(name)?).decode_utf8().ok()?;
    (!value.contains(char::REPLACEMENT_CHARACTER)).then_some(value)
}
