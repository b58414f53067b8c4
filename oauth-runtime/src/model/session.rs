//! Who signed in, how and when, and the session that a browser gets from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::device::Device;
use crate::model::id::digest;

/// How and when a user was authenticated. It goes with everything that results from the sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Authentication {
    /// `auth_time`
    #[serde(rename = "t")]
    pub(crate) at: Timestamp,
    /// By which methods (RFC 8176).
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) amr: Vec<String>,
    /// How strong that was, in the author's words.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) acr: Option<String>,
    /// The session that it began, with which everything from it ends.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// The end of everything from it, whatever the lifetimes are set to later: until then the end of its session is
    /// remembered.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// What the store had seen of the user when this was issued.
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
}

impl Authentication {
    pub(crate) fn how(&self) -> HowSignedIn<'_> {
        HowSignedIn { at: self.at, acr: self.acr.as_deref() }
    }

    /// The claims of tokens (OpenID Connect Core §2, RFC 9068 §2.2.1).
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let amr = (!self.amr.is_empty()).then(|| json!(self.amr));
        let acr = self.acr.as_ref().map(|acr| json!(acr));
        let sid = self.session.as_ref().map(|session| json!(session));
        [("auth_time", Some(json!(self.at))), ("amr", amr), ("acr", acr), ("sid", sid)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// A client's own name for a session, from which the session's name cannot be found.
pub(crate) fn sid(client: &str, session: &str) -> String {
    digest("sid", &format!("{client}\0{session}"))
}

/// Whether a client means this session by a `sid` that it got.
pub(crate) fn is_sid_of(named: &str, client: &str, session: &str) -> bool {
    named == session || named == sid(client, session)
}

/// When and how strongly a user was authenticated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HowSignedIn<'a> {
    pub(crate) at: Timestamp,
    pub(crate) acr: Option<&'a str>,
}

/// How it became known who the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// On our own pages, which showed the client, what it asks for and where the browser goes.
    Page,
    /// On a page of the author.
    Elsewhere,
    /// By the session that the browser had.
    Session,
    /// The same, and no page may be shown (`prompt=none`).
    SessionAlone,
}

/// A user who was authenticated, with their current claims.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) subject: String,
    /// Their name on the pages: as typed, if the author shows no other.
    pub(crate) account: String,
    pub(crate) claims: Map<String, Value>,
    #[serde(rename = "how")]
    pub(crate) authentication: Authentication,
    /// For which name the browser is known by this sign-in, if one was typed: only for the answer.
    #[serde(skip)]
    pub(crate) device: Option<Device>,
}

/// Whether a session outlives its browser: see [`Builder::remember_sessions`](crate::Builder::remember_sessions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remember {
    /// It ends when the browser is closed.
    #[default]
    Never,
    /// It outlives the browser if the user ticks that on the sign-in page.
    Asked,
    /// It always outlives the browser, until its lifetime is over.
    Always,
}

impl Remember {
    /// The field of the sign-in page: whether it is ticked, if there is one.
    pub(crate) fn tick(self, is_ticked: bool) -> Option<bool> {
        (self == Remember::Asked).then_some(is_ticked)
    }

    /// Whether a session counts that began under any setting: by now it may have to end with the browser, and whether that
    /// was closed since is not known.
    pub(crate) fn takes(self, lasts: bool) -> bool {
        !lasts || self != Remember::Never
    }

    /// Whether a session that begins now outlives the browser.
    pub(crate) fn lasts(self, is_ticked: bool) -> bool {
        match self {
            Remember::Never => false,
            Remember::Asked => is_ticked,
            Remember::Always => true,
        }
    }
}

/// The session cookie. It carries the subject and not the claims, so that those are looked up at every use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) subject: String,
    pub(crate) account: String,
    #[serde(rename = "how")]
    pub(crate) authentication: Authentication,
    /// Whether the cookie outlives the browser.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lasts: bool,
}
