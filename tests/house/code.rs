//! The code of a file without its tests and comments.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The sources under a directory, by their paths from there.
pub(crate) fn files(src: &str) -> Vec<String> {
    let from_there = |path: PathBuf| path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<String> = files_with(&["rs"], src.as_ref()).into_iter().map(from_there).collect();
    files.sort();
    files
}

/// The files at or below a path with one of these endings.
pub(crate) fn files_with(endings: &[&str], path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().flat_map(|entry| files_with(endings, &entry.unwrap().path())).collect();
    }
    let is_one = path.extension().is_some_and(|ending| endings.iter().any(|it| ending == *it));
    if is_one { vec![path.to_owned()] } else { Vec::new() }
}

/// A file's tokens without tests and comments, one after another without a space.
#[derive(Default)]
pub(crate) struct Code {
    text: String,
    /// Where in the text each line's tokens begin.
    lines: Vec<(usize, usize)>,
}

impl Code {
    pub(crate) fn read(file: &str) -> Code {
        let mut code = Code::default();
        code.add(tokens_of(file));
        code
    }

    fn add(&mut self, stream: TokenStream) {
        for tree in stream {
            self.lines.push((self.text.len(), tree.span().start().line));
            match tree {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.text += open;
                    self.add(group.stream());
                    self.text += close;
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => self.text += &tree.to_string(),
            }
        }
    }

    /// Where a piece of code stands: the rest of the text from there, and the line.
    pub(crate) fn find(&self, code: &str) -> Vec<(&str, usize)> {
        let line = |at| self.lines[self.lines.partition_point(|(begin, _)| *begin <= at) - 1].1;
        self.text.match_indices(&code.replace(' ', "")).map(|(at, _)| (&self.text[at..], line(at))).collect()
    }
}

/// The tokens of a file without tests and comments.
pub(crate) fn tokens_of(file: &str) -> TokenStream {
    without_tests(fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}")).parse().unwrap())
}

fn without_tests(stream: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    while let Some(tree) = tokens.next() {
        let is = |tree: &TokenTree, c| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c);
        if is(&tree, '#') {
            tokens.next_if(|next| is(next, '!'));
        }
        let attribute = match tokens.peek() {
            Some(TokenTree::Group(group)) if is(&tree, '#') => group.stream().to_string(),
            _ => String::new(),
        };
        if attribute == "cfg (test)" || attribute.starts_with("cfg (all (test") {
            // The rest of the attributes, and the item up to its body or its semicolon.
            let is_end = |tree: &TokenTree| match tree {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Ident(_) | TokenTree::Literal(_) => false,
            };
            tokens.by_ref().find(is_end);
        } else if attribute.starts_with("doc =") {
            tokens.next();
        } else if let TokenTree::Group(group) = tree {
            let mut inner = Group::new(group.delimiter(), without_tests(group.stream()));
            inner.set_span(group.span());
            kept.push(TokenTree::Group(inner));
        } else {
            kept.push(tree);
        }
    }
    kept.into_iter().collect()
}
