//! Texts of others, made fit for a line of a report.

use std::fmt::Write as _;

/// The first 200 characters; those that control a terminal or change how a line reads are escaped. Quotes and
/// backslashes stay, so that JSON and URLs are readable.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(LONGEST) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    let all = text.chars().count();
    if all > LONGEST {
        // Writing to a `String` cannot fail.
        let _ = write!(shown, ".. ({all} characters)");
    }
    shown
}

/// An address without the name and the password that may be before its host, even if it is not a URL.
pub(super) fn without_user(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, after)| after)
}

const LONGEST: usize = 200;
