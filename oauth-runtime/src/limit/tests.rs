use super::*;
use crate::limit::found::LONGEST_DELAY;
use crate::limit::row::MISTYPED;
#[cfg(feature = "testing")]
use crate::model::Clock;
use crate::store::MemoryStore;

const PATIENCE: Duration = Duration::from_secs(10);

fn here() -> Networks {
    Networks::of(Some([192, 0, 2, 1].into()))
}

fn at(number: u32) -> Networks {
    Networks::of(Some(std::net::Ipv4Addr::from_bits(number).into()))
}

fn name(text: &str) -> FoldedName {
    FoldedName::of(text)
}

/// An attempt that fails, from a network of its own. `false` if it is not made.
async fn fails(limits: &Limits, text: &str) -> bool {
    let from = at(rand::random());
    let attempt = limits.answer(&name(text), None, &from).await.expect("an answer");
    attempt.is_ok()
}

/// A gate was a counter of 1 and the first to expire, so a flood of some 65,000 names opened it.
#[cfg(feature = "testing")]
#[tokio::test]
async fn c46_c47_a_flood_of_other_names_opens_no_gate() {
    let limits = Limits::new(Arc::new(MemoryStore::with(1_000, Clock::by_hand())), &[7; 32], PATIENCE);
    for _ in 0..=Kind::Answer.free() {
        assert!(fails(&limits, "victim").await);
    }
    for number in 0..100_000 {
        fails(&limits, &format!("name {number}")).await;
    }
    assert!(!fails(&limits, "victim").await, "one attempt was let through, and the delay is not over");
}

/// Many users who mistype once must not delay another.
#[cfg(feature = "testing")]
#[tokio::test]
async fn users_who_mistype_hold_up_no_one_else() {
    let limits = Limits::new(Arc::new(MemoryStore::with(1_000, Clock::by_hand())), &[7; 32], PATIENCE);
    for number in 0..20_000 {
        assert!(fails(&limits, &format!("name {number}")).await, "{number}");
    }
    for number in 0..1_000 {
        assert!(fails(&limits, &format!("other {number}")).await, "{number}");
    }
}

/// From so few networks that a stranger can rent them for an hour.
#[cfg(feature = "testing")]
#[tokio::test]
async fn c47_many_devices_of_a_few_networks_leave_the_flow_to_others() {
    let clock = Clock::by_hand();
    let limits = Limits::new(Arc::new(MemoryStore::with(1_000, clock.clone())), &[7; 32], PATIENCE);
    let asks = async |networks: &Networks| limits.device(networks).await.expect("an answer").is_ok();
    let site =
        |number: u128| Networks::of(Some(std::net::Ipv6Addr::from_bits((0x2001 << 112) | (number << 80)).into()));
    for number in 0..84 {
        for _ in 0..120 {
            // Each from another household of the same site.
            asks(&site(number)).await;
        }
    }
    for number in 0..334 {
        for _ in 0..30 {
            asks(&at(number)).await;
        }
    }
    assert!(!asks(&at(7)).await && !asks(&site(7)).await, "nothing of the total is left");
    for number in 1_000..2_000 {
        assert!(asks(&at(number)).await, "{number}");
    }
    // The store has room for so many, and no more.
    let more = 2_000..30_000;
    let mut taken = 0;
    for number in more {
        taken += usize::from(asks(&at(number)).await);
    }
    assert!((8_000..9_100).contains(&taken), "{taken}");
    // They have expired.
    clock.advance(Duration::from_secs(600));
    assert!(asks(&at(40_000)).await);
}

/// Each with a new name and network, as from a botnet.
#[tokio::test]
async fn c47_half_a_million_failures_leave_what_is_free_to_others() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    for number in 0..500_000 {
        let (name, from) = (name(&format!("name {number}")), at(0x0a00_0000 + number));
        let mut rows = limits.of_password(&name, &from);
        rows.extend(limits.rows_of(&By::Name { name, networks: from }, None, true));
        limits.add(&adding(&rows, 1)).await.expect("an answer");
    }
    let mut held_up = Vec::new();
    for number in 0..1_000 {
        let (name, from) = (format!("other {number}"), 0xc633_0000 + number);
        for subject in [None, Some(name.as_str())] {
            held_up.extend(told(&limits, &name, from, subject, false).await.err());
        }
    }
    assert_eq!(held_up, [""; 0], "of a thousand others");
}

