//! The author's own function from username and password to claims, called so that it cannot take a worker with it.

use std::any::{TypeId, type_name};
use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::FutureExt as _;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::model::Password;

/// What a person typed into the sign-in form.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// As typed: at most 256 bytes.
    pub username: String,
    /// As typed: at most 1024 bytes.
    pub password: Password,
}

/// What `authenticate` may answer: `Option<claims>`, or `Result<Option<claims>, error>`.
///
/// `None` means that the two do not belong together or that there is no such user. An error means that it could not
/// be found out: the person is asked to try again later (503), the log has the error.
pub trait Answer {
    /// What the claims are: the type that a typed guard should name.
    type Claims: 'static;

    /// Turns the answer into claims as JSON.
    ///
    /// # Errors
    /// The text for the log.
    fn into_claims(self) -> Result<Option<Value>, String>;
}

impl<T: Serialize + 'static> Answer for Option<T> {
    type Claims = T;

    fn into_claims(self) -> Result<Option<Value>, String> {
        self.map(serde_json::to_value).transpose().map_err(|error| format!("the claims are no JSON: {error}"))
    }
}

impl<T: Serialize + 'static, E: Display> Answer for Result<Option<T>, E> {
    type Claims = T;

    fn into_claims(self) -> Result<Option<Value>, String> {
        self.map_err(|error| error.to_string())?.into_claims()
    }
}

/// The type of the claims that the author's function answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimsType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

impl ClaimsType {
    pub(crate) fn of<R: Answer>() -> Self {
        ClaimsType { id: TypeId::of::<R::Claims>(), name: type_name::<R::Claims>() }
    }

    /// Whether the type says anything of what is in it.
    pub(crate) fn is_known(&self) -> bool {
        self.id != TypeId::of::<Value>() && self.id != TypeId::of::<Map<String, Value>>()
    }
}

/// The author's function, in one of its two forms: from a [`Login`], or, to reload, from a subject.
#[derive(Clone)]
pub(crate) enum Authenticate<Q = Login> {
    Async(Arc<AsyncForm<Q>>),
    Blocking(Arc<BlockingForm<Q>>),
}

type AsyncForm<Q> = dyn Fn(Q) -> Pin<Box<dyn Future<Output = Result<Option<Value>, String>>>> + Send + Sync;
type BlockingForm<Q> = dyn Fn(Q) -> Result<Option<Value>, String> + Send + Sync;

/// The author's function, with the bounds within which it is called.
pub(crate) struct Authenticator<Q = Login> {
    pub(crate) function: Authenticate<Q>,
    pub(crate) timeout: Duration,
    /// How many blocking calls may run at once.
    pub(crate) permits: Arc<Semaphore>,
}

/// Why there is no answer. All mean 503: a guesser learns nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    Busy,
    TimedOut,
    Panicked,
    Failed(String),
}

impl<Q: 'static> Authenticate<Q> {
    pub(crate) fn asynchronous<R: Answer + 'static>(function: impl AsyncFn(Q) -> R + Send + Sync + 'static) -> Self {
        let function = Arc::new(function);
        Authenticate::Async(Arc::new(move |question| {
            let function = Arc::clone(&function);
            Box::pin(async move { function(question).await.into_claims() })
        }))
    }

    pub(crate) fn blocking<R: Answer>(function: impl Fn(Q) -> R + Send + Sync + 'static) -> Self {
        Authenticate::Blocking(Arc::new(move |question| function(question).into_claims()))
    }
}

impl<Q: Send + 'static> Authenticator<Q> {
    pub(crate) async fn call(&self, question: Q) -> Result<Option<Value>, NoAnswer> {
        match &self.function {
            Authenticate::Async(function) => {
                let function = Arc::clone(function);
                let call = AssertUnwindSafe(async move { function(question).await }).catch_unwind();
                match tokio::time::timeout(self.timeout, call).await {
                    Ok(Ok(answer)) => answer.map_err(NoAnswer::Failed),
                    Ok(Err(_panic)) => Err(NoAnswer::Panicked),
                    Err(_elapsed) => Err(NoAnswer::TimedOut),
                }
            }
            Authenticate::Blocking(function) => {
                let permit = tokio::time::timeout(QUEUE, Arc::clone(&self.permits).acquire_owned());
                let Ok(Ok(permit)) = permit.await else { return Err(NoAnswer::Busy) };
                let function = Arc::clone(function);
                let call = web::block(move || {
                    // Kept until the thread is free again, however long nobody has been waiting for it.
                    let _permit = permit;
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

/// How long a sign-in waits for a free place before it is told to come again.
const QUEUE: Duration = Duration::from_secs(1);
