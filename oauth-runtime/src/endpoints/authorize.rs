//! `GET` and `POST /authorize`: an application asks for a sign-in (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1).

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::form::Parameters;
use crate::model::proof::Thumbprint;
use crate::model::pushed::Push;
use crate::model::session::{By, Session};
use crate::server::Server;
use crate::sign_in::asked::Asked;
use crate::sign_in::begin::{Presented, begin};
use crate::sign_in::pushed::{self, Pushed};
use crate::sign_in::redirect::{refuse_at_once, refuse_with_page};
use crate::sign_in::request::{Asking, Authorization, is_silent, state};
use crate::sign_in::room;
use crate::standing::View;

/// Answers with a code if a session is enough, or else with the sign-in page.
pub(crate) async fn respond(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    server.tell_of_another_host(http);
    match pushed::opened(server, parameters).await? {
        Some(Pushed { parameters, push }) => {
            answer(server, http, &Parameters::parse(parameters.as_bytes()), Some(push)).await
        }
        None => answer(server, http, parameters, None).await,
    }
}

async fn answer(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    push: Option<Push>,
) -> Result<HttpResponse, Reason> {
    // RFC 6749 §4.1.2.1: until client and redirect URI are verified, the answer is a page and never a redirect
    let asking = Asking::read(server, parameters).await?;
    // The same, since a redirect would have to return it
    let state = state(parameters)?;
    // RFC 9110 §9.2.1: HEAD changes nothing, and a session could lead to a code
    let session = if http.method() == Method::HEAD { Ok(None) } else { Session::of(http, server).await };
    // RFC 9700 §4.11.2: otherwise anyone's link could send browsers to a third party without asking; OpenID Connect
    // Core §3.1.2.6 allows no page for prompt=none
    let user = session.as_ref().ok().and_then(Option::as_ref).map(|(session, _)| session.subject.as_str());
    let is_signed_in = user.is_some();
    // Nothing is fetched before the user has signed in.
    let asking = match user {
        Some(subject) => asking.known(server, subject).await?,
        None => asking,
    };
    let (client, destination) = (Arc::clone(&asking.client), asking.destination.clone());
    // A client that the author did not list may be anyone's: only a user's own decision leads to it.
    let is_listed = client.unlisted.is_none();
    let may_be_sent_on =
        !client.is_third_party || (is_listed && (is_signed_in || is_silent(parameters).unwrap_or(false)));
    let answered = match session {
        Ok(session) => authorize(server, http, parameters, (asking, push), session).await,
        Err(reason) => Err(reason),
    };
    answered.or_else(|reason| {
        let Asked { scope, resource, .. } = Asked::of(server, http, parameters, &reason);
        tracing::info!(target: "oauth", client = client.id, ?reason, scope, resource, "authorization request refused");
        Ok(match may_be_sent_on {
            true => refuse_at_once(server, http, parameters, &destination, state, &reason),
            false => refuse_with_page(server, http, parameters, (&client, &destination), state, &reason),
        })
    })
}

async fn authorize(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    (asking, push): (Asking, Option<Push>),
    session: Option<(Session, View)>,
) -> Result<HttpResponse, Reason> {
    // RFC 9126 §4
    if push.is_none() && pushed::is_required(server, &asking.client) {
        return Err(Reason::PushRequired);
    }
    let Good { mut authorization, is_silent, proves_its_user } = found_good(server, http, parameters, asking)?;
    authorization.request.push = push;
    let by = if is_silent { By::SessionAlone } else { By::Session };
    begin(server, http, authorization, Presented { shown: session, may_speak: proves_its_user }, by).await
}

/// A valid authorization request.
pub(super) struct Good {
    authorization: Authorization,
    /// Whether no page may be shown.
    is_silent: bool,
    /// Whether a session may answer it for its user.
    proves_its_user: bool,
}

impl Good {
    /// The key that its code is bound to.
    pub(super) fn key(&self) -> Option<&Thumbprint> {
        self.authorization.request.key.as_ref()
    }
}

/// Validates a request, however it came.
pub(super) fn found_good(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    asking: Asking,
) -> Result<Good, Reason> {
    let request = asking.request(server, http, parameters)?;
    let mut authorization = Authorization { request, client: asking.client, destination: asking.destination };
    room::check(server, &authorization)?;
    let is_silent = is_silent(parameters)?;
    // The ID token by which the client says which user it expects (OpenID Connect Core §3.1.2.1). A forged one can only
    // prevent the client from getting a user, and does not let a session answer for them.
    let hint = server.id_token_hint(parameters)?;
    let proves_its_user = hint.as_ref().is_none_or(|hint| hint.verified.is_some());
    authorization.request.requirements.subject = hint.map(|hint| hint.subject);
    Ok(Good { authorization, is_silent, proves_its_user })
}
