//! The syntax of a policy. What a term may mean is `check.rs`'s matter, what a mistake is told `diagnose.rs`'s.
//!
//! ```text
//! policy  = term , ..                        all of them hold
//! term    = name                             the claim is there
//!         | name operator value              operators: the table OPERATORS
//!         | condition ( term , .. )          conditions: the table CONDITIONS
//!         | crate = "path"
//! name    = word or "text", several with dots between them
//! value   = literal | [ literal , .. ] | path.parameter
//! typed   = a Rust pattern [ if expression ] , alone
//! ```

use std::fmt;

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Lit, LitStr, Pat, Path, Result, Token, token};

use crate::diagnose;
use crate::mistakes::Mistakes;

/// The arguments of `#[require_claim(..)]`.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) runtime: Option<Path>,
    pub(crate) demand: Demand,
}

pub(crate) enum Demand {
    Terms(Vec<Term>),
    Typed(Box<Pattern>),
}

/// The arguments of `#[require_token]` and `#[public]`: at most the runtime's name.
#[derive(Default)]
pub(crate) struct NoPolicy {
    pub(crate) runtime: Option<Path>,
    /// What is there and should not be.
    pub(crate) rest: TokenStream,
}

/// A Rust pattern over the application's own claims type.
pub(crate) struct Pattern {
    pub(crate) pattern: Pat,
    pub(crate) condition: Option<Expr>,
}

pub(crate) enum Term {
    Claim { name: Name, test: Test },
    Condition { condition: Condition, span: Span, parentheses: Span, terms: Vec<Term> },
}

/// A claim's name, or several that lead into it.
pub(crate) struct Name {
    pub(crate) segments: Vec<Segment>,
    pub(crate) tokens: TokenStream,
}

/// In quotes a name is never a word of the policy's own language.
pub(crate) struct Segment {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

pub(crate) enum Test {
    /// `claim`
    Present,
    /// `claim = value` and the like
    Compares(Operator, TokenStream, Value),
    /// `claim(..)`: no claim is written so, but the name decides what to answer.
    Called(TokenStream),
}

pub(crate) enum Value {
    One(Operand),
    Any(token::Bracket, Vec<Operand>),
}

pub(crate) enum Operand {
    Literal(Literal),
    /// `path.name`, and its tokens.
    Parameter {
        name: String,
        tokens: TokenStream,
    },
}

pub(crate) struct Literal {
    pub(crate) minus: Option<Token![-]>,
    pub(crate) lit: Lit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    Differs,
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    All,
    Any,
    Not,
}

/// What may stand after a claim's name: how it is written, and examples of what may follow it. The parser reads this table
/// and so do its diagnostics: an operator that is added here is understood and offered.
pub(crate) const OPERATORS: [(&str, Operator, &[&str]); 6] = [
    ("=", Operator::Equals, &["\"value\"", "[\"one\", \"other\"]"]),
    ("!=", Operator::Differs, &["\"value\""]),
    ("<", Operator::Below, &["3"]),
    ("<=", Operator::AtMost, &["3"]),
    (">", Operator::Above, &["3"]),
    (">=", Operator::AtLeast, &["3"]),
];

/// What may stand around terms: the word, and an example.
pub(crate) const CONDITIONS: [(&str, Condition, &str); 3] = [
    ("all", Condition::All, "all(role = \"editor\", verified)"),
    ("any", Condition::Any, "any(role = \"editor\", level > 3)"),
    ("not", Condition::Not, "not(role = \"guest\")"),
];

/// Not a claim like others: its one string is a list of scopes.
pub(crate) const SCOPE: &str = "scope";
/// How long ago the person signed in.
pub(crate) const FRESH: &str = "fresh";
/// How the person signed in.
pub(crate) const ACR: &str = "acr";
/// Where a route's parameters are.
pub(crate) const PATH: &str = "path";

impl Default for Demand {
    fn default() -> Self {
        Demand::Terms(Vec::new())
    }
}

impl Operator {
    pub(crate) fn examples(self) -> &'static [&'static str] {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or(&[], |(.., examples)| *examples)
    }

    pub(crate) fn written(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or("=", |(written, ..)| written)
    }
}

impl Condition {
    pub(crate) fn example(self) -> &'static str {
        CONDITIONS.iter().find(|(_, condition, _)| *condition == self).map_or("", |(.., example)| *example)
    }

    pub(crate) fn word(self) -> &'static str {
        CONDITIONS.iter().find(|(_, condition, _)| *condition == self).map_or("all", |(word, ..)| word)
    }
}

