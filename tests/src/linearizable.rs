//! Whether what a store answers to many at once can be the answers of one order of its calls.
//!
//! A history is what eight callers asked and heard, and when. It is searched for an order in which a small model of the
//! store gives the same answers, and no call comes before one that had ended when it began (Wing and Gong, 1993; states
//! that were seen are not searched again). Nothing expires in it: what time does is the contract's to check.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oauth_runtime::store::{BUCKETS, Change, Count, Incarnation, Key, SLOTS, Seen, Store, StoreError, Swap, Value};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Makes this many histories of a store, each with keys and counters of its own, and renews some of its buckets.
///
/// # Errors
/// The first history that no order explains, or an error that the store answered.
pub async fn linearizable(store: Arc<dyn Store>, histories: usize) -> Result<(), String> {
    for _ in 0..histories {
        let (bucket, counters, before) = history(&store).await.map_err(|error| format!("an error: {error}"))?;
        if !has_order(&bucket, Bucket::default(), Bucket::step) {
            return Err(shown(bucket));
        }
        for (slot, before) in before.into_iter().enumerate() {
            let of_slot = counters.iter().filter(|call| call.asked.slot == slot).copied().collect::<Vec<_>>();
            if !has_order(&of_slot, before, counted) {
                return Err(shown(of_slot));
            }
        }
    }
    Ok(())
}

/// A call: when it began and ended, what was asked and what was answered.
#[derive(Clone, Copy, Debug)]
struct Call<A, B> {
    begun: u64,
    ended: u64,
    asked: A,
    answered: B,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Read(usize),
    Swap { key: usize, incarnation: u64, since: Option<u64>, value: Option<u64> },
    Renew(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answered {
    Seen(State),
    Done(u64),
    Changed(State),
    Renewed(u64),
}

/// What a key holds, and its bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    incarnation: u64,
    sequence: u64,
    /// The version and the value.
    kept: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Added {
    slot: usize,
    add: i64,
}

/// The model of a bucket. Its incarnation and sequence are known once it was read.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Bucket {
    known: Option<(u64, u64)>,
    kept: [Option<(u64, u64)>; KEYS],
}

impl Bucket {
    /// The bucket after a call, if it would answer this.
    fn step(&self, call: &Call<Asked, Answered>) -> Option<Self> {
        let mut after = self.clone();
        if let (None, Answered::Seen(state)) = (self.known, call.answered) {
            after.known = Some((state.incarnation, state.sequence));
        }
        let (incarnation, sequence) = after.known?;
        let state = |key: usize| State { incarnation, sequence, kept: self.kept[key] };
        let answer = match call.asked {
            Asked::Read(key) => Answered::Seen(state(key)),
            Asked::Swap { key, incarnation: of, since, value } => {
                if of == incarnation && since == self.kept[key].map(|(version, _)| version) {
                    after.known = Some((incarnation, sequence + 1));
                    after.kept[key] = value.map(|value| (sequence + 1, value));
                    Answered::Done(sequence + 1)
                } else {
                    Answered::Changed(state(key))
                }
            }
            Asked::Renew(was) if was != incarnation => Answered::Renewed(incarnation),
            // It draws any other.
            Asked::Renew(was) => match call.answered {
                Answered::Renewed(drawn) if drawn != was => {
                    after = Bucket { known: Some((drawn, 0)), ..Bucket::default() };
                    call.answered
                }
                _ => return None,
            },
        };
        (answer == call.answered).then_some(after)
    }
}

fn counted(sum: &u64, call: &Call<Added, u64>) -> Option<u64> {
    let after = sum.saturating_add_signed(call.asked.add);
    (after == call.answered).then_some(after)
}

/// Whether there is an order of the calls in which a model goes from step to step.
fn has_order<A, B, M: Clone + Eq + Hash>(
    calls: &[Call<A, B>],
    model: M,
    step: impl Fn(&M, &Call<A, B>) -> Option<M>,
) -> bool {
    assert!(calls.len() < 64, "a history is short");
    let all = (1_u64 << calls.len()) - 1;
    let (mut seen, mut open) = (HashSet::new(), vec![(0_u64, model)]);
    while let Some((done, model)) = open.pop() {
        if done == all {
            return true;
        }
        if !seen.insert((done, model.clone())) {
            continue;
        }
        let left = || (0..calls.len()).filter(|call| done & (1 << call) == 0);
        let first_end = left().map(|call| calls[call].ended).min();
        let may_be_next = left().filter(|call| Some(calls[*call].begun) < first_end);
        open.extend(may_be_next.filter_map(|call| Some((done | (1 << call), step(&model, &calls[call])?))));
    }
    false
}

type History = (Vec<Call<Asked, Answered>>, Vec<Call<Added, u64>>, [u64; COUNTERS]);

/// Lets all callers ask at once.
async fn history(store: &Arc<dyn Store>) -> Result<History, StoreError> {
    let mut chance = Chance(RandomState::new().hash_one(()) | 1);
    let bucket = chance.below(u64::from(BUCKETS));
    let keys: [Key; KEYS] = std::array::from_fn(|_| {
        let mut bytes: [u8; 32] = std::array::from_fn(|_| chance.next().to_be_bytes()[0]);
        bytes[..2].copy_from_slice(&bucket.to_be_bytes()[6..]);
        Key::from_bytes(bytes)
    });
    let slots: [u32; COUNTERS] = std::array::from_fn(|index| {
        let third = u64::from(SLOTS) / COUNTERS as u64;
        u32::try_from(index as u64 * third + chance.below(third)).unwrap_or(0)
    });
    let nothing = slots.map(|slot| Count { slot, add: 0, window: LONG });
    let mut before = [0; COUNTERS];
    for (before, counted) in before.iter_mut().zip(store.count(&nothing).await?) {
        *before = counted.sum;
    }
    let (clock, together) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(CALLERS)));
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let chance = Chance(chance.next() | 1);
        let (store, clock, together) = (Arc::clone(store), Arc::clone(&clock), Arc::clone(&together));
        callers.spawn(async move {
            let mut caller = Caller { number, chance, keys, slots, clock, calls: Vec::new(), counts: Vec::new() };
            together.wait().await;
            caller.ask(&*store).await.map(|()| (caller.calls, caller.counts))
        });
    }
    let (mut calls, mut counts) = (Vec::new(), Vec::new());
    for caller in callers.join_all().await {
        let (of_one, counts_of_one) = caller?;
        calls.extend(of_one);
        counts.extend(counts_of_one);
    }
    Ok((calls, counts, before))
}

