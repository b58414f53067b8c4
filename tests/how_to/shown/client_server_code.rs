use std::error::Error;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse};
use openidconnect::url::Url;
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RefreshToken, TokenResponse as _,
};
use serde::Deserialize;

type Oidc = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The client. Make it once a day: the server's keys change, and this has those of now and of next.
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

    /// `/login` redirects there.
    pub fn begin(&self) -> (Url, Pending) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = self.oidc.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        (url, Pending { state, nonce, verifier })
    }

    /// `/callback`. Give the browser a new session id afterwards.
    pub async fn finish(&self, pending: Pending, callback: Callback) -> Result<SignedIn, Box<dyn Error>> {
        if callback.state != *pending.state.secret() || callback.iss != self.metadata.issuer().as_str() {
            return Err("this is no answer to what was asked".into());
        }
        let Some(code) = callback.code else { return Err(callback.error.unwrap_or_default().into()) };
        let request = self.oidc.exchange_code(AuthorizationCode::new(code))?.set_pkce_verifier(pending.verifier);
        let issued = request.request_async(&|request| send(self.http.clone(), request)).await?;
        let id_token = issued.id_token().ok_or("there is no ID token")?.clone();
        let subject = id_token.claims(&self.oidc.id_token_verifier(), &pending.nonce)?.subject().to_string();
        Ok(SignedIn { subject, id_token, refresh_token: issued.refresh_token().cloned() })
    }

    /// Keep the new refresh token in place of the old one.
    pub async fn refresh(&self, token: &RefreshToken) -> Result<CoreTokenResponse, Box<dyn Error>> {
        let request = self.oidc.exchange_refresh_token(token)?;
        Ok(request.request_async(&|request| send(self.http.clone(), request)).await?)
    }

    /// `/logout` ends the browser's session here, and redirects there.
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
