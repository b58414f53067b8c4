//! Which routes of an `App` are open.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use actix_http::Request;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ResourceDef, ResourceMap, Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::introspection::{IntrospectionReportItem, IntrospectionTree};
use actix_web::{App, Error, HttpMessage as _, test, web};
use futures_util::FutureExt as _;

use crate::guard::map;
use crate::guard::own;
use crate::guard::probe::{self, Noted, Probe};
use crate::guard::protection::Protection;
use crate::policy::{Guard, Rule};
#[cfg(feature = "utoipa")]
use crate::testing::table::Refused;
use crate::testing::table::{Coverage, Finding, METHODS, Route};

/// Calls every route and method of an `App` without a token, and finds out which of them answer.
///
/// ```
/// use actix_web::{App, get};
/// use oauth_runtime::{public, require_token, testing};
///
/// #[require_token]
/// #[get("/me")]
/// async fn me() -> &'static str { "me" }
///
/// #[public]
/// #[get("/")]
/// async fn welcome() -> &'static str { "welcome" }
///
/// #[get("/health")]
/// async fn health() -> &'static str { "up" }
///
/// # #[actix_web::main]
/// # async fn main() {
/// let oauth = testing::service();
/// let app = App::new().configure(oauth.routes()).service(me).service(welcome).service(health);
/// testing::coverage(app).await.except(&["GET /health"]).assert_closed();
/// # }
/// ```
///
/// A route is closed when a guard of this crate refuses: a 401 that a handler answers by itself does not count. **Handlers
/// without a guard do run**, so give it only test data.
///
/// # What it cannot see
///
/// - Services that do not tell actix-web their routes, such as `actix_files::Files` or a hand-written
///   `HttpServiceFactory`: they are listed as unchecked where they have a path, and are not seen where they have none.
/// - What is in a scope without a prefix that asks for more than a path, as `web::scope("").guard(guard::Host(..))`:
///   actix-web lists the scope, but not what is in it. It is a row of its own, `(a scope without a prefix)`, and
///   unchecked.
/// - Which route of a path has which method: actix-web merges them. Each method of a path is called once, and methods
///   that no route names are called too, since a route without a method takes them.
/// - A handler that answers 404 or 405 to a method that no route names, if its answer has no body, or if what is below its
///   path gets one of that kind: that is how actix-web answers where there is nothing, and the fallback of a scope.
/// - Routes that ask for more than a path and a method (a header, a host): unchecked. So is all that is in two scopes of one
///   prefix of which one does so.
/// - What is below a path whose pattern no sample fits: unchecked.
/// - What a handler does with a token. That is what [`suite()`](crate::testing::suite()) is for.
pub async fn coverage<T, B>(app: App<T>) -> Coverage
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
        + 'static,
    T::Future: 'static,
    B: MessageBody,
{
    let made = AssertUnwindSafe(probe::wrapped_by(test::init_service(app))).catch_unwind().await;
    let (app, wrapped) = match made {
        Ok(made) => made,
        Err(panic) => return not_made(panic),
    };
    // The list of routes is in the application's data, which is reached through a request.
    let first = app.call(test::TestRequest::with_uri(NOWHERE).to_request()).await.ok();
    let first = first.as_ref().map(ServiceResponse::request);
    let known = first.and_then(|request| Some((request, request.app_data::<web::Data<IntrospectionTree>>()?)));
    let Some((request, tree)) = known else {
        let route = Route { method: None, path: "/".to_owned() };
        let why = "a middleware failed before actix-web could say which routes there are";
        return Coverage { rows: vec![(route, Finding::Unchecked(why.to_owned()))], ..Coverage::default() };
    };
    let protection = request.app_data::<Arc<Protection>>();
    let items: Vec<IntrospectionReportItem> = (&tree.root).into();
    let mut rows = Rows::default();
    let is_mounted = items.iter().any(|item| own::is_pattern(&item.full_path));
    let own = protection.filter(|_| is_mounted).map_or(&[][..], |protection| protection.own_urls.paths());
    for path in own {
        check_own(&app, path, &mut rows).await;
    }
    let is_others = |item: &&IntrospectionReportItem| {
        let path = &item.full_path;
        item.resource_type == "resource" && !own::is_pattern(path) && !own.contains(path)
    };
    for item in items.iter().filter(is_others) {
        check(&app, request.resource_map(), item, scope_that_asks(&items, item), &mut rows).await;
    }
    if let Some(asks) = items.iter().find_map(scope_without_a_prefix) {
        let route = Route { method: None, path: "(a scope without a prefix)".to_owned() };
        let why = format!("it asks for more than a path, and what is in it is not known: {asks}");
        rows.push((route, Finding::Unchecked(why)));
    }
    let nowhere = Route { method: None, path: "(any other)".to_owned() };
    let answer = call(&app, &Method::GET, NOWHERE).await;
    if !matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        rows.judge(nowhere, &answer);
    }
    #[cfg(feature = "utoipa")]
    let refused = std::mem::take(&mut rows.refused);
    let Rows { found: mut rows, wrapped: beside, .. } = rows;
    rows.sort_by(|(one, _), (other, _)| (&one.path, &one.method).cmp(&(&other.path, &other.method)));
    // A service of a scope lets its guards decide.
    let is_without_service =
        protection.is_none() && !rows.iter().any(|(_, finding)| matches!(finding, Finding::Guarded(_)));
    Coverage {
        rows,
        excepted: BTreeSet::new(),
        beside,
        unworn: unworn(&wrapped),
        is_without_service,
        #[cfg(feature = "utoipa")]
        refused,
    }
}