/// It would be taken from the failures of the next hour.
#[tokio::test]
async fn c46_an_attempt_that_outlasts_its_window_takes_nothing_back() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    for _ in 0..Kind::Answer.free() - 1 {
        assert!(fails(&limits, "name").await);
    }
    let mut late = limits.answer(&name("name"), None, &here()).await.expect("an answer").expect("it is free");
    late.until.fill(Instant::now());
    limits.forgive(late).await.expect("an answer");
    assert!(fails(&limits, "name").await, "through the gate");
    assert!(!fails(&limits, "name").await, "nothing was taken back");
}

#[tokio::test]
async fn c46_what_runs_and_what_failed_stay_within_what_is_free_and_more_wait_in_order() {
    let limits = Arc::new(Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE));
    let begin = async || limits.password(&name("ada"), &here()).await.expect("an answer");
    let mut running = Vec::new();
    for _ in 0..Kind::NameAt.free() {
        running.push(begin().await.expect("it is free"));
    }
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let local = tokio::task::LocalSet::new();
    let limits = &limits;
    local
        .run_until(async {
            for number in 0..5 {
                let (sender, limits) = (sender.clone(), Arc::clone(limits));
                tokio::task::spawn_local(async move {
                    let began = limits.password(&name("ada"), &here()).await.expect("an answer");
                    sender.send((number, began.is_ok())).expect("the test listens");
                    // Right, so that the next one gets its place.
                    if let Ok(attempt) = began {
                        limits.forgive(attempt).await.expect("an answer");
                    }
                });
                tokio::task::yield_now().await;
            }
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(order.try_recv().is_err(), "all places are taken");
            limits.forgive(running.pop().expect("one runs")).await.expect("an answer");
            for number in 0..5 {
                assert_eq!(order.recv().await, Some((number, true)), "as they came");
            }
            // All running attempts fail: there is nothing left to wait for.
            drop(running);
            assert!(begin().await.is_ok(), "the one that was taken back");
            assert!(begin().await.is_ok(), "through the gate");
            assert!(begin().await.is_err());
        })
        .await;
}

#[tokio::test]
async fn c46_a_line_is_bounded_and_leaves_nothing_behind() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let begin = async |_: u32| limits.password(&name("ada"), &here()).await.expect("an answer");
    let mut running = Vec::new();
    for number in 0..10 {
        running.push(begin(number).await.expect("it is free"));
    }
    let mut waiting: Vec<_> = (0..600).map(|number| Box::pin(begin(number))).collect();
    // Each counts itself in a task of its own, and then waits or is refused.
    for _ in 0..100 {
        waiting.retain_mut(|waiting| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            waiting.as_mut().poll(&mut context).is_pending()
        });
        tokio::task::yield_now().await;
    }
    assert_eq!(waiting.len(), 512, "of six hundred");
    drop(waiting);
    for attempt in running {
        limits.forgive(attempt).await.expect("an answer");
    }
    assert!(limits.running.is_empty());
    assert!(begin(0).await.is_ok());
}

/// Otherwise a flood that waits together would be a flood of guesses: each was admitted before any other had failed.
#[tokio::test]
async fn c46_what_waited_while_its_network_failed_is_held_up_as_what_comes_later() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let begin = async |number: u32, from: &Networks| {
        limits.password(&name(&format!("name {number}")), from).await.expect("an answer").expect("free")
    };
    let mut waiting = Vec::new();
    for number in 0..300 {
        waiting.push(begin(number, &here()).await);
    }
    let elsewhere = begin(300, &at(7)).await;
    let mut made = 0;
    for attempt in waiting {
        match limits.may_still(&attempt).await.expect("an answer") {
            Ok(()) => {
                made += 1;
                assert!(limits.wrong(attempt, None).await.expect("an answer").is_ok());
            }
            Err(too_many) => {
                assert_eq!(too_many.limit, "address");
                limits.forgive(attempt).await.expect("an answer");
            }
        }
    }
    assert_eq!(made, 101, "what is free, and one through the gate");
    assert_eq!(limits.may_still(&elsewhere).await.expect("an answer"), Ok(()));
    // An attempt that was not made did not fail.
    let row = limits.row(Kind::Address, here().narrowest());
    assert_eq!(limits.add(&[(&row, 0)]).await.expect("a sum")[0].sum, 101);
}

