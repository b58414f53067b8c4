//! Whether a claim can hold a literal.

use syn::{Lit, Result};

use crate::rule::Literal;
use crate::syntax;

pub(super) fn literal(value: &syntax::Literal) -> Result<Literal> {
    let wrong = |message: String| Err(value.error(message));
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
                    value.shown(),
                    i64::MIN,
                    u64::MAX
                )),
            }
        }
        Lit::Float(digits) => match digits.base10_parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Literal::Float(if negative { -float } else { float })),
            Ok(_) | Err(_) => wrong(format!(
                "`{}` is beyond what a claim can hold: write a number smaller than 1.8e308",
                value.shown()
            )),
        },
        Lit::ByteStr(_) | Lit::CStr(_) | Lit::Byte(_) | Lit::Char(_) => {
            let written = value.shown();
            let inner = written.trim_start_matches(['b', 'c', 'r', '#']).trim_matches(['\'', '"', '#']);
            wrong(format!("a claim is JSON, which has no such literal as `{written}`: write the string `\"{inner}\"`"))
        }
        Lit::Verbatim(_) | _ => {
            wrong(format!("`{}` is no literal that a claim can hold: write a string or a number", value.shown()))
        }
    }
}
