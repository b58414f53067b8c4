//! The route of a handler, where its attribute is in sight.

use proc_macro2::TokenStream;
use syn::{Attribute, LitStr, Meta};

/// The pattern of `#[get("/report/{owner}")]`, and the names in it.
pub(crate) fn route_parameters(attribute: &Attribute) -> Option<(String, Vec<String>)> {
    const ROUTES: [&str; 10] =
        ["get", "post", "put", "delete", "head", "connect", "options", "trace", "patch", "route"];
    let name = &attribute.path().segments.last()?.ident;
    let Meta::List(list) = &attribute.meta else { return None };
    if !ROUTES.iter().any(|route| name == route) {
        return None;
    }
    let pattern = list.parse_args_with(|input: syn::parse::ParseStream<'_>| {
        let pattern: LitStr = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(pattern.value())
    });
    let pattern = pattern.ok()?;
    let mut names = Vec::new();
    let (mut name, mut depth) = (String::new(), 0_usize);
    for character in pattern.chars() {
        match character {
            '{' => depth += 1,
            // `{id:\d{3}}`: a regular expression may have braces of its own.
            '}' if depth > 1 => depth -= 1,
            '}' if depth == 1 => {
                depth = 0;
                let whole = std::mem::take(&mut name);
                names.push(whole.split(':').next().unwrap_or_default().trim().to_owned());
            }
            other if depth > 0 => name.push(other),
            _ => {}
        }
    }
    Some((pattern, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_route_are_those_in_braces() {
        for (pattern, names) in [
            ("/report/{owner}", vec!["owner"]),
            ("/{a}/x/{b:\\d{3}}/{c: .+}", vec!["a", "b", "c"]),
            ("/files/{tail}*", vec!["tail"]),
            ("/", vec![]),
        ] {
            let attribute: Attribute = syn::parse_quote!(#[actix_web::get(#pattern, name = "x")]);
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(route_parameters(&attribute), Some((pattern.to_owned(), names)), "{pattern}");
        }
        let other: Attribute = syn::parse_quote!(#[doc("/{a}")]);
        assert_eq!(route_parameters(&other), None);
    }
}
