//! The author's own function from username and password to claims, called so that it cannot take a worker down.

pub(crate) mod given;
pub(crate) mod gives_way;
pub(crate) mod granting;
pub(crate) mod known;
pub(crate) mod no_answer;
pub(crate) mod places;
pub(crate) mod repeats;

use std::any::{TypeId, type_name};
use std::fmt::{self, Display};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::FutureExt as _;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Reason;
use crate::model::Password;
use crate::model::claims::UserClaims;
use crate::model::question::Question;
use crate::policy::Shaped;
use crate::policy::bound::{BoundType, NamedType};
use crate::users::given::Given;
use crate::users::gives_way::GivesWay;
pub(crate) use crate::users::no_answer::NoAnswer;
use crate::users::places::{Caller, Places};

/// What a person typed into the sign-in form.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// As typed: at most 256 bytes.
    pub username: String,
    /// As typed: at most 1024 bytes.
    pub password: Password,
    /// How strongly the client wants its user to sign in, in its order of preference (`acr_values`, RFC 9470 §4); mostly
    /// empty. If [`SignIn::acr`] is none of them, the client gets `unmet_authentication_requirements`, and no session
    /// begins. A value that [`Builder::acr_values`](crate::Builder::acr_values) leaves out is not among them.
    pub acr_values: Vec<String>,
    /// The language of the pages, such as `de`; `None` for English. A [`Question`] should be in it.
    pub language: Option<String>,
}

impl Login {
    /// What a person typed, in English and with no `acr_values`: for a test of your `authenticate`. What else it needs is set on
    /// the fields.
    ///
    /// ```
    /// use oauth_runtime::Login;
    /// # use serde_json::{Value, json};
    /// # fn authenticate(login: Login) -> Option<Value> {
    /// #     (login.username == "ada" && &*login.password == "ada123").then(|| json!({ "sub": "ada" }))
    /// # }
    ///
    /// assert!(authenticate(Login::new("ada", "ada123")).is_some());
    /// assert!(authenticate(Login::new("ada", "ada124")).is_none());
    /// ```
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        let password = Password::from(password.into());
        Login { username: username.into(), password, acr_values: Vec::new(), language: None }
    }
}

/// What a person answered to a [`Question`], after the password was right. `Debug` leaves out what is remembered, which may be the
/// code that was sent.
#[non_exhaustive]
pub struct SecondFactor {
    /// The name as it was typed with the password.
    pub username: String,
    /// The user who was asked, if the question named one ([`Question::of`]).
    pub subject: Option<String>,
    /// As typed, or the value of what was chosen: at most 256 bytes.
    pub answer: Password,
    /// What [`Question::remember`] was given; `null` if nothing was.
    pub remembered: Value,
    /// As in [`Login::acr_values`].
    pub acr_values: Vec<String>,
    /// As in [`Login::language`].
    pub language: Option<String>,
}

impl SecondFactor {
    /// The answer of a person whose question named no user and had nothing to remember: for a test of your `second_factor`. What
    /// else it needs is set on the fields.
    ///
    /// ```
    /// use oauth_runtime::SecondFactor;
    /// # use serde_json::{Value, json};
    /// # fn second_factor(answered: SecondFactor) -> Option<Value> {
    /// #     (answered.remembered == *answered.answer).then(|| json!({ "sub": answered.subject }))
    /// # }
    ///
    /// let mut answered = SecondFactor::new("ada", "314159");
    /// answered.subject = Some("user-17".to_owned());
    /// answered.remembered = "314159".into(); // as in Question::code(..).of("user-17").remember("314159")
    /// assert!(!format!("{answered:?}").contains("314159"), "the code is not printed");
    /// assert!(second_factor(answered).is_some());
    /// ```
    #[must_use]
    pub fn new(username: impl Into<String>, answer: impl Into<String>) -> Self {
        let answer = Password::from(answer.into());
        SecondFactor {
            username: username.into(),
            subject: None,
            answer,
            remembered: Value::Null,
            acr_values: Vec::new(),
            language: None,
        }
    }
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecondFactor { username, subject, answer, remembered: _, acr_values, language } = self;
        let mut shown = f.debug_struct("SecondFactor");
        shown.field("username", username).field("subject", subject).field("answer", answer);
        shown.field("acr_values", acr_values).field("language", language).finish_non_exhaustive()
    }
}

