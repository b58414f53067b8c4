//! Names that users type: how they are normalized to count attempts.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, IndicSyllabicCategory, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::model::id::digest;

/// How long a name may be, in bytes: one limit for the form and for what is sealed; where it is counted or kept, it is
/// a hash.
pub(crate) const MAX_USERNAME_BYTES: usize = 256;

/// A name folded as a look-up of the author may read it: without case, width, accents, white space and invisible
/// characters. Different names that fold alike count together, which is less harmful than counting apart two names that
/// the author's database considers equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoldedName(String);

impl FoldedName {
    pub(crate) fn of(typed: &str) -> Self {
        if typed.is_ascii() {
            return FoldedName(
                typed.chars().filter(char::is_ascii_graphic).map(|it| it.to_ascii_lowercase()).collect(),
            );
        }
        FoldedName::of_any_script(typed)
    }

    fn of_any_script(typed: &str) -> Self {
        const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();
        // Twice: a change of case can bring marks of its own.
        let decomposed = NFKD.normalize_iter(typed.chars());
        let folded = NFKD.normalize_iter(decomposed.flat_map(one_case));
        FoldedName(folded.filter(|letter| is_seen(*letter)).flat_map(without_stroke).collect())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The form in which a name is kept: of fixed length, and hiding the name from anyone who does not guess it. Two spellings
/// differ, since only the author knows whether they are one user.
pub(crate) fn typed_hash(name: &str) -> String {
    digest("name", name)
}

/// A name that a third party chose, as a page may show it: one line, without characters that are invisible, change the
/// direction of what follows or have no look of their own, and without signs such as 🔒, cut to this many characters. `None` if
/// nothing is left, or if a word has letters of scripts that look alike: it would be another name than the one that is read.
pub(crate) fn one_line(text: &str, longest: usize) -> Option<String> {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_shown = |letter: &char| {
        let category = categories.get(*letter);
        // A check mark or a lock would be the page's own word, and not a part of a name.
        let is_sign = GeneralCategoryGroup::Symbol.contains(category)
            && category != GeneralCategory::CurrencySymbol
            && !letter.is_ascii();
        !GeneralCategoryGroup::Other.contains(category)
            && !is_sign
            && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(*letter)
    };
    let is_space = |letter: char| letter.is_whitespace() || DRAWN_AS_NOTHING.contains(&letter);
    let spaced = text.chars().map(|letter| if is_space(letter) { ' ' } else { letter });
    // At the beginning and after a space there is no letter that could bear one.
    let mut marks = MOST_MARKS;
    let is_borne = |letter: &char| {
        let is_mark =
            matches!(categories.get(*letter), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark);
        marks = match *letter {
            _ if is_mark => marks + 1,
            ' ' => MOST_MARKS,
            _ => 0,
        };
        !is_mark || marks <= MOST_MARKS
    };
    let shown: String = spaced.filter(is_shown).filter(is_borne).collect();
    let words: Vec<&str> = shown.split(' ').filter(|word| !word.is_empty()).collect();
    let cut: String = words.join(" ").chars().take(longest).collect();
    (!cut.trim().is_empty() && !words.into_iter().any(passes_for_another)).then(|| cut.trim().to_owned())
}

/// Symbols without a stroke.
const DRAWN_AS_NOTHING: [char; 2] = ['\u{2800}', '\u{1d159}'];
/// UTS #39 §5.4: more would be drawn over the lines above and below, and no language has more.
const MOST_MARKS: usize = 4;

/// Whether a word mixes scripts whose letters look alike, such as a Cyrillic `А` before Latin `cme` (UTS #39 §5.2).
fn passes_for_another(word: &str) -> bool {
    let scripts = CodePointMapData::<Script>::new();
    let mut found = word.chars().map(|letter| scripts.get(letter)).filter(|script| LOOK_ALIKE.contains(script));
    found.next().is_some_and(|first| found.any(|script| script != first))
}

const LOOK_ALIKE: [Script; 7] =
    [Script::Latin, Script::Greek, Script::Cyrillic, Script::Armenian, Script::Cherokee, Script::Coptic, Script::Lisu];

/// The beginning of a text of others, as a line of a log or a report may have it: what controls a terminal or changes how the
/// line reads is escaped. Quotes and backslashes stay, so that JSON and URLs are readable: a subscriber escapes them in its
/// own way.
pub(crate) fn on_a_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(LONGEST_ON_A_LINE) {
        match character {
            '"' | '\'' | '\\' => line.push(character),
            other => line.extend(other.escape_debug()),
        }
    }
    line
}

/// In characters.
pub(crate) const LONGEST_ON_A_LINE: usize = 200;

/// By way of the upper case, which is the same for `ß` and `ss`, for each sigma, for `K` and the Kelvin sign.
fn one_case(letter: char) -> impl Iterator<Item = char> {
    letter.to_uppercase().flat_map(char::to_lowercase)
}

/// Whether it is not just an accent, a space, a control or an invisible character.
fn is_seen(letter: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(letter);
    let unseen = [GeneralCategoryGroup::Separator, GeneralCategoryGroup::Control, GeneralCategoryGroup::Format];
    !letter.is_whitespace()
        && !unseen.iter().any(|group| group.contains(category))
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
        && (!GeneralCategoryGroup::Mark.contains(category) || spells(letter))
}

/// Whether a mark is part of a word's spelling, such as the vowels of Hindi and Thai, rather than an accent, tone,
/// point or harakat. The mark decides, not the letter below it: a comparison without accents ignores an accent on any
/// letter, so adding one to each would give as many names.
///
/// It compares as the root of the Unicode Collation Algorithm does, or considers more names equal.
fn spells(mark: char) -> bool {
    use IndicSyllabicCategory as Is;
    let is_syllabic = matches!(
        CodePointMapData::<IndicSyllabicCategory>::new().get(mark),
        Is::Vowel
            | Is::VowelDependent
            | Is::Virama
            | Is::PureKiller
            | Is::InvisibleStacker
            | Is::NumberJoiner
            | Is::ConsonantFinal
            | Is::ConsonantInitialPostfixed
            | Is::ConsonantMedial
            | Is::ConsonantSubjoined
    );
    let is_of_thaana = ('\u{7a6}'..='\u{7b0}').contains(&mark);
    (is_syllabic && !OVERLOOKED.contains(&mark)) || is_of_thaana
}

/// Of the kinds above, those that the algorithm ignores like accents.
const OVERLOOKED: [char; 16] = [
    '\u{b55}',
    '\u{e47}',
    '\u{e4e}',
    '\u{17c8}',
    '\u{17d1}',
    '\u{1939}',
    '\u{193a}',
    '\u{1a7a}',
    '\u{1b03}',
    '\u{1b81}',
    '\u{a982}',
    '\u{10a0d}',
    '\u{111cb}',
    '\u{111cc}',
    '\u{11640}',
    '\u{11d43}',
];

/// Letters that no normalisation takes apart, as databases compare them without accents (the root of the Unicode
/// Collation Algorithm).
fn without_stroke(letter: char) -> impl Iterator<Item = char> {
    let plain = match letter {
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŧ' => "t",
        'þ' => "th",
        letter => return Letters::One(Some(letter)),
    };
    Letters::Some(plain.chars())
}

enum Letters {
    One(Option<char>),
    Some(std::str::Chars<'static>),
}

impl Iterator for Letters {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Letters::One(letter) => letter.take(),
            Letters::Some(letters) => letters.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c46_one_name_however_it_is_spelt() {
        let folded = |typed: &str| FoldedName::of(typed).0;
        for typed in [
            "josé strauß",
            "JOSE STRAUSS",
            "Jose\u{301}Strauß",
            " jo\u{200b}se \u{a0}\u{3000}stra\u{ad}uss\t",
            "ｊｏｓｅ ｓｔｒａｕſs",
            "𝐣𝐨𝐬𝐞𝓼𝓽𝓻𝓪𝓾𝓼𝓼",
            "j\u{f8}se strauss",
            "jo\u{34f}se\u{fe0f}stra\u{2060}u\u{180e}ss\u{e0041}",
            "j\u{306}o\u{20dd}s\u{5bf}e\u{0}strauss",
        ] {
            assert_eq!(folded(typed), "josestrauss", "{typed:?}");
        }
        assert_eq!(folded("İıIi"), "iiii");
        assert_eq!(folded("ΣΊΣΥΦΟΣ"), folded("σίσυφος"));
        assert_eq!(folded("Ångström"), "angstrom");
        assert_eq!(folded("ǅungla"), folded("džungla"));
        assert_ne!(folded("ada"), folded("ida"));
        assert_eq!(folded("\u{200b} "), "");
        for typed in ["İ", "ß", "ﬁ", "ΐ", "𝐀", "ё", "が"] {
            assert_eq!(folded(&folded(typed)), folded(typed), "{typed}");
        }
    }

