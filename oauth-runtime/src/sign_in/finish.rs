//! What follows once the user is known: consent if needed, then the code (RFC 6749 §4.1.2).

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join;
use serde_json::Value;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::Attempt;
use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::claims::{UnusableClaims, UserClaims};
use crate::model::code::{FormId, Once, Promised, Unmet};
use crate::model::id::{digest, random_id};
use crate::model::length::json_bytes;
use crate::model::name::MAX_USERNAME_BYTES;
use crate::model::record::{Record, Sending, Sent};
use crate::model::session::{Authentication, By, HowSignedIn, Person, Session};
use crate::response::{Doing, error_page, room_left, see_other};
use crate::server::Server;
use crate::sign_in::browser::Browser;
use crate::sign_in::device::Recognition;
use crate::sign_in::request::Authorization;
use crate::sign_in::{attempt, consent, form, redirect};
use crate::standing::{Decision, Ended, Refused, View, Whose};
use crate::store::Key;
use crate::users::Authenticated;

/// Answers the authorization request for this person. Whether they have to be asked is decided by this view, so what is
/// made is as old.
pub(crate) async fn finish(
    server: &Server,
    http: &HttpRequest,
    authorization: Authorization,
    SignedIn { person, view, promised }: SignedIn,
    by: By,
) -> Result<HttpResponse, Reason> {
    debug_assert_eq!(person.authentication.as_of, view.as_of(), "or it would outlive what ended since");
    let lasts = match by {
        By::Page | By::Elsewhere => {
            server.sessions().is_some_and(|sessions| sessions.remember.lasts(authorization.request.remember))
        }
        // As it was when the session began, which set it in the request.
        By::Session | By::SessionAlone => authorization.request.remember,
    };
    let language = authorization.request.requirements.language.clone();
    let client = authorization.client.id.clone();
    let authorization = match authorization.known(server, &person.subject).await {
        Ok(authorization) => authorization,
        // They are signed in all the same, and need not type everything again.
        Err(reason) => {
            tracing::info!(target: "oauth", client, ?reason, "authorization request refused");
            let texts = server.texts(language.as_deref());
            let mut page = error_page(server, texts, Doing::SigningIn, &reason, None);
            keep(server, &person, lasts, by, &mut page).await?;
            return Ok(page);
        }
    };
    let mut issued = None;
    let mut response = match (authorization.request.page.clone(), authorization.granted_by(server, &person)) {
        // No client gets anything by this.
        (Some(page), _) => {
            authorization.request.requirements.check(&person.subject, &person.authentication.how())?;
            see_other(page.as_str().to_owned())
        }
        (None, Ok(granted)) if consent::is_needed(server, &authorization, &granted, &view, by)? => {
            // OpenID Connect Core §3.1.2.6
            if by == By::SessionAlone {
                return Err(silently(&authorization));
            }
            let browser = Browser::of(http, server);
            let mut page = consent::consent_page(server, authorization, &granted, person.clone(), promised, &browser)?;
            browser.remember(http, &mut page, server);
            page
        }
        (None, Ok(granted)) => {
            let (response, code) = redirect::approve(server, &authorization, &granted, &person, promised).await?;
            issued = code;
            response
        }
        // The user is signed in all the same; the client gets the error.
        (None, Err(reason)) => match by {
            // The page named the client, and where the browser goes.
            By::Page => redirect::refused(server, &authorization, &reason),
            By::Elsewhere | By::Session | By::SessionAlone if may_learn(&authorization, &view)? => {
                redirect::refused(server, &authorization, &reason)
            }
            By::Elsewhere => {
                let texts = server.texts(language.as_deref());
                error_page(server, texts, Doing::SigningIn, &reason, None)
            }
            By::Session => return Err(reason),
            By::SessionAlone => return Err(silently(&authorization)),
        },
    };
    keep(server, &person, lasts, by, &mut response).await?;
    if room_left(&response) == 0 {
        tracing::error!(target: "oauth", "an answer is longer than proxies accept: {}", UnusableClaims::TooLarge);
        return Err(Reason::ClaimsUnusable);
    }
    if let Some(device) = person.device {
        device.keep(http, &mut response, server)?;
    }
    if let Some(code) = issued {
        code.tell(server);
    }
    Ok(response)
}

