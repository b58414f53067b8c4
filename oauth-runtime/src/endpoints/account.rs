//! `GET` and `POST /account`: users see where they are signed in and which applications have access, and can end
//! either.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::client::MAX_CLIENT_ID_BYTES;
use crate::model::code::AccountForm;
use crate::model::form::Parameters;
use crate::model::record::Record;
use crate::model::session::Session;
use crate::model::{Scope, Timestamp};
use crate::pages::{AccountApplication, AccountPage, AccountSession};
use crate::response::{document, see_other};
use crate::server::Server;
use crate::server::grants::{Given, Grant, Holder, grants_in};
use crate::server::paths::Url;
use crate::sign_in::browser::Browser;
use crate::sign_in::{form, language};
use crate::standing::{Decision, View};

/// Shows the page, or does what its form says.
pub(crate) async fn respond(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    if http.method() == Method::POST {
        return end(server, http, parameters).await;
    }
    let (session, view) = Session::of(http, server).await?.ok_or(Reason::NotSignedIn)?;
    let grants = grants_in(server, &view).await?;
    show(server, http, session, &view, &grants).await
}

async fn show(
    server: &Server,
    http: &HttpRequest,
    session: Session,
    view: &View,
    grants: &[Grant],
) -> Result<HttpResponse, Reason> {
    let browser = Browser::of(http, server);
    let texts = language::of(http, server);
    let own = session.authentication.session.ok_or(Reason::Internal)?;
    let applications = applications(server, grants, view.now()).await?;
    let described: Vec<_> = applications.iter().map(|it| server.described(&it.scope, texts, None)).collect();
    let form = AccountForm { subject: session.subject, session: own.clone(), browser: browser.hash().to_owned() };
    let sealed = form::seal(server, &form)?;
    let page = AccountPage {
        brand: server.brand(),
        texts,
        action: server.path(Url::Account),
        request: &sealed,
        account: &session.account,
        sessions: &sessions(grants, &own),
        applications: &shown(&applications, &described),
    };
    let mut response = document(StatusCode::OK, server.pages().account(&page), "");
    browser.remember(http, &mut response, server);
    Ok(response)
}

/// This one first, then the latest.
fn sessions<'a>(grants: &'a [Grant], own: &str) -> Vec<AccountSession<'a>> {
    let mut sessions: Vec<AccountSession<'a>> = grants
        .iter()
        .filter(|grant| grant.holder == Holder::Session)
        .map(|grant| AccountSession {
            id: &grant.id,
            is_this: grant.id == own,
            begun: grant.begun,
            last_used: grant.last_used,
        })
        .collect();
    sessions.sort_by_key(|session| (!session.is_this, std::cmp::Reverse(session.last_used)));
    sessions
}

/// All that one client has.
struct Application {
    client: String,
    name: String,
    scope: Scope,
    since: Timestamp,
    last_used: Timestamp,
}

async fn applications(server: &Server, grants: &[Grant], now: Timestamp) -> Result<Vec<Application>, Reason> {
    let mut by_client: BTreeMap<&str, (Scope, Timestamp, Timestamp)> = BTreeMap::new();
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    for grant in grants {
        let Given { client, name, scope, .. } = match &grant.holder {
            Holder::Session => continue,
            Holder::Client(given) | Holder::Consent(given) => given,
        };
        let (all, since, last_used) = by_client.entry(client).or_insert_with(|| (Scope::default(), now, grant.begun));
        all.extend(scope.iter());
        said.extend(name.iter().map(|name| (client.as_str(), name.as_str())));
        *since = grant.begun.min(*since);
        *last_used = grant.last_used.max(*last_used);
    }
    let mut applications = Vec::new();
    for (client, (scope, since, last_used)) in by_client {
        // One that was removed from the configuration can still be ended.
        let found = server.clients().find(client).await?;
        let name = found.map(|found| found.name.clone());
        let name = name.unwrap_or_else(|| said.get(client).copied().unwrap_or(client).to_owned());
        applications.push(Application { client: client.to_owned(), name, scope, since, last_used });
    }
    Ok(applications)
}

fn shown<'a>(applications: &'a [Application], described: &'a [Vec<&'a str>]) -> Vec<AccountApplication<'a>> {
    let shown = applications.iter().zip(described).map(|(application, scopes)| AccountApplication {
        client: &application.client,
        name: &application.name,
        scopes,
        since: application.since,
        last_used: application.last_used,
    });
    shown.collect()
}

/// Ends one session, or all that one client has, for the user and the session to which the page was shown.
async fn end(server: &Server, http: &HttpRequest, parameters: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    let form = form::open::<AccountForm>(server, http, parameters)?.value;
    let session = Session::presented(http, server).ok_or(Reason::NotSignedIn)?;
    if session.subject != form.subject || session.authentication.session.as_ref() != Some(&form.session) {
        return Err(Reason::FormOfASignedOut);
    }
    let ending = match (parameters.get("session", 128)?, parameters.get("client", MAX_CLIENT_ID_BYTES)?) {
        (Some(id), None) => Ending::Session(id),
        (None, Some(client)) => Ending::Client(client),
        (Some(_), Some(_)) | (None, None) => return Err(Reason::MissingParameter("session or client")),
    };
    let change = |record: &mut Record, now: Timestamp| {
        record.judge(&session.handed_out(), now)?;
        if !session.lives(record, now) {
            return Ok(Decision::Keep(None));
        }
        Ok(match ending {
            // One that is not listed has ended, or belongs to another user.
            Ending::Session(id) if record.has_session(id, now) => {
                record.end_session(id, now);
                Decision::Write(Some(true))
            }
            Ending::Session(_) => Decision::Keep(Some(false)),
            Ending::Client(client) if !record.knows_client(client, now) => Decision::Keep(Some(false)),
            Ending::Client(client) => {
                record.revoke_client(client, now);
                Decision::Write(Some(true))
            }
        })
    };
    let changed = server.ledger().change(&*session.subject, Some(session.authentication.as_of), change).await;
    let (has_ended, _) = changed.map_err(form::refused)?;
    let has_ended = has_ended.ok_or(Reason::FormOfASignedOut)?;
    if has_ended {
        server.tell(ending.told(&form.subject));
    }
    // That page says that they are signed out, and removes the cookie.
    let is_own = matches!(ending, Ending::Session(id) if id == form.session);
    Ok(see_other(server.path(if is_own { Url::Logout } else { Url::Account }).to_owned()))
}

/// What a user ends.
#[derive(Clone, Copy)]
enum Ending<'a> {
    Session(&'a str),
    Client(&'a str),
}

impl<'a> Ending<'a> {
    fn told(self, subject: &'a str) -> Fact<'a> {
        match self {
            Ending::Session(id) => Fact::of(EventKind::SignedOut).subject(subject).session(Some(id)).reason("user"),
            Ending::Client(client) => Fact::of(EventKind::Revoked).subject(subject).client(client).reason("user"),
        }
    }
}
