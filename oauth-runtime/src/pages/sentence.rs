//! A sentence with names in it.

use askama::Template;
use askama::filters::HtmlSafe;

/// A sentence with names in it, which the template emphasizes and escapes.
#[derive(Template)]
#[template(path = "sentence.html")]
pub(super) struct Sentence<'a> {
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    text: &'a str,
    is_name: bool,
}

// Its template escapes the content.
impl HtmlSafe for Sentence<'_> {}

impl<'a> Sentence<'a> {
    /// With a name for each placeholder such as `{client}`.
    pub(super) fn new(text: &'a str, names: &[(&str, &'a str)]) -> Self {
        let mut parts = Vec::with_capacity(1 + 2 * names.len());
        parts.push(Part { text, is_name: false });
        for (place, name) in names {
            let split = |part: &Part<'a>| if part.is_name { None } else { part.text.split_once(place) };
            let found = parts.iter().enumerate().find_map(|(index, part)| Some((index, split(part)?)));
            if let Some((index, (before, after))) = found {
                let around = [(before, false), (*name, true), (after, false)];
                parts.splice(index..=index, around.map(|(text, is_name)| Part { text, is_name }));
            }
        }
        Sentence { parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_text_and_brings_no_place_of_its_own() {
        let names = [("{client}", "<b>{account}"), ("{account}", "ada")];
        let sentence = Sentence::new("{client} & {account}!", &names).to_string();
        let html = sentence.replace("&#60;", "&lt;").replace("&#62;", "&gt;").replace("&#38;", "&amp;");
        assert_eq!(html, "<strong><bdi>&lt;b&gt;{account}</bdi></strong> &amp; <strong><bdi>ada</bdi></strong>!");
    }
}
