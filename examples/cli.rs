//! A command line that signs its user in: `cargo run --example identity` in one terminal, and in another
//! `cargo run --example cli login`, or `cargo run --example cli login --device` where there is no browser at hand.
//!
//! With a browser on the same machine it waits on a port of its own for the code (RFC 8252 §7.3), which PKCE protects. Without
//! one it shows a code, for its user to type on a phone (RFC 8628). It knows nothing of the server but its address.

use std::error::Error;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::url::Url;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, DeviceAuthorizationUrl, HttpRequest, HttpResponse,
    PkceCodeChallenge, RedirectUrl, Scope, StandardDeviceAuthorizationResponse, TokenResponse as _, TokenUrl,
};
use serde::Deserialize;

/// As the server has it: `Client::public("cli").redirect_uri("http://127.0.0.1/callback").device()`.
const CLIENT: &str = "cli";
const SCOPE: &str = "profile";

/// What the server says of itself (RFC 8414).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    device_authorization_endpoint: Option<DeviceAuthorizationUrl>,
}

async fn discover(http: &reqwest::Client, issuer: &str) -> Result<Metadata, Box<dyn Error>> {
    let mut url = Url::parse(issuer)?;
    url.set_path(&format!("/.well-known/oauth-authorization-server{}", url.path().trim_end_matches('/')));
    let metadata: Metadata = http.get(url).send().await?.error_for_status()?.json().await?;
    // RFC 8414 §3.3: another server's metadata would send the user there
    if metadata.issuer == issuer { Ok(metadata) } else { Err("the metadata are of another issuer".into()) }
}

/// Signs in with a browser of this machine. `show` tells the user which address to open.
async fn with_a_browser(
    http: &reqwest::Client,
    server: Metadata,
    show: impl Fn(String),
) -> Result<BasicTokenResponse, Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let redirect = format!("http://127.0.0.1:{}/callback", listener.local_addr()?.port());
    let client = BasicClient::new(ClientId::new(CLIENT.to_owned()))
        .set_auth_uri(server.authorization_endpoint)
        .set_token_uri(server.token_endpoint)
        .set_redirect_uri(RedirectUrl::new(redirect)?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let request = client.authorize_url(CsrfToken::new_random).add_scope(Scope::new(SCOPE.to_owned()));
    let (url, state) = request.set_pkce_challenge(challenge).url();
    show(format!("Open this in a browser:\n{url}"));
    let (state, issuer) = (state.into_secret(), server.issuer);
    let code = actix_web::rt::task::spawn_blocking(move || code_from(&listener, &state, &issuer)).await??;
    let code = AuthorizationCode::new(code);
    Ok(client.exchange_code(code).set_pkce_verifier(verifier).request_async(&|it| send(http, it)).await?)
}

/// Waits for the browser to come back. Anything else, such as another program's request, is answered with 404.
fn code_from(listener: &TcpListener, state: &str, issuer: &str) -> Result<String, String> {
    for stream in listener.incoming() {
        let mut stream = stream.map_err(|error| error.to_string())?;
        let answer = asked(&mut stream).and_then(|url| answer_in(&url, state, issuer));
        let (status, text) = match &answer {
            Some(Ok(_)) => ("200 OK", "You are signed in. Close this window."),
            Some(Err(_)) => ("200 OK", "You are not signed in. The command line says why."),
            None => ("404 Not Found", "Nothing is here."),
        };
        let length = text.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n");
        // Whether the browser shows it decides nothing.
        let _ = write!(stream, "{head}Connection: close\r\n\r\n{text}");
        if let Some(answer) = answer {
            return answer;
        }
    }
    Err("the port was closed".to_owned())
}

/// The address in the first line of a request.
fn asked(stream: &mut TcpStream) -> Option<Url> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 16 * 1024 {
        let mut part = [0; 1024];
        match stream.read(&mut part).ok()? {
            0 => break,
            read => head.extend_from_slice(&part[..read]),
        }
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let path = std::str::from_utf8(line).ok()?.strip_prefix("GET ")?.split(' ').next()?;
    Url::parse("http://127.0.0.1").ok()?.join(path).ok()
}

