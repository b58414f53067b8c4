//! The thread for the connections.

use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::store::StoreError;
use crate::store::redis::error::unavailable;

/// A thread with a runtime of its own, in which everything runs that has to do with Redis.
///
/// A connection of the redis crate is read by a task, which ends with the runtime that connected; and the task that
/// connects again is spawned into the runtime of the call that noticed. A server of actix-web has a runtime for each of
/// its workers, and a test one for itself: the store must outlive each.
pub(super) struct Driver {
    runtime: Handle,
    /// The thread waits for its other end, and ends with us.
    _alive: oneshot::Sender<()>,
}

impl Driver {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        std::thread::Builder::new().name("oauth-redis".to_owned()).spawn(move || {
            // An error says that the other end is gone, which is what is waited for.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Driver { runtime: handle, _alive: alive })
    }

    /// Runs a future in the thread, to its end, even if its answer is no longer awaited.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.runtime.spawn(future).await {
            Ok(result) => result,
            Err(why) => Err(unavailable(format!("Redis: the thread of the connections failed: {why}"))),
        }
    }
}
