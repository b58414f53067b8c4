//! What the routes of an `App` answer, as a table and as a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[cfg(feature = "utoipa")]
use crate::policy::Guard;

/// What the routes of an `App` answer to a stranger. It prints as a table: first what is open, unchecked or guarded in
/// vain, then the rest, with one line for all that belongs to the server.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Coverage {
    pub(super) rows: Vec<(Route, Finding)>,
    pub(super) excepted: BTreeSet<String>,
    /// By path: the policy of the scope that an open route seems to be in.
    pub(super) beside: BTreeMap<String, String>,
    pub(super) unworn: Vec<(String, String)>,
    /// No service is in the `App`, and no guard could decide by another.
    pub(super) is_without_service: bool,
    #[cfg(feature = "utoipa")]
    pub(super) refused: Vec<Refused>,
}

/// What the outermost guard of a route refused.
#[cfg(feature = "utoipa")]
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) route: Route,
    /// The route is of this method: a policy around a scope refuses others, too.
    pub(super) is_named: bool,
    pub(super) guard: &'static Guard,
}

/// A method and the pattern of a path; no method where it is the same for all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Such as `GET`.
    pub method: Option<String>,
    /// As it was registered, the scopes around it included.
    pub path: String,
}

/// What a route answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Finding {
    /// A guard refused it; this is its policy, in normal form.
    Guarded(String),
    /// It says that it is open, by `#[public]`, or [`Closed::public`](crate::Closed::public) does.
    Public,
    /// It belongs to the server: one of its endpoints, such as `/authorize`.
    Server,
    /// It answered with this status, and no guard had refused it.
    Open(u16),
    /// Its guard cannot work on this route.
    Misfit(String),
    /// It could not be checked, and why.
    Unchecked(String),
}

impl Coverage {
    /// Accepts these routes as they are, written as in the table: `GET /health`, or `/static/{file}` for all methods.
    ///
    /// # Panics
    /// If there is no such route: an outdated list hides something sooner or later.
    pub fn except(mut self, routes: &[&str]) -> Self {
        for route in routes {
            assert!(
                self.rows.iter().any(|(known, _)| known.is(route)),
                "there is no route {route:?} to make an exception of:\n{self}"
            );
            self.excepted.insert((*route).to_owned());
        }
        self
    }

    /// Every route and what it answered.
    pub fn findings(&self) -> impl Iterator<Item = (&Route, &Finding)> {
        self.rows.iter().map(|(route, finding)| (route, finding))
    }

    /// Each `policy!(..)` of the program that no scope, resource or `App` here is wrapped in, by its place. It may be
    /// one that a handler checks with [`satisfies`](crate::AccessToken::satisfies); wrap a constant that is meant for a
    /// scope around it.
    pub fn unworn(&self) -> impl Iterator<Item = &str> {
        self.unworn.iter().map(|(place, _)| place.as_str())
    }

    /// The table as text that changes when access changes: a line for each route of the application, sorted, with its method (none
    /// where it is the same for all), its path with the scopes around it, and what guards it; then one for each policy
    /// that no scope is wrapped in. A route that leaves its scope shows up in the review of the change. Keep it in the
    /// repository, and compare in a test:
    ///
    /// ```no_run
    /// # async fn test(app: actix_web::App<impl actix_web::dev::ServiceFactory<
    /// #     actix_web::dev::ServiceRequest, Config = (), Response = actix_web::dev::ServiceResponse,
    /// #     Error = actix_web::Error, InitError = (), Future: 'static> + 'static>) {
    /// let routes = oauth_runtime::testing::coverage(app).await.snapshot();
    /// assert_eq!(routes, std::fs::read_to_string("routes.txt").unwrap());
    /// # }
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> String {
        let rows: Vec<_> = self.rows.iter().filter(|(_, finding)| *finding != Finding::Server).collect();
        // A scope's policy refuses every method, those too that its routes do not have.
        let of_one_path = rows.chunk_by(|(one, finding), (other, same)| one.path == other.path && finding == same);
        let routes = of_one_path.map(|rows| {
            let (Route { path, .. }, finding) = rows[0];
            let methods: Vec<&str> = rows.iter().filter_map(|(route, _)| route.method.as_deref()).collect();
            let methods = if methods.len() < METHODS.len() { methods.join("|") } else { String::new() };
            let method = if methods.is_empty() { methods } else { methods + " " };
            match finding {
                Finding::Guarded(policy) => format!("{method}{path}  {policy}\n"),
                other => format!("{method}{path}  {other}\n"),
            }
        });
        let unworn = self.unworn.iter().map(|(place, policy)| format!("(no scope)  {place}  {policy}\n"));
        routes.chain(unworn).collect()
    }

