//! What follows a valid request: the session of the browser if it is enough, or else the sign-in page.

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::code::{FormId, Promised, SignInForm};
use crate::model::id::random_id;
use crate::model::record::Record;
use crate::model::session::{By, Person, Session};
use crate::response::{room_left, see_other};
use crate::server::{Server, SignInBy};
use crate::sign_in::browser::Browser;
use crate::sign_in::finish::{SignedIn, finish};
use crate::sign_in::form;
use crate::sign_in::page::sign_in_page;
use crate::sign_in::request::Authorization;
use crate::standing::{Decision, HandedOut, Refused, View};

/// Lets the user of this session, or the one who signs in, answer the request.
pub(crate) async fn begin(
    server: &Server,
    http: &HttpRequest,
    mut authorization: Authorization,
    session: Presented,
    by: By,
) -> Result<HttpResponse, Reason> {
    let request = &mut authorization.request;
    let account = session.shown.as_ref().map(|(session, _)| session.account.clone());
    // A user who signs in once more is remembered as before if they leave the tick as it is.
    request.remember = session.shown.as_ref().is_some_and(|(session, _)| session.lasts);
    let is_enough = |(session, _): &(Session, View)| {
        let requirements = &request.requirements;
        let are_met = requirements.check(&session.subject, &session.authentication.how());
        !requirements.want_a_sign_in() && are_met.is_ok()
    };
    if let Some((session, view)) = session.shown.filter(is_enough).filter(|_| session.may_speak)
        && let Some(person) = reloaded(server, session, &view).await?
    {
        let promised = Promised { grant: random_id(), at: server.now() };
        return finish(server, http, authorization, SignedIn { person, view, promised }, by).await;
    }
    // OpenID Connect Core §3.1.2.6
    if by == By::SessionAlone {
        return Err(Reason::LoginRequired);
    }
    let username = authorization.request.requirements.login_hint.clone().or(account).unwrap_or_default();
    let browser = Browser::of(http, server);
    let form = FormId::new(server.now());
    let mut response = match server.sign_in() {
        SignInBy::Function(_) => {
            sign_in_page(server, authorization, (form, browser.hash().to_owned()), &username, None)?
        }
        SignInBy::PageAt(path) => {
            let form = SignInForm { form, request: authorization.request, browser: browser.hash().to_owned() };
            see_other(format!("{path}?request={}", form::seal(server, &form)?))
        }
    };
    browser.remember(http, &mut response, server);
    // The author's page gets the whole request in its URL.
    if room_left(&response) == 0 { Err(Reason::RequestTooLong) } else { Ok(response) }
}

/// The session that a browser shows, if it shows one.
pub(crate) struct Presented {
    pub(crate) shown: Option<(Session, View)>,
    /// Whether it may answer for its user without a new sign-in.
    pub(crate) may_speak: bool,
}

/// Notes that a session was used, at most once an hour.
///
/// What is made of the session stays as old as the view by which it is decided: as of this write, it would outlive
/// what ended in between.
async fn used(server: &Server, subject: &str, id: &str, view: &View) -> Result<(), Reason> {
    if !view.record()?.is_unnoted(id, view.now()) {
        return Ok(());
    }
    let note = |record: &mut Record, now| {
        // A sign-out since the session was read would be older than this write.
        record.judge(&HandedOut { sequence: view.as_of().sequence, session: Some(id), grant: None }, now)?;
        record.note_use(id, now);
        Ok(Decision::Write(()))
    };
    match server.ledger().change(subject, Some(view.as_of()), note).await {
        // It may have ended meanwhile: anything made with the earlier state is refused.
        Ok(_) | Err(Refused::Ended(_)) => Ok(()),
        Err(Refused::Store(error)) => Err(error.into()),
    }
}

/// The user of a session, with their current claims. `None` if the user no longer exists: then the session is ended.
pub(crate) async fn reloaded(server: &Server, session: Session, view: &View) -> Result<Option<Person>, Reason> {
    let Some(sessions) = server.sessions() else { return Ok(None) };
    let Session { subject, account, mut authentication, .. } = session;
    authentication.as_of = view.as_of();
    if let Some(claims) = sessions.reload.claims_of(&subject).await? {
        if let Some(id) = &authentication.session {
            used(server, &subject, id, view).await?;
        }
        return Ok(Some(Person { subject, account, claims, authentication, device: None }));
    }
    if let Some(id) = &authentication.session {
        Session::end(&subject, id, "user_gone", server).await?;
    }
    Ok(None)
}