#[tokio::test]
async fn c46_what_passed_the_gate_of_its_network_may_wait_and_still_be_made() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let begin = async |number: u32| {
        let attempt = limits.password(&name(&format!("name {number}")), &here()).await.expect("an answer");
        attempt.expect("free, or let through")
    };
    // Without a pause: earlier failures are forgotten here.
    let _running = begin(0).await;
    for number in 1..=100 {
        assert!(limits.wrong(begin(number).await, None).await.expect("an answer").is_ok());
    }
    let through_the_gate = begin(101).await;
    assert_eq!(limits.may_still(&through_the_gate).await.expect("an answer"), Ok(()));
}

#[tokio::test]
async fn c46_what_waited_while_others_were_right_is_not_held_up() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let mut waiting = Vec::new();
    for number in 0..300 {
        let attempt = limits.password(&name(&format!("name {number}")), &here()).await.expect("an answer");
        waiting.push(attempt.expect("free"));
    }
    for attempt in waiting {
        assert_eq!(limits.may_still(&attempt).await.expect("an answer"), Ok(()));
        assert!(limits.right(attempt, Some("any")).await.expect("an answer").is_ok());
    }
}

/// Whether the answer of an attempt that began may be sent; otherwise the limit.
async fn told(
    limits: &Limits,
    text: &str,
    from: u32,
    subject: Option<&str>,
    is_right: bool,
) -> Result<(), &'static str> {
    let began = limits.password(&name(text), &at(from)).await.expect("an answer");
    let attempt = began.map_err(|too_many| too_many.limit)?;
    let told = if is_right { limits.right(attempt, subject).await } else { limits.wrong(attempt, subject).await };
    told.expect("an answer").map_err(|too_many| too_many.limit)
}

#[tokio::test]
async fn c46_a_network_without_failures_gets_in_while_the_budget_of_the_name_lasts() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    for from in 0..1_000 {
        assert_eq!(told(&limits, "ada", from, None, false).await, Ok(()), "{from}");
    }
    assert_eq!(told(&limits, "ada", 2_000, None, true).await, Err("budget"));
    assert_eq!(told(&limits, "eve", 2_000, None, true).await, Ok(()), "another name");
}

#[tokio::test]
async fn c46_who_mistypes_once_or_twice_is_not_locked_out_while_others_guess() {
    // With one name, and for one user with ever new names.
    for (subject, limit) in [(None, "name"), (Some("user-17"), "subject")] {
        let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
        let name_of = |number: u32| if subject.is_some() { format!("ada+{number}") } else { "ada".to_owned() };
        for number in 0..100 {
            assert_eq!(told(&limits, &name_of(number), number, subject, false).await, Ok(()), "{number}");
        }
        for mistyped in 0..MISTYPED {
            assert_eq!(told(&limits, &name_of(200), 500, subject, true).await, Ok(()), "{mistyped}");
            assert_eq!(told(&limits, &name_of(201), 500, subject, false).await, Ok(()), "{mistyped}");
        }
        assert_eq!(told(&limits, &name_of(202), 500, subject, false).await, Ok(()), "through the gate");
        for is_right in [true, false] {
            assert_eq!(told(&limits, &name_of(203), 500, subject, is_right).await, Err(limit));
        }
        // Guessers have the same number of tries in each network, however many run at once.
        let from = at(600);
        let mut running = Vec::new();
        for _ in 0..MISTYPED {
            running.push(limits.password(&name(&name_of(204)), &from).await.expect("an answer").expect("free"));
        }
        if subject.is_none() {
            let text = name_of(204);
            let folded = name(&text);
            let mut next = Box::pin(limits.password(&folded, &from));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(next.as_mut().poll(&mut context).is_pending(), "it waits until one has ended");
        }
        for attempt in running {
            assert!(limits.wrong(attempt, subject).await.expect("an answer").is_ok());
        }
        assert_eq!(told(&limits, &name_of(205), 600, subject, true).await, Err(limit));
    }
}

