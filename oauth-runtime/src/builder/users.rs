//! Who signs users in, and looks them up again.

use std::sync::Arc;
use std::time::Duration;

use crate::builder::error::BuildError;
use crate::builder::state::WithReload;
use crate::builder::{Builder, Settings};
use crate::guard::on_page::SeenUsers;
use crate::model::issuer::is_plain_path;
use crate::server::{Refreshing, Sessions, SignInBy, Users};
use crate::users::given::Given;
use crate::users::gives_way::GivesWay;
use crate::users::places::Places;
use crate::users::{Answer, Authenticate, Authenticator, ClaimsType, Login, SecondFactor, Typing};

/// # Users
impl<S> Builder<S> {
    /// Signs users in: an async function from [`Login`] to claims, `None` to refuse.
    ///
    /// It returns `Option<claims>` or `Result<Option<claims>, error>`, where the claims are any `Serialize` struct or a
    /// JSON object.
    ///
    /// Required: their `sub`, a string of 1 to 255 bytes that never changes for this user, such as the key of their row.
    /// Tokens have it as `sub`, and [`OAuthService::sign_out`](crate::OAuthService::sign_out) takes it. The name as
    /// typed is not an identity: `"ALICE "` and `"alice"` may be one user. Claims without it end the sign-in with a
    /// page of status 500, and the log says what to add.
    ///
    /// Take the same time whether or not the user exists. It must not block: a blocking call in it stops
    /// its worker, and no timeout can help; hash passwords with [`Builder::authenticate_blocking`]. The log warns if it
    /// blocks for 50 ms.
    ///
    /// Common mistake: a closure without the type of its parameter, for which rustc says "type annotations needed".
    /// Write `async |login: Login| ..`.
    pub fn authenticate<R: Answer + 'static>(
        mut self,
        function: impl AsyncFn(Login) -> R + Send + Sync + 'static,
    ) -> Self {
        self.settings.authenticate = Some((Authenticate::asynchronous(function), ClaimsType::of::<R>()));
        self
    }

    /// Like [`Builder::authenticate`], with a plain function that may block: it runs on threads of its own, a bounded
    /// number of them at once ([`Builder::blocking_at_once`]). Others wait for a place, in the order in which they
    /// came; one that has waited for [`Builder::authenticate_timeout`] gets a 503.
    pub fn authenticate_blocking<R: Answer>(mut self, function: impl Fn(Login) -> R + Send + Sync + 'static) -> Self {
        self.settings.authenticate = Some((Authenticate::blocking(function), ClaimsType::of::<R>()));
        self
    }

    /// How long `authenticate` may take; above zero. After that the answer is a 503. Default: 10 seconds.
    ///
    /// When many sign in at once, each may also wait this long for its turn, so the answer comes within twice this
    /// time. Keep that below the time that your proxy waits for an answer, which is 60 seconds with nginx.
    pub fn authenticate_timeout(mut self, timeout: Duration) -> Self {
        self.settings.authenticate_timeout = timeout;
        self
    }

    /// How many calls of `authenticate_blocking` may run at once; above zero. Argon2 takes 20 to 40 MiB for each. A quarter of them, and at
    /// least one of two, is kept for browsers that a user signed in with before, so that a flood of strangers does not keep them
    /// waiting. As many of `second_factor_blocking` and of `reload_blocking` may run beside them, so that sign-ins do
    /// not delay refreshes and sessions. Default: the number of cores, 2 to 16.
    ///
    /// More of them than cores make everything else slow while many sign in, since a password hash fills a core: choose more where
    /// the function waits for something, such as a directory, and fewer where a guarded request must be quick.
    pub fn blocking_at_once(mut self, calls: usize) -> Self {
        self.settings.blocking_at_once = calls;
        self
    }

    /// Checks the answer to the question that `authenticate` asked with [`SignIn::ask`](crate::SignIn::ask) after the
    /// password was right: an async function from [`SecondFactor`] to a [`SignIn`](crate::SignIn). It may ask again.
    ///
    /// Wrong answers are counted and slowed down, for the user whom [`Question::of`](crate::Question::of) names, or else for the
    /// name. A right one works once.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService, Question, SecondFactor, SignIn};
    /// # use serde_json::{Value, json};
    /// # fn is_right(login: &Login) -> bool { true }
    /// # fn is_code_of(username: &str, code: &str) -> bool { true }
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .authenticate(async |login: Login| -> SignIn<Value> {
    ///         if is_right(&login) { SignIn::ask(Question::code("Enter the code of your app")) } else { SignIn::refused() }
    ///     })
    ///     .second_factor(async |factor: SecondFactor| {
    ///         if is_code_of(&factor.username, &factor.answer) {
    ///             SignIn::done(json!({ "sub": factor.username })).amr("pwd").amr("otp").acr("two-factors")
    ///         } else {
    ///             SignIn::refused()
    ///         }
    ///     })
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn second_factor<R: Answer + 'static>(
        mut self,
        function: impl AsyncFn(SecondFactor) -> R + Send + Sync + 'static,
    ) -> Self {
        self.settings.second_factor = Some((Authenticate::asynchronous(function), ClaimsType::of::<R>()));
        self
    }

    /// Like [`Builder::second_factor`], with a plain function that may block; as many of it may run at once as
    /// [`Builder::blocking_at_once`] says, whatever else runs.
    pub fn second_factor_blocking<R: Answer>(
        mut self,
        function: impl Fn(SecondFactor) -> R + Send + Sync + 'static,
    ) -> Self {
        self.settings.second_factor = Some((Authenticate::blocking(function), ClaimsType::of::<R>()));
        self
    }

    /// Signs users in on a page of your own, at this path of the same origin, instead of the built-in one: with passkeys,
    /// by mail, by an upstream provider. `authenticate` is not needed then.
    ///
    /// The browser requests it as `/path?request=..`. [`OAuthService::pending`](crate::OAuthService::pending) opens
    /// that request, and [`PendingAuthorization::finish`](crate::PendingAuthorization::finish) answers it once you know
    /// who it is.
    pub fn sign_in_at(mut self, path: impl Into<String>) -> Self {
        self.settings.sign_in_at = Some(path.into());
        self
    }

    /// Looks a subject's claims up again: an async function from a token's `sub` to the current claims, `None` for a
    /// user who may no longer sign in. It turns refresh tokens and sessions on.
    ///
    /// Refresh tokens and sessions carry the subject and not the claims: a role that was taken away is gone at the next refresh, and
    /// with `None` the grant ends. An error, a panic or a timeout means 503, and the refresh token stays valid. It
    /// returns what [`Builder::authenticate`] returns, within the same time, and must not block either. It may leave
    /// out `sub`, since it was called with it; another one is refused. The log warns, by name, of a JSON claim that the
    /// sign-in gave and this function does not.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::{Value, json};
    /// # async fn role_of(subject: &str) -> Result<Option<Value>, std::io::Error> { Ok(None) }
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .authenticate(async |login: Login| Some(json!({ "sub": login.username, "role": "admin" })))
    ///     .reload(async |subject: &str| role_of(subject).await)
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn reload<R: Answer + 'static>(
        mut self,
        function: impl AsyncFn(&str) -> R + Send + Sync + 'static,
    ) -> Builder<WithReload> {
        let function = Authenticate::asynchronous(async move |subject: String| function(&subject).await);
        self.settings.reload = Some((function, ClaimsType::of::<R>()));
        Builder::of(self.settings)
    }

    /// Like [`Builder::reload`], with a plain function that may block; as many of it may run at once as
    /// [`Builder::blocking_at_once`] says, whatever else runs.
    pub fn reload_blocking<R: Answer>(
        mut self,
        function: impl Fn(&str) -> R + Send + Sync + 'static,
    ) -> Builder<WithReload> {
        let function = Authenticate::blocking(move |subject: String| function(&subject));
        self.settings.reload = Some((function, ClaimsType::of::<R>()));
        Builder::of(self.settings)
    }
}

