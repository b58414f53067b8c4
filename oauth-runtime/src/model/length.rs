//! How long something is, written as JSON.

use std::io::{self, Write};

use serde::Serialize;

/// In bytes, without writing it; none where it cannot be written.
pub(crate) fn json_bytes(value: &impl Serialize) -> Option<usize> {
    let mut written = Length(0);
    serde_json::to_writer(&mut written, value).ok()?;
    Some(written.0)
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
