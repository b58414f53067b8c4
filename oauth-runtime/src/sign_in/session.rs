//! The session of a browser: which user signed in with it, without asking again (OpenID Connect Core §3.1.2.3).

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::Timestamp;
use crate::model::lifetime::Lifetimes;
use crate::model::record::Record;
use crate::model::session::{Person, Session};
use crate::server::{Server, Sessions};
use crate::sign_in::cookie::Cookie;
use crate::standing::{Decision, Ended, HandedOut, Refused, View};
use crate::store::{Key, Kind};

impl Session {
    /// The session of the browser that sent the request, if it has one that stands, and the record of its user.
    pub(crate) async fn of(request: &HttpRequest, server: &Server) -> Result<Option<(Session, View)>, Reason> {
        let Some(session) = Session::presented(request, server) else { return Ok(None) };
        session.standing(server).await
    }

    /// Every session of the browser that stands. There is only one unless other pages plant cookies.
    pub(crate) async fn all_of(request: &HttpRequest, server: &Server) -> Result<Vec<Session>, Reason> {
        let mut sessions: Vec<Session> = Vec::new();
        for session in Session::all_presented(request, server) {
            let id = &session.authentication.session;
            if sessions.iter().all(|known| known.authentication.session != *id)
                && let Some((session, _)) = session.standing(server).await?
            {
                sessions.push(session);
            }
        }
        Ok(sessions)
    }

    /// The session, if it stands, and the record of its user.
    async fn standing(self, server: &Server) -> Result<Option<(Session, View)>, Reason> {
        let session = self;
        let (key, as_of) = (session.key(), session.authentication.as_of);
        let checked = server.ledger().check(key, as_of, session.handed_out()).await;
        session.lives_in(checked)
    }

    fn lives_in(self, checked: Result<View, Refused>) -> Result<Option<(Session, View)>, Reason> {
        let session = self;
        match checked {
            Ok(view) => Ok(session.lives(view.record()?, view.now()).then_some((session, view))),
            Err(Refused::Ended(Ended::Forgotten | Ended::SignedOut | Ended::Revoked)) => Ok(None),
            Err(Refused::Store(error)) => Err(error.into()),
        }
    }

    /// The session of a page, checked as guards check tokens.
    pub(crate) async fn at_guard(self, server: &Server) -> Result<Option<(Session, View)>, Reason> {
        let (ledger, key, as_of) = (server.ledger(), self.key(), self.authentication.as_of);
        let checked = match ledger.check_now(key, as_of, self.handed_out()) {
            Some(checked) => checked,
            None => ledger.check_at_guard(key, as_of, self.handed_out()).await,
        };
        self.lives_in(checked)
    }

    /// What its cookie says, if that is valid: only the store knows whether the session still lives.
    pub(crate) fn presented(request: &HttpRequest, server: &Server) -> Option<Session> {
        Session::presented_since(request, server).map(|(session, _)| session)
    }

    /// The same, and when the cookie was made.
    pub(crate) fn presented_since(request: &HttpRequest, server: &Server) -> Option<(Session, Timestamp)> {
        Session::opened(Cookie::Session.read(request, server)?, server)
    }

    /// Whether the browser shows this session, by a valid cookie: at any age, to take back what it gave.
    pub(crate) fn is_presented(request: &HttpRequest, server: &Server, id: &str, at_any_age: bool) -> bool {
        if at_any_age {
            return Session::all_presented(request, server).iter().any(|session| session.has_id(id));
        }
        let opened = Cookie::Session.all(request, server).into_iter().filter_map(|it| Session::opened(it, server));
        opened.map(|(session, _)| session).any(|session| session.has_id(id))
    }

    fn has_id(&self, id: &str) -> bool {
        self.authentication.session.as_deref() == Some(id)
    }

    /// The session of this user in the browser, however long it was idle.
    pub(crate) fn of_user(request: &HttpRequest, server: &Server, subject: &str) -> Option<Session> {
        Session::all_presented(request, server).into_iter().find(|session| session.subject == subject)
    }

    /// Every session of another user in the browser, which is this user's now.
    pub(crate) fn of_others(request: &HttpRequest, server: &Server, subject: &str) -> Vec<Session> {
        let all = Session::all_presented(request, server).into_iter();
        all.filter(|session| session.subject != subject).collect()
    }

    /// Ends sessions, each with all that clients got by it. Events say why.
    pub(crate) async fn end_all(sessions: &[Session], why: &'static str, server: &Server) -> Result<(), Reason> {
        for session in sessions {
            if let Some(id) = &session.authentication.session {
                Session::end(&session.subject, id, why, server).await?;
            }
        }
        Ok(())
    }

    /// Every session in a cookie, however long it was idle: what clients got by it may live on, and ends with it.
    pub(crate) fn all_presented(request: &HttpRequest, server: &Server) -> Vec<Session> {
        let opened = |sealed| server.sealer().open_at_any_age::<Session>(sealed).ok();
        Cookie::Session.all(request, server).into_iter().filter_map(opened).collect()
    }

