//! A client library that others wrote drives the flow.

use oauth_tests::{Browser, REDIRECT, start};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, HttpRequest, HttpResponse, PkceCodeChallenge, RedirectUrl, Scope,
    TokenResponse as _, TokenUrl,
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
