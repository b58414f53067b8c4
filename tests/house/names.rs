//! The methods that messages name.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::code::{files, tokens_of};
use crate::{MACROS, RUNTIME};

/// Of actix-web and the standard library.
const OF_OTHERS: &[&str] = &["add", "configure", "default_service", "expect", "service", "to", "unwrap", "wrap"];

#[test]
fn what_messages_tell_to_call_is_there() {
    let (mut public, mut named) = (BTreeSet::new(), Vec::new());
    for file in [RUNTIME, MACROS].iter().flat_map(|src| files(src).into_iter().map(move |file| format!("{src}/{file}")))
    {
        read(tokens_of(&file), &file, &mut public, &mut named);
    }
    let unknown = named.iter().filter(|(_, name)| !public.contains(name) && !OF_OTHERS.contains(&name.as_str()));
    let unknown: Vec<_> = unknown.collect();
    assert!(named.len() > 100 && unknown.is_empty(), "no public function has this name: {unknown:?}");
}

/// The public functions, and what texts say to call, with its place.
fn read(tokens: TokenStream, file: &str, public: &mut BTreeSet<String>, named: &mut Vec<(String, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => read(group.stream(), file, public, named),
            TokenTree::Ident(word) if word == "fn" && is_public(&tokens[..at]) => {
                public.extend(tokens.get(at + 1).map(ToString::to_string));
            }
            TokenTree::Literal(literal) => {
                let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) else { continue };
                let place = format!("{file}:{}", literal.span().start().line);
                named.extend(called(&text.value()).into_iter().map(|name| (place.clone(), name)));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// `pub fn`, `pub async fn`, `pub const fn`, and not `pub(crate) fn`.
fn is_public(before: &[TokenTree]) -> bool {
    let words = before.iter().rev().take_while(|token| matches!(token, TokenTree::Ident(_)));
    words.last().is_some_and(|word| word.to_string() == "pub")
}

/// `.name(`, by itself or of `oauth`, in a text.
fn called(text: &str) -> Vec<String> {
    let after = text.match_indices('.').filter(|(at, _)| {
        let before = &text[..*at];
        before.ends_with("oauth") || before.ends_with([' ', '`', '(', ')']) || before.is_empty()
    });
    let names = after.filter_map(|(at, _)| text[at + 1..].split_once('(').map(|(name, _)| name));
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|it| it.is_ascii_lowercase() || it == '_');
    names.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn a_call_in_a_text_is_seen() {
    assert_eq!(
        called("add .store(..), or `.secret(..)`, by oauth.routes() at a.example(1)"),
        ["store", "secret", "routes"]
    );
}
