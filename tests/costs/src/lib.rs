//! What requests cost, counted in instructions, and what the tests over the wire have in common with it: a server on a free
//! port, and a few constants.
#![allow(clippy::unwrap_used)]

mod ask;
pub mod flows;
pub mod keys;
pub mod oxide;
pub mod rows;
mod wire;

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};

use crate::flows::{Caller, Flow};
use crate::rows::{Row, Rows};

/// The verifier of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge that belongs to [`VERIFIER`].
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the client `demo` is sent; registered without the port.
pub const REDIRECT: &str = "http://127.0.0.1:7777/callback";
/// The secret of the services, and of clients.
pub const SECRET: &str = "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=";

/// What no load of the machine reaches. Only what hangs does.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A running server; it stops when this is dropped.
pub struct Server {
    /// Scheme, host and port it listens on.
    pub base: String,
    handle: ServerHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent at once; its end need not be waited for.
        drop(self.handle.stop(false));
    }
}

/// A free port, and its address.
pub fn free_port() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

/// Serves an `App` on a listener, in a thread with an actix system of its own.
pub fn serve(listener: TcpListener, app: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Server {
    serve_with(2, listener, app)
}

/// As [`serve`], with this many workers.
pub fn serve_with(
    workers: usize,
    listener: TcpListener,
    app: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || App::new().configure(app.clone()))
                .workers(workers)
                .backlog(4096)
                // On a busy machine a client may be slow; the server is never the first to hang up.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(Duration::ZERO)
                .disable_signals()
                .shutdown_timeout(1)
                .listen(listener)
                .unwrap()
                .run();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    Server { base, handle: receiver.recv().unwrap() }
}

/// How often something is done before it counts, and how often then.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// What starting costs, and what is slower the first time, is over after these.
    pub before: u64,
    /// The count is of these.
    pub counted: u64,
}

impl Times {
    /// From the command line.
    pub fn parse(before: &str, counted: &str) -> Option<Times> {
        Some(Times { before: before.parse().ok().filter(|before| *before > 0)?, counted: counted.parse().ok()? })
    }

    /// Asks as often as this says, with [`MARK`] before what is counted, after it, and again: what lies between the last two is
    /// what a mark costs.
    fn ask<T>(self, caller: &mut T, once: impl Fn(&mut T), mark: impl Fn(&mut T)) {
        for _ in 0..self.before {
            once(caller);
        }
        mark(caller);
        for _ in 0..self.counted {
            once(caller);
        }
        mark(caller);
        mark(caller);
    }
}

/// A path at which the worker's profile is written down and begins again.
const MARK: &str = "/mark";

/// Adds it as the last of an `App`'s routes: those above it are found as if it were not there.
fn with_mark(
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |app| {
        configure(app);
        app.route(MARK, web::get().to(mark));
    }
}

async fn mark() -> &'static str {
    dump_here();
    "marked"
}

/// `run.sh` gives its name to callgrind.
#[inline(never)]
fn dump_here() {
    std::hint::black_box(());
}

/// Serves a row by one worker, and asks it so many times over one connection.
pub async fn count(rows: &Rows, row: Row, times: Times) {
    let (listener, base) = free_port();
    let server = serve_with(1, listener, with_mark(rows.configure(row)));
    let authorization = rows.authorization(row);
    // Connections of a store's may be of this thread: it must stay free for them.
    web::block(move || ask::ask(row, authorization.as_ref(), &base, times)).await.unwrap();
    drop(server);
}

/// The same of what takes several requests.
pub async fn count_flow(flow: Flow, times: Times) {
    // The first random bytes of a process cost as much as a thousand sign-ins, and not the same each time.
    aws_lc_rs::rand::fill(&mut [0; 16]).unwrap();
    let (listener, base) = free_port();
    let server = serve_with(1, listener, with_mark(flow.site().configure()));
    let asked = move || {
        times.ask(&mut Caller::new(flow, &base), Caller::once, Caller::mark);
    };
    web::block(asked).await.unwrap();
    drop(server);
}
