//! The operations of a document, and the guard of each.

use std::collections::BTreeMap;

use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use crate::guard::map;
use crate::policy::Guard;

/// Where an operation is: its path as the document writes it, and its method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) method: &'static str,
}

impl Place {
    pub(crate) fn is(&self, path: &str, method: &str) -> bool {
        self.path == path && self.method == method
    }
}

/// Each guarded operation, with its guards.
///
/// A guard and an operation fit if the method is the same and the operation's path ends with the guard's route: a
/// prefix comes from scopes around the handler. If several fit, those count that the `operationId` names, and of these
/// the ones of which it names the most segments.
pub(crate) fn paired(openapi: &OpenApi) -> BTreeMap<Place, Vec<&'static Guard>> {
    let mut pairs = Vec::new();
    for (path, method, operation) in operations(openapi) {
        let paths = full_paths(openapi, path);
        for guard in map::guards().filter(|guard| is_at(guard, method, &paths)) {
            let named = operation.operation_id.as_deref().map_or(0, |id| named_by(id, guard));
            pairs.push((Place { path: path.to_owned(), method }, guard, named));
        }
    }
    let mut paired: BTreeMap<Place, Vec<&'static Guard>> = BTreeMap::new();
    for (place, guard, named) in &pairs {
        let is_better = |(other, of, more): &(Place, &'static Guard, usize)| {
            more > named && (other == place || std::ptr::eq(*of, *guard))
        };
        if !pairs.iter().any(is_better) {
            paired.entry(place.clone()).or_default().push(guard);
        }
    }
    paired
}

/// Whether a guard has a route with this method that may be at one of these paths.
fn is_at(guard: &Guard, method: &str, paths: &[String]) -> bool {
    guard.routes.iter().any(|route| {
        let pattern = if route.pattern.is_empty() { String::new() } else { template(route.pattern) };
        route.methods.contains(&method) && paths.iter().any(|path| path.ends_with(&pattern))
    })
}

/// With how many words an `operationId` names a handler: its name, and as many modules before it as are there; 0 if it
/// names another.
fn named_by(operation_id: &str, guard: &Guard) -> usize {
    let named = words(operation_id);
    let is_whole = named.len() >= words(guard.handler.unwrap_or_default()).len();
    if is_whole && words(&map::place(guard)).ends_with(&named) { named.len() } else { 0 }
}

/// `notes::list_all`, `notes_list_all` and `notesListAll` have the same words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_after_lower = false;
    for character in name.chars() {
        if !character.is_alphanumeric() || (is_after_lower && character.is_uppercase()) {
            words.push(String::new());
        }
        is_after_lower = character.is_lowercase() || character.is_numeric();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A path whose parameters have neither names nor patterns: actix-web's `/notes/{id:\d+}` and OpenAPI's `/notes/{note}`
/// are equal.
pub(crate) fn template(path: &str) -> String {
    let mut template = String::new();
    if !path.starts_with('/') {
        template.push('/');
    }
    let mut depth = 0_usize;
    for character in path.chars() {
        let before = depth;
        depth = match character {
            '{' => depth + 1,
            '}' => depth.saturating_sub(1),
            _ => depth,
        };
        if before == 0 || depth == 0 {
            template.push(character);
        }
    }
    // `/files/{tail}*`: all that follows
    match template.strip_suffix("}*") {
        Some(before) => format!("{before}}}"),
        None => template,
    }
}

/// The full paths of an operation, below each of the document's servers.
pub(crate) fn full_paths(openapi: &OpenApi, path: &str) -> Vec<String> {
    let base = |url: &str| {
        let after_host = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        after_host.trim_end_matches('/').to_owned()
    };
    let mut bases: Vec<String> = openapi.servers.iter().flatten().map(|server| base(&server.url)).collect();
    if bases.is_empty() {
        bases.push(String::new());
    }
    bases.into_iter().map(|base| template(&format!("{base}{path}"))).collect()
}

/// Each operation, with its path and method.
pub(crate) fn operations(openapi: &OpenApi) -> impl Iterator<Item = (&str, &'static str, &Operation)> {
    openapi.paths.paths.iter().flat_map(|(path, item)| {
        let PathItem { get, put, post, delete, options, head, patch, trace, query, .. } = item;
        let all = [get, put, post, delete, options, head, patch, trace, query];
        let all = METHODS.into_iter().zip(all);
        all.filter_map(move |(method, operation)| Some((path.as_str(), method, operation.as_ref()?)))
    })
}

/// The same, to be changed.
pub(crate) fn operations_mut(openapi: &mut OpenApi) -> impl Iterator<Item = (&str, &'static str, &mut Operation)> {
    openapi.paths.paths.iter_mut().flat_map(|(path, item)| {
        let PathItem { get, put, post, delete, options, head, patch, trace, query, .. } = item;
        let all = [get, put, post, delete, options, head, patch, trace, query];
        let all = METHODS.into_iter().zip(all);
        all.filter_map(move |(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}

const METHODS: [&str; 9] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_actix_and_of_openapi_are_one() {
        for (one, other) in [
            ("/notes/{id:\\d+}", "/notes/{note}"),
            ("/notes/{id:\\d{3}}/x", "/notes/{id}/x"),
            ("/{a}-{b:[a-z]+}", "/{x}-{y}"),
            ("/files/{tail:.*}", "/files/{arg0}"),
            ("/files/{tail}*", "/files/{tail}"),
            ("notes", "/notes"),
            ("", "/"),
        ] {
            assert_eq!(template(one), template(other), "{one}");
        }
        for (one, other) in [("/notes/{id}", "/notes/id"), ("/notes", "/notes/"), ("/{a}", "/{a}-{b}")] {
            assert_ne!(template(one), template(other), "{one}");
        }
    }

    #[test]
    fn an_operation_id_is_words() {
        for name in ["notes::list_all", "notes_list_all", "notesListAll", "notes.list-all"] {
            assert_eq!(words(name), ["notes", "list", "all"], "{name}");
        }
        assert_eq!(words("get2FA"), ["get2", "fa"]);
    }
}