/// Gives the browser the session that just began, or prolongs the one that it showed. That one may have ended meanwhile,
/// and one of another user may have begun, whose cookie a late answer must not take.
async fn keep(
    server: &Server,
    person: &Person,
    lasts: bool,
    by: By,
    response: &mut HttpResponse,
) -> Result<(), Reason> {
    let session = Session::begun(person, lasts);
    match by {
        By::Page | By::Elsewhere => session.prolong(response, server),
        By::Session | By::SessionAlone => session.prolong_if_it_stands(response, server).await,
    }
}

/// Whether a client may learn what became of its request before this user has decided anything: an author's own client may, and
/// one that the user has allowed something. Others would find out what strangers may do, or get an open redirect (RFC 9700
/// §4.11.2).
fn may_learn(Authorization { client, .. }: &Authorization, view: &View) -> Result<bool, Reason> {
    Ok(!client.is_third_party || view.record()?.knows_client(&client.id, view.now()))
}

/// The error of a silent request whose user has to be asked (OpenID Connect Core §3.1.2.6).
fn silently(authorization: &Authorization) -> Reason {
    // A `sub` that the client made up reveals no more about who is signed in than any other.
    let names_a_user = !authorization.request.requirements.subjects.is_empty();
    if names_a_user { Reason::LoginRequired } else { Reason::ConsentRequired }
}

/// A user who is signed in, what the store knows about them, and the grant of their code.
pub(crate) struct SignedIn {
    pub(crate) person: Person,
    pub(crate) view: View,
    pub(crate) promised: Promised,
}

/// How a user came to be authenticated.
pub(crate) struct Attempted<'a> {
    /// The name as typed, if any.
    pub(crate) username: Option<&'a str>,
    /// When the sign-in began; a later sign-out ends it.
    pub(crate) began: Timestamp,
    /// When they were authenticated.
    pub(crate) signed_in_at: Timestamp,
    /// The counted attempt, if any.
    pub(crate) attempt: Option<Attempt>,
    /// The form that it began with.
    pub(crate) form: FormId,
    /// The state of the store's memory when the form of a question was made.
    pub(crate) once: Option<&'a Once>,
}

