//! Writes: those at the same moment are one transaction, so that they share its sync.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::failed::{Failed, is_busy};
use super::patience::PATIENCE;
use super::place::Place;
use super::reader::state;
use super::time::{Time, column, moment};
use crate::model::Timestamp;
use crate::store::{BUCKETS, Change, Count, Counted, Incarnation, Key, Seen, Swap};

/// A write that waits for its turn.
pub(super) struct Write {
    pub(super) task: Task,
    pub(super) since: Instant,
    pub(super) answer: oneshot::Sender<Result<Outcome, Failed>>,
}

/// What is to be done.
pub(super) enum Task {
    /// Reads a key, and draws the incarnation of its bucket if it has none.
    Draw(Key),
    Swap(Key, Change),
    Count(Vec<Count>),
    Renew(u16, Incarnation),
}

/// What was done.
#[derive(Debug)]
pub(super) enum Outcome {
    Seen(Seen),
    Swap(Swap),
    Counted(Vec<Counted>),
    Incarnation(Incarnation),
}

/// This store's connection for writes: other processes have their own.
pub(super) struct Writer {
    connection: SqliteConnection,
    place: Place,
    time: Arc<Time>,
    next_sweep: Timestamp,
    /// Whether there is anything to commit.
    wrote: bool,
    /// Whether there was no room for something.
    full: bool,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection, place: Place, time: Arc<Time>) -> Self {
        Writer { connection, place, time, next_sweep: AT_ONCE, wrote: false, full: false }
    }

    /// Does what is queued until the store is dropped, and returns the connection, to be closed. All that comes in
    /// while a transaction is written forms the next one.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Write>) -> SqliteConnection {
        let mut queued = Vec::new();
        while queue.recv_many(&mut queued, BATCH).await > 0 {
            let batch = queued.drain(..).filter_map(|write| self.in_time(write)).collect();
            self.write(batch).await;
            if self.full {
                self.make_room().await;
            }
        }
        self.connection
    }

    /// Refuses writes that have waited too long, and drops those that no caller waits for.
    fn in_time(&self, write: Write) -> Option<Write> {
        if write.since.elapsed() > PATIENCE {
            answer(write, Err(self.place.overloaded()));
            return None;
        }
        Some(write).filter(|write| !write.answer.is_closed())
    }

    async fn write(&mut self, batch: Vec<Write>) {
        if batch.is_empty() {
            return;
        }
        match self.transaction(&batch).await {
            Ok(outcomes) => batch.into_iter().zip(outcomes).for_each(|(write, outcome)| answer(write, outcome)),
            Err(Broken::Undone(_)) if batch.len() > 1 => {
                // One of them ended the transaction of all, and nothing was written: now each gets its own.
                for write in batch {
                    let outcome = self.transaction(std::slice::from_ref(&write)).await;
                    answer(write, outcome.map_err(Broken::why).and_then(only));
                }
            }
            Err(broken) => {
                let why = broken.why();
                batch.into_iter().for_each(|write| answer(write, Err(why.clone())));
            }
        }
    }

    /// Does all of it, and answers once it is on the disk.
    async fn transaction(&mut self, batch: &[Write]) -> Result<Vec<Result<Outcome, Failed>>, Broken> {
        self.place.check().and_then(|()| self.time.check()).map_err(Broken::Refused)?;
        // For as long as the latest of them may wait.
        let since = batch.last().map_or_else(Instant::now, |write| write.since);
        let stored = self.begin(since).await?;
        let outcomes = match self.within(batch, stored).await {
            Ok(outcomes) => outcomes,
            Err(why) => {
                self.roll_back().await;
                return Err(Broken::Undone(why));
            }
        };
        if let Err(why) = self.run_sql("COMMIT").await {
            // It may be on the disk or not: the callers get an error, and what they hold is not used.
            self.roll_back().await;
            return Err(Broken::Unknown(why));
        }
        Ok(outcomes)
    }

    /// Locks the file for this process, once the others let it, and returns the time that the file has.
    async fn begin(&mut self, since: Instant) -> Result<i64, Broken> {
        self.wrote = false;
        loop {
            match sqlx::query_scalar(BEGIN).fetch_one(&mut self.connection).await {
                Ok(stored) => {
                    self.time.saw(stored);
                    return Ok(stored);
                }
                Err(why) if is_busy(&why) && since.elapsed() < PATIENCE => tokio::time::sleep(POLL).await,
                Err(why) => {
                    self.roll_back().await;
                    return Err(Broken::Refused(self.failed(&why)));
                }
            }
        }
    }

    /// Each task in a savepoint of its own. An error means that the transaction ended.
    async fn within(&mut self, batch: &[Write], stored: i64) -> Result<Vec<Result<Outcome, Failed>>, Failed> {
        self.sweep().await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            self.run_sql(NEXT_STEP).await?;
            outcomes.push(match self.task(&write.task).await {
                Ok(outcome) => Ok(outcome),
                Err(why) => Err(self.undo(&why).await?),
            });
        }
        self.run_sql(NEXT_STEP).await?;
        self.keep_time(stored).await?;
        Ok(outcomes)
    }

    /// Undoes what was done since the savepoint, and returns why. An error if SQLite undid the whole transaction.
    async fn undo(&mut self, why: &sqlx::Error) -> Result<Failed, Failed> {
        let why = self.failed(why);
        match self.run_sql("ROLLBACK TO oauth_step").await {
            Ok(()) => Ok(why),
            Err(_) => Err(why),
        }
    }

    async fn task(&mut self, task: &Task) -> Result<Outcome, sqlx::Error> {
        match task {
            Task::Draw(key) => Ok(Outcome::Seen(self.seen(*key).await?)),
            Task::Swap(key, change) => Ok(Outcome::Swap(self.swap(*key, change).await?)),
            Task::Count(counts) => Ok(Outcome::Counted(self.count(counts).await?)),
            Task::Renew(bucket, was) => Ok(Outcome::Incarnation(self.renew(*bucket % BUCKETS, *was).await?)),
        }
    }

    async fn seen(&mut self, key: Key) -> Result<Seen, sqlx::Error> {
        match state(&mut self.connection, key, &self.time).await? {
            Some(seen) => Ok(seen),
            None => self.draw(key.bucket()).await,
        }
    }

    /// Begins a bucket, or begins it anew.
    async fn draw(&mut self, bucket: u16) -> Result<Seen, sqlx::Error> {
        let (incarnation, now) = (Incarnation::draw(), self.time.now());
        let query = sqlx::query(DRAW).bind(i64::from(bucket)).bind(incarnation.bits().cast_signed()).bind(column(now));
        query.execute(&mut self.connection).await?;
        self.wrote = true;
        Ok(Seen { incarnation, born: now, sequence: 0, now, kept: None })
    }

    async fn swap(&mut self, key: Key, change: &Change) -> Result<Swap, sqlx::Error> {
        let seen = self.seen(key).await?;
        if change.incarnation != seen.incarnation || change.since != seen.kept.as_ref().map(|kept| kept.version) {
            return Ok(Swap::Changed(seen));
        }
        let (bucket, sequence, now) = (i64::from(key.bucket()), seen.sequence + 1, seen.now);
        let key = &key.as_bytes()[..];
        let query = match &change.value {
            Some(value) => sqlx::query(PUT)
                .bind(bucket)
                .bind(sequence.cast_signed())
                .bind(key)
                .bind(column(now + change.keep))
                .bind(value.as_bytes()),
            None => sqlx::query(TAKE).bind(bucket).bind(sequence.cast_signed()).bind(key),
        };
        query.execute(&mut self.connection).await?;
        self.wrote = true;
        Ok(Swap::Done { sequence, now })
    }

    async fn count(&mut self, counts: &[Count]) -> Result<Vec<Counted>, sqlx::Error> {
        let slots: Vec<u32> = counts.iter().map(|count| count.slot).collect();
        let query = sqlx::query_as(COUNTERS).bind(json(&slots)?);
        let found: Vec<(i64, i64, i64)> = query.fetch_all(&mut self.connection).await?;
        let found: HashMap<i64, (i64, i64)> = found.into_iter().map(|(slot, ends, sum)| (slot, (ends, sum))).collect();
        let now = self.time.now();
        let mut changed = Vec::new();
        let count = |Count { slot, add, window }: &Count| {
            let slot = i64::from(*slot);
            let running = found.get(&slot).filter(|(ends, _)| moment(*ends) > now);
            let before = running.map_or(0, |(_, sum)| *sum);
            let sum = before.saturating_add(*add).max(0);
            // Adding 0, or subtracting from 0, begins no window.
            if sum != before {
                changed.push((slot, running.map_or_else(|| column(now + *window), |(ends, _)| *ends), sum));
            }
            Counted { sum: sum.cast_unsigned(), ends_in: running.map_or(*window, |(ends, _)| moment(*ends).since(now)) }
        };
        let counted = counts.iter().map(count).collect();
        if !changed.is_empty() {
            sqlx::query(COUNT).bind(json(&changed)?).execute(&mut self.connection).await?;
            self.wrote = true;
        }
        Ok(counted)
    }

    async fn renew(&mut self, bucket: u16, was: Incarnation) -> Result<Incarnation, sqlx::Error> {
        let now = self.seen(Key::in_bucket(bucket)).await?.incarnation;
        if now != was {
            return Ok(now);
        }
        let forget = sqlx::query("DELETE FROM oauth_values WHERE bucket = ?1").bind(i64::from(bucket));
        forget.execute(&mut self.connection).await?;
        Ok(self.draw(bucket).await?.incarnation)
    }

    /// Removes some expired rows first, so that there is room for the others.
    async fn sweep(&mut self) -> Result<(), Failed> {
        let now = self.time.now();
        if now < self.next_sweep {
            return Ok(());
        }
        let swept = sqlx::query(SWEEP).bind(column(now)).bind(PORTION).execute(&mut self.connection).await;
        match swept {
            Ok(swept) => {
                self.wrote |= swept.rows_affected() > 0;
                // The next transaction goes on where there may be more.
                let more = swept.rows_affected() >= PORTION.cast_unsigned();
                self.next_sweep = if more { AT_ONCE } else { now + SWEEP_EVERY };
                Ok(())
            }
            Err(why) => {
                tracing::warn!(target: "oauth", %why, "expired rows were not removed from the SQLite file");
                self.undo(&why).await?;
                self.next_sweep = now + SWEEP_EVERY;
                Ok(())
            }
        }
    }

    /// Keeps the time in the file together with what is dated by it: once a second at most, as it counts whole seconds.
    async fn keep_time(&mut self, stored: i64) -> Result<(), Failed> {
        let now = column(self.time.now());
        if !self.wrote || now <= stored {
            return Ok(());
        }
        let query = sqlx::query("UPDATE oauth_time SET highest = ?1").bind(now);
        match query.execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(why) => Err(self.failed(&why)),
        }
    }

    /// Moves what is beside the file into it, so that its room is used again, and lets the next transaction sweep
    /// first.
    async fn make_room(&mut self) {
        self.next_sweep = AT_ONCE;
        // On a full disk this may fail as well; then the disk needs room first.
        let _ = self.run_sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
        self.full = false;
    }

    async fn roll_back(&mut self) {
        // SQLite may have done so by itself: then there is no transaction, and this says so.
        let _ = self.run_sql("ROLLBACK").await;
    }

    async fn run_sql(&mut self, sql: &'static str) -> Result<(), Failed> {
        let done = sqlx::query(sql).execute(&mut self.connection).await;
        done.map(drop).map_err(|why| self.failed(&why))
    }

    fn failed(&mut self, why: &sqlx::Error) -> Failed {
        let why = Failed::of(self.place.path(), why);
        self.full |= matches!(why, Failed::Full);
        why
    }
}

