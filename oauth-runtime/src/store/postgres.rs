//! PostgreSQL, on the application's own pool: a function in the database for each verb, one round trip for each call.

mod error;
mod row;
mod schema;

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgPool, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use crate::store::{
    About, BUCKETS, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, StoreError, Swap, Value,
};
use error::{did_nothing, failed};
use row::{column, incarnation, seen, unsigned};
use schema::READ_COMMITTED;

/// Keeps its values in PostgreSQL 13 or later: for a service of several processes, or one whose users stay signed in
/// across restarts.
///
/// Clones share the pool. An acknowledged write is on the disk, and on the synchronous standbys if the server has any:
/// `synchronous_commit = off` of the database, the role or the connection is overruled for the store's own
/// transactions. All processes share the database's clock. Later writes remove expired values, without a task of its
/// own.
///
/// # The pool
/// - A call is one statement and one round trip, once the connection has prepared it. By default sqlx tests a connection
///   each time before it hands it out, which is a second one: `PgPoolOptions::test_before_acquire(false)` avoids it. The
///   first call on each connection that broke meanwhile then fails.
/// - With `statement_cache_capacity(0)` every call takes two.
/// - If no server listens, sqlx waits for `PgPoolOptions::acquire_timeout`, 30 s by default: with a second or two, a
///   wrong address or a server that is down is reported at once.
/// - Any isolation level is right. If the default is not `READ COMMITTED`, calls that collide take three more round
///   trips.
/// - PgBouncer in transaction mode must be version 1.21 or later, with `max_prepared_statements` of at least 10.
/// - Connections must lead to the primary server: a standby is refused when the store is made, and at every call.
/// - A write waits for a lock for at most 4 s, unless the connection's own `lock_timeout` is another.
///
/// # Backup and restore
/// The tables are in the backups of the database. After a restore call
/// [`OAuthService::renew`](crate::OAuthService::renew) once: what was spent or revoked since the backup is not in it.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    read: SqlStr,
    swap: SqlStr,
    count: SqlStr,
    renew: SqlStr,
}

impl PostgresStore {
    /// A store in tables whose names begin with `oauth_`. It creates missing ones in the first schema of the
    /// connection's `search_path`; many may start at once.
    ///
    /// ```no_run
    /// use oauth_runtime::store::PostgresStore;
    /// use sqlx::postgres::PgPoolOptions;
    ///
    /// # async fn make() -> Result<PostgresStore, Box<dyn std::error::Error>> {
    /// let pool = PgPoolOptions::new().test_before_acquire(false).connect("postgres://app@localhost/app").await?;
    /// let store = PostgresStore::new(pool).await?;
    /// # Ok(store)
    /// # }
    /// ```
    ///
    /// # Grants
    /// To create the tables, and to change them when a later release of this crate starts for the first time: `CREATE` and
    /// `USAGE` on the schema, by the same role each time. A role that only uses them needs:
    ///
    /// ```sql
    /// GRANT USAGE ON SCHEMA public TO app;
    /// GRANT SELECT ON oauth_schema TO app;
    /// GRANT SELECT, UPDATE ON oauth_buckets TO app;
    /// GRANT SELECT, INSERT, UPDATE ON oauth_counters TO app;
    /// GRANT SELECT, INSERT, UPDATE, DELETE ON oauth_values TO app;
    /// -- Where it is not PUBLIC's, as it is by default:
    /// GRANT EXECUTE ON FUNCTION oauth_read, oauth_durably, oauth_swap, oauth_count, oauth_renew TO app;
    /// ```
    ///
    /// # Errors
    /// The server does not answer, is older than PostgreSQL 13, or accepts no writes; the tables are from a later
    /// release; a grant is missing. The text says which.
    pub async fn new(pool: PgPool) -> Result<Self, StoreError> {
        PostgresStore::with_prefix(pool, DEFAULT_PREFIX).await
    }

    /// Like [`PostgresStore::new`], with another prefix for tables and functions: two stores in one database need
    /// different ones.
    ///
    /// ```no_run
    /// # use oauth_runtime::store::{PostgresStore, StoreError};
    /// # async fn make(pool: sqlx::PgPool) -> Result<PostgresStore, StoreError> {
    /// let store = PostgresStore::with_prefix(pool, "app_oauth_").await?;
    /// # Ok(store)
    /// # }
    /// ```
    ///
    /// Default: `oauth_`. Required: 1 to 40 of `a` to `z`, digits and `_`, the first not a digit. Upper-case letters
    /// become lower case, as in SQL.
    ///
    /// # Errors
    /// Those of [`PostgresStore::new`], or the prefix is not allowed.
    pub async fn with_prefix(pool: PgPool, prefix: &str) -> Result<Self, StoreError> {
        let tables = schema::prepare(&pool, prefix).await?;
        let call = |verb: &str| AssertSqlSafe(format!("SELECT * FROM {tables}{verb}")).into_sql_str();
        Ok(PostgresStore {
            read: call("read($1, $2)"),
            swap: call("swap($1, $2, $3, $4, $5, $6)"),
            count: call("count($1, $2, $3)"),
            renew: call("renew($1, $2, $3)"),
            pool,
        })
    }

