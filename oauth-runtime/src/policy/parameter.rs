//! Compares a claim with a parameter of the route, which the handler's extractor reads as well.
//!
//! `web::Path<u32>` reads 7 in `07` and in `+7`. So a number in a path that is not in its usual form is neither equal to a
//! claim nor different from it: the guard cannot know how the handler will read it.

/// Whether the parameter is this text, byte for byte; `None` if both are numbers, and one is not in its usual form.
pub(super) fn is_text(parameter: &str, text: &str) -> Option<bool> {
    let unusual = |text: &str| !is_usual(text);
    let equal = parameter == text;
    if !equal && is_number(parameter) && is_number(text) && (unusual(parameter) || unusual(text)) {
        return None;
    }
    Some(equal)
}

/// Whether the parameter is this integer; `None` if it is not an integer in its usual form.
pub(super) fn is_integer(parameter: &str, integer: i128) -> Option<bool> {
    is_usual(parameter).then(|| parameter == integer.to_string())
}

/// Whether it is an integer in its usual form: digits without a leading zero, after a minus sign if negative.
fn is_usual(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let begins_with_zero = digits.starts_with('0') && text != "0";
    !digits.is_empty() && !begins_with_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}
