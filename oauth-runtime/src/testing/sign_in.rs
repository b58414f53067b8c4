//! A user who signs in: the whole flow, as a browser and a client go through it.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use actix_http::Request;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use serde_json::Value;
use url::Url as WebUrl;

use crate::model::GrantType;
use crate::model::client::RegisteredClient;
use crate::model::hash::sha256;
use crate::model::id::random_id;
use crate::response::{Shown, Step};
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::pushed;
use crate::testing::browser::{Answered, Browser};
use crate::testing::not_signed_in::NotSignedIn;

/// Signs a user in at an `App` of `actix_web::test::init_service`: PKCE, the pages' forms, the code, the tokens.
///
/// It calls the application's own `authenticate`, and sends what a browser and a client would send. Say beforehand what
/// a page asks for besides name and password: [`SigningIn::answer`] for a second factor, [`SigningIn::allow`] for
/// consent.
///
/// ```
/// use actix_web::{App, http::StatusCode, test};
/// use oauth_runtime::{Client, Login, OAuthService, require_claim, testing};
/// use serde_json::json;
///
/// #[require_claim(scope = "notes:read", role = "author")]
/// #[actix_web::get("/notes")]
/// async fn notes() -> &'static str { "notes" }
///
/// # #[actix_web::main]
/// # async fn main() {
/// let oauth = OAuthService::builder()
///     .issuer("http://127.0.0.1:8080")
///     .client(Client::public("spa").redirect_uri("http://127.0.0.1/callback"))
///     .scope("notes:read", "Read your notes")
///     .authenticate_blocking(|login: Login| {
///         (login.username == "ada" && &*login.password == "correct").then(|| json!({ "sub": "7", "role": "author" }))
///     })
///     .reload_blocking(|_: &str| Some(json!({ "role": "reader" })))
///     .build()
///     .unwrap();
/// let app = test::init_service(App::new().configure(oauth.routes()).service(notes)).await;
///
/// let ada = testing::sign_in(&app).user("ada", "correct").client("spa").scope("notes:read").await.unwrap();
/// assert_eq!(ada.scope(), "notes:read");
/// let request = test::TestRequest::get().uri("/notes").insert_header(ada.header()).to_request();
/// assert_eq!(test::call_service(&app, request).await.status(), StatusCode::OK);
///
/// // They have become a reader since.
/// let later = ada.refresh(&app).await.unwrap();
/// let request = test::TestRequest::get().uri("/notes").insert_header(later.header()).to_request();
/// assert_eq!(test::call_service(&app, request).await.status(), StatusCode::FORBIDDEN);
///
/// let wrong = testing::sign_in(&app).user("ada", "wrong").await.unwrap_err();
/// assert!(wrong.to_string().starts_with("the sign-in page says: "), "{wrong}");
/// # }
/// ```
pub fn sign_in<S>(app: &S) -> SigningIn<'_, S> {
    SigningIn {
        app,
        username: String::new(),
        password: String::new(),
        client: None,
        secret: None,
        redirect_uri: None,
        scope: None,
        resources: Vec::new(),
        answers: Vec::new(),
        allows: false,
    }
}

/// A sign-in that is about to begin: `.await` it. Made by [`sign_in`].
#[must_use = "it begins with .await"]
pub struct SigningIn<'a, S> {
    app: &'a S,
    username: String,
    password: String,
    client: Option<String>,
    secret: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    resources: Vec<String>,
    answers: Vec<String>,
    allows: bool,
}

/// What a client has after its user signed in.
#[derive(Clone)]
pub struct SignedIn {
    answer: Value,
    client: String,
    secret: Option<String>,
}

