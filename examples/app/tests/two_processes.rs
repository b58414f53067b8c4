//! Two processes over the same files, behind one secret: a user goes from one to the other at every step.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, redirect::Policy};

/// A process, and a browser at it, which has its cookies from both.
struct At {
    process: Child,
    log: PathBuf,
    http: Client,
    base: String,
    origin: String,
}

impl At {
    async fn start(origin: Option<&str>, data: &Path, http: &Client) -> At {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|it| it.local_addr()).expect("a port");
        let (base, log) = (format!("http://{free}"), data.join(format!("{}.log", free.port())));
        let (origin, port) = (origin.unwrap_or(&base).to_owned(), free.port().to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_notes-app"));
        command.env("OAUTH_SECRET", "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=").env("DATA", data);
        command.env("PORT", port).env("ORIGIN", &origin).stdout(File::create(&log).expect("a file"));
        let process = command.spawn().expect("it starts");
        soon(async || http.get(&base).send().await.is_ok()).await;
        At { process, log, http: http.clone(), base, origin }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        send(self.http.post(format!("{}{path}", self.base)).header("origin", &self.origin).form(fields)).await
    }

    async fn get(&self, path: &str, token: &str) -> (u16, String) {
        send(self.http.get(format!("{}{path}", self.base)).bearer_auth(token)).await
    }

    /// The sealed request of a new sign-in page.
    async fn request(&self) -> String {
        let query = "client_id=docs&response_type=code&state=xyz&prompt=login&scope=notes:read+notes:write\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let query = format!("{query}&redirect_uri={}/docs/oauth2-redirect.html", self.origin);
        let page = self.get(&format!("/authorize?{query}"), "").await.1;
        let (_, link) = page.split_once("/account/new?request=").expect("a link");
        link.split('"').next().unwrap_or_default().to_owned()
    }

    /// The token that is mailed.
    async fn mailed(&self, typed: &str) -> String {
        let page = self.post("/account/new", &[("request", &self.request().await), ("text", typed)]).await;
        assert!(page.0 == 200 && page.1.contains("<p>We sent you a link.</p>"), "{page:?}");
        let log = fs::read_to_string(&self.log).expect("a log");
        let (_, mail) = log.rsplit_once("a mail to ada@example.com: ").expect("a mail");
        mail.split_once("?request=").and_then(|(_, link)| link.lines().next()).expect("a token").to_owned()
    }
}

impl Drop for At {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// The status, and where it leads or else the body.
async fn send(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("an answer");
    let place = answer.headers().get("location").and_then(|place| place.to_str().ok()).map(str::to_owned);
    (answer.status().as_u16(), place.unwrap_or(answer.text().await.expect("a body")))
}

async fn soon(mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "not within a minute");
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
}

#[actix_web::test]
async fn a_user_signs_up_and_sets_a_new_password_with_two_processes() {
    let data = std::env::temp_dir().join(format!("notes-app-{}", std::process::id()));
    fs::create_dir_all(&data).expect("a folder");
    let http = Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client");
    let one = At::start(None, &data, &http).await;
    let two = At::start(Some(&one.base), &data, &http).await;
    let choose = async |at: &At, token: &str, password: &str| {
        at.post("/account/password", &[("request", token), ("text", password)]).await
    };
    let login = async |at: &At, name: &str, password: &str| {
        at.post("/login", &[("request", &at.request().await), ("username", name), ("password", password)]).await.0
    };
    assert_eq!(one.get("/account/new", "").await.0, 400, "no sign-in began here");
    let link = one.mailed(" Ada@Example.com").await;
    assert_eq!(choose(&two, &link, "short").await.0, 400);
    let (_, back) = choose(&two, &link, "correct horse").await;
    assert_eq!(choose(&one, &link, "battery staple").await.0, 400, "once");
    let code = back.split_once("?code=").and_then(|(_, rest)| rest.split('&').next()).expect("a code");
    let verifier = ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let (grant, redirect) = (("grant_type", "authorization_code"), format!("{}/docs/oauth2-redirect.html", one.base));
    let fields = [grant, ("client_id", "docs"), ("code", code), verifier, ("redirect_uri", &redirect)];
    let (_, tokens) = one.post("/token", &fields).await;
    let token = |name: &str| tokens.split_once(&format!("\"{name}\":\"")).and_then(|(_, rest)| rest.split('"').next());
    let (access, refresh) = token("access_token").zip(token("refresh_token")).expect("two tokens");
    let (status, hers) = send(http.post(format!("{}/api/notes", two.base)).bearer_auth(access).body("milk")).await;
    assert_eq!(status, 201);
    assert_eq!(one.get(&hers, access).await, (200, r#"["milk"]"#.to_owned()));
    assert_eq!(login(&two, "ADA@example.com ", "correct horse").await, 303, "the same name");
    let (earlier, link) = (two.mailed("ada@example.com").await, two.mailed("ada@example.com").await);
    assert_eq!(choose(&one, &link, "battery staple").await.0, 200);
    assert_eq!(choose(&two, &earlier, "another one").await.0, 400, "it ended with the other");
    // All that the old password gave is over: at once in this process, and soon in the other.
    assert_eq!(one.get(&hers, access).await.0, 401);
    soon(async || two.get(&hers, access).await.0 == 401).await;
    let refreshing = [("grant_type", "refresh_token"), ("client_id", "docs"), ("refresh_token", refresh)];
    assert_eq!(two.post("/token", &refreshing).await.0, 400);
    assert_eq!(login(&one, "ada@example.com", "correct horse").await, 401);
    // A sign-in that begins in the second of the sign-out is refused.
    soon(async || login(&two, "ada@example.com", "battery staple").await == 303).await;
    assert_eq!(two.mailed("ada@example.com").await, link, "no fourth within the hour, and the page says nothing of it");
    drop((one, two));
    fs::remove_dir_all(data).expect("the folder is there");
}
