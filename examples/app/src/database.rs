//! The users and their notes, in a file of SQLite that all processes open.

use std::path::Path;

use sqlx::Error;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};

use crate::{Role, User};

#[derive(Clone)]
pub struct Database(SqlitePool);

/// An address as it is kept, for sign-up and sign-in alike: one mailbox, in no character that mailers or readers take for another.
pub fn normalised(address: &str) -> Option<String> {
    let address = address.trim().to_ascii_lowercase();
    let all = |text: &str, more: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || more.contains(it));
    let parts = address.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_one = parts.is_some_and(|(name, host)| all(name, "!#$%&'*+-./=^_{|}~") && all(host, "-."));
    (is_one && address.len() <= 254).then_some(address)
}

impl Database {
    pub async fn open(file: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).foreign_keys(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
        let tables = "CREATE TABLE IF NOT EXISTS users (sub TEXT PRIMARY KEY, address TEXT UNIQUE, hash TEXT, role TEXT); \
                      CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, owner TEXT REFERENCES users, text TEXT)";
        sqlx::raw_sql(tables).execute(&pool).await?;
        Ok(Database(pool))
    }

    /// The user of a normalised address, and the hash of their password.
    pub async fn by_address(&self, address: &str) -> Result<Option<(User, String)>, Error> {
        let row = sqlx::query_as("SELECT sub, address, role, hash FROM users WHERE address = ?").bind(address);
        Ok(row.fetch_optional(&self.0).await?.map(user))
    }

    pub async fn by_sub(&self, sub: &str) -> Result<Option<User>, Error> {
        let row = sqlx::query_as("SELECT sub, address, role, hash FROM users WHERE sub = ?").bind(sub);
        Ok(row.fetch_optional(&self.0).await?.map(|row| user(row).0))
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

    pub async fn notes(&self, address: &str) -> Result<Vec<String>, Error> {
        let notes =
            sqlx::query_scalar("SELECT text FROM notes JOIN users ON owner = sub WHERE address = ? ORDER BY id");
        notes.bind(address).fetch_all(&self.0).await
    }

    pub async fn add_note(&self, owner: &str, text: &str) -> Result<(), Error> {
        let add = sqlx::query("INSERT INTO notes (owner, text) VALUES (?, ?)");
        add.bind(owner).bind(text).execute(&self.0).await.map(drop)
    }
}

fn user((sub, email, role, hash): (String, String, String, String)) -> (User, String) {
    (User { sub, email, role: if role == "admin" { Role::Admin } else { Role::Member } }, hash)
}
