//! For each term of a policy two tokens between which only that term flips, and with it the decision.

mod search;
mod values;

use std::collections::BTreeSet;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::{Error, HttpMessage as _, test};
use serde_json::{Map, Value as Json};

use crate::guard::map::{self, Entry, policy_map};
use crate::guard::probe::Probe;
use crate::policy::bound::UNBOUND;
use crate::policy::{Guard, Policy, Rule, alone};
use crate::server::OAuthService;
use crate::testing::Token;
use crate::testing::suite::search::{IsPattern, NOW, Pair, search};
use crate::testing::token::begin;

/// The suite of a policy: for each of its terms a token that is admitted and one that is refused, which differ in one claim.
///
/// ```
/// use oauth_runtime::{policy, testing};
///
/// let suite = testing::suite(policy!(role = "admin", any(level > 3, trusted))).unwrap();
/// assert_eq!(suite.cases().len(), 3);
/// assert!(suite.redundant().is_empty());
/// assert_eq!(suite.alone(), [r#"level > 3 alone, beside role = "admin""#, r#"trusted alone, beside role = "admin""#]);
///
/// // A user above 3 is above 2.
/// let suite = testing::suite(policy!(level > 3, level > 2)).unwrap();
/// assert_eq!(suite.redundant(), ["level > 2"]);
/// ```
///
/// # Errors
/// For a pattern, whose terms only the compiler knows.
pub fn suite(policy: Policy) -> Result<Suite, Unsuitable> {
    Suite::new(&[policy.0])
}

/// The suite of a handler's guards, all of them together, or of a [`policy!`](crate::policy!): by the name of the handler, or of the
/// constant or function that has the policy; by its path where several have one name.
///
/// A parameter of the route, as in `sub = path.owner`, is taken to be `1`.
///
/// ```standalone_crate
/// use oauth_runtime::{Policy, policy, testing};
///
/// const STAFF: Policy = policy!(role = ["editor", "admin"], not(suspended));
///
/// # fn main() {
/// # let _ = STAFF;
/// let suite = testing::suite_of("STAFF").unwrap();
/// assert_eq!(suite.cases().len(), 2);
/// # }
/// ```
///
/// # Errors
/// If no guard has this name, if several have, and for a pattern.
pub fn suite_of(handler: &str) -> Result<Suite, Unsuitable> {
    let is_named = |path: &str| path == handler || path.ends_with(&format!("::{handler}"));
    let full = |guard: &Guard| guard.handler.map(|name| format!("{}::{name}", guard.module));
    let found: Vec<_> = map::guards().filter(|guard| full(guard).is_some_and(|full| is_named(&full))).collect();
    let names: BTreeSet<String> = found.iter().filter_map(|guard| full(guard)).collect();
    match names.len() {
        0 => suite_of_policy(handler, is_named),
        1 => Suite::new(&found),
        _ => Err(Unsuitable::Several { known: names.into_iter().collect() }),
    }
}

/// The suite of a policy that no handler has, by its name in the map of policies.
fn suite_of_policy(name: &str, is_named: impl Fn(&str) -> bool) -> Result<Suite, Unsuitable> {
    let policies = policy_map();
    let (of_handlers, values): (Vec<&Entry>, Vec<&Entry>) = policies.iter().partition(|entry| entry.handler.is_some());
    let around = |entry: &Entry| entry.place.split(", policy!").next().is_some_and(&is_named);
    let found: Vec<&Entry> = values.iter().copied().filter(|entry| entry.place == name || around(entry)).collect();
    match found.as_slice() {
        [] => {
            let known = of_handlers.iter().filter_map(|entry| Some(format!("{}::{}", entry.module, entry.handler?)));
            let known: BTreeSet<String> = known.chain(values.iter().map(|entry| entry.place.clone())).collect();
            Err(Unsuitable::NoGuard { handler: name.to_owned(), known: known.into_iter().collect() })
        }
        [entry] => Suite::new(&map::guards().filter(|guard| entry.is_of(guard)).take(1).collect::<Vec<_>>()),
        _ => Err(Unsuitable::Several { known: found.iter().map(|entry| entry.place.clone()).collect() }),
    }
}

/// What [`suite()`] makes.
#[derive(Clone, Debug)]
pub struct Suite {
    cases: Vec<Case>,
    redundant: Vec<String>,
    undetermined: Vec<String>,
    alone: Vec<String>,
    terms: Vec<String>,
    admits_none: bool,
    admits_all: bool,
}

/// One term, and two sets of claims that differ in one claim of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The term, in normal form.
    pub term: String,
    /// Claims that the policy admits, together with those that every user has if `claims!(..)` names a type.
    pub admitted: Map<String, Json>,
    /// Claims that it refuses.
    pub refused: Map<String, Json>,
}

/// Why there is no suite.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsuitable {
    /// The guard is a pattern of a type.
    #[error("`{pattern}` is a pattern, whose terms only the compiler knows: test it with tokens of your own")]
    Typed {
        /// As written.
        pattern: &'static str,
    },
    /// Nothing of this name has a guard.
    #[error("no handler and no constant `{handler}` has a guard; these have: {}", .known.join(", "))]
    NoGuard {
        /// The name that was asked for.
        handler: String,
        /// The names that have one.
        known: Vec<String>,
    },
    /// Several have this name.
    #[error("several guards have this name: write one of {}", .known.join(", "))]
    Several {
        /// Their full names.
        known: Vec<String>,
    },
}

crate::model::debug_as_text!(Unsuitable);

impl Case {
    /// A token that is admitted.
    pub fn admitted_token(&self, oauth: &OAuthService) -> Token {
        dated(begin(oauth), &self.admitted, oauth)
    }

