//! The attributes of `oauth-runtime`, which re-exports them: depend on that crate.
//!
//! From here the files are read in the order of the work: `policy.rs` reads an attribute's arguments, `check.rs` says
//! what they mean, `handler.rs` reads the function below, `expand.rs` writes the guarded one. A mistake in any of them is
//! one error at the token that is wrong, and its text says what to write.
#![forbid(unsafe_code)]

mod check;
mod diagnose;
mod expand;
mod handler;
mod policy;

use proc_macro2::{Span, TokenStream};
use syn::{Error, Path, Result};

use check::{Parameter, Rule};
use handler::Handler;
use policy::{NoPolicy, Pattern};

/// Guards a handler by the claims of its token.
///
/// ```
/// use actix_web::{App, Responder, get, post, web};
/// use oauth_runtime::require_claim;
///
/// #[require_claim(role = "admin")]
/// #[get("/admin")]
/// async fn admin() -> impl Responder {
///     "Admin access granted!"
/// }
///
/// #[require_claim(role = ["editor", "admin"], level = 3, scope = "notes:write")]
/// #[post("/notes/{id}")]
/// async fn save(id: web::Path<u32>, web::Json(text): web::Json<String>) -> actix_web::Result<String> {
///     Ok(format!("note {id}: {text}"))
/// }
///
/// App::new().service(admin).service(save);
/// ```
///
/// A request is decided before anything else of it is looked at: first the token (401 where it is missing or not valid),
/// then the policy (403 where the claims do not meet it), and only then do the handler's own arguments read their part
/// of the request. So a stranger with a broken body is told 401, not 400.
///
/// # What to write
///
/// Terms, separated by commas. **All of them must hold.**
///
/// | Term | Holds when |
/// |---|---|
/// | `role = "admin"` | the claim equals the value, or is an array that contains it |
/// | `role = ["editor", "admin"]` | the claim equals any of the values, or is an array that contains any of them |
/// | `verified` | the claim is there, and neither `null` nor `false` |
/// | `scope = "notes:read notes:write"` | the token's scope has every one of these, in any order |
/// | `crate = "path"` | no rule: the name under which the application knows `oauth-runtime`, where that is another |
///
/// A value is a string, an integer from `i64::MIN` to `u64::MAX`, a finite floating-point number, `true` or `false`.
///
/// A claim's name is a word, Rust's own words included (`type = "person"`), or any text in quotes:
/// `"https://example.com/role" = "admin"`. In quotes it is always a plain claim: `"scope" = "a"` compares the claim's
/// whole text, and `"all" = 1` is a claim that happens to be named like a word of this language.
///
/// # What holds, and what does not
///
/// - A claim that is **absent** meets no term.
/// - A claim of **another JSON type** than the value meets no term: `level = 3` does not hold for the string `"3"`.
/// - **Numbers** compare exactly: `3` equals `3.0`, and two integers beyond the precision of a double stay different.
/// - **Strings** compare byte for byte, case included.
/// - An **array** claim holds when one of its elements does; its elements are not searched any deeper.
///
/// # Several guards
///
/// Each attribute is a guard of its own, all must hold, and they decide from the top down:
///
/// ```
/// # use actix_web::{Responder, get};
/// # use oauth_runtime::require_claim;
/// #[require_claim(permissions = "read")]
/// #[require_claim(permissions = "write")]
/// #[get("/both")]
/// async fn both() -> impl Responder {
///     "An array of permissions with both in it."
/// }
/// # fn main() {}
/// ```
///
/// # Where to write it
///
/// On an `async fn` that actix-web takes as a handler, an associated function included. Above the route attribute is the
/// habit, who before where; below works as well. An attribute that rewrites the handler's arguments, or that wants to
/// see them (`#[tracing::instrument]`), goes above this one.
///
/// # What it refuses
///
/// What is refused does not compile; no mistake leaves a handler open. Refused are
///
/// - an empty policy, an empty list, an empty name;
/// - the same claim twice, or the same value twice in a list: all terms must hold, which is rarely what was meant;
/// - values that are no literals (`role = ADMIN`), and literals that JSON does not have (`b"x"`, `'c'`, `3u8`);
/// - scopes with characters that [RFC 6749] does not allow, or with a scope twice;
/// - the words `fresh`, `acr`, `path`, `all`, `any`, `not`, which are kept for rules to come;
/// - anything but an `async fn` with a body; `self`, `impl Trait` and `cfg` in its arguments, since they are rewritten;
///   more arguments than actix-web takes; and a function that answers nothing, as actix-web does itself.
///
/// ```compile_fail
/// # use actix_web::{Responder, get};
/// # use oauth_runtime::require_claim;
/// // error: unknown operator `==`, did you mean `=`? Write `role = "value"` or `role = ["one", "other"]`
/// #[require_claim(role == "admin")]
/// #[get("/admin")]
/// async fn admin() -> impl Responder {
///     "Admin access granted!"
/// }
/// ```
///
/// Where an argument is no extractor, the compiler says that `FromRequest` is not implemented for its type, and points at
/// the handler's arguments.
///
/// # No claim at all
///
/// `#[require_claim]` alone is refused: it reads like a policy that somebody forgot to finish. Where any valid token is
/// enough, write [`#[require_token]`](macro@require_token), which says so.
///
/// [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#[proc_macro_attribute]
pub fn require_claim(policy: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guard(Kind::Claim, policy.into(), handler.into()).into()
}

