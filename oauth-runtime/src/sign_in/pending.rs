//! An authorization request that waits for its user, for authors who sign users in on pages of their own.

use std::any::{TypeId, type_name};
use std::fmt;
use std::time::Duration;

use actix_web::error::InternalError;
use actix_web::{Error, HttpRequest, HttpResponse};
use serde::Serialize;

use crate::error::Reason;
use crate::event::request::{self, Request, ToItsEnd};
use crate::event::{EventKind, Fact};
use crate::model::Timestamp;
use crate::model::code::{FormId, Prompt, Requirements, SignInForm};
use crate::model::session::By;
use crate::response::{Doing, WayBack, error_page};
use crate::server::OAuthService;
use crate::sign_in::finish::{Attempted, cancel, finish, signed_in};
use crate::sign_in::redirect::ToClient;
use crate::sign_in::request::Authorization;
use crate::sign_in::{form, language, redirect};
use crate::users::{Outcome, SignIn};

/// A valid authorization request that waits for its user: what [`Builder::sign_in_at`] sends to your page as `request`,
/// opened by [`OAuthService::pending`].
///
/// The built-in sign-in page has the same `request` in its form. So a page of yours that replaces it once, such as one
/// on which a new user signs up, can complete the same authorization.
///
/// The client's requirements apply here as well: a user who is not the one of [`hint`](PendingAuthorization::hint), or
/// who was authenticated too long ago for [`prompt`](PendingAuthorization::prompt) or
/// [`max_age`](PendingAuthorization::max_age), or not in one of the ways of
/// [`acr_values`](PendingAuthorization::acr_values), is not signed in, and the client gets the error.
///
/// [`Builder::sign_in_at`]: crate::Builder::sign_in_at
///
/// ```
/// use actix_web::{Error, HttpRequest, HttpResponse, web};
/// use oauth_runtime::{AuthTime, OAuthService, SignIn};
/// use serde::Deserialize;
/// use serde_json::json;
///
/// #[derive(Deserialize)]
/// struct Form {
///     request: String,
///     code_from_mail: String,
/// }
///
/// /// Your page posts here what it got as `request`, and what it asked the user for.
/// #[actix_web::post("/my/sign-in")]
/// async fn sign_in(oauth: OAuthService, http: HttpRequest, form: web::Form<Form>) -> Result<HttpResponse, Error> {
///     let pending = oauth.pending(&http, &form.request).await?;
///     match form.code_from_mail.as_str() {
///         "314159" => pending.finish(&http, SignIn::done(json!({ "sub": "ada" })).amr("otp"), AuthTime::Now).await,
///         _ => pending.deny(&http).await,
///     }
/// }
/// ```
pub struct PendingAuthorization {
    oauth: OAuthService,
    authorization: Authorization,
    form: FormId,
    /// A later sign-out ends this sign-in too.
    began: Timestamp,
}

/// When a user was authenticated on a page of yours: tokens have it as `auth_time` (OpenID Connect Core §2), and guards may
/// ask that it is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthTime {
    /// With this very request, or since the page asked them to sign in.
    Now,
    /// This long ago: they have a session of your own.
    ///
    /// That is accepted while it is known that [`sign_out`](OAuthService::sign_out) did not end it: for a day and
    /// twelve minutes, and if it was after the store's memory began, which [`renew`](OAuthService::renew) and, with
    /// the memory store, each start of the process begin anew. Otherwise the client gets `login_required`: if your
    /// sessions live for longer, authenticate their users again first, and say [`Now`](AuthTime::Now).
    Ago(Duration),
}

impl OAuthService {
    /// Opens what [`Builder::sign_in_at`](crate::Builder::sign_in_at) sent along as `request`, or the built-in sign-in page
    /// has in its form. It is valid for an hour, in the browser that it was made for.
    ///
    /// # Errors
    /// It is too old, was changed, belongs to another browser, or its client is no longer registered: the error answers
    /// with a page that says so.
    pub async fn pending(&self, http: &HttpRequest, request: &str) -> Result<PendingAuthorization, Error> {
        let server = self.server();
        let opened = async {
            let opened = form::open_sealed::<SignInForm>(server, http, request)?;
            Ok((opened.value.form, Authorization::of(server, opened.value.request).await?))
        };
        match opened.await {
            Ok((form, authorization)) => {
                Ok(PendingAuthorization { oauth: self.clone(), authorization, form, began: server.now() })
            }
            Err(reason) => {
                Err(page_error(self, http, reason, redirect::way_back_from(server, http, request).await.as_ref()))
            }
        }
    }
}

