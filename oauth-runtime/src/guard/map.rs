//! The policy map: every guard that is linked into the program.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::policy::{Guard, Route, Rule};

/// A guard that a macro has put on the list.
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
/// let policies = oauth_runtime::policies();
/// let entry = policies.iter().find(|entry| entry.handler == Some("admin")).unwrap();
/// assert_eq!(entry.normal.as_deref(), Some(r#"level > 3, role = "admin""#));
/// assert!(policies.snapshot().contains(r#"::admin  GET /admin  level > 3, role = "admin""#));
/// # }
/// ```
#[must_use]
pub fn policies() -> Policies {
    let mut entries: Vec<Entry> = guards().map(Entry::new).collect();
    entries.sort_by(|one, other| one.key().cmp(&other.key()));
    Policies(entries)
}

pub(crate) fn guards() -> impl Iterator<Item = &'static Guard> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
}

/// Every scope that a guard speaks of, sorted.
pub(crate) fn scopes() -> BTreeSet<&'static str> {
    guards().flat_map(|guard| guard.rule.scopes()).collect()
}

/// The policy map. Printed it is a table, serialized a list.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Policies(Vec<Entry>);

/// One guard of the [`Policies`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The handler's name; none for a `policy!(..)`.
    pub handler: Option<&'static str>,
    /// The routes in the attributes below the guard, without the prefix of a `web::scope`; none for a `policy!(..)`, or
    /// where the route is stated elsewhere.
    pub routes: &'static [Route],
    /// The module path.
    pub module: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line of the guard.
    pub line: u32,
    /// The policy as written; empty for `#[require_token]` and `#[public]`.
    pub policy: &'static str,
    /// The policy in normal form (see [`Rule`]); none for a pattern.
    pub normal: Option<String>,
}

impl Policies {
    /// The guards.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The map as text that changes when access changes, and not when code moves: a line for each guard, sorted, without
    /// files and lines. Keep it in the repository, and compare in a test:
    ///
    /// ```no_run
    /// let snapshot = oauth_runtime::policies().snapshot();
    /// assert_eq!(snapshot, std::fs::read_to_string("policies.txt").unwrap());
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> String {
        let line = |entry: &Entry| {
            let columns = [entry.place(), entry.route(), entry.demand().to_owned()];
            columns.into_iter().filter(|column| !column.is_empty()).collect::<Vec<_>>().join("  ") + "\n"
        };
        let mut lines: Vec<String> = self.0.iter().map(line).collect();
        lines.sort();
        lines.concat()
    }
}

impl Entry {
    fn new(guard: &'static Guard) -> Self {
        Entry {
            handler: guard.handler,
            routes: guard.routes,
            module: guard.module,
            file: guard.file,
            line: guard.line,
            policy: guard.policy,
            normal: match guard.rule {
                Rule::Typed(_) => None,
                rule => Some(rule.to_string()),
            },
        }
    }

    fn key(&self) -> (&str, Option<&str>, &str, u32) {
        (self.module, self.handler, self.file, self.line)
    }

    fn place(&self) -> String {
        match self.handler {
            Some(handler) => format!("{}::{handler}", self.module),
            None => format!("{}, policy!", self.module),
        }
    }

    fn route(&self) -> String {
        self.routes.iter().map(Route::to_string).collect::<Vec<_>>().join(", ")
    }

    fn demand(&self) -> &str {
        self.normal.as_deref().unwrap_or(self.policy)
    }
}

impl fmt::Display for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 4]> = self
            .0
            .iter()
            .map(|entry| {
                let source = format!("{}:{}", entry.file, entry.line);
                [entry.place(), entry.route(), entry.demand().to_owned(), source]
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
