//! The parts of a condition that are decided without the claims.

use quote::ToTokens as _;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::visit::{self, Visit};
use syn::{BinOp, Error, Expr, ExprBinary, ExprBlock, ExprLet, ExprLit, ExprMacro, Lit, Pat, Result, Stmt, Token};

use crate::mistakes::Mistakes;
use crate::syntax::INTEGERS;

#[derive(Default)]
pub(super) struct Constants {
    mistakes: Mistakes,
}

impl Constants {
    /// Refuses what has the same result for all claims, where that can be seen. What a function answers cannot.
    pub(super) fn refuse(condition: &Expr) -> Result<()> {
        let mut constants = Constants::default();
        constants.visit_expr(condition);
        constants.mistakes.or(())
    }

    fn always(&mut self, found: &impl quote::ToTokens, truth: &str) {
        self.mistakes.add(Error::new_spanned(found, format!("this is always `{truth}`: leave it out")));
    }
}

impl<'ast> Visit<'ast> for Constants {
    fn visit_expr_binary(&mut self, found: &'ast ExprBinary) {
        let ExprBinary { left, op, right, .. } = found;
        let (one, other) = (value(left), value(right));
        match op {
            BinOp::And(_) | BinOp::Or(_) | BinOp::BitAnd(_) | BinOp::BitOr(_) | BinOp::BitXor(_) => {
                for (side, truth) in [one, other].into_iter().filter_map(|side| Some((side, truth(side)?))) {
                    self.always(side, if truth { "true" } else { "false" });
                }
            }
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)
                if text(one) == text(other) =>
            {
                self.mistakes.add(Error::new_spanned(found, "both sides are the same: compare with something else"));
            }
            BinOp::Ge(_) if is_zero(other) => self.mistakes.add(always_at_least_zero(found, left)),
            BinOp::Le(_) if is_zero(one) => self.mistakes.add(always_at_least_zero(found, right)),
            BinOp::Ge(_) if is_end(other, "MIN") || is_end(one, "MAX") => self.always(found, "true"),
            BinOp::Le(_) if is_end(other, "MAX") || is_end(one, "MIN") => self.always(found, "true"),
            _ => {}
        }
        visit::visit_expr_binary(self, found);
    }

    /// `let _ = level`
    fn visit_expr_let(&mut self, found: &'ast ExprLet) {
        if is_wildcard(&found.pat) {
            self.always(found, "true");
        }
        visit::visit_expr_let(self, found);
    }

    /// `matches!(level, _)`
    fn visit_expr_macro(&mut self, found: &'ast ExprMacro) {
        let pattern = |input: ParseStream<'_>| {
            Expr::parse(input)?;
            input.parse::<Token![,]>()?;
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            input.parse::<Option<Token![,]>>()?;
            Ok(pattern)
        };
        if found.mac.path.segments.last().is_some_and(|last| last.ident == "matches")
            && let Ok(pattern) = pattern.parse2(found.mac.tokens.clone())
            && is_wildcard(&pattern)
        {
            self.always(found, "true");
        }
    }
}

fn text(side: &Expr) -> String {
    side.to_token_stream().to_string()
}

/// Without references and parentheses.
fn value(side: &Expr) -> &Expr {
    match side {
        Expr::Paren(inner) => value(&inner.expr),
        Expr::Group(inner) => value(&inner.expr),
        Expr::Reference(inner) => value(&inner.expr),
        _ => side,
    }
}

/// What it is in any case: `true`, or a block that ends with it.
pub(super) fn truth(side: &Expr) -> Option<bool> {
    match value(side) {
        Expr::Lit(ExprLit { lit: Lit::Bool(truth), .. }) => Some(truth.value),
        Expr::Block(ExprBlock { block, .. }) => match block.stmts.last() {
            Some(Stmt::Expr(last, None)) => truth(last),
            _ => None,
        },
        _ => None,
    }
}

fn is_zero(side: &Expr) -> bool {
    match side {
        Expr::Lit(ExprLit { lit: Lit::Int(digits), .. }) => digits.base10_digits() == "0",
        Expr::Path(path) => {
            let written = text(side).replace(' ', "");
            path.qself.is_none() && written.starts_with('u') && is_end(side, "MIN")
        }
        _ => false,
    }
}

/// `u8::MAX`
fn is_end(side: &Expr, end: &str) -> bool {
    let Expr::Path(path) = side else { return false };
    let segments: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    matches!(segments.as_slice(), [.., ty, last] if INTEGERS.contains(&ty.as_str()) && last == end)
}

fn is_wildcard(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Paren(inner) => is_wildcard(&inner.pat),
        Pat::Or(either) => either.cases.iter().any(is_wildcard),
        _ => false,
    }
}

fn always_at_least_zero(found: &ExprBinary, number: &Expr) -> Error {
    let number = text(number).replace("* ", "*");
    let message = format!(
        "a number without a sign is always at least 0: leave this out, or write `{number} > 0`, or `{number} > -1` for one \
         with a sign"
    );
    Error::new_spanned(found, message)
}
