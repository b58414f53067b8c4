//! Texts of others, made fit for a line of a report.

use crate::model::name::{LONGEST_ON_A_LINE, on_a_line};

/// As much as a line may have, and how much there is.
pub(super) fn shown(text: &str) -> String {
    let (begin, all) = (on_a_line(text), text.chars().count());
    if all > LONGEST_ON_A_LINE { format!("{begin}.. ({all} characters)") } else { begin }
}

/// An address without the name and the password that may be before its host, even if it is not a URL.
pub(super) fn without_user(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, after)| after)
}
