//! The forms of our own pages: how one is sealed, opened and spent.

use std::time::Duration;

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::model::code::{AccountForm, ConsentForm, DeviceForm, FormId, Once, QuestionForm, SignInForm, SignOutForm};
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::seal::{NotOpened, NotSealed, Opened, Sealable};
use crate::server::Server;
use crate::sign_in::browser::Browser;
use crate::sign_in::cross_site;
use crate::standing::{Ended, Refused};
use crate::store::{Key, Kind};

/// The sealed content of the hidden field `request` of our pages.
pub(crate) trait Form: Sealable {
    /// How long a person may look at the page.
    const LIFETIME: Duration;

    /// The form of the sign-in of which it is a step, with which it ends at the latest.
    fn sign_in(&self) -> Option<&FormId> {
        None
    }

    /// The hash of the cookie of the browser that it was made for.
    fn browser(&self) -> &str;
}

/// Every form: how long it is valid, and of which sign-in it is a step.
macro_rules! forms {
    ($($form:ident, $seconds:literal $(, of: $sign_in:ident)?;)+) => {
        $(impl Form for $form {
            const LIFETIME: Duration = Duration::from_secs($seconds);

            $(fn sign_in(&self) -> Option<&FormId> {
                Some(&self.$sign_in)
            })?

            fn browser(&self) -> &str {
                &self.browser
            }
        })+
    };
}

forms! {
    SignInForm, 3600, of: form;
    QuestionForm, 600, of: sign_in;
    ConsentForm, 600;
    SignOutForm, 600;
    AccountForm, 3600;
    DeviceForm, 3600;
}

/// Seals a form for its page.
pub(crate) fn seal<F: Form>(server: &Server, form: &F) -> Result<String, Reason> {
    let now = server.now();
    let ends = now + F::LIFETIME;
    let ends = form.sign_in().map_or(ends, |sign_in| ends.min(sign_in.until()));
    server.sealer().seal(form, now, ends).map_err(|why| {
        let what = F::PURPOSE;
        match why {
            // It contains only the request.
            NotSealed::TooLarge if what == SignInForm::PURPOSE => return Reason::RequestTooLong,
            NotSealed::TooLarge => {
                tracing::error!(target: "oauth", ?what, "a form is too large: remember less with it")
            }
            NotSealed::Failed => tracing::error!(target: "oauth", ?what, "a form could not be sealed"),
        }
        Reason::Internal
    })
}

/// Opens the form that a page of ours posts as `request`, if it was made here, for the browser that sends it.
pub(crate) fn open<F: Form>(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<Opened<F>, Reason> {
    if parameters.are_of_another_site() || !cross_site::is_from_own_page(server, http) {
        return Err(Reason::FormOfAnotherSite);
    }
    let sealed = parameters.get("request", F::MAX_BYTES)?.ok_or(Reason::FormForged)?;
    open_sealed(server, http, sealed)
}

/// The same, if the author's own page has read it.
pub(crate) fn open_sealed<F: Form>(server: &Server, http: &HttpRequest, sealed: &str) -> Result<Opened<F>, Reason> {
    let opened = server.sealer().open::<F>(sealed, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::FormForged,
        NotOpened::Expired => Reason::FormExpired,
    })?;
    Browser::made_for(http, server, opened.value.browser())?;
    Ok(opened)
}

/// The error if the user of a form, or the memory that it was made with, is gone.
pub(crate) fn refused(why: Refused) -> Reason {
    why.into_reason(|ended| match ended {
        Ended::Forgotten => Reason::FormExpired,
        Ended::SignedOut | Ended::Revoked => Reason::FormOfASignedOut,
    })
}

/// Whether a user sent this form, whatever it led to.
pub(crate) async fn was_sent(server: &Server, subject: &str, form: &FormId) -> Result<bool, Reason> {
    Ok(server.ledger().view(Key::of_subject(subject)).await?.record()?.was_sent(&form.id))
}

/// A name for a form that works once.
pub(crate) async fn once(server: &Server) -> Result<Once, Reason> {
    let id = random_id();
    let as_of = server.ledger().view(Key::of(Kind::Form, &id)).await?.as_of();
    Ok(Once { id, as_of })
}

/// Checks that the store has not forgotten a form: its user is not known, so it carries a memory of its own.
pub(crate) async fn check_memory(server: &Server, once: Option<&Once>) -> Result<(), Reason> {
    let Some(once) = once else { return Ok(()) };
    let seen = server.ledger().view(Key::of(Kind::Form, &once.id)).await?.as_of();
    if seen.incarnation == once.as_of.incarnation { Ok(()) } else { Err(Reason::FormExpired) }
}
