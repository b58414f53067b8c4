//! The cookie of a browser with which a user signed in before: its attempts count separately, so that its user can sign
//! in while others guess at the same name.

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::device::{Device, Devices};
use crate::model::id::random_id;
use crate::model::lifetime::LONGEST;
use crate::model::name::typed_hash;
use crate::model::record::Record;
use crate::seal::NotSealed;
use crate::server::one_time::OneTimeError;
use crate::server::{OAuthService, Server};
use crate::sign_in::cookie::Cookie;
use crate::standing::{Decision, Ended, HandedOut, Refused};
use crate::store::{Key, Kind};

impl Devices {
    /// For what the browser claims to be known.
    fn presented(http: &HttpRequest, server: &Server) -> Devices {
        let opened = |sealed| server.sealer().open::<Devices>(sealed, server.now()).ok();
        Cookie::Device.read(http, server).and_then(opened).map(|opened| opened.value).unwrap_or_default()
    }

    fn of_name(self, hash: &str) -> Option<Device> {
        self.known.into_iter().find(|device| device.name == hash)
    }
}

impl Device {
    /// For what the browser claims to be known by this name. The store knows whether it still is.
    pub(crate) fn presented(http: &HttpRequest, server: &Server, username: &str) -> Option<Device> {
        let devices = Devices::presented(http, server);
        // Most have none, and a hash costs more than this check.
        if devices.known.is_empty() { None } else { devices.of_name(&typed_hash(username)) }
    }

    /// Whether the user has signed in with it, and was not signed out of everything since.
    pub(crate) async fn stands(&self, server: &Server) -> Result<bool, Reason> {
        let handed = HandedOut { sequence: self.as_of.sequence, session: None, grant: None };
        match server.ledger().check(Key::of(Kind::Subject, &self.subject), self.as_of, handed).await {
            Ok(view) => Ok(view.record()?.has_device(&self.id, &self.name, view.now())),
            Err(Refused::Ended(_)) => Ok(false),
            Err(Refused::Store(error)) => Err(error.into()),
        }
    }

    /// Lets the browser be known for this as well.
    pub(crate) fn keep(self, http: &HttpRequest, response: &mut HttpResponse, server: &Server) -> Result<(), Reason> {
        let mut others = Devices::presented(http, server).known;
        others.retain(|other| other.id != self.id && (other.name != self.name || other.subject != self.subject));
        let mut devices = Devices { known: [self].into_iter().chain(others).take(MOST).collect() };
        let now = server.now();
        loop {
            match server.sealer().seal(&devices, now, now + LONGEST) {
                Ok(sealed) if Cookie::Device.set_within_room(response, server, &sealed, Some(LONGEST)) => return Ok(()),
                // Subjects are as long as the author likes. The one used longest ago makes room.
                Ok(_) | Err(NotSealed::TooLarge) if devices.known.len() > 1 => drop(devices.known.pop()),
                Ok(_) | Err(NotSealed::TooLarge) => return Ok(()),
                Err(NotSealed::Failed) => return Err(Reason::Internal),
            }
        }
    }
}

