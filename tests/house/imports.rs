//! Which file imports which: by `use` and by paths in the code, up to the file that defines what is named.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, UseTree, Visibility};

use crate::code::tokens_of;

/// One file imports another: the first place where it does.
#[derive(Clone)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    line: usize,
    path: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Import { from, to, line, path } = self;
        write!(f, "{from}:{line} imports {to} (`{path}`)")
    }
}

/// The shortest way from a file over its imports back to itself, if there is any.
pub(crate) fn shortest_circle(imports: &[Import]) -> Option<Vec<Import>> {
    let circle = |first: &Import| {
        let mut ways = VecDeque::from([vec![first]]);
        let mut seen = HashSet::new();
        while let Some(way) = ways.pop_front() {
            let end = &way[way.len() - 1].to;
            if *end == first.from {
                return Some(way.into_iter().cloned().collect::<Vec<_>>());
            }
            if seen.insert(end) {
                ways.extend(imports.iter().filter(|next| next.from == *end).map(|next| [&way[..], &[next]].concat()));
            }
        }
        None
    };
    imports.iter().filter_map(circle).min_by_key(Vec::len)
}

/// A path as it is written, in pieces, and its line.
type Named = (Vec<String>, usize);

/// What a module says. A module within a file is one of its own.
#[derive(Default)]
struct Module {
    file: String,
    /// The names that `use` brings into the module, for itself or for others, and their paths.
    names: HashMap<String, Vec<String>>,
    /// What it imports: by `use`, but not by `pub use`, and by each path in its code.
    imports: Vec<Named>,
}

/// The modules of a crate, by their paths.
pub(crate) struct Sources(BTreeMap<Vec<String>, Module>);

impl Sources {
    pub(crate) fn read(src: &str) -> Sources {
        let mut sources = Sources(BTreeMap::new());
        sources.add(src, "lib.rs".to_owned(), Vec::new());
        sources
    }

    fn add(&mut self, src: &str, file: String, at: Vec<String>) {
        let syntax = syn::parse2(tokens_of(&format!("{src}/{file}"))).unwrap();
        let mut reader = Reader { modules: &mut self.0, file, at, children: Vec::new() };
        reader.module();
        reader.visit_file(&syntax);
        for (at, file) in reader.children {
            self.add(src, file, at);
        }
    }

    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut imports = BTreeMap::new();
        for (at, module) in &self.0 {
            for (path, line) in &module.imports {
                if let Some(to) = self.file_of(at, path).filter(|to| *to != module.file) {
                    let (from, to, path, line) = (module.file.clone(), to.to_owned(), path.join("::"), *line);
                    imports.entry((from.clone(), to.clone())).or_insert(Import { from, to, line, path });
                }
            }
        }
        imports.into_values().collect()
    }

    /// The file that defines what a path in a module means, through re-exports; none if it is of another crate, or local.
    fn file_of(&self, at: &[String], path: &[String]) -> Option<&str> {
        let (first, mut rest) = path.split_first()?;
        // A lone `crate` is that of `pub(crate)`, a lone `self` a value.
        if rest.is_empty() && matches!(first.as_str(), "crate" | "self" | "super") {
            return None;
        }
        let mut at = at.to_vec();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => _ = at.pop(),
            _ => rest = path,
        }
        while let Some((name, after)) = rest.split_first() {
            let here = &self.0[&at];
            at.push(name.clone());
            if name == "super" {
                at.truncate(at.len() - 2);
            } else if !self.0.contains_key(&at) {
                at.pop();
                return match here.names.get(name) {
                    Some(named) if named[0] != *name => self.file_of(&at, &[named, after].concat()),
                    Some(_) => None,
                    None if rest.len() == path.len() => None,
                    None => Some(&here.file),
                };
            }
            rest = after;
        }
        Some(&self.0[&at].file)
    }
}

/// Reads one file.
struct Reader<'a> {
    modules: &'a mut BTreeMap<Vec<String>, Module>,
    file: String,
    at: Vec<String>,
    children: Vec<(Vec<String>, String)>,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        let file = &self.file;
        self.modules.entry(self.at.clone()).or_insert_with(|| Module { file: file.clone(), ..Module::default() })
    }

    /// The names of a `use`, each with its path and its line.
    fn names_of(tree: &UseTree, mut path: Vec<String>, names: &mut Vec<(String, Named)>) {
        let add = |path: &mut Vec<String>, name: &syn::Ident| {
            if name != "self" || path.is_empty() {
                path.push(name.to_string());
            }
        };
        let (name, line) = match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                return Self::names_of(&part.tree, path, names);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| Self::names_of(tree, path.clone(), names));
            }
            UseTree::Name(part) => {
                add(&mut path, &part.ident);
                (path[path.len() - 1].clone(), part.ident.span())
            }
            UseTree::Rename(part) => {
                add(&mut path, &part.ident);
                (part.rename.to_string(), part.ident.span())
            }
            UseTree::Glob(part) => {
                path.push("*".to_owned());
                ("*".to_owned(), part.star_token.span)
            }
        };
        names.push((name, (path, line.start().line)));
    }

    /// The paths in what is given to a macro.
    fn paths_in(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for tree in tokens {
            match tree {
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => path.push(ident.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    self.module().imports.push((std::mem::take(&mut path), line));
                    (path, line) = (vec![ident.to_string()], ident.span().start().line);
                }
                TokenTree::Group(group) => self.paths_in(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.module().imports.push((std::mem::take(&mut path), line));
                }
            }
            colons = 0;
        }
        self.module().imports.push((path, line));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.at.push(item.ident.to_string());
        if let Some((_, items)) = &item.content {
            self.module();
            items.iter().for_each(|item| self.visit_item(item));
        } else {
            let named = item.attrs.iter().find(|attribute| attribute.path().is_ident("path"));
            let file = match named.map(|attribute| &attribute.meta.require_name_value().unwrap().value) {
                Some(file) => {
                    Path::new(&self.file).with_file_name(file.to_token_stream().to_string().trim_matches('"'))
                }
                None => Path::new(&self.at.join("/")).with_extension("rs"),
            };
            self.children.push((self.at.clone(), file.to_str().unwrap().to_owned()));
        }
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut names = Vec::new();
        Self::names_of(&item.tree, Vec::new(), &mut names);
        let module = self.module();
        for (name, named) in names {
            module.names.insert(name, named.0.clone());
            if matches!(item.vis, Visibility::Inherited) {
                module.imports.push(named);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let pieces = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.module().imports.push((pieces, path.span().start().line));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        self.paths_in(called.tokens.clone());
    }
}
