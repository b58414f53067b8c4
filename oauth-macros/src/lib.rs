//! The attributes of `oauth-runtime`, which re-exports them: depend on that crate.
//!
//! Imports run one way: `attribute.rs` implements the attributes, `expand.rs` writes the guarded handler, `check.rs`
//! interprets a policy, `parse.rs` reads it, and `syntax.rs` has its types and tables. A mistake in any of them is one
//! error at the token that is wrong, and its text says what to write.
#![forbid(unsafe_code)]

mod attribute;
mod check;
mod claims;
mod expand;
mod forms;
mod found;
mod guard;
mod handler;
mod mark;
mod mistakes;
mod near;
mod parse;
mod peek;
mod rule;
mod syntax;

use guard::Kind;

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
/// #[require_claim(any(sub = path.owner, role = ["editor", "admin"]), level >= 3, scope = "notes:write")]
/// #[post("/notes/{owner}")]
/// async fn save(owner: web::Path<String>, web::Json(text): web::Json<String>) -> actix_web::Result<String> {
///     Ok(format!("a note of {owner}: {text}"))
/// }
///
/// App::new().service(admin).service(save);
/// ```
///
/// A request is decided before anything else of it is looked at: first the token (401 if it is missing or not valid),
/// then the policy (403 if the claims do not meet it, 401 if only the sign-in is too old or too weak), and only then do
/// the handler's own arguments read their part of the request. So a stranger with a malformed body gets 401, not 400.
///
/// The page `policies` in the guide of `oauth-runtime` explains this in more detail, with recipes.
///
/// # What to write
///
/// Terms, separated by commas, **all of which must hold**; or a [pattern](#patterns) over a type of your own.
///
/// | Term | Holds when |
/// |---|---|
/// | `verified` | the claim is present, and neither `null` nor `false` |
/// | `role = "admin"` | the claim is the value, or an array that contains it |
/// | `role = ["editor", "admin"]` | the claim is one of the values, or an array that contains one of them |
/// | `role != "guest"` | the claim is present, of the value's type, and different; or an array without it |
/// | `level < 3`, `level <= 3`, `level > 3`, `level >= 3` | the claim is a number, and compares like this |
/// | `all(role = "editor", verified)` | each of these holds |
/// | `any(role = "editor", level > 3)` | at least one of these holds |
/// | `not(role = "guest")` | this one does not hold, and is known not to |
/// | `sub = path.owner` | the claim is the route's parameter `{owner}`, percent-decoded; also in a list and after `!=` |
/// | `dyn tenant = "x"` | the same for a claim that the type in [`claims!`](macro@claims) does not have; before any
/// term |
/// | `sub = dyn path.owner` | the same, for a route that is stated elsewhere |
/// | `realm_access.roles = "admin"` | the claim `roles` within the object `realm_access`, however deep |
/// | `"https://example.com/role" = "admin"` | a claim whose name is not a word; also between dots |
/// | `scope = "notes:read notes:write"` | the token's scope has every one of these, in any order |
/// | `fresh = "5m"` | the person signed in at most this long ago, by `auth_time`; in `s`, `m`, `h` or `d` |
/// | `acr = "mfa"`, `acr = ["mfa", "hwk"]` | the person signed in in this way, or one of these, by `acr` |
/// | `crate = "path"` | not a term: the name under which the application knows `oauth-runtime`, if it is another |
///
/// A value is a string, an integer from `i64::MIN` to `u64::MAX`, a finite floating-point number, `true`, `false`, or
/// `path.` and a parameter of the route. `<`, `<=`, `>` and `>=` take a number.
///
/// A claim's name is a word, Rust's own words included (`type = "person"`), or any text in quotes. In quotes it is always
/// a plain claim: `"scope" = "a"` compares the claim's whole text, and `"all" = 1` is a claim that happens to be named
/// like a word of this language.
///
/// # What holds, and what does not
///
/// A term is *true*, *false* or *unknown*, and **only true admits a request**.
///
/// - A claim that is **absent**, or of **another JSON type** than the value, is unknown: `level = 3` does not hold for the
///   string `"3"`, and neither does `level != 3`. Only for presence (`verified`) an absent claim is an answer: false.
/// - `all`, `any` and `not` follow **Kleene's logic**: unknown stays unknown unless the other side decides. So
///   `not(role = "guest")` refuses a token without a role, and `not(suspended)` admits one without that claim.
/// - An **array** is searched for the value, one level deep; if it is not in there, the term is false, or unknown if an
///   element is of another type. `<`, `<=`, `>` and `>=` are unknown for an array.
/// - **Numbers** compare exactly: `3` equals `3.0`, and two integers beyond the precision of a double stay different.
/// - **Strings** compare byte for byte, case included.
/// - A **parameter** is compared with a string as text, with an integer by its usual decimal digits. A number in another form,
///   which an extractor may read as the same (`07`), is unknown.
///
/// # Patterns
///
/// If the application's `authenticate` returns a type of its own, a guard can be a Rust pattern over it, with `if` for
/// what a pattern cannot express. A pattern cannot be mixed with terms: write conditions on anything outside the type
/// as another guard.
///
/// ```
/// use actix_web::{Responder, get, web};
/// use oauth_runtime::{Claims, require_claim};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Role { Reader, Auditor, Admin }
///
/// #[derive(Serialize, Deserialize)]
/// struct User { sub: String, role: Role, level: u8 }
///
/// #[require_claim(User { role: Role::Admin | Role::Auditor, level: 3.., .. })]
/// #[get("/report")]
/// async fn report(Claims(user): Claims<User>) -> impl Responder {
///     user.sub
/// }
///
/// #[require_claim(User { sub, level, .. } if sub == "root" || *level > 7)]
/// #[require_claim(sub = path.owner, fresh = "1h")]
/// #[get("/notes/{owner}")]
/// async fn notes(owner: web::Path<String>) -> impl Responder {
///     owner.into_inner()
/// }
/// # fn main() {}
/// ```
///
/// The claims are parsed once, and `Claims<User>` in the handler is what the guard has matched. Claims of another shape are
/// refused, and the log says which field does not fit.
///
/// # Several guards
///
/// Each attribute is a separate guard, all must hold, and they decide from the top down:
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
/// On an `async fn` that actix-web accepts as a handler, including associated functions. The usual place is above the
/// route attribute; below works as well. An attribute that rewrites the handler's arguments, or needs to see them
/// (`#[tracing::instrument]`), goes above this one.
///
/// # What it refuses
///
/// What is refused does not compile, and leaves no handler open. What a condition of a pattern computes by functions of
/// your own is yours. These are refused:
///
/// - an empty policy, an empty list, an empty name, an empty condition, and `not` of several terms;
/// - the same term twice, the same value twice in a list, or the same claim twice after `=` unless `all(..)` or
///   `any(..)` says that both are meant;
/// - values that are not literals (`role = ADMIN`), and literals that JSON does not have (`b"x"`, `'c'`, `3u8`);
/// - `<`, `<=`, `>` or `>=` with anything but a number, `!=` with a list;
/// - scopes with characters that [RFC 6749] does not allow, or with a scope twice; times without a unit; ways to sign in
///   with a space;
/// - a parameter that the route below does not have, or that has no visible route (`dyn path.owner` looks it up at run
///   time), and a parameter in quotes;
/// - if [`claims!`](macro@claims) binds the crate to a type: what can never hold, or always holds, for that type;
/// - a pattern that cannot fail, or a condition that asks nothing of the claims, since it would admit everyone; a
///   capitalized name that is not a variant or constant; a string literal in a pattern; a pattern beside terms;
/// - anything but an `async fn` with a body; `self`, `impl Trait` and `cfg` in its arguments, since they are rewritten;
///   more arguments than actix-web takes; and a function that returns nothing, which actix-web refuses as well.
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
/// If an argument is not an extractor, the compiler says that `FromRequest` is not implemented for its type, and points
/// at the handler's arguments.
///
/// # No claim at all
///
/// `#[require_claim]` alone is refused: it looks like an unfinished policy. If any valid token is enough, write
/// [`#[require_token]`](macro@require_token), which says so.
///
/// [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#[proc_macro_attribute]
pub fn require_claim(policy: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute::guard(Kind::Claim, policy.into(), handler.into()).into()
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
///     "Someone who is signed in."
/// }
///
/// App::new().service(me);
/// ```
///
/// # Any valid token is one of a third party, too
///
/// If the builder allows a third party's client the service's own audience, that client is admitted with the token of a
/// user, and the handler reads all claims of that user, even those that are sealed in the token. Its answer then
/// reveals them to that client. Check for the scope that releases a claim:
///
/// ```
/// use actix_web::{Responder, get, web::Json};
/// use oauth_runtime::{AccessToken, Claims, require_token};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct User { sub: String, email: String }
///
/// #[require_token]
/// #[get("/me")]
/// async fn me(token: AccessToken, Claims(user): Claims<User>) -> impl Responder {
///     let email = token.scope().contains("email").then_some(user.email);
///     Json((user.sub, email))
/// }
/// # actix_web::App::new().service(me);
/// ```
///
/// `/userinfo` does so by itself, for the claims that each granted scope releases.
///
/// Otherwise it works like [`#[require_claim(..)]`](macro@require_claim). It is not the empty form of that attribute,
/// since an attribute of that name without a claim would look unfinished. Its only argument is `crate = "path"`.
#[proc_macro_attribute]
pub fn require_token(arguments: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute::guard(Kind::Token, arguments.into(), handler.into()).into()
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
/// The language is that of [`#[require_claim(..)]`](macro@require_claim), except for `path.*`: a value has no route, so
/// such a term is refused.
#[proc_macro]
pub fn policy(policy: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute::policy(policy.into()).into()
}

/// Marks a handler as open to all, for the policy map and for the check that finds handlers without a guard.
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
/// Its only argument is `crate = "path"`. It cannot be combined with another guard.
#[proc_macro_attribute]
pub fn public(arguments: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute::guard(Kind::Public, arguments.into(), handler.into()).into()
}

/// Describes how a type looks in a token, so that guards can be checked against it: write it on the type of an
/// application's claims, and on each of its own types in there.
///
/// ```
/// use oauth_runtime::{Claims, rule::Shaped};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Claims)]
/// #[serde(rename_all = "lowercase")]
/// enum Role { Reader, Admin }
///
/// #[derive(Serialize, Deserialize, Claims)]
/// struct User { sub: String, role: Role, #[serde(default)] teams: Vec<String> }
///
/// assert_eq!(Role::SHAPE.to_string(), r#""reader" or "admin""#);
/// assert_eq!(User::SHAPE.to_string(), "an object with `sub`, `role`, `teams`");
/// ```
///
/// It reads serde's attributes as `Serialize` does: `rename`, `rename_all`, `rename_all_fields`, `flatten`, `default`, `skip`,
/// `skip_serializing_if`, `transparent`, `into`, and the four ways to tag an enum. Where serde's attributes are not
/// enough, add your own: `#[claims(as = String)]`, on a field whose type is from another crate or that a function of
/// yours writes (`with`), names a type that is serialized in the same way; `#[claims(as = serde_json::Value)]` means
/// anything. `#[claims(crate = "path")]` on the type gives the name under which oauth-runtime is known.
///
/// [`claims!`](macro@claims) binds the guards of a crate to it.
#[proc_macro_derive(Claims, attributes(claims, serde))]
pub fn derive_claims(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    claims::derive(input.into()).into()
}

/// Binds the guards of a crate to the type of its claims: at the crate's root, once.
///
/// ```
/// use actix_web::{Responder, get};
/// use oauth_runtime::{Claims, claims, require_claim};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Claims)]
/// struct User { sub: String, level: u8, banned: bool }
///
/// claims!(User, scope = ["notes:read", "notes:write"], acr = ["mfa"]);
///
/// #[require_claim(level >= 3, not(banned), scope = "notes:read")]
/// #[get("/notes")]
/// async fn notes(Claims(user): Claims<User>) -> impl Responder { user.sub }
/// # fn main() {}
/// ```
///
/// From then on, each term of each guard and `policy!(..)` of the crate is compared with it at compile time: a claim
/// that does not exist, a value that it never has, a term that always holds, and `Claims<T>` or a pattern of another
/// type are errors. Several types may be named, `claims!(User, Robot)`; a term then has to make sense for one of them.
/// `scope = [..]` and `acr = [..]` declare the scopes and the ways to sign in, too. Another crate with guards names the
/// type at its own root: `claims!(accounts::User);`.
///
/// It has no effect at run time.
///
/// ```compile_fail
/// # use actix_web::{Responder, get};
/// # use oauth_runtime::{Claims, claims, require_claim};
/// # #[derive(serde::Serialize, serde::Deserialize, Claims)]
/// # struct User { sub: String, level: u8 }
/// # claims!(User);
/// // error: `level` is never "3": it is an integer from 0 to 255; write it without quotes, 3
/// #[require_claim(level = "3")]
/// #[get("/notes")]
/// async fn notes() -> impl Responder { "" }
/// # fn main() {}
/// ```
#[proc_macro]
pub fn claims(arguments: proc_macro::TokenStream) -> proc_macro::TokenStream {
    claims::claims(arguments.into()).into()
}
