//! An `App` in which nothing is left open: a route without a guard is refused before its handler runs.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{ResourceDef, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::guard::around::{Around, Rule};
use crate::guard::map;
use crate::guard::protection::Protection;
use crate::guard::refusal::is_preflight;
use crate::guard::watch::Watch;
use crate::policy::Route;

/// The middleware of [`OAuthService::closed`](crate::OAuthService::closed).
#[derive(Clone, Debug)]
pub struct Closed {
    protection: Arc<Protection>,
    public: Vec<Address>,
    guarded: Vec<Address>,
}

impl Closed {
    pub(crate) fn new(protection: &Arc<Protection>) -> Self {
        Closed { protection: Arc::clone(protection), public: Vec::new(), guarded: Vec::new() }
    }

    /// Leaves these open, beside the handlers with `#[public]`: static files, a health check. Written as `GET /health`,
    /// `/health` for all methods, or `/static/*` for all that is below.
    #[must_use]
    pub fn public<A: AsRef<str>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.public.extend(addresses.into_iter().map(|address| Address::new(address.as_ref())));
        self
    }

    /// Names guarded routes that the map of policies cannot see: those with a policy around their scope, or whose
    /// handler has its route elsewhere than in an attribute. Written as for [`public`](Self::public). An answer for
    /// which no guard decided is withheld for these too, but the handler has run by then.
    #[must_use]
    pub fn guarded<A: AsRef<str>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.guarded.extend(addresses.into_iter().map(|address| Address::new(address.as_ref())));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for Closed
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Around<Rules, S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let routes = routes();
        let ends = ends(&routes);
        ready(Ok(Around::new(Rules { closed: self.clone(), routes, ends }, service)))
    }
}

impl Rule for Rules {
    async fn answer<S, B>(
        self: Rc<Self>,
        request: ServiceRequest,
        service: Rc<S>,
    ) -> Result<ServiceResponse<EitherBody<B>>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: 'static,
    {
        let ruling = self.rule(&request);
        let refused = match ruling {
            Ruling::Pass => return service.call(request).await.map(ServiceResponse::map_into_left_body),
            // The answer is in its headers.
            Ruling::Preflight => return service.call(request).await.map(without_body),
            Ruling::Watch | Ruling::Unknown => None,
            Ruling::NoSuchRoute => {
                tell_of_nothing(request.request());
                Some(HttpResponse::NotFound().finish())
            }
            Ruling::NoSuchMethod(ref allowed) => {
                tell(request.request(), "no guard on the map has this method of the route");
                Some(HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allowed.as_str())).finish())
            }
            Ruling::Refuse => {
                tell(request.request(), "a route without a guard was refused");
                Some(self.refusal(request.request()))
            }
        };
        if let Some(response) = refused {
            return Ok(request.into_response(response).map_into_right_body());
        }
        let watch = Watch::default();
        request.extensions_mut().insert(watch.clone());
        // An error comes from a middleware: an error of a handler is an answer.
        let response = service.call(request).await?;
        if watch.is_decided() {
            return Ok(response.map_into_left_body());
        }
        if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return Ok(without_body(response));
        }
        // A fallback has answered, and no route.
        let withheld = if matches!(ruling, Ruling::Unknown) && response.request().match_pattern().is_none() {
            tell_of_nothing(response.request());
            HttpResponse::NotFound().finish()
        } else {
            tell(response.request(), "an answer for which no guard decided was withheld");
            self.refusal(response.request())
        };
        Ok(response.into_response(withheld).map_into_right_body())
    }
}

/// Removes the body, since a handler may have answered.
fn without_body<B>(response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    response.map_body(|_, _| EitherBody::right(BoxBody::new(())))
}

/// What is known of the routes.
#[derive(Debug)]
pub struct Rules {
    closed: Closed,
    /// By the name that actix-web gives to the resource, which is the handler's.
    routes: HashMap<&'static str, Vec<&'static Route>>,
    /// How the paths of guarded routes end, whatever scopes are around them.
    ends: Vec<(&'static Route, ResourceDef)>,
}

enum Ruling {
    /// It is the server's own, or open.
    Pass,
    /// An inner CORS layer answers it.
    Preflight,
    /// A guard is there: an answer that nothing decided is withheld all the same.
    Watch,
    /// Its path is none that actix-web finds, and it ends as that of a guarded route.
    Unknown,
    NoSuchRoute,
    /// The route has guards only for these methods.
    NoSuchMethod(String),
    Refuse,
}

impl Rules {
    fn rule(&self, request: &ServiceRequest) -> Ruling {
        let Rules { closed, routes, .. } = self;
        let asked = Asked::new(request);
        let named = |addresses: &[Address]| addresses.iter().any(|address| address.is(&asked));
        if closed.protection.is_own(request) {
            return Ruling::Pass;
        }
        if named(&closed.public) {
            #[cfg(feature = "testing")]
            crate::guard::probe::listed_as_public(request.request());
            return Ruling::Pass;
        }
        if named(&closed.guarded) {
            return Ruling::Watch;
        }
        let Some(pattern) = &asked.pattern else {
            return if self.may_be_guarded(&asked) { Ruling::Unknown } else { Ruling::NoSuchRoute };
        };
        // The map has the pattern without the scopes around it: the longest match is the pattern of this route.
        let known = asked.name.and_then(|name| routes.get(name)).into_iter().flatten();
        let known = known.filter(|route| pattern.ends_with(route.pattern)).max_by_key(|route| route.pattern.len());
        let Some(known) = known else { return Ruling::Refuse };
        let of_pattern = routes.values().flatten().filter(|route| route.pattern == known.pattern);
        let mut methods: Vec<&str> = of_pattern.flat_map(|route| route.methods).copied().collect();
        if methods.contains(&request.method().as_str()) {
            return Ruling::Watch;
        }
        if is_preflight(request.request()) {
            return Ruling::Preflight;
        }
        methods.sort_unstable();
        methods.dedup();
        Ruling::NoSuchMethod(methods.join(", "))
    }

