//! Whether a pattern can mean what it seems to mean.

mod constants;

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Error, Expr, ExprLit, ExprPath, FieldPat, Ident, Lit, Member, Pat, PatIdent, PatOr, PatStruct, PatTupleStruct,
    Path, Result, Token, parse_quote_spanned,
};

use constants::Constants;

use crate::handler::argument::Argument;
use crate::mistakes::Mistakes;
use crate::near::near;
use crate::syntax::{PATH, Pattern};

/// Refuses a pattern that cannot mean what it seems to mean. The compiler checks whether it can fail.
pub(crate) fn pattern(Pattern { pattern, condition }: &Pattern) -> Result<()> {
    let mut checker = PatternChecker::default();
    checker.visit_pat(pattern);
    let PatternChecker { mut mistakes, bound, fields, .. } = checker;
    let asked = condition.as_ref().map(|condition| words(condition.to_token_stream())).unwrap_or_default();
    if let Some(condition) = condition {
        asks_something(condition, &asked, &bound)?;
    }
    for (found, field) in bound.iter().zip(&fields).filter(|(found, _)| !asked.contains(&name(found))) {
        mistakes.add(unasked(found, field.as_deref()));
    }
    mistakes.or(())
}

#[derive(Default)]
struct PatternChecker {
    mistakes: Mistakes,
    bound: Vec<PatIdent>,
    /// For each of them the field that it binds, if that has a name.
    fields: Vec<Option<String>>,
    /// The field at the current place.
    of_field: Option<String>,
    /// How to bind the value at the current place, and its name.
    place: Option<(String, String)>,
}

impl PatternChecker {
    fn field(&mut self, bound: String, name: String, pattern: &Pat) {
        let around = self.place.replace((bound, name));
        self.visit_pat(pattern);
        self.place = around;
    }
}

impl<'ast> Visit<'ast> for PatternChecker {
    fn visit_pat_struct(&mut self, found: &'ast PatStruct) {
        let ty = path_text(&found.path);
        for field in &found.fields {
            if let Member::Named(name) = &field.member {
                let around = self.of_field.replace(name.unraw().to_string());
                self.field(format!("{ty} {{ {name}, .. }}"), name.to_string(), &field.pat);
                self.of_field = around;
            }
        }
    }

    fn visit_pat_tuple_struct(&mut self, found: &'ast PatTupleStruct) {
        let ty = path_text(&found.path);
        for (index, pattern) in found.elems.iter().enumerate() {
            self.of_field = None;
            let before = "_, ".repeat(index);
            let after = if index + 1 < found.elems.len() { ", .." } else { "" };
            self.field(format!("{ty}({before}text{after})"), "text".to_owned(), pattern);
        }
    }

    fn visit_expr_lit(&mut self, ExprLit { lit, .. }: &'ast ExprLit) {
        if let Lit::Str(text) = lit {
            let example = ("User { name, .. }".to_owned(), "name".to_owned());
            let (bound, name) = self.place.as_ref().unwrap_or(&example);
            let message = format!(
                "a `String` is not matched by a literal: bind it and compare, as in `{bound} if {name} == {:?}`",
                text.value()
            );
            self.mistakes.add(Error::new(text.span(), message));
        }
    }

    fn visit_pat_ident(&mut self, found: &'ast PatIdent) {
        if !is_value(found) && !name(found).starts_with('_') {
            self.bound.push(found.clone());
            self.fields.push(self.of_field.clone());
        }
        visit::visit_pat_ident(self, found);
    }
}

fn name(found: &PatIdent) -> String {
    found.ident.unraw().to_string()
}

/// A binding that no condition uses has no effect, although it looks like a restriction.
fn unasked(found: &PatIdent, field: Option<&str>) -> Error {
    let name = name(found);
    let example = match field {
        // A variant was probably meant.
        Some(field) if field != name => format!("{field}: {}::{}", capitalized(field), capitalized(&name)),
        Some(_) | None => format!("{name}: 3.."),
    };
    let message = match &found.subpat {
        Some(_) => {
            format!("`{name}` is bound but never used: leave out `{name} @`, or write `if` and a condition")
        }
        None => format!(
            "`{name}` is bound but never used: write what it must be, as in `{example}`, or `if` and a condition"
        ),
    };
    Error::new(found.ident.span(), message)
}

