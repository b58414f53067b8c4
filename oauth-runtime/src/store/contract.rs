//! What every [`Store`] must do: run it against your own (feature `testing`).
//!
//! ```
//! use oauth_runtime::store::{MemoryStore, contract};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! contract::check(MemoryStore::new()).await;
//! # });
//! ```
//!
//! The rules on codes and refresh tokens are not here: they are the same code above every store. A store decides
//! whether that code sees one order of events. Each [`Clause`] is a rule for that.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::model::{Clock, Timestamp};
use crate::store::{
    BUCKETS, Change, Count, Incarnation, Key, MAX_VALUE_BYTES, SLOTS, Seen, Store, StoreError, Swap, Value,
};

/// Checks a store against every clause. It takes about four seconds of real time (more where the machine pauses), since
/// values have to expire. It uses keys of its own, some counters of the highest numbers, and draws a new incarnation for
/// one bucket: give it a store that no service uses.
///
/// # Panics
/// If the store breaks the contract; the message says which clauses, and how.
pub async fn check(store: impl Store) {
    let broken = broken(&store).await;
    let lines: String = broken.iter().map(|broken| format!("  {broken}\n")).collect();
    assert!(broken.is_empty(), "the store breaks its contract:\n{lines}");
}

/// The clauses that a store breaks.
pub async fn broken(store: &dyn Store) -> Vec<Broken> {
    let (waiting, at_once): (Vec<_>, Vec<_>) = Clause::ALL.iter().copied().partition(|clause| clause.waits());
    let check = async |clause: Clause| clause.check(store).await.err().map(|Failed(how)| Broken { clause, how });
    let mut broken = Vec::new();
    for clause in at_once {
        broken.extend(check(clause).await);
    }
    // They wait at the same time.
    broken.extend(join_all(waiting.into_iter().map(check)).await.into_iter().flatten());
    broken
}

/// A clause that a store breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The clause.
    pub clause: Clause,
    /// What the store did.
    pub how: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.clause, self.how)
    }
}