/// An `App` whose routes actix-web cannot list: if a parameter occurs twice in a path, it panics without saying where.
fn not_made(panic: Box<dyn Any + Send>) -> Coverage {
    let text = panic.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    let pattern = text.strip_prefix("Wrong path pattern: \"").and_then(|rest| rest.split_once("\" "));
    // With actix-web's feature `unicode`, another engine reports it, in more words.
    let Some((path, _)) = pattern.filter(|(_, why)| why.contains("duplicate capture group")) else {
        resume_unwind(panic)
    };
    let names = parameters(path);
    let twice = names.iter().enumerate().find_map(|(place, name)| names[..place].contains(name).then_some(*name));
    let name = twice.unwrap_or_default();
    let guards = map::guards().filter(|guard| guard.parameters.contains(&name)).filter_map(|guard| guard.handler);
    let handlers: BTreeSet<String> = guards.map(|handler| format!("`{handler}`")).collect();
    let handlers: Vec<String> = handlers.into_iter().collect();
    let why = format!(
        "the parameter `{name}` occurs twice in this path, in a scope and in a route within it, and a guard may read another than \
         its handler: give each a name of its own; guards speak of it on {}",
        if handlers.is_empty() { "no handler".to_owned() } else { handlers.join(", ") }
    );
    Coverage {
        rows: vec![(Route { method: None, path: path.to_owned() }, Finding::Misfit(why))],
        ..Coverage::default()
    }
}

