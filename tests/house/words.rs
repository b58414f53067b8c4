//! Words that stop a reader, and what to write in their place.

/// In comments, documentation, messages and pages.
const INSTEAD: &[(&str, &str)] = &[
    ("nobody", "no one, no user"),
    ("whoever", "a user who, a client that"),
    ("he", "they"),
    ("his", "their"),
    ("him", "them"),
    ("in earnest", "in production"),
    ("needed are", "Required: .."),
    ("what all", "what"),
    ("unless set", "Default: .."),
    ("is no UTF-8", "is not UTF-8"),
    ("are no UTF-8", "are not UTF-8"),
    ("lets in only", "accepts only"),
];

/// The words of a text that are to be others, each with its line and what to write.
pub(crate) fn found(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut found = Vec::new();
    let (words, lines) = words(text);
    for (word, instead) in INSTEAD {
        let looked_for: Vec<String> = word.split(' ').map(str::to_lowercase).collect();
        let places = words.windows(looked_for.len()).zip(&lines).filter(|(words, _)| *words == looked_for);
        found.extend(places.map(|(_, line)| (*line, *word, *instead)));
    }
    found
}

/// Words in lower case, each with its line. What is code or data is none: a name, and what stands in quotes or backticks by itself.
fn words(text: &str) -> (Vec<String>, Vec<usize>) {
    let mut words = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split(|it: char| it.is_whitespace() || "()[]{},;:/".contains(it)) {
            let is_quoted = |mark: char| word.len() > 2 && word.starts_with(mark) && word.ends_with(mark);
            let word = word.trim_matches(|it: char| !it.is_alphanumeric());
            if !word.is_empty() && !is_quoted('"') && !is_quoted('`') {
                words.push((word.to_lowercase(), index + 1));
            }
        }
    }
    words.into_iter().unzip()
}

#[test]
fn a_word_is_found_across_lines_and_not_within_a_name() {
    let found = |text| found(text).into_iter().map(|(line, word, _)| (line, word)).collect::<Vec<_>>();
    assert_eq!(found("/// It is read in\n/// earnest. He said"), [(2, "he"), (1, "in earnest")]);
    assert_eq!(found("signs_nobody_in(\"nobody\", `he`), the other"), []);
    assert_eq!(found("Whoever asks (nobody)."), [(1, "nobody"), (1, "whoever")]);
}
