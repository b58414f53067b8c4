//! What travels sealed between the steps of the authorization code grant.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::device_code::ForDevice;
use crate::model::id::{digest, random_id};
use crate::model::own_page::LocalPath;
use crate::model::pkce::Challenge;
use crate::model::proof::Thumbprint;
use crate::model::pushed::Push;
use crate::model::question::Question;
use crate::model::resource::Resources;
use crate::model::scope::Scope;
use crate::model::session::{Authentication, HowSignedIn, Person};

/// A valid authorization request (RFC 6749 §4.1.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    /// Where the answer goes; it is registered.
    pub(crate) redirect_uri: String,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    pub(crate) state: Option<String>,
    /// OpenID Connect Core §3.1.2.1: comes back in the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    /// Further claims for it (`claims`), among those that the scope releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) in_id_token: Vec<String>,
    /// `None` for a client without PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<Challenge>,
    /// The key that the code is bound to (`dpop_jkt`, RFC 9449 §10).
    #[serde(default, rename = "jkt", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Thumbprint>,
    #[serde(default, rename = "wishes")]
    pub(crate) requirements: Requirements,
    /// Whether its user ticked that the session outlives the browser.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) remember: bool,
    /// Whether no refresh tokens were offered with it: then it never leads to any, whatever the configuration becomes.
    #[serde(default, rename = "once", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_refresh: bool,
    /// The device that gets the answer, if the browser does not bring it. The browser then returns to the page on which
    /// the device's code was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<ForDevice>,
    /// The push that it came by, if any (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) push: Option<Push>,
    /// The page of the application itself that it is for, rather than for a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<LocalPath>,
}

impl AuthorizationRequest {
    /// A request whose answer goes to a page of this server or of the application: it asks for nothing for a client.
    pub(crate) fn of_own_page(redirect_uri: String, requirements: Requirements) -> Self {
        AuthorizationRequest {
            client_id: String::new(),
            redirect_uri,
            scope: Scope::default(),
            resources: Resources::default(),
            state: None,
            nonce: None,
            in_id_token: Vec::new(),
            challenge: None,
            key: None,
            requirements,
            remember: false,
            without_refresh: false,
            device: None,
            push: None,
            page: None,
        }
    }
}

/// How the client requires its user to be authenticated (OpenID Connect Core §3.1.2.1, RFC 9470 §4). It travels with
/// the request to the code, and applies on every way there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Requirements {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prompt: Vec<Prompt>,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u64>,
    /// From `prompt` and `max_age`: an earlier sign-in is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_in_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acr: Vec<String>,
    /// The `sub` of `id_token_hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// The `sub` of `claims`: the user must be one of these, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) subjects: Vec<String>,
    /// `login_hint`
    #[serde(default, rename = "hint", skip_serializing_if = "Option::is_none")]
    pub(crate) login_hint: Option<String>,
    /// The language of the pages, if it is not English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
}

crate::model::words! {
    /// What a client wants its user to see in any case (`prompt`, OpenID Connect Core §3.1.2.1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Prompt {
        /// The user signs in, even if they are signed in already.
        Login = "login",
        /// The user is asked for consent.
        Consent = "consent",
        /// The user chooses an account. Since only one is signed in at a time, this is like [`Prompt::Login`].
        SelectAccount = "select_account",
    }
}

crate::model::words! {
    /// Why a user is not the one that a client asked for, as named in events.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Unmet {
        Subject = "another_user",
        /// They signed in before that.
        Time = "too_long_ago",
        Acr = "acr",
    }
}

impl Requirements {
    /// Whether a client may get this user, authenticated in this way: checked for a session, for a sign-in, and again
    /// when the code is made.
    pub(crate) fn check(&self, subject: &str, how: &HowSignedIn<'_>) -> Result<(), Unmet> {
        let is_named = self.subjects.is_empty() || self.subjects.iter().any(|named| named == subject);
        if !is_named || self.subject.as_ref().is_some_and(|hinted| hinted != subject) {
            return Err(Unmet::Subject);
        }
        if self.signed_in_since.is_some_and(|since| how.at < since) {
            return Err(Unmet::Time);
        }
        let is_one_of = |acr: &str| self.acr.iter().any(|asked| asked == acr);
        if self.acr.is_empty() || how.acr.is_some_and(is_one_of) { Ok(()) } else { Err(Unmet::Acr) }
    }