impl PendingAuthorization {
    /// Answers it for this user, who was authenticated by these methods ([`SignIn::amr`]) at this time: the browser
    /// goes back to the client with a code, or to the consent page if needed. Return it from your handler; it sets the
    /// cookies of the session. If the user is not as the client asked, the browser goes back with `login_required` or
    /// `unmet_authentication_requirements`.
    ///
    /// The pages show the user's `sub`, since no name was typed there: show theirs by [`SignIn::shown_as`].
    ///
    /// A client that neither authenticates nor is reached by https, such as a command line, always needs consent here, since
    /// only the built-in sign-in page is known to have named it.
    ///
    /// # Errors
    /// The claims cannot be used (for example if they are of another type than the guards expect:
    /// [`untyped_claims`](crate::Builder::untyped_claims)), or the store gave no answer: the error answers with a page,
    /// and the log says why.
    pub async fn finish<T: Serialize + 'static>(
        self,
        http: &HttpRequest,
        user: SignIn<T>,
        at: AuthTime,
    ) -> Result<HttpResponse, Error> {
        let oauth = self.oauth.clone();
        let back = redirect::way_back(oauth.server(), &self.authorization);
        let client = ToClient::of(&self.authorization);
        let request = Request { id: None, address: oauth.server().client_address().of(http) };
        let answer = Box::pin(self.finished(http.clone(), user, at));
        let outcome = request::during(request, ToItsEnd::of(answer)).await;
        match client.answer(oauth.server(), outcome) {
            Ok(response) => Ok(response),
            Err(reason) => Err(page_error(&oauth, http, reason, back.as_ref())),
        }
    }

    async fn finished<T: Serialize + 'static>(
        self,
        http: HttpRequest,
        user: SignIn<T>,
        at: AuthTime,
    ) -> Result<HttpResponse, Reason> {
        let server = self.oauth.server();
        if let Err(known) = server.known_claims().issues(TypeId::of::<T>()) {
            tracing::error!(
                target: "oauth",
                "a sign-in of your own gives {}, and the claims of this service are {known}: give that, or say \
                 .untyped_claims() on the builder if more than one is meant",
                type_name::<T>()
            );
            self.tell_refused("no_answer");
            return Err(Reason::ClaimsUnusable);
        }
        let SignIn(outcome) = user.into_json().map_err(|why| {
            tracing::error!(target: "oauth", why, "a sign-in of your own gave no answer");
            self.tell_refused("no_answer");
            Reason::SignInFailed
        })?;
        match outcome {
            Outcome::Done(user) => {
                let signed_in_at = match at {
                    AuthTime::Now => self.began,
                    AuthTime::Ago(ago) => self.began.before(ago),
                };
                // No name was typed here.
                let attempted = Attempted {
                    username: None,
                    began: self.began,
                    signed_in_at,
                    attempt: None,
                    form: self.form,
                    once: None,
                };
                let signed_in = signed_in(server, &http, &self.authorization, user, attempted).await?;
                finish(server, &http, self.authorization, signed_in, By::Elsewhere).await
            }
            Outcome::Refused(_) => self.denied(&http).await,
            Outcome::Ask(_) => {
                tracing::error!(target: "oauth", "a sign-in of your own asks its questions itself");
                Err(Reason::Internal)
            }
        }
    }

    /// Sends the browser back to the client with `access_denied`: the user would not, or could not, sign in. If they
    /// did before, and came back to your page, what it gave is taken back.
    ///
    /// # Errors
    /// The store gave no answer: the error answers with a page.
    pub async fn deny(self, http: &HttpRequest) -> Result<HttpResponse, Error> {
        let request = Request { id: None, address: self.oauth.server().client_address().of(http) };
        let oauth = self.oauth.clone();
        let back = redirect::way_back(oauth.server(), &self.authorization);
        let browser = http.clone();
        let answer = Box::pin(async move { self.denied(&browser).await });
        let denied = request::during(request, ToItsEnd::of(answer)).await;
        denied.map_err(|reason| page_error(&oauth, http, reason, back.as_ref()))
    }

    async fn denied(&self, http: &HttpRequest) -> Result<HttpResponse, Reason> {
        self.tell_refused("denied");
        let (server, client) = (self.oauth.server(), &self.authorization.client.id);
        cancel(server, http, &self.form, client).await?;
        Ok(redirect::deny(server, &self.authorization))
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

    /// Where the browser goes after the sign-in: the host, or with its colon the private scheme, which only looks like one.
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

    /// What the user must see in any case (`prompt`): a sign-in, the choice of an account, or the consent page.
    #[must_use]
    pub fn prompt(&self) -> &[Prompt] {
        &self.authorization.request.requirements.prompt
    }

    /// How long ago the user may have been authenticated (`max_age`): with zero they must be authenticated now.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.authorization.request.requirements.max_age.map(Duration::from_secs)
    }

    /// The subject that the client expects (`id_token_hint`, or the `sub` of `claims`): no other is signed in.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        let Requirements { subject, subjects, .. } = &self.authorization.request.requirements;
        match (subject, subjects.as_slice()) {
            (Some(subject), _) => Some(subject),
            (None, [subject]) => Some(subject),
            (None, [] | [_, _, ..]) => None,
        }
    }

    /// The resources that are asked for (RFC 8707); empty if the client named none.
    #[must_use]
    pub fn resources(&self) -> Vec<&str> {
        self.authorization.request.resources.iter().collect()
    }

    /// Whether the session outlives the browser, if the user may choose that ([`Remember::Asked`]): the initial state
    /// of the field on your page. A user who is remembered already stays so.
    ///
    /// [`Remember::Asked`]: crate::Remember::Asked
    #[must_use]
    pub fn remember(&self) -> Option<bool> {
        let sessions = self.oauth.server().sessions()?;
        sessions.remember.tick(self.authorization.request.remember)
    }

    /// What the user chose for that on your page.
    #[must_use]
    pub fn remembering(mut self, is_ticked: bool) -> Self {
        self.authorization.request.remember = is_ticked;
        self
    }

    /// The code that a device without a browser shows, if one asks ([`Client::device`](crate::Client::device)): the
    /// consent page follows this one, and the browser is not redirected to a client.
    #[must_use]
    pub fn user_code(&self) -> Option<String> {
        self.authorization.request.device.as_ref().map(|device| device.user_code.to_string())
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

    /// The language for your page, among those for which the service has texts.
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