/// Why no task of a transaction was done.
enum Broken {
    /// It did not begin.
    Refused(Failed),
    /// It was undone.
    Undone(Failed),
    /// Its commit failed.
    Unknown(Failed),
}

impl Broken {
    fn why(self) -> Failed {
        match self {
            Broken::Refused(why) | Broken::Undone(why) | Broken::Unknown(why) => why,
        }
    }
}

fn answer(write: Write, outcome: Result<Outcome, Failed>) {
    // The caller may have gone away.
    let _ = write.answer.send(outcome);
}

/// Several rows as one argument.
fn json(rows: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|why| sqlx::Error::Encode(why.into()))
}

/// The outcome of a transaction of one task.
fn only(outcomes: Vec<Result<Outcome, Failed>>) -> Result<Outcome, Failed> {
    outcomes.into_iter().next().unwrap_or_else(|| Err(Failed::new("a task without an outcome".into())))
}

/// How many writes share a transaction at most: other processes wait for it.
const BATCH: usize = 128;

/// How many expired rows of either table a transaction removes at most: more than it can bring.
const PORTION: i64 = 256;

/// How often expired rows are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How long the writer waits before it tries again to be let in.
const POLL: Duration = Duration::from_millis(1);

const AT_ONCE: Timestamp = Timestamp::from_seconds(0);

