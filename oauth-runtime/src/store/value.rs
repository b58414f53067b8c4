//! What is kept under a key: bytes to a store, a record to the server.

use std::fmt;
use std::sync::{Arc, OnceLock};

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
    /// The bytes of a record that was made here, written once they are needed.
    bytes: OnceLock<Box<[u8]>>,
    /// The record that it was made of, or that was read to check that it can be read: not yet written at a sequence.
    made: Option<Box<Record>>,
    /// Read once, however often it is needed; a store in this process's memory keeps it. A record that is not needed
    /// takes no room.
    record: OnceLock<Option<Box<Record>>>,
}

impl Value {
    /// Its bytes, to be stored: JSON in UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.bytes.get_or_init(|| match self.0.made.as_deref().map(Record::encode) {
            Some(Ok(bytes)) => bytes.into(),
            // A value without bytes was made of a record.
            None => Box::default(),
            // No release can read empty bytes, so all that the value held is refused.
            Some(Err(why)) => {
                tracing::error!(target: "oauth", %why, "a record cannot be written");
                Box::default()
            }
        })
    }

    /// A value for a store that keeps its bytes: they are read back first, to check them.
    pub(crate) fn of(record: &Record) -> Result<Self, StoreError> {
        let bytes = record.encode().map_err(|why| StoreError::Unavailable(why.into()))?;
        // A record that cannot be read back would lock its subject out for good.
        match Record::decode(&bytes, 0) {
            Ok(checked) if bytes.len() <= MAX_VALUE_BYTES => Ok(Value::new(Some(bytes), Some(checked))),
            Ok(_) => Err(StoreError::Full),
            Err(why) => Err(StoreError::Unavailable(why.into())),
        }
    }

    /// A value for a store that keeps it as it is: no longer than one with bytes may be.
    pub(crate) fn in_memory(record: Record) -> Result<Self, StoreError> {
        debug_assert!(
            record.encode().and_then(|bytes| Record::decode(&bytes, 0)).is_ok_and(|read| read == record),
            "what is written here is read as it was"
        );
        if record.most_bytes() <= MAX_VALUE_BYTES {
            return Ok(Value::new(None, Some(record)));
        }
        Value::of(&record)
    }

    fn new(bytes: Option<Vec<u8>>, made: Option<Record>) -> Self {
        Value(Arc::new(Inner {
            bytes: bytes.map(|bytes| OnceLock::from(bytes.into_boxed_slice())).unwrap_or_default(),
            made: made.map(Box::new),
            record: OnceLock::new(),
        }))
    }

    /// Whether it says that its subject was signed out.
    pub(crate) fn signs_out(&self) -> bool {
        match &self.0.made {
            Some(record) => record.is_signed_out(),
            None => Record::decode(self.as_bytes(), 0).is_ok_and(|record| record.is_signed_out()),
        }
    }

    /// The record that it is, written at this sequence.
    pub(crate) fn record(&self, sequence: u64) -> Result<&Record, StoreError> {
        if let Some(record) = self.0.made.as_deref().filter(|record| record.is_of_any_write()) {
            return Ok(record);
        }
        let read = || match &self.0.made {
            Some(record) => Ok(record.as_ref().clone().written_at(sequence)),
            None => Record::decode(self.as_bytes(), sequence),
        };
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
        Value::new(Some(bytes), None)
    }
}

impl fmt::Debug for Value {
    /// Shows nothing of it, since it is about a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.bytes.get() {
            Some(bytes) => write!(f, "Value({} bytes)", bytes.len()),
            None => f.write_str("Value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn signed_out() -> Record {
        let mut record = Record::default();
        record.sign_out(Timestamp::from_seconds(1_000));
        record
    }

    #[test]
    fn a_record_that_was_just_written_reads_as_its_bytes_do_at_its_sequence() {
        let record = signed_out();
        for written in
            [Value::of(&record), Value::in_memory(record.clone())].map(|value| value.expect("it can be read"))
        {
            let read = Value::from(written.as_bytes().to_vec());
            assert_ne!(written.record(7).expect("it is one"), &record, "it was written at no sequence yet");
            assert_eq!(written.record(7).expect("it is one"), read.record(7).expect("it is one"));
            assert!(written.signs_out() && read.signs_out());
        }
    }

    #[test]
    fn in_memory_it_has_no_bytes_until_they_are_asked_for_and_is_as_long_as_a_store_takes() {
        let mut record = Record::default();
        for number in 0..100 {
            record.begin_session(
                &format!("s{number}"),
                Timestamp::from_seconds(5_000),
                Timestamp::from_seconds(5_000),
                Timestamp::from_seconds(1_000),
            );
        }
        let value = Value::in_memory(record.clone()).expect("it is short");
        assert_eq!(value.record(7).expect("it is one"), &record);
        assert!(value.0.bytes.get().is_none() && value.0.record.get().is_none(), "it is kept once");
        assert_eq!(Value::from(value.as_bytes().to_vec()).record(7).expect("it is one"), &record);

        let mut long = |bytes: usize| {
            record.begin_session(
                &"x".repeat(bytes),
                Timestamp::from_seconds(5_000),
                Timestamp::from_seconds(5_000),
                Timestamp::from_seconds(1_000),
            );
            Value::in_memory(record.clone())
        };
        let value = long(MAX_VALUE_BYTES / 2).expect("its bytes are not too many, though they might be");
        assert!(value.0.bytes.get().is_some(), "they were counted");
        assert!(matches!(long(MAX_VALUE_BYTES), Err(StoreError::Full)));
    }
}