impl<'a, S> SigningIn<'a, S> {
    /// Who signs in: what `authenticate` gets.
    pub fn user(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    /// The client. Default: the one that has a redirect URI. Required if several have one: the error names them.
    pub fn client(mut self, id: impl Into<String>) -> Self {
        self.client = Some(id.into());
        self
    }

    /// The secret of a confidential client.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Where the client wants its answer. Default: the first redirect URI that it is registered with.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The scopes that the client asks for, with spaces between them. Default: none, so the service's default applies.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// A resource that the client asks a token for (RFC 8707); call it once for each.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// What the user answers to the question after the password; call it once for each question.
    pub fn answer(mut self, answer: impl Into<String>) -> Self {
        self.answers.push(answer.into());
        self
    }

    /// The user allows the client what it asks for, where the consent page asks.
    pub fn allow(mut self) -> Self {
        self.allows = true;
        self
    }
}

impl<'a, S, B> IntoFuture for SigningIn<'a, S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'a,
{
    type Output = Result<SignedIn, NotSignedIn>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.go())
    }
}

impl<S, B> SigningIn<'_, S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    async fn go(self) -> Result<SignedIn, NotSignedIn> {
        let mut browser = Browser::new(self.app);
        let oauth = browser.service().await.ok_or(NotSignedIn::NoService)?;
        let server = oauth.server();
        let client = self.registered(server).await?;
        let no_client = || NotSignedIn::NoClient { client: client.id.clone() };
        let redirect_uri = match &self.redirect_uri {
            Some(uri) => uri.clone(),
            None => client.redirect_uris.first().ok_or_else(no_client)?.as_str().to_owned(),
        };
        let verifier = format!("{}{}{}", random_id(), random_id(), random_id());
        let state = random_id();
        let mut query = self.query(&client, &redirect_uri, &verifier, &state);
        if pushed::is_required(server, &client) {
            query = self.pushed(server, &client, &mut browser, &query).await?;
        }
        let shown = browser.get(server.path(Url::Authorize), &query).await?;
        let code = self.through_the_pages(server, &client, &mut browser, shown, (&redirect_uri, &state)).await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &client.client_id),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", &verifier),
        ];
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        let answer = browser.token(server, &form).await?;
        Ok(SignedIn { answer, client: client.id.clone(), secret: self.secret })
    }

    async fn registered(&self, server: &Server) -> Result<Arc<RegisteredClient>, NotSignedIn> {
        let has_users = |client: &RegisteredClient| client.may_use(GrantType::AuthorizationCode);
        let listed = server.clients().ids(has_users);
        let id = match (self.client.as_deref(), listed.as_slice()) {
            (Some(id), _) => id,
            (None, [id]) => id,
            (None, []) => "",
            (None, [_, _, ..]) => {
                return Err(NotSignedIn::SeveralClients { known: listed.into_iter().map(str::to_owned).collect() });
            }
        };
        let found = server.clients().find(id).await.ok().flatten();
        let found = found.filter(|client| has_users(client));
        found.ok_or_else(|| NotSignedIn::NoClient { client: id.to_owned() })
    }

    /// RFC 6749 §4.1.1, RFC 7636 §4.3
    fn query(&self, client: &RegisteredClient, redirect_uri: &str, verifier: &str, state: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        let mut query = Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &client.client_id),
            ("redirect_uri", redirect_uri),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", state),
        ]);
        query.extend_pairs(self.scope.iter().map(|scope| ("scope", scope)));
        query.extend_pairs(self.resources.iter().map(|resource| ("resource", resource)));
        query.finish()
    }

    /// RFC 9126 §4
    async fn pushed(
        &self,
        server: &Server,
        client: &RegisteredClient,
        browser: &mut Browser<'_, S>,
        query: &str,
    ) -> Result<String, NotSignedIn> {
        let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let mut form: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        let request_uri = browser.push(server, &form).await?;
        let named = [("client_id", &client.client_id), ("request_uri", &request_uri)];
        Ok(Serializer::new(String::new()).extend_pairs(named).finish())
    }

    /// Answers each page until the browser is sent to the client, and returns the code.
    async fn through_the_pages(
        &self,
        server: &Server,
        client: &RegisteredClient,
        browser: &mut Browser<'_, S>,
        mut shown: Answered,
        (redirect_uri, state): (&str, &str),
    ) -> Result<String, NotSignedIn> {
        let mut answers = self.answers.iter();
        loop {
            if let Some(location) = &shown.location {
                return code(location, redirect_uri, state);
            }
            let Some(Shown { step, request }) = &shown.page else { return Err(shown.unexpected()) };
            let (url, fields) = match step {
                Step::SignIn { problem: None } => {
                    (Url::Login, vec![("username", self.username.as_str()), ("password", &self.password)])
                }
                Step::SignIn { problem: Some(problem) } | Step::Question { problem: Some(problem), .. } => {
                    return Err(NotSignedIn::Problem { problem: problem.to_string() });
                }
                Step::Question { question, problem: None } => {
                    let asked = || NotSignedIn::Asked { question: question.clone() };
                    (Url::Verify, vec![("answer", answers.next().ok_or_else(asked)?.as_str())])
                }
                Step::Consent { .. } if self.allows => (Url::Consent, vec![("decision", "allow")]),
                Step::Consent { scope } => {
                    return Err(NotSignedIn::ConsentAsked { client: client.id.clone(), scope: scope.clone() });
                }
                Step::Error { .. } => return Err(shown.unexpected()),
            };
            let fields = [&[("request", request.as_str())], &fields[..]].concat();
            shown = browser.post(server.path(url), &fields).await?;
        }
    }
}

