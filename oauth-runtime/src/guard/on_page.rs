//! The user of a page, whose session takes the place of an access token.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use crate::guard::protection::Protection;
use crate::keys::{Registered, Texts, Verified};
use crate::model::session::Authentication;
use crate::model::{Scope, Timestamp};
use crate::policy::bound::UNBOUND;
use crate::policy::written::place_of;
use crate::policy::{Guard, Rule};
use crate::store::{Key, Kind};

/// In a request for a page: its user, by the session of the browser. Only the middleware of
/// [`OAuthService::pages`](crate::OAuthService::pages) puts it there, and only for guards of its own service.
#[derive(Clone)]
pub(crate) struct OnPage {
    protection: Arc<Protection>,
    user: Arc<Verified>,
}

impl OnPage {
    pub(crate) fn new(protection: &Arc<Protection>, user: Arc<Verified>) -> Self {
        OnPage { protection: Arc::clone(protection), user }
    }

    /// The user of this request, if it has no token: a token decides, even an invalid one.
    pub(crate) fn user(request: &HttpRequest, protection: &Arc<Protection>) -> Option<Arc<Verified>> {
        if request.headers().contains_key(header::AUTHORIZATION) {
            return None;
        }
        let extensions = request.extensions();
        // A guard of another service, or one that accepts only the tokens of a resource, does not know this session.
        let on_page = extensions.get::<OnPage>().filter(|on_page| Arc::ptr_eq(&on_page.protection, protection))?;
        Some(Arc::clone(&on_page.user))
    }
}

/// What guards decide by for a session: the current claims, and how the user signed in. It has no scope and no client.
pub(crate) fn user_of_session(
    protection: &Protection,
    subject: &str,
    mut claims: Map<String, Value>,
    authentication: &Authentication,
) -> Verified {
    let id = authentication.session.clone();
    claims.insert("sub".to_owned(), subject.into());
    let how = authentication.claims().filter(|(name, _)| *name != "sid");
    claims.extend(how.map(|(name, value)| (name.to_owned(), value)));
    let texts = Texts {
        issuer: &protection.expected.issuer,
        subject,
        id: id.as_deref().unwrap_or_default(),
        client_id: "",
        grant: None,
        session: id.as_deref(),
    };
    let registered = Registered {
        texts: texts.kept(),
        audience: vec![protection.expected.audience.clone()],
        expires_at: authentication.until.unwrap_or(authentication.at),
        issued_at: authentication.at,
        scope: Scope::default(),
        signed_in_at: Some(authentication.at),
        as_of: Some(authentication.as_of),
        is_renewable: false,
        key: Key::of(Kind::Subject, subject),
        bound_to: None,
    };
    Verified::of_session(registered, claims)
}

/// The requirement of pages, listed like a guard.
pub(crate) static SIGNED_IN: Guard = Guard {
    rule: Rule::Token,
    parameters: &[],
    policy: "",
    handler: None,
    routes: &[],
    claims: &[],
    bound: UNBOUND,
    dynamic: &[],
    module: module_path!(),
    place: || place_of(|| ()),
    named_at: (line!(), column!()),
    file: file!(),
    line: line!(),
};

/// The recent users of pages, so that their claims are not reloaded for each image.
#[derive(Default)]
pub(crate) struct SeenUsers(OnceLock<Cache<String, Seen>>);

#[derive(Clone)]
struct Seen {
    user: Arc<Verified>,
    /// A user who signs in once more stays in the same session.
    how: (Timestamp, Vec<String>, Option<String>),
    /// By the monotonic clock of this process.
    at: Duration,
}

impl SeenUsers {
    /// The user of a session whose claims were reloaded a moment ago.
    pub(crate) fn get(&self, authentication: &Authentication, now: Duration) -> Option<Arc<Verified>> {
        let seen = self.0.get()?.get(authentication.session.as_deref()?)?;
        let is_same = seen.how == how(authentication);
        (is_same && now.saturating_sub(seen.at) < CLAIMS_COUNT_FOR).then_some(seen.user)
    }

    pub(crate) fn keep(&self, authentication: &Authentication, user: &Arc<Verified>, now: Duration) {
        let Some(session) = &authentication.session else { return };
        let seen = Seen { user: Arc::clone(user), how: how(authentication), at: now };
        self.0.get_or_init(|| Cache::new(MOST_SEEN)).insert(session.clone(), seen);
    }
}

fn how(authentication: &Authentication) -> (Timestamp, Vec<String>, Option<String>) {
    (authentication.at, authentication.amr.clone(), authentication.acr.clone())
}

const CLAIMS_COUNT_FOR: Duration = Duration::from_secs(5);
const MOST_SEEN: usize = 4096;
