//! A rule as the runtime's constant.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::rule::{Kind, Order, Rule, Test, Value};

pub(super) fn rule_tokens(rule: &Rule, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let several = |rules: &[Rule]| {
        let rules = rules.iter().map(|rule| rule_tokens(rule, private));
        quote_spanned!(here=> &[#(#rules),*])
    };
    match rule {
        Rule::Public => quote_spanned!(here=> #private::Rule::Public),
        Rule::Token => quote_spanned!(here=> #private::Rule::Token),
        Rule::All(rules) => {
            let rules = several(rules);
            quote_spanned!(here=> #private::Rule::All(#rules))
        }
        Rule::Any(rules) => {
            let rules = several(rules);
            quote_spanned!(here=> #private::Rule::Any(#rules))
        }
        Rule::Not(rule) => {
            let rule = rule_tokens(rule, private);
            quote_spanned!(here=> #private::Rule::Not(&#rule))
        }
        Rule::Claim(name, test) => {
            let test = test_tokens(test, private);
            quote_spanned!(here=> #private::Rule::Claim(&[#(#name),*], #test))
        }
        Rule::Scope(tokens) => quote_spanned!(here=> #private::Rule::Scope(&[#(#tokens),*])),
        Rule::Fresh(seconds) => quote_spanned!(here=> #private::Rule::Fresh(#seconds)),
        Rule::Acr(wanted) => quote_spanned!(here=> #private::Rule::Acr(&[#(#wanted),*])),
    }
}

fn test_tokens(test: &Test, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    match test {
        Test::Present => quote_spanned!(here=> #private::Test::Present),
        Test::Equals(value) => {
            let value = value_tokens(value, private);
            quote_spanned!(here=> #private::Test::Equals(#value))
        }
        Test::Differs(value) => {
            let value = value_tokens(value, private);
            quote_spanned!(here=> #private::Test::Differs(#value))
        }
        Test::OneOf(values) => {
            let values = values.iter().map(|value| value_tokens(value, private));
            quote_spanned!(here=> #private::Test::OneOf(&[#(#values),*]))
        }
        Test::Orders(order, value) => {
            let value = value_tokens(value, private);
            let order = match order {
                Order::Below => quote_spanned!(here=> Below),
                Order::AtMost => quote_spanned!(here=> AtMost),
                Order::Above => quote_spanned!(here=> Above),
                Order::AtLeast => quote_spanned!(here=> AtLeast),
            };
            quote_spanned!(here=> #private::Test::Orders(#private::Order::#order, #value))
        }
    }
}

fn value_tokens(value: &Value, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    match value {
        Value::Str(text) => quote_spanned!(here=> #private::Value::Str(#text)),
        Value::Int(int) => quote_spanned!(here=> #private::Value::Int(#int)),
        Value::Float(float) => quote_spanned!(here=> #private::Value::Float(#float)),
        Value::Bool(truth) => quote_spanned!(here=> #private::Value::Bool(#truth)),
        Value::Parameter(name) => quote_spanned!(here=> #private::Value::Parameter(#name)),
    }
}

pub(super) fn kind_tokens(kind: &Kind, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let end = |value: &Option<Value>| match value {
        Some(value) => {
            let value = value_tokens(value, private);
            quote_spanned!(here=> ::core::option::Option::Some(#value))
        }
        None => quote_spanned!(here=> ::core::option::Option::None),
    };
    match kind {
        Kind::Absent => quote_spanned!(here=> #private::Kind::Absent),
        Kind::Bool(truth) => quote_spanned!(here=> #private::Kind::Bool(#truth)),
        Kind::Text(text) => quote_spanned!(here=> #private::Kind::Text(#text)),
        Kind::OtherText(texts) => quote_spanned!(here=> #private::Kind::OtherText(&[#(#texts),*])),
        Kind::Is(value) => {
            let value = value_tokens(value, private);
            quote_spanned!(here=> #private::Kind::Is(#value))
        }
        Kind::Between(above, below) => {
            let (above, below) = (end(above), end(below));
            quote_spanned!(here=> #private::Kind::Between(#above, #below))
        }
        Kind::Object => quote_spanned!(here=> #private::Kind::Object),
        Kind::List(kinds) => {
            let kinds = kinds.iter().map(|kind| kind_tokens(kind, private));
            quote_spanned!(here=> #private::Kind::List(&[#(#kinds),*]))
        }
    }
}
