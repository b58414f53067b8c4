//! `GET` and `POST /authorize`: an application asks for a sign-in (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1).

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{document, error_page, form_body};
use crate::error::Reason;
use crate::guard::bearer;
use crate::keys::IdTokenHint;
use crate::model::Scope;
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationRequest, SignInForm, Wishes};
use crate::model::form::Parameters;
use crate::model::pkce::Challenge;
use crate::model::redirect_uri::Destination;
use crate::model::session::{Person, Session};
use crate::pages::{SignInPage, SignInProblem};
use crate::server::OAuthService;
use crate::sign_in::browser::Browser;
use crate::sign_in::finish::{By, finish, refuse};
use crate::sign_in::language;

/// Answers with a code where a session is enough, and else with the sign-in page.
pub(crate) async fn page(oauth: OAuthService, request: HttpRequest) -> HttpResponse {
    let query = request.query_string();
    if query.len() > MAX_QUERY_BYTES {
        return error_page(&oauth, language::of(&request, &oauth), &Reason::QueryTooLong);
    }
    respond(&oauth, &request, &Parameters::parse(query.as_bytes())).await
}

/// The same by `POST`, with the parameters in the body (OpenID Connect Core §3.1.2.1).
pub(crate) async fn posted(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match form_body(&request, payload).await {
        Ok(body) => respond(&oauth, &request, &Parameters::parse(&body)).await,
        Err(reason) => error_page(&oauth, language::of(&request, &oauth), &reason),
    }
}

async fn respond(oauth: &OAuthService, request: &HttpRequest, parameters: &Parameters<'_>) -> HttpResponse {
    // RFC 6749 §4.1.2.1: until client and redirect URI are known good, the answer is a page and never a redirect
    let proven = match proven(oauth, parameters) {
        Ok(proven) => proven,
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "authorization request refused with a page");
            return error_page(oauth, language::of(request, oauth), &reason);
        }
    };
    match answer(oauth, request, parameters, &proven).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::info!(target: "oauth", client = proven.client.id, ?reason, "authorization request refused");
            let state = parameters.get("state", MAX_STATE_BYTES).unwrap_or(None);
            refuse(oauth, &proven.destination, state, &reason)
        }
    }
}

async fn answer(
    oauth: &OAuthService,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    proven: &Proven<'_>,
) -> Result<HttpResponse, Reason> {
    let mut request = demands(oauth, http, parameters, proven)?;
    let prompt = prompt(parameters)?;
    request.wishes.consent = prompt.consent;
    let expected_user = expected_user(oauth, parameters)?;

    let session = Session::of(http, oauth).await?;
    let account = session.as_ref().map(|session| session.account.clone());
    let is_enough = |session: &Session| {
        !prompt.sign_in
            && request.wishes.is_met_by(&session.how, oauth.now())
            && expected_user.as_ref().is_none_or(|hint| hint.names(&session.subject))
    };
    if let Some(session) = session.filter(is_enough)
        && let Some(sessions) = &oauth.0.sessions
    {
        match sessions.reload.claims_of(&session.subject).await? {
            Some(claims) => {
                let person = Person { subject: session.subject, account: session.account, claims, how: session.how };
                let by = if prompt.nothing { By::SessionAlone } else { By::Session };
                return finish(oauth, http, request, person, by).await;
            }
            None => {
                tracing::info!(target: "oauth", "no such user any more: the session is ended");
                if let Some(id) = &session.how.session {
                    Session::end(id, oauth).await?;
                }
            }
        }
    }
    // OpenID Connect Core §3.1.2.6
    if prompt.nothing {
        return Err(Reason::LoginRequired);
    }
    let hint = request.wishes.hint.clone().or(account).unwrap_or_default();
    let browser = Browser::of(http, oauth).unwrap_or_else(Browser::new);
    let form = SignInForm { request, browser: browser.hash() };
    let mut response = match &oauth.0.sign_in_at {
        Some(path) => elsewhere(oauth, path, &form)?,
        None => sign_in_page(oauth, &proven.client.name, &proven.destination, &form, &hint, None),
    };
    browser.remember(&mut response, oauth);
    Ok(response)
}

