//! What a later release may add to the public types.

use std::collections::BTreeSet;
use std::fs;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::RUNTIME;
use crate::code::{Code, files, tokens_of};

/// The files whose public names a user can reach.
const PUBLIC: &[&str] = &["lib.rs", "doctor.rs", "pages.rs", "store.rs", "store/contract.rs", "testing.rs"];

/// Types that stay open to be built or matched whole, each with its file and its reason.
const CLOSED: &[(&str, &str)] = &[
    // What a store of one's own builds and reads.
    ("store.rs", "About"),
    ("store.rs", "Change"),
    ("store.rs", "Count"),
    ("store.rs", "Counted"),
    ("store.rs", "Kept"),
    ("store.rs", "Seen"),
    ("store.rs", "Swap"),
    // Three values, and four signs: there are no more.
    ("policy/decision.rs", "Decision"),
    ("policy.rs", "Order"),
    // The macros write it.
    ("policy/typed.rs", "Typed"),
    // A language of one's own is written with `..Texts::english()`.
    ("pages/texts.rs", "Texts"),
];

/// A new variant, or a new public field, breaks those who match without `_` or build the type, unless it is marked.
#[test]
fn a_release_can_add_to_each_public_type() {
    let mut names = BTreeSet::new();
    for file in PUBLIC {
        let text = fs::read_to_string(format!("{RUNTIME}/{file}")).unwrap();
        exported(&syn::parse_file(&text).unwrap().items, &mut names);
    }
    let (mut found, mut unmarked) = (0, Vec::new());
    for file in files(RUNTIME) {
        for (name, is_marked) in types(tokens_of(&format!("{RUNTIME}/{file}"))) {
            if names.contains(&name) {
                found += 1;
                if !is_marked {
                    unmarked.push((file.clone(), name));
                }
            }
        }
    }
    let closed: BTreeSet<_> = CLOSED.iter().map(|(file, name)| ((*file).to_owned(), (*name).to_owned())).collect();
    let unmarked: BTreeSet<_> = unmarked.into_iter().collect();
    let (new, stale): (Vec<_>, Vec<_>) =
        (unmarked.difference(&closed).collect(), closed.difference(&unmarked).collect());
    assert!(found > 60, "{found}");
    assert!(new.is_empty(), "#[non_exhaustive] is missing, or a row of CLOSED that says why not: {new:?}");
    assert!(stale.is_empty(), "these rows are not needed: {stale:?}");
}

/// The names that a file exports, those of its public modules with a body included.
fn exported(items: &[syn::Item], names: &mut BTreeSet<String>) {
    let is_public = |visibility: &syn::Visibility| matches!(visibility, syn::Visibility::Public(_));
    for item in items {
        match item {
            syn::Item::Use(used) if is_public(&used.vis) => leaves(&used.tree, names),
            syn::Item::Mod(module) if is_public(&module.vis) && !module.ident.to_string().starts_with("__") => {
                exported(module.content.as_ref().map_or(&[], |(_, items)| items), names);
            }
            syn::Item::Enum(of) if is_public(&of.vis) => drop(names.insert(of.ident.to_string())),
            syn::Item::Struct(of) if is_public(&of.vis) => drop(names.insert(of.ident.to_string())),
            syn::Item::Macro(of) => names.extend(types(of.mac.tokens.clone()).into_iter().map(|(name, _)| name)),
            _ => {}
        }
    }
}

fn leaves(tree: &syn::UseTree, names: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, names),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        syn::UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        syn::UseTree::Rename(renamed) => drop(names.insert(renamed.rename.to_string())),
        syn::UseTree::Glob(_) => panic!("a glob hides what is public"),
    }
}

/// The public enums with a variant and structs with a public named field, also where a macro writes them, and whether each is
/// `#[non_exhaustive]`.
fn types(stream: TokenStream) -> Vec<(String, bool)> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(types(group.stream()));
        }
        let word = |at: usize| tokens.get(at).map(ToString::to_string).unwrap_or_default();
        if word(at) != "pub" || !["enum", "struct"].contains(&&*word(at + 1)) {
            continue;
        }
        let mut rest = tokens[at + 3..].iter();
        let body = rest.find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
            TokenTree::Group(_) => Some(TokenStream::new()),
            TokenTree::Punct(end) if end.as_char() == ';' => Some(TokenStream::new()),
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => None,
        });
        let body: Vec<String> = body.into_iter().flatten().map(|token| token.to_string()).collect();
        let opens = |pair: &[String]| pair[0] == "pub" && !pair[1].starts_with('(');
        if if word(at + 1) == "enum" { !body.is_empty() } else { body.windows(2).any(opens) } {
            found.push((word(at + 2), is_marked(&tokens[..at])));
        }
    }
    found
}

/// Whether one of the attributes right before an item says that it may grow.
fn is_marked(before: &[TokenTree]) -> bool {
    let attributes = before.rchunks(2).take_while(|pair| pair.len() == 2 && pair[0].to_string() == "#");
    attributes
        .into_iter()
        .any(|pair| matches!(&pair[1], TokenTree::Group(it) if it.stream().to_string() == "non_exhaustive"))
}

#[test]
fn a_type_that_may_grow_is_seen() {
    let code = "#[non_exhaustive] #[derive(Debug)] pub enum A { B } words! { pub enum C { D = \"d\" } } pub enum E {} \
                pub struct F { pub(crate) g: u8 } pub struct H { pub i: u8 } pub struct J(pub u8); enum K { L }";
    let found = types(code.parse().unwrap());
    let found: Vec<(&str, bool)> = found.iter().map(|(name, is_marked)| (&**name, *is_marked)).collect();
    assert_eq!(found, [("A", true), ("C", false), ("H", false)]);
}

/// Another variant would be another type, if it were an array.
#[test]
fn a_public_list_is_a_slice() {
    for file in files(RUNTIME) {
        let found = Code::read(&format!("{RUNTIME}/{file}")).find("pub const ALL: [").len();
        assert_eq!(found, 0, "{file}: write &[..]");
    }
}