impl Parse for Policy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if begins_pattern(input) {
            return Policy::parse_typed(input);
        }
        let mut policy = Policy::default();
        let mut mistakes = Mistakes::default();
        let runtime = &mut policy.runtime;
        let terms = parse_terms(None, input, &mut mistakes, &mut |input| {
            let ours = input.peek(Token![crate]);
            if ours { parse_runtime(input, runtime, QUOTED_CRATE).map(|()| true) } else { Ok(false) }
        })?;
        policy.demand = Demand::Terms(terms);
        mistakes.or(policy)
    }
}

impl Policy {
    fn parse_typed(input: ParseStream<'_>) -> Result<Self> {
        let first = input.span();
        let pattern =
            Pat::parse_multi_with_leading_vert(input).map_err(|mistake| diagnose::no_pattern(first, mistake))?;
        let condition = match input.parse::<Option<Token![if]>>()? {
            Some(keyword) if at_end(input) => return Err(Error::new(keyword.span, diagnose::NO_CONDITION)),
            Some(keyword) => Some(input.parse().map_err(|mistake| diagnose::no_condition(keyword.span, mistake))?),
            None => None,
        };
        let mut policy = Policy { runtime: None, demand: Demand::Typed(Box::new(Pattern { pattern, condition })) };
        if !at_end(input) {
            return Err(diagnose::junk_after_pattern(input));
        }
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            if !input.peek(Token![crate]) {
                return Err(diagnose::term_beside_pattern(input));
            }
            parse_runtime(input, &mut policy.runtime, QUOTED_CRATE)?;
        }
        Ok(policy)
    }
}

/// Terms up to the end. `other` may take what is no term, and says whether it did.
fn parse_terms(
    within: Option<Condition>,
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    other: &mut dyn FnMut(ParseStream<'_>) -> Result<bool>,
) -> Result<Vec<Term>> {
    let mut terms = Vec::new();
    while !input.is_empty() {
        if let Err(mistake) = parse_term(within, input, &mut terms, other) {
            mistakes.add(mistake);
            skip_to_comma(input);
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(terms)
}

/// Stops before the comma that ends the term.
fn parse_term(
    within: Option<Condition>,
    input: ParseStream<'_>,
    terms: &mut Vec<Term>,
    other: &mut dyn FnMut(ParseStream<'_>) -> Result<bool>,
) -> Result<()> {
    if other(input)? {
        return Ok(());
    }
    if begins_pattern(input) {
        return Err(diagnose::pattern_beside_term(within, input));
    }
    if let Some(mistake) = diagnose::value_as_term(terms.last(), input) {
        return Err(mistake);
    }
    let term: Term = input.parse()?;
    let mistake = (!at_end(input)).then(|| diagnose::junk_after_term(&term, input));
    terms.push(term);
    mistake.map_or(Ok(()), Err)
}

/// Whether a Rust pattern begins here, and no term: a struct, a variant, a binding of one.
pub(crate) fn begins_pattern(input: ParseStream<'_>) -> bool {
    if input.peek(Token![|]) || input.peek(Token![&]) && !input.peek(Token![&&]) {
        return true;
    }
    let ahead = input.fork();
    if ahead.peek(Token![_]) || !ahead.peek(Ident::peek_any) && !ahead.peek(Token![::]) {
        return false;
    }
    if ahead.peek2(Token![@]) {
        return !ahead.peek3(Lit);
    }
    let Ok(path) = ahead.call(Path::parse_mod_style) else { return false };
    let is_type = |path: &Path| {
        path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(|first: char| first.is_uppercase()))
    };
    // `Any(..)` is misspelt, and `any { .. }` is no type.
    let is_word = |word: &Ident| CONDITIONS.iter().any(|(known, ..)| word.to_string().eq_ignore_ascii_case(known));
    if path.get_ident().is_some_and(is_word) {
        return false;
    }
    let several = path.segments.len() > 1;
    let ends = at_end(&ahead) || ahead.peek(Token![|]) || ahead.peek(Token![if]);
    ahead.peek(token::Brace) || (is_type(&path) || several) && ahead.peek(token::Paren) || several && ends
}

impl Parse for NoPolicy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = NoPolicy::default();
        while input.peek(Token![crate]) {
            parse_runtime(input, &mut arguments.runtime, "")?;
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        arguments.rest = input.parse()?;
        Ok(arguments)
    }
}

const QUOTED_CRATE: &str = ", or quote a claim of this name: `\"crate\"`";

/// `crate = "path"`; where claims are named, there is something else to write.
fn parse_runtime(input: ParseStream<'_>, runtime: &mut Option<Path>, or_else: &str) -> Result<()> {
    const CURE: &str = "write `crate = \"my_name_for_oauth_runtime\"`";
    let keyword: Token![crate] = input.parse()?;
    let wrong =
        |span: Span| Error::new(span, format!("`crate` says under which name oauth-runtime is known: {CURE}{or_else}"));
    if !input.peek(Token![=]) || input.peek(Token![==]) || input.peek(Token![=>]) {
        return Err(wrong(keyword.span));
    }
    let equals: Token![=] = input.parse()?;
    if at_end(input) {
        return Err(wrong(equals.span));
    }
    let Some(path) = input.parse::<Option<LitStr>>()? else { return Err(wrong(input.span())) };
    let path = path.parse_with(Path::parse_mod_style).map_err(|_| wrong(path.span()))?;
    if runtime.replace(path).is_some() {
        return Err(Error::new(keyword.span, "`crate` is given twice: leave one out"));
    }
    if at_end(input) { Ok(()) } else { Err(diagnose::junk_after_runtime(input)) }
}

impl Parse for Term {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if let Some((condition, span)) = peek_condition(input) {
            input.call(Ident::parse_any)?;
            let content;
            let parentheses = syn::parenthesized!(content in input).span.join();
            let mut mistakes = Mistakes::default();
            let terms =
                parse_terms(Some(condition), &content, &mut mistakes, &mut |input| match input.peek(Token![crate]) {
                    true => Err(input.error("`crate` says nothing of a claim: write it outside, beside the terms")),
                    false => Ok(false),
                })?;
            return mistakes.or(Term::Condition { condition, span, parentheses, terms });
        }
        let name: Name = input.parse()?;
        if let Some(mistake) = diagnose::word_without_parentheses(&name, input) {
            return Err(mistake);
        }
        let test = Test::parse(&name, input)?;
        Ok(Term::Claim { name, test })
    }
}

fn peek_condition(input: ParseStream<'_>) -> Option<(Condition, Span)> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    let (_, condition, _) = CONDITIONS.iter().find(|(written, ..)| word == written)?;
    ahead.peek(token::Paren).then(|| (*condition, word.span()))
}

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let begin = input.fork();
        let mut segments = vec![Segment::parse(input, diagnose::no_term)?];
        while input.peek(Token![.]) && !input.peek(Token![..]) {
            let ahead = input.fork();
            ahead.parse::<Token![.]>()?;
            let segment = Segment::parse(&ahead, |_| diagnose::no_segment(&segments, input))?;
            segments.push(segment);
            input.advance_to(&ahead);
        }
        Ok(Name { segments, tokens: between(&begin, input) })
    }
}

