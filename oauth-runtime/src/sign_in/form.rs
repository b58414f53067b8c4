//! The forms of our own pages: how one is sealed, opened and spent.

use std::time::Duration;

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::code::{ConsentForm, QuestionForm, SignInForm, SignOutForm};
use crate::model::form::Parameters;
use crate::model::lifetime::SLOWEST_ANSWER;
use crate::seal::{NotOpened, NotSealed, Opened, Sealable};
use crate::server::Server;
use crate::sign_in::browser::Browser;
use crate::standing::{self, Ended, HandedOut};
use crate::store::Spend;

/// What the hidden field `request` of one of our pages carries, sealed.
pub(crate) trait Form: Sealable {
    /// How long a person may look at the page.
    const LIFETIME: Duration;
    /// Whether it works once.
    const IS_SPENT: bool;

    /// The hash of the cookie of the browser that it was made for.
    fn browser(&self) -> &str;
}

/// Every form: how long it is valid, and whether it is spent.
macro_rules! forms {
    ($($form:ident, $seconds:literal, $is_spent:literal;)+) => {
        $(impl Form for $form {
            const LIFETIME: Duration = Duration::from_secs($seconds);
            const IS_SPENT: bool = $is_spent;

            fn browser(&self) -> &str {
                &self.browser
            }
        })+
    };
}

forms! {
    SignInForm, 3600, false;
    QuestionForm, 600, true;
    ConsentForm, 600, true;
    SignOutForm, 600, false;
}

/// Seals a form for its page.
pub(crate) async fn seal<F: Form>(server: &Server, form: &F) -> Result<String, Reason> {
    // What is spent has to be younger than the memory that it is spent in.
    let now = if F::IS_SPENT { server.issue_time().await? } else { server.now() };
    server.sealer().seal(form, now, now + F::LIFETIME).map_err(|why| {
        let what = F::PURPOSE;
        match why {
            NotSealed::TooLarge => {
                tracing::error!(target: "oauth", ?what, "a form is too large: remember less with it")
            }
            NotSealed::Failed => tracing::error!(target: "oauth", ?what, "a form could not be sealed"),
        }
        Reason::Internal
    })
}

/// Opens the form that a page posts as `request`, if it was made here, for the browser that sends it.
pub(crate) fn open<F: Form>(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<Opened<F>, Reason> {
    let sealed = parameters.get("request", F::MAX_BYTES)?.ok_or(Reason::FormForged)?;
    open_sealed(server, http, sealed)
}

/// The same, where the author's own page has read it.
pub(crate) fn open_sealed<F: Form>(server: &Server, http: &HttpRequest, sealed: &str) -> Result<Opened<F>, Reason> {
    let opened = server.sealer().open::<F>(sealed, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::FormForged,
        NotOpened::Expired => Reason::FormExpired,
    })?;
    Browser::made_for(http, server, opened.value.browser())?;
    Ok(opened)
}

/// That what a form is about still stands: the store remembers its time, and its user was not signed out since.
pub(crate) async fn check_standing(server: &Server, handed: HandedOut<'_>) -> Result<(), Reason> {
    standing::check(server.store(), handed).await?.map_err(|ended| match ended {
        Ended::Forgotten => Reason::FormExpired,
        Ended::SignedOut | Ended::Revoked => Reason::FormOfASignedOut,
    })
}

/// Spends a form: the page with it is in the browser's history, and it works once.
pub(crate) async fn spend(server: &Server, id: &str, expires_at: Timestamp) -> Result<(), Reason> {
    match server.store().spend(id, "", expires_at + SLOWEST_ANSWER).await? {
        Spend::First => Ok(()),
        Spend::Already(_) => Err(Reason::FormSpent),
    }
}
