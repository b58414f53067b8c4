//! Decisions of `satisfies` that refuse nothing.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Error;

use crate::mistakes::Mistakes;

/// `token.satisfies(policy!(..));`: an unused decision refuses nothing.
pub(super) fn dropped_decisions(body: TokenStream, mistakes: &mut Mistakes) {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut statement = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let inside = group.stream();
                if index > 0 && is_word(tokens.get(index - 1), "drop") && group.delimiter() == Delimiter::Parenthesis {
                    dropped_whole(inside.clone(), mistakes);
                }
                dropped_decisions(inside, mistakes);
                if group.delimiter() == Delimiter::Brace {
                    statement = index + 1;
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => statement = index + 1,
            TokenTree::Ident(_)
                if is_decision(&tokens, index)
                    && is_punct(tokens.get(end_of_ignoring(&tokens, index + 2)), ';')
                    && !is_kept(&tokens[statement..index]) =>
            {
                mistakes.add(dropped(token));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// `drop(token.satisfies(..))`
fn dropped_whole(inside: TokenStream, mistakes: &mut Mistakes) {
    let tokens: Vec<TokenTree> = inside.into_iter().collect();
    let ends = |index: &usize| end_of_ignoring(&tokens, index + 2) == tokens.len();
    let found = (0..tokens.len()).find(|index| is_decision(&tokens, *index) && ends(index));
    if let Some(found) = found {
        mistakes.add(dropped(&tokens[found]));
    }
}

fn dropped(at: &TokenTree) -> Error {
    Error::new(
        at.span(),
        "the decision is dropped, and refuses nothing: write `?` after it, as in `token.satisfies(policy!(..))?;`",
    )
}

/// `.satisfies(policy!(..))`
fn is_decision(tokens: &[TokenTree], index: usize) -> bool {
    index > 0
        && is_word(tokens.get(index), "satisfies")
        && is_punct(tokens.get(index - 1), '.')
        && takes_policy(tokens.get(index + 1))
}

/// Behind what turns a refusal into nothing, such as `.ok()`.
fn end_of_ignoring(tokens: &[TokenTree], begin: usize) -> usize {
    const IGNORING: [&str; 3] = ["ok", "unwrap_or", "unwrap_or_default"];
    let mut end = begin;
    while is_punct(tokens.get(end), '.')
        && IGNORING.iter().any(|method| is_word(tokens.get(end + 1), method))
        && matches!(tokens.get(end + 2), Some(TokenTree::Group(_)))
    {
        end += 3;
    }
    end
}

/// Whether a statement that begins so does something with the value: `let _` and `let _unused` do not.
fn is_kept(begin: &[TokenTree]) -> bool {
    let is_unused = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word.to_string().starts_with('_'));
    let is_nothing = is_word(begin.first(), "let") && begin.get(1).is_some_and(is_unused);
    begin.iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '=' && !is_nothing,
        TokenTree::Ident(word) => word == "return" || word == "break",
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    })
}

fn is_word(token: Option<&TokenTree>, expected: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == expected)
}

fn is_punct(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

/// `(policy!(..))`, or `(EDITORS)`: another type may have a method of that name.
fn takes_policy(arguments: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(arguments)) = arguments else { return false };
    let words = arguments.stream().into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    });
    words.last().is_some_and(|word| word == "policy" || word == word.to_uppercase())
}
