//! For the tests of an application: tokens in one line, a check that no route was left open, and for each guard the
//! tokens that prove it.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::guard::Guard;

/// What the guards decided about one request; put into it by who wants to know.
#[derive(Clone, Default)]
pub(crate) struct Probe(Rc<RefCell<Vec<(&'static Guard, bool)>>>);

/// Tells the probe, if there is one, what a guard decided.
pub(crate) fn note(request: &HttpRequest, guard: &'static Guard, admitted: bool) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.0.borrow_mut().push((guard, admitted));
    }
}
