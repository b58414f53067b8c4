//! A policy as a macro writes it: a rule, and where it stands.

use crate::policy::Rule;

/// One guard, as a macro writes it: into a handler's body, or as a value.
#[derive(Debug)]
pub struct Guard {
    /// What it demands.
    pub rule: Rule,
    /// The parameters of the route that the rule speaks of.
    pub parameters: &'static [&'static str],
    /// The policy as written.
    pub policy: &'static str,
    /// The handler's name; none for a `policy!(..)`.
    pub handler: Option<&'static str>,
    /// The module path.
    pub module: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
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
#[derive(Clone, Copy)]
pub struct Policy(#[doc(hidden)] pub &'static Guard);

impl Policy {
    /// What it demands, as data.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        &self.0.rule
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.rule.fmt(f)
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Policy").field(&self.0.policy).finish()
    }
}
