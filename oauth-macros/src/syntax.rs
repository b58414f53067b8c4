//! The syntax of a policy: its types, and the tables that the parser and its errors read.
//!
//! ```text
//! policy  = term , ..                        all of them hold
//! term = name the claim is present; `dyn name` if the type does not have it
//!         | name operator value              operators: the table OPERATORS
//!         | combinator ( term , .. )         combinators: the table COMBINATORS
//!         | crate = "path"
//! name    = word or "text", several with dots between them
//! value   = literal | [ literal , .. ] | [ dyn ] path.parameter
//! typed   = a Rust pattern [ if expression ] , alone
//! ```

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, Lit, Pat, Path, Token, token};

/// The arguments of `#[require_claim(..)]`.
#[derive(Default)]
pub(crate) struct PolicyArguments {
    pub(crate) runtime: Option<Path>,
    pub(crate) policy: Policy,
}

/// Terms that all have to hold, or a pattern.
pub(crate) enum Policy {
    Terms(Vec<Term>),
    Pattern(Box<Pattern>),
}

/// The arguments of `#[require_token]` and `#[public]`: at most the runtime's name.
#[derive(Default)]
pub(crate) struct BareArguments {
    pub(crate) runtime: Option<Path>,
    /// Unexpected tokens that follow.
    pub(crate) rest: TokenStream,
}

/// A Rust pattern over the application's own claims type.
pub(crate) struct Pattern {
    pub(crate) pattern: Pat,
    pub(crate) condition: Option<Expr>,
}

pub(crate) enum Term {
    Claim { name: Name, predicate: Predicate },
    Combined { combinator: Combinator, span: Span, parentheses: Span, terms: Vec<Term> },
}

/// A claim's name, or several that lead into it.
pub(crate) struct Name {
    /// `dyn name`: the type of the claims does not have it.
    pub(crate) is_dynamic: bool,
    pub(crate) segments: Vec<Segment>,
    pub(crate) tokens: TokenStream,
}

/// In quotes a name is never a word of the policy's own language.
pub(crate) struct Segment {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

pub(crate) enum Predicate {
    /// `claim`
    Present,
    /// `claim = value`, or another comparison
    Compares(Operator, TokenStream, Operands),
    /// `claim(..)`: not valid; the error depends on the name.
    Called(TokenStream),
}

pub(crate) enum Operands {
    One(Operand),
    List(token::Bracket, Vec<Operand>),
}

pub(crate) enum Operand {
    Literal(Literal),
    /// `path.name`, and its tokens.
    Parameter {
        name: String,
        tokens: TokenStream,
        /// `dyn path.name`: the route is stated elsewhere.
        is_dynamic: bool,
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
pub(crate) enum Combinator {
    All,
    Any,
    Not,
}

/// What may follow a claim's name: how it is written, and examples of operands. The parser and its diagnostics read
/// this table: an operator that is added here is understood and suggested.
pub(crate) const OPERATORS: [(&str, Operator, &[&str]); 6] = [
    ("=", Operator::Equals, &["\"value\"", "[\"one\", \"other\"]"]),
    ("!=", Operator::Differs, &["\"value\""]),
    ("<", Operator::Below, &["3"]),
    ("<=", Operator::AtMost, &["3"]),
    (">", Operator::Above, &["3"]),
    (">=", Operator::AtLeast, &["3"]),
];

/// Names of the operators in other languages.
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

/// What may enclose terms: the word, and an example.
pub(crate) const COMBINATORS: [(&str, Combinator, &str); 3] = [
    ("all", Combinator::All, "all(role = \"editor\", verified)"),
    ("any", Combinator::Any, "any(role = \"editor\", level > 3)"),
    ("not", Combinator::Not, "not(role = \"guest\")"),
];

/// Names of the combinators in other languages.
pub(crate) const COMBINATOR_WORDS: [(&str, Combinator); 10] = [
    ("and", Combinator::All),
    ("both", Combinator::All),
    ("each", Combinator::All),
    ("every", Combinator::All),
    ("or", Combinator::Any),
    ("either", Combinator::Any),
    ("one", Combinator::Any),
    ("some", Combinator::Any),
    ("no", Combinator::Not),
    ("none", Combinator::Not),
];

/// Not a claim like others: its string is a list of scopes.
pub(crate) const SCOPE: &str = "scope";
/// How long ago the person signed in.
pub(crate) const FRESH: &str = "fresh";
/// How the person signed in.
pub(crate) const ACR: &str = "acr";
/// The names with a meaning of their own.
pub(crate) const WORDS: [&str; 3] = [SCOPE, FRESH, ACR];
/// The prefix of a route's parameters.
pub(crate) const PATH: &str = "path";

impl Default for Policy {
    fn default() -> Self {
        Policy::Terms(Vec::new())
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

impl Combinator {
    pub(crate) fn example(self) -> &'static str {
        COMBINATORS.iter().find(|(_, combinator, _)| *combinator == self).map_or("", |(.., example)| *example)
    }

    pub(crate) fn word(self) -> &'static str {
        COMBINATORS.iter().find(|(_, combinator, _)| *combinator == self).map_or("all", |(word, ..)| word)
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

    /// Whether it has a meaning of its own, unlike other claims.
    pub(crate) fn is_word(&self) -> bool {
        WORDS.iter().any(|word| self.is(word))
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
    /// Includes its minus sign.
    pub(crate) fn error(&self, message: impl fmt::Display) -> Error {
        let Literal { minus, lit } = self;
        Error::new_spanned(quote!(#minus #lit), message)
    }

    /// As it is written.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", if self.minus.is_some() { "-" } else { "" }, self.lit.to_token_stream())
    }
}

/// Rust's types of whole numbers.
pub(crate) const INTEGERS: [&str; 12] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The documentation of the macro has everything that the parser knows.
    #[test]
    fn every_operator_combinator_and_word_is_documented() {
        let (source, _) = include_str!("lib.rs").split_once("pub fn require_claim").expect("the macro");
        let (_, documented) = source.split_once("/// # What to write").expect("its table");
        let (text, _) = documented.split_once("/// # What holds").expect("the table's end");
        for (operator, ..) in OPERATORS {
            let terms = text.split('`').skip(1).step_by(2);
            let mut written = terms.flat_map(|term| term.split(' '));
            assert!(written.any(|token| token == operator), "the table has no `{operator}`");
        }
        for (combinator, ..) in COMBINATORS {
            assert!(text.contains(&format!("`{combinator}(")), "the table has no `{combinator}(..)`");
        }
        for word in WORDS {
            assert!(text.contains(&format!("`{word} = \"")), "the table has no `{word}`");
        }
        assert!(text.contains(&format!("= {}.", PATH)), "the table has no `{}`", PATH);
    }
}