/// The code, or why there is none; nothing where this is no answer to what was asked.
fn answer_in(url: &Url, state: &str, issuer: &str) -> Option<Result<String, String>> {
    let parameter =
        |name: &str| url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    // RFC 9207 §2.4: of the server that was asked
    if url.path() != "/callback" || parameter("state")? != state || parameter("iss")? != issuer {
        return None;
    }
    let refused = || parameter("error_description").or_else(|| parameter("error"));
    Some(parameter("code").ok_or_else(|| refused().unwrap_or_default()))
}

/// Signs in without one. `show` tells the user where to type which code; `wait` lets the time pass that the server wants.
async fn with_a_code<W: Future<Output = ()>>(
    http: &reqwest::Client,
    server: Metadata,
    show: impl Fn(String),
    wait: impl Fn(Duration) -> W,
) -> Result<BasicTokenResponse, Box<dyn Error>> {
    let url = server.device_authorization_endpoint.ok_or("this server has no sign-in without a browser")?;
    let client = BasicClient::new(ClientId::new(CLIENT.to_owned()))
        .set_token_uri(server.token_endpoint)
        .set_device_authorization_url(url);
    let asked = client.exchange_device_code().add_scope(Scope::new(SCOPE.to_owned()));
    let details: StandardDeviceAuthorizationResponse = asked.request_async(&|it| send(http, it)).await?;
    let (page, code) = (details.verification_uri(), details.user_code().secret());
    show(format!("On another device open {}\nand compare this code, or type it: {code}", page.as_str()));
    Ok(client.exchange_device_access_token(&details).request_async(&|it| send(http, it), wait, None).await?)
}

