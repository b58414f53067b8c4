//! A function that can be guarded, or why not.

pub(crate) mod argument;
mod dropped;
pub(crate) mod route;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    AttrStyle, Attribute, Error, Ident, LitStr, Meta, Result, ReturnType, Safety, Signature, Token, Type, Visibility,
};

use crate::guard::Kind;
use crate::mark;
use crate::mistakes::Mistakes;
use crate::syntax::INTEGERS;
use argument::{Argument, arguments, correct_claims};
use dropped::dropped_decisions;
use route::Route;

/// An `async fn` that a guard can protect.
pub(crate) struct Handler {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) arguments: Vec<Argument>,
    /// As tokens: the compiler understands it, so this need not.
    pub(crate) body: Group,
    /// Errors in the signature that were corrected here, so that the route attribute reports nothing more about it.
    pub(crate) corrections: Mistakes,
    /// Written as `fn`, without `async`.
    was_synchronous: bool,
}

impl Parse for Handler {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let mut signature = parse_signature(input)?;
        let body = parse_body(input, &mut attributes)?;

        let was_synchronous = signature.asyncness.is_none();
        let mut corrections = Mistakes::default();
        correct_signature(&mut signature, &mut corrections);
        correct_claims(&mut signature, &mut corrections);
        refuse_unit(&signature, &mut corrections);
        documented_below(&mut attributes, &mut corrections);
        let mut mistakes = Mistakes::default();
        dropped_decisions(body.stream(), &mut corrections);
        let arguments = arguments(&signature, &mut mistakes);
        match mistakes.take() {
            None => Ok(Handler { attributes, visibility, signature, arguments, body, corrections, was_synchronous }),
            Some(mistake) => Err(corrections.and(mistake)),
        }
    }
}

impl Handler {
    /// A function that takes references or numbers: something other than a miswritten handler.
    pub(crate) fn is_another_function(&self) -> bool {
        self.routes().is_empty() && self.no_extractor().is_some()
    }

    /// The mistake of a guard on another function, unless it is one already that the function is not asynchronous.
    pub(crate) fn belongs_elsewhere(&self) -> Option<Error> {
        let argument = self.no_extractor().filter(|_| self.routes().is_empty() && !self.was_synchronous)?;
        Some(Error::new_spanned(
            argument,
            "a guard belongs on a handler, whose arguments are extractors: to decide within another function, use \
             `token.satisfies(policy!(..))?`, with the handler's `AccessToken`",
        ))
    }

    /// The first argument that can be none, whatever the program defines. Of the others rustc says what is missing.
    fn no_extractor(&self) -> Option<&Type> {
        let is_primitive = |path: &syn::Path| INTEGERS.iter().chain(&OTHER_PRIMITIVES).any(|name| path.is_ident(name));
        self.arguments.iter().map(|argument| &argument.ty).find(|ty| match ty {
            Type::Reference(_) => true,
            Type::Path(path) => path.qself.is_none() && is_primitive(&path.path),
            _ => false,
        })
    }

    /// Several only below `#[routes]`; none if the route is stated elsewhere.
    pub(crate) fn routes(&self) -> Vec<Route> {
        self.attributes.iter().filter_map(Route::read).collect()
    }

    /// Whether there are guards below this one whose order is not settled yet.
    pub(crate) fn is_stacked(&self) -> bool {
        let mut below = self.attributes.iter().filter(|attribute| is_guard(attribute)).peekable();
        below.peek().is_some() && !below.any(mark::is_marked)
    }

    /// A guard below this one that contradicts it about being public, and the message for that.
    pub(crate) fn contradiction(&self, kind: Kind) -> Option<(&Attribute, &'static str)> {
        let mut below = self.attributes.iter().filter(|attribute| is_guard(attribute));
        let other = below.find(|attribute| kind == Kind::Public || is_of(attribute, Kind::Public))?;
        let message = if kind == Kind::Public && is_of(other, Kind::Public) {
            "`#[public]` is written twice: leave one out"
        } else {
            "a handler is open to all or it is not: keep `#[public]` or the other guard"
        };
        Some((other, message))
    }

    /// Drops guards that would only report a contradiction again.
    pub(crate) fn drop_guards_like(&mut self, kind: Kind) {
        self.attributes.retain(|attribute| !is_of(attribute, kind));
    }

    /// The arguments of each `#[require_claim(..)]` below.
    pub(crate) fn policies_below(&self) -> Vec<TokenStream> {
        let below = self.attributes.iter().filter(|attribute| is_of(attribute, Kind::Claim));
        let arguments = below.filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => Some(mark::take_mark(list.tokens.clone()).0),
            Meta::Path(_) | Meta::NameValue(_) => None,
        });
        arguments.collect()
    }

    pub(crate) fn take_guards(&mut self) -> Vec<Attribute> {
        let (guards, others) = std::mem::take(&mut self.attributes).into_iter().partition(is_guard);
        self.attributes = others;
        guards
    }
}