impl Segment {
    fn parse(input: ParseStream<'_>, none: impl FnOnce(ParseStream<'_>) -> Error) -> Result<Self> {
        if input.peek(Token![_]) {
            return Err(input.error("`_` names no claim: write the claim's name, as in `role = \"admin\"`"));
        }
        if let Some(text) = input.parse::<Option<LitStr>>()? {
            if !text.suffix().is_empty() {
                return Err(diagnose::suffix_of_name(&text));
            }
            return Ok(Segment { text: text.value(), quoted: true });
        }
        if input.peek(Ident::peek_any) {
            return Ok(Segment { text: input.call(Ident::parse_any)?.unraw().to_string(), quoted: false });
        }
        Err(none(input))
    }

    pub(crate) fn shown(&self) -> String {
        if self.quoted { format!("{:?}", self.text) } else { self.text.clone() }
    }
}

impl Name {
    pub(crate) fn error(&self, message: impl fmt::Display) -> Error {
        Error::new_spanned(&self.tokens, message)
    }

    /// As it is written in a policy.
    pub(crate) fn shown(&self) -> String {
        self.segments.iter().map(Segment::shown).collect::<Vec<_>>().join(".")
    }

    /// Whether it is this word of the language.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.segments.as_slice(), [only] if !only.quoted && only.text == word)
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.segments.iter().map(|segment| segment.text.clone()).collect()
    }
}