/// The outcome of a sign-in, for what `Option<claims>` cannot express.
///
/// ```
/// use oauth_runtime::{Question, SignIn};
/// use serde_json::json;
///
/// # fn sign_in(password_is_right: bool, has_authenticator: bool) -> SignIn<serde_json::Value> {
/// if !password_is_right {
///     return SignIn::refused();
/// }
/// if has_authenticator {
///     return SignIn::ask(Question::code("Enter the code of your authenticator app"));
/// }
/// SignIn::done(json!({ "sub": "ada" })).amr("pwd")
/// # }
/// # assert!(format!("{:?}", sign_in(false, false)).contains("Refused"));
/// # assert!(format!("{:?}", sign_in(true, true)).contains("authenticator"));
/// # assert!(format!("{:?}", sign_in(true, false)).contains("pwd"));
/// ```
#[derive(Clone, Debug)]
pub struct SignIn<T>(pub(crate) Outcome<T>);

#[derive(Clone, Debug)]
pub(crate) enum Outcome<T> {
    /// The user it was for, if the author says so.
    Refused(Option<String>),
    Ask(Question),
    Done(Authenticated<T>),
}

/// A user who was authenticated: their claims, by which methods, and how strong that was.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated<T> {
    pub(crate) claims: T,
    pub(crate) amr: Vec<String>,
    pub(crate) acr: Option<String>,
    /// Their name on the pages, if it is another than the one that was typed.
    pub(crate) shown_as: Option<String>,
}

impl<T> SignIn<T> {
    /// No one is signed in: the same as `None`.
    #[must_use]
    pub fn refused() -> Self {
        SignIn(Outcome::Refused(None))
    }

    /// No one is signed in, and the attempt was for the user with this `sub`: the name is one of theirs, and the
    /// password or the code was wrong.
    ///
    /// Attempts are counted by the name, which is normalized as far as possible without knowing how you look names up.
    /// With the subject they count for the user as well, so many spellings of a user (by name or by address, with dots
    /// or without) do not allow more guesses. The person sees the same as after [`refused`](SignIn::refused).
    ///
    /// ```
    /// use oauth_runtime::{Login, SignIn};
    /// use serde_json::{Value, json};
    ///
    /// fn authenticate(login: Login) -> SignIn<Value> {
    ///     // .. a look-up that takes the name or the address, in any case ..
    ///     let user = (login.username == "ada" || login.username == "ada@example.com").then_some("user-17");
    ///     match user {
    ///         Some(id) if &*login.password == "ada123" => SignIn::done(json!({ "sub": id })).amr("pwd"),
    ///         Some(id) => SignIn::refused_for(id),
    ///         None => SignIn::refused(),
    ///     }
    /// }
    /// # let _ = authenticate;
    /// # let refused = SignIn::<Value>::refused_for("user-17");
    /// # assert!(format!("{refused:?}").contains("user-17"));
    /// ```
    #[must_use]
    pub fn refused_for(subject: impl Into<String>) -> Self {
        SignIn(Outcome::Refused(Some(subject.into())))
    }

    /// Another question is asked; [`Builder::second_factor`](crate::Builder::second_factor) gets the answer.
    #[must_use]
    pub fn ask(question: Question) -> Self {
        SignIn(Outcome::Ask(question))
    }

    /// This user is signed in.
    #[must_use]
    pub fn done(claims: T) -> Self {
        SignIn(Outcome::Done(Authenticated { claims, amr: Vec::new(), acr: None, shown_as: None }))
    }

    /// A method by which the user showed who they are, as RFC 8176 names them: `pwd`, `otp`, `hwk`. Call it once for each;
    /// tokens have them as `amr`. `Some(claims)` means `pwd`. All of them and [`SignIn::acr`] have at most 512 bytes, written as
    /// JSON; else no one is signed in, and the answer is a 500.
    #[must_use]
    pub fn amr(mut self, method: impl Into<String>) -> Self {
        if let Outcome::Done(user) = &mut self.0 {
            user.amr.push(method.into());
        }
        self
    }

