//! Whether all that speaks of claims speaks of one type: what signs in, and the guards of the program.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};

use crate::builder::clients::has_tokens_of_its_own;
use crate::builder::error::BuildError;
use crate::builder::{Builder, Settings};
use crate::guard::map;
use crate::policy::bound::{Binding, Bound};
use crate::policy::{Guard, Rule, fit};
use crate::users::{ClaimsType, Typing};

impl<S> Builder<S> {
    /// Claims that are not one type: JSON, several types, or a program whose guards are about the tokens of other services
    /// too. Nothing is compared then, and a guard about what no token has refuses everybody.
    ///
    /// Default: what signs in answers the type that [`claims!`](crate::claims!) names, each guard that is a pattern and each
    /// [`Claims<T>`](struct@crate::Claims) is of that type, each term makes sense for it, and each scope that a guard asks for is one
    /// that [`Builder::scope`] names. Else the program is not built, and the error says what to write.
    ///
    /// ```
    /// use oauth_runtime::{BuildError, Client, OAuthService, policy};
    /// # use serde_json::{Value, json};
    ///
    /// let service = || {
    ///     OAuthService::builder()
    ///         .issuer("http://127.0.0.1:8000")
    ///         .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///         .authenticate(async |_| None::<Value>)
    /// };
    /// let _ = policy!(scope = "notes:read"); // which the service does not have
    /// assert!(matches!(service().build(), Err(BuildError::GuardScope { .. })));
    /// assert!(service().untyped_claims().build().is_ok());
    /// ```
    pub fn untyped_claims(mut self) -> Self {
        self.settings.typing = Typing::Untyped;
        self
    }

    /// As [`testing::service`](crate::testing::service) is built.
    #[cfg(feature = "testing")]
    pub(crate) fn of_test(mut self) -> Self {
        self.settings.typing = Typing::OfTest;
        self
    }
}

/// What a token may be made of: nothing is compared where it is empty.
pub(super) fn types(typing: Typing, answered: Option<ClaimsType>) -> Vec<(TypeId, &'static str)> {
    let bound = || bindings().flat_map(|binding| binding.0).map(|of| (of.named)());
    let answered = answered.filter(ClaimsType::is_known).map(|claims| (claims.id, claims.name));
    let types: BTreeSet<_> = match typing {
        Typing::Untyped => BTreeSet::new(),
        #[cfg(feature = "testing")]
        Typing::OfTest => bound().collect(),
        Typing::One => answered.into_iter().chain(bound()).collect(),
    };
    types.into_iter().collect()
}

impl Settings {
    /// What only the program as a whole can know of its guards, and of what signs in.
    pub(super) fn check_claims(
        &self,
        scopes: &BTreeMap<String, String>,
        answered: Option<ClaimsType>,
    ) -> Result<(), BuildError> {
        if self.typing == Typing::One
            && let Some(answered) = answered
        {
            bindings().try_for_each(|binding| check_answer(binding, answered))?;
            map::guards().try_for_each(|guard| check_types(guard, answered))?;
            // Tokens of clients in their own name have other claims than a sign-in answers.
            if !self.clients.iter().any(has_tokens_of_its_own) {
                let bound = Bound { types: answered.bound, scopes: None, acr: None };
                let is_compared = |guard: &&Guard| guard.bound.types.is_empty() && !guard.is_dynamic;
                map::guards().filter(is_compared).try_for_each(|guard| check_terms(guard, &guard.rule, &bound))?;
            }
        }
        map::guards().try_for_each(|guard| check_scopes(guard, scopes, self.typing))
    }
}

fn bindings() -> impl Iterator<Item = &'static Binding> {
    inventory::iter::<Binding>.into_iter()
}

/// What signs in answers what `claims!(..)` names, in each crate that has one.
fn check_answer(binding: &Binding, answered: ClaimsType) -> Result<(), BuildError> {
    let bound: Vec<_> = binding.0.iter().map(|of| (of.named)()).collect();
    if bound.iter().any(|(id, _)| *id == answered.id) {
        return Ok(());
    }
    let bound = bound.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    Err(BuildError::UnboundClaims { answered: answered.name, bound })
}

/// A pattern, and what the handler reads, are of a type that a token is made of.
fn check_types(guard: &Guard, answered: ClaimsType) -> Result<(), BuildError> {
    let bound = guard.bound.types.iter().map(|of| (of.named)().0);
    let known: Vec<TypeId> = bound.chain([answered.id]).collect();
    let pattern = match &guard.rule {
        Rule::Typed(typed) => typed.claims_type(),
        Rule::Public | Rule::Token | Rule::All(_) | Rule::Any(_) | Rule::Not(_) => None,
        Rule::Claim(..) | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) => None,
    };
    let read = guard.claims.iter().filter_map(|of| of());
    match pattern.into_iter().chain(read).find(|(id, _)| !known.contains(id)) {
        Some((_, guard_type)) => {
            Err(BuildError::ForeignClaims { handler: named(guard), guard_type, claims_type: answered.name })
        }
        None => Ok(()),
    }
}

fn check_terms(guard: &Guard, rule: &Rule, bound: &Bound) -> Result<(), BuildError> {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().try_for_each(|rule| check_terms(guard, rule, bound)),
        Rule::Not(rule) => check_terms(guard, rule, bound),
        Rule::Public | Rule::Token | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) | Rule::Typed(_) => Ok(()),
        Rule::Claim(..) => match fit::misfit(bound, rule) {
            Some(misfit) => Err(BuildError::GuardMisfit { guard: named(guard), misfit: misfit.as_str().to_owned() }),
            None => Ok(()),
        },
    }
}

fn check_scopes(guard: &Guard, scopes: &BTreeMap<String, String>, typing: Typing) -> Result<(), BuildError> {
    match guard.rule.scopes().into_iter().find(|scope| !scopes.contains_key(*scope)) {
        Some(scope) if typing == Typing::One => Err(BuildError::GuardScope { guard: named(guard), scope }),
        Some(scope) if typing == Typing::Untyped => {
            tracing::warn!(
                target: "oauth",
                "the guard of {} asks for the scope {scope:?}, which no token here can have: \
                 add .scope({scope:?}, \"what it allows\")",
                named(guard)
            );
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

fn named(guard: &Guard) -> String {
    match guard.handler {
        Some(handler) => format!("{}::{handler}", guard.module),
        None => format!("{}::policy! ({}:{})", guard.module, guard.file, guard.line),
    }
}
