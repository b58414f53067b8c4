//! A store that never answers, for tests.

use std::future::pending;

use crate::store::{About, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, Swap};

/// It describes itself, and answers nothing else.
pub(crate) struct Silent(pub(crate) About);

impl Store for Silent {
    fn read(&self, _: Key) -> Reply<'_, Seen> {
        Reply::later(pending())
    }

    fn swap(&self, _: Key, _: Change) -> Reply<'_, Swap> {
        Reply::later(pending())
    }

    fn count<'a>(&'a self, _: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        Reply::later(pending())
    }

    fn renew(&self, _: u16, _: Incarnation) -> Reply<'_, Incarnation> {
        Reply::later(pending())
    }

    fn about(&self) -> About {
        self.0
    }
}
