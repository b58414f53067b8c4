//! The tables and functions in the database: looked at, created, and brought up to date.

use std::net::IpAddr;

use sqlx::postgres::{PgConnection, PgPool, PgSslMode};
use sqlx::{AssertSqlSafe, Row as _};

use super::error::{INSUFFICIENT_PRIVILEGE, code, failed};
use super::row::column;
use crate::store::{BUCKETS, Incarnation, StoreError};

/// Makes sure that everything is there, of this release's version, and may be used. Returns the beginning of the names
/// of all tables and functions: the schema, and the prefix.
pub(super) async fn prepare(pool: &PgPool, prefix: &str) -> Result<String, StoreError> {
    let prefix = checked(prefix)?;
    warn_of_plain_text(pool);
    let mut connection = pool.acquire().await.map_err(failed)?;
    let found = Found::look(&mut connection, &prefix).await?;
    let tables = &found.tables;
    if found.version(&mut connection).await? < VERSION {
        migrate(&mut connection, &found, &prefix).await?;
    }
    let missing = sqlx::query(include_str!("missing.sql")).bind(tables).fetch_one(&mut *connection).await;
    match missing.map_err(failed)?.try_get::<Option<String>, _>(0).map_err(failed)? {
        None => Ok(found.tables),
        Some(missing) => Err(refused(format!("the role of the pool's connections lacks grants: {missing}"))),
    }
}

/// Anyone on the way could revoke things and undo revocations. The pool is the author's own, so the author decides.
fn warn_of_plain_text(pool: &PgPool) {
    let options = pool.connect_options();
    let host = options.get_host();
    let address = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_local = options.get_socket().is_some() || host.starts_with('/') || host == "localhost" || address;
    let may_be_plain = matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    if may_be_plain && !is_local {
        tracing::warn!(
            target: "oauth",
            host,
            "the connection to PostgreSQL on another machine may be without TLS, and anyone on the way can bring back what \
             was revoked: set sslmode=verify-full"
        );
    }
}

/// The version of the schema that this release makes. A later release leaves what this one calls as it is, since this
/// one still runs while that one starts; and it accepts the schema of the release before if its role may not migrate.
pub(super) const VERSION: u32 = 1;

/// Begins a transaction in which nothing fails because another came first, whatever the connection's default is.
pub(super) const READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// The step from each version to the next, never changed once released.
const MIGRATIONS: [&str; VERSION as usize] = [include_str!("1.sql")];

/// What is there beforehand.
struct Found {
    tables: String,
    exists: bool,
}

impl Found {
    async fn look(connection: &mut PgConnection, prefix: &str) -> Result<Self, StoreError> {
        let row = sqlx::query(include_str!("looked.sql")).bind(format!("{prefix}schema")).fetch_one(connection).await;
        let row = row.map_err(failed)?;
        if column::<i32>(&row, "server")? < 130_000 {
            return Err(refused("PostgreSQL is older than version 13: use a later one"));
        }
        if column(&row, "read_only")? {
            return Err(refused(
                "the database takes no writes: connect to the primary server, without default_transaction_read_only",
            ));
        }
        if !column(&row, "fsync")? {
            tracing::warn!(target: "oauth", "PostgreSQL has fsync off: a crash of its machine may bring back what was revoked");
        }
        let schema: Option<String> = column(&row, "schema")?;
        let schema = schema.ok_or_else(|| refused("the search_path names no schema that exists: set it"))?;
        Ok(Found { tables: format!("{schema}.{prefix}"), exists: column(&row, "exists")? })
    }

    /// The version that is there: 0 if there is none.
    async fn version(&self, connection: &mut PgConnection) -> Result<u32, StoreError> {
        if !self.exists {
            return Ok(0);
        }
        let sql = AssertSqlSafe(format!("SELECT version FROM {}schema", self.tables));
        let version: i32 = column(&sqlx::query(sql).fetch_one(connection).await.map_err(failed)?, "version")?;
        let version = version.unsigned_abs();
        if version > VERSION {
            return Err(refused(format!(
                "its tables are of version {version}, this release knows {VERSION}: use the release that made them"
            )));
        }
        Ok(version)
    }
}

