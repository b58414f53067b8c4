//! The place of a term in the source.

use proc_macro2::Span;
use quote::ToTokens as _;

use crate::peek::first_span;
use crate::syntax::{Name, Operand, Operands, Predicate, Term};

/// Where a term begins, and where it ends.
pub(super) fn span(term: &Term) -> (Span, Span) {
    match term {
        Term::Claim { name, predicate } => ends(name, predicate),
        Term::Combined { span, parentheses, .. } => (*span, *parentheses),
    }
}

/// Whether it is about a claim that the type of the claims does not have.
pub(super) fn is_dynamic(term: &Term) -> bool {
    match term {
        Term::Claim { name, .. } => name.is_dynamic,
        Term::Combined { terms, .. } => terms.iter().any(is_dynamic),
    }
}

/// The first token of a term, and its last.
pub(super) fn ends(name: &Name, predicate: &Predicate) -> (Span, Span) {
    let tokens = |tokens: proc_macro2::TokenStream| tokens.into_iter().map(|token| token.span()).last();
    let last = match predicate {
        Predicate::Compares(_, _, Operands::List(bracket, _)) => Some(bracket.span.close()),
        Predicate::Compares(_, _, Operands::One(Operand::Literal(literal))) => Some(literal.lit.span()),
        Predicate::Compares(_, _, Operands::One(Operand::Parameter { tokens: written, .. })) => tokens(written.clone()),
        Predicate::Present | Predicate::Called(_) => tokens(name.tokens.to_token_stream()),
    };
    let first = first_span(&name.tokens);
    (first, last.unwrap_or(first))
}