/// Guards a handler by a valid token, whatever its claims.
///
/// ```
/// use actix_web::{App, Responder, get};
/// use oauth_runtime::require_token;
///
/// #[require_token]
/// #[get("/me")]
/// async fn me() -> impl Responder {
///     "Somebody who is signed in."
/// }
///
/// App::new().service(me);
/// ```
///
/// In all else it is [`#[require_claim(..)]`](macro@require_claim), of which it could be the empty form, but for what a
/// reader would make of that: an attribute of that name without a claim looks unfinished, and this one does not. Its only
/// argument is `crate = "path"`.
#[proc_macro_attribute]
pub fn require_token(arguments: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guard(Kind::Token, arguments.into(), handler.into()).into()
}

/// A policy as a value: for `.wrap(oauth.require(policy!(..)))` on an `App`, a scope or a resource, and for
/// `token.satisfies(policy!(..))?` within a handler.
///
/// ```
/// use oauth_runtime::{Policy, policy};
///
/// const EDITORS: Policy = policy!(any(role = "editor", role = "admin"), not(suspended));
/// # let _ = EDITORS;
/// ```
///
/// The language is that of [`#[require_claim(..)]`](macro@require_claim), but for `path.*`: a value has no route whose
/// parameters it could speak of, and such a term is refused.
#[proc_macro]
pub fn policy(policy: proc_macro::TokenStream) -> proc_macro::TokenStream {
    value(policy.into()).into()
}

/// Says that a handler is open to all: to the policy map, and to the check that finds the handlers without a guard.
///
/// ```
/// use actix_web::{App, Responder, get};
/// use oauth_runtime::public;
///
/// #[public]
/// #[get("/")]
/// async fn welcome() -> impl Responder {
///     "Sign in to see more."
/// }
///
/// App::new().service(welcome);
/// ```
///
/// Its only argument is `crate = "path"`. It cannot stand with another guard.
#[proc_macro_attribute]
pub fn public(arguments: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guard(Kind::Public, arguments.into(), handler.into()).into()
}

/// The handler, guarded; or what is wrong, and a handler beside it, so that nothing else about it is reported.
fn guard(kind: Kind, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (arguments, ordered) = expand::take_mark(arguments);
    if expand::is_silenced(&arguments) {
        return item;
    }
    match (kind.read(arguments.clone()), syn::parse2::<Handler>(item.clone())) {
        (Ok(policy), Ok(mut handler)) => {
            let mut mistakes = std::mem::take(&mut handler.mended);
            if let Some((other, message)) = handler.contradiction(kind) {
                mistakes.add(Error::new_spanned(other, message));
            }
            if let Err(mistake) = check::parameters(&policy.parameters, &handler.attributes) {
                mistakes.add(mistake);
            }
            if let Demand::Typed(pattern) = &policy.demand
                && let Err(mistake) = check::arguments(pattern, &handler.arguments)
            {
                mistakes.add(mistake);
            }
            match mistakes.take() {
                Some(mistake) => {
                    handler.silence_guards();
                    refused(&mistake, expand::guarded(handler, &policy))
                }
                None if ordered || !handler.is_stacked() => expand::guarded(handler, &policy),
                None => expand::stacked(kind, &arguments, handler, &policy),
            }
        }
        (Err(mistake), Ok(mut handler)) => match handler.mended.take() {
            Some(other) => refused(&both(mistake, other), handler::with_guards_silenced(item)),
            None => refused(&mistake, item),
        },
        (Ok(_), Err(mistake)) => refused(&mistake, handler::with_guards_silenced(item)),
        (Err(mistake), Err(other)) => refused(&both(mistake, other), handler::with_guards_silenced(item)),
    }
}