/// Migrates, one process at a time.
async fn migrate(connection: &mut PgConnection, found: &Found, prefix: &str) -> Result<(), StoreError> {
    let done = migrate_locked(connection, found, prefix).await;
    done.map_err(|error| match error {
        StoreError::Unavailable(why) if why.downcast_ref().and_then(code).as_deref() == Some(INSUFFICIENT_PRIVILEGE) => {
            refused(format!(
                "its tables are missing, or of an earlier release, and the role of the pool's connections may not create \
                 or change them ({why}): start once with a role that may"
            ))
        }
        error => error,
    })
}

async fn migrate_locked(connection: &mut PgConnection, found: &Found, prefix: &str) -> Result<(), StoreError> {
    use sqlx::Connection as _;

    let mut transaction = connection.begin_with(READ_COMMITTED).await.map_err(failed)?;
    // The lock lasts until the end of the transaction. The incarnations must be as durable as what refers to them.
    let lock = "SELECT set_config('synchronous_commit', 'on', true), pg_advisory_xact_lock(hashtextextended($1, 0))";
    let name = format!("oauth-runtime {}", found.tables);
    sqlx::query(lock).bind(name).execute(&mut *transaction).await.map_err(failed)?;
    // Another may have come first.
    let found = Found::look(&mut transaction, prefix).await?;
    let version = found.version(&mut transaction).await?;
    for (before, migration) in (0..VERSION).zip(MIGRATIONS).skip(version as usize) {
        let migration = migration.replace("{tables}", &found.tables).replace("{prefix}", prefix);
        sqlx::raw_sql(AssertSqlSafe(migration)).execute(&mut *transaction).await.map_err(failed)?;
        if before == 0 {
            fill(&mut transaction, &found.tables).await?;
        }
    }
    let sql = format!(
        "INSERT INTO {}schema (version) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET version = $1",
        found.tables
    );
    let version = VERSION.cast_signed();
    sqlx::query(AssertSqlSafe(sql)).bind(version).execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// Makes all buckets at once: none is born later than the store.
async fn fill(connection: &mut PgConnection, tables: &str) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO {tables}buckets SELECT n - 1, incarnation, clock.now, 0
         FROM (SELECT clock_timestamp() AS now) AS clock
         CROSS JOIN unnest($1::bigint[]) WITH ORDINALITY AS drawn (incarnation, n)"
    );
    let drawn: Vec<i64> = (0..BUCKETS).map(|_| Incarnation::draw().bits().cast_signed()).collect();
    sqlx::query(AssertSqlSafe(sql)).bind(drawn).execute(connection).await.map(drop).map_err(failed)
}

/// The prefix as PostgreSQL reads it without quotes.
fn checked(prefix: &str) -> Result<String, StoreError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = prefix.starts_with(|c: char| allowed(c) && !c.is_ascii_digit());
    if !begins || prefix.len() > 40 || !prefix.chars().all(allowed) {
        return Err(refused(format!(
            "the prefix {prefix:?} is not allowed: use 1 to 40 letters, digits and underscores, the first not a digit"
        )));
    }
    Ok(prefix.to_ascii_lowercase())
}

fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Unavailable(why.into().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_name_without_quotes() {
        for (prefix, name) in [("oauth_", "oauth_"), ("App_oauth_", "app_oauth_"), ("_1", "_1")] {
            assert_eq!(checked(prefix).expect("allowed"), name);
        }
        for prefix in ["", "1a", "a-b", "a.b", "a\"", "a;", "a b", "\u{e4}", &"a".repeat(41)] {
            let error = checked(prefix).expect_err("not allowed").to_string();
            assert!(error.contains("is not allowed"), "{error}");
        }
    }
}
