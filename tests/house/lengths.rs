//! How long functions are.

use proc_macro2::extra::DelimSpan;
use syn::visit::{self, Visit};
use syn::{Block, ExprArray, Macro, Signature};

/// The functions of a file: their names, first lines, and numbers of lines. The lines of a table are not counted.
#[derive(Default)]
pub(crate) struct Functions(pub(crate) Vec<(String, usize, usize)>);

impl Functions {
    fn add(&mut self, signature: &Signature, body: &Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let mut tables = Tables(0);
        tables.visit_block(body);
        self.0.push((signature.ident.to_string(), first, last - first + 1 - tables.0));
    }
}

/// The lines within arrays.
struct Tables(usize);

impl Tables {
    fn add(&mut self, table: DelimSpan) {
        self.0 += (table.close().start().line - table.open().start().line).saturating_sub(1);
    }
}

impl<'ast> Visit<'ast> for Tables {
    fn visit_expr_array(&mut self, table: &'ast ExprArray) {
        self.add(table.bracket_token.span);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        if called.path.is_ident("vec") {
            self.add(*called.delimiter.span());
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
