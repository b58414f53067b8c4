//! The syntax of a policy: terms separated by commas. What a term may mean is `check.rs`'s matter.

use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, LitStr, Path, Result, Token, token};

/// The arguments of `#[require_claim(..)]`.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) runtime: Option<Path>,
    pub(crate) terms: Vec<Term>,
}

/// The arguments of `#[require_token]`: at most the runtime's name.
#[derive(Default)]
pub(crate) struct NoPolicy {
    pub(crate) runtime: Option<Path>,
}

/// One demand, such as `role = "admin"`.
pub(crate) struct Term {
    pub(crate) name: Name,
    pub(crate) test: Test,
}

/// A claim's name. In quotes it is never a word of the policy's own language.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) quoted: bool,
    pub(crate) span: Span,
}

pub(crate) enum Test {
    /// `claim`
    Present,
    /// `claim = value`
    Equals(Value),
    /// `claim(..)`: no claim is written so, but the name decides what to answer.
    Called,
}

pub(crate) enum Value {
    One(Literal),
    Any(token::Bracket, Vec<Literal>),
}

pub(crate) struct Literal {
    pub(crate) minus: Option<Token![-]>,
    pub(crate) lit: Lit,
}

/// What may stand after a claim's name. The parser reads this table and so do its diagnostics: an operator that is added
/// here is understood and offered.
const OPERATORS: [Operator; 1] =
    [Operator { written: "=", right_hand_sides: &["\"value\"", "[\"one\", \"other\"]"], parse: Test::equals }];

struct Operator {
    written: &'static str,
    right_hand_sides: &'static [&'static str],
    parse: fn(&Name, Span, ParseStream<'_>) -> Result<Test>,
}

impl Parse for Policy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut policy = Policy::default();
        let mut mistakes = Mistakes::default();
        while !input.is_empty() {
            if let Err(mistake) = policy.parse_argument(input) {
                mistakes.add(mistake);
                skip_to_comma(input);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        mistakes.or(policy)
    }
}

impl Policy {
    /// Stops before the comma that ends the argument.
    fn parse_argument(&mut self, input: ParseStream<'_>) -> Result<()> {
        if input.peek(Token![crate]) {
            return parse_runtime(input, &mut self.runtime);
        }
        let term: Term = input.parse()?;
        let name = term.name.shown();
        self.terms.push(term);
        if at_end(input) { Ok(()) } else { Err(junk_after_term(&name, input)) }
    }
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
        if input.is_empty() {
            return Ok(arguments);
        }
        let rest: TokenStream = input.parse()?;
        let message =
            format!("`#[require_token]` asks for a valid token and nothing else: write `#[require_claim({rest})]`");
        Err(Error::new_spanned(rest, message))
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
    if at_end(input) { Ok(()) } else { Err(junk_after_term("crate", input)) }
}

impl Parse for Term {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Name = input.parse()?;
        let test = Test::parse(&name, input)?;
        Ok(Term { name, test })
    }
}

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![_]) {
            return Err(input.error("`_` names no claim: write the claim's name, as in `role = \"admin\"`"));
        }
        // Before the identifiers, of which `true` and `false` would be two.
        if let Ok(lit) = input.fork().parse::<Lit>() {
            let Lit::Str(text) = &lit else { return Err(no_name(&lit)) };
            refuse_suffix(&lit)?;
            input.parse::<Lit>()?;
            return Ok(Name { text: text.value(), quoted: true, span: text.span() });
        }
        if input.peek(Ident::peek_any) {
            let name = Ident::parse_any(input)?;
            return Ok(Name { text: name.unraw().to_string(), quoted: false, span: name.span() });
        }
        Err(no_term(input))
    }
}

impl Name {
    /// As it is written in a policy.
    pub(crate) fn shown(&self) -> String {
        if self.quoted { format!("{:?}", self.text) } else { self.text.clone() }
    }
}

impl Test {
    fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
        if at_end(input) {
            return Ok(Test::Present);
        }
        if input.peek(token::Paren) {
            input.parse::<TokenTree>()?;
            return Ok(Test::Called);
        }
        let Some((written, span)) = peek_operator(input) else { return Err(junk_after_name(name, input)) };
        match OPERATORS.iter().find(|operator| operator.written == written) {
            Some(operator) => {
                for _ in written.chars() {
                    input.parse::<TokenTree>()?;
                }
                (operator.parse)(name, span, input)
            }
            None => Err(unknown_operator(name, &written, span, input)),
        }
    }

    fn equals(name: &Name, operator: Span, input: ParseStream<'_>) -> Result<Self> {
        if at_end(input) {
            let message = format!("a value is missing: write {}", forms(name));
            return Err(Error::new(operator, message));
        }
        if !input.peek(token::Bracket) {
            return Ok(Test::Equals(Value::One(Literal::parse(name, input)?)));
        }
        let list;
        let bracket = syn::bracketed!(list in input);
        let mut literals = Vec::new();
        while !list.is_empty() {
            literals.push(Literal::parse(name, &list)?);
            if !at_end(&list) {
                return Err(list.error(format!("the values of a list are separated by commas: {}", any_of(name))));
            }
            list.parse::<Option<Token![,]>>()?;
        }
        Ok(Test::Equals(Value::Any(bracket, literals)))
    }
}

impl Literal {
    fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![,]) {
            return Err(input.error(format!("a value is missing before this comma: write {}", any_of(name))));
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
            None => Err(no_literal(name, input)),
        }
    }
}

/// Several mistakes, reported together.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Error) {
        match &mut self.0 {
            Some(first) => first.combine(mistake),
            None => self.0 = Some(mistake),
        }
    }

    pub(crate) fn or<T>(self, value: T) -> Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}