impl OAuthService {
    /// Marks this browser as known for a user, by the name that they will type, as if they had signed in with it
    /// before: from then on their attempts count separately from others' failures. It signs no one in. The cookie is
    /// set in the answer of your handler.
    ///
    /// It is for users who are delayed in a new browser while an attacker guesses at their password (the event
    /// `throttled`, with the reason `name` or `budget`). Mail them a link that only they can open, and let its page
    /// post a form, since a mail scanner may open the link.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use actix_web::{HttpRequest, HttpResponse, web};
    /// use oauth_runtime::{OAuthService, OneTimeError};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Link {
    ///     token: String,
    /// }
    ///
    /// /// For the link in the mail: the user, and the name that they sign in by.
    /// async fn token(oauth: OAuthService, subject: &str, name: &str) -> Result<String, OneTimeError> {
    ///     oauth.one_time("known browser", subject, Duration::from_secs(900)).with(name).seal().await
    /// }
    ///
    /// /// The page behind the link has a button, which posts the token.
    /// #[actix_web::post("/known-browser")]
    /// async fn known(oauth: OAuthService, http: HttpRequest, link: web::Form<Link>) -> Result<HttpResponse, OneTimeError> {
    ///     let redeemed = oauth.redeem_one_time::<String>("known browser", &link.token).await?;
    ///     let mut answer = HttpResponse::Ok().body("Sign in now.");
    ///     oauth.know_browser(&http, &mut answer, &redeemed.subject, &redeemed.payload).await?;
    ///     Ok(answer)
    /// }
    /// ```
    ///
    /// # Errors
    /// The store gave no answer: the browser is not known.
    pub async fn know_browser(
        &self,
        http: &HttpRequest,
        response: &mut HttpResponse,
        subject: &str,
        username: &str,
    ) -> Result<(), OneTimeError> {
        let server = self.server();
        let recognition = Recognition::new(http, server, subject, Some(username), random_id());
        let note = |record: &mut Record, now| recognition.noting(record, now, |_| Ok(Decision::Write(())));
        // Nothing is presented that could be from an earlier memory: the user is named.
        let (((), noted), view) = server.ledger().change(subject, None, note).await?;
        if let Some(device) = recognition.device(noted, subject, view.as_of()) {
            device.keep(http, response, server).map_err(|_| OneTimeError::Failed)?;
        }
        Ok(())
    }
}

/// How a browser becomes or stays known by a sign-in with a typed name.
pub(crate) struct Recognition {
    name: Option<String>,
    /// What the browser claims to be known for by this user, by any name.
    presented: Vec<Device>,
    drawn: String,
}

/// What a record said before the sign-in, and the id by which the browser is known afterwards.
#[derive(Default)]
pub(crate) struct Noted {
    /// Whether this browser was known.
    pub(crate) was_known: bool,
    id: Option<String>,
}

impl Recognition {
    /// `drawn` is the id of a browser that is not known yet.
    pub(crate) fn new(
        http: &HttpRequest,
        server: &Server,
        subject: &str,
        username: Option<&str>,
        drawn: String,
    ) -> Self {
        let name = username.map(typed_hash);
        let mut presented = name.as_ref().map(|_| Devices::presented(http, server).known).unwrap_or_default();
        presented.retain(|device| device.subject == subject);
        Recognition { name, presented, drawn }
    }

    /// Notes the browser in what the sign-in writes.
    pub(crate) fn noting<T>(
        &self,
        record: &mut Record,
        now: Timestamp,
        begin: impl FnOnce(&mut Record) -> Result<Decision<T>, Ended>,
    ) -> Result<Decision<(T, Noted)>, Ended> {
        let Some(name) = &self.name else { return begin(record).map(|begun| begun.with(Noted::default())) };
        // A void one gets another id, so that copies of its cookie stay void.
        let known: Vec<_> = self.presented.iter().filter(|it| record.has_device(&it.id, &it.name, now)).collect();
        let was_known = !known.is_empty();
        let id = known.into_iter().find(|it| it.name == *name).map_or(&self.drawn, |it| &it.id).clone();
        Ok(match begin(record)? {
            Decision::Write(value) => {
                record.note_device(&id, name, now);
                Decision::Write((value, Noted { was_known, id: Some(id) }))
            }
            // A repeat: it is known by what the first one noted, whose answer it may never have received.
            Decision::Keep(value) => {
                let id = Some(id).filter(|id| record.has_device(id, name, now));
                Decision::Keep((value, Noted { was_known, id }))
            }
        })
    }

    /// For what the browser is known from now on.
    pub(crate) fn device(self, noted: Noted, subject: &str, as_of: AsOf) -> Option<Device> {
        Some(Device { id: noted.id?, subject: subject.to_owned(), name: self.name?, as_of })
    }
}

/// For how many users, or names of one, a browser is known.
const MOST: usize = 4;
