//! Which scopes imply others, as `files` implies `files:read`.

use std::collections::BTreeMap;

use crate::model::scope::Scope;

/// For each scope, all that it implies, over any number of steps.
#[derive(Debug, Default)]
pub(crate) struct Hierarchy(BTreeMap<String, Scope>);

impl Hierarchy {
    pub(crate) fn of(mut implied: BTreeMap<String, Scope>) -> Self {
        // Each round takes one more step; there are no more steps than scopes.
        for _ in 0..implied.len() {
            let before = implied.clone();
            for scope in implied.values_mut() {
                *scope = widened(scope, &before);
            }
        }
        Hierarchy(implied)
    }

    /// Whether no scope implies another.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A scope with all that it implies.
    pub(crate) fn widened(&self, scope: Scope) -> Scope {
        if self.is_empty() { scope } else { widened(&scope, &self.0) }
    }
}

fn widened(scope: &Scope, implied: &BTreeMap<String, Scope>) -> Scope {
    let mut all = scope.clone();
    all.extend(scope.iter().filter_map(|one| implied.get(one)).flat_map(Scope::iter));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_implied_implies_on_and_a_circle_ends() {
        let scope = |text: &str| text.parse::<Scope>().expect("a scope");
        let implied = [("a", "b"), ("b", "c d"), ("d", "e"), ("x", "y"), ("y", "x")];
        let hierarchy = Hierarchy::of(implied.map(|(one, others)| (one.to_owned(), scope(others))).into());
        for (granted, expected) in
            [("a", "a b c d e"), ("b", "b c d e"), ("e", "e"), ("x", "x y"), ("z", "z"), ("d y", "d e x y")]
        {
            assert_eq!(hierarchy.widened(scope(granted)), scope(expected), "{granted}");
        }
        assert_eq!(Hierarchy::default().widened(scope("a")), scope("a"));
    }
}