    /// How strong that was, by a name of your own: tokens have it as `acr`, and guards can ask for it. How long it may be,
    /// [`SignIn::amr`] says.
    #[must_use]
    pub fn acr(mut self, class: impl Into<String>) -> Self {
        if let Outcome::Done(user) = &mut self.0 {
            user.acr = Some(class.into());
        }
        self
    }

    /// The user's name on the pages: who the client wants access to, who is signed in. 1 to 256 bytes without control characters; else
    /// no one is signed in, and the answer is a 500. Default: the name as typed, and `sub` after a
    /// [sign-in page of your own](crate::PendingAuthorization::finish).
    ///
    /// ```
    /// use oauth_runtime::SignIn;
    /// use serde_json::json;
    ///
    /// let user = SignIn::done(json!({ "sub": "9d3f4a22" })).amr("pwd").shown_as("ada@example.com");
    /// assert!(format!("{user:?}").contains("ada@example.com"));
    /// ```
    #[must_use]
    pub fn shown_as(mut self, name: impl Into<String>) -> Self {
        if let Outcome::Done(user) = &mut self.0 {
            user.shown_as = Some(name.into());
        }
        self
    }
}

impl<T: Serialize> SignIn<T> {
    pub(crate) fn into_json(self) -> Result<SignIn<Value>, String> {
        Ok(SignIn(match self.0 {
            Outcome::Refused(subject) => Outcome::Refused(subject),
            Outcome::Ask(question) => Outcome::Ask(question),
            Outcome::Done(Authenticated { claims, amr, acr, shown_as }) => {
                let claims =
                    serde_json::to_value(claims).map_err(|error| format!("the claims are not JSON: {error}"))?;
                Outcome::Done(Authenticated { claims, amr, acr, shown_as })
            }
        }))
    }
}

/// What `authenticate` may return: `Option<claims>`, a [`SignIn`], or a `Result` of one of them.
///
/// `None` means that name and password do not match, or that there is no such user. An error means that this could not
/// be checked: the person is asked to try again later (503), and the log has the error.
pub trait Answer {
    /// The type of the claims, which the guards are about.
    type Claims: Shaped + 'static;

    /// Turns the answer into one whose claims are JSON.
    ///
    /// # Errors
    /// The text for the log.
    fn into_sign_in(self) -> Result<SignIn<Value>, String>;
}

impl<T: Serialize + Shaped + 'static> Answer for Option<T> {
    type Claims = T;

    fn into_sign_in(self) -> Result<SignIn<Value>, String> {
        // RFC 8176 §2: what was checked was a password
        self.map_or_else(SignIn::refused, |claims| SignIn::done(claims).amr("pwd")).into_json()
    }
}

impl<T: Serialize + Shaped + 'static> Answer for SignIn<T> {
    type Claims = T;

    fn into_sign_in(self) -> Result<SignIn<Value>, String> {
        self.into_json()
    }
}

impl<A: Answer, E: Display> Answer for Result<A, E> {
    type Claims = A::Claims;

    fn into_sign_in(self) -> Result<SignIn<Value>, String> {
        self.map_err(|error| error.to_string())?.into_sign_in()
    }
}

/// The type of the claims that the author's function returns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimsType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
    /// As `claims!(..)` would name it.
    pub(crate) bound: &'static [BoundType],
}

impl ClaimsType {
    pub(crate) fn of<R: Answer>() -> Self {
        let bound = &const {
            let named: fn() -> NamedType = || (TypeId::of::<R::Claims>(), type_name::<R::Claims>());
            [BoundType { shape: <R::Claims as Shaped>::SHAPE, is_issued: true, named }]
        };
        ClaimsType { id: TypeId::of::<R::Claims>(), name: type_name::<R::Claims>(), bound }
    }

    /// Whether the type says which claims it has.
    // Unlike in what a handler reads (`Extracted::claims_type`), where any map takes what comes, most maps count as a
    // type here: the other functions have to return the same.
    pub(crate) fn is_known(&self) -> bool {
        self.id != TypeId::of::<Value>() && self.id != TypeId::of::<Map<String, Value>>()
    }
}

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    /// All of the program.
    One,
    /// Nothing.
    Untyped,
    /// No user signs in, and tokens are made of what `claims!(..)` names.
    #[cfg(feature = "testing")]
    OfTest,
}