    /// Asks in one round trip, and again if the first attempt provably did nothing.
    async fn ask<'q>(&self, query: impl Fn() -> Call<'q> + Send + Sync) -> Result<PgRow, StoreError> {
        // The answer is read to its end: an error of the commit comes after the row.
        let mut answer = query().fetch_one(&self.pool).await;
        for _ in 0..RETRIES {
            match answer {
                Err(error) if did_nothing(&error) => answer = self.ask_read_committed(query()).await,
                Ok(_) | Err(_) => break,
            }
        }
        answer.map_err(failed)
    }

    /// Asks at an isolation level that knows no serialization failures, whatever the connection's default is.
    async fn ask_read_committed(&self, query: Call<'_>) -> Result<PgRow, sqlx::Error> {
        let mut transaction = self.pool.begin_with(READ_COMMITTED).await?;
        let row = query.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }
}

impl Store for PostgresStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        Reply::later(async move {
            let query = || call(&self.read).bind(i32::from(key.bucket())).bind(key.as_bytes().as_slice());
            let row = self.ask(query).await?;
            if column(&row, "standby")? {
                return Err(StoreError::Unavailable("a standby is behind: connect to the primary server".into()));
            }
            seen(&row)
        })
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        Reply::later(async move {
            // No value has a version below 0.
            let since = change.since.map(|since| i64::try_from(since).unwrap_or(-1));
            let query = || {
                call(&self.swap)
                    .bind(i32::from(key.bucket()))
                    .bind(key.as_bytes().as_slice())
                    .bind(change.incarnation.bits().cast_signed())
                    .bind(since)
                    .bind(change.value.as_ref().map(Value::as_bytes))
                    .bind(microseconds(change.keep))
            };
            let row = self.ask(query).await?;
            let seen = seen(&row)?;
            Ok(match column(&row, "done")? {
                true => Swap::Done { sequence: seen.sequence, now: seen.now },
                false => Swap::Changed(seen),
            })
        })
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        if counts.is_empty() {
            return Reply::now(Ok(Vec::new()));
        }
        Reply::later(async move {
            let query = || {
                // A slot is less than `SLOTS`: far below what fits.
                let slots: Vec<i32> = counts.iter().map(|count| count.slot.cast_signed()).collect();
                let adds: Vec<i64> = counts.iter().map(|count| count.add).collect();
                let windows: Vec<i64> = counts.iter().map(|count| microseconds(count.window)).collect();
                call(&self.count).bind(slots).bind(adds).bind(windows)
            };
            let row = self.ask(query).await?;
            let (sums, ends): (Vec<i64>, Vec<i64>) = (column(&row, "sums")?, column(&row, "ends_in")?);
            let counted = |(sum, end)| Counted { sum: unsigned(sum), ends_in: Duration::from_micros(unsigned(end)) };
            Ok(sums.into_iter().zip(ends).map(counted).collect())
        })
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        Reply::later(async move {
            let drawn = Incarnation::draw().bits().cast_signed();
            let bucket = i32::from(bucket % BUCKETS);
            let row = self.ask(|| call(&self.renew).bind(bucket).bind(was.bits().cast_signed()).bind(drawn)).await?;
            incarnation(&row)
        })
    }

    fn about(&self) -> About {
        About { engine: "PostgreSQL", schema: Some(schema::VERSION), has_clock: true }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

type Call<'q> = Query<'q, Postgres, PgArguments>;

fn call<'q>(sql: &SqlStr) -> Call<'q> {
    sqlx::query(sql.clone())
}

/// Rounds up to whole microseconds. The end must be a time that PostgreSQL knows.
fn microseconds(duration: Duration) -> i64 {
    let whole = duration.min(LONGEST).as_nanos().div_ceil(1000);
    i64::try_from(whole).unwrap_or(i64::MAX)
}

const DEFAULT_PREFIX: &str = "oauth_";
const RETRIES: usize = 3;
/// A thousand years.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_microseconds_that_never_fall_short() {
        assert_eq!(microseconds(Duration::ZERO), 0);
        assert_eq!(microseconds(Duration::from_nanos(1)), 1);
        assert_eq!(microseconds(Duration::from_secs(2)), 2_000_000);
        assert_eq!(microseconds(Duration::MAX), microseconds(LONGEST));
    }
}