// If there are several statements, each uses a prefix of the arguments: sqlx binds them by number from the first.

const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT oauth_step; SELECT highest FROM oauth_time";

const NEXT_STEP: &str = "RELEASE oauth_step; SAVEPOINT oauth_step";

const DRAW: &str = "INSERT INTO oauth_buckets (number, incarnation, born, sequence) VALUES (?1, ?2, ?3, 0) \
    ON CONFLICT (number) DO UPDATE SET incarnation = ?2, born = ?3, sequence = 0";

const PUT: &str = "UPDATE oauth_buckets SET sequence = ?2 WHERE number = ?1; \
    INSERT INTO oauth_values (bucket, version, key, expires, value) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (bucket, key) DO UPDATE SET version = ?2, expires = ?4, value = ?5";

const TAKE: &str = "UPDATE oauth_buckets SET sequence = ?2 WHERE number = ?1; \
    DELETE FROM oauth_values WHERE bucket = ?1 AND key = ?3";

const COUNTERS: &str = "SELECT slot, ends, sum FROM oauth_counters WHERE slot IN (SELECT value FROM json_each(?1))";

// The condition tells SQLite's parser that what follows is not part of a join.
const COUNT: &str = "INSERT INTO oauth_counters (slot, ends, sum) \
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true \
    ON CONFLICT (slot) DO UPDATE SET ends = excluded.ends, sum = excluded.sum";

const SWEEP: &str = "DELETE FROM oauth_values WHERE (bucket, key) IN \
    (SELECT bucket, key FROM oauth_values WHERE expires <= ?1 ORDER BY expires LIMIT ?2); \
    DELETE FROM oauth_counters WHERE slot IN \
    (SELECT slot FROM oauth_counters WHERE ends <= ?1 ORDER BY ends LIMIT ?2)";
