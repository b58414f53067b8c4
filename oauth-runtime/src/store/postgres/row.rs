//! Reads the rows of answers.

use sqlx::Row as _;
use sqlx::postgres::{PgRow, Postgres};

use super::error::failed;
use crate::model::Timestamp;
use crate::store::{Incarnation, Kept, Seen, StoreError, Value};

pub(super) fn seen(row: &PgRow) -> Result<Seen, StoreError> {
    let kept = match column::<Option<i64>>(row, "version")? {
        Some(version) => {
            Some(Kept { version: unsigned(version), value: Value::from(column::<Vec<u8>>(row, "value")?) })
        }
        None => None,
    };
    Ok(Seen {
        incarnation: incarnation(row)?,
        born: Timestamp::from_seconds(unsigned(column(row, "born")?)),
        sequence: unsigned(column(row, "sequence")?),
        now: Timestamp::from_seconds(unsigned(column(row, "now")?)),
        kept,
    })
}

pub(super) fn incarnation(row: &PgRow) -> Result<Incarnation, StoreError> {
    column(row, "incarnation").map(|bits: i64| Incarnation::from_bits(bits.cast_unsigned()))
}

pub(super) fn column<'r, T>(row: &'r PgRow, name: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(name).map_err(failed)
}

/// A number that is never below zero in the database.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
