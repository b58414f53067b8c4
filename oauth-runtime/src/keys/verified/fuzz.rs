//! Compares the two readers of payloads.

use crate::keys::jwt::Expected;
use crate::keys::verified::Read;
use crate::model::Timestamp;

/// Any reader of JSON reads what the plain reader accepts, and in the same way.
pub(crate) fn fuzz(payload: &str, expected: &Expected, now: Timestamp) {
    let Ok(plain) = Read::of_plain(payload) else { return };
    let read: Read<'_> = serde_json::from_str(payload).expect("what is plain is JSON");
    let told = |read: Read<'_>| format!("{:?}", read.checked(expected, now));
    assert_eq!(told(plain), told(read));
}