fn value(arguments: TokenStream) -> TokenStream {
    let guard = Kind::Value.read(arguments).and_then(|guard| match guard.parameters.first() {
        Some(parameter) => Err(Error::new_spanned(
            &parameter.tokens,
            "a `policy!(..)` has no route, and so no parameters: write this term in `#[require_claim(..)]`",
        )),
        None => Ok(guard),
    });
    guard.map_or_else(|mistake| expand::refused_value(&mistake), |guard| expand::value(&guard))
}

fn both(mut mistake: Error, other: Error) -> Error {
    mistake.combine(other);
    mistake
}

/// What follows an error is for the compiler to look at; nothing is built of it.
fn refused(mistake: &Error, item: TokenStream) -> TokenStream {
    let mut tokens = mistake.to_compile_error();
    tokens.extend(item);
    tokens
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Claim,
    Token,
    Public,
    /// `policy!(..)`
    Value,
}

/// What one attribute demands.
struct Guard {
    demand: Demand,
    /// As written.
    policy: String,
    parameters: Vec<Parameter>,
    runtime: Option<Path>,
}

enum Demand {
    Rule(Rule),
    Typed(Pattern),
}

impl Kind {
    const ATTRIBUTES: [Kind; 3] = [Kind::Claim, Kind::Token, Kind::Public];

