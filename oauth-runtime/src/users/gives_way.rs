//! Whether the author's asynchronous function gives way: one that computes, or waits without `.await`, stops its worker.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// What is known of one function.
pub(crate) struct GivesWay {
    name: &'static str,
    told: Mutex<Option<Instant>>,
}

impl GivesWay {
    pub(crate) fn new(name: &'static str) -> Self {
        GivesWay { name, told: Mutex::new(None) }
    }

    /// The same future, each of whose polls is timed.
    pub(crate) async fn watch<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|context| {
            let begun = Instant::now();
            let polled = future.as_mut().poll(context);
            let took = begun.elapsed();
            if took > LONG {
                self.tell(took, begun);
            }
            polled
        })
        .await
    }

    /// Logs it, but only now and then: the cure is the same each time.
    fn tell(&self, took: Duration, now: Instant) -> bool {
        let mut told = self.told.lock();
        if told.is_some_and(|told| now.saturating_duration_since(told) < PAUSE) {
            return false;
        }
        *told = Some(now);
        tracing::warn!(
            target: "oauth",
            function = self.name,
            took = ?took,
            "{0} did not give way, and its worker answered no one meanwhile: a password hash, a file, or a database without \
             .await belongs in .{0}_blocking(..)",
            self.name
        );
        true
    }
}

/// A poll in which nothing blocks takes far less, and a password hash more.
const LONG: Duration = Duration::from_millis(50);
/// Between two lines of the log about one function.
const PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_told_once_a_minute() {
        let (one, other) = (GivesWay::new("authenticate"), GivesWay::new("reload"));
        let begun = Instant::now();
        let tell = |it: &GivesWay, after| it.tell(LONG, begun + Duration::from_secs(after));
        assert_eq!([0, 1, 59, 60, 61].map(|after| tell(&one, after)), [true, false, false, true, false]);
        assert!(tell(&other, 1), "each for itself");
    }
}