/// Otherwise the answer, and how long it takes, would show which names exist.
#[cfg(feature = "testing")]
#[tokio::test]
async fn c46_what_is_for_no_one_counts_as_what_is_for_a_user() {
    for subject in [Some("user-17"), None] {
        let clock = Clock::by_hand();
        let limits = Limits::new(Arc::new(MemoryStore::with(1_000, clock.clone())), &[7; 32], PATIENCE);
        for number in 0..100 {
            assert_eq!(told(&limits, "ada", number % 10, subject, false).await, Ok(()), "{number}");
        }
        for number in 0..MISTYPED {
            assert_eq!(told(&limits, "ada", 500, subject, false).await, Ok(()), "{number}");
        }
        // The author's function takes its time: the gate of the user closes later than that of the name.
        let slow = limits.password(&name("ada"), &at(500)).await.expect("an answer").expect("through the gate");
        clock.advance(Duration::from_secs(300));
        let next = limits.password(&name("ada"), &at(500)).await.expect("an answer").expect("through the gate again");
        assert!(limits.wrong(slow, subject).await.expect("an answer").is_ok(), "through the second");
        let held_up = limits.wrong(next, subject).await.expect("an answer").expect_err("the second is closed");
        assert_eq!(held_up.limit, "subject", "{subject:?}");
    }
}

#[tokio::test]
async fn c46_a_user_of_many_names_has_one_budget() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    for from in 0..1_000 {
        let name = format!("ada+{from}");
        assert_eq!(told(&limits, &name, from, Some("user-17"), false).await, Ok(()), "{from}");
    }
    for is_right in [true, false] {
        assert_eq!(told(&limits, "ada", 2_000, Some("user-17"), is_right).await, Err("budget"));
    }
    assert_eq!(told(&limits, "eve", 2_000, Some("user-18"), true).await, Ok(()), "another user");
}

/// Otherwise one right guess among many would be found by how many more there may be.
#[cfg(feature = "testing")]
#[tokio::test]
async fn c46_a_right_guess_that_is_refused_counts_like_a_wrong_one() {
    let seen = async |is_right: bool| {
        let limits = Limits::new(Arc::new(MemoryStore::with(1_000, Clock::by_hand())), &[7; 32], PATIENCE);
        for from in 0..1_000 {
            let name = format!("ada+{from}");
            assert_eq!(told(&limits, &name, from, Some("user-17"), false).await, Ok(()), "{from}");
        }
        let mut seen = Vec::new();
        for number in 0..500 {
            seen.push(told(&limits, &format!("eve+{number}"), 2_000, Some("user-17"), is_right).await);
        }
        seen
    };
    let (right, wrong) = (seen(true).await, seen(false).await);
    assert_eq!(right, wrong);
    assert!(right.contains(&Err("budget")) && right.contains(&Err("address")), "{right:?}");
}

/// What runs already learns of it here, before it asks the store.
#[cfg(feature = "testing")]
#[tokio::test]
async fn c46_right_guesses_that_are_refused_hold_up_what_runs_beside_them() {
    let limits = Limits::new(Arc::new(MemoryStore::with(1_000, Clock::by_hand())), &[7; 32], PATIENCE);
    for from in 0..1_000 {
        assert_eq!(told(&limits, &format!("ada+{from}"), from, Some("user-17"), false).await, Ok(()), "{from}");
    }
    let mut waiting = Vec::new();
    for number in 0..110 {
        let attempt = limits.password(&name(&format!("eve+{number}")), &here()).await.expect("an answer");
        waiting.push(attempt.expect("free"));
    }
    let mut made = 0;
    for attempt in waiting {
        if limits.may_still(&attempt).await.expect("an answer").is_ok() {
            made += 1;
            assert!(limits.right(attempt, Some("user-17")).await.expect("an answer").is_err());
        }
    }
    assert_eq!(made, 101, "what is free, and one through the gate");
}

