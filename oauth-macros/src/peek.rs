//! Looks ahead in a policy without consuming anything.

use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Lit, LitStr, Path, Token, token};

use crate::syntax::COMBINATORS;

/// Whether a Rust pattern begins here, rather than a term: a struct, a variant, or a binding of one.
pub(crate) fn begins_pattern(input: ParseStream<'_>) -> bool {
    if input.peek(Token![|]) || input.peek(Token![&]) && !input.peek(Token![&&]) {
        return true;
    }
    let ahead = input.fork();
    if ahead.peek(Token![_]) || !ahead.peek(Ident::peek_any) && !ahead.peek(Token![::]) {
        return false;
    }
    if ahead.peek2(Token![@]) {
        return !ahead.peek3(Lit);
    }
    let Ok(path) = ahead.call(Path::parse_mod_style) else { return false };
    let is_type = |path: &Path| {
        path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(|first: char| first.is_uppercase()))
    };
    // `Any(..)` is a misspelling, and `any { .. }` is not a type.
    let is_word = |word: &Ident| COMBINATORS.iter().any(|(known, ..)| word.to_string().eq_ignore_ascii_case(known));
    if path.get_ident().is_some_and(is_word) {
        return false;
    }
    let several = path.segments.len() > 1;
    let ends = at_end(&ahead) || ahead.peek(Token![|]) || ahead.peek(Token![if]);
    ahead.peek(token::Brace) || (is_type(&path) || several) && ahead.peek(token::Paren) || several && ends
}

/// The operator ahead as Rust would read it: `==` is one, `=-` are two.
pub(crate) fn peek_operator(input: ParseStream<'_>) -> Option<String> {
    const OF_TWO: [&str; 23] = [
        "==", "!=", "<=", ">=", "=>", "->", "&&", "||", "::", "..", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=",
        "<<", ">>", "=<", "<>", "=!",
    ];
    let (first, rest) = input.cursor().punct()?;
    if first.spacing() == Spacing::Joint
        && let Some((second, _)) = rest.punct()
    {
        let both: String = [first.as_char(), second.as_char()].iter().collect();
        if OF_TWO.contains(&both.as_str()) {
            return Some(both);
        }
    }
    Some(first.as_char().to_string())
}

pub(crate) fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// The tokens from one place of a stream to a later one.
pub(crate) fn between(begin: ParseStream<'_>, end: ParseStream<'_>) -> TokenStream {
    let (mut cursor, mut tokens) = (begin.cursor(), Vec::new());
    while cursor != end.cursor()
        && let Some((token, rest)) = cursor.token_tree()
    {
        tokens.push(token);
        cursor = rest;
    }
    tokens.into_iter().collect()
}

pub(crate) fn tokens_ahead(input: ParseStream<'_>, count: usize) -> TokenStream {
    input.cursor().token_stream().into_iter().take(count).collect()
}

pub(crate) fn next_token(input: ParseStream<'_>) -> String {
    match input.cursor().token_tree() {
        Some((TokenTree::Group(group), _)) => match group.delimiter() {
            Delimiter::Parenthesis => "(..)".to_owned(),
            Delimiter::Bracket => "[..]".to_owned(),
            Delimiter::Brace => "{..}".to_owned(),
            Delimiter::None => group.stream().to_string(),
        },
        Some((token, _)) => token.to_string(),
        None => String::new(),
    }
}

pub(crate) fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// Every word in these tokens.
pub(crate) fn words(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(word) => vec![word.to_string()],
        TokenTree::Group(group) => words(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    });
    words.collect()
}

/// Where these tokens begin.
pub(crate) fn first_span(tokens: &impl ToTokens) -> Span {
    tokens.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// Whether it is written `r".."`: then it means its text, whatever that looks like.
pub(crate) fn is_raw(text: &LitStr) -> bool {
    text.to_token_stream().to_string().starts_with('r')
}