/// Sends the browser to the author's own page.
fn elsewhere(oauth: &OAuthService, path: &str, form: &SignInForm) -> Result<HttpResponse, Reason> {
    let now = oauth.now();
    let sealed = oauth.0.sealer.seal(form, now, now + FORM_LIFETIME).map_err(|_| Reason::Internal)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("{path}?request={sealed}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish())
}

/// Who asks, and where the answer goes.
struct Proven<'a> {
    client: &'a RegisteredClient,
    destination: Destination,
    redirect_uri_given: bool,
}

fn proven<'a>(oauth: &'a OAuthService, parameters: &Parameters<'_>) -> Result<Proven<'a>, Reason> {
    let client_id = parameters.get("client_id", 128)?.ok_or(Reason::MissingParameter("client_id"))?;
    let client = oauth.0.clients.get(client_id).ok_or(Reason::UnknownClient)?;
    match parameters.get("redirect_uri", MAX_URI_BYTES)? {
        Some(uri) => {
            let destination = client.destination(uri).ok_or(Reason::UnknownRedirectUri)?;
            Ok(Proven { client, destination, redirect_uri_given: true })
        }
        None => {
            let destination = client.only_destination().ok_or(Reason::MissingParameter("redirect_uri"))?;
            Ok(Proven { client, destination, redirect_uri_given: false })
        }
    }
}

fn demands(
    oauth: &OAuthService,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    proven: &Proven<'_>,
) -> Result<AuthorizationRequest, Reason> {
    let state = parameters.get("state", MAX_STATE_BYTES)?;
    // RFC 6749 appendix A.5 has no control characters in it
    if state.is_some_and(|state| state.chars().any(char::is_control)) {
        return Err(Reason::ParameterEncoding("state"));
    }
    match parameters.get("response_type", 64)? {
        Some("code") => {}
        Some(_) => return Err(Reason::UnsupportedResponseType),
        None => return Err(Reason::MissingParameter("response_type")),
    }
    match parameters.get("response_mode", 64)? {
        Some("query") | None => {}
        Some(_) => return Err(Reason::UnsupportedResponseMode),
    }
    openid_parameters(parameters)?;
    let nonce = parameters.get("nonce", MAX_NONCE_BYTES)?;
    // OAuth 2.1 §4.1.2.1: a public client must send one; left out, the method would mean plain (RFC 7636 §4.3)
    let challenge = parameters.get("code_challenge", 256)?.ok_or(Reason::ChallengeMissing)?;
    match parameters.get("code_challenge_method", 64)? {
        Some("S256") => {}
        Some(_) | None => return Err(Reason::ChallengeMethod),
    }
    let challenge: Challenge = challenge.parse().map_err(|_| Reason::ChallengeMalformed)?;
    let scope = match parameters.get("scope", Scope::MAX_BYTES)? {
        Some(text) => {
            let scope: Scope = text.parse().map_err(|_| Reason::ScopeMalformed)?;
            if !scope.iter().all(|scope| oauth.0.scopes.contains_key(scope)) {
                return Err(Reason::ScopeUnknown);
            }
            scope
        }
        None => oauth.0.default_scope.clone(),
    };
    let resources = oauth.asked_resources(parameters)?;
    Ok(AuthorizationRequest {
        client_id: proven.client.id.clone(),
        redirect_uri: proven.destination.uri.clone(),
        redirect_uri_given: proven.redirect_uri_given,
        scope,
        resources,
        state: state.map(str::to_owned),
        nonce: nonce.map(str::to_owned),
        challenge,
        wishes: wishes(oauth, http, parameters)?,
    })
}

