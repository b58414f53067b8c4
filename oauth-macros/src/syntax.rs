//! The syntax of a policy: its types, and the tables that the parser and its errors read.
//!
//! ```text
//! policy  = term , ..                        all of them hold
//! term    = name                             the claim is there
//!         | name operator value              operators: the table OPERATORS
//!         | condition ( term , .. )          conditions: the table CONDITIONS
//!         | crate = "path"
//! name    = word or "text", several with dots between them
//! value   = literal | [ literal , .. ] | path.parameter
//! typed   = a Rust pattern [ if expression ] , alone
//! ```

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, Lit, Pat, Path, Token, token};

/// The arguments of `#[require_claim(..)]`.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) runtime: Option<Path>,
    pub(crate) demand: Demand,
}

pub(crate) enum Demand {
    Terms(Vec<Term>),
    Typed(Box<Pattern>),
}

/// The arguments of `#[require_token]` and `#[public]`: at most the runtime's name.
#[derive(Default)]
pub(crate) struct NoPolicy {
    pub(crate) runtime: Option<Path>,
    /// What is there and should not be.
    pub(crate) rest: TokenStream,
}

/// A Rust pattern over the application's own claims type.
pub(crate) struct Pattern {
    pub(crate) pattern: Pat,
    pub(crate) condition: Option<Expr>,
}

pub(crate) enum Term {
    Claim { name: Name, test: Test },
    Condition { condition: Condition, span: Span, parentheses: Span, terms: Vec<Term> },
}

/// A claim's name, or several that lead into it.
pub(crate) struct Name {
    pub(crate) segments: Vec<Segment>,
    pub(crate) tokens: TokenStream,
}

/// In quotes a name is never a word of the policy's own language.
pub(crate) struct Segment {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

pub(crate) enum Test {
    /// `claim`
    Present,
    /// `claim = value` and the like
    Compares(Operator, TokenStream, Value),
    /// `claim(..)`: no claim is written so, but the name decides what to answer.
    Called(TokenStream),
}

pub(crate) enum Value {
    One(Operand),
    Any(token::Bracket, Vec<Operand>),
}

pub(crate) enum Operand {
    Literal(Literal),
    /// `path.name`, and its tokens.
    Parameter {
        name: String,
        tokens: TokenStream,
    },
}

pub(crate) struct Literal {
    pub(crate) minus: Option<Token![-]>,
    pub(crate) lit: Lit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    Differs,
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    All,
    Any,
    Not,
}

/// What may stand after a claim's name: how it is written, and examples of what may follow it. The parser reads this table
/// and so do its diagnostics: an operator that is added here is understood and offered.
pub(crate) const OPERATORS: [(&str, Operator, &[&str]); 6] = [
    ("=", Operator::Equals, &["\"value\"", "[\"one\", \"other\"]"]),
    ("!=", Operator::Differs, &["\"value\""]),
    ("<", Operator::Below, &["3"]),
    ("<=", Operator::AtMost, &["3"]),
    (">", Operator::Above, &["3"]),
    (">=", Operator::AtLeast, &["3"]),
];

/// What other languages call the operators.
pub(crate) const OPERATOR_WORDS: [(&str, Operator); 14] = [
    ("in", Operator::Equals),
    ("is", Operator::Equals),
    ("as", Operator::Equals),
    ("has", Operator::Equals),
    ("contains", Operator::Equals),
    ("includes", Operator::Equals),
    ("eq", Operator::Equals),
    ("equals", Operator::Equals),
    ("any", Operator::Equals),
    ("ne", Operator::Differs),
    ("lt", Operator::Below),
    ("le", Operator::AtMost),
    ("gt", Operator::Above),
    ("ge", Operator::AtLeast),
];

/// What may stand around terms: the word, and an example.
pub(crate) const CONDITIONS: [(&str, Condition, &str); 3] = [
    ("all", Condition::All, "all(role = \"editor\", verified)"),
    ("any", Condition::Any, "any(role = \"editor\", level > 3)"),
    ("not", Condition::Not, "not(role = \"guest\")"),
];

/// What other languages call the conditions.
pub(crate) const CONDITION_WORDS: [(&str, Condition); 10] = [
    ("and", Condition::All),
    ("both", Condition::All),
    ("each", Condition::All),
    ("every", Condition::All),
    ("or", Condition::Any),
    ("either", Condition::Any),
    ("one", Condition::Any),
    ("some", Condition::Any),
    ("no", Condition::Not),
    ("none", Condition::Not),
];

/// Not a claim like others: its one string is a list of scopes.
pub(crate) const SCOPE: &str = "scope";
/// How long ago the person signed in.
pub(crate) const FRESH: &str = "fresh";
/// How the person signed in.
pub(crate) const ACR: &str = "acr";
/// Where a route's parameters are.
pub(crate) const PATH: &str = "path";

impl Default for Demand {
    fn default() -> Self {
        Demand::Terms(Vec::new())
    }
}

impl Operator {
    pub(crate) fn examples(self) -> &'static [&'static str] {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or(&[], |(.., examples)| *examples)
    }

    pub(crate) fn written(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or("=", |(written, ..)| written)
    }
}

impl Condition {
    pub(crate) fn example(self) -> &'static str {
        CONDITIONS.iter().find(|(_, condition, _)| *condition == self).map_or("", |(.., example)| *example)
    }

    pub(crate) fn word(self) -> &'static str {
        CONDITIONS.iter().find(|(_, condition, _)| *condition == self).map_or("all", |(word, ..)| word)
    }
}

impl Name {
    pub(crate) fn error(&self, message: impl fmt::Display) -> Error {
        Error::new_spanned(&self.tokens, message)
    }

    /// As it is written in a policy.
    pub(crate) fn shown(&self) -> String {
        self.segments.iter().map(Segment::shown).collect::<Vec<_>>().join(".")
    }

    /// Whether it is this word of the language.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.segments.as_slice(), [only] if !only.quoted && only.text == word)
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.segments.iter().map(|segment| segment.text.clone()).collect()
    }
}

impl Segment {
    /// As it is written in a policy.
    pub(crate) fn shown(&self) -> String {
        if self.quoted { format!("{:?}", self.text) } else { self.text.clone() }
    }
}

impl Operand {
    /// As it is written.
    pub(crate) fn shown(&self) -> String {
        match self {
            Operand::Literal(literal) => literal.shown(),
            Operand::Parameter { name, .. } => format!("{PATH}.{name}"),
        }
    }

    pub(crate) fn error(&self, message: String) -> Error {
        match self {
            Operand::Literal(literal) => literal.error(message),
            Operand::Parameter { tokens, .. } => Error::new_spanned(tokens, message),
        }
    }
}

impl Literal {
    /// At its minus too.
    pub(crate) fn error(&self, message: impl fmt::Display) -> Error {
        let Literal { minus, lit } = self;
        Error::new_spanned(quote!(#minus #lit), message)
    }

    /// As it is written.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", if self.minus.is_some() { "-" } else { "" }, self.lit.to_token_stream())
    }
}
