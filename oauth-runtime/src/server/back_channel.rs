//! Notifies clients that a session ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! A dedicated thread posts to them, so that no sign-out waits for a client. Waiting posts are in the memory of this
//! process, and bounded.

use std::cell::{Cell, RefCell};
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
        // Back-Channel Logout §2.5: only the status of the answer counts, and a redirect is not one of those.
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

/// The deliveries under way.
struct Desk {
    server: Weak<Server>,
    http: Client,
    at_once: Semaphore,
    of_clients: RefCell<HashMap<String, Rc<OfClient>>>,
    waiting: Cell<usize>,
}

/// The deliveries under way to one client.
struct OfClient {
    at_once: Semaphore,
    waiting: Cell<usize>,
}

async fn run(server: Weak<Server>, http: Client, mut ended: Receiver<EndedFor>) {
    let desk = Rc::new(Desk {
        server,
        http,
        at_once: Semaphore::new(MOST_AT_ONCE),
        of_clients: RefCell::default(),
        waiting: Cell::default(),
    });
    while let Some(ended) = ended.recv().await {
        let of_client = desk.of_client(&ended.client);
        if desk.waiting.get() >= MOST_WAITING || of_client.waiting.get() >= MOST_OF_CLIENT {
            desk.tell(&ended, Err("too_many"));
            continue;
        }
        desk.waiting.update(|waiting| waiting + 1);
        of_client.waiting.update(|waiting| waiting + 1);
        let desk = Rc::clone(&desk);
        tokio::task::spawn_local(async move {
            let delivered = tokio::time::timeout(PATIENCE, desk.deliver(&of_client, &ended)).await;
            desk.tell(&ended, delivered.unwrap_or(Err("no_answer")));
            desk.waiting.update(|waiting| waiting - 1);
            of_client.waiting.update(|waiting| waiting - 1);
            desk.of_clients.borrow_mut().retain(|_, of_client| of_client.waiting.get() > 0);
        });
    }
}

impl Desk {
    fn of_client(&self, client: &str) -> Rc<OfClient> {
        let new = || OfClient { at_once: Semaphore::new(MOST_AT_ONCE_OF_CLIENT), waiting: Cell::default() };
        let mut of_clients = self.of_clients.borrow_mut();
        Rc::clone(of_clients.entry(client.to_owned()).or_insert_with(|| Rc::new(new())))
    }

    fn tell(&self, ended: &EndedFor, delivered: Result<(), &'static str>) {
        if let Some(server) = self.server.upgrade() {
            tell(&server, ended, delivered);
        }
    }

    /// Posts until the client has accepted or refused it, or failed to answer too often.
    async fn deliver(&self, of_client: &OfClient, ended: &EndedFor) -> Result<(), &'static str> {
        let mut outcome = Err("no_answer");
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            // A client that does not answer hardly delays the others. Neither semaphore is ever closed.
            let Ok(_of_client) = of_client.at_once.acquire().await else { return outcome };
            let Ok(_of_all) = self.at_once.acquire().await else { return outcome };
            outcome = match prepared(&self.server, ended).await {
                Ok(Some((uri, token))) => self.post(uri, token, ended).await,
                // The service or the client is gone: there is no one to notify.
                Ok(None) => return Err("no_client"),
                // That is not known now, and may be at the next try.
                Err(why) => Err(why),
            };
            if matches!(outcome, Ok(()) | Err("refused")) {
                break;
            }
        }
        outcome
    }

    async fn post(&self, uri: String, token: String, ended: &EndedFor) -> Result<(), &'static str> {
        let client = &ended.client;
        let answer = match self.http.post(&uri).form(&[("logout_token", token)]).send().await {
            Ok(answer) => answer.status(),
            Err(why) => {
                let source = why.source().map(|source| source.to_string());
                tracing::info!(target: "oauth", client, uri, %why, source, "a client did not answer to a logout token");
                return Err("no_answer");
            }
        };
        match answer {
            // Back-Channel Logout §2.8: 200, and some frameworks send 204
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            // A busy client may accept it later.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err("no_answer"),
            status => {
                tracing::info!(target: "oauth", client, uri, %status, "a client did not take a logout token");
                // A redirect is not followed, and trying again would not help.
                Err(if status.is_server_error() { "no_answer" } else { "refused" })
            }
        }
    }
}

