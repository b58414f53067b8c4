//! The values that a claim is compared with, and the errors for anything else.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::{Error, Lit, LitStr, Result, Token, token};

use crate::forms::any_of;
use crate::peek::{at_end, between, is_comma, tokens_ahead};
use crate::syntax::{FRESH, Literal, Name, OPERATORS, Operand, Operands, Operator, PATH, Segment};

impl Operands {
    pub(super) fn parse(name: &Name, operator: Operator, input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(token::Bracket) {
            return Ok(Operands::One(Operand::parse(name, operator, input)?));
        }
        let list;
        let bracket = syn::bracketed!(list in input);
        let mut operands = Vec::new();
        while !list.is_empty() {
            operands.push(Operand::parse(name, operator, &list)?);
            if !at_end(&list) {
                return Err(list_without_commas(name, &list));
            }
            list.parse::<Option<Token![,]>>()?;
        }
        Ok(Operands::List(bracket, operands))
    }
}

fn list_without_commas(name: &Name, list: ParseStream<'_>) -> Error {
    list.error(format!("the values of a list are separated by commas: {}", any_of(name)))
}

impl Operand {
    fn parse(name: &Name, operator: Operator, input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        let is_dynamic = ahead.parse::<Option<Token![dyn]>>()?.is_some();
        if ahead.peek(syn::Ident) && ahead.parse::<Ident>()? == PATH && ahead.peek(Token![.]) {
            ahead.parse::<Token![.]>()?;
            let parameter = Segment::parse(&ahead, |_| no_parameter(input))?;
            let tokens = between(input, &ahead);
            input.advance_to(&ahead);
            return Ok(Operand::Parameter { name: parameter.text, tokens, is_dynamic });
        }
        Literal::parse(name, operator, input).map(Operand::Literal)
    }
}

fn no_parameter(input: ParseStream<'_>) -> Error {
    let path = tokens_ahead(input, 2);
    Error::new_spanned(path, format!("`{PATH}.` needs a parameter of the route: write `{PATH}.owner` for `{{owner}}`"))
}

impl Literal {
    fn parse(name: &Name, operator: Operator, input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![,]) {
            return Err(no_value_before_comma(name, input));
        }
        let ahead = input.fork();
        let minus: Option<Token![-]> = ahead.parse()?;
        // `Lit` would read a minus sign too, and so accept two.
        let literal = if ahead.peek(Token![-]) { None } else { ahead.parse::<Lit>().ok() };
        let fits = |lit: &Lit| minus.is_none() || matches!(lit, Lit::Int(_) | Lit::Float(_));
        match literal.filter(fits) {
            Some(lit) => {
                if minus.is_some() {
                    input.parse::<Token![-]>()?;
                }
                input.parse::<Lit>()?;
                if !lit.suffix().is_empty() {
                    return Err(suffix(name, &lit));
                }
                Ok(Literal { minus, lit: refused_as_text(lit) })
            }
            None => Err(no_literal(name, operator, input)),
        }
    }
}

/// `'admin'`: the compiler has refused it already, and says what to write.
fn refused_as_text(lit: Lit) -> Lit {
    match &lit {
        Lit::Verbatim(refused) => match refused.to_string().strip_prefix('\'') {
            Some(text) => Lit::Str(LitStr::new(text.trim_end_matches('\''), refused.span())),
            None => lit,
        },
        _ => lit,
    }
}

fn no_value_before_comma(name: &Name, input: ParseStream<'_>) -> Error {
    input.error(format!("a value is missing before this comma: write {}", any_of(name)))
}

/// `3u8`, or `5m` in place of a time.
fn suffix(name: &Name, lit: &Lit) -> Error {
    let (whole, suffix) = (lit.to_token_stream().to_string(), lit.suffix());
    let message = if name.is(FRESH) && !matches!(lit, Lit::Str(_)) {
        format!("a time is written in quotes: write `{FRESH} = \"{whole}\"`")
    } else {
        let bare = whole.strip_suffix(suffix).unwrap_or(&whole).trim_end_matches('_');
        format!("a claim is JSON, whose values have no suffix such as `{suffix}`: write `{bare}`")
    };
    Error::new_spanned(lit, message)
}

/// Claims that are often compared with a parameter, so a mistake in place of a value.
const OFTEN_COMPARED: [&str; 4] = ["sub", "client_id", "sid", "tenant"];

const LITERALS: &str = "write a string, a number, `true` or `false`";