async fn send(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let mut answer = HttpResponse::default();
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

/// A redirect of the server's is no reason to send a code or a token elsewhere.
fn http() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let issuer = std::env::var("ISSUER").unwrap_or_else(|_| "http://127.0.0.1:8000".to_owned());
    let say = |text: String| _ = writeln!(std::io::stdout(), "{text}");
    let http = http()?;
    let tokens = match arguments.as_slice() {
        ["login"] => with_a_browser(&http, discover(&http, &issuer).await?, say).await?,
        ["login", "--device"] => {
            with_a_code(&http, discover(&http, &issuer).await?, say, actix_web::rt::time::sleep).await?
        }
        _ => return Err("cli login [--device]; the server is that of the variable ISSUER".into()),
    };
    // A real one keeps the refresh token where the system keeps secrets, and the access token in memory.
    let me = http.get(format!("{issuer}/me")).bearer_auth(tokens.access_token().secret()).send().await?;
    say(me.error_for_status()?.text().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpServer, Responder, get};
    use oauth_runtime::{AccessToken, Client, Clock, Login, OAuthService, require_token};
    use serde_json::json;

    use super::*;

    #[require_token]
    #[get("/me")]
    async fn me(token: AccessToken) -> impl Responder {
        format!("{} {:?}", token.subject(), token.scope().iter().collect::<Vec<_>>())
    }

    /// Its address.
    fn server(clock: Clock) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let oauth = OAuthService::builder()
            .issuer(&issuer)
            .clock(clock)
            .scope("profile", "Know your name")
            .client(Client::public("cli").name("Command line").redirect_uri("http://127.0.0.1/callback").device())
            .authenticate_blocking(|login: Login| {
                (&*login.password == "right").then(|| json!({ "sub": login.username }))
            })
            .build()
            .expect("a service");
        let server = HttpServer::new(move || App::new().configure(oauth.routes()).service(me)).workers(1);
        actix_web::rt::spawn(server.listen(listener).expect("a server").run());
        issuer
    }

    /// A browser with its cookies.
    struct Browser {
        http: reqwest::Client,
        issuer: String,
    }

    impl Browser {
        fn new(issuer: &str) -> Self {
            let http = reqwest::Client::builder().cookie_store(true).build().expect("a client");
            Browser { http, issuer: issuer.to_owned() }
        }

        async fn get(&self, url: &str) -> String {
            self.http.get(url).send().await.expect("an answer").text().await.expect("a page")
        }

        /// Sends the form of a page of the server's.
        async fn sends(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> String {
            let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("no form: {page}"));
            let request = rest.split('"').next().expect("its end");
            let form = [&[("request", request)], fields].concat();
            let sent = self.http.post(format!("{}{path}", self.issuer)).header("sec-fetch-site", "same-origin");
            sent.form(&form).send().await.expect("an answer").text().await.expect("a page")
        }

        async fn signs_in(&self, page: &str) -> String {
            self.sends(page, "/login", &[("username", "ada"), ("password", "right")]).await
        }
    }

    /// What stands in front of the end of a line.
    fn after<'a>(text: &'a str, before: &str) -> &'a str {
        text.split_once(before).map_or("", |(_, rest)| rest).lines().next().unwrap_or_default()
    }

    async fn who(issuer: &str, tokens: &BasicTokenResponse) -> String {
        let asks = http().expect("a client").get(format!("{issuer}/me")).bearer_auth(tokens.access_token().secret());
        asks.send().await.expect("an answer").text().await.expect("a text")
    }

    #[actix_web::test]
    async fn it_signs_in_with_a_browser_of_the_same_machine() {
        let issuer = server(Clock::system());
        let http = http().expect("a client");
        let metadata = discover(&http, &issuer).await.expect("metadata");
        let browser = Browser::new(&issuer);
        let show = |text: String| {
            let (browser, url) =
                (Browser { http: browser.http.clone(), issuer: issuer.clone() }, after(&text, "\n").to_owned());
            actix_web::rt::spawn(async move {
                let here = Url::parse(&url).expect("a URL");
                let redirect = here.query_pairs().find(|(name, _)| name == "redirect_uri").expect("one").1.into_owned();
                // What another program sends there is no answer.
                for forged in ["?code=x", "?code=x&state=y&iss=z", "/../favicon.ico"] {
                    assert_eq!(browser.get(&format!("{redirect}{forged}")).await, "Nothing is here.", "{forged}");
                }
                let page = browser.get(&url).await;
                assert_eq!(browser.signs_in(&page).await, "You are signed in. Close this window.");
            });
        };
        let tokens = with_a_browser(&http, metadata, show).await.expect("tokens");
        assert_eq!(who(&issuer, &tokens).await, "ada [\"profile\"]");
    }

    #[actix_web::test]
    async fn it_says_that_the_user_would_not() {
        let issuer = server(Clock::system());
        let http = http().expect("a client");
        let metadata = discover(&http, &issuer).await.expect("metadata");
        let show = |text: String| {
            let (browser, url) = (Browser::new(&issuer), after(&text, "\n").to_owned());
            actix_web::rt::spawn(async move {
                let page = browser.get(&url).await;
                let end = browser.sends(&page, "/login", &[("cancel", "cancel")]).await;
                assert_eq!(end, "You are not signed in. The command line says why.");
            });
        };
        let refused = with_a_browser(&http, metadata, show).await.expect_err("no tokens");
        assert_eq!(refused.to_string(), "the user did not allow it");
    }

    #[actix_web::test]
    async fn it_signs_in_without_a_browser() {
        let clock = Clock::by_hand();
        let issuer = server(clock.clone());
        let http = http().expect("a client");
        let shown = std::sync::Mutex::new(String::new());
        let phone = Browser::new(&issuer);
        let waited = std::sync::atomic::AtomicUsize::new(0);
        // While it waits for the third time, its user decides.
        let wait = |interval: Duration| {
            clock.advance(interval);
            let text = shown.lock().expect("no panic").clone();
            let is_third = waited.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 2;
            let (phone, issuer) = (&phone, &issuer);
            async move {
                if is_third {
                    let page = phone.get(after(&text, "open ")).await;
                    let page = phone.sends(&page, "/device", &[("user_code", after(&text, "type it: "))]).await;
                    let page = phone.signs_in(&page).await;
                    assert!(page.contains("Command line") && page.contains(after(&text, "type it: ")), "{page}");
                    let end = phone.sends(&page, "/consent", &[("decision", "allow")]).await;
                    assert!(end.contains("Your device can continue"), "{issuer}: {end}");
                }
            }
        };
        let metadata = discover(&http, &issuer).await.expect("metadata");
        let show = |text: String| *shown.lock().expect("no panic") = text;
        let tokens = with_a_code(&http, metadata, show, wait).await.expect("tokens");
        assert_eq!(who(&issuer, &tokens).await, "ada [\"profile\"]");
        assert!(waited.load(std::sync::atomic::Ordering::SeqCst) >= 3);
    }

    #[actix_web::test]
    async fn it_takes_no_metadata_of_another_issuer() {
        let issuer = server(Clock::system());
        let other = format!("{issuer}/");
        let refused = discover(&http().expect("a client"), &other).await.err().expect("an error");
        assert_eq!(refused.to_string(), "the metadata are of another issuer");
    }
}
