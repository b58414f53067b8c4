//! The words of the policy's own language: `scope`, `fresh` and `acr`, and those that are not names of claims.

use syn::{Error, Lit, LitStr, Result};

use crate::forms::combinator_as_name;
use crate::mistakes::Mistakes;
use crate::peek::is_raw;
use crate::rule::Rule;
use crate::syntax::{COMBINATORS, Literal, Name, Operand, Operands, Operator, PATH, Predicate, Segment, WORDS};

/// What stands before a claim in Rust, and in other languages of policies. `user.role` may be a claim within another.
const OF_THE_CLAIMS: [&str; 3] = ["self", "claims", "token"];

/// A word of the language that is used as a claim's name.
pub(super) fn refuse_words(name: &Name) -> Result<()> {
    let Some(first) = name.segments.first().filter(|first| !first.quoted) else { return Ok(()) };
    let word = first.text.as_str();
    let dotted = name.segments.len() > 1;
    let message = if let Some((.., example)) = COMBINATORS.iter().find(|(known, ..)| *known == word) {
        combinator_as_name(word, example)
    } else if word == PATH {
        let example = name.segments.get(1).map_or("owner", |parameter| parameter.text.as_str());
        format!(
            "`{PATH}` has the route's parameters, and goes on the right, as in `sub = {PATH}.{example}`; a claim \
             of this name is written in quotes, `\"{word}\"`"
        )
    } else if dotted && OF_THE_CLAIMS.contains(&word) {
        let below: Vec<String> = name.segments.iter().skip(1).map(Segment::shown).collect();
        let below = below.join(".");
        format!(
            "a name begins at the claims: write `{below}`, or for what is below a claim of this name `\"{word}\".{below}`"
        )
    } else if dotted && WORDS.contains(&word) {
        let below: Vec<String> = name.segments.iter().skip(1).map(Segment::shown).collect();
        format!("nothing is below `{word}`: write the name of a claim in quotes, `\"{word}\".{}`", below.join("."))
    } else {
        return Ok(());
    };
    Err(name.error(message))
}

/// The one string of `scope`, `fresh` or `acr`.
fn only_string<'a>(name: &Name, predicate: &'a Predicate, cure: &str) -> Result<&'a LitStr> {
    let shown = name.shown();
    let operand = match predicate {
        Predicate::Compares(Operator::Equals, _, Operands::One(operand)) => operand,
        Predicate::Compares(Operator::Equals, _, Operands::List(bracket, _)) => {
            return Err(Error::new(bracket.span.join(), format!("`{shown}` takes one string, not a list: {cure}")));
        }
        Predicate::Compares(Operator::Differs, tokens, _) => {
            return Err(Error::new_spanned(
                tokens,
                format!("`{shown}` is not compared by `!=`: write `not({shown} = \"..\")`"),
            ));
        }
        Predicate::Compares(operator, tokens, _) => {
            let message = format!("`{shown}` is not compared by `{}`: {cure}", operator.written());
            return Err(Error::new_spanned(tokens, message));
        }
        Predicate::Present | Predicate::Called(_) => {
            return Err(name.error(format!("`{shown}` does not say which: {cure}")));
        }
    };
    match operand {
        Operand::Literal(Literal { lit: Lit::Str(text), .. }) => Ok(text),
        other => Err(other.error(format!("`{shown}` takes a string: {cure}"))),
    }
}

/// `scope = "a b"`
pub(super) fn scope(name: &Name, predicate: &Predicate) -> Result<Rule> {
    const CURE: &str = "write `scope = \"read write\"`, which requires every scope in it";
    let text = only_string(name, predicate, CURE)?;
    let refused = |message: String| Err(Error::new(text.span(), message));

    let written = text.value();
    if let Some(character) = written.chars().find(|character| !is_scope_character(*character)) {
        return refused(format!(
            "a scope cannot have the character {character:?} in it (RFC 6749 section 3.3): \
             write printable ASCII without `\"` and `\\`, and one space between two scopes"
        ));
    }
    if written.contains(',') && !is_raw(text) {
        let several: Vec<&str> = written.split([',', ' ']).filter(|token| !token.is_empty()).collect();
        return refused(format!(
            "scopes are separated by spaces: write `scope = {:?}`, or `scope = r{written:?}` if a scope has the comma in \
             its name",
            several.join(" ")
        ));
    }
    let mut tokens: Vec<String> = Vec::new();
    for token in written.split(' ').filter(|token| !token.is_empty()) {
        if tokens.iter().any(|earlier| earlier == token) {
            return refused(format!("the scope `{token}` appears twice: leave one out"));
        }
        tokens.push(token.to_owned());
    }
    if tokens.is_empty() {
        return refused(format!("no scope is in this string: {CURE}"));
    }
    Ok(Rule::Scope(tokens))
}

