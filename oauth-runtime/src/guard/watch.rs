//! Whether a guard decided about a request, for those who need to know.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::guard::refusal::Refusal;
use crate::policy::Guard;

/// Kept in a watched request: whether a guard has decided about it.
#[derive(Clone, Default)]
pub(crate) struct Watch(Rc<Cell<bool>>);

impl Watch {
    pub(crate) fn is_decided(&self) -> bool {
        self.0.get()
    }
}

/// Notes that a guard decided, and how.
pub(crate) fn note(request: &HttpRequest, guard: &'static Guard, refusal: Option<&Refusal>) {
    if let Some(watch) = request.extensions().get::<Watch>() {
        watch.0.set(true);
    }
    #[cfg(feature = "testing")]
    crate::guard::probe::note(request, guard, refusal);
    #[cfg(not(feature = "testing"))]
    let _ = (guard, refusal);
}
