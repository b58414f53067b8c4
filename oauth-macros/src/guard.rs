//! One attribute, read: which kind it is, and what it demands.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

use crate::rule::{Parameter, Rule};
use crate::syntax::Pattern;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Claim,
    Token,
    Public,
    /// `policy!(..)`
    Value,
}

/// What one attribute demands.
pub(crate) struct Guard {
    pub(crate) demand: Demand,
    /// As written.
    pub(crate) policy: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) runtime: Option<Path>,
}

pub(crate) enum Demand {
    Rule(Rule),
    Typed(Box<Pattern>),
}

impl Kind {
    pub(crate) const ATTRIBUTES: [Kind; 3] = [Kind::Claim, Kind::Token, Kind::Public];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Claim => "require_claim",
            Kind::Token => "require_token",
            Kind::Public => "public",
            Kind::Value => "policy",
        }
    }
}

impl Guard {
    /// One that admits nobody.
    pub(crate) fn nobody() -> Self {
        let demand = Demand::Rule(Rule::All(Vec::new()));
        Guard { demand, policy: String::new(), parameters: Vec::new(), runtime: None }
    }

    pub(crate) fn runtime_path(&self) -> TokenStream {
        let here = Span::mixed_site();
        self.runtime.as_ref().map_or_else(|| quote_spanned!(here=> ::oauth_runtime), ToTokens::to_token_stream)
    }
}