    #[test]
    fn c46_a_name_in_ascii_is_read_as_one_of_any_script_is() {
        let all: Vec<char> = ('\0'..='\x7f').collect();
        let pairs = all.iter().flat_map(|one| all.iter().map(move |other| format!("{one}{other}{one}")));
        for typed in pairs.chain([String::new(), all.iter().collect()]) {
            assert_eq!(FoldedName::of(&typed), FoldedName::of_any_script(&typed), "{typed:?}");
        }
    }

    #[test]
    fn c46_names_of_each_script_are_told_apart_by_their_vowels_and_not_by_accents() {
        let folded = |typed: &str| FoldedName::of(typed).0;
        for (one, other) in [
            ("राम", "रमा"),
            ("राम", "रम"),
            ("कमल", "कोमल"),
            ("सत्य", "सतय"),
            ("মিনা", "মীনা"),
            ("ਮੀਨਾ", "ਮੋਨਾ"),
            ("રામ", "રમ"),
            ("குமார்", "கமர்"),
            ("రాము", "రమ"),
            ("ರಾಮ", "ರಮ"),
            ("രാമു", "രമ"),
            ("සිරි", "සර"),
            ("มานี", "มานู"),
            ("มานี", "มาน"),
            ("ມີນາ", "ມູນາ"),
            ("សុខា", "សខ"),
            ("မောင်", "မင်"),
            ("བོད", "བད"),
            ("އަލީ", "އިލީ"),
        ] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
            for typed in [one, other] {
                assert_eq!(folded(&folded(typed)), folded(typed), "{typed}");
                // An accent on any letter does not make another name.
                let accented: String = typed.chars().flat_map(|letter| [letter, '\u{301}']).collect();
                assert_eq!(folded(&accented), folded(typed), "{typed}");
            }
        }
        // Comparisons without accents consider these equal.
        for (one, other) in [
            ("फ़िरोज़", "फिरोज"),
            ("หมี่", "หมี"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("Ἀριστοτέλης", "Αριστοτελης"),
            ("Фёдор", "Федор"),
            ("がくや", "かくや"),
            ("ガクヤ", "カクヤ"),
            ("Nguyễn Thị Hằng", "Nguyen Thi Hang"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for mark in OVERLOOKED {
            assert_eq!(folded(&format!("ม{mark}")), "ม", "{:x}", u32::from(mark));
        }
    }

    #[test]
    fn c51_a_name_of_others_is_a_line_of_letters_that_can_be_seen() {
        let name = |text: &str| one_line(text, 64);
        let stacked = |count: usize| format!("a{}b", "\u{20dd}".repeat(count));
        for (text, shown) in [
            ("Clau\u{202e}de\n\u{200b} for  you ", Some("Claude for you")),
            // Apple's own logo, on its devices; elsewhere whatever a font has there.
            ("\u{f8ff} Store", Some("Store")),
            ("\u{f0000}\u{10fffd}", None),
            // What is drawn as nothing pushes the rest of the sentence away, or is a name that is not there.
            ("\u{2800}\u{2800}\u{1d159}", None),
            // What a page says where it vouches for something.
            ("Agent \u{2713}\u{2714}\u{fe0f}", Some("Agent")),
            ("\u{1f512} Agent \u{2705}\u{1f6e1}\u{1f3fb}", Some("Agent")),
            ("\u{221a} Agent \u{2192} you", Some("Agent you")),
            ("Agent\u{2605}\u{2122}", Some("Agent")),
            ("\u{1f512}", None),
            ("C++ <3 = $1, 2\u{20ac} ^_^ ~ `|`", Some("C++ <3 = $1, 2\u{20ac} ^_^ ~ `|`")),
            ("Agent\u{2800}\u{2800}\u{2800}\u{2800}verified", Some("Agent verified")),
            // What is drawn over the lines above and below.
            (&stacked(40), Some(&*stacked(4))),
            (&"\u{336}".repeat(40), None),
            ("Agent \u{336}\u{336}by us", Some("Agent by us")),
            ("a\u{336}\u{200d}\u{336}\u{fe0f}\u{336}\u{336}\u{336}\u{336}", Some("a\u{336}\u{336}\u{336}\u{336}")),
            // Marks that words are spelled with stay.
            ("Tie\u{302}\u{301}ng Vie\u{323}\u{302}t", Some("Tie\u{302}\u{301}ng Vie\u{323}\u{302}t")),
            ("บันทึกที่นี่", Some("บันทึกที่นี่")),
            ("שָׁלוֹם", Some("שָׁלוֹם")),
        ] {
            assert_eq!(name(text).as_deref(), shown, "{text:?}");
        }
    }

    #[test]
    fn c51_a_word_of_letters_that_pass_for_others_is_no_name() {
        let name = |text: &str| one_line(text, 64);
        for text in ["\u{410}cme", "Acme N\u{43e}tes", "N\u{3bf}tes", "\u{399}deas", "Notes\u{13a2}", "\u{555}cme"] {
            assert_eq!(name(text), None, "{text:?}");
        }
        for text in
            ["Яндекс Browser", "Ελληνικά Notes", "LINEアプリ", "B站", "네이버Map", "Café Zoë", "µNotes", "Notes 2"]
        {
            assert_eq!(name(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn c46_a_browser_is_known_for_a_name_and_not_for_one_like_it() {
        for other in ["ada", " Ada", "Ada ", "ADA", "ａda", "Àda", "Ada\u{200b}", ""] {
            assert_ne!(typed_hash("Ada"), typed_hash(other), "{other:?}");
        }
    }
}
