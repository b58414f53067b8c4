//! Tells clients that a session ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! A thread of its own posts to them, so that no sign-out waits for a client. What waits is in the memory of this process, and
//! bounded.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as _;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, retry};
use serde_json::{Map, Value, json};
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::LocalSet;

use crate::event::{EventKind, Fact};
use crate::keys::LOGOUT_TOKEN;
use crate::keys::sealed::SESSION;
use crate::model::client::RegisteredClient;
use crate::model::id::random_id;
use crate::model::record::EndedFor;
use crate::server::{OAuthService, Server};

/// Starts the thread, which ends with the service.
pub(crate) fn start(service: &OAuthService) -> Result<(), String> {
    let http = Client::builder()
        // Back-Channel Logout §2.5: what it answers is a status, and a redirect is none of those.
        .redirect(Policy::none())
        .retry(retry::never())
        .referer(false)
        .timeout(TIMEOUT)
        .user_agent(concat!("oauth-runtime/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|why| why.to_string())?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(|why| why.to_string())?;
    let (sender, ended) = channel(MOST_WAITING);
    let server = Arc::downgrade(&service.0);
    let run = move || LocalSet::new().block_on(&runtime, run(server, http, ended));
    std::thread::Builder::new().name("oauth-logout".to_owned()).spawn(run).map_err(|why| why.to_string())?;
    let server = Arc::downgrade(&service.0);
    service.server().ledger().tell_ended_by(Box::new(move |ended| {
        if let Err(lost) = sender.try_send(ended)
            && let Some(server) = server.upgrade()
        {
            tell(&server, &lost.into_inner(), Err("too_many"));
        }
    }));
    Ok(())
}

/// How many waits there are, by their clients.
type Waiting = Rc<RefCell<HashMap<String, usize>>>;

async fn run(server: Weak<Server>, http: Client, mut ended: Receiver<EndedFor>) {
    let waiting = Waiting::default();
    let at_once = Rc::new(Semaphore::new(MOST_AT_ONCE));
    while let Some(ended) = ended.recv().await {
        // One that does not answer keeps the others from nothing.
        let of_client = waiting.borrow().get(&ended.client).copied().unwrap_or_default();
        if of_client >= MOST_OF_CLIENT {
            server.upgrade().inspect(|server| tell(server, &ended, Err("too_many")));
            continue;
        }
        *waiting.borrow_mut().entry(ended.client.clone()).or_default() += 1;
        let (server, http, waiting, at_once) = (server.clone(), http.clone(), Rc::clone(&waiting), Rc::clone(&at_once));
        tokio::task::spawn_local(async move {
            let delivered = deliver(&server, &http, &at_once, &ended).await;
            server.upgrade().inspect(|server| tell(server, &ended, delivered));
            let mut waiting = waiting.borrow_mut();
            if let Some(count) = waiting.get_mut(&ended.client) {
                *count -= 1;
            }
            waiting.retain(|_, count| *count > 0);
        });
    }
}

/// Posts until the client has taken it, or refused it, or did not answer too often.
async fn deliver(
    server: &Weak<Server>,
    http: &Client,
    at_once: &Semaphore,
    ended: &EndedFor,
) -> Result<(), &'static str> {
    let mut outcome = Err("no_answer");
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        // The service is gone, or has the client no more: there is none to tell.
        let Some((uri, token)) = prepared(server, ended).await? else { return Err("no_client") };
        let Ok(_place) = at_once.acquire().await else { return outcome };
        outcome = match http.post(uri).form(&[("logout_token", token)]).send().await {
            // Back-Channel Logout §2.8: 200, and some frameworks say 204
            Ok(answer) if matches!(answer.status(), StatusCode::OK | StatusCode::NO_CONTENT) => return Ok(()),
            Ok(answer) if answer.status().is_client_error() => {
                tracing::debug!(target: "oauth", client = ended.client, status = %answer.status(), "it refused a logout token");
                return Err("refused");
            }
            Ok(answer) => {
                tracing::debug!(target: "oauth", client = ended.client, status = %answer.status(), "it did not take a logout token");
                Err("no_answer")
            }
            Err(why) => {
                tracing::debug!(target: "oauth", client = ended.client, %why, source = ?why.source(), "it did not answer");
                Err("no_answer")
            }
        };
    }
    outcome
}

