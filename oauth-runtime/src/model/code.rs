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

/// An authorization request that was found good (RFC 6749 §4.1.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    /// Registered, and where the answer goes.
    pub(crate) redirect_uri: String,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    pub(crate) state: Option<String>,
    /// OpenID Connect Core §3.1.2.1: comes back in the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    /// Claims that are to be there as well (`claims`), among those that the scope is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) in_id_token: Vec<String>,
    /// None: of a client that goes without PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<Challenge>,
    /// The key that the code is for (`dpop_jkt`, RFC 9449 §10).
    #[serde(default, rename = "jkt", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Thumbprint>,
    #[serde(default, rename = "wishes")]
    pub(crate) requirements: Requirements,
    /// What its user ticked: that the session outlives the browser.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) remember: bool,
    /// Whether no refresh tokens were offered with it: then none come of it, whatever the configuration becomes.
    #[serde(default, rename = "once", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_refresh: bool,
    /// The device that gets the answer, where it is not the browser that brings it. The browser then comes back to the page on
    /// which the device's code was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<ForDevice>,
    /// The push that it came by, where it did (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) push: Option<Push>,
    /// The page of the application itself that it is for, and no client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<LocalPath>,
}

impl AuthorizationRequest {
    /// One whose answer goes to a page of this server or of the application: it asks for nothing that is a client's.
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

/// How the client requires its user to be authenticated (OpenID Connect Core §3.1.2.1, RFC 9470 §4). It travels with the
/// request to the code, and holds on every way there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Requirements {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prompt: Vec<Prompt>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u64>,
    /// What `prompt` and `max_age` come to: an earlier sign-in will not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_in_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acr: Vec<String>,
    /// The `sub` of `id_token_hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// The `sub` of `claims`: one of these, where any is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) subjects: Vec<String>,
    /// `login_hint`
    #[serde(default, rename = "hint", skip_serializing_if = "Option::is_none")]
    pub(crate) login_hint: Option<String>,
    /// The language of the pages, where it is not English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
}

crate::model::words! {
    /// What a client wants its user to be shown, whatever else would do (`prompt`, OpenID Connect Core §3.1.2.1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Prompt {
        /// The user signs in, though they may be signed in.
        Login = "login",
        /// The user is asked whether they allow what is asked for.
        Consent = "consent",
        /// The user chooses an account. One is signed in at a time: it is as [`Prompt::Login`].
        SelectAccount = "select_account",
    }
}

crate::model::words! {
    /// Why a user is not the one that a client asked for, as events say it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Unmet {
        Subject = "another_user",
        /// They signed in before that.
        Time = "too_long_ago",
        Acr = "acr",
    }
}

impl Requirements {
    /// Whether a client gets this user, who was authenticated like this: asked of a session, of a sign-in, and once more
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

    /// Whether the user has to sign in anew, however recently they did.
    pub(crate) fn want_a_sign_in(&self) -> bool {
        self.max_age == Some(0) || self.prompt.iter().any(|prompt| *prompt != Prompt::Consent)
    }
}

/// The hidden field of the sign-in form.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SignInForm {
    /// Its sign-in is its user's once.
    pub(crate) form: FormId,
    pub(crate) request: AuthorizationRequest,
    /// The hash of the cookie of the browser that the form was made for.
    pub(crate) browser: String,
}

/// A sign-in form, which is sent once however often its page is shown again: its name, and when it was first made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FormId {
    pub(crate) id: String,
    pub(crate) made: Timestamp,
}

impl FormId {
    pub(crate) fn new(now: Timestamp) -> Self {
        FormId { id: random_id(), made: now }
    }

    /// No page of it is good after that: for as long it is remembered that it was sent.
    pub(crate) fn until(&self) -> Timestamp {
        self.made + LONGEST_SIGN_IN
    }
}

/// The longest that a sign-in may take, mistakes and questions included.
const LONGEST_SIGN_IN: Duration = Duration::from_secs(2 * 3600);

/// The grant that the code is of with which a form is answered, and when it was: a repeat gets a code of the same grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Promised {
    pub(crate) grant: String,
    pub(crate) at: Timestamp,
}

/// The memory that a form was made with, whose user is not known: under a name of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Once {
    pub(crate) id: String,
    pub(crate) as_of: AsOf,
}

/// The hidden field of the page that asks one more thing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct QuestionForm {
    pub(crate) once: Once,
    /// The form that the password came with: spent with the right answer.
    pub(crate) sign_in: FormId,
    pub(crate) request: AuthorizationRequest,
    pub(crate) browser: String,
    /// As typed: the password was right.
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
    /// Those that end with it.
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

/// The hidden field of the page on which users end what they gave.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccountForm {
    pub(crate) subject: String,
    /// The session that it was shown to.
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
    /// As it was posted.
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
    /// A digest of it: a code has little room.
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
    /// The key whose proof has to come with it.
    #[serde(default, rename = "jkt", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Thumbprint>,
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
    #[serde(default, rename = "once", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_refresh: bool,
    #[serde(rename = "how")]
    pub(crate) authentication: Authentication,
}

/// What its user granted a device: the same, which is kept sealed until the device asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DeviceGrant(pub(crate) AuthorizationCode);

/// What a code keeps of a redirect URI, to compare it with the one that comes with the code.
pub(crate) fn uri_digest(uri: &str) -> String {
    digest("uri", uri)
}
