//! An attempt to sign in: how it is counted, and how its outcome is settled with the counters before it is sent.

use std::time::Duration;

use actix_web::HttpRequest;
use futures_util::future::join;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::{Attempt, Guess, TooMany};
use crate::model::code::Once;
use crate::model::device::Device;
use crate::model::name::FoldedName;
use crate::model::question::Question;
use crate::pages::SignInProblem;
use crate::server::Server;
use crate::sign_in::form;
use crate::users::NoAnswer;

/// Lets a password be tried for the name that was typed, with a separate count for a browser that is known for the
/// name.
pub(crate) async fn password(
    server: &Server,
    http: &HttpRequest,
    username: &str,
) -> Result<Result<Attempt, TooMany>, Reason> {
    if let Some(device) = Device::presented(http, server, username)
        && let Some(attempt) = known(server, Guess::Password, &device).await?
    {
        return Ok(attempt);
    }
    let networks = server.client_address().networks(http);
    Ok(server.limits().password(&FoldedName::of(username), &networks).await?)
}

/// Lets the answer to a question be tried, which may name its user.
pub(crate) async fn answer(
    server: &Server,
    http: &HttpRequest,
    username: &str,
    subject: Option<&str>,
) -> Result<Result<Attempt, TooMany>, Reason> {
    let is_of = |device: &Device| subject.is_none_or(|subject| device.subject == subject);
    if let Some(device) = Device::presented(http, server, username).filter(is_of)
        && let Some(attempt) = known(server, Guess::Answer, &device).await?
    {
        return Ok(attempt);
    }
    let networks = server.client_address().networks(http);
    Ok(server.limits().answer(&FoldedName::of(username), subject, &networks).await?)
}

/// `None` if the browser is no longer known.
async fn known(server: &Server, what: Guess, device: &Device) -> Result<Option<Result<Attempt, TooMany>>, Reason> {
    // At the same time: an unneeded count is taken back.
    let (stands, counted) = join(device.stands(server), server.limits().known(what, device)).await;
    let counted = counted?;
    if let Ok(true) = stands {
        return Ok(Some(counted));
    }
    if let Ok(attempt) = counted {
        server.limits().forgive(attempt).await?;
    }
    stands.map(|_| None)
}

/// The attempt was wrong. The author may have named its user.
pub(crate) async fn wrong(
    server: &Server,
    client: &str,
    attempt: Attempt,
    subject: Option<&str>,
) -> Result<SignInProblem, Reason> {
    let told = server.limits().wrong(attempt, subject).await?;
    Ok(held_up(server, client, subject, told).map_or(SignInProblem::Wrong, SignInProblem::TooManyAttempts))
}

/// The attempt was right, and another question is asked.
pub(crate) async fn asks(
    server: &Server,
    client: &str,
    attempt: Attempt,
    question: Question,
) -> Result<Result<(Once, Question), SignInProblem>, Reason> {
    // At the same time, since neither needs the other.
    let (told, once) = join(server.limits().right(attempt, question.subject()), form::once(server)).await;
    Ok(match held_up(server, client, question.subject(), told?) {
        Some(wait) => Err(SignInProblem::TooManyAttempts(wait)),
        None => Ok((once?, question)),
    })
}

/// The attempt was right, if there was one that counts. Returns how long it is delayed all the same.
pub(crate) async fn settled(
    server: &Server,
    client: &str,
    attempt: Option<Attempt>,
    subject: &str,
) -> Result<Option<Duration>, Reason> {
    let Some(attempt) = attempt else { return Ok(None) };
    let told = server.limits().right(attempt, Some(subject)).await?;
    Ok(held_up(server, client, Some(subject), told))
}

/// The attempt was not made, or failed through no fault of the person.
pub(crate) async fn forgive(server: &Server, attempt: Option<Attempt>) -> Result<(), Reason> {
    match attempt {
        Some(attempt) => Ok(server.limits().forgive(attempt).await?),
        None => Ok(()),
    }
}

/// The author's function gave no answer: nothing counts. `refused` is the event of its refusals.
pub(crate) async fn unanswered(
    server: &Server,
    client: &str,
    attempt: Attempt,
    why: NoAnswer,
    (function, refused): (&str, EventKind),
) -> Result<SignInProblem, Reason> {
    let problem = match why {
        NoAnswer::HeldUp(too_many) => throttled(server, client, &too_many),
        NoAnswer::Busy | NoAnswer::TimedOut | NoAnswer::Panicked | NoAnswer::Failed(_) => {
            tracing::error!(target: "oauth", ?why, "{function} gave no answer");
            server.tell(Fact::of(refused).client(client).reason("no_answer"));
            SignInProblem::TryAgainLater
        }
    };
    server.limits().forgive(attempt).await?;
    Ok(problem)
}

/// How long an attempt is delayed if there were too many guesses for its user.
fn held_up(server: &Server, client: &str, subject: Option<&str>, told: Result<(), TooMany>) -> Option<Duration> {
    let too_many = told.err()?;
    let fact = Fact::of(EventKind::Throttled).client(client).reason(too_many.limit);
    server.tell(subject.into_iter().fold(fact, Fact::subject));
    Some(too_many.retry_after)
}

/// The attempt may not be made yet.
pub(crate) fn throttled(server: &Server, client: &str, too_many: &TooMany) -> SignInProblem {
    server.tell(Fact::of(EventKind::Throttled).client(client).reason(too_many.limit));
    SignInProblem::TooManyAttempts(too_many.retry_after)
}
