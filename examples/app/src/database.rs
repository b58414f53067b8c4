//! The users and their notes, in a file of SQLite that all processes open.

use std::path::Path;

use sqlx::{Error, sqlite::SqliteConnectOptions, sqlite::SqliteJournalMode, sqlite::SqlitePool};

use crate::{Role, User};

/// The hash of no password that is known: all of it is random.
pub const NO_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$sHqnAO04YbVaEy+L+MF6TA$fnZ5QqsfzN40Yo1u5Gn+n+du2ntQMaNquJR3yTfHNek";

#[derive(Clone)]
pub struct Database(SqlitePool);

/// An address as it is kept, for sign-up and sign-in alike: one mailbox, in no character that mailers or readers take for another.
pub fn normalised(address: &str) -> Option<String> {
    let address = address.trim().to_ascii_lowercase();
    let is = |it: char, more: &str| it.is_ascii_alphanumeric() || more.contains(it);
    let all = |text: &str, more| !text.is_empty() && text.chars().all(|it| is(it, more));
    let is_one = |(name, host)| all(name, "!#$%&'*+-./=^_{|}~") && all(host, "-.");
    (address.len() <= 254 && address.split_once('@').is_some_and(is_one)).then_some(address)
}

impl Database {
    pub async fn open(file: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).foreign_keys(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
        let tables = "CREATE TABLE IF NOT EXISTS users (sub TEXT PRIMARY KEY, address TEXT UNIQUE, hash TEXT, role TEXT); \
                      CREATE TABLE IF NOT EXISTS mails (address TEXT, at INTEGER); \
                      CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, owner TEXT REFERENCES users, text TEXT)";
        sqlx::raw_sql(tables).execute(&pool).await?;
        Ok(Database(pool))
    }

    /// The user of this `sub` or normalised address (no text is both), and the hash of their password.
    pub async fn find(&self, name: &str) -> Result<Option<(User, String)>, Error> {
        let found = sqlx::query_as("SELECT sub, address, role, hash FROM users WHERE ?1 = sub OR ?1 = address");
        Ok(found.bind(name).fetch_optional(&self.0).await?.map(user))
    }

    /// None, where the address has an account.
    pub async fn add_user(&self, address: &str, hash: &str) -> Result<Option<User>, Error> {
        let add = "INSERT INTO users (sub, address, role, hash) VALUES (lower(hex(randomblob(16))), ?, 'member', ?) \
                   ON CONFLICT DO NOTHING RETURNING sub, address, role, hash";
        let row = sqlx::query_as(add).bind(address).bind(hash);
        Ok(row.fetch_optional(&self.0).await?.map(|row| user(row).0))
    }

    /// The `sub` of the user of this address.
    pub async fn set_hash(&self, address: &str, hash: &str) -> Result<String, Error> {
        let set = sqlx::query_scalar("UPDATE users SET hash = ? WHERE address = ? RETURNING sub");
        set.bind(hash).bind(address).fetch_one(&self.0).await
    }

    /// Whether one more mail may go to this address: three within an hour, and this one counts.
    pub async fn may_mail(&self, address: &str) -> Result<bool, Error> {
        sqlx::query("DELETE FROM mails WHERE at <= unixepoch() - 3600").execute(&self.0).await?;
        let add = "INSERT INTO mails SELECT ?1, unixepoch() WHERE (SELECT count(*) FROM mails WHERE address = ?1) < 3";
        Ok(sqlx::query(add).bind(address).execute(&self.0).await?.rows_affected() == 1)
    }

    pub async fn notes(&self, owner: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT text FROM notes WHERE owner = ? ORDER BY id").bind(owner).fetch_all(&self.0).await
    }

    pub async fn add_note(&self, owner: &str, text: &str) -> Result<(), Error> {
        let add = sqlx::query("INSERT INTO notes (owner, text) VALUES (?, ?)").bind(owner).bind(text);
        add.execute(&self.0).await.map(drop)
    }
}

fn user((sub, email, role, hash): (String, String, String, String)) -> (User, String) {
    (User { sub, email, role: if role == "admin" { Role::Admin } else { Role::Member } }, hash)
}