/// The code in the URL to which the browser is sent (RFC 6749 §4.1.2).
fn code(location: &str, redirect_uri: &str, state: &str) -> Result<String, NotSignedIn> {
    let elsewhere = || NotSignedIn::Elsewhere { location: location.split('?').next().unwrap_or_default().to_owned() };
    if !location.starts_with(redirect_uri) {
        return Err(elsewhere());
    }
    let url = WebUrl::parse(location).map_err(|_| elsewhere())?;
    let parameters: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let text = |name: &str| parameters.get(name).cloned();
    match (text("code"), text("error")) {
        (Some(code), None) if text("state").is_some_and(|sent| sent == state) => Ok(code),
        (_, Some(error)) => {
            Err(NotSignedIn::Refused { error, description: text("error_description").unwrap_or_default() })
        }
        (Some(_) | None, None) => Err(elsewhere()),
    }
}

impl SignedIn {
    /// The access token.
    ///
    /// # Panics
    /// If the answer of `/token` has none, which does not happen with status 200.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.answer["access_token"].as_str().expect("RFC 6749 §5.1: it is there")
    }

    /// The refresh token, if the service has them and the client gets one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.answer["refresh_token"].as_str()
    }

    /// The ID token, with the scope `openid`.
    #[must_use]
    pub fn id_token(&self) -> Option<&str> {
        self.answer["id_token"].as_str()
    }

    /// What was granted; empty if no scope was.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.answer["scope"].as_str().unwrap_or_default()
    }

    /// The whole answer of `/token`.
    #[must_use]
    pub fn answer(&self) -> &Value {
        &self.answer
    }

    /// The header for [`actix_web::test::TestRequest::insert_header`].
    #[must_use]
    pub fn header(&self) -> (&'static str, String) {
        ("Authorization", format!("Bearer {}", self.access_token()))
    }

    /// Uses the refresh token, and returns the new tokens.
    ///
    /// # Errors
    /// If there is none, or it is refused.
    pub async fn refresh<S, B>(&self, app: &S) -> Result<SignedIn, NotSignedIn>
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let mut browser = Browser::new(app);
        let oauth = browser.service().await.ok_or(NotSignedIn::NoService)?;
        let mut form = vec![("grant_type", "refresh_token"), ("client_id", self.client.as_str())];
        form.extend(self.refresh_token().map(|token| ("refresh_token", token)));
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        let answer = browser.token(oauth.server(), &form).await?;
        Ok(SignedIn { answer, ..self.clone() })
    }
}

impl<S> std::fmt::Debug for SigningIn<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningIn")
            .field("username", &self.username)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("client", &self.client).field("scope", &self.scope()).finish_non_exhaustive()
    }
}
