//! A store that answers in time, or is taken to be away.

use std::sync::Arc;
use std::time::Duration;

use crate::store::{About, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, StoreError, Swap};

/// Gives every call of another store this long. What it does after that is unknown.
pub(crate) struct Deadline {
    store: Arc<dyn Store>,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn new(store: Arc<dyn Store>, limit: Duration) -> Self {
        Deadline { store, limit }
    }

    fn within<'a, T: Send + Unpin + 'a>(&self, reply: Reply<'a, T>) -> Reply<'a, T> {
        let limit = self.limit;
        reply.or_later(|reply| async move {
            match tokio::time::timeout(limit, reply).await {
                Ok(result) => result,
                Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", limit.as_secs()).into())),
            }
        })
    }
}

impl Store for Deadline {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.within(self.store.read(key))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.within(self.store.swap(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.within(self.store.count(counts))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.within(self.store.renew(bucket, was))
    }

    fn about(&self) -> About {
        self.store.about()
    }
}
