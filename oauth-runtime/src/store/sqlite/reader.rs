//! Reads: each is one statement, so all of it is of the same moment.

use std::sync::Arc;
use std::time::Instant;

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::failed::Failed;
use super::patience::PATIENCE;
use super::place::{Place, close};
use super::time::{Time, moment};
use crate::store::{Incarnation, Kept, Key, Seen, Value};

/// A question: what a key holds. The answer is `None` if its bucket is new.
pub(super) struct Read {
    pub(super) key: Key,
    pub(super) since: Instant,
    pub(super) answer: oneshot::Sender<Result<Option<Seen>, Failed>>,
}

/// One connection that reads. It sees what was committed before it began, by whichever process.
pub(super) struct Reader {
    pub(super) connection: SqliteConnection,
    pub(super) place: Place,
    pub(super) time: Arc<Time>,
}

impl Reader {
    /// Answers until the store is dropped.
    pub(super) async fn run(mut self, reads: Arc<Mutex<mpsc::Receiver<Read>>>) {
        while let Some(Read { key, since, answer }) = next(&reads).await {
            if !answer.is_closed() {
                // The caller may go away at any time.
                let _ = answer.send(self.read(key, since).await);
            }
        }
        close(self.connection).await;
    }

    async fn read(&mut self, key: Key, since: Instant) -> Result<Option<Seen>, Failed> {
        self.place.check()?;
        self.time.check()?;
        if since.elapsed() > PATIENCE {
            return Err(self.place.overloaded());
        }
        let state = state(&mut self.connection, key, &self.time).await;
        state.map_err(|why| Failed::of(self.place.path(), &why))
    }
}

/// A function of its own, so that the lock is released before the work begins.
async fn next(reads: &Mutex<mpsc::Receiver<Read>>) -> Option<Read> {
    reads.lock().await.recv().await
}

/// What a key and its bucket hold; `None` if the bucket is new.
pub(super) async fn state(
    connection: &mut SqliteConnection,
    key: Key,
    time: &Time,
) -> Result<Option<Seen>, sqlx::Error> {
    let query = sqlx::query(STATE).bind(i64::from(key.bucket())).bind(&key.as_bytes()[..]);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| seen(&row, time)).transpose()
}

fn seen(row: &SqliteRow, time: &Time) -> Result<Seen, sqlx::Error> {
    time.saw(row.try_get(3)?);
    let now = time.now();
    let until: Option<i64> = row.try_get(4)?;
    let kept = match until {
        Some(until) if moment(until) > now => {
            let value: Vec<u8> = row.try_get(6)?;
            Some(Kept { version: row.try_get::<i64, _>(5)?.cast_unsigned(), value: Value::from(value) })
        }
        _ => None,
    };
    Ok(Seen {
        incarnation: Incarnation::from_bits(row.try_get::<i64, _>(0)?.cast_unsigned()),
        born: moment(row.try_get(1)?),
        sequence: row.try_get::<i64, _>(2)?.cast_unsigned(),
        now,
        kept,
    })
}

const STATE: &str = "SELECT b.incarnation, b.born, b.sequence, (SELECT highest FROM oauth_time), \
    v.expires, v.version, v.value \
    FROM oauth_buckets b LEFT JOIN oauth_values v ON v.bucket = b.number AND v.key = ?2 WHERE b.number = ?1";