/// By name, since an attribute only sees the names of its neighbours. Under another name a guard still works, but does
/// not know its place among others.
fn is_guard(attribute: &Attribute) -> bool {
    Kind::ATTRIBUTES.into_iter().any(|kind| is_of(attribute, kind))
}

fn is_of(attribute: &Attribute, kind: Kind) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == kind.name())
}

/// Looks for the `fn` first, since syn would only report that it is missing.
fn parse_signature(input: ParseStream<'_>) -> Result<Signature> {
    let ahead = input.fork();
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || ahead.peek(LitStr)
    {
        ahead.parse::<TokenTree>()?;
    }
    if ahead.peek(Token![fn]) {
        return input.parse();
    }
    let found = input.fork().call(Ident::parse_any).map_or_else(|_| "this".to_owned(), |word| format!("`{word}`"));
    Err(input.error(format!("{found} cannot be guarded: write the attribute on a handler, an `async fn`")))
}

/// The body's inner attributes move before the function, where they mean the same: a closure's block cannot have any.
fn parse_body(input: ParseStream<'_>, attributes: &mut Vec<Attribute>) -> Result<Group> {
    let braces = match input.parse()? {
        TokenTree::Group(group) => braces_of(group),
        other @ (TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) => Err(other),
    };
    let braces = match braces {
        Ok(braces) => braces,
        Err(other) => {
            return Err(Error::new_spanned(
                other,
                "a handler without a body cannot be guarded: write the attribute where the body is",
            ));
        }
    };
    if !input.is_empty() {
        return Err(input.error("nothing may follow a handler's body"));
    }
    let split = |content: ParseStream<'_>| Ok((content.call(Attribute::parse_inner)?, content.parse()?));
    let (inner, rest): (Vec<Attribute>, _) = split.parse2(braces.stream())?;
    attributes.extend(inner.into_iter().map(|attribute| Attribute { style: AttrStyle::Outer, ..attribute }));
    let mut body = Group::new(Delimiter::Brace, rest);
    // With the handler's own span, the compiler would warn of unneeded braces.
    body.set_span(braces.span().resolved_at(Span::mixed_site()));
    Ok(body)
}

/// The body; also a `$body:block` of a `macro_rules!`, which is in a group that is not seen.
fn braces_of(group: Group) -> std::result::Result<Group, TokenTree> {
    if group.delimiter() == Delimiter::Brace {
        return Ok(group);
    }
    let mut inner = group.stream().into_iter();
    match (group.delimiter(), inner.next(), inner.next()) {
        (Delimiter::None, Some(TokenTree::Group(braces)), None) => braces_of(braces),
        _ => Err(TokenTree::Group(group)),
    }
}

fn correct_signature(signature: &mut Signature, mistakes: &mut Mistakes) {
    if let Some(keyword) = signature.constness.take() {
        mistakes.add(Error::new(keyword.span, "a handler cannot be `const`: leave the word out"));
    }
    if signature.asyncness.is_none() {
        mistakes.add(Error::new(signature.fn_token.span, "a guard belongs on a handler, which is asynchronous: write `async fn`; to decide within another function, use \
             `token.satisfies(policy!(..))?`"));
        signature.asyncness = Some(Token![async](signature.fn_token.span));
    }
    if let Safety::Unsafe(keyword) = std::mem::replace(&mut signature.safety, Safety::Default) {
        mistakes.add(Error::new(
            keyword.span,
            "a handler cannot be `unsafe`, since actix-web calls it: write the `unsafe` block in its body",
        ));
    }
    if let Some(abi) = signature.abi.take() {
        mistakes.add(Error::new_spanned(abi, "a handler cannot be `extern`: leave the word out"));
    }
}

/// A guard replaces the arguments, which utoipa would then misread, and panic.
fn documented_below(attributes: &mut Vec<Attribute>, mistakes: &mut Mistakes) {
    let is_documentation = |attribute: &Attribute| {
        let names: Vec<String> = attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
        names == ["utoipa", "path"]
    };
    if let Some(found) = attributes.iter().find(|attribute| is_documentation(attribute)) {
        mistakes.add(Error::new_spanned(
            found,
            "`#[utoipa::path]` reads the arguments as they are written, before a guard takes them over: move it above the guard",
        ));
        attributes.retain(|attribute| !is_documentation(attribute));
    }
}

/// `()` is not a `Responder`, but `Result<(), Error>` is, and therefore a guard's answer.
fn refuse_unit(signature: &Signature, mistakes: &mut Mistakes) {
    const MESSAGE: &str = "a handler answers: write `-> impl Responder`, or `-> Result<(), Error>` for an empty answer";
    match &signature.output {
        ReturnType::Default => mistakes.add(Error::new(signature.ident.span(), MESSAGE)),
        ReturnType::Type(_, ty) => {
            if let Type::Tuple(tuple) = &**ty
                && tuple.elems.is_empty()
            {
                mistakes.add(Error::new_spanned(tuple, MESSAGE));
            }
        }
    }
}

/// With the integers, the types of Rust itself that a function may take and a handler may not.
const OTHER_PRIMITIVES: [&str; 4] = ["bool", "char", "f32", "f64"];
