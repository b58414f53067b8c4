//! Whether a rule holds: three values, and Kleene's logic over them.

/// The outcome of a rule. Only [`Decision::True`] admits.
///
/// A claim that is absent, or of another JSON type than the rule expects, is *unknown*, not false: so no combination of
/// rules can turn a forgotten claim into a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The rule holds.
    True,
    /// The rule does not hold.
    False,
    /// The claims do not say.
    Unknown,
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub fn admits(self) -> bool {
        self == Decision::True
    }

    /// Kleene's conjunction: false decides, then unknown.
    pub(super) fn and(self, other: Decision) -> Decision {
        match (self, other) {
            (Decision::False, _) | (_, Decision::False) => Decision::False,
            (Decision::True, Decision::True) => Decision::True,
            (Decision::Unknown, _) | (_, Decision::Unknown) => Decision::Unknown,
        }
    }

    /// Kleene's disjunction: true decides, then unknown.
    pub(super) fn or(self, other: Decision) -> Decision {
        self.not().and(other.not()).not()
    }

    pub(super) fn not(self) -> Decision {
        match self {
            Decision::True => Decision::False,
            Decision::False => Decision::True,
            Decision::Unknown => Decision::Unknown,
        }
    }

    pub(crate) fn of(holds: bool) -> Decision {
        if holds { Decision::True } else { Decision::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Decision::{False, True, Unknown};

    #[test]
    fn kleene() {
        for (one, other, and, or) in [
            (True, True, True, True),
            (True, False, False, True),
            (True, Unknown, Unknown, True),
            (False, False, False, False),
            (False, Unknown, False, Unknown),
            (Unknown, Unknown, Unknown, Unknown),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                assert_eq!((one.and(other), one.or(other)), (and, or), "{one:?} {other:?}");
            }
        }
        assert_eq!((True.not(), False.not(), Unknown.not()), (False, True, Unknown));
    }
}
