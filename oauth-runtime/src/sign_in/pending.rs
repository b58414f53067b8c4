//! An authorization request that waits for its user, for those who sign their users in on pages of their own.

use std::fmt;

use actix_web::error::InternalError;
use actix_web::{Error, HttpRequest, HttpResponse};

use crate::answer::error_page;
use crate::endpoints::login;
use crate::error::Reason;
use crate::model::code::SignInForm;
use crate::server::OAuthService;
use crate::sign_in::finish::{By, finish, refuse, signed_in};
use crate::sign_in::language;
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
///     let pending = oauth.pending(&http, &form.request)?;
///     match form.code_from_mail.as_str() {
///         "314159" => pending.finish(&http, SignIn::done(json!({ "sub": "ada" })).amr("otp")).await,
///         _ => pending.deny(),
///     }
/// }
/// ```
pub struct PendingAuthorization {
    oauth: OAuthService,
    form: SignInForm,
}

impl OAuthService {
    /// Opens what [`Builder::sign_in_at`](crate::Builder::sign_in_at) sent along as `request`. It is good for an hour, in
    /// the browser that it was made for.
    ///
    /// # Errors
    /// It is too old, was changed, or is another browser's: the error answers with a page that says so.
    pub fn pending(&self, http: &HttpRequest, request: &str) -> Result<PendingAuthorization, Error> {
        match login::opened_form(self, http, request) {
            Ok(form) => Ok(PendingAuthorization { oauth: self.clone(), form }),
            Err(reason) => Err(page(self, http, reason)),
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
        match self.answered(http, user).await {
            Ok(response) => Ok(response),
            Err(reason) => Err(page(&oauth, http, reason)),
        }
    }

    async fn answered(self, http: &HttpRequest, user: impl Answer) -> Result<HttpResponse, Reason> {
        let SignIn(outcome) = user.into_sign_in().map_err(|why| {
            tracing::error!(target: "oauth", why, "a sign-in of your own gave no answer");
            Reason::SignInFailed
        })?;
        match outcome {
            Outcome::Done { claims, amr, acr } => {
                // Here no name was typed: the claims have to say who it is.
                let person =
                    signed_in(&self.oauth, http, (claims, amr, acr), None, self.oauth.issue_time().await?).await?;
                finish(&self.oauth, http, self.form.request, person, By::Elsewhere).await
            }
            Outcome::Refused => self.denied(),
            Outcome::Ask(_) => {
                tracing::error!(target: "oauth", "a sign-in of your own asks its questions itself");
                Err(Reason::Internal)
            }
        }
    }

    /// Sends the browser back to the client with `access_denied`: the user would not, or could not, sign in.
    ///
    /// # Errors
    /// The client is not registered any more: the error answers with a page.
    pub fn deny(self) -> Result<HttpResponse, Error> {
        self.denied().map_err(|reason| {
            InternalError::from_response("refused", error_page(&self.oauth, self.oauth.texts(None), &reason)).into()
        })
    }

    fn denied(&self) -> Result<HttpResponse, Reason> {
        let request = &self.form.request;
        let client = self.oauth.0.clients.get(&request.client_id).ok_or(Reason::UnknownClient)?;
        let destination = client.destination(&request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;
        Ok(refuse(&self.oauth, &destination, request.state.as_deref(), &Reason::AccessDenied))
    }

    /// The client's name as registered.
    #[must_use]
    pub fn client_name(&self) -> &str {
        self.oauth.0.clients.get(&self.form.request.client_id).map_or("", |client| &client.name)
    }

    /// Where the browser goes after the sign-in: the host, or the private scheme.
    #[must_use]
    pub fn returns_to(&self) -> String {
        let request = &self.form.request;
        let client = self.oauth.0.clients.get(&request.client_id);
        client.and_then(|client| client.destination(&request.redirect_uri)).map(|to| to.shown).unwrap_or_default()
    }

    /// What is asked for, in your words.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        self.oauth.described(&self.form.request.scope, self.oauth.texts(self.language()))
    }

    /// The name that the client expects its user to have (`login_hint`).
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.form.request.wishes.hint.as_deref()
    }

    /// How strongly the user should sign in (`acr_values`), in order of preference.
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        &self.form.request.wishes.acr
    }

    /// The language for your page, of those that the service has texts for.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.form.request.wishes.language.as_deref()
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization").field("client", &self.form.request.client_id).finish_non_exhaustive()
    }
}

fn page(oauth: &OAuthService, http: &HttpRequest, reason: Reason) -> Error {
    tracing::info!(target: "oauth", ?reason, "sign-in refused with a page");
    InternalError::from_response("refused", error_page(oauth, language::of(http, oauth), &reason)).into()
}
