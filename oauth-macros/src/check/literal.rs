//! Whether a claim can hold a literal.

use syn::{Ident, Lit, LitStr, Result};

use crate::peek::is_raw;
use crate::rule::Value;
use crate::syntax::{Literal, PATH};

pub(super) fn literal_value(literal: &Literal) -> Result<Value> {
    let wrong = |message: String| Err(literal.error(message));
    let negative = literal.minus.is_some();
    match &literal.lit {
        Lit::Str(text) => match quoted_parameter(text) {
            Some(parameter) => wrong(format!(
                "in quotes this is the text {:?}: write `{PATH}.{parameter}` for a parameter of the route, or `r{}` for the text",
                text.value(),
                literal.shown()
            )),
            None => Ok(Value::Str(text.value())),
        },
        Lit::Bool(truth) => Ok(Value::Bool(truth.value)),
        Lit::Int(digits) => {
            let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
            match digits.base10_parse::<i128>().map(|int| if negative { -int } else { int }) {
                Ok(int) if range.contains(&int) => Ok(Value::Int(int)),
                Ok(_) | Err(_) => wrong(format!(
                    "`{}` is beyond what a claim can hold: write an integer from {} to {}",
                    literal.shown(),
                    i64::MIN,
                    u64::MAX
                )),
            }
        }
        Lit::Float(digits) => match digits.base10_parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Value::Float(if negative { -float } else { float })),
            Ok(_) | Err(_) => wrong(format!(
                "`{}` is beyond what a claim can hold: write a number smaller than 1.8e308",
                literal.shown()
            )),
        },
        Lit::ByteStr(_) | Lit::CStr(_) | Lit::Byte(_) | Lit::Char(_) => {
            let written = literal.shown();
            let inner = written.trim_start_matches(['b', 'c', 'r', '#']).trim_matches(['\'', '"', '#']);
            wrong(format!("a claim is JSON, which has no such literal as `{written}`: write the string `\"{inner}\"`"))
        }
        Lit::Verbatim(_) | _ => {
            wrong(format!("`{}` is not a literal that a claim can hold: write a string or a number", literal.shown()))
        }
    }
}

/// `"path.owner"`, or as actix-web and other frameworks write one: `"{owner}"`, `":owner"`.
fn quoted_parameter(text: &LitStr) -> Option<String> {
    let written = text.value();
    let of_path = || written.strip_prefix(PATH)?.strip_prefix('.');
    let in_braces = || written.strip_prefix('{')?.strip_suffix('}');
    let parameter = of_path().or_else(in_braces).or_else(|| written.strip_prefix(':'))?;
    (!is_raw(text) && syn::parse_str::<Ident>(parameter).is_ok()).then(|| parameter.to_owned())
}