/// A user who just signed in, with a session of their own if there are sessions.
pub(crate) async fn signed_in(
    server: &Server,
    http: &HttpRequest,
    authorization: &Authorization,
    Authenticated { claims, amr, acr, shown_as }: Authenticated<Value>,
    Attempted { username, began, signed_in_at, attempt, form, once }: Attempted<'_>,
) -> Result<SignedIn, Reason> {
    let client = authorization.client.id.as_str();
    let user = match usable(server, client, claims, how_long(&amr, acr.as_deref()), shown_as.as_deref()).await {
        Ok(user) => user,
        Err(reason) => {
            // This was not a failed guess.
            attempt::forgive(server, attempt).await?;
            return Err(reason);
        }
    };
    // By the same steps as a wrong one, and before anything else, so that timing does not reveal which is right.
    let settling = attempt::settled(server, client, attempt, &user.subject);
    let (held_up, is_known) = join(settling, form::check_memory(server, once)).await;
    if let Some(wait) = held_up? {
        return Err(Reason::TooManyTries(wait));
    }
    is_known?;
    // Before there is a session: nothing begins for a user that the client did not ask for.
    meets(server, authorization, &user.subject, signed_in_at, acr.as_deref())
        .map_err(|why| unmet(server, client, why))?;
    // The same user again: a sign-out will end their earlier sign-in as well. Nothing is kept of another user's.
    let before = Session::of_user(http, server, &user.subject);
    let (drawn, grant) = (random_id(), random_id());
    let memory = memory_before(server, &user.subject, signed_in_at < began).await?;
    let beginning = Beginning {
        server,
        began: began.min(signed_in_at),
        born: memory.as_ref().map(View::born),
        signed_in_at,
        before: before.as_ref(),
        drawn: &drawn,
        form: &form,
        grant: &grant,
        client,
    };
    // Named by the form, so that a repeat finds it.
    let device = digest("device", &format!("{}\0{}", form.id, user.subject));
    let recognition = Recognition::new(http, server, &user.subject, username, device);
    let change = |record: &mut Record, now| recognition.noting(record, now, |record| beginning.of(record, now));
    let as_of = memory.as_ref().map(View::as_of);
    // It may have been sent, and its user signed out, in a memory that was lost since.
    let whose = Whose::from(&*user.subject).made_at(form.made);
    let changed = server.ledger().change(whose, as_of, change).await;
    let (((sent, begun), noted), view) = changed.map_err(|why| not_begun(server, client, as_of, why))?;
    let is_first = sent == Sent::First;
    let (session, promised) = match sent {
        Sent::First => (begun, Promised { grant, at: server.now() }),
        Sent::Again { grant, session, age } => (session, Promised { grant, at: server.now().before(age) }),
        Sent::TakenBack | Sent::Spent => return Err(Reason::FormSpent),
        Sent::Expired => return Err(Reason::FormExpired),
    };
    // The browser is this user's now: the previous user is signed out of it.
    Session::end_all(&Session::of_others(http, server, &user.subject), "replaced", server).await?;
    if is_first {
        let told = |kind| Fact::of(kind).subject(&user.subject).client(client).session(session.as_deref());
        server.tell(told(EventKind::SignedIn));
        let is_new = session.is_some() && before.is_none() && !noted.was_known;
        is_new.then(|| server.tell(told(EventKind::NewDevice)));
    }
    // What an earlier sign-in of this session gave may live longer than what this one gives.
    let earlier = before.filter(|it| it.authentication.session == session).and_then(|it| it.authentication.until);
    let until = earlier.max(Some(server.sign_in_ends(signed_in_at)));
    let authentication = Authentication { at: signed_in_at, amr, acr, until, session, as_of: view.as_of() };
    let person = Person {
        account: shown_as.unwrap_or_else(|| username.unwrap_or(&user.subject).to_owned()),
        device: recognition.device(noted, &user.subject, view.as_of()),
        subject: user.subject,
        claims: user.custom,
        authentication,
    };
    Ok(SignedIn { person, view, promised })
}

/// Takes back the results of a form, when its user returned to its page and left. The session that it gave says who that
/// is, however long it was idle.
pub(crate) async fn cancel(server: &Server, http: &HttpRequest, form: &FormId, client: &str) -> Result<(), Reason> {
    let take_back = |record: &mut Record, now| {
        let is_news = record.take_back(&form.id, now);
        Ok(if is_news { Decision::Write(true) } else { Decision::Keep(false) })
    };
    let sessions = Session::all_presented(http, server).into_iter();
    let subjects: BTreeSet<String> = sessions.map(|session| session.subject).collect();
    for subject in subjects {
        let changed = server.ledger().change(&*subject, None, take_back).await;
        let (is_news, _) = changed.map_err(form::refused)?;
        if is_news {
            server.tell(Fact::of(EventKind::Revoked).subject(&subject).client(client).reason("cancelled"));
        }
    }
    Ok(())
}

/// How a sign-in changes the record of its user.
struct Beginning<'a> {
    server: &'a Server,
    /// The earlier of when the user was authenticated and when this began.
    began: Timestamp,
    /// When the store's memory of them began, if they may have been authenticated before that.
    born: Option<Timestamp>,
    signed_in_at: Timestamp,
    /// The browser's session of the same user, however long it was idle.
    before: Option<&'a Session>,
    /// The names of a new session and of the grant.
    drawn: &'a str,
    grant: &'a str,
    form: &'a FormId,
    client: &'a str,
}

