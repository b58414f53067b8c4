//! What came of an attempt to sign in: it is settled with the counters before it is told.

use std::time::Duration;

use futures_util::future::join;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::{Attempt, Over, TooMany};
use crate::model::code::Once;
use crate::model::question::Question;
use crate::pages::SignInProblem;
use crate::server::Server;
use crate::sign_in::form;

/// The attempt was wrong. The author may have said whom it was for.
pub(crate) async fn wrong(
    server: &Server,
    client: &str,
    attempt: Attempt,
    subject: Option<&str>,
) -> Result<SignInProblem, Reason> {
    let over = server.limits().wrong(attempt, subject).await?;
    let held_up = passed(server, client, subject, over).await?;
    Ok(held_up.map_or(SignInProblem::Wrong, SignInProblem::TooManyAttempts))
}

/// The attempt was right, if it was one that counts. How long it is held up all the same, where too much was guessed for this
/// user.
pub(crate) async fn right(
    server: &Server,
    client: &str,
    attempt: Option<Attempt>,
    subject: Option<&str>,
) -> Result<Option<Duration>, Reason> {
    let Some(attempt) = attempt else { return Ok(None) };
    let over = server.limits().right(attempt, subject).await?;
    passed(server, client, subject, over).await
}

/// The attempt was right, and one more thing is asked.
pub(crate) async fn asks(
    server: &Server,
    client: &str,
    attempt: Attempt,
    question: Question,
) -> Result<Result<(Once, Question), SignInProblem>, Reason> {
    // Side by side: neither needs the other.
    let (held_up, once) = join(right(server, client, Some(attempt), question.subject()), form::once(server)).await;
    Ok(match held_up? {
        Some(wait) => Err(SignInProblem::TooManyAttempts(wait)),
        None => Ok((once?, question)),
    })
}

/// The attempt was not made, or came to nothing by no fault of the person's.
pub(crate) async fn forgive(server: &Server, attempt: Option<Attempt>) -> Result<(), Reason> {
    match attempt {
        Some(attempt) => Ok(server.limits().forgive(attempt).await?),
        None => Ok(()),
    }
}

async fn passed(
    server: &Server,
    client: &str,
    subject: Option<&str>,
    over: Option<Over>,
) -> Result<Option<Duration>, Reason> {
    let Some(over) = over else { return Ok(None) };
    match server.limits().pass(over).await? {
        Ok(()) => Ok(None),
        Err(too_many) => {
            let fact = Fact::of(EventKind::Throttled).client(client).reason(too_many.limit);
            server.tell(subject.map_or(fact, |subject| fact.subject(subject)));
            Ok(Some(too_many.retry_after))
        }
    }
}

/// The attempt may not be made yet.
pub(crate) fn throttled(server: &Server, client: &str, too_many: &TooMany) -> SignInProblem {
    server.tell(Fact::of(EventKind::Throttled).client(client).reason(too_many.limit));
    SignInProblem::TooManyAttempts(too_many.retry_after)
}
