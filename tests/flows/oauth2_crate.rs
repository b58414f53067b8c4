//! A client library that others wrote drives the flow.

use oauth_runtime::{Client, GrantType};
use oauth_tests::{Browser, REDIRECT, start};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IntrospectionUrl, PkceCodeChallenge, RedirectUrl, Scope, TokenIntrospectionResponse as _, TokenResponse as _,
    TokenUrl,
};

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

#[tokio::test]
async fn c12_c13_the_oauth2_crate_drives_the_whole_flow() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let client = BasicClient::new(ClientId::new("demo".into()))
        .set_auth_uri(AuthUrl::new(format!("{}/authorize", server.base)).unwrap())
        .set_token_uri(TokenUrl::new(format!("{}/token", server.base)).unwrap())
        .set_redirect_uri(RedirectUrl::new(REDIRECT.into()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("notes:read".into()))
        .add_scope(Scope::new("notes:write".into()))
        .set_pkce_challenge(challenge)
        .url();
    let form = oauth_tests::Answer::to(browser.http.get(url)).await.form();
    let redirect = browser.login(&form, "user", "user123").await.redirect();
    assert_eq!(&redirect["state"], state.secret());
    let http = |request| send(browser.http.clone(), request);
    let code = AuthorizationCode::new(redirect["code"].clone());
    let issued = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await.unwrap();
    assert_eq!(issued.scopes().unwrap().len(), 2);
    assert_eq!(browser.call("/notes", Some(issued.access_token().secret())).await.status, 200);
    assert_eq!(browser.call("/admin", Some(issued.access_token().secret())).await.status, 403);

    let (_, verifier) = PkceCodeChallenge::new_random_sha256();
    let code = AuthorizationCode::new(redirect["code"].clone());
    let refused = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await.unwrap_err();
    let oauth2::RequestTokenError::ServerResponse(error) = refused else { panic!("{refused:?}") };
    assert_eq!(error.error(), &oauth2::basic::BasicErrorResponseType::InvalidGrant);
}

#[tokio::test]
async fn c21_c23_the_oauth2_crate_refreshes_introspects_and_has_tokens_in_its_own_name() {
    const SECRET: &str = "a secret+with what: has to be=encoded / 100%";
    let server = start(|builder| {
        builder.reload_blocking(|_| Some(serde_json::json!({ "role": "admin" }))).client(
            Client::confidential("web")
                .secret(SECRET)
                .redirect_uri("http://127.0.0.1/callback")
                .grants(GrantType::ALL.iter().copied())
                .scope("notes:read"),
        )
    });
    for auth in [AuthType::BasicAuth, AuthType::RequestBody] {
        let browser = Browser::new(&server);
        let http = |request| send(browser.http.clone(), request);
        let client = BasicClient::new(ClientId::new("web".into()))
            .set_client_secret(ClientSecret::new(SECRET.into()))
            .set_auth_type(auth)
            .set_auth_uri(AuthUrl::new(format!("{}/authorize", server.base)).unwrap())
            .set_token_uri(TokenUrl::new(format!("{}/token", server.base)).unwrap())
            .set_introspection_url(IntrospectionUrl::new(format!("{}/introspect", server.base)).unwrap())
            .set_redirect_uri(RedirectUrl::new(REDIRECT.into()).unwrap());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, _) = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge).url();
        let form = oauth_tests::Answer::to(browser.http.get(url)).await.form();
        let redirect = browser.login(&form, "user", "user123").await.redirect();
        let code = AuthorizationCode::new(redirect["code"].clone());
        let issued = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await.unwrap();
        let refreshed =
            client.exchange_refresh_token(issued.refresh_token().unwrap()).request_async(&http).await.unwrap();
        assert_ne!(refreshed.refresh_token().unwrap().secret(), issued.refresh_token().unwrap().secret());
        assert_eq!(browser.call("/admin", Some(refreshed.access_token().secret())).await.status, 200, "promoted since");
        let said = client.introspect(refreshed.access_token()).request_async(&http).await.unwrap();
        assert_eq!((said.active(), said.sub()), (true, Some("user")));
        let own = client.exchange_client_credentials().request_async(&http).await.unwrap();
        assert_eq!(browser.call("/notes", Some(own.access_token().secret())).await.status, 200);
        assert!(own.refresh_token().is_none());
    }
}