/// The author's function, in one of its two forms: from a [`Login`], from the answer to a question, or, to reload,
/// from a subject.
#[derive(Clone)]
pub(crate) enum Authenticate<Q = Login> {
    Async(Arc<AsyncForm<Q>>),
    Blocking(Arc<BlockingForm<Q>>),
}

type AsyncForm<Q> = dyn Fn(Q) -> Pin<Box<dyn Future<Output = Result<SignIn<Value>, String>>>> + Send + Sync;
type BlockingForm<Q> = dyn Fn(Q) -> Result<SignIn<Value>, String> + Send + Sync;

/// The author's function, with the bounds within which it is called.
pub(crate) struct Authenticator<Q = Login> {
    pub(crate) function: Authenticate<Q>,
    pub(crate) timeout: Duration,
    pub(crate) places: Places,
    pub(crate) gives_way: GivesWay,
    /// The claims that sign-ins gave, for a function that looks users up again and may forget some.
    pub(crate) given: Option<Arc<Given>>,
}

impl<Q: 'static> Authenticate<Q> {
    pub(crate) fn asynchronous<R: Answer + 'static>(function: impl AsyncFn(Q) -> R + Send + Sync + 'static) -> Self {
        let function = Arc::new(function);
        Authenticate::Async(Arc::new(move |question| {
            let function = Arc::clone(&function);
            Box::pin(async move { function(question).await.into_sign_in() })
        }))
    }

    pub(crate) fn blocking<R: Answer>(function: impl Fn(Q) -> R + Send + Sync + 'static) -> Self {
        Authenticate::Blocking(Arc::new(move |question| function(question).into_sign_in()))
    }
}

impl<Q: Send + 'static> Authenticator<Q> {
    /// Calls the function; one that blocks, once there is a place.
    pub(crate) async fn call(&self, question: Q, caller: Caller<'_>) -> Result<SignIn<Value>, NoAnswer> {
        match &self.function {
            Authenticate::Async(function) => {
                let function = Arc::clone(function);
                let call = self.gives_way.watch(async move { function(question).await });
                let call = AssertUnwindSafe(call).catch_unwind();
                match tokio::time::timeout(self.timeout, call).await {
                    Ok(Ok(answer)) => answer.map_err(NoAnswer::Failed),
                    Ok(Err(_panic)) => Err(NoAnswer::Panicked),
                    Err(_elapsed) => Err(NoAnswer::TimedOut),
                }
            }
            Authenticate::Blocking(function) => {
                let place = self.places.take(caller, self.timeout).await?;
                let function = Arc::clone(function);
                let call = web::block(move || {
                    // Kept until the thread is free again, however long ago its caller gave up.
                    let _place = place;
                    function(question)
                });
                match tokio::time::timeout(self.timeout, call).await {
                    Ok(Ok(answer)) => answer.map_err(NoAnswer::Failed),
                    Ok(Err(_panic)) => Err(NoAnswer::Panicked),
                    Err(_elapsed) => Err(NoAnswer::TimedOut),
                }
            }
        }
    }
}

impl Authenticator<String> {
    /// The subject's claims as they are now; `None` for a user who may no longer sign in.
    pub(crate) async fn claims_of(&self, subject: &str) -> Result<Option<Map<String, Value>>, Reason> {
        let claims = match self.call(subject.to_owned(), Caller::User(subject)).await.map(|answer| answer.0) {
            Ok(Outcome::Done(user)) => user.claims,
            Ok(Outcome::Refused(_)) => return Ok(None),
            Ok(Outcome::Ask(_)) => {
                tracing::error!(target: "oauth", "reload asked a question, and there is no user to answer it");
                return Err(Reason::ReloadFailed);
            }
            Err(why) => {
                tracing::error!(target: "oauth", ?why, "reload gave no answer");
                return Err(Reason::ReloadFailed);
            }
        };
        let claims = UserClaims::of(subject, claims).map_err(|why| {
            tracing::error!(target: "oauth", "the claims that reload returned cannot be used: {why}");
            Reason::ClaimsUnusable
        })?;
        if let Some(given) = &self.given {
            given.compare(subject, &claims);
        }
        Ok(Some(claims))
    }
}
