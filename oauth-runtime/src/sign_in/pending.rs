//! An authorization request that waits for its user, for those who sign their users in on pages of their own.

use std::fmt;

use actix_web::error::InternalError;
use actix_web::{Error, HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::request::{self, Request};
use crate::event::{EventKind, Fact};
use crate::model::Timestamp;
use crate::model::code::SignInForm;
use crate::model::session::By;
use crate::response::{Doing, WayBack, error_page};
use crate::server::OAuthService;
use crate::sign_in::finish::{finish, signed_in};
use crate::sign_in::request::Authorization;
use crate::sign_in::{form, language, redirect};
use crate::users::{Answer, Outcome, SignIn};

/// An authorization request that was found good and waits for its user: what [`Builder::sign_in_at`] sends to your page
/// as `request`, opened by [`OAuthService::pending`].
///
/// [`Builder::sign_in_at`]: crate::Builder::sign_in_at
///
/// ```
/// use actix_web::{Error, HttpRequest, HttpResponse, web};
/// use oauth_runtime::{OAuthService, SignIn};
/// use serde::Deserialize;
/// use serde_json::json;
///
/// #[derive(Deserialize)]
/// struct Form {
///     request: String,
///     code_from_mail: String,
/// }
///
/// /// Your page posts here what it got as `request`, and whatever it asked the user for.
/// #[actix_web::post("/my/sign-in")]
/// async fn sign_in(oauth: OAuthService, http: HttpRequest, form: web::Form<Form>) -> Result<HttpResponse, Error> {
///     let pending = oauth.pending(&http, &form.request).await?;
///     match form.code_from_mail.as_str() {
///         "314159" => pending.finish(&http, SignIn::done(json!({ "sub": "ada" })).amr("otp")).await,
///         _ => pending.deny(),
///     }
/// }
/// ```
pub struct PendingAuthorization {
    oauth: OAuthService,
    authorization: Authorization,
    /// A sign-out since ends this sign-in too.
    began: Timestamp,
}

impl OAuthService {
    /// Opens what [`Builder::sign_in_at`](crate::Builder::sign_in_at) sent along as `request`. It is valid for an hour, in
    /// the browser that it was made for.
    ///
    /// # Errors
    /// It is too old, was changed, is another browser's, or its client is not registered any more: the error answers with
    /// a page that says so.
    pub async fn pending(&self, http: &HttpRequest, request: &str) -> Result<PendingAuthorization, Error> {
        let server = self.server();
        let authorization = async {
            let form = form::open_sealed::<SignInForm>(server, http, request)?.value;
            Authorization::of(server, form.request).await
        };
        match authorization.await {
            Ok(authorization) => Ok(PendingAuthorization { oauth: self.clone(), authorization, began: server.now() }),
            Err(reason) => Err(page_error(self, http, reason, redirect::way_back_from(server, request).await.as_ref())),
        }
    }
}

impl PendingAuthorization {
    /// Answers it for this user: the browser goes back to the client with a code, or to the consent page where that is
    /// needed. Let it be the answer of your handler; it sets the cookies of the session.
    ///
    /// A client that does not show who it is, such as a command line, always needs consent here: only the built-in
    /// sign-in page is known to have said who asks.
    ///
    /// # Errors
    /// The claims cannot be used, or the store has no answer: the error answers with a page, the log says why.
    pub async fn finish(self, http: &HttpRequest, user: impl Answer) -> Result<HttpResponse, Error> {
        let oauth = self.oauth.clone();
        let back = redirect::way_back(oauth.server(), &self.authorization);
        let request = Request { id: None, address: oauth.server().client_address().of(http) };
        match request::during(request, self.finished(http, user)).await {
            Ok(response) => Ok(response),
            Err(reason) => Err(page_error(&oauth, http, reason, Some(&back))),
        }
    }

    async fn finished(self, http: &HttpRequest, user: impl Answer) -> Result<HttpResponse, Reason> {
        let server = self.oauth.server();
        let SignIn(outcome) = user.into_sign_in().map_err(|why| {
            tracing::error!(target: "oauth", why, "a sign-in of your own gave no answer");
            self.tell_refused("no_answer");
            Reason::SignInFailed
        })?;
        match outcome {
            Outcome::Done(user) => {
                // Here no name was typed: the claims have to say who it is.
                let (person, view) =
                    signed_in(server, http, &self.authorization.client.id, user, None, self.began, None).await?;
                finish(server, http, self.authorization, person, &view, By::Elsewhere).await
            }
            Outcome::Refused(_) => {
                self.tell_refused("denied");
                Ok(redirect::deny(server, &self.authorization))
            }
            Outcome::Ask(_) => {
                tracing::error!(target: "oauth", "a sign-in of your own asks its questions itself");
                Err(Reason::Internal)
            }
        }
    }

    /// Sends the browser back to the client with `access_denied`: the user would not, or could not, sign in.
    ///
    /// # Errors
    /// None today: it answers as [`PendingAuthorization::finish`] does, so that a handler can end with either.
    pub fn deny(self) -> Result<HttpResponse, Error> {
        self.tell_refused("denied");
        Ok(redirect::deny(self.oauth.server(), &self.authorization))
    }

    fn tell_refused(&self, why: &'static str) {
        let refused = Fact::of(EventKind::SignInRefused).client(&self.authorization.client.id);
        self.oauth.server().tell(refused.reason(why));
    }

    /// The client's name as registered.
    #[must_use]
    pub fn client_name(&self) -> &str {
        &self.authorization.client.name
    }

    /// Where the browser goes after the sign-in: the host, or the private scheme.
    #[must_use]
    pub fn returns_to(&self) -> String {
        self.authorization.destination.shown.clone()
    }

    /// What is asked for, in your words.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let server = self.oauth.server();
        server.described(&self.authorization.offered(server), server.texts(self.language()), None)
    }

    /// The name that the client expects its user to have (`login_hint`).
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.authorization.request.requirements.login_hint.as_deref()
    }

    /// How strongly the user should sign in (`acr_values`), in order of preference.
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        &self.authorization.request.requirements.acr
    }

    /// The language for your page, of those that the service has texts for.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.authorization.request.requirements.language.as_deref()
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization").field("client", &self.authorization.client.id).finish_non_exhaustive()
    }
}

fn page_error(oauth: &OAuthService, http: &HttpRequest, reason: Reason, back: Option<&WayBack>) -> Error {
    tracing::info!(target: "oauth", ?reason, "sign-in refused with a page");
    let server = oauth.server();
    let page = error_page(server, language::of(http, server), Doing::SigningIn, &reason, back);
    InternalError::from_response("refused", page).into()
}