/// How the user is to be asked (OpenID Connect Core §3.1.2.1, RFC 9470 §4).
fn wishes(oauth: &OAuthService, http: &HttpRequest, parameters: &Parameters<'_>) -> Result<Wishes, Reason> {
    let max_age = match parameters.get("max_age", 32)?.map(str::parse::<u64>) {
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return Err(Reason::MaxAgeMalformed),
        None => None,
    };
    let acr = parameters.get("acr_values", 512)?.unwrap_or_default();
    Ok(Wishes {
        consent: false,
        max_age,
        acr: acr.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        // A hint that cannot be a name is none.
        hint: parameters.get("login_hint", 256).ok().flatten().map(str::to_owned),
        language: language::asked(http, oauth, parameters.get("ui_locales", 256)?),
    })
}

/// What a request wants to be shown.
struct Prompt {
    nothing: bool,
    sign_in: bool,
    consent: bool,
}

/// OpenID Connect Core §3.1.2.1
fn prompt(parameters: &Parameters<'_>) -> Result<Prompt, Reason> {
    let prompts: Vec<&str> =
        parameters.get("prompt", 256)?.unwrap_or_default().split(' ').filter(|one| !one.is_empty()).collect();
    match prompts.as_slice() {
        ["none"] => Ok(Prompt { nothing: true, sign_in: false, consent: false }),
        prompts if prompts.iter().all(|prompt| *prompt != "none" && PROMPTS.contains(prompt)) => Ok(Prompt {
            nothing: false,
            // One account is signed in at a time: who wants another signs in to it.
            sign_in: prompts.iter().any(|prompt| *prompt != "consent"),
            consent: prompts.contains(&"consent"),
        }),
        _ => Err(Reason::PromptUnknown),
    }
}

/// The ID token by which the client says whom it takes its user for (OpenID Connect Core §3.1.2.1).
fn expected_user(oauth: &OAuthService, parameters: &Parameters<'_>) -> Result<Option<IdTokenHint>, Reason> {
    parameters.get("id_token_hint", bearer::MAX_BYTES)?.map(|hint| oauth.id_token(hint)).transpose()
}

/// What OpenID Connect adds, and what of it is not here (OpenID Connect Core §3.1.2.1, §6, §7.2.1).
fn openid_parameters(parameters: &Parameters<'_>) -> Result<(), Reason> {
    for (name, reason) in [
        ("request", Reason::RequestObject),
        ("request_uri", Reason::RequestUri),
        ("registration", Reason::Registration),
        ("claims", Reason::ClaimsParameter),
    ] {
        if parameters.get(name, MAX_QUERY_BYTES)?.is_some() {
            return Err(reason);
        }
    }
    Ok(())
}

/// The sign-in page, the first time or again.
pub(crate) fn sign_in_page(
    oauth: &OAuthService,
    client: &str,
    destination: &Destination,
    form: &SignInForm,
    username: &str,
    problem: Option<SignInProblem>,
) -> HttpResponse {
    let now = oauth.now();
    let texts = oauth.texts(form.request.wishes.language.as_deref());
    let Ok(sealed) = oauth.0.sealer.seal(form, now, now + FORM_LIFETIME) else {
        return error_page(oauth, texts, &Reason::Internal);
    };
    let scopes = oauth.described(&form.request.scope, texts);
    let html = oauth.0.pages.sign_in(&SignInPage {
        brand: &oauth.0.brand,
        texts,
        action: &oauth.0.paths.login,
        request: &sealed,
        client,
        returns_to: &destination.shown,
        scopes: &scopes,
        username,
        problem,
    });
    document(problem.map_or(StatusCode::OK, status_of), html, &destination.source)
}

pub(crate) fn status_of(problem: SignInProblem) -> StatusCode {
    match problem {
        SignInProblem::Incomplete | SignInProblem::TooLong => StatusCode::BAD_REQUEST,
        SignInProblem::Wrong => StatusCode::UNAUTHORIZED,
        SignInProblem::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
        SignInProblem::TryAgainLater => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What `prompt` may be, as metadata names them.
pub(crate) const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];
const MAX_QUERY_BYTES: usize = 8 * 1024;
const MAX_STATE_BYTES: usize = 2048;
const MAX_NONCE_BYTES: usize = 512;
pub(crate) const MAX_URI_BYTES: usize = 2048;
/// How long a person may look at the sign-in page.
const FORM_LIFETIME: Duration = Duration::from_secs(3600);
