//! `GET` and `POST /authorize`: an application asks for a sign-in (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::as_of::AsOf;
use crate::model::code::{FormId, Promised, SignInForm};
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::model::record::Record;
use crate::model::session::{By, Person, Session};
use crate::response::{room_left, see_other};
use crate::server::{Server, SignInBy};
use crate::sign_in::browser::Browser;
use crate::sign_in::finish::{SignedIn, finish};
use crate::sign_in::form;
use crate::sign_in::page::sign_in_page;
use crate::sign_in::redirect::{check_room, refuse, refuse_with_page};
use crate::sign_in::request::{Asking, Authorization, is_silent, state};
use crate::standing::{Decision, HandedOut, Refused, View};
use crate::store::{Key, Kind};

/// Answers with a code where a session is enough, and else with the sign-in page.
pub(crate) async fn respond(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // RFC 6749 §4.1.2.1: until client and redirect URI are known good, the answer is a page and never a redirect
    let asking = Asking::read(server, parameters).await?;
    // The same: a redirect would have to bring it back
    let state = state(parameters)?;
    let (client, destination) = (Arc::clone(&asking.client), asking.destination.clone());
    let session = Session::of(http, server).await;
    // RFC 9700 §4.11.2: else a link of anyone's sends browsers to a third party without a question; OpenID Connect Core
    // §3.1.2.6 has no page for prompt=none
    let is_signed_in = matches!(&session, Ok(Some(_)));
    let may_be_sent_on = !client.is_third_party || is_signed_in || is_silent(parameters).unwrap_or(false);
    let answered = match session {
        Ok(session) => authorize(server, http, parameters, asking, session).await,
        Err(reason) => Err(reason),
    };
    answered.or_else(|reason| {
        tracing::info!(target: "oauth", client = client.id, ?reason, "authorization request refused");
        Ok(match may_be_sent_on {
            true => refuse(server, &destination, state, &reason),
            false => refuse_with_page(server, http, parameters, (&client, &destination), state, &reason),
        })
    })
}

async fn authorize(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    asking: Asking,
    session: Option<(Session, View)>,
) -> Result<HttpResponse, Reason> {
    let request = asking.request(server, http, parameters)?;
    let mut authorization = Authorization { request, client: asking.client, destination: asking.destination };
    check_room(server, &authorization)?;
    let request = &mut authorization.request;
    let is_silent = is_silent(parameters)?;
    // The ID token by which the client says whom it takes its user for (OpenID Connect Core §3.1.2.1). A forged one can
    // only keep the client from getting a user, and does not let a session speak for them.
    let hint = server.id_token_hint(parameters)?;
    let proves_its_user = hint.as_ref().is_none_or(|hint| hint.verified.is_some());
    request.requirements.subject = hint.map(|hint| hint.subject);

    let account = session.as_ref().map(|(session, _)| session.account.clone());
    // Who signs in once more is remembered as before, if they leave the tick as it is.
    request.remember = session.as_ref().is_some_and(|(session, _)| session.lasts);
    let is_enough = |(session, _): &(Session, View)| {
        let requirements = &request.requirements;
        let are_met = requirements.check(&session.subject, &session.authentication.how());
        proves_its_user && !requirements.want_a_sign_in() && are_met.is_ok()
    };
    let session = session.filter(is_enough);
    if let Some((session, view)) = session
        && let Some(person) = reloaded(server, session, &view).await?
    {
        let by = if is_silent { By::SessionAlone } else { By::Session };
        let promised = Promised { grant: random_id(), at: server.now() };
        return finish(server, http, authorization, SignedIn { person, view, promised }, by).await;
    }
    // OpenID Connect Core §3.1.2.6
    if is_silent {
        return Err(Reason::LoginRequired);
    }
    let username = authorization.request.requirements.login_hint.clone().or(account).unwrap_or_default();
    let browser = Browser::of(http, server);
    let form = FormId::new(server.now());
    let mut response = match server.sign_in() {
        SignInBy::Function(_) => sign_in_page(server, authorization, (form, browser.hash()), &username, None)?,
        SignInBy::PageAt(path) => {
            let form = SignInForm { form, request: authorization.request, browser: browser.hash() };
            see_other(format!("{path}?request={}", form::seal(server, &form)?))
        }
    };
    browser.remember(http, &mut response, server);
    // The author's page gets all of it in its URL.
    if room_left(&response) == 0 { Err(Reason::RequestTooLong) } else { Ok(response) }
}

/// Notes that a session was used, at most once an hour.
async fn used(server: &Server, subject: &str, id: &str, view: &View) -> Result<AsOf, Reason> {
    if !view.record()?.is_unnoted(id, view.now()) {
        return Ok(view.as_of());
    }
    let note = |record: &mut Record, now| {
        // A sign-out since the session was looked at would be older than what is made as of this write.
        record.judge(&HandedOut { sequence: view.as_of().sequence, session: Some(id), grant: None }, now)?;
        record.note_use(id, now);
        Ok(Decision::Write(()))
    };
    let changed = server.ledger().change(Key::of(Kind::Subject, subject), Some(view.as_of()), note).await;
    // Ended meanwhile: what is made as of before is refused.
    changed.map(|((), view)| view.as_of()).or_else(|why| match why {
        Refused::Ended(_) => Ok(view.as_of()),
        Refused::Store(error) => Err(error.into()),
    })
}

/// The user of a session, with the claims of now. None where there is no such user any more: then the session is ended.
async fn reloaded(server: &Server, session: Session, view: &View) -> Result<Option<Person>, Reason> {
    let Some(sessions) = server.sessions() else { return Ok(None) };
    let Session { subject, account, mut authentication, .. } = session;
    authentication.as_of = view.as_of();
    if let Some(claims) = sessions.reload.claims_of(&subject).await? {
        if let Some(id) = &authentication.session {
            authentication.as_of = used(server, &subject, id, view).await?;
        }
        return Ok(Some(Person { subject, account, claims, authentication, device: None }));
    }
    if let Some(id) = &authentication.session {
        Session::end(&subject, id, "user_gone", server).await?;
    }
    Ok(None)
}
