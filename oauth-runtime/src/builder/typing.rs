//! Whether sign-in and all guards of the program are about one type of claims.

use std::any::TypeId;
use std::collections::BTreeMap;

use crate::builder::clients::has_tokens_of_its_own;
use crate::builder::error::BuildError;
use crate::builder::{Builder, Settings};
use crate::guard::map;
use crate::model::claims::REGISTERED;
use crate::model::client::ClientSettings;
use crate::model::release::is_standard;
use crate::policy::bound::{Binding, Bound, BoundType};
use crate::policy::{Guard, Rule, fit};
use crate::users::known::KnownClaims;
use crate::users::{ClaimsType, Typing};

/// # The type of the claims
impl<S> Builder<S> {
    /// Allows claims that are not of one type: JSON, several types, or a program whose guards are about the tokens of
    /// other services too. Nothing is compared then, and a guard about a claim that no token has refuses everyone.
    ///
    /// Default: the functions that return claims return the type that [`claims!`](crate::claims!) names, each guard
    /// that is a pattern and each [`Claims<T>`](struct@crate::Claims) is of that type, each term makes sense for it,
    /// each scope that a guard asks for is one that [`Builder::scope`] names, and what
    /// [`Client::claims`](crate::Client::claims) and [`Builder::releases`] name are claims of that type. Otherwise
    /// [`build`](Builder::build) fails, and the error says what to write.
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

    /// For [`testing::service`](crate::testing::service).
    #[cfg(feature = "testing")]
    pub(crate) fn of_test(mut self) -> Self {
        self.settings.typing = Typing::OfTest;
        self
    }
}

/// The types and scopes that a token may have. Without any, nothing is compared.
pub(super) fn known_claims(
    typing: Typing,
    answered: Option<ClaimsType>,
    scopes: &BTreeMap<String, String>,
) -> KnownClaims {
    let bound = bindings().filter_map(|binding| binding.0.scopes).flatten().map(|scope| (*scope).to_owned());
    let scopes = scopes.keys().cloned().chain(bound).collect();
    match typing {
        Typing::Untyped => KnownClaims::default(),
        #[cfg(feature = "testing")]
        Typing::OfTest => KnownClaims::of(bound_types(), scopes),
        Typing::One => KnownClaims::of(all_types(answered), scopes),
    }
}

/// The type that a sign-in returns, if its fields are known, and those that `claims!(..)` names in each crate that has
/// one.
fn all_types(answered: Option<ClaimsType>) -> Vec<&'static BoundType> {
    let answered = answered.filter(ClaimsType::is_known).map_or(&[][..], |claims| claims.bound);
    answered.iter().chain(bound_types()).collect()
}

fn bound_types() -> impl Iterator<Item = &'static BoundType> {
    bindings().flat_map(|binding| binding.0.types)
}

impl Settings {
    /// Checks what only the program as a whole can know about its guards and its sign-in.
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
                let is_compared = |guard: &&Guard| guard.bound.types.is_empty();
                map::guards().filter(is_compared).try_for_each(|guard| check_terms(guard, &guard.rule, &bound))?;
            }
        }
        if self.typing == Typing::One {
            self.check_client_claims()?;
            self.check_releases(&all_types(answered))?;
            map::guards().try_for_each(|guard| check_acr(guard, &self.acr_values))?;
        }
        map::guards().try_for_each(|guard| check_scopes(guard, scopes, self.typing))
    }
}

impl Settings {
    fn check_client_claims(&self) -> Result<(), BuildError> {
        self.clients.iter().try_for_each(check_claims_of)
    }

    /// A scope releases claims that exist, or that OpenID Connect names: some users may have those.
    fn check_releases(&self, types: &[&'static BoundType]) -> Result<(), BuildError> {
        for (scope, claims) in self.releases.iter().filter_map(|(scope, claims)| scope.as_ref().map(|it| (it, claims)))
        {
            let own = claims.iter().filter(|claim| !claim.is_empty() && !is_of_server(claim) && !is_standard(claim));
            for claim in own {
                if let Some(misfit) = fit::unknown_claim(types, claim) {
                    let why = format!("{misfit}; if the claims are not of one type, say .untyped_claims()");
                    return Err(BuildError::ReleasedClaim { scope: scope.clone(), claim: claim.clone(), why });
                }
            }
        }
        Ok(())
    }
}

/// A client in its own name has some or all of a type's claims. Only the types in `claims!(..)` are known here, since
/// the type that a sign-in returns describes users.
pub(super) fn check_claims_of(client: &ClientSettings) -> Result<(), BuildError> {
    let types: Vec<_> = bound_types().collect();
    // Claims that are not an object, or that the server sets, are refused by the rules for claims of any type.
    let claims = client.claims.as_object().into_iter().flatten().filter(|(name, _)| !is_of_server(name));
    for (name, value) in claims {
        if let Some(misfit) = fit::misfit_of_claim(&types, name, value) {
            let why = format!(
                "{misfit}; where clients have claims of their own, name their type beside that of the users, as in \
                 claims!(User, Job), or say .untyped_claims()"
            );
            return Err(BuildError::ClientClaims { client: client.id.clone(), why });
        }
    }
    Ok(())
}

fn is_of_server(name: &str) -> bool {
    name == "sub" || REGISTERED.contains(&name)
}

fn bindings() -> impl Iterator<Item = &'static Binding> {
    inventory::iter::<Binding>.into_iter()
}

/// A sign-in returns a type that `claims!(..)` names, in each crate that has one.
fn check_answer(binding: &Binding, answered: ClaimsType) -> Result<(), BuildError> {
    let bound: Vec<_> = binding.0.types.iter().map(|of| (of.named)()).collect();
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
        Rule::Claim(name, _) if guard.dynamic.contains(name) => Ok(()),
        Rule::Claim(..) => match fit::misfit(bound, rule) {
            Some(misfit) => Err(BuildError::GuardMisfit { guard: named(guard), misfit: misfit.as_str().to_owned() }),
            None => Ok(()),
        },
    }
}

fn check_acr(guard: &Guard, declared: &[String]) -> Result<(), BuildError> {
    let is_other = |acr: &&str| !declared.iter().any(|it| it == acr);
    match guard.rule.acr_values().into_iter().find(is_other) {
        // Where none is declared, a sign-in may say any.
        Some(_) if declared.is_empty() => Ok(()),
        Some(acr) => {
            let declared = declared.join(", ");
            let misfit = format!(
                "acr = {acr:?} is none of .acr_values(..), which has {declared}: add it there, or say .untyped_claims() where it \
                 is about the tokens of another service"
            );
            Err(BuildError::GuardMisfit { guard: named(guard), misfit })
        }
        None => Ok(()),
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
