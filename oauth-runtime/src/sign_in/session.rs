//! The session of a browser: who signed in with it, without asking again (OpenID Connect Core §3.1.2.3).

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::session::{Person, Session, SessionLifetimes};
use crate::seal::NotSealed;
use crate::server::OAuthService;
use crate::sign_in::cookie::Cookie;

impl Session {
    /// The session of the browser that sent the request, if it has one that is still good.
    pub(crate) async fn of(request: &HttpRequest, oauth: &OAuthService) -> Result<Option<Session>, Reason> {
        let Some(sessions) = &oauth.0.sessions else { return Ok(None) };
        let Some(sealed) = Cookie::Session.read(request, oauth) else { return Ok(None) };
        let Ok(opened) = oauth.0.sealer.open::<Session>(sealed, oauth.now()) else { return Ok(None) };
        let session = opened.value;
        // Lifetimes that were shortened since count for what began before.
        if ends_at(&session, sessions.lifetimes, opened.issued_at) <= oauth.now() {
            return Ok(None);
        }
        // A store that forgot what was ended takes nothing from before.
        if opened.issued_at <= oauth.0.store.birth().await? {
            return Ok(None);
        }
        let ended = match &session.how.session {
            Some(id) => oauth.0.store.is_revoked(id).await?,
            None => true,
        };
        let not_before = oauth.0.store.not_before(&session.subject).await?;
        if ended || not_before.is_some_and(|at| session.how.at <= at) {
            return Ok(None);
        }
        Ok(Some(session))
    }

    /// Gives the browser a session for this person, or the one it has for some time longer.
    pub(crate) async fn keep(person: &Person, response: &mut HttpResponse, oauth: &OAuthService) -> Result<(), Reason> {
        let Some(sessions) = &oauth.0.sessions else { return Ok(()) };
        let session =
            Session { subject: person.subject.clone(), account: person.account.clone(), how: person.how.clone() };
        let now = oauth.issue_time().await?;
        let ends = ends_at(&session, sessions.lifetimes, now);
        match oauth.0.sealer.seal(&session, now, ends) {
            Ok(sealed) => Cookie::Session.set(response, oauth, &sealed, None),
            // Only an `acr` or `amr` of the author's can be as long as that: he signs in without a session.
            Err(NotSealed::TooLarge) => {
                tracing::error!(target: "oauth", "there is no session: its acr and amr do not fit a cookie; shorten them");
            }
            Err(NotSealed::Failed) => return Err(Reason::Internal),
        }
        Ok(())
    }

    /// Ends it, and with it all that clients got by it.
    pub(crate) async fn end(id: &str, oauth: &OAuthService) -> Result<(), Reason> {
        let now = oauth.issue_time().await?;
        let session = oauth.0.sessions.as_ref().map_or(now, |sessions| now + sessions.lifetimes.idle);
        oauth.0.store.revoke(id, session.max(oauth.grant_ends(now))).await?;
        tracing::info!(target: "oauth", "a session was ended");
        Ok(())
    }
}

/// An older cookie of the same session can be presented until then, or sooner.
fn ends_at(session: &Session, lifetimes: SessionLifetimes, used_at: Timestamp) -> Timestamp {
    (used_at + lifetimes.idle).min(session.how.at + lifetimes.absolute)
}
