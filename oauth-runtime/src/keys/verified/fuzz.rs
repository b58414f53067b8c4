//! The two readers of payloads, beside each other.

use crate::keys::jwt::Expected;
use crate::keys::verified::Read;
use crate::model::Timestamp;

/// What the plain reader takes, any reader of JSON takes for the same.
pub(crate) fn fuzz(payload: &str, expected: &Expected, now: Timestamp) {
    let Ok(plain) = Read::of_plain(payload) else { return };
    let read: Read<'_> = serde_json::from_str(payload).expect("what is plain is JSON");
    let told = |read: Read<'_>| format!("{:?}", read.checked(expected, now));
    assert_eq!(told(plain), told(read));
}
