//! The request in which something happens, known wherever an event is reported, and answered to its end once something was
//! written.

use std::cell::Cell;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
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
pub(crate) struct ToItsEnd<F: Future + 'static> {
    answer: Option<Pin<Box<F>>>,
    go_on: fn(Pin<Box<F>>),
}

impl<F: Future + 'static> ToItsEnd<F> {
    /// In the thread of its worker.
    pub(crate) fn of(answer: Pin<Box<F>>) -> Self {
        let go_on = |answer| drop(tokio::task::spawn_local(the_rest(answer)));
        ToItsEnd { answer: Some(answer), go_on }
    }
}

/// What the application asks of the service itself, in a handler of its own that actix drops as well, or in any other task: it
/// goes on in the same way.
pub(crate) async fn to_its_end<F>(asked: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let go_on = |asked| {
        // Outside of a runtime there is nothing that it could go on in.
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn(the_rest(asked)));
        }
    };
    during(current(), ToItsEnd { answer: Some(Box::pin(asked)), go_on }).await
}

/// In the request and the span in which it began.
fn the_rest<F: Future>(answer: Pin<Box<F>>) -> impl Future<Output = ()> + use<F> {
    during(current(), async move { drop(answer.await) }.in_current_span())
}

impl<F: Future + 'static> Future for ToItsEnd<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Moved out of here while it runs: after a panic there is nothing to go on with.
        let Some(mut answer) = self.answer.take() else { return Poll::Pending };
        let polled = answer.as_mut().poll(context);
        if polled.is_pending() {
            self.answer = Some(answer);
        }
        polled
    }
}

impl<F: Future + 'static> Drop for ToItsEnd<F> {
    fn drop(&mut self) {
        let has_written = CURRENT.try_with(|current| current.has_written.get()).unwrap_or_default();
        if let Some(answer) = self.answer.take().filter(|_| has_written && !std::thread::panicking()) {
            (self.go_on)(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
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

    /// In any task: there is no worker of actix.
    #[tokio::test]
    async fn what_the_application_asks_for_goes_on_as_well() {
        let (go, waits) = oneshot::channel::<()>();
        let (ends, mut ended) = mpsc::unbounded_channel();
        let mut asking = Box::pin(to_its_end(async move {
            writes();
            let _ = waits.await;
            let _ = ends.send(());
        }));
        assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(asking);
        let _ = go.send(());
        assert_eq!(ended.recv().await, Some(()));
    }

    #[test]
    fn what_goes_on_ends_with_what_runs_it() {
        let stuck = || async {
            writes();
            pending::<()>().await;
        };
        let mut asking = Box::pin(to_its_end(stuck()));
        assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(asking);
        // As where a worker ends while it answers.
        let (runtime, local) = (tokio::runtime::Builder::new_current_thread().build().expect("one"), LocalSet::new());
        local.spawn_local(during(Request::default(), ToItsEnd::of(Box::pin(stuck()))));
        local.spawn_local(to_its_end(stuck()));
        local.block_on(&runtime, tokio::task::yield_now());
        drop(local);
        drop(runtime);
    }
}
