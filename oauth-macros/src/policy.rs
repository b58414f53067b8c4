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

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Lit, LitStr, Pat, Path, Result, Token, token};

use crate::diagnose::{self, Mistakes};

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
    pub(crate) span: Span,
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
    Compares(Operator, Span, Value),
    /// `claim(..)`: no claim is written so, but the name decides what to answer.
    Called(TokenStream),
}

pub(crate) enum Value {
    One(Operand),
    Any(token::Bracket, Vec<Operand>),
}

pub(crate) enum Operand {
    Literal(Literal),
    /// `path.name`
    Parameter {
        name: String,
        span: Span,
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
    pub(crate) fn written(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator, _)| *operator == self).map_or("=", |(written, ..)| written)
    }
}

impl Condition {
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
        let terms = parse_terms(input, &mut mistakes, &mut |input| {
            let ours = input.peek(Token![crate]);
            if ours { parse_runtime(input, runtime).map(|()| true) } else { Ok(false) }
        })?;
        policy.demand = Demand::Terms(terms);
        mistakes.or(policy)
    }
}

impl Policy {
    fn parse_typed(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let condition = match input.parse::<Option<Token![if]>>()? {
            Some(keyword) if at_end(input) => return Err(Error::new(keyword.span, diagnose::NO_CONDITION)),
            Some(_) => Some(input.parse()?),
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
            parse_runtime(input, &mut policy.runtime)?;
        }
        Ok(policy)
    }
}

/// Terms up to the end. `other` may take what is no term, and says whether it did.
fn parse_terms(
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    other: &mut dyn FnMut(ParseStream<'_>) -> Result<bool>,
) -> Result<Vec<Term>> {
    let mut terms = Vec::new();
    while !input.is_empty() {
        if let Err(mistake) = parse_term(input, &mut terms, other) {
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
    input: ParseStream<'_>,
    terms: &mut Vec<Term>,
    other: &mut dyn FnMut(ParseStream<'_>) -> Result<bool>,
) -> Result<()> {
    if other(input)? {
        return Ok(());
    }
    if begins_pattern(input) {
        return Err(diagnose::pattern_beside_term(input));
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
fn begins_pattern(input: ParseStream<'_>) -> bool {
    if input.peek(Token![|]) || input.peek(Token![&]) && !input.peek(Token![&&]) {
        return true;
    }
    let ahead = input.fork();
    if ahead.peek(Token![_]) || !ahead.peek(Ident::peek_any) && !ahead.peek(Token![::]) {
        return false;
    }
    if ahead.peek2(Token![@]) {
        return true;
    }
    let Ok(path) = ahead.call(Path::parse_mod_style) else { return false };
    let is_type = |path: &Path| {
        path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(|first: char| first.is_uppercase()))
    };
    let several = path.segments.len() > 1;
    let ends = at_end(&ahead) || ahead.peek(Token![|]) || ahead.peek(Token![if]);
    ahead.peek(token::Brace) || (is_type(&path) || several) && ahead.peek(token::Paren) || several && ends
}

impl Parse for NoPolicy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = NoPolicy::default();
        while input.peek(Token![crate]) {
            parse_runtime(input, &mut arguments.runtime)?;
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        arguments.rest = input.parse()?;
        Ok(arguments)
    }
}

/// `crate = "path"`
fn parse_runtime(input: ParseStream<'_>, runtime: &mut Option<Path>) -> Result<()> {
    const CURE: &str = "write `crate = \"my_name_for_oauth_runtime\"`, or quote a claim of this name: `\"crate\"`";
    let keyword: Token![crate] = input.parse()?;
    let wrong = |span: Span| Error::new(span, format!("`crate` says under which name oauth-runtime is known: {CURE}"));
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
            let terms = parse_terms(&content, &mut mistakes, &mut |input| match input.peek(Token![crate]) {
                true => Err(input.error("`crate` says nothing of a claim: write it outside, beside the terms")),
                false => Ok(false),
            })?;
            return mistakes.or(Term::Condition { condition, span, parentheses, terms });
        }
        let name: Name = input.parse()?;
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
        let span = input.span();
        let mut segments = vec![Segment::parse(input, diagnose::no_term)?];
        while input.peek(Token![.]) && !input.peek(Token![..]) {
            let ahead = input.fork();
            ahead.parse::<Token![.]>()?;
            let segment = Segment::parse(&ahead, |_| diagnose::no_segment(&segments, input))?;
            segments.push(segment);
            input.advance_to(&ahead);
        }
        Ok(Name { segments, span })
    }
}

impl Segment {
    fn parse(input: ParseStream<'_>, none: impl FnOnce(ParseStream<'_>) -> Error) -> Result<Self> {
        if input.peek(Token![_]) {
            return Err(input.error("`_` names no claim: write the claim's name, as in `role = \"admin\"`"));
        }
        if let Some(text) = input.parse::<Option<LitStr>>()? {
            let segment = Segment { text: text.value(), quoted: true };
            refuse_suffix(&Lit::Str(text))?;
            return Ok(segment);
        }
        if input.peek(Ident::peek_any) {
            return Ok(Segment { text: input.call(Ident::parse_any)?.unraw().to_string(), quoted: false });
        }
        Err(none(input))
    }

    fn shown(&self) -> String {
        if self.quoted { format!("{:?}", self.text) } else { self.text.clone() }
    }
}

impl Name {
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
        let Some((written, span)) = peek_operator(input) else { return Err(diagnose::junk_after_name(name, input)) };
        let Some((_, operator, _)) = OPERATORS.iter().find(|(known, ..)| *known == written) else {
            return Err(diagnose::unknown_operator(name, &written, input));
        };
        for _ in written.chars() {
            input.parse::<TokenTree>()?;
        }
        if at_end(input) {
            return Err(diagnose::no_value(name, span));
        }
        Ok(Test::Compares(*operator, span, Value::parse(name, input)?))
    }
}