    fn name(self) -> &'static str {
        match self {
            Kind::Claim => "require_claim",
            Kind::Token => "require_token",
            Kind::Public => "public",
            Kind::Value => "policy",
        }
    }

    fn read(self, arguments: TokenStream) -> Result<Guard> {
        // The compiler breaks long lines.
        let policy = arguments.to_string().replace('\n', " ");
        let rule = match self {
            Kind::Claim | Kind::Value => {
                let policy::Policy { runtime, demand } = syn::parse2(arguments)?;
                let (demand, parameters) = match demand {
                    policy::Demand::Terms(terms) if terms.is_empty() => return Err(self.demands_nothing()),
                    policy::Demand::Terms(terms) => {
                        let (rule, parameters) = check::rule(&terms)?;
                        (Demand::Rule(rule), parameters)
                    }
                    policy::Demand::Typed(pattern) => {
                        check::pattern(&pattern)?;
                        (Demand::Typed(pattern), Vec::new())
                    }
                };
                return Ok(Guard { demand, policy, parameters, runtime });
            }
            Kind::Token => Rule::Token,
            Kind::Public => Rule::Public,
        };
        let NoPolicy { runtime, rest } = syn::parse2(arguments)?;
        if !rest.is_empty() {
            let asks = if self == Kind::Public { "nothing" } else { "a valid token and nothing else" };
            let cure = match Kind::Claim.read(rest.clone()) {
                Ok(_) => format!("write `#[require_claim({rest})]`"),
                Err(_) => "leave this out".to_owned(),
            };
            let message = format!("`#[{}]` asks for {asks}: {cure}", self.name());
            return Err(Error::new_spanned(rest, message));
        }
        Ok(Guard { demand: Demand::Rule(rule), policy, parameters: Vec::new(), runtime })
    }

    fn demands_nothing(self) -> Error {
        let message = if self == Kind::Value {
            "this demands no claim: name one, as in `policy!(role = \"admin\")`"
        } else {
            "this demands no claim: name one, as in `#[require_claim(role = \"admin\")]`, or write `#[require_token]` \
             where any valid token is enough"
        };
        Error::new(Span::call_site(), message)
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn the_topmost_of_a_stack_goes_last() {
        let handler = quote!(
            #[get("/")]
            #[require_token]
            #[allow(unused)]
            #[oauth_runtime::require_claim(b)]
            async fn handler() -> String {}
        );
        let expected = quote!(
            #[oauth_runtime::require_claim(b)]
            #[require_token]
            #[::oauth_runtime::require_claim(@stacked a)]
            #[get("/")]
            #[allow(unused)]
            async fn handler() -> String {}
        );
        assert_eq!(guard(Kind::Claim, quote!(a), handler).to_string(), expected.to_string());
    }

    #[test]
    fn a_stack_in_its_order_is_expanded() {
        let below = quote!(#[::oauth_runtime::require_claim(@stacked a)]);
        let tokens = guard(Kind::Claim, quote!(b), quote!(#below async fn handler() -> String {})).to_string();
        assert!(tokens.starts_with(&below.to_string()) && tokens.contains("admit"), "{tokens}");
        let last = guard(
            Kind::Claim,
            quote!(@stacked a),
            quote!(
                async fn handler() -> String {}
            ),
        )
        .to_string();
        assert!(last.contains("policy : \"a\"") && last.contains("admit"), "{last}");
    }

    #[test]
    fn what_is_refused_is_not_left_open() {
        for (policy, handler) in [
            (
                quote!(a == 1),
                quote!(
                    async fn handler() -> String {}
                ),
            ),
            (
                quote!(a = 1),
                quote!(
                    fn handler() -> String {}
                ),
            ),
            (
                quote!(),
                quote!(
                    struct Handler;
                ),
            ),
            (quote!(a), quote!()),
        ] {
            for kind in Kind::ATTRIBUTES {
                let tokens = guard(kind, policy.clone(), handler.clone()).to_string();
                assert!(tokens.contains("compile_error") || tokens.contains("admit"), "{tokens}");
            }
        }
    }

    /// Tokens at random, and tokens that were right before one was changed: an answer each time, and never a panic.
    #[test]
    fn no_tokens_make_it_panic() {
        const WORDS: [&str; 54] = [
            "any",
            "not",
            "path",
            "fresh",
            ".",
            ">=",
            "if",
            "User",
            "role",
            "scope",
            "all",
            "crate",
            "self",
            "async",
            "fn",
            "pub",
            "type",
            "r#type",
            "_",
            "true",
            "impl",
            "x",
            "=",
            "==",
            "!=",
            "<",
            ":",
            "::",
            ",",
            ",",
            ";",
            "-",
            "|",
            "&",
            "!",
            "#",
            "@",
            "'a",
            "->",
            "..",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "\"admin\"",
            "\"\"",
            "b\"x\"",
            "'c'",
            "3",
            "3u8",
            "1e999",
            "\"a b\"sfx",
        ];
        const RIGHT: [&str; 5] = [
            "role = \"admin\" , level = [ 3 , - 4.5 , true ] , active , scope = \"a b\" , crate = \"x\"",
            "any ( all ( a . b >= 3 , c != true ) , not ( d ) , fresh = \"5m\" ) , acr = \"x\" , sub = path . owner",
            "User { role : Role :: Admin | Role :: Auditor , level : 3 .. , .. } if * level > 3 , crate = \"x\"",
            "# [ get ( \"/\" ) ] pub async fn handler ( mut a : A , B ( b ) : B ) -> Result < impl C , D > { a ; b }",
            "# [ require_claim ( a ) ] async fn handler < T > ( # [ allow ( x ) ] _ : T ) -> T where T : U { # ! [ x ] }",
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Always smaller than `below`, a `usize`.
            (state % below as u64) as usize
        };
        let mut read = 0;
        for round in 0..20_000 {
            let mut words: Vec<&str> = match round % 6 {
                0 => (0..random(12)).map(|_| "x").collect(),
                right => RIGHT[right - 1].split(' ').collect(),
            };
            for _ in 0..=random(if round % 6 == 0 { 12 } else { 3 }) {
                let place = random(words.len() + 1);
                let word = WORDS[random(WORDS.len())];
                match random(3) {
                    0 => words.insert(place, word),
                    1 if place < words.len() => words[place] = word,
                    _ if place < words.len() => drop(words.remove(place)),
                    _ => words.push(word),
                }
            }
            let text = words.join(" ");
            let Ok(tokens) = text.parse::<TokenStream>() else { continue };
            read += 1;
            let handler = quote!(
                async fn handler() -> String {}
            );
            for kind in Kind::ATTRIBUTES {
                for (policy, item) in [(tokens.clone(), handler.clone()), (quote!(a), tokens.clone())] {
                    let answer = guard(kind, policy, item).to_string();
                    let stacked = answer.contains("@ stacked");
                    assert!(answer.contains("compile_error") || answer.contains("admit") || stacked, "{text}");
                }
                let answer = value(tokens.clone()).to_string();
                assert!(answer.contains("compile_error") || answer.contains("GUARD"), "{text}");
            }
        }
        assert!(read > 5_000, "only {read} token streams to read");
    }
}