struct Caller {
    number: usize,
    chance: Chance,
    keys: [Key; KEYS],
    slots: [u32; COUNTERS],
    clock: Arc<AtomicU64>,
    calls: Vec<Call<Asked, Answered>>,
    counts: Vec<Call<Added, u64>>,
}

impl Caller {
    async fn ask(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let mut last = self.read(store, 0).await?;
        let mut key = 0;
        for number in 0..CALLS as u64 {
            match self.chance.below(10) {
                0 | 1 => {
                    key = usize::try_from(self.chance.below(KEYS as u64)).unwrap_or(0);
                    last = self.read(store, key).await?;
                }
                2..=5 => {
                    let value = (self.chance.below(4) > 0).then_some(self.number as u64 * 100 + number);
                    last = self.swap(store, key, last, value).await?;
                }
                6 => {
                    let begun = self.now();
                    let drawn = store.renew(self.keys[0].bucket(), Incarnation::from_bits(last.incarnation)).await?;
                    let asked = Asked::Renew(last.incarnation);
                    self.calls.push(Call {
                        begun,
                        ended: self.now(),
                        asked,
                        answered: Answered::Renewed(drawn.bits()),
                    });
                }
                _ => self.count(store).await?,
            }
        }
        Ok(())
    }

    async fn read(&mut self, store: &dyn Store, key: usize) -> Result<State, StoreError> {
        let begun = self.now();
        let state = state(&store.read(self.keys[key]).await?);
        self.calls.push(Call { begun, ended: self.now(), asked: Asked::Read(key), answered: Answered::Seen(state) });
        Ok(state)
    }

    /// Answers what the caller knows then.
    async fn swap(
        &mut self,
        store: &dyn Store,
        key: usize,
        last: State,
        value: Option<u64>,
    ) -> Result<State, StoreError> {
        let State { incarnation, kept, .. } = last;
        let since = kept.map(|(version, _)| version);
        let change = Change {
            incarnation: Incarnation::from_bits(incarnation),
            since,
            value: value.map(|value| Value::from(value.to_string().into_bytes())),
            keep: LONG,
        };
        let begun = self.now();
        let (state, answered) = match store.swap(self.keys[key], change).await? {
            Swap::Done { sequence, .. } => {
                let kept = value.map(|value| (sequence, value));
                (State { incarnation, sequence, kept }, Answered::Done(sequence))
            }
            Swap::Changed(seen) => (state(&seen), Answered::Changed(state(&seen))),
        };
        let asked = Asked::Swap { key, incarnation, since, value };
        self.calls.push(Call { begun, ended: self.now(), asked, answered });
        Ok(state)
    }

    /// Two counters in one call: each is added to for itself.
    async fn count(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let first = usize::try_from(self.chance.below(COUNTERS as u64)).unwrap_or(0);
        let asked = [first, (first + 1) % COUNTERS].map(|slot| {
            let add = i64::try_from(self.chance.below(5)).unwrap_or(0) - 1;
            Added { slot, add }
        });
        let counts = asked.map(|Added { slot, add }| Count { slot: self.slots[slot], add, window: LONG });
        let begun = self.now();
        let answers = store.count(&counts).await?;
        let ended = self.now();
        let calls = asked.into_iter().zip(answers);
        self.counts.extend(calls.map(|(asked, it)| Call { begun, ended, asked, answered: it.sum }));
        Ok(())
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

fn state(seen: &Seen) -> State {
    // What is no number was written by none of the callers.
    let value =
        |value: &Value| str::from_utf8(value.as_bytes()).ok().and_then(|it| it.parse().ok()).unwrap_or(u64::MAX);
    State {
        incarnation: seen.incarnation.bits(),
        sequence: seen.sequence,
        kept: seen.kept.as_ref().map(|kept| (kept.version, value(&kept.value))),
    }
}

fn shown<A: Debug, B: Debug>(mut calls: Vec<Call<A, B>>) -> String {
    calls.sort_by_key(|call| call.begun);
    let lines = calls.iter().map(|Call { begun, ended, asked, answered }| {
        format!("    {begun:>3} to {ended:>3}: {asked:?} answered {answered:?}\n")
    });
    format!("no order of these calls explains their answers:\n{}", lines.collect::<String>())
}

/// Numbers by chance (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 8) % bound
    }
}

const CALLERS: usize = 8;
/// Those of a caller, after its first.
const CALLS: usize = 6;
const KEYS: usize = 2;
const COUNTERS: usize = 3;
/// Longer than a history takes.
const LONG: Duration = Duration::from_secs(3600);
