//! What a rule may mean: from the syntax of a policy to the rule that the handler carries.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Lit, Result};

use crate::policy::{self, Mistakes, Name, Policy, Term};

/// The mirror of `oauth_runtime::policy::Rule`.
#[derive(Debug, PartialEq)]
pub(crate) enum Rule {
    Token,
    All(Vec<Rule>),
    Claim(String, Test),
    Scope(Vec<String>),
}

#[derive(Debug, PartialEq)]
pub(crate) enum Test {
    Present,
    Equals(Literal),
    OneOf(Vec<Literal>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Str(String),
    Int(i128),
    Float(f64),
    Bool(bool),
}

/// Words that later rules will need. Refused today, so that no policy changes its meaning tomorrow.
const RESERVED: [&str; 6] = ["fresh", "acr", "path", "all", "any", "not"];

/// Where a policy's words end and RFC 6749 §3.3 begins.
const SCOPE: &str = "scope";

pub(crate) fn rule(policy: &Policy) -> Result<Rule> {
    if policy.terms.is_empty() {
        return Err(Error::new(
            Span::call_site(),
            "this demands no claim: name one, as in `#[require_claim(role = \"admin\")]`, \
             or write `#[require_token]` where any valid token is enough",
        ));
    }
    let mut mistakes = Mistakes::default();
    let mut rules = Vec::new();
    for (index, term) in policy.terms.iter().enumerate() {
        match refuse_repetition(&policy.terms[..index], term).and_then(|()| term_rule(term)) {
            Ok(rule) => rules.push(rule),
            Err(mistake) => mistakes.add(mistake),
        }
    }
    mistakes.or(())?;
    Ok(if rules.len() == 1 { rules.swap_remove(0) } else { Rule::All(rules) })
}

/// Two terms about one claim say either the same or, as every term must hold, what is rarely meant.
fn refuse_repetition(before: &[Term], term: &Term) -> Result<()> {
    let same = |earlier: &&Term| earlier.name.text == term.name.text && is_scope(&earlier.name) == is_scope(&term.name);
    let Some(earlier) = before.iter().find(same) else { return Ok(()) };
    let name = term.name.shown();
    let message = if is_scope(&term.name) {
        "`scope` is asked twice: write every scope into one, as in `scope = \"read write\"`".to_owned()
    } else if matches!((&earlier.test, &term.test), (policy::Test::Equals(_), policy::Test::Equals(_))) {
        format!(
            "`{name}` is asked twice, and both would have to hold: for either, write `{name} = [\"one\", \"other\"]`; \
             for an array that has both, a second `#[require_claim({name} = ..)]`"
        )
    } else if matches!((&earlier.test, &term.test), (policy::Test::Present, policy::Test::Present)) {
        format!("`{name}` is asked twice: leave one out")
    } else {
        format!("`{name}` is asked twice: leave out the bare `{name}`, since `{name} = ..` wants it there too")
    };
    Err(Error::new(term.name.span, message))
}

fn is_scope(name: &Name) -> bool {
    !name.quoted && name.text == SCOPE
}

fn term_rule(term: &Term) -> Result<Rule> {
    let name = &term.name;
    if !name.quoted && RESERVED.contains(&name.text.as_str()) {
        let message = format!(
            "`{text}` is reserved for rules to come: for a claim of this name write it in quotes, `\"{text}\" = ..`",
            text = name.text
        );
        return Err(Error::new(name.span, message));
    }
    if name.text.is_empty() {
        return Err(Error::new(name.span, "a claim's name is empty: write it between the quotes"));
    }
    if is_scope(name) {
        return scope(name, &term.test);
    }
    let test = match &term.test {
        policy::Test::Present => Test::Present,
        policy::Test::Equals(policy::Value::One(value)) => Test::Equals(literal(value)?),
        policy::Test::Equals(policy::Value::Any(bracket, values)) => {
            if values.is_empty() {
                let name = name.shown();
                let message = format!(
                    "an empty list lets nobody in: write the values, as in `{name} = [\"one\", \"other\"]`, \
                     or `{name}` alone where any value is enough"
                );
                return Err(Error::new(bracket.span.join(), message));
            }
            Test::OneOf(distinct(values)?)
        }
        policy::Test::Called => {
            let shown = name.shown();
            return Err(Error::new(name.span, format!("`{shown}(..)` is no term: write `{shown} = \"value\"`")));
        }
    };
    Ok(Rule::Claim(name.text.clone(), test))
}

/// `scope = "a b"`
fn scope(name: &Name, test: &policy::Test) -> Result<Rule> {
    const CURE: &str = "write `scope = \"read write\"`: the token must have every scope in it";
    let value = match test {
        policy::Test::Equals(policy::Value::One(value)) => value,
        policy::Test::Equals(policy::Value::Any(bracket, _)) => {
            return Err(Error::new(bracket.span.join(), format!("scopes are one string, not a list: {CURE}")));
        }
        policy::Test::Present | policy::Test::Called => {
            return Err(Error::new(name.span, format!("`scope` does not say which: {CURE}")));
        }
    };
    let Lit::Str(text) = &value.lit else {
        return Err(Error::new_spanned(&value.lit, format!("scopes are a string: {CURE}")));
    };
    let refused = |message: String| Err(Error::new(text.span(), message));

    let written = text.value();
    if let Some(character) = written.chars().find(|character| !is_scope_character(*character)) {
        return refused(format!(
            "a scope cannot have the character {character:?} in it (RFC 6749 section 3.3): \
             write printable ASCII without `\"` and `\\`, and one space between two scopes"
        ));
    }
    let mut tokens: Vec<String> = Vec::new();
    for token in written.split(' ').filter(|token| !token.is_empty()) {
        if tokens.iter().any(|earlier| earlier == token) {
            return refused(format!("the scope `{token}` is asked twice: leave one out"));
        }
        tokens.push(token.to_owned());
    }
    if tokens.is_empty() {
        return refused(format!("no scope is in this string: {CURE}"));
    }
    Ok(Rule::Scope(tokens))
}

/// The space separates; the rest is RFC 6749's `scope-token`.
fn is_scope_character(character: char) -> bool {
    matches!(character, ' ' | '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

fn distinct(values: &[policy::Literal]) -> Result<Vec<Literal>> {
    let mut mistakes = Mistakes::default();
    let mut literals: Vec<Literal> = Vec::new();
    for value in values {
        match literal(value) {
            Ok(literal) if literals.iter().any(|earlier| earlier.matches(&literal)) => {
                let message = format!("`{}` is in this list already: leave it out", shown(value));
                mistakes.add(Error::new_spanned(&value.lit, message));
            }
            Ok(literal) => literals.push(literal),
            Err(mistake) => mistakes.add(mistake),
        }
    }
    mistakes.or(literals)
}

impl Literal {
    /// Whether the two let the same tokens in: the runtime holds 3 and 3.0 to be one number.
    fn matches(&self, other: &Literal) -> bool {
        match (self, other) {
            (Literal::Int(int), Literal::Float(float)) | (Literal::Float(float), Literal::Int(int)) => {
                float.fract() == 0.0 && *float as i128 == *int
            }
            _ => self == other,
        }
    }
}

fn literal(value: &policy::Literal) -> Result<Literal> {
    let wrong = |message: String| Err(Error::new_spanned(&value.lit, message));
    let negative = value.minus.is_some();
    match &value.lit {
        Lit::Str(text) => Ok(Literal::Str(text.value())),
        Lit::Bool(truth) => Ok(Literal::Bool(truth.value)),
        Lit::Int(digits) => {
            let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
            match digits.base10_parse::<i128>().map(|int| if negative { -int } else { int }) {
                Ok(int) if range.contains(&int) => Ok(Literal::Int(int)),
                Ok(_) | Err(_) => wrong(format!(
                    "`{}` is beyond what a claim can hold: write an integer from {} to {}",
                    shown(value),
                    i64::MIN,
                    u64::MAX
                )),
            }
        }
        Lit::Float(digits) => match digits.base10_parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Literal::Float(if negative { -float } else { float })),
            Ok(_) | Err(_) => wrong(format!(
                "`{}` is beyond what a claim can hold: write a number smaller than 1.8e308",
                shown(value)
            )),
        },
        Lit::ByteStr(_) | Lit::CStr(_) | Lit::Byte(_) | Lit::Char(_) => {
            let written = shown(value);
            let inner = written.trim_start_matches(['b', 'c', 'r', '#']).trim_matches(['\'', '"', '#']);
            wrong(format!("a claim is JSON, which has no such literal as `{written}`: write the string `\"{inner}\"`"))
        }
        Lit::Verbatim(_) | _ => {
            wrong(format!("`{}` is no literal that a claim can hold: write a string or a number", shown(value)))
        }
    }
}

fn shown(value: &policy::Literal) -> String {
    format!("{}{}", if value.minus.is_some() { "-" } else { "" }, value.lit.to_token_stream())
}