    /// Whether every route is guarded, says that it is public, or was excepted.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.rows.iter().all(|(route, finding)| self.is_fine(route, finding))
    }

    /// Fails the test if a route is open, unchecked, or guarded in vain.
    ///
    /// # Panics
    /// With the table.
    pub fn assert_closed(&self) {
        assert!(self.is_closed(), "{}\n{self}", self.headline());
    }

    /// What to do about each kind of problem.
    fn headline(&self) -> String {
        let of_kind = |is: fn(&Finding) -> bool| {
            self.rows.iter().filter(|(route, finding)| is(finding) && !self.is_fine(route, finding)).count()
        };
        let kinds = [
            (of_kind(|finding| matches!(finding, Finding::Open(_))), OPEN),
            // Without a service no guard is at fault.
            (
                if self.is_without_service { 0 } else { of_kind(|finding| matches!(finding, Finding::Misfit(_))) },
                MISFIT,
            ),
            (of_kind(|finding| matches!(finding, Finding::Unchecked(_))), UNCHECKED),
        ];
        let without = self.is_without_service.then(|| WITHOUT_SERVICE.to_owned());
        let kinds = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, cure)| format!("{count} {cure}"));
        without.into_iter().chain(kinds).collect::<Vec<String>>().join("\n")
    }

    #[cfg(feature = "utoipa")]
    pub(super) fn is_excepted(&self, route: &Route) -> bool {
        self.excepted.iter().any(|excepted| route.is(excepted))
    }

    fn is_fine(&self, route: &Route, finding: &Finding) -> bool {
        match finding {
            Finding::Guarded(_) | Finding::Public | Finding::Server => true,
            Finding::Open(_) | Finding::Misfit(_) | Finding::Unchecked(_) => {
                self.excepted.iter().any(|excepted| route.is(excepted))
            }
        }
    }
}

impl Route {
    fn is(&self, written: &str) -> bool {
        self.to_string() == written || self.path == written
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.method {
            Some(method) => write!(f, "{method} {}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Guarded(policy) => write!(f, "guarded: {policy}"),
            Finding::Public => f.write_str("public"),
            Finding::Server => f.write_str("of the server itself"),
            Finding::Open(401) => f.write_str("OPEN: it answered 401 by itself, without a guard"),
            Finding::Open(status) => write!(f, "OPEN: it answered {status}"),
            Finding::Misfit(why) => write!(f, "MISFIT: its guard cannot work here: {why}"),
            Finding::Unchecked(why) => write!(f, "UNCHECKED: {why}"),
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (own, others): (Vec<_>, Vec<_>) = self.rows.iter().partition(|(_, finding)| *finding == Finding::Server);
        let (fine, amiss): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(route, finding)| self.is_fine(route, finding));
        let shown = amiss.iter().chain(&fine);
        let width = shown.map(|(route, _)| route.to_string().chars().count()).max().unwrap_or(0);
        for (route, finding) in amiss {
            write!(f, "! {:width$}  {finding}", route.to_string())?;
            match self.beside.get(&route.path) {
                Some(policy) if matches!(finding, Finding::Open(_)) => writeln!(
                    f,
                    ", and is not in the scope that has its path, whose policy refuses everything else there: register it within ({policy})"
                )?,
                Some(_) | None => writeln!(f)?,
            }
        }
        for (place, policy) in &self.unworn {
            writeln!(f, "? {place:width$}  no scope is wrapped in it (a handler may ask it by `satisfies`): {policy}")?;
        }
        for (route, finding) in fine {
            let excepted = if self.excepted.iter().any(|known| route.is(known)) { "(excepted) " } else { "" };
            writeln!(f, "  {:width$}  {excepted}{finding}", route.to_string())?;
        }
        let paths = match own.len() {
            0 => return Ok(()),
            1 => "(1 path)".to_owned(),
            count => format!("({count} paths)"),
        };
        writeln!(f, "  {paths:width$}  {}", Finding::Server)
    }
}

/// What a route without a method takes.
pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

const WITHOUT_SERVICE: &str = "no service is in this App, so none of its guards can decide: add .configure(oauth.routes()), as the \
                               program does";
const OPEN: &str = "open to strangers: put a guard on each, `#[public]`, or `.except(&[..])`";
const MISFIT: &str = "guarded in vain: change the guard as its line says";
const UNCHECKED: &str = "unchecked: find out what each answers, and name it in `.except(&[..])`";