impl Value {
    fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(token::Bracket) {
            return Ok(Value::One(Operand::parse(name, input)?));
        }
        let list;
        let bracket = syn::bracketed!(list in input);
        let mut operands = Vec::new();
        while !list.is_empty() {
            operands.push(Operand::parse(name, &list)?);
            if !at_end(&list) {
                return Err(diagnose::list_without_commas(name, &list));
            }
            list.parse::<Option<Token![,]>>()?;
        }
        Ok(Value::Any(bracket, operands))
    }
}

impl Operand {
    fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        if ahead.peek(syn::Ident) && ahead.parse::<Ident>()? == PATH && ahead.peek(Token![.]) {
            let span = input.span();
            ahead.parse::<Token![.]>()?;
            let parameter = Segment::parse(&ahead, |_| diagnose::no_parameter(input))?;
            input.advance_to(&ahead);
            return Ok(Operand::Parameter { name: parameter.text, span });
        }
        Literal::parse(name, input).map(Operand::Literal)
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
            Operand::Literal(literal) => Error::new_spanned(&literal.lit, message),
            Operand::Parameter { span, .. } => Error::new(*span, message),
        }
    }
}

impl Literal {
    fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
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
                refuse_suffix(&lit)?;
                Ok(Literal { minus, lit })
            }
            None => Err(diagnose::no_literal(name, input)),
        }
    }

    /// As it is written.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", if self.minus.is_some() { "-" } else { "" }, self.lit.to_token_stream())
    }
}

pub(crate) fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}

/// The operator ahead as Rust would read it: `==` is one, `=-` are two.
pub(crate) fn peek_operator(input: ParseStream<'_>) -> Option<(String, Span)> {
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
            return Some((both, first.span()));
        }
    }
    Some((first.as_char().to_string(), first.span()))
}

fn refuse_suffix(lit: &Lit) -> Result<()> {
    let suffix = lit.suffix();
    if suffix.is_empty() {
        return Ok(());
    }
    let whole = lit.to_token_stream().to_string();
    let bare = whole.strip_suffix(suffix).unwrap_or(&whole).trim_end_matches('_');
    let message = format!("a claim is JSON, whose values have no suffix such as `{suffix}`: write `{bare}`");
    Err(Error::new_spanned(lit, message))
}
