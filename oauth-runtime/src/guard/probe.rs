//! For tests: what the guards decided about one request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::policy::Guard;

/// The decisions, noted in a request that has one of these.
#[derive(Clone, Default)]
pub(crate) struct Probe {
    decisions: Rc<RefCell<Vec<(&'static Guard, bool)>>>,
    of_the_server: Rc<Cell<bool>>,
}

impl Probe {
    pub(crate) fn decisions(&self) -> Vec<(&'static Guard, bool)> {
        self.decisions.take()
    }

    /// Whether a URL of the server itself answered.
    pub(crate) fn is_of_the_server(&self) -> bool {
        self.of_the_server.get()
    }
}

pub(crate) fn answered_by_the_server(request: &HttpRequest) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.of_the_server.set(true);
    }
}

/// Tells the probe, if there is one, what a guard decided.
pub(crate) fn note(request: &HttpRequest, guard: &'static Guard, admitted: bool) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.decisions.borrow_mut().push((guard, admitted));
    }
}
