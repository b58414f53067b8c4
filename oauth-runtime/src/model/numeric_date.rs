//! The times in a JWT (RFC 7519 §2).

use serde_json::{Number, Value};

use crate::model::Timestamp;

/// A moment as a JWT has it: seconds since 1970, which may have a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate {
    whole: u64,
    has_fraction: bool,
}

impl NumericDate {
    /// `None` if it is not a number, or one that is negative or beyond any calendar.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        NumericDate::of_number(value.as_number()?)
    }

    /// The same, of a number.
    pub(crate) fn of_number(number: &Number) -> Option<Self> {
        if let Some(whole) = number.as_u64() {
            return Some(NumericDate { whole, has_fraction: false });
        }
        let seconds = number.as_f64().filter(|seconds| (0.0..TOO_FAR).contains(seconds))?;
        Some(NumericDate { whole: seconds as u64, has_fraction: seconds.fract() > 0.0 })
    }

    /// Rounded down to whole seconds: what ends then lives no longer for its fraction.
    pub(crate) fn down(self) -> Timestamp {
        Timestamp::from_seconds(self.whole)
    }

    /// Rounded up to whole seconds: what begins then begins no earlier.
    pub(crate) fn up(self) -> Timestamp {
        Timestamp::from_seconds(self.whole.saturating_add(self.has_fraction.into()))
    }
}

/// From here on numbers with a point have no fractions.
const TOO_FAR: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn c26_a_time_may_have_a_fraction_and_is_rounded_to_the_safe_side() {
        let read = |value: &Value| NumericDate::of(value).map(|it| (it.down().seconds(), it.up().seconds()));
        for (value, expected) in [
            (json!(0), (0, 0)),
            (json!(1_000), (1_000, 1_000)),
            (json!(1_000.0), (1_000, 1_000)),
            (json!(1_000.25), (1_000, 1_001)),
            (json!(0.5), (0, 1)),
            (json!(1e3), (1_000, 1_000)),
            (json!(u64::MAX), (u64::MAX, u64::MAX)),
        ] {
            assert_eq!(read(&value), Some(expected), "{value}");
        }
        let texts = ["-1", "-0.5", "1e300", "9007199254740992.0", "18446744073709551616", "-1e300"];
        let numbers = texts.map(|text| serde_json::from_str(text).expect(text));
        for value in numbers.into_iter().chain([json!("1000"), json!(null), json!(true), json!([1]), json!(f64::NAN)]) {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