impl Beginning<'_> {
    /// The outcome of sending the form, and the session that it begins or continues.
    fn of(&self, record: &mut Record, now: Timestamp) -> Result<Decision<(Sent, Option<String>)>, Ended> {
        // A user who was signed out since they began has to begin again.
        record.judge_sign_in(self.began, self.born, self.server.ledger().slack(), now)?;
        let same = self.before.filter(|it| it.lives(record, now) && record.judge(&it.handed_out(), now).is_ok());
        let id = same.and_then(|it| it.authentication.session.as_deref()).unwrap_or(self.drawn);
        let session = self.server.sessions().map(|_| id);
        let Beginning { form, grant, client, .. } = *self;
        let FormId { id, made } = form;
        let sending = Sending { id, made: *made, until: form.until(), grant, client, session, is_allowed: true };
        let sent = record.send(&sending, self.server.code_lifetime(), now);
        if sent != Sent::First {
            return Ok(Decision::Keep((sent, None)));
        }
        if let (Some(sessions), Some(session)) = (self.server.sessions(), session) {
            let at = self.signed_in_at;
            record.begin_session(session, at + sessions.lifetimes.absolute, self.server.sign_in_ends(at), now);
        }
        Ok(Decision::Write((sent, session.map(str::to_owned))))
    }
}

/// What the store remembers of a user who was authenticated before their sign-in began: perhaps before that memory did.
async fn memory_before(server: &Server, subject: &str, is_older: bool) -> Result<Option<View>, Reason> {
    if !is_older {
        return Ok(None);
    }
    Ok(Some(server.ledger().view(Key::of_subject(subject)).await?))
}

/// Why a sign-in did not begin anything.
fn not_begun(server: &Server, client: &str, memory: Option<AsOf>, why: Refused) -> Reason {
    match why {
        // It is not known whether they were signed out since: they have to be authenticated again.
        Refused::Ended(Ended::Forgotten) if memory.is_some() => unmet(server, client, Unmet::Time),
        Refused::Ended(Ended::Forgotten) => form::refused(why),
        Refused::Ended(Ended::SignedOut | Ended::Revoked) => {
            server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("signed_out"));
            form::refused(why)
        }
        Refused::Store(_) => form::refused(why),
    }
}

/// Tells that a user is not as the client asked.
fn unmet(server: &Server, client: &str, why: Unmet) -> Reason {
    server.tell(Fact::of(EventKind::SignInRefused).client(client).reason(why.as_str()));
    why.into()
}

/// Whether a user is the one that the client asked for, authenticated as it asked.
fn meets(
    server: &Server,
    authorization: &Authorization,
    subject: &str,
    at: Timestamp,
    acr: Option<&str>,
) -> Result<(), Unmet> {
    // Its session would be over already.
    if server.sessions().is_some_and(|sessions| at + sessions.lifetimes.absolute <= server.now()) {
        return Err(Unmet::Time);
    }
    authorization.request.requirements.check(subject, &HowSignedIn { at, acr })
}

/// Checks that claims can be a user's.
async fn usable(
    server: &Server,
    client: &str,
    claims: Value,
    how_bytes: usize,
    shown_as: Option<&str>,
) -> Result<UserClaims, Reason> {
    let unusable = |why: UnusableClaims| {
        tracing::error!(target: "oauth", "the claims of the user who signed in cannot be used: {why}");
        server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("claims"));
        Reason::ClaimsUnusable
    };
    if how_bytes > MAX_HOW_BYTES {
        return Err(unusable(UnusableClaims::HowTooLong));
    }
    if shown_as
        .is_some_and(|name| !(1..=MAX_USERNAME_BYTES).contains(&name.len()) || name.chars().any(char::is_control))
    {
        return Err(unusable(UnusableClaims::ShownAs));
    }
    let user = UserClaims::parse(claims).map_err(unusable)?;
    // RFC 9700 §4.15.1: a user's token must not look like a client's
    if server.clients().has_named(&user.subject).await? {
        return Err(unusable(UnusableClaims::SubjectIsClient));
    }
    server.note_given(&user.subject, &user.custom);
    Ok(user)
}

/// The length, as JSON, of the methods and the strength of an authentication.
fn how_long(amr: &[String], acr: Option<&str>) -> usize {
    json_bytes(&(amr, acr)).unwrap_or(usize::MAX)
}

/// It has to fit into the cookie of a session.
const MAX_HOW_BYTES: usize = 512;