/// The names of a path's parameters.
fn parameters(path: &str) -> Vec<&str> {
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    for (place, character) in path.char_indices() {
        match character {
            '{' => {
                if depth == 0 {
                    names.extend(path[place + 1..].split([':', '}']).next());
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    names
}

/// The findings so far.
#[derive(Default)]
struct Rows {
    found: Vec<(Route, Finding)>,
    /// The paths at which a policy around a scope refused a method, and that policy: a route that is open there is
    /// outside the scope.
    wrapped: BTreeMap<String, String>,
    #[cfg(feature = "utoipa")]
    refused: Vec<Refused>,
}

impl Rows {
    fn push(&mut self, row: (Route, Finding)) {
        self.found.push(row);
    }

    fn judge(&mut self, route: Route, answer: &Answer) {
        self.note(&route.path, answer);
        self.found.push((route, judge(answer)));
    }

    fn note(&mut self, path: &str, answer: &Answer) {
        let by = answer.decisions.iter().find(|noted| noted.refused.is_some() && noted.guard.handler.is_none());
        if let Some(Noted { guard, .. }) = by {
            self.wrapped.insert(path.to_owned(), guard.rule.to_string());
        }
    }

    #[cfg(feature = "utoipa")]
    fn note_refused(&mut self, route: Route, is_named: bool, answer: &Answer) {
        let by = answer.decisions.iter().find(|noted| noted.refused.is_some());
        self.refused.extend(by.map(|Noted { guard, .. }| Refused { route, is_named, guard }));
    }
}

/// Each `policy!(..)` of the program that nothing of this `App` is wrapped in: its place, and what it demands.
fn unworn(wrapped: &[&Guard]) -> Vec<(String, String)> {
    let policies = map::policy_map();
    let unworn = policies.iter().filter(|entry| entry.handler.is_none());
    let unworn = unworn.filter(|entry| !wrapped.iter().any(|guard| entry.is_of(guard)));
    unworn.map(|entry| (entry.place.clone(), entry.demand().to_owned())).collect()
}

/// The answer to one request.
struct Answer {
    status: StatusCode,
    decisions: Vec<Noted>,
    is_of_the_server: bool,
    /// That `oauth.closed()` leaves its address open.
    is_listed: bool,
    /// actix-web answers 404 and 405 without one: this is a handler's.
    has_body: bool,
}

impl Answer {
    /// Whether there is nothing for this method.
    fn is_absent(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) && self.decisions.is_empty()
    }
}

/// An address of the server, which a route of the application may share: which of them answers depends on the method.
async fn check_own<B: MessageBody>(
    app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    path: &str,
    rows: &mut Rows,
) {
    rows.push((Route { method: None, path: path.to_owned() }, Finding::Server));
    for name in METHODS {
        let Ok(method) = Method::from_bytes(name.as_bytes()) else { continue };
        let answer = call(app, &method, path).await;
        if !answer.is_of_the_server && !answer.is_absent() {
            rows.judge(Route { method: Some(name.to_owned()), path: path.to_owned() }, &answer);
        }
    }
}

/// What a scope around a resource asks for beside its path.
fn scope_that_asks(items: &[IntrospectionReportItem], resource: &IntrospectionReportItem) -> Option<String> {
    let is_around = |scope: &&IntrospectionReportItem| {
        let below = resource.full_path.strip_prefix(&scope.full_path);
        scope.resource_type != "resource"
            && !scope.guards.is_empty()
            && below.is_some_and(|below| below.starts_with('/'))
    };
    items.iter().find(is_around).map(|scope| scope.guards.join(", "))
}

/// What scopes without a prefix ask for. They share the root's place with what is at `/`, which has another pattern.
fn scope_without_a_prefix(item: &IntrospectionReportItem) -> Option<String> {
    let is_scope = item.resource_type != "resource" || item.patterns.iter().any(String::is_empty);
    (item.full_path == "/" && is_scope && !item.guards.is_empty()).then(|| item.guards.join(", "))
}

/// Every method of one path.
async fn check<B: MessageBody>(
    app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    map: &ResourceMap,
    item: &IntrospectionReportItem,
    scope_asks: Option<String>,
    rows: &mut Rows,
) {
    let path = &item.full_path;
    let mut unchecked = |method: Option<&str>, why: String| {
        rows.push((Route { method: method.map(str::to_owned), path: path.clone() }, Finding::Unchecked(why)));
    };
    let samples = fill(path);
    if samples.is_empty() {
        return unchecked(None, "no sample fits its pattern".to_owned());
    }
    if let Some(asks) = scope_asks {
        return unchecked(None, format!("a scope around it asks for more than a path: {asks}"));
    }
    let Some(filled) = samples.into_iter().find(|sample| lands(map, sample, path)) else {
        return unchecked(None, "each sample of its path is another route's, which comes before it".to_owned());
    };
    if item.potentially_unreachable {
        return unchecked(None, format!("it may be out of reach: {}", item.reachability_notes.join("; ")));
    }
    if !item.guards.is_empty() {
        return unchecked(None, format!("it asks for more than a method: {}", item.guards.join(", ")));
    }
    let named: BTreeSet<&str> = item.methods.iter().map(String::as_str).collect();
    let others = METHODS.into_iter().filter(|method| !named.contains(method));
    let (mut any, mut is_listed) = (BTreeSet::new(), false);
    for (name, is_named) in named.iter().map(|name| (*name, true)).chain(others.map(|name| (name, false))) {
        let Ok(method) = Method::from_bytes(name.as_bytes()) else { continue };
        let answer = call(app, &method, &filled).await;
        rows.note(path, &answer);
        #[cfg(feature = "utoipa")]
        rows.note_refused(Route { method: Some(name.to_owned()), path: path.clone() }, is_named, &answer);
        is_listed |= answer.is_listed;
        let finding = match (answer.is_absent(), is_named) {
            // Which files there are below it is not known here.
            (true, true) if answer.is_listed => Finding::Public,
            (true, true) => Finding::Unchecked(format!("it answered {} to {filled}", answer.status.as_u16())),
            (true, false) if answer.has_body && !falls_back(app, &method, &filled).await => {
                Finding::Unchecked(format!("a handler answered {} to {filled}", answer.status.as_u16()))
            }
            (true, false) => continue,
            (false, _) => judge(&answer),
        };
        if named.is_empty() && matches!(finding, Finding::Guarded(_) | Finding::Public) {
            any.insert(finding);
        } else {
            rows.push((Route { method: Some(name.to_owned()), path: path.clone() }, finding));
        }
    }
    // A route for every method is one line, not seven.
    rows.found.extend(any.into_iter().map(|finding| (Route { method: None, path: path.clone() }, finding)));
    if !rows.found.iter().any(|(route, _)| route.path == *path) {
        let why = || format!("no method is known, and it answered none to {filled}");
        let finding = if is_listed { Finding::Public } else { Finding::Unchecked(why()) };
        rows.push((Route { method: None, path: path.clone() }, finding));
    }
}

/// Whether what is around a route answers so, since it does below the route, too: the fallback of an `App` or a scope.
async fn falls_back<B: MessageBody>(
    app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    method: &Method,
    path: &str,
) -> bool {
    let answer = call(app, method, &format!("{path}{NOWHERE}")).await;
    answer.is_absent() && answer.has_body
}

/// Whether a path leads to the route of this pattern, and not to one that comes before it.
fn lands(map: &ResourceMap, path: &str, pattern: &str) -> bool {
    let found = map.match_pattern(path);
    found.is_none_or(|found| found.trim_end_matches('/') == pattern.trim_end_matches('/'))
}

async fn call<B: MessageBody>(
    app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    method: &Method,
    path: &str,
) -> Answer {
    let request = test::TestRequest::with_uri(path).method(method.clone()).to_request();
    let probe = Probe::default();
    request.extensions_mut().insert(probe.clone());
    let (status, has_body) = match app.call(request).await {
        Ok(response) => {
            (response.status(), !matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0)))
        }
        Err(error) => (error.as_response_error().status_code(), false),
    };
    Answer {
        status,
        has_body,
        decisions: probe.decisions(),
        is_of_the_server: probe.is_of_the_server(),
        is_listed: probe.is_listed(),
    }
}

fn judge(Answer { status, decisions, is_listed, .. }: &Answer) -> Finding {
    let refused = decisions.iter().find_map(|Noted { guard, refused }| Some((guard, refused.as_ref()?)));
    match refused {
        Some((guard, _)) if *status == StatusCode::UNAUTHORIZED => Finding::Guarded(guard.rule.to_string()),
        Some((guard, why)) if status.is_server_error() => Finding::Misfit(format!("{}: {why}", guard.rule)),
        Some(_) => Finding::Open(status.as_u16()),
        None if *is_listed || decisions.iter().any(|noted| matches!(noted.guard.rule, Rule::Public)) => Finding::Public,
        None => Finding::Open(status.as_u16()),
    }
}

/// The paths that a pattern fits.
fn fill(pattern: &str) -> Vec<String> {
    let whole = ResourceDef::new(pattern);
    let filled = SAMPLES.iter().filter_map(|sample| {
        let mut path = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('{') {
            path.push_str(before);
            path.push_str(sample);
            let mut depth = 1_usize;
            let end = after.find(|character| {
                depth = match character {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                depth == 0
            })?;
            rest = &after[end + 1..];
        }
        path.push_str(rest.strip_suffix('*').unwrap_or(rest));
        whole.is_match(&path).then_some(path)
    });
    let mut filled: Vec<String> = filled.collect();
    filled.dedup();
    filled
}

/// A path that is not registered.
const NOWHERE: &str = "/oauth-runtime-coverage/no-such-route";

/// Values for the parameters of a path: digits, words, and what identifiers look like.
const SAMPLES: [&str; 12] = [
    "1",
    "a",
    "A",
    "12",
    "123",
    "2024",
    "a1",
    "abc",
    "2024-01-01",
    "00000000-0000-4000-8000-000000000000",
    "a@a.aa",
    "a.txt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[::core::prelude::v1::test]
    fn patterns_are_filled_or_given_up() {
        for (pattern, path) in [
            ("/a", Some("/a")),
            ("/a/{id}", Some("/a/1")),
            ("/a/{id:\\d{3}}/{name}", Some("/a/123/123")),
            ("/{name:[a-z]+}", Some("/a")),
            ("/f/{tail:.*}", Some("/f/1")),
            ("/f/{tail}*", Some("/f/1")),
            ("/{id:x{40}}", None),
        ] {
            assert_eq!(fill(pattern).first().map(String::as_str), path, "{pattern}");
        }
    }
}
