//! Tokens for the author's own mails: sealed, for one purpose, and valid once.

use std::fmt;
use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::Timestamp;
use crate::model::id::random_id;
use crate::model::one_time::OneTimeToken;
use crate::model::record::{Full, HandedOut, Record, Spending};
use crate::seal::{NotOpened, NotSealed, Opened};
use crate::server::OAuthService;
use crate::standing::{Decision, Ended, Refused};
use crate::store::{Key, Kind, StoreError};

/// A token to be made: see [`OAuthService::one_time`].
#[must_use = "it is made by `seal`"]
pub struct OneTime<'a> {
    oauth: &'a OAuthService,
    purpose: &'a str,
    subject: &'a str,
    lifetime: Duration,
    payload: Result<Value, serde_json::Error>,
}

/// The content of a token that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enclosed<T> {
    /// The subject that it was made for.
    pub subject: String,
    /// The payload that it was made with.
    pub payload: T,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl OAuthService {
    /// The issuer, as it is configured: begin links in mails with it, since no header of a request can change it.
    ///
    /// ```
    /// # use oauth_runtime::OAuthService;
    /// fn link(oauth: &OAuthService, token: &str) -> String {
    ///     format!("{}/password?token={token}", oauth.issuer())
    /// }
    /// ```
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.server().issuer().as_str()
    }

    /// Makes a token for a link in a mail of your own: to verify an address, to set a new password. It is sealed, so
    /// nothing is stored until it is used, and it is valid only for this purpose, a word of your choice.
    ///
    /// `subject` is the user's `sub`, or any name for someone without an account: a
    /// [`sign_out`](OAuthService::sign_out) of the subject ends the token. The lifetime is 1 second to a day.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # let oauth = OAuthService::builder().issuer("http://127.0.0.1:8000").client(Client::public("demo")
    /// #     .redirect_uri("http://127.0.0.1/")).authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    /// #     .build()?;
    /// let hour = Duration::from_secs(3600);
    /// let token = oauth.one_time("new address", "alice", hour).with("alice@new.example").seal().await?;
    ///
    /// // Opening the link spends nothing, since a mail scanner may do it.
    /// let opened = oauth.open_one_time::<String>("new address", &token).await?;
    /// assert_eq!((opened.subject.as_str(), opened.payload.as_str()), ("alice", "alice@new.example"));
    ///
    /// // The page behind it has a button, which posts a form.
    /// oauth.redeem_one_time::<String>("new address", &token).await?;
    /// assert!(oauth.redeem_one_time::<String>("new address", &token).await.is_err(), "once");
    /// assert!(oauth.open_one_time::<String>("new password", &token).await.is_err(), "for nothing else");
    /// # Ok(()) }
    /// ```
    pub fn one_time<'a>(&'a self, purpose: &'a str, subject: &'a str, lifetime: Duration) -> OneTime<'a> {
        OneTime { oauth: self, purpose, subject, lifetime, payload: Ok(Value::Null) }
    }

    /// The content of a token for this purpose. This spends nothing: it is for the page behind the link, since mail
    /// scanners follow links. Change nothing because of it; that is for [`OAuthService::redeem_one_time`].
    ///
    /// # Errors
    /// See [`OneTimeError`].
    pub async fn open_one_time<T: DeserializeOwned>(
        &self,
        purpose: &str,
        token: &str,
    ) -> Result<Enclosed<T>, OneTimeError> {
        let opened = self.opened(purpose, token)?;
        let OneTimeToken { id, subject, as_of, .. } = &opened.value;
        let view =
            self.server().ledger().check(Key::of(Kind::Subject, subject), *as_of, handed_out(&opened.value)).await?;
        if view.record()?.is_spent(id) {
            return Err(OneTimeError::Used);
        }
        enclosed(&opened)
    }

    /// Redeems a token for this purpose: the first caller gets its content, and every other one [`OneTimeError::Used`].
    /// Call it when a form is posted.
    ///
    /// # Errors
    /// See [`OneTimeError`].
    pub async fn redeem_one_time<T: DeserializeOwned>(
        &self,
        purpose: &str,
        token: &str,
    ) -> Result<Enclosed<T>, OneTimeError> {
        let opened = self.opened(purpose, token)?;
        // Before it is spent: a wrong type is a mistake in the code, not of the user.
        let enclosed = enclosed(&opened)?;
        let (token, expires_at) = (&opened.value, opened.expires_at);
        let spend = |record: &mut Record, now: Timestamp| {
            record.judge(&handed_out(token), now)?;
            let spent = record.spend(&token.id, expires_at, now);
            Ok(if spent == Ok(Spending::First) { Decision::Write(spent) } else { Decision::Keep(spent) })
        };
        let (spent, _) = self.server().ledger().change(&*token.subject, Some(token.as_of), spend).await?;
        match spent {
            Ok(Spending::First) => Ok(enclosed),
            Ok(Spending::Already) => Err(OneTimeError::Used),
            Ok(Spending::Expired) => Err(OneTimeError::Expired),
            Err(Full) => Err(OneTimeError::Store(StoreError::Full)),
        }
    }

    fn opened(&self, purpose: &str, token: &str) -> Result<Opened<OneTimeToken>, OneTimeError> {
        let server = self.server();
        let opened = server.sealer().open::<OneTimeToken>(token, server.now()).map_err(|why| match why {
            NotOpened::Forged => OneTimeError::Forged,
            NotOpened::Expired => OneTimeError::Expired,
        })?;
        if opened.value.purpose == purpose { Ok(opened) } else { Err(OneTimeError::Forged) }
    }
}

