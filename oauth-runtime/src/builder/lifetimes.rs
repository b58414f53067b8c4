//! How long things are valid.

use std::time::Duration;

use crate::builder::error::BuildError;
use crate::builder::state::Reloads;
use crate::builder::{Builder, Settings};
use crate::model::lifetime::{LONGEST, LONGEST_ACCESS_TOKEN, LONGEST_CODE, LONGEST_GRACE, Lifetimes, is_lifetime};
use crate::model::session::Remember;

/// # Sessions, refresh tokens and lifetimes
impl<S> Builder<S> {
    /// Whether clients get refresh tokens. Where the builder names a scope `offline_access`, only a client that was granted
    /// it gets one. Default: on, once there is [`Builder::reload`].
    pub fn refresh_tokens(mut self, issued: bool) -> Self
    where
        S: Reloads,
    {
        self.settings.refresh_tokens = issued;
        self
    }

    /// How long an unused refresh token is valid; 1 second to 400 days, and no less than an access token, since a
    /// client refreshes when that has expired. Default: 14 days.
    pub fn refresh_token_idle(mut self, lifetime: Duration) -> Self
    where
        S: Reloads,
    {
        self.settings.refresh_token_idle = Some(lifetime);
        self
    }

    /// How long after the sign-in refresh tokens are valid, however often they are used; 1 second to 400 days, and no
    /// less than [`Builder::refresh_token_idle`] and an access token. After that the user signs in again. A longer
    /// value, set later, applies only to later sign-ins. Default: 90 days.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self
    where
        S: Reloads,
    {
        self.settings.refresh_token_lifetime = Some(lifetime);
        self
    }

    /// How long after its first use a refresh token may be used again, for two tabs at once and an answer that was lost; 0
    /// to 60 seconds. Default: 10 seconds.
    ///
    /// With 0, a client that has to try again signs its user out: use it for clients that make one refresh at a time
    /// and would rather sign in again than wait (OAuth 2.1 §4.3.1).
    pub fn refresh_token_grace(mut self, grace: Duration) -> Self
    where
        S: Reloads,
    {
        self.settings.refresh_token_grace = grace;
        self
    }

    /// Whether a browser stays signed in, so that the next client gets a code without asking. The session is a sealed
    /// cookie that ends with the browser. Default: on, once there is [`Builder::reload`].
    pub fn sessions(mut self, kept: bool) -> Self
    where
        S: Reloads,
    {
        self.settings.sessions = kept;
        self
    }

    /// How long a session is valid while no client asks for it; 1 second to 400 days, and no more than
    /// [`Builder::session_lifetime`]. Default: a day.
    pub fn session_idle(mut self, lifetime: Duration) -> Self
    where
        S: Reloads,
    {
        self.settings.session_idle = Some(lifetime);
        self
    }

    /// How long after the sign-in a session is valid; 1 second to 400 days. After that the user signs in again. A
    /// longer value, set later, applies only to later sign-ins. Default: 14 days.
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self
    where
        S: Reloads,
    {
        self.settings.session_lifetime = Some(lifetime);
        self
    }

    /// Whether a session outlives its browser: never, if the user ticks "Stay signed in" on the sign-in page, or
    /// always. [`Builder::session_idle`] and [`Builder::session_lifetime`] bound it all the same. Do not use it on
    /// devices that several people share. Set back to [`Remember::Never`], it takes no session that was to outlive its
    /// browser: those users sign in again. Default: [`Remember::Never`].
    pub fn remember_sessions(mut self, remember: Remember) -> Self
    where
        S: Reloads,
    {
        self.settings.remember = remember;
        self
    }

    /// How long an access token is valid; 1 second to a day, in whole seconds. Default: an hour.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// let oauth = builder.access_token_lifetime(std::time::Duration::ZERO).build();
    /// assert!(matches!(oauth, Err(BuildError::Lifetime { what: "access_token_lifetime", .. })));
    /// ```
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.access_token_lifetime = lifetime;
        self
    }

    /// How long an authorization code is valid; 1 second to ten minutes (RFC 6749 §4.1.2). Default: 60 seconds.
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.code_lifetime = lifetime;
        self
    }
}

impl Settings {
    pub(super) fn check_lifetimes(&self) -> Result<(), BuildError> {
        let (refresh, sessions) = (self.refresh_token_lifetimes(), self.session_lifetimes());
        for (what, lifetime, longest) in [
            ("access_token_lifetime", self.access_token_lifetime, LONGEST_ACCESS_TOKEN),
            ("code_lifetime", self.code_lifetime, LONGEST_CODE),
            ("refresh_token_idle", refresh.idle, LONGEST),
            ("refresh_token_lifetime", refresh.absolute, LONGEST),
            ("session_idle", sessions.idle, LONGEST),
            ("session_lifetime", sessions.absolute, LONGEST),
        ] {
            if !is_lifetime(lifetime, longest) {
                return Err(BuildError::Lifetime { what, longest });
            }
        }
        if !self.refresh_token_grace.is_zero() && !is_lifetime(self.refresh_token_grace, LONGEST_GRACE) {
            return Err(BuildError::Grace { longest: LONGEST_GRACE });
        }
        self.check_what_ends_first()
    }

    /// None is longer than one that ends first.
    fn check_what_ends_first(&self) -> Result<(), BuildError> {
        let access_tokens = Some(self.access_token_lifetime);
        let refresh = self.reload.as_ref().filter(|_| self.refresh_tokens).map(|_| self.refresh_token_lifetimes());
        let sessions = self.reload.as_ref().filter(|_| self.sessions).map(|_| self.session_lifetimes());
        let of_refresh = ("refresh_token_lifetime", refresh.map(|refresh| refresh.absolute));
        let of_sessions = ("session_lifetime", sessions.map(|sessions| sessions.absolute));
        for (what, lifetime, (other, ends)) in [
            ("refresh_token_idle", self.refresh_token_idle, of_refresh),
            ("session_idle", self.session_idle, of_sessions),
            // A client refreshes when its access token expires, and would always come too late.
            ("access_token_lifetime", access_tokens, of_refresh),
            ("access_token_lifetime", access_tokens, ("refresh_token_idle", refresh.map(|refresh| refresh.idle))),
            // Both count from the sign-in.
            ("code_lifetime", Some(self.code_lifetime), of_refresh),
        ] {
            if let (Some(lifetime), Some(ends)) = (lifetime, ends)
                && lifetime > ends
            {
                return Err(BuildError::Outlives { what, lifetime, other, ends });
            }
        }
        Ok(())
    }

    pub(super) fn refresh_token_lifetimes(&self) -> Lifetimes {
        Lifetimes {
            idle: self.refresh_token_idle.unwrap_or(Lifetimes::OF_REFRESH_TOKENS.idle),
            absolute: self.refresh_token_lifetime.unwrap_or(Lifetimes::OF_REFRESH_TOKENS.absolute),
        }
    }

    pub(super) fn session_lifetimes(&self) -> Lifetimes {
        Lifetimes {
            idle: self.session_idle.unwrap_or(Lifetimes::OF_SESSIONS.idle),
            absolute: self.session_lifetime.unwrap_or(Lifetimes::OF_SESSIONS.absolute),
        }
    }
}
