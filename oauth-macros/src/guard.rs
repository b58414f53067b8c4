//! One guard as parsed: its kind, and what it requires.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

use crate::rule::{Check, Parameter, Part, Rule};
use crate::syntax::Pattern;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Claim,
    Token,
    Public,
    /// `policy!(..)`
    Policy,
}

/// What one attribute, or one `policy!(..)`, requires.
pub(crate) struct Guard {
    pub(crate) requirement: Requirement,
    /// The policy as written.
    pub(crate) policy: String,
    /// The parameters of the route that it names.
    pub(crate) parameters: Vec<Parameter>,
    /// What the compiler compares with the type of the claims.
    pub(crate) checks: Vec<Check>,
    /// Its terms, to compare with other guards on the handler.
    pub(crate) parts: Vec<Part>,
    /// The claims with `dyn`, which are not compared.
    pub(crate) dynamic: Vec<Vec<String>>,
    /// `crate = "path"`
    pub(crate) runtime: Option<Path>,
}

pub(crate) enum Requirement {
    Rule(Rule),
    Pattern(Box<Pattern>),
}

impl Kind {
    pub(crate) const ATTRIBUTES: [Kind; 3] = [Kind::Claim, Kind::Token, Kind::Public];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Claim => "require_claim",
            Kind::Token => "require_token",
            Kind::Public => "public",
            Kind::Policy => "policy",
        }
    }
}

impl Guard {
    /// A guard that rejects every request.
    pub(crate) fn reject_all() -> Self {
        Guard::of(Requirement::Rule(Rule::All(Vec::new())), String::new(), None)
    }

    /// A guard that names no parameter and no claim.
    pub(crate) fn of(requirement: Requirement, policy: String, runtime: Option<Path>) -> Self {
        Guard {
            requirement,
            policy,
            parameters: Vec::new(),
            checks: Vec::new(),
            parts: Vec::new(),
            dynamic: Vec::new(),
            runtime,
        }
    }

    pub(crate) fn runtime_path(&self) -> TokenStream {
        let here = Span::mixed_site();
        self.runtime.as_ref().map_or_else(|| quote_spanned!(here=> ::oauth_runtime), ToTokens::to_token_stream)
    }
}