/// The enum, the list of its variants and what checks them, so that no clause is left out.
macro_rules! clauses {
    ($($(#[$doc:meta])+ $clause:ident, $check:ident;)+) => {
        /// What a store must do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Clause {
            $($(#[$doc])+ $clause,)+
        }

        impl Clause {
            /// Every clause.
            pub const ALL: &[Clause] = &[$(Clause::$clause),+];

            async fn check(self, store: &dyn Store) -> Result<(), Failed> {
                match self {
                    $(Clause::$clause => $check(store).await,)+
                }
            }
        }
    };
}

clauses! {
    /// A key holds nothing until something is written, and then the bytes that were written, up to [`MAX_VALUE_BYTES`].
    Values, values;
    /// Keys are compared byte by byte: none is another's, whatever it looks like as text.
    Keys, keys;
    /// A write is done only if the value is still the one that it was made from; otherwise nothing changes, and the
    /// answer is the current value.
    Since, since;
    /// A write of another incarnation is not done.
    OtherIncarnation, other_incarnation;
    /// A value that is removed is gone, and may be written again; the other values of its bucket stay.
    Removal, removal;
    /// A bucket keeps its incarnation, for all its keys, however often it is read. All are born with the store.
    OneIncarnation, one_incarnation;
    /// Every write raises the sequence of its bucket by one, which is the version of what it wrote; reading raises
    /// nothing, and writing raises no other bucket.
    Sequence, sequence;
    /// A value is kept until its time is over, and no longer; an expired one may be written anew, and the sequence goes on.
    Expiry, expiry;
    /// A write sets the time of its value anew: longer or shorter.
    Lifetime, lifetime;
    /// Of many simultaneous writes that were made from the same value, exactly one is done.
    OneWriter, one_writer;
    /// Counters add up, each independently, in the order that they were given; they never fall below zero.
    Counters, counters;
    /// No addition is lost, and each returns a different sum.
    CountersAtOnce, counters_at_once;
    /// A counter's window ends when its first addition said, whatever was added since, and the next addition begins another;
    /// adding 0 begins none.
    Window, window;
    /// Renewing draws another incarnation, which is born then and keeps nothing; of many at once, only one draws.
    Renewal, renewal;
}

async fn values(store: &dyn Store) -> Result<(), Failed> {
    let key = key();
    ensure(store.read(key).await?.kept.is_none(), "a key that was never written holds something")?;
    let long = vec![b'x'; MAX_VALUE_BYTES];
    for bytes in [b"{}".to_vec(), "{\"a\":\"\u{e4}\u{1f600}'\\\"\"}".into(), b"{\"a\":\"\\u0000\"}".to_vec(), long] {
        let seen = store.read(key).await?;
        done(store.swap(key, put(&seen, &bytes, SOON)).await?)?;
        let kept = store.read(key).await?.kept.ok_or("a value that was written is not there")?;
        ensure(kept.value.as_bytes() == bytes, "a value is not the bytes that were written")?;
    }
    Ok(())
}

async fn keys(store: &dyn Store) -> Result<(), Failed> {
    // Letters that differ only in case, as base64url and as bytes, bytes that end a string elsewhere, and some that are
    // not text.
    let mut bytes: [u8; 32] = rand::random();
    bytes[30..].copy_from_slice(b"zz");
    // As text these two are `AAAA` and `aAAA` there.
    let as_text = |byte| {
        bytes[24..27].copy_from_slice(&[byte, 0, 0]);
        Key::from_bytes(bytes)
    };
    let mut keys = Vec::from([0, 26 << 2].map(as_text));
    for last in [b'a', b'A', 0, b' ', b'\'', 0xFF, 0xFE] {
        bytes[31] = last;
        keys.push(Key::from_bytes(bytes));
        bytes[30] = last;
        keys.push(Key::from_bytes(bytes));
    }
    for (index, key) in keys.iter().enumerate() {
        let seen = store.read(*key).await?;
        ensure(seen.kept.is_none(), "a key holds what was written under another")?;
        done(store.swap(*key, put(&seen, index.to_string().as_bytes(), SOON)).await?)?;
    }
    for (index, key) in keys.iter().enumerate() {
        let kept = store.read(*key).await?.kept.ok_or("a value is gone after others were written")?;
        ensure(kept.value.as_bytes() == index.to_string().as_bytes(), "a key holds what was written under another")?;
    }
    Ok(())
}

async fn since(store: &dyn Store) -> Result<(), Failed> {
    let key = key();
    let absent = store.read(key).await?;
    let ghost = Change { since: Some(absent.sequence + 1), ..put(&absent, b"ghost", SOON) };
    changed(store.swap(key, ghost).await?, "a value that is not there was replaced")?;
    done(store.swap(key, put(&absent, b"first", SOON)).await?)?;
    let first = store.read(key).await?;
    let there = changed(store.swap(key, put(&absent, b"again", SOON)).await?, "a value was written over as if absent")?;
    let kept = there.kept.ok_or("a write that came too late did not get the current value")?;
    ensure(kept.value.as_bytes() == b"first", "a write that came too late got another value than the current one")?;
    done(store.swap(key, put(&first, b"second", SOON)).await?)?;
    changed(store.swap(key, put(&first, b"third", SOON)).await?, "a value was replaced by a write from an older one")?;
    let removal = Change { value: None, ..put(&first, b"", SOON) };
    changed(store.swap(key, removal).await?, "a value was taken away by a write made from an older one")?;
    let kept = store.read(key).await?.kept.ok_or("a write that came too late took the value away")?;
    ensure(kept.value.as_bytes() == b"second", "a write that came too late changed the value")
}

async fn other_incarnation(store: &dyn Store) -> Result<(), Failed> {
    let key = key();
    let seen = store.read(key).await?;
    let foreign = Change { incarnation: Incarnation::draw(), ..put(&seen, b"foreign", SOON) };
    let there = changed(store.swap(key, foreign).await?, "a write of another incarnation was done")?;
    ensure(there.incarnation == seen.incarnation, "a write of another incarnation got that one")?;
    let after = store.read(key).await?;
    ensure(after.incarnation == seen.incarnation, "a write of another incarnation changed the bucket's")?;
    ensure(after.kept.is_none(), "a write of another incarnation left a value")
}

async fn removal(store: &dyn Store) -> Result<(), Failed> {
    let (key, other) = neighbours();
    done(store.swap(other, put(&store.read(other).await?, b"other", SOON)).await?)?;
    let seen = store.read(key).await?;
    done(store.swap(key, put(&seen, b"first", SOON)).await?)?;
    let seen = store.read(key).await?;
    done(store.swap(key, Change { value: None, ..put(&seen, b"", SOON) }).await?)?;
    let seen = store.read(key).await?;
    ensure(seen.kept.is_none(), "a value that was taken away is there")?;
    ensure(store.read(other).await?.kept.is_some(), "a removal took away what was written under another key")?;
    done(store.swap(key, put(&seen, b"again", SOON)).await?)?;
    ensure(store.read(key).await?.kept.is_some(), "a key cannot be written again after a removal")
}

async fn one_incarnation(store: &dyn Store) -> Result<(), Failed> {
    let (one, other) = neighbours();
    let first = try_join_all((0..20).map(|_| store.read(one))).await?;
    let incarnation = first[0].incarnation;
    ensure(first.iter().all(|seen| seen.incarnation == incarnation), "two who asked at once saw two incarnations")?;
    let second = store.read(other).await?;
    ensure(second.incarnation == incarnation, "two keys of a bucket have two incarnations")?;
    ensure(second.born == first[0].born, "a bucket was born twice")?;
    done(store.swap(one, put(&second, b"{}", SOON)).await?)?;
    ensure(store.read(one).await?.incarnation == incarnation, "a write changed the incarnation")?;
    tokio::time::sleep(A_SECOND).await;
    let third = store.read(one).await?;
    ensure(third.incarnation == incarnation && third.born == second.born, "a bucket was born anew after a while")?;
    let others = try_join_all((0..4).map(|_| store.read(key()))).await?;
    ensure(others.iter().all(|seen| seen.born <= second.now), "a bucket is born when it is first asked for")
}

async fn sequence(store: &dyn Store) -> Result<(), Failed> {
    let (one, other) = neighbours();
    let elsewhere = Key::in_bucket((one.bucket() + 1) % BUCKETS);
    let (before, aside) = (store.read(one).await?, store.read(elsewhere).await?);
    let first = done(store.swap(one, put(&before, b"one", SOON)).await?)?;
    ensure(first == before.sequence + 1, "a write did not raise the sequence by one")?;
    let second = done(store.swap(other, put(&store.read(other).await?, b"other", SOON)).await?)?;
    ensure(second == first + 1, "a write of another key did not raise the bucket's sequence")?;
    let seen = store.read(one).await?;
    ensure(seen.sequence == second, "reading answers another sequence than the last write did")?;
    for (seen, written) in [(&seen, first), (&store.read(other).await?, second)] {
        let is_it = seen.kept.as_ref().is_some_and(|kept| kept.version == written);
        ensure(is_it, "the version of a value is not the sequence of its write")?;
    }
    let third = done(store.swap(one, Change { value: None, ..put(&seen, b"", SOON) }).await?)?;
    ensure(third == second + 1, "a removal did not raise the sequence")?;
    changed(store.swap(one, put(&seen, b"late", SOON)).await?, "a value was replaced that was gone")?;
    ensure(store.read(one).await?.sequence == third, "a write that was not done raised the sequence")?;
    ensure(store.read(elsewhere).await?.sequence == aside.sequence, "a write raised the sequence of another bucket")
}

async fn expiry(store: &dyn Store) -> Result<(), Failed> {
    outlasting(async |lifetime| expires_after(store, lifetime).await).await
}

/// `false` if the value had expired before it could be read.
async fn expires_after(store: &dyn Store, lifetime: Duration) -> Result<bool, Failed> {
    let (key, begun) = (key(), Clock::system().now());
    let seen = store.read(key).await?;
    let version = done(store.swap(key, put(&seen, b"{}", lifetime)).await?)?;
    let kept = store.read(key).await?.kept;
    if Clock::system().now() >= begun + lifetime {
        return Ok(false);
    }
    ensure(kept.is_some(), "a value is gone at once")?;
    a_second_before(begun + lifetime).await;
    let kept = store.read(key).await?.kept;
    if Clock::system().now() >= begun + lifetime {
        return Ok(false);
    }
    ensure(kept.is_some(), "a value is gone before its time")?;
    tokio::time::sleep(lifetime + A_SECOND).await;
    let seen = store.read(key).await?;
    ensure(seen.kept.is_none(), "a value is there after its time")?;
    ensure(seen.sequence >= version, "the sequence was forgotten with a value")?;
    let since = Some(version);
    changed(store.swap(key, Change { since, ..put(&seen, b"", SOON) }).await?, "a value was replaced after its time")?;
    let again = done(store.swap(key, put(&seen, b"again", SOON)).await?)?;
    ensure(again > version, "the sequence began again with a value")?;
    Ok(true)
}

async fn lifetime(store: &dyn Store) -> Result<(), Failed> {
    outlasting(async |lifetime| {
        let (longer, shorter, begun) = (key(), key(), Clock::system().now());
        for (key, first, second) in [(longer, lifetime, SOON), (shorter, SOON, lifetime)] {
            let seen = store.read(key).await?;
            done(store.swap(key, put(&seen, b"first", first)).await?)?;
            let seen = store.read(key).await?;
            if Clock::system().now() >= begun + lifetime {
                return Ok(false);
            }
            done(store.swap(key, put(&seen, b"second", second)).await?)?;
        }
        tokio::time::sleep(lifetime + A_SECOND).await;
        ensure(store.read(longer).await?.kept.is_some(), "a write did not prolong the time of a value")?;
        ensure(store.read(shorter).await?.kept.is_none(), "a write did not shorten the time of a value")?;
        Ok(true)
    })
    .await
}

async fn one_writer(store: &dyn Store) -> Result<(), Failed> {
    let key = key();
    for _ in 0..2 {
        let seen = store.read(key).await?;
        let writes =
            join_all((0..100).map(|index| store.swap(key, put(&seen, index.to_string().as_bytes(), SOON)))).await;
        let writes = writes.into_iter().collect::<Result<Vec<_>, _>>()?;
        let done: Vec<usize> = (0..100).filter(|index| matches!(writes[*index], Swap::Done { .. })).collect();
        ensure(done.len() == 1, &format!("of a hundred writes at once {} were done", done.len()))?;
        let kept = store.read(key).await?.kept.ok_or("nothing is there after a hundred writes")?;
        ensure(kept.value.as_bytes() == done[0].to_string().as_bytes(), "another write is there than was done")?;
    }
    Ok(())
}

async fn counters(store: &dyn Store) -> Result<(), Failed> {
    let [one, other, third] = slots(Clause::Counters);
    // The same in all bits but one, the highest.
    let far = one ^ (SLOTS / 2);
    clear(store, &[one, other, third, far]).await?;
    let count = |slot, add| Count { slot, add, window: SOON };
    let sums = sums(store, &[count(other, 5), count(one, 1), count(third, 0)]).await?;
    ensure(sums == [5, 1, 0], &format!("three counters of 5, 1 and 0 answered {sums:?}"))?;
    for (add, sum) in [(2, 3), (0, 3), (-2, 1), (-5, 0), (1, 1)] {
        let found = self::sums(store, &[count(one, add)]).await?;
        ensure(found == [sum], &format!("adding {add} answered {found:?} and not {sum}"))?;
    }
    let untouched = self::sums(store, &[count(third, 0), count(far, 0), count(other, 0)]).await?;
    ensure(untouched == [0, 0, 5], "a counter changed with another")
}

async fn counters_at_once(store: &dyn Store) -> Result<(), Failed> {
    let [one, other, _] = slots(Clause::CountersAtOnce);
    clear(store, &[one, other]).await?;
    // In both orders, so that a store that takes locks one by one shows it.
    let count = |slot| Count { slot, add: 1, window: SOON };
    let (there, back) = ([count(one), count(other)], [count(other), count(one)]);
    let answers = join_all((0..100).map(|index| store.count(if index % 2 == 0 { &there } else { &back }))).await;
    let mut sums = Vec::new();
    for (index, answer) in answers.into_iter().enumerate() {
        let answer = answer?;
        ensure(answer.len() == 2, "two counters have not two answers")?;
        sums.push(answer[index % 2].sum);
    }
    sums.sort_unstable();
    ensure(sums.into_iter().eq(1..=100), "a hundred additions at once did not answer 1 to 100")
}

async fn window(store: &dyn Store) -> Result<(), Failed> {
    outlasting(async |lifetime| {
        let ([slot, idle, _], begun) = (slots(Clause::Window), Clock::system().now());
        clear(store, &[slot, idle]).await?;
        let count = |slot, add, window| Count { slot, add, window };
        // Adding 0 begins no window of that length.
        let _ = store.count(&[count(idle, 0, SOON)]).await?;
        let first = store.count(&[count(slot, 3, lifetime), count(idle, 1, lifetime)]).await?;
        let second = store.count(&[count(slot, 1, SOON)]).await?;
        if Clock::system().now() >= begun + lifetime {
            return Ok(false);
        }
        ensure(first.iter().chain(&second).all(|it| it.ends_in <= lifetime), "a window is longer than asked for")?;
        ensure(first.iter().all(|it| it.ends_in + A_SECOND >= lifetime), "a window is shorter than asked for")?;
        ensure(second.iter().all(|it| it.sum == 4), "a counter does not add up within its window")?;
        a_second_before(begun + lifetime).await;
        let later = sums(store, &[count(slot, 0, SOON)]).await?;
        if Clock::system().now() >= begun + lifetime {
            return Ok(false);
        }
        ensure(later == [4], "a window ended before its time")?;
        tokio::time::sleep(lifetime + A_SECOND).await;
        let mut after = sums(store, &[count(idle, 0, SOON)]).await?;
        for add in [-1, 1, 1] {
            after.extend(sums(store, &[count(slot, add, SOON)]).await?);
        }
        ensure(after == [0, 0, 1, 2], &format!("after their window counters are {after:?} and not 0, 0, 1 and 2"))?;
        Ok(true)
    })
    .await
}

async fn renewal(store: &dyn Store) -> Result<(), Failed> {
    let key = key();
    let elsewhere = Key::in_bucket((key.bucket() + 1) % BUCKETS);
    let (before, aside) = (store.read(key).await?, store.read(elsewhere).await?);
    done(store.swap(key, put(&before, b"before", SOON)).await?)?;
    let written = store.read(key).await?;
    let was = written.incarnation;
    tokio::time::sleep(A_SECOND).await;
    let drawn = try_join_all((0..20).map(|_| store.renew(key.bucket(), was))).await?;
    ensure(drawn[0] != was, "to renew did not draw another incarnation")?;
    ensure(drawn.iter().all(|it| *it == drawn[0]), "of those who renewed at once more than one drew")?;
    let after = store.read(key).await?;
    ensure(after.incarnation == drawn[0], "a bucket has another incarnation than renewing answered")?;
    ensure(after.kept.is_none() && after.sequence == 0, "something is kept from before the renewal")?;
    ensure(after.born > written.now, "a bucket that was renewed is as old as before")?;
    ensure(store.renew(key.bucket(), was).await? == drawn[0], "an incarnation was renewed twice")?;
    ensure(done(store.swap(key, put(&after, b"after", SOON)).await?)? == 1, "the sequence did not begin anew")?;
    changed(store.swap(key, put(&written, b"late", SOON)).await?, "a write from before the renewal was done")?;
    ensure(store.read(elsewhere).await?.incarnation == aside.incarnation, "to renew a bucket renewed another")
}

impl Clause {
    /// Whether it takes seconds, until something expires.
    fn waits(self) -> bool {
        matches!(self, Clause::OneIncarnation | Clause::Expiry | Clause::Lifetime | Clause::Window)
    }
}

/// Runs a check with longer and longer lifetimes: it returns false if the machine paused for longer.
async fn outlasting(check: impl AsyncFn(Duration) -> Result<bool, Failed>) -> Result<(), Failed> {
    let mut lifetime = Duration::from_secs(2);
    while !check(lifetime).await? {
        lifetime *= 4;
        ensure(lifetime < SOON, "the store takes minutes to answer")?;
    }
    Ok(())
}

/// Waits until the clock shows the second before this one.
async fn a_second_before(end: Timestamp) {
    while Clock::system().now() + Duration::from_secs(1) < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Why a clause is broken.
struct Failed(String);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Failed(format!("the store answered an error: {error}"))
    }
}

impl From<&str> for Failed {
    fn from(how: &str) -> Self {
        Failed(how.to_owned())
    }
}

fn ensure(holds: bool, how: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(how.into()) }
}

fn done(swap: Swap) -> Result<u64, Failed> {
    match swap {
        Swap::Done { sequence, .. } => Ok(sequence),
        Swap::Changed(_) => Err("a write was refused though nothing had changed".into()),
    }
}

fn changed(swap: Swap, how: &str) -> Result<Seen, Failed> {
    match swap {
        Swap::Changed(seen) => Ok(seen),
        Swap::Done { .. } => Err(how.into()),
    }
}

async fn sums(store: &dyn Store, counts: &[Count]) -> Result<Vec<u64>, Failed> {
    Ok(store.count(counts).await?.into_iter().map(|counted| counted.sum).collect())
}

async fn clear(store: &dyn Store, slots: &[u32]) -> Result<(), Failed> {
    let counts: Vec<Count> = slots.iter().map(|slot| Count { slot: *slot, add: -i64::MAX, window: SOON }).collect();
    Ok(store.count(&counts).await.map(drop)?)
}

fn put(seen: &Seen, bytes: &[u8], keep: Duration) -> Change {
    let since = seen.kept.as_ref().map(|kept| kept.version);
    Change { incarnation: seen.incarnation, since, value: Some(Value::from(bytes.to_vec())), keep }
}

fn key() -> Key {
    Key::from_bytes(rand::random())
}

/// Two keys of one bucket.
fn neighbours() -> (Key, Key) {
    let (one, mut other): (Key, [u8; 32]) = (key(), rand::random());
    other[..2].copy_from_slice(&one.as_bytes()[..2]);
    (one, Key::from_bytes(other))
}

/// Three counters, of the highest numbers; each clause has its own, since a window that has begun cannot be undone.
fn slots(clause: Clause) -> [u32; 3] {
    let first = SLOTS - 3_000 * (1 + clause as u32) + 3 * rand::random_range(0..1_000);
    [first, first + 1, first + 2]
}

const SOON: Duration = Duration::from_secs(600);
/// After this a clock of whole seconds shows another one.
const A_SECOND: Duration = Duration::from_millis(1100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;
    use crate::testing::{Fault, FaultyStore, Verb};

    #[tokio::test]
    async fn a_pause_is_not_taken_for_a_broken_store() {
        let store = FaultyStore::new(MemoryStore::new());
        store.fail(&[Verb::Swap], Fault::Slow(Duration::from_secs(2)));
        assert!(matches!(expires_after(&store, Duration::from_secs(2)).await, Ok(false)));
    }
}
