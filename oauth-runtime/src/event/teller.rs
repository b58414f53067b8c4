//! The only place that reports events, to the log and to the author's functions, so that the two cannot differ.
//!
//! The functions run on a thread of their own, and events wait for it in a queue of fixed length. No request waits for
//! them: where the queue is full an event is dropped and counted.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tracing::Level;

use crate::event::request::{self, Request};
use crate::event::{Event, Fact};
use crate::meter;
use crate::model::Clock;

/// A function of the author's.
pub(crate) type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// Tells what happens in one service.
pub(crate) struct Events {
    clock: Clock,
    /// `None` if there is only the log.
    queue: Option<Queue>,
}

struct Queue {
    sender: SyncSender<Event>,
    /// Since the last event that was taken.
    dropped: AtomicU64,
}

impl Events {
    /// Starts the thread, if there is anything for it to call. It ends with the service.
    pub(crate) fn new(clock: Clock, listeners: Vec<Listener>) -> io::Result<Self> {
        let queue = if listeners.is_empty() {
            None
        } else {
            let (sender, events) = sync_channel(WAITING);
            std::thread::Builder::new().name("oauth-events".to_owned()).spawn(move || call(&listeners, &events))?;
            Some(Queue { sender, dropped: AtomicU64::new(0) })
        };
        Ok(Events { clock, queue })
    }

    /// Tells that this happened, in the request that is being answered.
    pub(crate) fn tell(&self, fact: Fact<'_>) {
        let request = request::current();
        log(&fact, &request);
        meter::event_told(fact.kind.as_str(), fact.reason);
        if let Some(queue) = &self.queue {
            queue.push(Event {
                kind: fact.kind,
                at: self.clock.now(),
                subject: fact.subject.map(str::to_owned),
                client: fact.client.map(str::to_owned),
                grant: fact.grant.map(str::to_owned),
                session: fact.session.map(str::to_owned),
                key: fact.key.map(str::to_owned),
                address: request.address,
                reason: fact.reason,
                request: request.id.as_deref().map(str::to_owned),
                dropped: 0,
            });
        }
    }
}

impl Queue {
    fn push(&self, mut event: Event) {
        let before = self.dropped.swap(0, Ordering::Relaxed);
        event.dropped = before;
        if self.sender.try_send(event).is_err() {
            self.dropped.fetch_add(before + 1, Ordering::Relaxed);
            meter::event_dropped();
        }
    }
}

/// The same fields as an [`Event`] has.
fn log(fact: &Fact<'_>, request: &Request) {
    // A line's level is known when the program is compiled.
    macro_rules! line {
        ($level:ident) => {
            tracing::event!(
                target: "oauth",
                Level::$level,
                event = fact.kind.as_str(),
                subject = fact.subject,
                client = fact.client,
                grant = fact.grant,
                session = fact.session,
                key = fact.key,
                address = request.address.map(tracing::field::display),
                reason = fact.reason,
                request = request.id.as_deref(),
                "{}",
                fact.kind.text()
            )
        };
    }
    match fact.kind.level() {
        Level::ERROR => line!(ERROR),
        Level::WARN => line!(WARN),
        _ => line!(INFO),
    }
}

/// Calls every function with every event, until the service is gone.
fn call(listeners: &[Listener], events: &Receiver<Event>) {
    let mut has_panicked = false;
    for event in events {
        for listener in listeners {
            // What a function of the author's leaves behind when it panics is its own.
            if catch_unwind(AssertUnwindSafe(|| listener(&event))).is_err() && !has_panicked {
                has_panicked = true;
                tracing::error!(
                    target: "oauth",
                    event = event.kind.as_str(),
                    "a function given to on_event panicked; it is called again, and no further panic is logged"
                );
            }
        }
    }
}

/// How many events wait for the author's functions at most.
const WAITING: usize = 1024;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::event::EventKind;

    const LONG: Duration = Duration::from_secs(300);

    #[test]
    fn what_does_not_fit_the_queue_is_dropped_and_counted() {
        let (sender, told) = channel();
        let (open, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let listener: Listener = Box::new(move |event: &Event| {
            sender.send(event.clone()).expect("the test listens");
            let _open = gate.lock().expect("not poisoned").recv();
        });
        let events = Events::new(Clock::system(), vec![listener]).expect("a thread");
        let tell = |subject: &str| events.tell(Fact::of(EventKind::SignedIn).subject(subject));
        tell("first");
        assert_eq!(told.recv_timeout(LONG).expect("the first").dropped, 0);
        // The function has the first and does not come back: these wait, and three are too many.
        (0..WAITING + 3).for_each(|_| tell("waits"));
        drop(open);
        for _ in 0..WAITING {
            assert_eq!(told.recv_timeout(LONG).expect("one that waited").dropped, 0);
        }
        tell("last");
        let last = told.recv_timeout(LONG).expect("the last");
        assert_eq!((last.subject.as_deref(), last.dropped), (Some("last"), 3));
    }

    #[test]
    fn a_function_that_panics_is_called_again_and_the_others_are_too() {
        let (sender, told) = channel();
        let panics: Listener = Box::new(|_: &Event| panic!("of the author's function"));
        let listens: Listener = Box::new(move |event: &Event| sender.send(event.kind).expect("the test listens"));
        let events = Events::new(Clock::system(), vec![panics, listens]).expect("a thread");
        for kind in [EventKind::SignedIn, EventKind::SignedOut] {
            events.tell(Fact::of(kind));
            assert_eq!(told.recv_timeout(LONG), Ok(kind));
        }
    }

    #[test]
    fn the_thread_ends_with_the_service() {
        let (sender, told) = channel::<()>();
        let listener: Listener = Box::new(move |_: &Event| sender.send(()).expect("the test listens"));
        drop(Events::new(Clock::system(), vec![listener]).expect("a thread"));
        assert!(told.recv_timeout(LONG).is_err_and(|why| why == std::sync::mpsc::RecvTimeoutError::Disconnected));
    }

    #[tokio::test]
    async fn an_event_is_of_the_request_that_is_being_answered() {
        let (sender, told) = channel();
        let listener: Listener = Box::new(move |event: &Event| sender.send(event.clone()).expect("the test listens"));
        let events = Events::new(Clock::system(), vec![listener]).expect("a thread");
        let request = Request { id: Some("one".into()), address: Some([127, 0, 0, 1].into()) };
        request::during(request, async { events.tell(Fact::of(EventKind::SignedIn)) }).await;
        events.tell(Fact::of(EventKind::SignedIn));
        let [inside, outside] = [(); 2].map(|()| told.recv_timeout(LONG).expect("told"));
        assert_eq!((inside.request.as_deref(), inside.address), (Some("one"), Some([127, 0, 0, 1].into())));
        assert_eq!((outside.request, outside.address), (None, None));
    }
}