    /// `match_pattern` looks only into the first scope with a path's beginning. The router also goes on to the next where
    /// an actix guard of that scope refuses, and what it finds there may have its own guard.
    fn may_be_guarded(&self, asked: &Asked<'_>) -> bool {
        let mut of_method = self.ends.iter().filter(|(route, _)| route.methods.contains(&asked.method));
        asked.path.len() <= LONGEST_UNKNOWN && of_method.any(|(_, end)| end.is_match(asked.path))
    }

    fn refusal(&self, request: &HttpRequest) -> HttpResponse {
        self.closed.protection.at(request).refusal(Reason::NothingDecided).into_response(request)
    }
}

/// Where a request goes, percent-decoded as the router will read it, unlike `ServiceRequest::path`.
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    /// The pattern of the first resource that has this path, including the scopes around it.
    pattern: Option<String>,
    name: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn new(request: &'a ServiceRequest) -> Self {
        let path = request.match_info().as_str();
        let map = request.resource_map();
        Asked { method: request.method().as_str(), path, pattern: map.match_pattern(path), name: map.match_name(path) }
    }
}

fn routes() -> HashMap<&'static str, Vec<&'static Route>> {
    let mut routes: HashMap<&'static str, Vec<&'static Route>> = HashMap::new();
    for route in map::guards().flat_map(|guard| guard.routes) {
        routes.entry(route.name).or_default().push(route);
    }
    routes
}

fn ends(routes: &HashMap<&'static str, Vec<&'static Route>>) -> Vec<(&'static Route, ResourceDef)> {
    let ends = routes.values().flatten().filter(|route| route.pattern.matches('{').count() < MOST_PARAMETERS);
    ends.map(|route| (*route, ResourceDef::new(format!("{ANY_SCOPES}{}", route.pattern)))).collect()
}

/// Tells of a 404, with no more of the path than its first segment: the rest may be a secret.
fn tell_of_nothing(request: &HttpRequest) {
    tracing::info!(
        target: "oauth",
        method = %request.method(),
        below = request.path().split_inclusive('/').take(2).collect::<String>(),
        "oauth.closed() answered 404, since it knows no route for this path: name a fallback (App::default_service, files) by \
         .public([..]), and by .guarded([\"/s/*\"]) what is in a scope \"/s\" after another \"/s\" that has an actix guard"
    );
}

fn tell(request: &HttpRequest, what: &'static str) {
    let pattern = request.match_pattern();
    let route = pattern.as_deref().unwrap_or(request.path());
    tracing::error!(
        target: "oauth",
        method = %request.method(),
        route,
        "{what}: write `#[require_claim(..)]`, `#[require_token]` or `#[public]` above the route's attribute; where a policy \
         or oauth.pages() around a scope decides, or a guard whose route is no attribute, name it by \
         oauth.closed().guarded([..]), and what is open without a handler of yours by .public([..])"
    );
}

/// The beginning of a path, before the part that a route's attribute names.
const ANY_SCOPES: &str = "{oauth_scopes:.*}";
/// In bytes: each pattern is tried on a path that no route has.
const LONGEST_UNKNOWN: usize = 1024;
/// Of one pattern: actix-router panics at more.
const MOST_PARAMETERS: usize = 16;

/// `GET /health`, `/health` or `/static/*`.
#[derive(Clone, Debug)]
struct Address {
    method: Option<String>,
    path: String,
    is_prefix: bool,
}

impl Address {
    fn new(written: &str) -> Self {
        let (method, path) =
            written.split_once(' ').map_or((None, written), |(method, path)| (Some(method), path.trim()));
        let (path, is_prefix) = path.strip_suffix('*').map_or((path, false), |path| (path, true));
        Address { method: method.map(str::to_owned), path: path.to_owned(), is_prefix }
    }

    fn is(&self, asked: &Asked<'_>) -> bool {
        let is_method = self.method.as_deref().is_none_or(|method| method == asked.method);
        let is_path = if self.is_prefix {
            asked.path.starts_with(&self.path)
        } else {
            asked.pattern.as_ref().map_or(asked.path == self.path, |pattern| *pattern == self.path)
        };
        is_method && is_path
    }
}
