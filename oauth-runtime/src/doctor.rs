//! A check of the running service from a client's side: for start-up, for a command line, and for tests.
//!
//! ```no_run
//! # use oauth_runtime::OAuthService;
//! async fn why_does_no_client_connect(oauth: &OAuthService) {
//!     println!("{}", oauth.doctor().await);
//! }
//! ```

mod endpoints;
mod finding;
mod http;
mod metadata;
mod pages;
mod resources;
mod shown;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

pub use finding::Finding;

use crate::doctor::http::{Ask, Http, Visit};
use crate::doctor::shown::{shown, without_user};
use crate::server::{OAuthService, Server};

impl OAuthService {
    /// Checks the running service as a client would: over HTTP, at its public URL, without signing in. The report says in
    /// sentences why a client does not connect, and what to change.
    ///
    /// It needs the same configuration as the running service. Do not call it while a user's request waits: run it from
    /// a command line, or once after a deployment. Required: the feature `doctor`, which adds an HTTP client.
    ///
    /// In a test the public URL does not exist; [`Doctor::at`] says where the service is:
    ///
    /// ```
    /// # use actix_web::{App, HttpServer, web};
    /// # use oauth_runtime::{Login, OAuthService, policy};
    /// # use serde_json::json;
    /// # #[actix_web::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let oauth = OAuthService::builder()
    ///     .issuer("https://api.example")
    ///     .mcp("https://api.example/mcp")
    ///     // and the rest
    /// #     .authenticate_blocking(|_: Login| Some(json!({ "sub": "ada" })))
    /// #     .direct_peers()
    ///     .build()
    ///     .unwrap();
    /// let served = oauth.clone();
    /// let server = HttpServer::new(move || {
    ///     let tools = web::scope("/mcp").wrap(served.require(policy!(sub)));
    ///     App::new().configure(served.routes()).service(tools)
    /// });
    /// let server = server.workers(1).bind(("127.0.0.1", 0))?;
    /// let address = format!("http://{}", server.addrs()[0]);
    /// actix_web::rt::spawn(server.run());
    ///
    /// oauth.doctor().at(address).await.assert_healthy();
    /// # Ok(())
    /// # }
    /// ```
    pub fn doctor(&self) -> Doctor {
        Doctor { oauth: self.clone(), at: None }
    }
}

/// A check that has not begun: await it.
#[derive(Clone)]
#[must_use = "a check does nothing until it is awaited"]
pub struct Doctor {
    oauth: OAuthService,
    at: Option<String>,
}

impl Doctor {
    /// Connects to this address, such as `http://127.0.0.1:8000`, and requests the public one there: for a test, or on
    /// a machine behind the proxy. Default: the public address itself.
    pub fn at(self, address: impl Into<String>) -> Self {
        Doctor { at: Some(address.into()), ..self }
    }

    async fn check(self) -> Report {
        let server = self.oauth.server();
        let issuer = server.issuer().as_str().to_owned();
        let http = match Http::new(self.at.as_deref(), server.issuer()) {
            Ok(http) => http,
            Err(why) => {
                let at = self.at.as_deref().map(|at| shown(without_user(at)));
                let finding = Finding::Unreachable { url: at.unwrap_or_else(|| issuer.clone()), why };
                return Report { issuer, visits: 0, findings: vec![finding], not_visited: Vec::new() };
            }
        };
        let mut round = Round { server, http, findings: Vec::new(), not_visited: Vec::new() };
        round.look().await;
        Report { issuer, visits: round.http.visits, findings: round.findings, not_visited: round.not_visited }
    }
}

impl IntoFuture for Doctor {
    type Output = Report;
    type IntoFuture = Pin<Box<dyn Future<Output = Report> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.check())
    }
}

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doctor").field("at", &self.at.as_deref().map(without_user)).finish_non_exhaustive()
    }
}

/// One round of visits.
struct Round<'a> {
    server: &'a Server,
    http: Http,
    findings: Vec<Finding>,
    not_visited: Vec<String>,
}

impl Round<'_> {
    /// In the order in which a client proceeds.
    async fn look(&mut self) {
        if self.metadata().await {
            self.endpoints().await;
            self.resources().await;
            self.open_scopes();
            self.sign_in_page().await;
        } else {
            self.skip("everything else, which depends on this: run it again".to_owned());
        }
        self.findings.extend(self.http.long_headers());
    }

    /// The public URL of a path of the server.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.issuer().origin())
    }

    /// The answer, unless there was an error on the way.
    async fn visit(&mut self, request: Ask) -> Option<Visit> {
        match self.http.visit(request).await {
            Ok(visit) => Some(visit),
            Err(finding) => {
                self.find(finding);
                None
            }
        }
    }

    fn open_scopes(&mut self) {
        let scopes = self.server.clients().unopened().join(" ");
        if !scopes.is_empty() {
            self.find(Finding::NoOpenScopes { scopes });
        }
    }

    /// Notes what is not checked, and why.
    fn skip(&mut self, what: String) {
        self.not_visited.push(what);
    }

    fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// What a check found. It prints a line for each finding, or says that there is none, and a line for each thing that
/// could not be checked.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    issuer: String,
    visits: usize,
    findings: Vec<Finding>,
    not_visited: Vec<String>,
}

impl Report {
    /// Whether nothing was found that keeps a client from connecting.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.findings.is_empty()
    }

    /// What was found, in the order in which a client proceeds.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was not checked, and why, such as "the sign-in page, since requests have to be pushed".
    #[must_use]
    pub fn not_visited(&self) -> &[String] {
        &self.not_visited
    }

    /// Fails the test if anything was found.
    ///
    /// # Panics
    /// With the whole report.
    #[track_caller]
    pub fn assert_healthy(&self) {
        assert!(self.is_healthy(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { issuer, visits, findings, not_visited } = self;
        match findings.len() {
            0 => write!(f, "{issuer}: a client can connect ({visits} requests were answered as they should be)")?,
            1 => write!(f, "{issuer}: 1 obstacle for a client")?,
            count => write!(f, "{issuer}: {count} obstacles for a client")?,
        }
        findings.iter().try_for_each(|finding| write!(f, "\n- {finding}"))?;
        not_visited.iter().try_for_each(|what| write!(f, "\nnot visited: {what}"))
    }
}
