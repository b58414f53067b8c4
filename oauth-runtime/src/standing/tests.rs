use std::time::Duration;

use super::*;
use crate::store::{Kind, MemoryStore};
use crate::testing::{Fault, FaultyStore, Verb};

const KEEP: Duration = Duration::from_secs(600);

fn ledger(store: &FaultyStore, clock: &Clock) -> Ledger {
    let events = Events::new(clock.clone(), Vec::new()).expect("no thread is needed");
    Ledger::new(Arc::new(store.clone()), clock.clone(), Patience::default(), Arc::new(events))
}

/// A store for which all callers have to wait, like a remote one.
fn remote(clock: &Clock) -> FaultyStore {
    let store = FaultyStore::new(MemoryStore::with_clock(clock.clone()));
    store.fail(Verb::ALL, Fault::Slow(Duration::ZERO));
    store
}

fn alice() -> Key {
    Key::of(Kind::Subject, "alice")
}

fn handed(as_of: AsOf) -> HandedOut<'static> {
    HandedOut { sequence: as_of.sequence, session: None, grant: None }
}

async fn sign_out(ledger: &Ledger) {
    let sign_out = |record: &mut Record, now: Timestamp| {
        record.sign_out(now);
        Ok(Decision::Write(()))
    };
    ledger.change(alice(), None, sign_out).await.expect("it is written");
}

fn is_refused<T>(checked: &Result<T, Refused>, why: Ended) -> bool {
    matches!(checked, Err(Refused::Ended(ended)) if *ended == why)
}

#[tokio::test]
async fn c42_a_sign_out_holds_at_once_here_and_elsewhere_within_the_lag() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let (here, elsewhere) = (ledger(&store, &clock), ledger(&store, &clock));
    let as_of = here.view(alice()).await.expect("an answer").as_of();
    for ledger in [&here, &elsewhere] {
        assert!(ledger.check_at_guard(alice(), as_of, handed(as_of)).await.is_ok());
    }
    let asked = store.calls(Verb::ALL);
    assert!(matches!(here.check_now(alice(), as_of, handed(as_of)), Some(Ok(_))));
    assert_eq!(store.calls(Verb::ALL), asked, "within the lag the store is not asked");

    sign_out(&here).await;
    let now = here.check_now(alice(), as_of, handed(as_of)).expect("it is known");
    assert!(is_refused(&now, Ended::SignedOut));
    assert!(matches!(elsewhere.check_now(alice(), as_of, handed(as_of)), Some(Ok(_))), "the lag");
    clock.advance(Duration::from_secs(2));
    assert!(elsewhere.check_now(alice(), as_of, handed(as_of)).is_none(), "it has to be asked");
    assert!(is_refused(&elsewhere.check_at_guard(alice(), as_of, handed(as_of)).await, Ended::SignedOut));
}

#[tokio::test]
async fn c42_what_was_made_after_the_last_look_is_not_decided_by_it() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let (here, elsewhere) = (ledger(&store, &clock), ledger(&store, &clock));
    elsewhere.view(alice()).await.expect("an answer");
    sign_out(&here).await;
    let as_of = here.view(alice()).await.expect("an answer").as_of();
    assert!(elsewhere.check_now(alice(), as_of, handed(as_of)).is_none());
    assert!(elsewhere.check_at_guard(alice(), as_of, handed(as_of)).await.is_ok());
    // Nor is what another memory gave.
    here.renew().await.expect("an answer");
    let as_of = here.view(alice()).await.expect("an answer").as_of();
    assert!(elsewhere.check_now(alice(), as_of, handed(as_of)).is_none());
    assert!(elsewhere.check_at_guard(alice(), as_of, handed(as_of)).await.is_ok());
}

#[tokio::test]
async fn while_the_store_is_away_guards_go_on_for_a_while_and_nothing_else_does() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let ledger = ledger(&store, &clock);
    let as_of = ledger.view(alice()).await.expect("an answer").as_of();
    store.fail(Verb::ALL, Fault::Unavailable);
    for seconds in [5, 24] {
        clock.advance(Duration::from_secs(seconds));
        assert!(ledger.check_at_guard(alice(), as_of, handed(as_of)).await.is_ok());
        assert!(matches!(ledger.check(alice(), as_of, handed(as_of)).await, Err(Refused::Store(_))), "introspection");
    }
    clock.advance(Duration::from_secs(1));
    assert!(matches!(ledger.check_at_guard(alice(), as_of, handed(as_of)).await, Err(Refused::Store(_))));
}

