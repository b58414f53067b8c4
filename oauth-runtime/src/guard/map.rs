//! The policy map: every guard that is linked into the program.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::policy::{Guard, Route, Rule, alone};

/// A guard that a macro has registered.
pub struct Registered(pub &'static Guard);

inventory::collect!(Registered);

/// Every guard of the program, sorted by module and handler.
///
/// ```standalone_crate
/// #[oauth_runtime::require_claim(role = "admin", level > 3)]
/// #[actix_web::get("/admin")]
/// async fn admin() -> &'static str { "admin" }
/// # fn main() {
///
/// let policies = oauth_runtime::policy_map();
/// let entry = policies.iter().find(|entry| entry.handler == Some("admin")).unwrap();
/// assert_eq!(entry.normal.as_deref(), Some(r#"level > 3, role = "admin""#));
/// assert!(policies.snapshot().contains(r#"::admin  GET /admin  level > 3, role = "admin""#));
/// # }
/// ```
#[must_use]
pub fn policy_map() -> PolicyMap {
    let mut entries: Vec<Entry> = guards().map(Entry::new).collect();
    entries.sort_by(|one, other| one.key().cmp(&other.key()));
    number(&mut entries);
    PolicyMap(entries)
}

/// Numbers entries with the same path, such as two handlers of one name in two blocks, by their order in the source.
fn number(entries: &mut [Entry]) {
    for of_one_path in entries.chunk_by_mut(|one, other| one.place == other.place) {
        let mut earlier = of_one_path.iter().map(Entry::position).collect::<Vec<_>>();
        earlier.dedup();
        for entry in of_one_path {
            let number = 1 + earlier.iter().take_while(|position| **position != entry.position()).count();
            if number > 1 {
                entry.place.push_str(&format!(" #{number}"));
            }
        }
    }
}

pub(crate) fn guards() -> impl Iterator<Item = &'static Guard> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
}

/// Every scope that a guard names, sorted.
pub(crate) fn scopes() -> BTreeSet<&'static str> {
    guards().flat_map(|guard| guard.rule.scopes()).collect()
}

/// The policy map. It prints as a table, and serializes as a list.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct PolicyMap(Vec<Entry>);

/// One guard of the [`PolicyMap`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The handler's name; `None` for a `policy!(..)`.
    pub handler: Option<&'static str>,
    /// The routes in the attributes below the guard, without the prefix of a `web::scope`; empty for a `policy!(..)`,
    /// or if the route is stated elsewhere.
    pub routes: &'static [Route],
    /// The module path.
    pub module: &'static str,
    /// The path of the handler, or of the function or constant that has the `policy!(..)`; with a number if several
    /// have the same path.
    pub place: String,
    /// The source file.
    pub file: &'static str,
    /// The line of the guard.
    pub line: u32,
    /// The policy as written; empty for `#[require_token]` and `#[public]`.
    pub policy: &'static str,
    /// The policy in normal form (see [`Rule`]); `None` for a pattern.
    pub normal: Option<String>,
    /// For each term of an `any(..)`, what it admits by itself, such as `suspended = false alone`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alone: Vec<String>,
    #[serde(skip)]
    named_at: (u32, u32),
}

impl PolicyMap {
    /// The guards.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The map as text that changes when access changes, and not when code moves: a line for each guard, sorted, without
    /// files and lines, and below it one for each term of an `any(..)` with what that admits by itself. Keep it in the
    /// repository, and compare in a test:
    ///
    /// ```no_run
    /// let snapshot = oauth_runtime::policy_map().snapshot();
    /// assert_eq!(snapshot, std::fs::read_to_string("policies.txt").unwrap());
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> String {
        let line = |entry: &Entry, demand: &str| {
            let columns = [entry.place.as_str(), &entry.route(), demand];
            columns.into_iter().filter(|column| !column.is_empty()).collect::<Vec<_>>().join("  ") + "\n"
        };
        let lines = |entry: &Entry| {
            let ways = entry.alone.iter().map(|way| line(entry, &format!("- {way}")));
            (line(entry, entry.demand()), ways.collect::<String>())
        };
        let mut lines: Vec<(String, String)> = self.0.iter().map(lines).collect();
        lines.sort();
        lines.into_iter().map(|(line, ways)| line + &ways).collect()
    }
}

impl Entry {
    fn new(guard: &'static Guard) -> Self {
        Entry {
            handler: guard.handler,
            routes: guard.routes,
            module: guard.module,
            place: place(guard),
            named_at: guard.named_at,
            file: guard.file,
            line: guard.line,
            policy: guard.policy,
            normal: match guard.rule {
                Rule::Typed(_) => None,
                rule => Some(rule.to_string()),
            },
            alone: alone(&[&guard.rule]),
        }
    }

    fn key(&self) -> (&str, &str, (u32, u32), u32) {
        (&self.place, self.file, self.named_at, self.line)
    }

    fn position(&self) -> (&'static str, (u32, u32)) {
        (self.file, self.named_at)
    }

    /// Whether it belongs to this guard, or to any of several that one macro writes at the same place.
    #[cfg(feature = "testing")]
    pub(crate) fn is_of(&self, guard: &Guard) -> bool {
        (self.file, self.line, self.named_at, self.policy) == (guard.file, guard.line, guard.named_at, guard.policy)
    }

    fn route(&self) -> String {
        self.routes.iter().map(Route::to_string).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn demand(&self) -> &str {
        self.normal.as_deref().unwrap_or(self.policy)
    }
}

/// The path without what the attributes write around the guard: the handler's future, and the service of actix-web's
/// route.
pub(crate) fn place(guard: &Guard) -> String {
    let path = (guard.place)();
    let (mut path, _) = path.rsplit_once("::__OAUTH_GUARD").unwrap_or((path, ""));
    while let Some(around) = path.strip_suffix("::{{closure}}") {
        path = around;
    }
    let service = path.strip_prefix('<').and_then(|path| path.split_once(SERVICE));
    let path = match service {
        Some((service, handler)) => {
            let within = handler.split_once("::").map(|(_, within)| format!("::{within}")).unwrap_or_default();
            format!("{service}{within}")
        }
        None => path.to_owned(),
    };
    if guard.handler.is_some() { path } else { format!("{path}, policy!") }
}

/// Where actix-web's route attributes put a handler: into the service that they name after it.
const SERVICE: &str = " as actix_web::service::HttpServiceFactory>::register::";

impl fmt::Display for PolicyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 4]> = self
            .0
            .iter()
            .map(|entry| {
                let source = format!("{}:{}", entry.file, entry.line);
                [entry.place.clone(), entry.route(), entry.demand().to_owned(), source]
            })
            .collect();
        let width = |column: usize, title: &str| {
            rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(title.len())
        };
        let (place, route, demand) = (width(0, "Guard"), width(1, "Route"), width(2, "Policy"));
        writeln!(f, "{:place$}  {:route$}  {:demand$}  Source", "Guard", "Route", "Policy")?;
        for [guard, path, policy, source] in &rows {
            writeln!(f, "{guard:place$}  {path:route$}  {policy:demand$}  {source}")?;
        }
        Ok(())
    }
}
