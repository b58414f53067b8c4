//! What is kept under a key: bytes to a store, a record to the server.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::model::record::Record;
use crate::store::error::StoreError;
use crate::store::key::MAX_VALUE_BYTES;

/// What is kept under a key: bytes, of which a store needs to know nothing. A copy is cheap.
///
/// ```
/// use oauth_runtime::store::Value;
///
/// let value = Value::from(b"{}".to_vec());
/// assert_eq!(value.as_bytes(), b"{}");
/// ```
#[derive(Clone)]
pub struct Value(Arc<Inner>);

struct Inner {
    bytes: Box<[u8]>,
    /// As it was read to see that it can be, until it is asked for.
    checked: Mutex<Option<Box<Record>>>,
    /// Read once, however often it is asked for; a store in this process's memory keeps it. What is not asked for takes no room.
    record: OnceLock<Option<Box<Record>>>,
}

impl Value {
    /// Its bytes, to be stored: JSON in UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    pub(crate) fn of(record: &Record) -> Result<Self, StoreError> {
        let bytes = record.encode().map_err(|why| StoreError::Unavailable(why.into()))?;
        // What could not be read back would shut its subject out for good.
        match Record::decode(&bytes, 0) {
            Ok(checked) if bytes.len() <= MAX_VALUE_BYTES => Ok(Value::new(bytes, Some(checked))),
            Ok(_) => Err(StoreError::Full),
            Err(why) => Err(StoreError::Unavailable(why.into())),
        }
    }

    fn new(bytes: Vec<u8>, checked: Option<Record>) -> Self {
        Value(Arc::new(Inner {
            bytes: bytes.into(),
            checked: Mutex::new(checked.map(Box::new)),
            record: OnceLock::new(),
        }))
    }

    /// Whether it says that its subject was signed out.
    pub(crate) fn signs_out(&self) -> bool {
        Record::decode(&self.0.bytes, 0).is_ok_and(|record| record.is_signed_out())
    }

    /// The record that it is, written at this sequence.
    pub(crate) fn record(&self, sequence: u64) -> Result<&Record, StoreError> {
        let checked = || self.0.checked.lock().take().map(|record| Ok(record.written_at(sequence)));
        let read = || checked().unwrap_or_else(|| Record::decode(&self.0.bytes, sequence));
        let record = self.0.record.get_or_init(|| match read() {
            Ok(record) => Some(Box::new(record)),
            Err(why) => {
                tracing::error!(target: "oauth", %why, "the store holds a value that this release cannot read");
                None
            }
        });
        record.as_deref().ok_or_else(|| StoreError::Unavailable("a value that this release cannot read".into()))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::new(bytes, None)
    }
}

impl fmt::Debug for Value {
    /// Its length: what it says is of a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_record_that_was_just_written_reads_as_its_bytes_do_at_its_sequence() {
        let mut record = Record::default();
        record.sign_out(Timestamp::from_seconds(1_000));
        let written = Value::of(&record).expect("it can be read");
        let read = Value::from(written.as_bytes().to_vec());
        assert_ne!(written.record(7).expect("it is one"), &record, "it was written at no sequence yet");
        assert_eq!(written.record(7).expect("it is one"), read.record(7).expect("it is one"));
        assert!(written.0.checked.lock().is_none(), "it is not kept twice");
    }
}
