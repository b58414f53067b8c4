use std::error::Error;
use std::time::Instant;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse};
use openidconnect::url::Url;
use openidconnect::{
    AccessToken, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce, NonceVerifier, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RefreshToken,
    Scope, TokenResponse as _,
};
use serde::Deserialize;

type Oidc = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The client. Make it once a day: the server's keys change, and this has the current and the next ones.
pub struct Site {
    http: reqwest::Client,
    metadata: ProviderMetadataWithLogout,
    oidc: Oidc,
}

/// What is kept in the browser's session, on the server, from [`Site::begin`] to [`Site::finish`].
pub struct Pending {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// The query of `/callback`.
#[derive(Deserialize)]
pub struct Callback {
    state: String,
    iss: String,
    code: Option<String>,
    error: Option<String>,
}

/// What is kept in the browser's session afterwards.
pub struct SignedIn {
    pub subject: String,
    pub id_token: CoreIdToken,
    pub access_token: AccessToken,
    /// When the access token has to be refreshed.
    pub expires: Instant,
    pub refresh_token: Option<RefreshToken>,
}

impl Site {
    pub async fn new(http: reqwest::Client, secret: String) -> Result<Site, Box<dyn Error>> {
        let issuer = IssuerUrl::new("https://notes.example".into())?;
        let metadata =
            ProviderMetadataWithLogout::discover_async(issuer, &|request| send(http.clone(), request)).await?;
        let (id, secret) = (ClientId::new("web".into()), ClientSecret::new(secret));
        let oidc = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret))
            .set_redirect_uri(RedirectUrl::new("https://web.example/callback".into())?);
        Ok(Site { http, metadata, oidc })
    }

    /// `GET /login` redirects there.
    pub fn begin(&self) -> (Url, Pending) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = self.oidc.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let request = request.add_scope(Scope::new("notes:read".into())).set_pkce_challenge(challenge);
        let (url, state, nonce) = request.url();
        (url, Pending { state, nonce, verifier })
    }

    /// `GET /callback`. Give the browser a new session id afterwards.
    pub async fn finish(&self, pending: Pending, callback: Callback) -> Result<SignedIn, Box<dyn Error>> {
        if callback.state != *pending.state.secret() || callback.iss != self.metadata.issuer().as_str() {
            return Err("this is no answer to what was asked".into());
        }
        let Some(code) = callback.code else { return Err(callback.error.unwrap_or_default().into()) };
        let request = self.oidc.exchange_code(AuthorizationCode::new(code))?.set_pkce_verifier(pending.verifier);
        let issued = request.request_async(&|request| send(self.http.clone(), request)).await?;
        self.verified(&issued, &pending.nonce)
    }

    /// When `expires` has come. Keep what it answers in place of all that was kept.
    pub async fn refresh(&self, user: &SignedIn) -> Result<SignedIn, Box<dyn Error>> {
        let token = user.refresh_token.as_ref().ok_or("there is no refresh token")?;
        let request = self.oidc.exchange_refresh_token(token)?;
        let issued = request.request_async(&|request| send(self.http.clone(), request)).await?;
        // Here an ID token has no nonce.
        let renewed = self.verified(&issued, |_: Option<&Nonce>| Ok(()))?;
        // OpenID Connect Core §12.2: of the same issuer, which is verified, and of the same user
        if renewed.subject == user.subject { Ok(renewed) } else { Err("the ID token is another user's".into()) }
    }

    /// The signature of the ID token, its issuer, audience, expiry and nonce.
    fn verified(&self, issued: &CoreTokenResponse, nonce: impl NonceVerifier) -> Result<SignedIn, Box<dyn Error>> {
        let id_token = issued.id_token().ok_or("there is no ID token")?.clone();
        let subject = id_token.claims(&self.oidc.id_token_verifier(), nonce)?.subject().to_string();
        Ok(SignedIn {
            subject,
            id_token,
            access_token: issued.access_token().clone(),
            expires: Instant::now() + issued.expires_in().unwrap_or_default(),
            refresh_token: issued.refresh_token().cloned(),
        })
    }

    /// Calls the API for the user.
    pub async fn notes(&self, user: &SignedIn) -> Result<String, reqwest::Error> {
        let request = self.http.get("https://notes.example/api/notes").bearer_auth(user.access_token.secret());
        request.send().await?.error_for_status()?.text().await
    }

    /// `POST /logout`, from a form of your own page, ends the browser's session here, and redirects there.
    pub fn sign_out(&self, user: &SignedIn) -> Result<Url, Box<dyn Error>> {
        let end = self.metadata.additional_metadata().end_session_endpoint.clone().ok_or("there is no sign-out")?;
        let back = PostLogoutRedirectUrl::new("https://web.example/".into())?;
        Ok(LogoutRequest::from(end).set_id_token_hint(&user.id_token).set_post_logout_redirect_uri(back).http_get_url())
    }
}

/// `http` has to follow no redirect: `reqwest::redirect::Policy::none()`.
async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}