/// The address, and a fresh token; `None` if there is no such client any more. An error is the outcome of one try.
async fn prepared(server: &Weak<Server>, ended: &EndedFor) -> Result<Option<(String, String)>, &'static str> {
    let Some(server) = server.upgrade() else { return Ok(None) };
    let client = server.clients().find(&ended.client).await.map_err(|_| "clients_away")?;
    let Some(client) = client else { return Ok(None) };
    let Some(uri) = client.logout_uri.clone() else { return Ok(None) };
    let asked = client.id_token_algorithm;
    let token = server.keys().sign_for_client(LOGOUT_TOKEN, asked, |_| claims(&server, &client, ended));
    token.map(|token| Some((uri, token))).ok_or("no_key")
}

/// Back-Channel Logout §2.4, and no other claims: a `nonce` would make it an ID token.
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

/// The pause before each try.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
const TIMEOUT: Duration = Duration::from_secs(5);
/// Back-Channel Logout §2.4 recommends two minutes at most.
const LIFETIME: Duration = Duration::from_secs(120);
/// How long to try, from the end of the session on.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many wait, including those that are tried again.
const MOST_WAITING: usize = 16_384;
const MOST_OF_CLIENT: usize = 4_096;
/// How many connections are open at once.
const MOST_AT_ONCE: usize = 32;
const MOST_AT_ONCE_OF_CLIENT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Login};

    fn service(uri: &str, on_event: impl Fn(&Event) + Send + Sync + 'static) -> OAuthService {
        OAuthService::builder()
            .untyped_claims()
            .issuer("http://127.0.0.1:8000")
            .scope("openid", "Know who you are")
            .client(crate::Client::public("shop").redirect_uri("https://shop.example/cb").backchannel_logout_uri(uri))
            .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
            .reload(async |_: &str| Some(json!({})))
            .on_event(on_event)
            .build()
            .expect("a service")
    }

    fn desk(service: &OAuthService) -> Desk {
        Desk {
            server: Arc::downgrade(&service.0),
            http: Client::new(),
            at_once: Semaphore::new(1),
            of_clients: RefCell::default(),
            waiting: Cell::default(),
        }
    }

    fn ended(client: &str) -> EndedFor {
        EndedFor { client: client.to_owned(), subject: "ada".to_owned(), session: "s".to_owned() }
    }

    /// None of them is done before the last has come: each is tried again after a second, and the time stands still.
    #[tokio::test(start_paused = true)]
    async fn more_than_may_wait_for_a_client_are_given_up_at_once() {
        let (told, events) = std::sync::mpsc::channel();
        let service = service("http://127.0.0.1:1/told", move |event| {
            let _ = told.send((event.kind, event.reason));
        });
        let (sender, waiting) = channel(MOST_OF_CLIENT + 1);
        for _ in 0..=MOST_OF_CLIENT {
            sender.try_send(ended("shop")).expect("room");
        }
        drop(sender);
        LocalSet::new().run_until(run(Arc::downgrade(&service.0), Client::new(), waiting)).await;
        let first = events.recv_timeout(Duration::from_secs(60)).expect("an event");
        assert_eq!(first, (EventKind::LogoutNotTold, Some("too_many")));
    }

    /// The runtime's time is paused here: it advances when there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn one_that_never_answers_is_asked_four_times_and_given_up() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
        let service = service(&format!("http://{closed}/told"), |_| {});
        let desk = desk(&service);
        let deliver = async |client| desk.deliver(&desk.of_client(client), &ended(client)).await;
        let begun = tokio::time::Instant::now();
        assert_eq!(deliver("shop").await, Err("no_answer"));
        assert!(begun.elapsed() >= Duration::from_secs(71), "{:?}", begun.elapsed());
        assert_eq!(deliver("gone").await, Err("no_client"));
        drop(service);
        assert_eq!(deliver("shop").await, Err("no_client"), "nothing keeps a service alive");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_not_known_now_is_asked_for_at_each_try() {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let service = OAuthService::builder()
            .untyped_claims()
            .issuer("http://127.0.0.1:8000")
            .scope("openid", "Know who you are")
            .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
            .reload(async |_: &str| Some(json!({})))
            .clients(async move |id: &str| match id {
                "shop" => {
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    Err("the database is away")
                }
                _ => Ok(None),
            })
            .build()
            .expect("a service");
        let desk = desk(&service);
        let deliver = async |client| desk.deliver(&desk.of_client(client), &ended(client)).await;
        assert_eq!(deliver("shop").await, Err("clients_away"));
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), PAUSES.len());
        let begun = tokio::time::Instant::now();
        assert_eq!(deliver("gone").await, Err("no_client"), "the function knows that there is none");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