/// The operator ahead as Rust would read it: `==` is one, `=-` are two.
fn peek_operator(input: ParseStream<'_>) -> Option<(String, Span)> {
    const OF_TWO: [&str; 20] = [
        "==", "!=", "<=", ">=", "=>", "->", "&&", "||", "::", "..", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=",
        "<<", ">>",
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

/// The ways to write a term about this claim.
fn forms(name: &Name) -> String {
    let name = name.shown();
    let operations = OPERATORS.iter().flat_map(|operator| {
        operator.right_hand_sides.iter().map(|value| format!("`{name} {} {value}`", operator.written))
    });
    let mut forms: Vec<String> = operations.collect();
    forms.push(format!("`{name}` alone (the claim is there)"));
    let last = forms.pop().unwrap_or_default();
    format!("{} or {last}", forms.join(", "))
}

fn any_of(name: &Name) -> String {
    format!("`{} = [\"one\", \"other\"]`", name.shown())
}

fn unknown_operator(name: &Name, written: &str, span: Span, input: ParseStream<'_>) -> Error {
    if matches!(written, "." | "::" | "-" | "/" | "->") {
        let shown = name.shown();
        let message =
            format!("a claim whose name is more than one identifier is quoted: `\"{shown}{written}..\" = ..`");
        return Error::new(span, message);
    }
    // Spanned by hand, since the tokens of one operator are several.
    let tokens: TokenStream = input.cursor().token_stream().into_iter().take(written.len()).collect();
    Error::new_spanned(tokens, format!("unknown operator `{written}`: write {}", forms(name)))
}

/// After a name came neither an operator nor the end of the term.
fn junk_after_name(name: &Name, input: ParseStream<'_>) -> Error {
    const WORDS: [&str; 8] = ["in", "is", "as", "has", "contains", "matches", "eq", "ne"];
    let found = next_token(input);
    let message = if WORDS.contains(&found.as_str()) {
        format!("unknown operator `{found}`: write {}", forms(name))
    } else if input.peek(Ident::peek_any) {
        format!("a comma is missing before `{found}`: write `{}, {found}`", name.shown())
    } else {
        format!("an operator is missing before `{found}`: write {}", forms(name))
    };
    input.error(message)
}

fn junk_after_term(name: &str, input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let operator = peek_operator(input).map(|(written, _)| written);
    let message = match operator.as_deref() {
        Some("|" | "||") => format!("any of several values is a list: write `{name} = [\"one\", \"other\"]`"),
        Some("&" | "&&" | ";") => "terms that must all hold are separated by commas".to_owned(),
        _ if input.peek(Ident::peek_any) || input.peek(LitStr) => format!("a comma is missing before `{found}`"),
        _ => format!("`{found}` is one too many: after a term comes a comma or the end"),
    };
    match operator {
        Some(operator) => Error::new_spanned(
            input.cursor().token_stream().into_iter().take(operator.len()).collect::<TokenStream>(),
            message,
        ),
        None => input.error(message),
    }
}

fn no_name(lit: &Lit) -> Error {
    let shown = quote::ToTokens::to_token_stream(lit);
    Error::new_spanned(
        lit,
        format!(
            "`{shown}` is no claim: a term begins with a claim's name, as in `role = \"admin\"`; \
             several values of one claim are a list, as in `role = [\"one\", \"other\"]`"
        ),
    )
}

/// Where a term should begin stands something that begins none.
fn no_term(input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let message = match found.as_str() {
        "," => "a term is missing before this comma: write `role = \"admin\"`, or leave the comma out".to_owned(),
        "=" => "a claim's name is missing before `=`: write `role = \"admin\"`".to_owned(),
        "!" => "there is no operator `!`: a rule says what the token must hold, as in `role = \"admin\"`".to_owned(),
        _ => format!("`{found}` begins no term: write a claim's name, as in `role = \"admin\"`"),
    };
    input.error(message)
}

fn no_literal(name: &Name, input: ParseStream<'_>) -> Error {
    let mut found = TokenStream::new();
    // A fork, since the caller skips what is left.
    let ahead = input.fork();
    while !at_end(&ahead) {
        match ahead.parse::<TokenTree>() {
            Ok(token) => found.extend([token]),
            Err(_) => break,
        }
    }
    let shown = name.shown();
    let mut tokens = found.clone().into_iter();
    let cure = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(word)), None) => format!("write `{shown} = {:?}`", word.to_string()),
        (Some(TokenTree::Group(group)), None) if group.delimiter() != Delimiter::None => {
            format!("write `{shown} = \"value\"`, or a list in brackets, {}", any_of(name))
        }
        _ => format!("write a string, a number, `true` or `false`, as in `{shown} = \"value\"`"),
    };
    let message = format!("`{found}` is no literal: {cure}");
    Error::new_spanned(found, message)
}

fn refuse_suffix(lit: &Lit) -> Result<()> {
    let suffix = lit.suffix();
    if suffix.is_empty() {
        return Ok(());
    }
    let whole = quote::ToTokens::to_token_stream(lit).to_string();
    let bare = whole.strip_suffix(suffix).unwrap_or(&whole);
    let message = format!("JSON has no literal types such as `{suffix}`: write `{}`", bare.trim_end_matches('_'));
    Err(Error::new_spanned(lit, message))
}

fn next_token(input: ParseStream<'_>) -> String {
    match input.cursor().token_tree() {
        Some((TokenTree::Group(group), _)) => match group.delimiter() {
            Delimiter::Parenthesis => "(..)".to_owned(),
            Delimiter::Bracket => "[..]".to_owned(),
            Delimiter::Brace => "{..}".to_owned(),
            Delimiter::None => group.stream().to_string(),
        },
        Some((token, _)) => token.to_string(),
        None => String::new(),
    }
}
