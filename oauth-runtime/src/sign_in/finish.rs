//! What follows when it is known who signs in: consent where it is needed, then the code (RFC 6749 §4.1.2).

use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join;
use serde_json::Value;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::Attempt;
use crate::model::Timestamp;
use crate::model::claims::{UnusableClaims, UserClaims};
use crate::model::id::random_id;
use crate::model::record::Record;
use crate::model::session::{Authentication, By, Person, Session};
use crate::server::Server;
use crate::sign_in::browser::Browser;
use crate::sign_in::device::Recognition;
use crate::sign_in::request::Authorization;
use crate::sign_in::{attempt, consent, form, redirect};
use crate::standing::{Decision, Refused, View};
use crate::store::{Key, Kind};
use crate::users::Authenticated;

/// Answers the authorization request for this person.
pub(crate) async fn finish(
    server: &Server,
    http: &HttpRequest,
    authorization: Authorization,
    person: Person,
    view: &View,
    by: By,
) -> Result<HttpResponse, Reason> {
    let browser = match by {
        // Drawn anew, so that a cookie planted before the sign-in is worth nothing after it.
        By::Page | By::Elsewhere => Browser::new(),
        By::Session | By::SessionAlone => Browser::of(http, server).unwrap_or_else(Browser::new),
    };
    let mut response = match authorization.granted_by(server, &person) {
        Ok(granted) if consent::is_needed(server, &authorization, &granted, view, by)? => {
            // OpenID Connect Core §3.1.2.6
            if by == By::SessionAlone {
                return Err(Reason::ConsentRequired);
            }
            consent::consent_page(server, authorization, &granted, person.clone(), &browser)?
        }
        Ok(granted) => redirect::approve(server, &authorization, &granted, &person)?,
        // The user is signed in all the same; it is the client that learns of it.
        Err(reason) => redirect::refused(server, &authorization, &reason),
    };
    browser.remember(&mut response, server);
    Session::keep(&person, &mut response, server)?;
    if let Some(device) = person.device {
        device.keep(http, &mut response, server)?;
    }
    Ok(response)
}

/// A user who just signed in, with a session of their own if there are sessions.
pub(crate) async fn signed_in(
    server: &Server,
    http: &HttpRequest,
    client: &str,
    Authenticated { claims, amr, acr }: Authenticated<Value>,
    username: Option<&str>,
    began: Timestamp,
    attempt: Option<Attempt>,
) -> Result<(Person, View), Reason> {
    let user = match usable(server, client, claims).await {
        Ok(user) => user,
        Err(reason) => {
            // It is no one's guess that failed.
            attempt::forgive(server, attempt).await?;
            return Err(reason);
        }
    };
    // The same user again: what they sign out of is what they signed in to before as well. Of another's nothing is kept.
    let before = Session::presented(http, server).filter(|before| before.subject == user.subject);
    let drawn = random_id();
    let ends = server.sign_in_ends(began);
    let begin = |record: &mut Record, now: Timestamp| {
        // A user who was signed out since they began has to begin again; so has what they would get by this.
        record.judge_sign_in(began, server.ledger().slack(), now)?;
        let Some(sessions) = server.sessions() else { return Ok(Decision::Write(None)) };
        let same = before.as_ref().filter(|it| it.lives(record, now) && record.judge(&it.handed_out(), now).is_ok());
        let id = same.and_then(|it| it.authentication.session.as_deref()).unwrap_or(&drawn);
        record.begin_session(id, began + sessions.lifetimes.absolute, now);
        Ok(Decision::Write(Some(id.to_owned())))
    };
    let key = Key::of(Kind::Subject, &user.subject);
    // Side by side: what was begun is taken back where it turns out that it may not be told.
    let recognition = Recognition::new(http, server, &user.subject, username);
    let change = |record: &mut Record, now| recognition.noting(record, now, |record| begin(record, now));
    let settling = attempt::right(server, attempt, &user.subject);
    let (changed, over) = join(server.ledger().change(key, None, change), settling).await;
    if let Some(over) = over? {
        let goes_by = changed.as_ref().is_ok_and(|((_, noted), _)| noted.goes_by);
        if let Some(wait) = attempt::passed(server, client, &user.subject, over, goes_by).await? {
            take_back(server, key, &drawn, &recognition).await?;
            return Err(Reason::TooManyTries(wait));
        }
    }
    let ((session, noted), view) = changed.map_err(|why| {
        if let Refused::Ended(_) = why {
            server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("signed_out"));
        }
        form::refused(why)
    })?;
    // The browser is this user's now: who had it before is signed out of it.
    Session::end_all(&Session::of_others(http, server, &user.subject), "replaced", server).await?;
    let signed_in = Fact::of(EventKind::SignedIn).subject(&user.subject).client(client).session(session.as_deref());
    server.tell(signed_in);
    if session.is_some() && before.is_none() && !noted.was_known {
        let new = Fact::of(EventKind::NewDevice).subject(&user.subject).client(client);
        server.tell(new.session(session.as_deref()));
    }
    // What an earlier sign-in of this session gave may live for longer than what this one gives.
    let earlier = before.filter(|it| it.authentication.session == session).and_then(|it| it.authentication.until);
    let authentication = Authentication {
        at: began,
        amr,
        acr,
        until: Some(earlier.map_or(ends, |until| until.max(ends))),
        session,
        as_of: view.as_of(),
    };
    let person = Person {
        account: username.unwrap_or(&user.subject).to_owned(),
        device: recognition.device(noted, &user.subject, view.as_of()),
        subject: user.subject,
        claims: user.custom,
        authentication,
    };
    Ok((person, view))
}

/// Claims that can be a user's.
async fn usable(server: &Server, client: &str, claims: Value) -> Result<UserClaims, Reason> {
    let unusable = |why: UnusableClaims| {
        tracing::error!(target: "oauth", "the claims of who signed in cannot be used: {why}");
        server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("claims"));
        Reason::ClaimsUnusable
    };
    let user = UserClaims::parse(claims).map_err(unusable)?;
    // RFC 9700 §4.15.1: a token of a user must not read as one of a client
    if server.clients().find(&user.subject).await?.is_some() {
        return Err(unusable(UnusableClaims::SubjectIsClient));
    }
    Ok(user)
}

/// Takes back what no browser was given: a session that was drawn, and that the browser is known.
async fn take_back(server: &Server, key: Key, session: &str, recognition: &Recognition) -> Result<(), Reason> {
    let take = |record: &mut Record, _| {
        record.take_session_back(session);
        record.take_device_back(recognition.drawn());
        Ok(Decision::Write(()))
    };
    let taken = server.ledger().change(key, None, take).await;
    taken.map(drop).map_err(|why| why.into_reason(|_| Reason::Internal))
}
