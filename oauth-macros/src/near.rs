//! The known word that is nearest to an unknown one.

/// The one of these words that was probably meant.
pub(crate) fn near<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let allowed = if written.chars().count() < 3 { 1 } else { 2 };
    let near = words.into_iter().map(|word| (distance(&written, &word.to_lowercase()), word));
    near.filter(|(distance, word)| *distance <= allowed && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many characters have to be inserted, removed, changed, or swapped with a neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses() {
        let words = ["all", "any", "not"];
        for (written, meant) in [
            ("al", Some("all")),
            ("nay", Some("any")),
            ("nto", Some("not")),
            ("ALL", Some("all")),
            ("every", None),
            ("role", None),
            ("x", None),
        ] {
            assert_eq!(near(written, words), meant, "{written}");
        }
    }
}
