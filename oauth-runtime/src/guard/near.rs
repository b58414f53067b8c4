//! Tokens that came to this thread before: found again without synchronizing with other threads.
//!
//! A look-up in a shared cache writes to it, and so does each clone of an [`Arc`]: with one token on two threads, each
//! would wait for the other. So a thread keeps the few tokens that it sees again and again, in copies of its own. This
//! decides nothing: expiry, the keys and whether a token stands are checked on every use.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use crate::keys::Verified;
use crate::model::Timestamp;

/// A token that was verified.
#[derive(Clone)]
pub(crate) enum Known {
    /// Only this thread has it.
    Near(Rc<Near>),
    /// All threads may have it.
    Shared(Arc<Verified>),
}

impl Known {
    /// For use beyond the request, possibly on another thread.
    pub(crate) fn into_shared(self) -> Arc<Verified> {
        match self {
            Known::Near(near) => Arc::clone(&near.verified),
            Known::Shared(verified) => verified,
        }
    }
}

impl Deref for Known {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        match self {
            Known::Near(near) => &near.verified,
            Known::Shared(verified) => verified,
        }
    }
}

/// A token that a thread keeps.
pub(crate) struct Near {
    of: Of,
    hash: u64,
    token: Box<[u8]>,
    verified: Arc<Verified>,
    /// When it last stood.
    stood: Cell<Option<Stood>>,
}

/// In which cache a token is, and the generation of the keys that verified it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of {
    pub(crate) cache: u64,
    pub(crate) generation: u64,
}

/// What a token's standing depends on: while both are the same, so is the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stood {
    /// The changes of what the store keeps about its subject.
    pub(crate) changes: u64,
    pub(crate) at: Timestamp,
}

impl Near {
    /// The hash is of the end of its signature: a caller who does not have that learns nothing about the rest from how
    /// long this takes.
    fn is(&self, of: Of, token: &[u8], hash: u64) -> bool {
        self.hash == hash && self.of == of && *self.token == *token
    }

    /// Whether it is known to stand.
    pub(crate) fn stands(&self, as_of: Stood) -> bool {
        self.stood.get() == Some(as_of)
    }

    /// The store said so.
    pub(crate) fn note_standing(&self, as_of: Stood) {
        self.stood.set(Some(as_of));
    }
}

/// What this thread keeps of a token, found by `hash`.
pub(crate) fn get(of: Of, token: &[u8], hash: u64) -> Option<Rc<Near>> {
    PLACES.with_borrow_mut(|places| {
        let Place { near, came } = place(places, hash)?;
        let near = near.as_ref().filter(|near| near.is(of, token, hash))?;
        *came = 0;
        Some(Rc::clone(near))
    })
}

/// A token from the shared cache came to this thread. It is kept here the second time, unless the token in its place
/// came meanwhile: so the most frequent token keeps the place, which is not rewritten for each new one.
pub(crate) fn note(of: Of, token: &[u8], hash: u64, verified: Arc<Verified>) -> Known {
    PLACES.with_borrow_mut(|places| match place(places, hash) {
        Some(Place { near, came }) if *came == hash => {
            let kept = Rc::new(Near { of, hash, token: token.into(), verified, stood: Cell::new(None) });
            *near = Some(Rc::clone(&kept));
            Known::Near(kept)
        }
        place => {
            if let Some(place) = place {
                place.came = hash;
            }
            Known::Shared(verified)
        }
    })
}

/// Forgets a token, which will not become valid again.
pub(crate) fn forget(token: &[u8], hash: u64) {
    PLACES.with_borrow_mut(|places| {
        if let Some(place) = place(places, hash) {
            place.near.take_if(|near| near.hash == hash && *near.token == *token);
        }
    });
}

fn place(places: &mut [Place], hash: u64) -> Option<&mut Place> {
    places.get_mut(hash as usize % PLACES_OF_A_THREAD)
}

struct Place {
    near: Option<Rc<Near>>,
    /// The token that came last and is not kept here.
    came: u64,
}

/// Each holds a token of at most the ordinary size: half a MiB if all do.
const PLACES_OF_A_THREAD: usize = 128;

thread_local! {
    static PLACES: RefCell<[Place; PLACES_OF_A_THREAD]> =
        const { RefCell::new([const { Place { near: None, came: 0 } }; PLACES_OF_A_THREAD]) };
}