/// As types and variants are written.
fn capitalized(name: &str) -> String {
    let words = name.split('_').filter_map(|word| Some((word.chars().next()?, word.get(1..)?)));
    words.map(|(first, rest)| format!("{}{rest}", first.to_uppercase())).collect()
}

/// Whether a name in a pattern must be that of a variant or a constant, since it is capitalized. The compiler would
/// treat an unknown one as a binding, which matches everything.
fn is_value(found: &PatIdent) -> bool {
    let is_bare = found.by_ref.is_none() && found.mutability.is_none() && found.subpat.is_none();
    is_bare && !name(found).starts_with(|first: char| first.is_lowercase() || first == '_')
}

/// The pattern with each name of a value as a path, which is never a binding: if there is no such value, the compiler
/// says so.
pub(crate) fn values_as_paths(pattern: &Pat) -> Pat {
    struct Paths;

    impl VisitMut for Paths {
        fn visit_pat_mut(&mut self, pattern: &mut Pat) {
            visit_mut::visit_pat_mut(self, pattern);
            if let Pat::Ident(found) = pattern
                && is_value(found)
            {
                let (attributes, name) = (&found.attrs, &found.ident);
                let path: ExprPath = parse_quote_spanned!(name.span()=> #name::<>);
                *pattern = Pat::Path(ExprPath { attrs: attributes.clone(), ..path });
            }
        }

        /// `User { Admin, .. }`: a path does not name the field.
        fn visit_field_pat_mut(&mut self, field: &mut FieldPat) {
            visit_mut::visit_field_pat_mut(self, field);
            if let (Pat::Path(path), None) = (&*field.pat, field.colon_token) {
                field.colon_token = Some(Token![:](path.span()));
            }
        }
    }

    let mut pattern = pattern.clone();
    Paths.visit_pat_mut(&mut pattern);
    pattern
}

/// Whether it has an `A | B` in which each part seems able to fail: together they may still match everything.
pub(crate) fn has_alternatives(pattern: &Pat) -> bool {
    struct Alternatives(bool);

    impl<'ast> Visit<'ast> for Alternatives {
        fn visit_pat_or(&mut self, found: &'ast PatOr) {
            let paths: HashSet<Option<String>> = found.cases.iter().map(struct_path).collect();
            // `Staff { .. } | Guest { .. }` may be two variants; with one struct, each part is checked by itself.
            let are_of_several = paths.len() > 1 && !found.cases.iter().any(is_binding);
            self.0 |= are_of_several || found.cases.iter().all(looks_refutable);
            visit::visit_pat_or(self, found);
        }
    }

    let mut alternatives = Alternatives(false);
    alternatives.visit_pat(pattern);
    alternatives.0
}

fn struct_path(pattern: &Pat) -> Option<String> {
    if let Pat::Struct(found) = pattern { Some(path_text(&found.path)) } else { None }
}

/// `_`, or a name that matches anything.
fn is_binding(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Wild(_))
        || matches!(pattern, Pat::Ident(found) if !is_value(found) && found.subpat.is_none())
}

fn looks_refutable(pattern: &Pat) -> bool {
    struct Refutable(bool);

    impl<'ast> Visit<'ast> for Refutable {
        fn visit_pat(&mut self, pattern: &'ast Pat) {
            self.0 |= match pattern {
                Pat::Ident(found) => is_value(found),
                Pat::Lit(_) | Pat::Path(_) | Pat::Range(_) | Pat::Slice(_) | Pat::TupleStruct(_) => true,
                // `Role::Admin { .. }` may be a variant.
                Pat::Struct(found) => found.path.segments.len() > 1,
                _ => false,
            };
            visit::visit_pat(self, pattern);
        }
    }

    let mut refutable = Refutable(false);
    refutable.visit_pat(pattern);
    refutable.0
}