#[tokio::test]
async fn c46_ipv6_counts_by_three_networks() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let wrong = async |address: String, who: String| {
        let networks = Networks::of(Some(address.parse().expect("an address")));
        match limits.password(&name(&who), &networks).await.expect("an answer") {
            Ok(attempt) => limits.wrong(attempt, None).await.expect("an answer").is_ok(),
            Err(_) => false,
        }
    };
    // One name from ever new networks of one /56, of one /48, and of the internet.
    for (who, network, free) in [("a", "2001:db8:0:1", 20), ("b", "2001:db8:1:", 40)] {
        let mut made = 0;
        for number in 0x10..0x80 {
            let fourth = if who == "a" { format!("{network}{number:02x}") } else { format!("{network}{number:02x}00") };
            made += u64::from(wrong(format!("{fourth}::1"), who.to_owned()).await);
        }
        assert_eq!(made, free + 1, "{who}: what is free, and one through the gate");
    }
    // Many names.
    let mut made = 0;
    for number in 0..600 {
        made += u32::from(wrong(format!("2001:db8:2:{:x}::1", number * 0x40), format!("name {number}")).await);
    }
    assert_eq!(made, 401);
}

#[tokio::test]
async fn c46_a_network_pays_for_failures_alone() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let mut running = Vec::new();
    for number in 0..300 {
        running
            .push(limits.password(&name(&format!("name {number}")), &here()).await.expect("an answer").expect("free"));
    }
    for attempt in running.drain(..200) {
        assert!(limits.right(attempt, Some("any")).await.expect("an answer").is_ok());
    }
    for attempt in running {
        assert!(limits.wrong(attempt, None).await.expect("an answer").is_ok());
    }
    let begin = async || limits.password(&name("other"), &here()).await.expect("an answer");
    assert!(begin().await.is_ok(), "through the gate");
    assert_eq!(begin().await.err().expect("a hundred failed").limit, "address");
}

/// Otherwise a network could flood the counters of names at no cost, by cancelling each attempt before its answer.
#[tokio::test]
async fn c46_c47_an_attempt_that_is_broken_off_is_a_failure_of_its_network() {
    let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32], PATIENCE);
    let mut begun = 0;
    for number in 0..200 {
        let attempt = limits.password(&name(&format!("name {number}")), &here()).await.expect("an answer");
        begun += u32::from(attempt.is_ok());
        drop(attempt);
    }
    assert_eq!(begun, 101, "what is free, and one through the gate");
}

/// Otherwise a network that cancels attempts before they are refused would fill the counter of a name, and lock its
/// owner out.
#[cfg(feature = "testing")]
#[tokio::test]
async fn c46_an_attempt_that_is_broken_off_before_it_is_refused_counts_for_no_one() {
    use crate::store::faulty::{Fault, FaultyStore, Verb};

    let store = FaultyStore::new(MemoryStore::new());
    let limits = Limits::new(Arc::new(store.clone()), &[7; 32], PATIENCE);
    while let Ok(attempt) = limits.password(&name("owner"), &here()).await.expect("an answer") {
        assert!(limits.wrong(attempt, None).await.expect("an answer").is_ok());
    }
    let row = limits.row(Kind::Name, "owner");
    let counted = async || limits.add(&[(&row, 0)]).await.expect("a sum")[0].sum;
    let before = counted().await;
    store.fail(&[Verb::Count], Fault::Slow(Duration::from_millis(5)));
    for number in 0..60 {
        let owner = name("owner");
        let networks = here();
        let attempt = limits.password(&owner, &networks);
        drop(tokio::time::timeout(Duration::from_millis(number % 12), attempt).await);
    }
    store.repair();
    tokio::time::timeout(Duration::from_secs(60), async {
        while counted().await != before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("taken back");
    assert!(limits.running.is_empty());
}

#[test]
fn delays_grow_to_a_limit() {
    let seconds: Vec<u64> = (0..11).map(|beyond| delay(beyond).as_secs()).collect();
    assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    assert_eq!(delay(u64::MAX), LONGEST_DELAY);
}
