//! The request in which something happens, known wherever an event is reported, and answered to its end once something was
//! written.

use std::cell::Cell;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tracing::Instrument as _;

/// What events say about their request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// None outside the server's own URLs.
    pub(crate) id: Option<Arc<str>>,
    pub(crate) address: Option<IpAddr>,
}

tokio::task_local! {
    static CURRENT: Current;
}

struct Current {
    request: Request,
    has_written: Cell<bool>,
}

/// Answers a request; events that happen meanwhile belong to it.
pub(crate) async fn during<T>(request: Request, answer: impl Future<Output = T>) -> T {
    CURRENT.scope(Current { request, has_written: Cell::new(false) }, answer).await
}

/// The request that is being answered; empty outside of one.
pub(crate) fn current() -> Request {
    CURRENT.try_with(|current| current.request.clone()).unwrap_or_default()
}

/// Notes that this request writes.
pub(crate) fn writes() {
    // Outside of a request there is nothing to note.
    let _ = CURRENT.try_with(|current| current.has_written.set(true));
}

/// An answer that goes on in a task of its own if its client goes away after something was written: what happened has to be
/// reported. Before that, it is dropped like any other, and makes room.
///
/// It belongs within [`during`].
pub(crate) struct ToItsEnd<F: Future + 'static>(Option<Pin<Box<F>>>);

impl<F: Future + 'static> ToItsEnd<F> {
    pub(crate) fn of(answer: Pin<Box<F>>) -> Self {
        ToItsEnd(Some(answer))
    }
}

impl<F: Future + 'static> Future for ToItsEnd<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Moved out of here while it runs: after a panic there is nothing to go on with.
        let Some(mut answer) = self.0.take() else { return Poll::Pending };
        let polled = answer.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(answer);
        }
        polled
    }
}

impl<F: Future + 'static> Drop for ToItsEnd<F> {
    fn drop(&mut self) {
        let has_written = CURRENT.try_with(|current| current.has_written.get()).unwrap_or_default();
        if let Some(answer) = self.0.take().filter(|_| has_written && !std::thread::panicking()) {
            let answer = async move { drop(answer.await) };
            tokio::task::spawn_local(during(current(), answer.in_current_span()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::sync::{mpsc, oneshot};
    use tokio::task::LocalSet;

    use super::*;

    /// An answer that waits for the world, and says in which request it ended.
    async fn dropped_while_it_waits(has_written: bool) -> Option<Option<Arc<str>>> {
        let (go, waits) = oneshot::channel::<()>();
        let (ends, mut ended) = mpsc::unbounded_channel();
        let answer = async move {
            if has_written {
                writes();
            }
            // Whether it ends, or was dropped, is what is asked here.
            let _ = waits.await;
            let _ = ends.send(current().id);
        };
        let request = Request { id: Some("r".into()), address: None };
        let mut answering = Box::pin(during(request, ToItsEnd::of(Box::pin(answer))));
        assert!(answering.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(answering);
        let _ = go.send(());
        ended.recv().await
    }

    #[tokio::test]
    async fn what_was_written_is_reported_though_its_client_is_gone() {
        let local = LocalSet::new();
        let ended = local.run_until(dropped_while_it_waits(true)).await;
        assert_eq!(ended, Some(Some("r".into())), "in the same request");
        assert_eq!(local.run_until(dropped_while_it_waits(false)).await, None);
    }
}
