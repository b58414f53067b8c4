//! How many calls of a function that blocks run at once, and who waits for a place.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::select;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::limit::room::{From, Room};
use crate::limit::running::latest;
use crate::limit::{Attempt, Limits};
use crate::users::no_answer::NoAnswer;

/// The places of one function, and those who wait for one, in the order in which they came.
pub(crate) struct Places {
    any: Arc<Semaphore>,
    /// Only for known browsers, so that a flood from elsewhere does not keep their users waiting.
    kept: Arc<Semaphore>,
    room: Arc<Room>,
}

/// Who asks for a place.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// A counted attempt: if it had to wait, the failures of its network are looked at again.
    Attempt(&'a Limits, &'a Attempt),
    /// This user, who has signed in.
    User(&'a str),
}

impl Places {
    /// A quarter is kept for known browsers, and one at least where there are two.
    pub(crate) fn new(all: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        let kept = (all / 4).max(usize::from(all > 1));
        let of = |places| Arc::new(Semaphore::new(places));
        Places { any: of(all - kept), kept: of(kept), room: Arc::default() }
    }

    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.any.available_permits() + self.kept.available_permits()
    }

    /// Waits for a place: an attempt until its own deadline, a user for this long.
    pub(crate) async fn take(&self, caller: Caller<'_>, patience: Duration) -> Result<OwnedSemaphorePermit, NoAnswer> {
        let (is_known, from, latest) = match caller {
            Caller::Attempt(_, attempt) => (attempt.is_known(), attempt.from(), attempt.latest()),
            Caller::User(subject) => (true, Some(From::User(subject.into())), latest(patience)),
        };
        let mut next = pin!(self.next(is_known));
        if let Some(place) = next.as_mut().now_or_never() {
            return place.map_err(|_closed| NoAnswer::Busy);
        }
        let _seat = self.room.seat(from).ok_or(NoAnswer::Busy)?;
        let Ok(Ok(place)) = timeout_at(latest, next).await else { return Err(NoAnswer::Busy) };
        if let Caller::Attempt(limits, attempt) = caller {
            let may = limits.may_still(attempt).await.map_err(|error| NoAnswer::Failed(error.to_string()))?;
            may.map_err(NoAnswer::HeldUp)?;
        }
        Ok(place)
    }

    fn next(&self, is_known: bool) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + use<> {
        let any = Arc::clone(&self.any).acquire_owned();
        let kept = is_known.then(|| Arc::clone(&self.kept).acquire_owned());
        async move {
            match kept {
                Some(kept) => select(pin!(kept), pin!(any)).await.factor_first().0,
                None => any.await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::task::{Context, Poll, Waker};

    use tokio::task::unconstrained;

    use super::*;
    use crate::limit::network::Networks;
    use crate::model::name::FoldedName;
    use crate::store::MemoryStore;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn limits(patience: Duration) -> Limits {
        Limits::new(Arc::new(MemoryStore::new()), &[7; 32], patience)
    }

    async fn attempt(limits: &Limits, number: usize) -> Attempt {
        let networks = Networks::of(Some(IpAddr::from([192, 0, 2, 1])));
        let counted = limits.password(&FoldedName::of(&format!("name {number}")), &networks).await;
        counted.expect("an answer").expect("it is free")
    }

    #[tokio::test]
    async fn who_came_first_gets_the_next_place() {
        let (places, limits) = (Places::new(1), limits(PATIENCE));
        let place = places.take(Caller::User("ada"), PATIENCE).await.expect("it is free");
        let mut attempts = Vec::new();
        for number in 0..300 {
            attempts.push(attempt(&limits, number).await);
        }
        let take = |attempt| Box::pin(unconstrained(places.take(Caller::Attempt(&limits, attempt), PATIENCE)));
        let mut waiting: Vec<_> = attempts.iter().map(take).collect();
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.iter_mut().all(|waiting| waiting.as_mut().poll(&mut context).is_pending()));
        drop(place);
        let mut order = Vec::new();
        while order.len() < waiting.len() {
            // The last ones are asked first: a place goes by the order of those who wait.
            for (number, waiting) in waiting.iter_mut().enumerate().rev().filter(|(number, _)| !order.contains(number))
            {
                if let Poll::Ready(place) = waiting.as_mut().poll(&mut context) {
                    drop(place.expect("a place"));
                    order.push(number);
                    break;
                }
            }
        }
        assert_eq!(order, (0..300).collect::<Vec<_>>());
        drop(waiting);
        assert!(places.room.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gives_up_when_their_time_is_over_and_leaves_nothing_behind() {
        let (places, limits) = (Places::new(1), limits(PATIENCE));
        let place = places.take(Caller::User("ada"), PATIENCE).await.expect("it is free");
        let attempt = attempt(&limits, 0).await;
        let begun = tokio::time::Instant::now();
        assert_eq!(places.take(Caller::Attempt(&limits, &attempt), PATIENCE).await.err(), Some(NoAnswer::Busy));
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs(), "by the clock of the test");
        assert!(places.room.is_empty());
        drop(place);
        assert_eq!(places.free(), 1);
    }

    #[tokio::test]
    async fn one_user_who_is_signed_in_leaves_seats_to_others() {
        let places = Places::new(1);
        let place = places.take(Caller::User("ada"), PATIENCE).await.expect("it is free");
        let take = |subject| Box::pin(unconstrained(places.take(Caller::User(subject), PATIENCE)));
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = Vec::new();
        let refused = loop {
            let mut next = take("ada");
            match next.as_mut().poll(&mut context) {
                Poll::Pending => waiting.push(next),
                Poll::Ready(answer) => break answer.err(),
            }
        };
        assert_eq!((waiting.len(), refused), (64, Some(NoAnswer::Busy)));
        let mut bob = take("bob");
        assert!(bob.as_mut().poll(&mut context).is_pending(), "there is a seat");
        drop((waiting, place));
        assert!(bob.await.is_ok());
        assert!(places.room.is_empty());
    }

    #[tokio::test]
    async fn where_the_room_is_full_the_answer_comes_at_once() {
        let (places, limits) = (Places::new(1), limits(PATIENCE));
        let _place = places.take(Caller::User("ada"), PATIENCE).await.expect("it is free");
        let attempt = attempt(&limits, 0).await;
        let mut seats = Vec::new();
        while let Some(seat) = places.room.seat(attempt.from()) {
            seats.push(seat);
        }
        let taken = places.take(Caller::Attempt(&limits, &attempt), PATIENCE).now_or_never();
        assert_eq!(taken.expect("at once").err(), Some(NoAnswer::Busy));
    }
}
