//! Whether a pattern could be what it seems to be.

use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Error, Expr, ExprLit, ExprPath, Ident, Lit, Member, Pat, PatIdent, PatStruct, PatTupleStruct, Path, Result};

use crate::handler::argument::Argument;
use crate::mistakes::Mistakes;
use crate::syntax::{PATH, Pattern};

/// Refuses a pattern that could never be what it seems to be. Whether it can fail is for the compiler to say.
pub(crate) fn pattern(Pattern { pattern, condition }: &Pattern) -> Result<()> {
    let mut checker = PatternChecker { has_condition: condition.is_some(), ..PatternChecker::default() };
    checker.visit_pat(pattern);
    checker.mistakes.or(())?;
    match condition {
        Some(Expr::Lit(ExprLit { lit: Lit::Bool(truth), .. })) => {
            let message = if truth.value {
                "this is always true, and would admit everybody: ask something of a field, as in `if *level > 3`"
            } else {
                "this is never true, and would admit nobody: ask something of a field, as in `if *level > 3`"
            };
            Err(Error::new(truth.span, message))
        }
        Some(_) | None => Ok(()),
    }
}

#[derive(Default)]
struct PatternChecker {
    mistakes: Mistakes,
    has_condition: bool,
    /// How to bind what stands in the place that is looked at, and its name.
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
                self.field(format!("{ty} {{ {name}, .. }}"), name.to_string(), &field.pat);
            }
        }
    }

    fn visit_pat_tuple_struct(&mut self, found: &'ast PatTupleStruct) {
        let ty = path_text(&found.path);
        for (index, pattern) in found.elems.iter().enumerate() {
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

    /// Without a condition a binding is unused, although it reads as if it restricted something.
    fn visit_pat_ident(&mut self, found: &'ast PatIdent) {
        let name = found.ident.unraw().to_string();
        // In capitals it is a constant, or a variant.
        if !self.has_condition && name.starts_with(|first: char| first.is_lowercase()) {
            let message = match &found.subpat {
                Some(_) => format!(
                    "`{name}` is bound, and nothing asks for it: leave `{name} @` out, or write `if` and a condition"
                ),
                None => format!(
                    "`{name}` is bound, and nothing asks for it: write what it must be, as in `{name}: 3..`, or `if` and a \
                     condition"
                ),
            };
            self.mistakes.add(Error::new(found.ident.span(), message));
            return;
        }
        visit::visit_pat_ident(self, found);
    }
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
    }

    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, found: &'ast PatIdent) {
            self.bound.push(found.ident.to_string());
            visit::visit_pat_ident(self, found);
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