    /// Whether the user has to sign in again, however recently they did.
    pub(crate) fn want_a_sign_in(&self) -> bool {
        self.max_age == Some(0) || self.prompt.iter().any(|prompt| *prompt != Prompt::Consent)
    }
}

/// The hidden field of the sign-in form.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SignInForm {
    /// Spent by one successful sign-in.
    pub(crate) form: FormId,
    pub(crate) request: AuthorizationRequest,
    /// The hash of the cookie of the browser that the form was made for.
    pub(crate) browser: String,
}

/// A sign-in form, which works once however often its page is shown: its name, and when it was first made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FormId {
    pub(crate) id: String,
    pub(crate) made: Timestamp,
}

impl FormId {
    pub(crate) fn new(now: Timestamp) -> Self {
        FormId { id: random_id(), made: now }
    }

    /// No page of it works after this time: until then it is remembered that it was sent.
    pub(crate) fn until(&self) -> Timestamp {
        self.made + LONGEST_SIGN_IN
    }
}

/// The longest that a sign-in may take, mistakes and questions included.
const LONGEST_SIGN_IN: Duration = Duration::from_secs(2 * 3600);

/// The grant of the code that answers a form, and when it was answered: a repeat gets a code of the same grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Promised {
    pub(crate) grant: String,
    pub(crate) at: Timestamp,
}

/// For a form whose user is not known yet: the state of the store's memory under a name of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Once {
    pub(crate) id: String,
    pub(crate) as_of: AsOf,
}

/// The hidden field of the page that asks another question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct QuestionForm {
    pub(crate) once: Once,
    /// The form that the password came with: spent with the right answer.
    pub(crate) sign_in: FormId,
    pub(crate) request: AuthorizationRequest,
    pub(crate) browser: String,
    /// The name as typed; the password was right.
    pub(crate) username: String,
    /// When the password was asked for: a sign-out since ends this sign-in too.
    pub(crate) began: Timestamp,
    pub(crate) question: Question,
}

/// The hidden field of the consent page.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConsentForm {
    /// Spent with the decision.
    pub(crate) id: String,
    /// The grant that the user is asked about.
    pub(crate) grant: String,
    pub(crate) request: AuthorizationRequest,
    pub(crate) browser: String,
    pub(crate) person: Person,
}

/// The hidden field of the page that asks whether to sign out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SignOutForm {
    /// The sessions that end with it.
    pub(crate) sessions: Vec<SessionOf>,
    pub(crate) browser: String,
    /// The client, its registered URI and the state.
    pub(crate) then: Option<AfterSignOut>,
}

/// A session, by its name and its user.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SessionOf {
    pub(crate) subject: String,
    pub(crate) session: String,
}

/// The hidden field of the page on which users end access and sessions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccountForm {
    pub(crate) subject: String,
    /// The session to which it was shown.
    pub(crate) session: String,
    pub(crate) browser: String,
}

/// The hidden field of the page on which the code of a device is typed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeviceForm {
    pub(crate) browser: String,
}

/// Where a browser goes after sign-out (OpenID Connect RP-Initiated Logout §3).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AfterSignOut {
    pub(crate) client_id: String,
    pub(crate) uri: String,
    pub(crate) state: Option<String>,
}

/// What a page of another site posted, on its way back to the same URL by GET.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Posted {
    pub(crate) path: String,
    /// The posted body, unchanged.
    pub(crate) body: String,
}

impl Posted {
    /// The browser is sent on at once.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(60);
}

/// An authorization code: all that its redemption needs, so that nothing is stored for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationCode {
    /// The grant that everything issued from this code belongs to.
    pub(crate) grant: String,
    pub(crate) client_id: String,
    /// A digest of the redirect URI, since a code has little room.
    pub(crate) redirect_uri: String,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    #[serde(default, rename = "shown", skip_serializing_if = "Vec::is_empty")]
    pub(crate) in_id_token: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<Challenge>,
    /// The key whose proof must come with it.
    #[serde(default, rename = "jkt", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Thumbprint>,
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
    #[serde(default, rename = "once", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_refresh: bool,
    #[serde(rename = "how")]
    pub(crate) authentication: Authentication,
}

/// What its user granted a device: the same, kept sealed until the device asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DeviceGrant(pub(crate) AuthorizationCode);

/// What a code keeps of a redirect URI, to compare it with the one that comes with the code.
pub(crate) fn uri_digest(uri: &str) -> String {
    digest("uri", uri)
}
