//! An attempt to sign in: how it is counted, and that what came of it is settled with the counters before it is told.

use std::time::Duration;

use actix_web::HttpRequest;
use futures_util::future::join;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::{Attempt, Guess, Over, TooMany};
use crate::model::code::Once;
use crate::model::device::Device;
use crate::model::name::{ExactName, FoldedName};
use crate::model::question::Question;
use crate::pages::SignInProblem;
use crate::server::Server;
use crate::sign_in::form;
use crate::store::{Key, Kind};

/// Lets a password be tried for the name that was typed: on its own count from a browser that is known for the name.
pub(crate) async fn password(
    server: &Server,
    http: &HttpRequest,
    username: &str,
) -> Result<Result<Attempt, TooMany>, Reason> {
    if let Some(device) = Device::presented(http, server, &ExactName::of(username).hash())
        && let Some(attempt) = known(server, Guess::Password, &device).await?
    {
        return Ok(attempt);
    }
    let networks = server.client_address().networks(http);
    Ok(server.limits().password(&FoldedName::of(username), &networks).await?)
}

/// Lets the answer to a question be tried, which may say whom it is of.
pub(crate) async fn answer(
    server: &Server,
    http: &HttpRequest,
    username: &str,
    subject: Option<&str>,
) -> Result<Result<Attempt, TooMany>, Reason> {
    let is_of = |device: &Device| subject.is_none_or(|subject| device.subject == subject);
    if let Some(device) = Device::presented(http, server, &ExactName::of(username).hash()).filter(is_of)
        && let Some(attempt) = known(server, Guess::Answer, &device).await?
    {
        return Ok(attempt);
    }
    let networks = server.client_address().networks(http);
    Ok(server.limits().answer(&FoldedName::of(username), subject, &networks).await?)
}

/// None where the browser is not known any more.
async fn known(server: &Server, what: Guess, device: &Device) -> Result<Option<Result<Attempt, TooMany>>, Reason> {
    // Side by side: what was counted for nothing is taken back.
    let (stands, counted) = join(device.stands(server), server.limits().known(what, device)).await;
    let counted = counted?;
    if stands? {
        return Ok(Some(counted));
    }
    if let Ok(attempt) = counted {
        server.limits().forgive(attempt).await?;
    }
    Ok(None)
}

/// The attempt was wrong. The author may have said whom it was for.
pub(crate) async fn wrong(
    server: &Server,
    client: &str,
    (attempt, username): (Attempt, &str),
    subject: Option<&str>,
) -> Result<SignInProblem, Reason> {
    let over = server.limits().wrong(attempt, subject).await?;
    let held_up = match subject {
        Some(subject) => passed_by_record(server, client, subject, username, over).await?,
        None => None,
    };
    Ok(held_up.map_or(SignInProblem::Wrong, SignInProblem::TooManyAttempts))
}

/// The attempt was right, and one more thing is asked.
pub(crate) async fn asks(
    server: &Server,
    client: &str,
    (attempt, username): (Attempt, &str),
    question: Question,
) -> Result<Result<(Once, Question), SignInProblem>, Reason> {
    // Side by side: neither needs the other.
    let (over, once) = join(server.limits().right(attempt, question.subject()), form::once(server)).await;
    let held_up = match question.subject() {
        Some(subject) => passed_by_record(server, client, subject, username, over?).await?,
        None => over.map(|_| None)?,
    };
    Ok(match held_up {
        Some(wait) => Err(SignInProblem::TooManyAttempts(wait)),
        None => Ok((once?, question)),
    })
}

/// The attempt was right, if it was one that counts: how long it is held up all the same.
pub(crate) async fn settled(
    server: &Server,
    client: &str,
    attempt: Option<(Attempt, &str)>,
    subject: &str,
) -> Result<Option<Duration>, Reason> {
    let Some((attempt, username)) = attempt else { return Ok(None) };
    let over = server.limits().right(attempt, Some(subject)).await?;
    passed_by_record(server, client, subject, username, over).await
}

/// The attempt was not made, or came to nothing by no fault of the person's.
pub(crate) async fn forgive(server: &Server, attempt: Option<Attempt>) -> Result<(), Reason> {
    match attempt {
        Some(attempt) => Ok(server.limits().forgive(attempt).await?),
        None => Ok(()),
    }
}

/// How long an attempt is held up, where too much was guessed for its user. The record of the user is asked only then.
async fn passed_by_record(
    server: &Server,
    client: &str,
    subject: &str,
    username: &str,
    over: Option<Over>,
) -> Result<Option<Duration>, Reason> {
    let Some(over) = over else { return Ok(None) };
    let view = server.ledger().view(Key::of(Kind::Subject, subject)).await?;
    let goes_by = view.record()?.goes_by(&ExactName::of(username).hash(), view.now());
    match server.limits().pass(over, goes_by).await? {
        Ok(()) => Ok(None),
        Err(too_many) => {
            server.tell(Fact::of(EventKind::Throttled).subject(subject).client(client).reason(too_many.limit));
            Ok(Some(too_many.retry_after))
        }
    }
}

/// The attempt may not be made yet.
pub(crate) fn throttled(server: &Server, client: &str, too_many: &TooMany) -> SignInProblem {
    server.tell(Fact::of(EventKind::Throttled).client(client).reason(too_many.limit));
    SignInProblem::TooManyAttempts(too_many.retry_after)
}