impl Settings {
    /// How users sign in, and the type of their claims if a function of the author returns it.
    pub(super) fn users(&mut self, has_offline_access: bool) -> Result<(Users, Option<ClaimsType>), BuildError> {
        for (what, is_zero) in [
            ("blocking_at_once", self.blocking_at_once == 0),
            ("authenticate_timeout", self.authenticate_timeout.is_zero()),
            ("store_deadline", self.patience.deadline.is_zero()),
        ] {
            if is_zero {
                return Err(BuildError::NeverAnswers(what));
            }
        }
        let calls = Calls { timeout: self.authenticate_timeout, blocking_at_once: self.blocking_at_once };
        let (sign_in, claims) = match (self.sign_in_at.take(), self.authenticate.take()) {
            (Some(_), Some(_)) => return Err(BuildError::SignInTwice { function: "authenticate" }),
            (Some(_), None) if self.second_factor.is_some() => {
                return Err(BuildError::SignInTwice { function: "second_factor" });
            }
            (Some(path), None) if path.is_empty() || !is_plain_path(&path) => {
                return Err(BuildError::SignInAt { path });
            }
            // No function returns the claims of a sign-in; the one that looks them up again returns the same type.
            (Some(path), None) => (SignInBy::PageAt(path), self.reload.as_ref().map(|(_, claims)| *claims)),
            (None, Some((function, claims))) => (SignInBy::Function(calls.of("authenticate", function)), Some(claims)),
            (None, None) => return Err(BuildError::NoAuthenticate),
        };
        // The types cannot prevent this one, since a scope is a string.
        if self.reload.is_none() && has_offline_access {
            return Err(BuildError::NoReload);
        }
        let reload = self.reload.as_ref().map(|(_, claims)| ("reload", claims));
        let second_factor = self.second_factor.as_ref().map(|(_, claims)| ("second_factor", claims));
        if let (Typing::One, Some(claims)) = (self.typing, claims) {
            reload
                .into_iter()
                .chain(second_factor)
                .try_for_each(|(function, other)| same_claims(claims, function, other))?;
        }
        // One type has the same claims in both; what is JSON may not.
        let is_one_type = matches!(self.typing, Typing::One) && claims.as_ref().is_some_and(ClaimsType::is_known);
        let given = (!is_one_type).then(|| Arc::new(Given::default()));
        let reload = self
            .reload
            .take()
            .map(|(function, _)| Arc::new(Authenticator { given: given.clone(), ..calls.of("reload", function) }));
        let users = Users {
            sign_in,
            given,
            second_factor: self.second_factor.take().map(|(function, _)| calls.of("second_factor", function)),
            refreshing: reload.clone().filter(|_| self.refresh_tokens).map(|reload| Refreshing {
                lifetimes: self.refresh_token_lifetimes(),
                grace: self.refresh_token_grace,
                needs_offline_access: has_offline_access,
                reload,
            }),
            sessions: reload.filter(|_| self.sessions).map(|reload| Sessions {
                lifetimes: self.session_lifetimes(),
                remember: self.remember,
                reload,
                seen: SeenUsers::default(),
            }),
        };
        Ok((users, claims))
    }
}

/// The bounds within which the author's functions are called.
struct Calls {
    timeout: Duration,
    blocking_at_once: usize,
}

impl Calls {
    /// Each function has places of its own: passwords that strangers try do not delay refreshes, sessions or second
    /// factors.
    fn of<Q>(&self, name: &'static str, function: Authenticate<Q>) -> Authenticator<Q> {
        let places = Places::new(self.blocking_at_once);
        Authenticator { function, timeout: self.timeout, places, gives_way: GivesWay::new(name), given: None }
    }
}

fn same_claims(claims: ClaimsType, function: &'static str, other: &ClaimsType) -> Result<(), BuildError> {
    // All JSON counts as one type.
    let is_same = other.id == claims.id || (!other.is_known() && !claims.is_known());
    if is_same {
        return Ok(());
    }
    Err(BuildError::OtherClaims { authenticate: claims.name, function, other: other.name })
}
