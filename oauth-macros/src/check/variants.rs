//! Alternatives that are variants of one enum: together they may cover it.

use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{FieldPat, Pat, PatOr, Path};

/// `Role::Reader | Role::Admin`, and the enum's path.
pub(crate) struct Alternatives {
    pub(crate) of: Path,
    pub(crate) written: PatOr,
}

/// Alternatives that decide about all of the claims, or about one field. Inside `Some(..)` they still test for
/// presence, however many there are.
pub(crate) fn alternatives(pattern: &Pat) -> Vec<Alternatives> {
    struct Found(Vec<Alternatives>);

    impl<'ast> Visit<'ast> for Found {
        fn visit_field_pat(&mut self, field: &'ast FieldPat) {
            self.0.extend(of_one_enum(&field.pat));
            visit::visit_field_pat(self, field);
        }
    }

    let mut found = Found(of_one_enum(pattern).into_iter().collect());
    found.visit_pat(pattern);
    found.0
}

fn of_one_enum(pattern: &Pat) -> Option<Alternatives> {
    let written = match pattern {
        Pat::Or(written) => written,
        Pat::Paren(inner) => return of_one_enum(&inner.pat),
        _ => return None,
    };
    let mut cases = written.cases.iter().map(enum_of);
    let of = cases.next()??;
    let named = of.to_token_stream().to_string();
    cases
        .all(|other| other.is_some_and(|other| other.to_token_stream().to_string() == named))
        .then(|| Alternatives { of, written: written.clone() })
}

/// `Role` of `Role::Admin`. A name in all capitals may be a constant, and the path before it a module.
fn enum_of(pattern: &Pat) -> Option<Path> {
    let Pat::Path(found) = pattern else { return None };
    let mut path = found.path.clone();
    let variant = path.segments.pop()?.ident.to_string();
    path.segments.pop_punct();
    let is_variant = found.qself.is_none() && variant.contains(|character: char| character.is_lowercase());
    // A module may re-export the variants.
    let is_type = path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase));
    (is_variant && is_type).then_some(path)
}
