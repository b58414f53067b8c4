//! How users sign in, and stay signed in, as configured.

use std::sync::Arc;
use std::time::Duration;

use crate::guard::on_page::SeenUsers;
use crate::model::lifetime::Lifetimes;
use crate::model::session::Remember;
use crate::users::given::Given;
use crate::users::{Authenticator, SecondFactor};

/// How users sign in, and stay signed in.
pub(crate) struct Users {
    pub(crate) sign_in: SignInBy,
    /// What sign-ins gave; `None` if the function that looks users up again cannot forget any.
    pub(crate) given: Option<Arc<Given>>,
    pub(crate) second_factor: Option<Authenticator<SecondFactor>>,
    /// `None` if no browser stays signed in.
    pub(crate) sessions: Option<Sessions>,
    /// `None` if no refresh tokens are issued.
    pub(crate) refreshing: Option<Refreshing>,
}

/// Where users sign in.
pub(crate) enum SignInBy {
    /// On the built-in page.
    Function(Authenticator),
    /// On a page of the author, at this path.
    PageAt(String),
}

/// All that sessions need.
pub(crate) struct Sessions {
    pub(crate) lifetimes: Lifetimes,
    pub(crate) remember: Remember,
    /// From a subject to its claims of today.
    pub(crate) reload: Arc<Authenticator<String>>,
    /// The users whose claims were reloaded for pages a moment ago.
    pub(crate) seen: SeenUsers,
}

/// All that refresh tokens need.
pub(crate) struct Refreshing {
    pub(crate) lifetimes: Lifetimes,
    /// How long after its first use a token may be used again.
    pub(crate) grace: Duration,
    /// Whether the scope `offline_access` has to be granted for one.
    pub(crate) needs_offline_access: bool,
    /// From a subject to its claims of today.
    pub(crate) reload: Arc<Authenticator<String>>,
}