    /// A token that is refused.
    pub fn refused_token(&self, oauth: &OAuthService) -> Token {
        dated(begin(oauth), &self.refused, oauth)
    }
}

/// The search has a clock of its own.
fn dated(token: Token, claims: &Map<String, Json>, oauth: &OAuthService) -> Token {
    let token = token.without("auth_time").with(claims.clone());
    match claims.get("auth_time").and_then(Json::as_u64) {
        Some(at) => token.claim("auth_time", (oauth.server().now().seconds() + at).saturating_sub(NOW)),
        None => token,
    }
}

impl Suite {
    /// The suite of guards that apply together, all of one crate.
    fn new(guards: &[&'static Guard]) -> Result<Suite, Unsuitable> {
        let rules: Vec<&'static Rule> = guards.iter().map(|guard| &guard.rule).collect();
        let bound = guards.first().map_or(UNBOUND, |guard| guard.bound);
        let found = search(&rules, &bound).map_err(|IsPattern(pattern)| Unsuitable::Typed { pattern })?;
        let case = |(term, [admitted, refused]): Pair| Case { term, admitted, refused };
        Ok(Suite {
            cases: found.pairs.into_iter().map(case).collect(),
            redundant: found.redundant,
            undetermined: found.undetermined,
            alone: alone(&rules),
            terms: found.terms,
            admits_none: found.admits_none,
            admits_all: found.admits_all,
        })
    }

    /// A pair of tokens for each term that matters.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Terms that never decide anything, whatever the claims.
    #[must_use]
    pub fn redundant(&self) -> Vec<&str> {
        self.redundant.iter().map(String::as_str).collect()
    }

    /// Whether no claims can meet the policy.
    ///
    /// ```
    /// use oauth_runtime::{policy, testing};
    ///
    /// let suite = testing::suite(policy!(any(trusted, level > 3), not(trusted), level <= 3)).unwrap();
    /// assert!(suite.admits_none() && !suite.admits_all());
    /// let suite = testing::suite(policy!(any(all(sub = "ada", client_id = "x"), not(all(sub = "ada", client_id = "x"))))).unwrap();
    /// assert!(suite.admits_all() && !suite.admits_none());
    /// ```
    #[must_use]
    pub fn admits_none(&self) -> bool {
        self.admits_none
    }

    /// Whether all claims that a user can have meet the policy, though none of its terms holds for all of them by
    /// itself.
    #[must_use]
    pub fn admits_all(&self) -> bool {
        self.admits_all
    }

    /// For each term of an `any(..)`, what it admits by itself, so that a test can say that this is intended.
    #[must_use]
    pub fn alone(&self) -> Vec<&str> {
        self.alone.iter().map(String::as_str).collect()
    }

    /// Terms of a policy that is too large to be searched through.
    #[must_use]
    pub fn undetermined(&self) -> Vec<&str> {
        self.undetermined.iter().map(String::as_str).collect()
    }

    /// Calls a handler with both tokens of each case, and checks that one is admitted, whatever the handler then
    /// answers, and the other refused.
    ///
    /// ```standalone_crate
    /// # use actix_web::{App, get, test};
    /// # use oauth_runtime::{require_claim, testing};
    /// #[require_claim(any(sub = path.owner, role = "admin"))]
    /// #[get("/report/{owner}")]
    /// async fn report() -> &'static str { "report" }
    ///
    /// # #[actix_web::main]
    /// # async fn main() {
    /// let oauth = testing::service();
    /// let app = test::init_service(App::new().configure(oauth.routes()).service(report)).await;
    /// let suite = testing::suite_of("report").unwrap();
    /// suite.check(&oauth, &app, || test::TestRequest::get().uri("/report/1")).await;
    /// # }
    /// ```
    ///
    /// # Panics
    /// If that is not so, if the policy admits no user or every user, if a term is redundant, or if the policy is too
    /// large to tell.
    pub async fn check<B: MessageBody>(
        &self,
        oauth: &OAuthService,
        app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
        request: impl Fn() -> test::TestRequest,
    ) {
        let terms = self.terms.join("; ");
        assert!(
            !self.admits_none,
            "no user passes this guard, whatever their claims are: {terms}; write any(..) where one of the terms is enough"
        );
        assert!(
            !self.admits_all,
            "every user who signed in passes this guard, whatever their claims are: {terms}; compare with another value, or write \
             #[require_token] where that is meant"
        );
        assert!(self.redundant.is_empty(), "these terms never decide anything: {}", self.redundant.join("; "));
        assert!(self.undetermined.is_empty(), "too large to be searched: {}", self.undetermined.join("; "));
        for case in &self.cases {
            for (token, expected) in [(case.admitted_token(oauth), true), (case.refused_token(oauth), false)] {
                let request = request().insert_header(token.header()).to_request();
                let probe = Probe::default();
                request.extensions_mut().insert(probe.clone());
                let status = match app.call(request).await {
                    Ok(response) => response.status(),
                    Err(error) => error.as_response_error().status_code(),
                };
                let decisions = probe.decisions();
                assert!(!decisions.is_empty(), "no guard of this crate saw the request; it was answered with {status}");
                let refused = decisions.iter().find_map(|noted| noted.refused.as_ref());
                let claims = if expected { &case.admitted } else { &case.refused };
                assert_eq!(
                    refused.is_none(),
                    expected,
                    "{}: answered {status} for {claims:?}{}; a parameter of the route has to be 1 in the path of the request",
                    case.term,
                    refused.map(|why| format!(", since {why}")).unwrap_or_default()
                );
            }
        }
    }
}
