//! Words that stop a reader, and what to write in their place.

/// In comments, documentation, messages, pages and tests.
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
    ("lets them in", "admits them"),
    ("of late", "recently"),
    ("their like", "name the others"),
    ("in the place of", "instead of"),
    ("side by side", "at the same time"),
    ("as good as new", "fresh"),
    ("is had", "name who has it"),
    ("somebody", "someone, or who it is: a user, a client, an attacker"),
    ("anybody", "anyone"),
    ("everybody", "everyone"),
    ("is told", "gets, learns, is notified"),
    ("are told", "get, learn, are notified"),
    ("lets in", "admits, accepts"),
    ("lets it in", "admits it"),
    ("of before", "earlier, the last"),
    ("claims of now", "current claims"),
    ("configuration of now", "current configuration"),
    ("came of", "resulted from, was issued from"),
    ("comes of", "results from, is issued from"),
    ("the like", "name the others, or say such as"),
    ("its like", "name the others"),
    ("makes place", "makes room"),
    ("make place", "make room"),
    ("line's end", "line break"),
    ("spelt", "spelled"),
    ("all else is", "everything else is"),
    ("all else that", "everything else that"),
    ("all else has", "everything else has"),
    ("what there is", "the current value, or what it is"),
    ("show who it is", "authenticate"),
    ("shows who it is", "authenticates"),
    ("taken out", "removed"),
    ("reckoned", "estimated"),
    ("is no text", "is not text"),
    ("is no JSON", "is not JSON"),
    ("is no term", "is not a term"),
    ("is no literal", "is not a literal"),
    ("is no pattern", "is not a pattern"),
    ("is no scope", "is not a scope"),
];

/// The words of a text that should be others, each with its line and what to write.
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

/// Words in lower case, each with its line. Code and data do not count: names, and single words in quotes or backticks.
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
