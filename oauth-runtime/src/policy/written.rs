//! A policy as a macro writes it: a rule, and its place in the source.

use std::any::type_name;
use std::fmt;

use serde::Serialize;

use crate::policy::Rule;
use crate::policy::bound::{Bound, NamedType};

/// One guard, as a macro writes it: into a handler's body, or as a value.
#[derive(Debug)]
pub struct Guard {
    /// What it demands.
    pub rule: Rule,
    /// The parameters of the route that the rule names.
    pub parameters: &'static [&'static str],
    /// The policy as written.
    pub policy: &'static str,
    /// The handler's name; `None` for a `policy!(..)`.
    pub handler: Option<&'static str>,
    /// The routes in the attributes below; empty for a `policy!(..)`, or if the route is stated elsewhere.
    pub routes: &'static [Route],
    /// For each argument of the handler, the type as which it reads the claims.
    pub claims: &'static [fn() -> Option<NamedType>],
    /// What its crate binds its guards to.
    pub bound: Bound,
    /// The claims with `dyn`, which are not compared.
    pub dynamic: &'static [&'static [&'static str]],
    /// The module path.
    pub module: &'static str,
    /// The path of the function or constant around it, an `impl`'s type included.
    pub place: fn() -> &'static str,
    /// The line and the column of the handler's name: two functions may share a path.
    pub named_at: (u32, u32),
    /// The source file.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
}

/// The path of a closure, for [`Guard::place`].
#[must_use]
pub fn place_of<F>(_: F) -> &'static str {
    type_name::<F>()
}

/// The route of a handler, as an attribute such as `#[get("/notes/{id}")]` states it: without the prefix of a
/// `web::scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Route {
    /// Its methods: several where `#[route(..)]` lists them.
    pub methods: &'static [&'static str],
    /// The pattern of its path.
    pub pattern: &'static str,
    /// What actix-web calls the resource: the handler's name, if the attribute has no other.
    #[serde(skip)]
    pub name: &'static str,
}

impl Route {
    /// What the macros write.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(methods: &'static [&'static str], pattern: &'static str, name: &'static str) -> Self {
        Route { methods, pattern, name }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.methods.join("|");
        // Quoted if needed, so that a pattern cannot look like its surroundings.
        if self.pattern.contains(|character: char| character.is_whitespace() || character.is_control()) {
            write!(f, "{methods} {:?}", self.pattern)
        } else {
            write!(f, "{methods} {}", self.pattern)
        }
    }
}

/// A policy as a value: what [`policy!`](crate::policy!) makes, for
/// [`OAuthService::require`](crate::OAuthService::require) and
/// [`AccessToken::satisfies`](crate::AccessToken::satisfies).
///
/// ```
/// use oauth_runtime::{Policy, policy};
///
/// const STAFF: Policy = policy!(role = ["editor", "admin"], not(suspended));
/// assert_eq!(STAFF.to_string(), r#"not(suspended), role = ["admin", "editor"]"#);
/// ```
///
/// Common mistake: `.wrap(STAFF)`, for which rustc says that it is not a `Transform`. A service, which knows the
/// tokens, puts a policy over a scope: `.wrap(oauth.require(STAFF))`.
#[derive(Clone, Copy)]
pub struct Policy(#[doc(hidden)] pub &'static Guard);

impl Policy {
    /// What it demands, as data.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        &self.0.rule
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.rule.fmt(f)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.0.policy).finish()
    }
}
