//! Operation: the store, the refusals and the cache of guards, the addresses of clients, events.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};

use crate::builder::Builder;
use crate::event::Event;
use crate::guard::refusal::Refusal;
#[cfg(feature = "testing")]
use crate::model::Clock;
use crate::server::address::ClientAddress;
use crate::store::Store;

/// # The store
impl<S> Builder<S> {
    /// The store, which remembers that a code was spent or a grant revoked. Default: this process's memory.
    pub fn store(mut self, store: impl Store) -> Self {
        self.settings.store = Some(Arc::new(store));
        self
    }

    /// How long a revocation may take to reach the guards of other processes that share the store: for so long a guard
    /// relies on the store's last answer about a user before it asks again. With zero it asks each time; there is no
    /// upper bound. Default: 2 seconds. The store in memory is always asked.
    pub fn revocation_lag(mut self, lag: Duration) -> Self {
        self.settings.patience.revocation_lag = lag;
        self
    }

    /// How long guards rely on the store's last answer while it does not respond. Everything else that needs the store
    /// is refused at once, with status 503; with zero, guards refuse at once as well. There is no upper bound. Default:
    /// 30 seconds.
    pub fn outage_tolerance(mut self, tolerance: Duration) -> Self {
        self.settings.patience.outage_tolerance = tolerance;
        self
    }

    /// How long the store may take to answer before it counts as unavailable: above zero, without an upper bound.
    /// Default: 5 seconds.
    pub fn store_deadline(mut self, deadline: Duration) -> Self {
        self.settings.patience.deadline = deadline;
        self
    }
}

/// # Operation: refusals, addresses of clients, events
impl<S> Builder<S> {
    /// Reads the time from this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Replaces the body of a guard's refusal. Status and `WWW-Authenticate` stay the guard's own.
    ///
    /// ```standalone_crate
    /// # use actix_web::{App, HttpResponse, Responder, get, test};
    /// # use oauth_runtime::{Client, Login, OAuthService, require_token};
    /// # use serde_json::json;
    /// #[require_token]
    /// #[get("/notes")]
    /// async fn notes() -> impl Responder { "Your notes." }
    ///
    /// # #[actix_web::main]
    /// # async fn main() {
    /// let oauth = OAuthService::builder()
    ///     .refusal_body(|refusal, request| {
    ///         HttpResponse::Ok().body(format!("{}: {}", request.path(), refusal.status().as_u16()))
    ///     })
    ///     // and the rest
    /// #   .issuer("http://127.0.0.1:8000").client(Client::public("demo").redirect_uri("http://127.0.0.1/"))
    /// #   .authenticate(async |login: Login| Some(json!({ "sub": login.username })))
    ///     .build()
    ///     .unwrap();
    /// let app = test::init_service(App::new().configure(oauth.routes()).service(notes)).await;
    ///
    /// let refused = test::call_service(&app, test::TestRequest::get().uri("/notes").to_request()).await;
    /// assert_eq!(refused.status(), 401);
    /// assert!(refused.headers().contains_key("www-authenticate"));
    /// assert_eq!(test::read_body(refused).await, "/notes: 401");
    /// # }
    /// ```
    pub fn refusal_body(
        mut self,
        body: impl Fn(&Refusal, &HttpRequest) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.settings.refusal_body = Some(Arc::new(body));
        self
    }

    /// Tells a refused caller the policy and the terms that decided, as `policy` and `decided` in the JSON body: for
    /// development, since it shows an attacker what to look for. The log always has both.
    pub fn danger_explain_refusals(mut self) -> Self {
        self.settings.explains_refusals = true;
        self
    }

    /// How many bytes of verified tokens are kept, so that a token that comes again is not verified again; 0 keeps
    /// none. Default: 16 MiB, enough for several thousand. Expiry and revocation are decided on every request all the same.
    /// Each thread also keeps the few that it sees most, in less than 1 MiB.
    pub fn token_cache(mut self, bytes: usize) -> Self {
        self.settings.token_cache = bytes;
        self
    }

    /// The address that a request came from: attempts to sign in are counted by it, and events have it. Default: the
    /// peer's address. The function is called for each request to the server's own URLs.
    ///
    /// Behind a reverse proxy every peer is the proxy, and all users would share one count: read the header that the
    /// proxy writes. [`client_address`](crate::client_address) has readers for the usual headers. Requests for which
    /// there is no address count as one network. An https service needs this or [`Builder::direct_peers`]; without
    /// either, an http service that delays a peer on a private network logs a warning, once.
    pub fn client_address(mut self, address: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.settings.client_address = ClientAddress::Read(Arc::new(address));
        self
    }

    /// Says that browsers connect to this service without a reverse proxy in between: failed attempts are counted by
    /// the peer's address. An https service needs this or [`Builder::client_address`].
    pub fn direct_peers(mut self) -> Self {
        self.settings.client_address = ClientAddress::Peer;
        self
    }

    /// Calls a function with everything that happens, such as a sign-in, a token or a reuse: to keep an audit trail, or to
    /// write to a user whose account was used in a new place. Call it once for each function. Default: only the log,
    /// which has the same events with the same fields.
    ///
    /// A dedicated thread calls the functions, one event after another, so they may block; no request waits for them.
    /// 1,024 events can wait for it, and what is beyond that is dropped: the next event says how many were
    /// ([`Event::dropped`]). A panic is caught, and logged the first time. Events that still wait when the process ends
    /// are lost.
    ///
    /// ```
    /// use oauth_runtime::{Event, EventKind};
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # #[actix_web::main] async fn main() {
    ///
    /// let (sender, told) = std::sync::mpsc::channel();
    /// let oauth = OAuthService::builder()
    ///     .on_event(move |event: &Event| match event.kind {
    ///         EventKind::SignedOutEverywhere => sender.send(event.subject.clone()).unwrap(),
    ///         _ => {}
    ///     })
    ///     // and the rest
    /// #   .issuer("http://127.0.0.1:8000").client(Client::public("demo").redirect_uri("http://127.0.0.1/"))
    /// #   .authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    ///     .build()
    ///     .unwrap();
    /// oauth.sign_out("alice").await.unwrap();
    /// assert_eq!(told.recv().unwrap().as_deref(), Some("alice"));
    /// # }
    /// ```
    pub fn on_event(mut self, function: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.settings.listeners.push(Box::new(function));
        self
    }
}
