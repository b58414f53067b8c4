//! The routes of a handler, if their attributes are visible: below the guard, since one above it is already expanded.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token};

/// The attributes of actix-web that state a route, and the method of each; `route` lists its methods.
const ATTRIBUTES: [(&str, Option<&str>); 10] = [
    ("get", Some("GET")),
    ("post", Some("POST")),
    ("put", Some("PUT")),
    ("delete", Some("DELETE")),
    ("head", Some("HEAD")),
    ("connect", Some("CONNECT")),
    ("options", Some("OPTIONS")),
    ("trace", Some("TRACE")),
    ("patch", Some("PATCH")),
    ("route", None),
];

/// `#[get("/notes/{id}")]`
pub(crate) struct Route {
    pub(crate) methods: Vec<String>,
    pub(crate) pattern: String,
    /// `name = "notes"`; else it is the handler's.
    pub(crate) name: Option<String>,
}

impl Route {
    /// The route of an attribute, if it states one.
    pub(crate) fn read(attribute: &Attribute) -> Option<Self> {
        let name = &attribute.path().segments.last()?.ident;
        let Meta::List(list) = &attribute.meta else { return None };
        let (_, method) = ATTRIBUTES.iter().find(|(known, _)| name == known)?;
        let arguments = |input: ParseStream<'_>| Ok((input.parse::<LitStr>()?, input.parse::<TokenStream>()?));
        let (pattern, rest) = list.parse_args_with(arguments).ok()?;
        let name = strings(rest.clone(), "name").pop();
        let methods = method.map_or_else(|| strings(rest, "method"), |method| vec![method.to_owned()]);
        Some(Route { methods, pattern: pattern.value(), name })
    }

    /// The names in braces.
    pub(crate) fn parameters(&self) -> Vec<String> {
        let mut names = Vec::new();
        let (mut name, mut depth) = (String::new(), 0_usize);
        for character in self.pattern.chars() {
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
        names
    }
}

/// Each `method = "GET"`, or another argument. The route's own attribute reports what cannot be parsed.
fn strings(rest: TokenStream, argument: &str) -> Vec<String> {
    let arguments = |input: ParseStream<'_>| {
        input.parse::<Option<Token![,]>>()?;
        Punctuated::<Meta, Token![,]>::parse_terminated(input)
    };
    let text = |found: Meta| match found {
        Meta::NameValue(pair) if pair.path.is_ident(argument) => match pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        Meta::NameValue(_) | Meta::List(_) | Meta::Path(_) => None,
    };
    arguments.parse2(rest).unwrap_or_default().into_iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_parameters_of_a_route_are_those_in_braces() {
        for (pattern, names) in [
            ("/report/{owner}", vec!["owner"]),
            ("/{a}/x/{b:\\d{3}}/{c: .+}", vec!["a", "b", "c"]),
            ("/files/{tail}*", vec!["tail"]),
            ("/", vec![]),
        ] {
            let attribute: Attribute = parse_quote!(#[actix_web::get(#pattern, name = "x")]);
            let route = Route::read(&attribute).expect("a route");
            assert_eq!(
                (route.pattern.as_str(), route.parameters()),
                (pattern, names.into_iter().map(str::to_owned).collect())
            );
        }
        let other: Attribute = parse_quote!(#[doc("/{a}")]);
        assert!(Route::read(&other).is_none());
    }

    #[test]
    fn the_methods_of_a_route_are_that_of_its_name_or_those_it_lists() {
        let attributes: [(Attribute, &[&str]); 5] = [
            (parse_quote!(#[get("/")]), &["GET"]),
            (parse_quote!(#[actix_web::patch("/", guard = "x")]), &["PATCH"]),
            (
                parse_quote!(#[route("/", method = "GET", name = "x", method = "PURGE", wrap = "A::b()")]),
                &["GET", "PURGE"],
            ),
            (parse_quote!(#[route("/")]), &[]),
            (parse_quote!(#[route("/", method = "GET" method)]), &[]),
        ];
        for (attribute, methods) in attributes {
            assert_eq!(Route::read(&attribute).expect("a route").methods, methods);
        }
        for (attribute, name) in [
            (parse_quote!(#[get("/")]), None),
            (parse_quote!(#[get("/", name = "notes")]), Some("notes".to_owned())),
            (parse_quote!(#[route("/", method = "GET", name = "x", wrap = "A::b()")]), Some("x".to_owned())),
        ] {
            let attribute: Attribute = attribute;
            assert_eq!(Route::read(&attribute).expect("a route").name, name);
        }
    }
}