/// A space separates; the rest is RFC 6749's `scope-token`.
fn is_scope_character(character: char) -> bool {
    matches!(character, ' ' | '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

/// The units of durations, in seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// `fresh = "5m"`
pub(super) fn fresh(name: &Name, predicate: &Predicate) -> Result<Rule> {
    const CURE: &str = "write the time since the person signed in, as in `fresh = \"5m\"`";
    let text = only_string(name, predicate, CURE)?;
    let written = text.value();
    let digits = written.find(|character: char| !character.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let seconds = UNITS.iter().find(|(known, _)| *known == unit).map(|(_, seconds)| *seconds);
    let seconds = seconds.zip(number.parse::<u64>().ok()).and_then(|(seconds, number)| seconds.checked_mul(number));
    match seconds {
        Some(0) => Err(Error::new(text.span(), "a duration of zero admits no one: write at least `\"1s\"`")),
        Some(seconds) => Ok(Rule::Fresh(seconds)),
        None => Err(Error::new(text.span(), no_duration(&written, number, unit))),
    }
}

fn no_duration(written: &str, number: &str, unit: &str) -> String {
    let whole = number.parse::<u32>().ok();
    let with = |number: &str| {
        let examples: Vec<String> = UNITS.iter().map(|(unit, _)| format!("`\"{number}{unit}\"`")).collect();
        examples.join(", ")
    };
    let first = unit.trim().chars().next().map(|first| first.to_ascii_lowercase().to_string());
    let meant = UNITS.iter().find(|(known, _)| first.as_deref() == Some(*known)).filter(|_| whole.is_some());
    match (whole, meant) {
        (Some(_), Some((meant, _))) => format!("`{written:?}` is not a duration, did you mean `\"{number}{meant}\"`?"),
        (Some(_), None) if unit.is_empty() => format!("`{written:?}` has no unit: write one of {}", with(number)),
        (None, _) if number.len() > 9 => {
            format!("`{written:?}` is too long: write a shorter duration")
        }
        (_, None) | (None, _) => {
            format!("`{written:?}` is not a duration: write a whole number and its unit, as in {}", with("90"))
        }
    }
}

/// `acr = "urn:example:mfa"`
pub(super) fn acr(name: &Name, predicate: &Predicate) -> Result<Rule> {
    const CURE: &str = "write `acr = \"urn:example:mfa\"`, or a list of such strings";
    let one = |text: &LitStr| {
        let acr = text.value();
        // RFC 9470 section 3: several are separated by spaces, in one string.
        if acr.is_empty() || acr.contains(' ') || !acr.chars().all(is_scope_character) {
            let message =
                format!("this cannot be the name of a way to sign in: {CURE}, of printable ASCII without spaces");
            return Err(Error::new(text.span(), message));
        }
        Ok(acr)
    };
    let Predicate::Compares(Operator::Equals, _, Operands::List(bracket, operands)) = predicate else {
        return Ok(Rule::Acr(vec![one(only_string(name, predicate, CURE)?)?]));
    };
    if operands.is_empty() {
        return Err(Error::new(bracket.span.join(), format!("an empty list admits no one: {CURE}")));
    }
    let mut mistakes = Mistakes::default();
    let mut wanted: Vec<String> = Vec::new();
    for operand in operands {
        let acr = match operand {
            Operand::Literal(Literal { lit: Lit::Str(text), .. }) => one(text),
            other => Err(other.error(format!("`acr` takes strings: {CURE}"))),
        };
        match acr {
            Ok(acr) if wanted.contains(&acr) => {
                mistakes.add(operand.error(format!("`{}` is in this list already: leave it out", operand.shown())));
            }
            Ok(acr) => wanted.push(acr),
            Err(mistake) => mistakes.add(mistake),
        }
    }
    mistakes.or(Rule::Acr(wanted))
}