fn handed_out(token: &OneTimeToken) -> HandedOut<'_> {
    HandedOut { sequence: token.as_of.sequence, session: None, grant: None }
}

fn enclosed<T: DeserializeOwned>(opened: &Opened<OneTimeToken>) -> Result<Enclosed<T>, OneTimeError> {
    let OneTimeToken { subject, payload, .. } = &opened.value;
    let payload = T::deserialize(payload).map_err(OneTimeError::Payload)?;
    Ok(Enclosed { subject: subject.clone(), payload, expires_at: opened.expires_at })
}

impl OneTime<'_> {
    /// Something that comes back with it, such as the new address. Up to 2 KiB of JSON.
    pub fn with(mut self, payload: impl Serialize) -> Self {
        self.payload = serde_json::to_value(payload);
        self
    }

    /// Makes the token: letters, digits, `-` and `_`, to be put into a link.
    ///
    /// # Errors
    /// The store gave no answer, or the lifetime, the purpose or the payload is invalid.
    pub async fn seal(self) -> Result<String, OneTimeError> {
        let OneTime { oauth, purpose, subject, lifetime, payload } = self;
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST {
            return Err(OneTimeError::Lifetime);
        }
        if !(1..=64).contains(&purpose.len()) || !(1..=256).contains(&subject.len()) {
            return Err(OneTimeError::Names);
        }
        let server = oauth.server();
        let token = OneTimeToken {
            id: random_id(),
            purpose: purpose.to_owned(),
            subject: subject.to_owned(),
            as_of: server.ledger().view(Key::of(Kind::Subject, subject)).await?.as_of(),
            payload: payload.map_err(OneTimeError::Payload)?,
        };
        let now = server.now();
        server.sealer().seal(&token, now, now + lifetime).map_err(|why| match why {
            NotSealed::TooLarge => OneTimeError::TooLarge,
            NotSealed::Failed => OneTimeError::Failed,
        })
    }
}

impl fmt::Debug for OneTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTime")
            .field("purpose", &self.purpose)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Why a token for a mail was not made, opened or redeemed. Returned from a handler, it becomes its text, with status
/// 400 for an invalid token, 503 if the store gave no answer, and 500 for a mistake in the code that made it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OneTimeError {
    /// It was not made here, not for this purpose, or was changed.
    #[error("this link was not made here, or is incomplete")]
    Forged,
    /// It is too old, or from a memory that is gone.
    #[error("this link is too old: ask for another")]
    Expired,
    /// It was redeemed before.
    #[error("this link was used before")]
    Used,
    /// Its subject has been signed out everywhere.
    #[error("this link has ended: ask for another")]
    SignedOut,
    /// The lifetime is not 1 second to a day.
    #[error("a one-time token lives for 1 second to a day")]
    Lifetime,
    /// The purpose is not 1 to 64 bytes long, or the subject not 1 to 256.
    #[error("a one-time token needs a purpose of 1 to 64 bytes and a subject of 1 to 256")]
    Names,
    /// Its payload does not fit into a link.
    #[error("a one-time token carries up to 2 KiB: put an id into it, and keep the rest in your database")]
    TooLarge,
    /// Its payload cannot be written as JSON, or is not of the requested type.
    #[error("the payload of a one-time token is not of this type")]
    Payload(#[source] serde_json::Error),
    /// The random generator failed.
    #[error("a one-time token could not be sealed")]
    Failed,
    /// The store gave no answer: it is not known whether it was redeemed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::model::debug_as_text!(OneTimeError);

impl From<Refused> for OneTimeError {
    fn from(why: Refused) -> Self {
        match why {
            Refused::Ended(Ended::Forgotten) => OneTimeError::Expired,
            Refused::Ended(Ended::SignedOut | Ended::Revoked) => OneTimeError::SignedOut,
            Refused::Store(error) => OneTimeError::Store(error),
        }
    }
}

impl ResponseError for OneTimeError {
    fn status_code(&self) -> StatusCode {
        match self {
            OneTimeError::Forged | OneTimeError::Expired | OneTimeError::Used | OneTimeError::SignedOut => {
                StatusCode::BAD_REQUEST
            }
            OneTimeError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            OneTimeError::Lifetime
            | OneTimeError::Names
            | OneTimeError::TooLarge
            | OneTimeError::Payload(_)
            | OneTimeError::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            OneTimeError::Store(why) => why.error_response(),
            other => HttpResponse::build(other.status_code())
                .content_type(ContentType::plaintext())
                // The link is in the URL: what it led to once is not what it leads to now.
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .body(other.to_string()),
        }
    }
}

/// A user who does not follow a link for a day asks for another.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