/// Every word in these tokens, including those in macros and parentheses.
fn words(tokens: TokenStream) -> HashSet<String> {
    let mut found = HashSet::new();
    for token in tokens {
        match token {
            TokenTree::Ident(word) => drop(found.insert(word.unraw().to_string())),
            TokenTree::Group(group) => found.extend(words(group.stream())),
            // `format!("{level}")`
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
                found.extend(words.map(str::to_owned));
            }
            TokenTree::Punct(_) => {}
        }
    }
    found
}

/// Refuses a condition with the same result for all claims.
fn asks_something(condition: &Expr, asked: &HashSet<String>, bound: &[PatIdent]) -> Result<()> {
    const CURE: &str = "test a field, as in `User { level, .. } if *level > 3`";

    if let Some(truth) = constants::truth(condition) {
        let (always, admits) = if truth { ("always", "everyone") } else { ("never", "no one") };
        let message = format!("this is {always} true, and would admit {admits}: {CURE}");
        return Err(Error::new_spanned(condition, message));
    }
    Constants::refuse(condition)?;
    let bound: Vec<String> = bound.iter().map(name).collect();
    if bound.iter().any(|name| asked.contains(name)) {
        return Ok(());
    }
    let meant = asked.iter().find_map(|word| Some((word, near(word, bound.iter().map(String::as_str))?)));
    let message = match meant {
        Some((word, meant)) => format!("the pattern binds no `{word}`, did you mean `{meant}`?"),
        None => format!("this asks nothing of the claims, which the pattern has to bind: {CURE}"),
    };
    Err(Error::new_spanned(condition, message))
}

fn path_text(path: &Path) -> String {
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    segments.join("::")
}

/// Refuses a condition that uses an argument of the handler: arguments are extracted after the decision.
pub(crate) fn arguments(Pattern { pattern, condition }: &Pattern, arguments: &[Argument]) -> Result<()> {
    #[derive(Default)]
    struct Names {
        bound: Vec<String>,
        used: Vec<Ident>,
        of_route: Vec<(syn::ExprField, String)>,
    }

    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, found: &'ast PatIdent) {
            self.bound.push(found.ident.to_string());
            visit::visit_pat_ident(self, found);
        }

        fn visit_expr_field(&mut self, found: &'ast syn::ExprField) {
            if let (Expr::Path(base), Member::Named(name)) = (&*found.base, &found.member)
                && base.path.is_ident(PATH)
            {
                self.of_route.push((found.clone(), name.to_string()));
            }
            visit::visit_expr_field(self, found);
        }

        fn visit_expr_path(&mut self, found: &'ast ExprPath) {
            self.used.extend(found.path.get_ident().cloned());
        }
    }

    let Some(condition) = condition else { return Ok(()) };
    let mut names = Names::default();
    names.visit_pat(pattern);
    names.visit_expr(condition);
    let mut extracted = Names::default();
    for argument in arguments {
        extracted.visit_pat(&argument.pattern);
    }
    let mut mistakes = Mistakes::default();
    for (found, name) in names.of_route.iter().filter(|_| !names.bound.iter().any(|bound| bound == PATH)) {
        mistakes.add(Error::new_spanned(
            found,
            format!(
                "a parameter of the route is not in a pattern's condition: write a second guard, as in \
             `#[require_claim(sub = {PATH}.{name})]`, below this one"
            ),
        ));
    }
    for used in &names.used {
        let name = used.to_string();
        if extracted.bound.contains(&name) && !names.bound.contains(&name) {
            let message = format!(
                "`{name}` is an argument of the handler, which is read after the decision: compare it in the handler, or \
                 write a guard such as `sub = {PATH}.{name}` for a parameter of the route"
            );
            mistakes.add(Error::new(used.span(), message));
        }
    }
    mistakes.or(())
}