/// The error for something that is not a value.
fn no_literal(name: &Name, operator: Operator, input: ParseStream<'_>) -> Error {
    let tokens: Vec<TokenTree> =
        input.cursor().token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    let shown = name.shown();
    let takes_parameters = !name.is_word();
    let parameter = parameter_meant(&tokens).filter(|_| takes_parameters);
    let in_braces = matches!(tokens.as_slice(), [TokenTree::Group(_)]);
    let message = match tokens.as_slice() {
        [TokenTree::Ident(word)] => match word.to_string().as_str() {
            "null" | "None" if operator == Operator::Differs => {
                format!("JSON's null counts as absent: write `{shown}` alone (the claim is there)")
            }
            "null" | "None" => format!("JSON's null counts as absent: write `not({shown})`"),
            PATH => format!("`{PATH}` is followed by a parameter of the route: write `{shown} = {PATH}.owner`"),
            text if name.segments.len() == 2 && !name.segments[0].quoted && name.segments[0].text == PATH => {
                format!("the claim stands first: write `{text} {} {}`", operator.written(), name.shown())
            }
            text => match text.to_lowercase().as_str() {
                truth @ ("true" | "false") => format!("`{text}` is not a literal: write `{truth}`"),
                _ if takes_parameters => {
                    let mut message = format!(
                        "`{text}` is not a literal: write `{text:?}`, or `{PATH}.{text}` for a parameter of the route"
                    );
                    if let [Segment { text: parameter, quoted: false }] = name.segments.as_slice()
                        && OFTEN_COMPARED.contains(&text)
                    {
                        message +=
                            &format!("; if `{text}` is the claim, it stands first: `{text} = {PATH}.{parameter}`");
                    }
                    message
                }
                _ => format!("`{text}` is not a literal: write `{text:?}`"),
            },
        },
        [TokenTree::Punct(second), ..] if is_operator(operator, second.as_char()) => {
            let whole = format!("{}{second}", operator.written());
            format!("`{whole}` is one operator: write it without a space")
        }
        [TokenTree::Ident(ty), TokenTree::Punct(_), TokenTree::Punct(_), TokenTree::Ident(variant)]
            if parameter.is_none() =>
        {
            let (text, field) = (variant.to_string().to_lowercase(), &shown);
            format!(
                "a path is not a literal: write the text that serde makes of it, as in `{shown} = {text:?}`, or, as the whole of a \
                 guard, a pattern: `User {{ {field}: {ty}::{variant}, .. }}`"
            )
        }
        _ => match parameter {
            Some(parameter) if in_braces => format!(
                "a parameter of the route is written `{shown} = {PATH}.{parameter}`; a variable is no value, since a policy \
                 is decided in advance: compare in the handler"
            ),
            Some(parameter) => format!("a parameter of the route is written `{shown} = {PATH}.{parameter}`"),
            None => match tokens.as_slice() {
                [TokenTree::Group(_)] => {
                    format!("this is not a literal: {LITERALS}; several values are written {}", any_of(name))
                }
                _ => format!("this is not a literal: {LITERALS}, as in `{shown} = \"value\"`"),
            },
        },
    };
    Error::new_spanned(tokens.into_iter().collect::<TokenStream>(), message)
}

/// Whether the two were one operator, had there been no space between them.
fn is_operator(first: Operator, second: char) -> bool {
    let whole = format!("{}{second}", first.written());
    OPERATORS.iter().any(|(written, ..)| *written == whole)
}

/// `{owner}`, `path("owner")`, `path::owner`, `Path.owner`: the route's parameter that was meant.
fn parameter_meant(tokens: &[TokenTree]) -> Option<String> {
    let inside = |token: &TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => match group.stream().into_iter().next() {
            Some(TokenTree::Ident(word)) => Some(word.to_string()),
            Some(TokenTree::Literal(literal)) => {
                syn::parse_str::<LitStr>(&literal.to_string()).ok().map(|text| text.value())
            }
            Some(TokenTree::Group(_) | TokenTree::Punct(_)) | None => None,
        },
        TokenTree::Ident(word) => Some(word.to_string()),
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    };
    match tokens {
        [TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Brace && group.stream().into_iter().count() == 1 =>
        {
            match group.stream().into_iter().next() {
                Some(TokenTree::Ident(word)) => Some(word.to_string()),
                Some(TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) | None => None,
            }
        }
        [TokenTree::Ident(word), .., last] if word.to_string().eq_ignore_ascii_case(PATH) => inside(last),
        _ => None,
    }
}