#[tokio::test]
async fn c42_a_lost_memory_and_one_that_was_put_back_refuse_what_was_made_with_it() {
    let clock = Clock::by_hand();
    let store = FaultyStore::new(MemoryStore::with_clock(clock.clone()));
    let ledger = ledger(&store, &clock);
    let before = ledger.view(alice()).await.expect("an answer").as_of();
    // A sequence from the future: the write that raised it is gone.
    let newer = AsOf { sequence: before.sequence + 1, ..before };
    assert!(ledger.check_now(alice(), newer, handed(newer)).is_none(), "it takes a write");
    assert!(is_refused(&ledger.check_at_guard(alice(), newer, handed(newer)).await, Ended::Forgotten));
    // From then on nothing of that memory is accepted.
    assert!(is_refused(&ledger.check_at_guard(alice(), before, handed(before)).await, Ended::Forgotten));
    let after = ledger.view(alice()).await.expect("an answer").as_of();
    assert!(ledger.check_at_guard(alice(), after, handed(after)).await.is_ok());
    // By hand, the same for all.
    ledger.renew().await.expect("it is renewed");
    assert!(is_refused(&ledger.check_at_guard(alice(), after, handed(after)).await, Ended::Forgotten));
}

#[tokio::test]
async fn c42_a_memory_that_was_put_back_is_found_out_by_a_write_that_was_guessed() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let ledger = ledger(&store, &clock);
    let before = ledger.view(alice()).await.expect("an answer").as_of();
    // The write that raised the sequence is gone, and this process knows nothing about the subject.
    let newer = AsOf { sequence: before.sequence + 1, ..before };
    ledger.held.clear();
    let begin = |record: &mut Record, now: Timestamp| {
        record.begin_session("session", now + KEEP, now + KEEP, now);
        Ok(Decision::Write(()))
    };
    let changed = ledger.change(alice(), Some(newer), begin).await.map(drop);
    assert!(is_refused(&changed, Ended::Forgotten));
    let after = ledger.view(alice()).await.expect("an answer");
    assert_ne!(after.as_of().incarnation, before.incarnation);
    assert_eq!(after.record().expect("it is read").sessions(clock.now()).count(), 0);
}

#[tokio::test]
async fn c42_what_another_memory_issued_writes_nothing_even_by_a_guess() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let ledger = ledger(&store, &clock);
    let before = ledger.view(alice()).await.expect("an answer").as_of();
    ledger.renew().await.expect("it is renewed");
    // From now on this process knows the record, and can guess.
    let known = ledger.view(alice()).await.expect("an answer").as_of();
    let begin = |record: &mut Record, now: Timestamp| {
        record.begin_session("session", now + KEEP, now + KEEP, now);
        Ok(Decision::Write(()))
    };
    let changed = ledger.change(alice(), Some(before), begin).await.map(drop);
    assert!(is_refused(&changed, Ended::Forgotten));
    let after = ledger.view(alice()).await.expect("an answer");
    assert_eq!(after.as_of(), known);
    assert_eq!(after.record().expect("it is read").sessions(clock.now()).count(), 0);
}

/// It carries no incarnation, as no store was asked when it was made, but the time.
#[tokio::test]
async fn c42_what_was_made_before_a_memory_began_changes_nothing_in_it() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let ledger = ledger(&store, &clock);
    let begin = |record: &mut Record, now: Timestamp| {
        record.begin_session("session", now + KEEP, now + KEEP, now);
        Ok(Decision::Write(()))
    };
    for is_known in [false, true] {
        let made = clock.now();
        clock.advance(Duration::from_secs(1));
        ledger.renew().await.expect("it is renewed");
        if is_known {
            // From now on this process can guess.
            ledger.view(alice()).await.expect("an answer");
        }
        let changed = ledger.change(Whose::from("alice").made_at(made), None, begin).await.map(drop);
        assert!(is_refused(&changed, Ended::Forgotten), "{is_known}");
        let view = ledger.view(alice()).await.expect("an answer");
        assert_eq!(view.record().expect("it is read").sessions(clock.now()).count(), 0, "{is_known}");
        let now = Whose::from("alice").made_at(clock.now());
        assert!(ledger.change(now, None, begin).await.is_ok(), "{is_known}: as new as the memory");
    }
    // A process that knows the memory, and not the record, need not ask for it.
    ledger.held.clear();
    let before = store.calls(Verb::ALL);
    let bob = Whose::from("bob").made_at(clock.now());
    ledger.view(Key::in_bucket(bob.key.bucket())).await.expect("an answer");
    ledger.change(bob, None, begin).await.expect("it is written");
    assert_eq!(store.calls(Verb::ALL) - before, 2, "of the bucket, and the write");
}