impl Test {
    fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
        if at_end(input) {
            return Ok(Test::Present);
        }
        if input.peek(token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            return Ok(Test::Called(content.parse()?));
        }
        let Some(written) = peek_operator(input) else { return Err(diagnose::junk_after_name(name, input)) };
        let Some((_, operator, _)) = OPERATORS.iter().find(|(known, ..)| *known == written) else {
            return Err(diagnose::unknown_operator(name, &written, input));
        };
        let tokens = written.chars().map(|_| input.parse::<TokenTree>()).collect::<Result<TokenStream>>()?;
        if at_end(input) {
            return Err(diagnose::no_value(name, *operator, tokens));
        }
        Ok(Test::Compares(*operator, tokens, Value::parse(name, *operator, input)?))
    }
}

impl Value {
    fn parse(name: &Name, operator: Operator, input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(token::Bracket) {
            return Ok(Value::One(Operand::parse(name, operator, input)?));
        }
        let list;
        let bracket = syn::bracketed!(list in input);
        let mut operands = Vec::new();
        while !list.is_empty() {
            operands.push(Operand::parse(name, operator, &list)?);
            if !at_end(&list) {
                return Err(diagnose::list_without_commas(name, &list));
            }
            list.parse::<Option<Token![,]>>()?;
        }
        Ok(Value::Any(bracket, operands))
    }
}

impl Operand {
    fn parse(name: &Name, operator: Operator, input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        if ahead.peek(syn::Ident) && ahead.parse::<Ident>()? == PATH && ahead.peek(Token![.]) {
            ahead.parse::<Token![.]>()?;
            let parameter = Segment::parse(&ahead, |_| diagnose::no_parameter(input))?;
            let tokens = between(input, &ahead);
            input.advance_to(&ahead);
            return Ok(Operand::Parameter { name: parameter.text, tokens });
        }
        Literal::parse(name, operator, input).map(Operand::Literal)
    }

    /// As it is written.
    pub(crate) fn shown(&self) -> String {
        match self {
            Operand::Literal(literal) => literal.shown(),
            Operand::Parameter { name, .. } => format!("{PATH}.{name}"),
        }
    }

    pub(crate) fn error(&self, message: String) -> Error {
        match self {
            Operand::Literal(literal) => literal.error(message),
            Operand::Parameter { tokens, .. } => Error::new_spanned(tokens, message),
        }
    }
}

impl Literal {
    fn parse(name: &Name, operator: Operator, input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![,]) {
            return Err(diagnose::no_value_before_comma(name, input));
        }
        let ahead = input.fork();
        let minus: Option<Token![-]> = ahead.parse()?;
        // `Lit` would read a minus too, and so accept two.
        let literal = if ahead.peek(Token![-]) { None } else { ahead.parse::<Lit>().ok() };
        let fits = |lit: &Lit| minus.is_none() || matches!(lit, Lit::Int(_) | Lit::Float(_));
        match literal.filter(fits) {
            Some(lit) => {
                if minus.is_some() {
                    input.parse::<Token![-]>()?;
                }
                input.parse::<Lit>()?;
                if !lit.suffix().is_empty() {
                    return Err(diagnose::suffix(name, &lit));
                }
                Ok(Literal { minus, lit })
            }
            None => Err(diagnose::no_literal(name, operator, input)),
        }
    }

    /// At its minus too.
    pub(crate) fn error(&self, message: impl fmt::Display) -> Error {
        let Literal { minus, lit } = self;
        Error::new_spanned(quote!(#minus #lit), message)
    }

    /// As it is written.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", if self.minus.is_some() { "-" } else { "" }, self.lit.to_token_stream())
    }
}

/// The tokens from one place of a stream to a later one.
fn between(begin: ParseStream<'_>, end: ParseStream<'_>) -> TokenStream {
    let (mut cursor, mut tokens) = (begin.cursor(), Vec::new());
    while cursor != end.cursor()
        && let Some((token, rest)) = cursor.token_tree()
    {
        tokens.push(token);
        cursor = rest;
    }
    tokens.into_iter().collect()
}

pub(crate) fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}

/// The operator ahead as Rust would read it: `==` is one, `=-` are two.
pub(crate) fn peek_operator(input: ParseStream<'_>) -> Option<String> {
    const OF_TWO: [&str; 23] = [
        "==", "!=", "<=", ">=", "=>", "->", "&&", "||", "::", "..", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=",
        "<<", ">>", "=<", "<>", "=!",
    ];
    let (first, rest) = input.cursor().punct()?;
    if first.spacing() == Spacing::Joint
        && let Some((second, _)) = rest.punct()
    {
        let both: String = [first.as_char(), second.as_char()].iter().collect();
        if OF_TWO.contains(&both.as_str()) {
            return Some(both);
        }
    }
    Some(first.as_char().to_string())
}
