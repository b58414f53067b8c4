//! For tests: what the guards decided about one request.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::policy::Guard;

/// The decisions, noted in a request that has one of these.
#[derive(Clone, Default)]
pub(crate) struct Probe(Rc<RefCell<Vec<(&'static Guard, bool)>>>);

impl Probe {
    pub(crate) fn decisions(&self) -> Vec<(&'static Guard, bool)> {
        self.0.take()
    }
}

/// Tells the probe, if there is one, what a guard decided.
pub(crate) fn note(request: &HttpRequest, guard: &'static Guard, admitted: bool) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.0.borrow_mut().push((guard, admitted));
    }
}
