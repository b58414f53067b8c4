//! Whether a guard decided about a request, for who wants to know it.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::guard::refusal::Refusal;
use crate::policy::Guard;

/// In a request that is watched: whether a guard has decided about it.
#[derive(Clone, Default)]
pub(crate) struct Watch(Rc<Cell<bool>>);

impl Watch {
    pub(crate) fn is_decided(&self) -> bool {
        self.0.get()
    }
}

/// Tells that a guard decided, and how.
pub(crate) fn note(request: &HttpRequest, guard: &'static Guard, refusal: Option<&Refusal>) {
    if let Some(watch) = request.extensions().get::<Watch>() {
        watch.0.set(true);
    }
    #[cfg(feature = "testing")]
    crate::guard::probe::note(request, guard, refusal);
    #[cfg(not(feature = "testing"))]
    let _ = (guard, refusal);
}