#[tokio::test]
async fn a_change_that_this_process_can_guess_takes_one_call() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let ledger = ledger(&store, &clock);
    let key = Key::of(Kind::Subject, "bob");
    let as_of = ledger.view(key).await.expect("an answer").as_of();
    let begin = |record: &mut Record, now: Timestamp| {
        record.begin_session("session", now + KEEP, now + KEEP, now);
        Ok(Decision::Write(()))
    };
    let other = self::ledger(&store, &clock);
    for (ledger, expected) in [(&ledger, 1), (&ledger, 1), (&other, 2), (&other, 1), (&ledger, 2)] {
        let before = store.calls(Verb::ALL);
        ledger.change(key, Some(as_of), begin).await.expect("it is written");
        assert_eq!(store.calls(Verb::ALL) - before, expected);
    }
}

#[tokio::test]
async fn hundreds_of_changes_at_once_lose_none() {
    let clock = Clock::by_hand();
    let store = FaultyStore::new(MemoryStore::with_clock(clock.clone()));
    store.fail(Verb::ALL, Fault::Slow(Duration::from_millis(1)));
    let ledgers = [ledger(&store, &clock), ledger(&store, &clock)];
    let spend = async |number: usize| {
        let spend = |record: &mut Record, now: Timestamp| {
            Ok(Decision::Write(record.spend(&number.to_string(), now + KEEP, now)))
        };
        ledgers[number % 2].change(alice(), None, spend).await.expect("it is written").0
    };
    let spent = futures_util::future::join_all((0..300).map(spend)).await;
    assert!(spent.into_iter().all(|it| it == Ok(crate::model::record::Spending::First)));
    let again = spend(7).await;
    assert_eq!(again, Ok(crate::model::record::Spending::Already));
}

/// Until all of it is renewed, what was revoked since the backup counts.
#[tokio::test]
async fn a_renewal_does_not_wait_for_each_bucket_by_itself() {
    let clock = Clock::by_hand();
    let store = remote(&clock);
    let ledger = ledger(&store, &clock);
    let (calls, waits) = (store.calls(Verb::ALL), store.waits());
    ledger.renew().await.expect("it is renewed");
    let (calls, waits) = (store.calls(Verb::ALL) - calls, store.waits() - waits);
    assert!(calls >= 2 * u64::from(BUCKETS) && waits <= calls / 16, "{calls} calls, {waits} waits");
}

#[tokio::test]
async fn c17_a_name_is_spent_once_and_in_no_other_memory() {
    let clock = Clock::by_hand();
    let store = FaultyStore::new(MemoryStore::with_clock(clock.clone()));
    let ledger = ledger(&store, &clock);
    let key = Key::of(Kind::Form, "form");
    let as_of = ledger.view(key).await.expect("an answer").as_of();
    assert_eq!(ledger.spend(key, as_of, KEEP).await.expect("an answer"), Spent::First);
    assert_eq!(ledger.spend(key, as_of, KEEP).await.expect("an answer"), Spent::Already);
    ledger.renew().await.expect("it is renewed");
    assert_eq!(ledger.spend(key, as_of, KEEP).await.expect("an answer"), Spent::Forgotten);
    let now = clock.now();
    assert_eq!(ledger.spend_made_at(key, now, KEEP).await.expect("an answer"), Spent::Forgotten);
    let later = now + Duration::from_secs(1);
    assert_eq!(ledger.spend_made_at(key, later, KEEP).await.expect("an answer"), Spent::First);
    assert_eq!(ledger.spend_made_at(key, later, KEEP).await.expect("an answer"), Spent::Already);
}

#[tokio::test]
async fn c42_a_memory_that_was_put_back_is_found_out_by_a_name_that_is_spent() {
    let clock = Clock::by_hand();
    let store = FaultyStore::new(MemoryStore::with_clock(clock.clone()));
    let ledger = ledger(&store, &clock);
    let key = Key::of(Kind::Form, "form");
    let before = ledger.view(key).await.expect("an answer").as_of();
    // A sequence from the future: the form may have been spent by the lost write.
    let newer = AsOf { sequence: before.sequence + 1, ..before };
    assert_eq!(ledger.spend(key, newer, KEEP).await.expect("an answer"), Spent::Forgotten);
    assert_ne!(ledger.view(key).await.expect("an answer").as_of().incarnation, before.incarnation);
}