/// Where to, and a token that is fresh.
async fn prepared(server: &Weak<Server>, ended: &EndedFor) -> Result<Option<(String, String)>, &'static str> {
    let Some(server) = server.upgrade() else { return Ok(None) };
    let client = server.clients().find(&ended.client).await.map_err(|_| "no_client")?;
    let Some(client) = client else { return Ok(None) };
    let Some(uri) = client.logout_uri.clone() else { return Ok(None) };
    let asked = client.id_token_algorithm;
    let token = server.keys().sign_for_client(LOGOUT_TOKEN, asked, |_| claims(&server, &client, ended));
    token.map(|token| Some((uri, token))).ok_or("no_key")
}

/// Back-Channel Logout §2.4, and nothing else: a `nonce` would make it an ID token.
fn claims(server: &Server, client: &RegisteredClient, ended: &EndedFor) -> Map<String, Value> {
    let now = server.now();
    [
        ("iss", json!(server.issuer().as_str())),
        ("sub", json!(ended.subject)),
        ("aud", json!(client.client_id)),
        ("iat", json!(now)),
        ("exp", json!(now + LIFETIME)),
        ("jti", json!(random_id())),
        ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
        (SESSION, json!(client.name_of_session(&ended.session))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

fn tell(server: &Server, ended: &EndedFor, delivered: Result<(), &'static str>) {
    let (kind, reason) = match delivered {
        Ok(()) => (EventKind::LogoutTold, None),
        Err(why) => (EventKind::LogoutNotTold, Some(why)),
    };
    let fact = Fact::of(kind).subject(&ended.subject).client(&ended.client).session(Some(&ended.session));
    server.tell(reason.map_or(fact, |reason| fact.reason(reason)));
}

/// Before each try.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
const TIMEOUT: Duration = Duration::from_secs(5);
/// Back-Channel Logout §2.4 recommends two minutes at most.
const LIFETIME: Duration = Duration::from_secs(120);
/// How many wait to be looked at.
const MOST_WAITING: usize = 1_024;
/// How many of one client are tried at the same time, or wait to be tried again.
const MOST_OF_CLIENT: usize = 128;
/// How many connections there are at once.
const MOST_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Login, OAuthService};

    fn service(uri: String) -> OAuthService {
        OAuthService::builder()
            .untyped_claims()
            .issuer("http://127.0.0.1:8000")
            .scope("openid", "Know who you are")
            .client(Client::public("shop").redirect_uri("https://shop.example/cb").backchannel_logout_uri(uri))
            .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
            .reload(async |_: &str| Some(json!({})))
            .build()
            .expect("a service")
    }

    fn ended(client: &str) -> EndedFor {
        EndedFor { client: client.to_owned(), subject: "ada".to_owned(), session: "s".to_owned() }
    }

    /// Time is the runtime's own here: it goes on where there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn one_that_never_answers_is_asked_four_times_and_given_up() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
        let service = service(format!("http://{closed}/told"));
        let (http, at_once) = (reqwest::Client::new(), Semaphore::new(1));
        let begun = tokio::time::Instant::now();
        let delivered = deliver(&Arc::downgrade(&service.0), &http, &at_once, &ended("shop")).await;
        assert_eq!(delivered, Err("no_answer"));
        assert!(begun.elapsed() >= Duration::from_secs(71), "{:?}", begun.elapsed());
        assert_eq!(deliver(&Arc::downgrade(&service.0), &http, &at_once, &ended("gone")).await, Err("no_client"));
        let gone = Arc::downgrade(&service.0);
        drop(service);
        assert_eq!(
            deliver(&gone, &http, &at_once, &ended("shop")).await,
            Err("no_client"),
            "nothing keeps a service alive"
        );
    }
}
