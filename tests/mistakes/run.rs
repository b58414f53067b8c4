//! What a program that compiles does when it runs.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::rt::System;
use futures_util::FutureExt as _;
use oauth_runtime::{BuildError, OAuthService};

use crate::log::Log;

type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// A program, by the place where its mistake is caught.
pub(crate) enum Run {
    Build(fn() -> Result<OAuthService, BuildError>),
    Tests(fn() -> Later<()>),
    Request(fn() -> Later<(StatusCode, String)>),
    Review(fn() -> Later<String>),
}

/// Its result.
pub(crate) struct Outcome {
    /// Whether it was built, passed, or answered: nothing stopped it.
    pub(crate) passes: bool,
    /// Whether it says something all the same, to who reads the log, or the review.
    pub(crate) warns: bool,
    /// What is said.
    pub(crate) text: String,
}

impl Run {
    pub(crate) fn outcome(&self) -> Outcome {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_env_filter("info").with_ansi(false).with_writer(log.clone());
        let _heard = tracing::subscriber::set_default(subscriber.finish());
        let stopped = |text| Outcome { passes: false, warns: false, text };
        let passed = |text| Outcome { passes: true, warns: false, text };
        match self {
            Run::Build(program) => program().map_or_else(|error| stopped(error.to_string()), |_| passed(String::new())),
            Run::Tests(program) => wait(program).map_or_else(stopped, |()| passed(String::new())),
            Run::Review(program) => wait(program).map_or_else(stopped, |text| Outcome { warns: true, ..passed(text) }),
            Run::Request(program) => match wait(program) {
                Ok((status, body)) => {
                    let text = format!("{status}\n{body}\n{}", log.text());
                    Outcome { passes: status.is_success(), warns: text.contains(" WARN "), text }
                }
                Err(panic) => stopped(panic),
            },
        }
    }
}

/// What a program answers, or the text that it panics with.
fn wait<T>(program: &fn() -> Later<T>) -> Result<T, String> {
    let text = |panic: Box<dyn Any + Send>| {
        let owned = panic.downcast_ref::<String>().cloned();
        owned.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    };
    System::new().block_on(AssertUnwindSafe(program()).catch_unwind()).map_err(text)
}
