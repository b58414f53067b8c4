//! How serde spells names with `rename_all`.

/// The styles, as serde names them.
pub(super) const STYLES: [(&str, Style); 8] = [
    ("lowercase", Style::Lower),
    ("UPPERCASE", Style::Upper),
    ("PascalCase", Style::Pascal),
    ("camelCase", Style::Camel),
    ("snake_case", Style::Snake),
    ("SCREAMING_SNAKE_CASE", Style::ScreamingSnake),
    ("kebab-case", Style::Kebab),
    ("SCREAMING-KEBAB-CASE", Style::ScreamingKebab),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Style {
    /// A field, which is written in snake case.
    pub(super) fn field(self, name: &str) -> String {
        match self {
            Style::Lower | Style::Snake => name.to_owned(),
            Style::Upper | Style::ScreamingSnake => name.to_ascii_uppercase(),
            Style::Pascal => name.split('_').map(capitalized).collect(),
            Style::Camel => uncapitalized(&Style::Pascal.field(name)),
            Style::Kebab => name.replace('_', "-"),
            Style::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// A variant, which is written in Pascal case.
    pub(super) fn variant(self, name: &str) -> String {
        match self {
            Style::Lower => name.to_ascii_lowercase(),
            Style::Upper => name.to_ascii_uppercase(),
            Style::Pascal => name.to_owned(),
            Style::Camel => uncapitalized(name),
            Style::Snake => snake(name),
            Style::ScreamingSnake => snake(name).to_ascii_uppercase(),
            Style::Kebab => snake(name).replace('_', "-"),
            Style::ScreamingKebab => snake(name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

/// An underscore before each capital but the first.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (index, character) in name.char_indices() {
        if index > 0 && character.is_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn uncapitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
