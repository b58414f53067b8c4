//! The session of a browser: who signed in with it, without asking again (OpenID Connect Core §3.1.2.3).

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::lifetime::Lifetimes;
use crate::model::session::{Person, Session};
use crate::seal::NotSealed;
use crate::server::Server;
use crate::sign_in::cookie::Cookie;
use crate::standing::{self, HandedOut};

impl Session {
    /// The session of the browser that sent the request, if it has one that stands.
    pub(crate) async fn of(request: &HttpRequest, server: &Server) -> Result<Option<Session>, Reason> {
        let Some(sessions) = server.sessions() else { return Ok(None) };
        let Some(sealed) = Cookie::Session.read(request, server) else { return Ok(None) };
        let Ok(opened) = server.sealer().open::<Session>(sealed, server.now()) else { return Ok(None) };
        let session = opened.value;
        // Lifetimes that were shortened since count for what began before.
        if ends_at(&session, sessions.lifetimes, opened.issued_at) <= server.now() {
            return Ok(None);
        }
        // One without an id could not be ended.
        if session.authentication.session.is_none() {
            return Ok(None);
        }
        let handed = HandedOut::of_sign_in(opened.issued_at, &session.subject, &session.authentication, None);
        let stands = standing::check(server.store(), handed).await?.is_ok();
        Ok(stands.then_some(session))
    }

    /// Gives the browser a session for this person, or the one it has for some time longer.
    pub(crate) async fn keep(person: &Person, response: &mut HttpResponse, server: &Server) -> Result<(), Reason> {
        let Some(sessions) = server.sessions() else { return Ok(()) };
        let session = Session {
            subject: person.subject.clone(),
            account: person.account.clone(),
            authentication: person.authentication.clone(),
        };
        let now = server.issue_time().await?;
        match server.sealer().seal(&session, now, ends_at(&session, sessions.lifetimes, now)) {
            Ok(sealed) => Cookie::Session.set(response, server, &sealed, None),
            // Only an `acr` or `amr` of the author's can be as long as that: the user signs in without a session.
            Err(NotSealed::TooLarge) => {
                tracing::error!(target: "oauth", "there is no session: its acr and amr do not fit a cookie; shorten them");
            }
            Err(NotSealed::Failed) => return Err(Reason::Internal),
        }
        Ok(())
    }

    /// Ends it, and with it all that clients got by it. `until` is the end that is sealed in it, where that is known.
    pub(crate) async fn end(id: &str, until: Option<Timestamp>, server: &Server) -> Result<(), Reason> {
        let now = server.issue_time().await?;
        // A user who signed in again in this session gave it a later end than an older cookie says.
        let until = until.map(|until| until.max(server.sign_in_ends(now)));
        server.store().revoke(id, standing::remembered_until(now, until)).await?;
        tracing::info!(target: "oauth", session = id, "a session was ended");
        Ok(())
    }
}

/// An older cookie of the same session can be presented until then, or sooner.
fn ends_at(session: &Session, lifetimes: Lifetimes, used_at: Timestamp) -> Timestamp {
    let absolute = session.authentication.at + lifetimes.absolute;
    (used_at + lifetimes.idle).min(session.authentication.until.map_or(absolute, |until| absolute.min(until)))
}
