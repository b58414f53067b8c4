//! For tests: what the guards decided about one request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::guard::refusal::Refusal;
use crate::policy::Guard;

/// The decisions, noted in a request that has a probe.
#[derive(Clone, Default)]
pub(crate) struct Probe {
    decisions: Rc<RefCell<Vec<Noted>>>,
    of_the_server: Rc<Cell<bool>>,
    listed: Rc<Cell<bool>>,
}

/// What one guard decided.
pub(crate) struct Noted {
    pub(crate) guard: &'static Guard,
    /// Why it refused; `None` if it admitted the request.
    pub(crate) refused: Option<String>,
}

impl Probe {
    pub(crate) fn decisions(&self) -> Vec<Noted> {
        self.decisions.take()
    }

    /// Whether a URL of the server itself answered.
    pub(crate) fn is_of_the_server(&self) -> bool {
        self.of_the_server.get()
    }

    /// Whether [`Closed::public`](crate::guard::closed::Closed::public) lists its address.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.get()
    }
}

/// The policies in which an `App` and its scopes are wrapped while `making` makes it.
pub(crate) async fn wrapped_by<T>(making: impl Future<Output = T>) -> (T, Vec<&'static Guard>) {
    WRAPPED.take();
    let made = making.await;
    (made, WRAPPED.take())
}

/// A scope, a resource or the `App` is wrapped in this one.
pub(crate) fn note_wrap(guard: &'static Guard) {
    WRAPPED.with_borrow_mut(|wrapped| wrapped.push(guard));
}

thread_local! {
    /// An `App` is made by one thread.
    static WRAPPED: RefCell<Vec<&'static Guard>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn answered_by_the_server(request: &HttpRequest) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.of_the_server.set(true);
    }
}

pub(crate) fn listed_as_public(request: &HttpRequest) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.listed.set(true);
    }
}

/// Tells the probe, if there is one, what a guard decided.
pub(crate) fn note(request: &HttpRequest, guard: &'static Guard, refusal: Option<&Refusal>) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.decisions.borrow_mut().push(Noted { guard, refused: refusal.map(Refusal::why) });
    }
}