    fn opened(sealed: &str, server: &Server) -> Option<(Session, Timestamp)> {
        let sessions = server.sessions()?;
        let opened = server.sealer().open::<Session>(sealed, server.now()).ok()?;
        let session = opened.value;
        // Lifetimes that were shortened since apply to earlier sessions.
        let is_over = ends_at(&session, sessions.lifetimes, opened.issued_at) <= server.now();
        // So does a setting by which none outlives the browser.
        let counts = !is_over && sessions.remember.takes(session.lasts);
        counts.then_some((session, opened.issued_at))
    }

    /// Whether the store lists it: a session that is not listed has ended.
    pub(crate) fn lives(&self, record: &Record, now: Timestamp) -> bool {
        self.authentication.session.as_ref().is_some_and(|id| record.has_session(id, now))
    }

    pub(crate) fn handed_out(&self) -> HandedOut<'_> {
        HandedOut {
            sequence: self.authentication.as_of.sequence,
            session: self.authentication.session.as_deref(),
            grant: None,
        }
    }

    pub(crate) fn key(&self) -> Key {
        Key::of(Kind::Subject, &self.subject)
    }

    /// The session of this person. `lasts` says whether it outlives the browser.
    pub(crate) fn begun(person: &Person, lasts: bool) -> Session {
        Session {
            subject: person.subject.clone(),
            account: person.account.clone(),
            authentication: person.authentication.clone(),
            lasts,
        }
    }

    /// How many bytes of headers its cookie takes, if there are sessions.
    pub(crate) fn room_for(person: &Person, lasts: bool, server: &Server) -> Result<usize, Reason> {
        let Some(sessions) = server.sessions() else { return Ok(0) };
        let (session, now) = (Session::begun(person, lasts), server.now());
        let ends = ends_at(&session, sessions.lifetimes, now);
        let bytes = server.sealer().sealed_bytes(&session, now, ends).map_err(|_| Reason::Internal)?;
        Ok(Cookie::Session.room_for(server, bytes, session.kept(sessions, now)))
    }

    /// A session that was idle too long, or is over, is still shown at a sign-out, and ends with all that it gave.
    fn kept(&self, sessions: &Sessions, now: Timestamp) -> Option<Duration> {
        let over = || over_at(self, sessions.lifetimes);
        self.lasts.then(|| self.authentication.until.unwrap_or_else(over).since(now))
    }

    /// Prolongs this session in the browser, unless it has ended by now.
    pub(crate) async fn prolong_if_it_stands<B>(
        &self,
        response: &mut HttpResponse<B>,
        server: &Server,
    ) -> Result<(), Reason> {
        match self.clone().at_guard(server).await {
            Ok(Some(_)) => self.prolong(response, server),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Gives this session to the browser, or prolongs it there.
    pub(crate) fn prolong<B>(&self, response: &mut HttpResponse<B>, server: &Server) -> Result<(), Reason> {
        let Some(sessions) = server.sessions() else { return Ok(()) };
        let now = server.now();
        let ends = ends_at(self, sessions.lifetimes, now);
        // Everything in it was bounded before: the name as typed, the subject, `amr` and `acr`.
        let sealed = server.sealer().seal(self, now, ends).map_err(|_| Reason::Internal)?;
        Cookie::Session.set(response, server, &sealed, self.kept(sessions, now));
        Ok(())
    }

    /// Ends a session of this subject, and with it all that clients got by it. Events say why.
    pub(crate) async fn end(subject: &str, id: &str, why: &'static str, server: &Server) -> Result<(), Reason> {
        let end = |record: &mut Record, now| {
            record.end_session(id, now);
            Ok(Decision::Write(()))
        };
        // Nothing is presented that could be from an earlier memory: the session is named.
        server.ledger().change(subject, None, end).await.map_err(|why| why.into_reason(|_| Reason::Internal))?;
        server.tell(Fact::of(EventKind::SignedOut).subject(subject).session(Some(id)).reason(why));
        Ok(())
    }

    /// Ends what a client got by a session that this browser does not show: the client may end no more than that.
    pub(crate) async fn end_for_client(
        subject: &str,
        id: Option<&str>,
        client: &str,
        server: &Server,
    ) -> Result<(), Reason> {
        let end = |record: &mut Record, now| {
            record.sign_out_of_client(client, id, now);
            Ok(Decision::Write(()))
        };
        server.ledger().change(subject, None, end).await.map_err(|why| why.into_reason(|_| Reason::Internal))?;
        server.tell(Fact::of(EventKind::Revoked).subject(subject).client(client).session(id).reason("hint"));
        Ok(())
    }
}

/// No older cookie of the same session is valid beyond this time.
fn ends_at(session: &Session, lifetimes: Lifetimes, used_at: Timestamp) -> Timestamp {
    (used_at + lifetimes.idle).min(over_at(session, lifetimes))
}

/// The end, however often it is used.
fn over_at(session: &Session, lifetimes: Lifetimes) -> Timestamp {
    let absolute = session.authentication.at + lifetimes.absolute;
    session.authentication.until.map_or(absolute, |until| absolute.min(until))
}
