//! `#[derive(Claims)]`: what serde writes for a struct or an enum, as a constant.

use std::cell::RefCell;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Generics, Path, Result, Type, WherePredicate, parse_quote};

use super::case::Style;
use super::serde::Attributes;
use crate::peek::words;

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    syn::parse2::<DeriveInput>(input)
        .and_then(|input| implementation(&input))
        .unwrap_or_else(|mistake| mistake.to_compile_error())
}

fn implementation(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = Attributes::read(&input.attrs)?;
    let here = Span::mixed_site();
    let runtime = attributes.runtime.clone().unwrap_or_else(|| parse_quote!(::oauth_runtime));
    let shapes = Shapes {
        policy: quote_spanned!(here=> #runtime::rule),
        of: input.ident.unraw().to_string(),
        parameters: input.generics.type_params().map(|parameter| parameter.ident.to_string()).collect(),
        of_parameters: RefCell::default(),
    };
    let shape = match (&attributes.written_as, &input.data) {
        (Some(other), _) => shapes.of_type(other),
        (None, Data::Struct(data)) if attributes.transparent => shapes.of_transparent(&data.fields)?,
        (None, Data::Struct(data)) => {
            // With `default`, claims from before a field existed can be read as well.
            let shape = shapes.of_struct(&data.fields, attributes.rename_all, attributes.has_default)?;
            shapes.tagged(shape, attributes.tag.as_deref(), attributes.rename.as_deref())
        }
        (None, Data::Enum(data)) => shapes.of_enum(data, &attributes)?,
        (None, Data::Union(data)) => {
            return Err(Error::new(data.union_token.span, "a union is not a claim: write a struct or an enum"));
        }
    };
    let name = &input.ident;
    let generics = bounded(&input.generics, &shapes.of_parameters.into_inner(), &runtime);
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let all = match &input.data {
        Data::Enum(data) if input.generics.params.is_empty() => all_of(input, data, &runtime),
        Data::Enum(_) | Data::Struct(_) | Data::Union(_) => TokenStream::new(),
    };
    Ok(quote_spanned! {here=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #parameters #runtime::rule::Shaped for #name #arguments #conditions {
            const SHAPE: #runtime::rule::Shape = #shape;
        }
        #all
    })
}

/// All values of an enum without data, so that a pattern of alternatives can be tried on each.
fn all_of(input: &DeriveInput, data: &DataEnum, runtime: &Path) -> TokenStream {
    if data.variants.iter().any(|variant| !matches!(variant.fields, Fields::Unit)) || data.variants.is_empty() {
        return TokenStream::new();
    }
    let name = &input.ident;
    let variants = data.variants.iter().map(|variant| {
        let variant = &variant.ident;
        quote!(#name::#variant)
    });
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #runtime::__private::Listed for #name {
            const ALL: &'static [Self] = &[#(#variants),*];
        }
    }
}

/// What is written of the type parameters must have a shape as well.
fn bounded(generics: &Generics, written: &[Type], runtime: &Path) -> Generics {
    let mut generics = generics.clone();
    if !written.is_empty() {
        let bounds = written.iter().map(|ty| -> WherePredicate { parse_quote!(#ty: #runtime::rule::Shaped) });
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}

fn is_phantom(ty: &Type) -> bool {
    last_word(ty).is_some_and(|last| last == "PhantomData")
}

/// `Value` of `serde_json::Value`.
pub(super) fn last_word(ty: &Type) -> Option<&Ident> {
    if let Type::Path(path) = ty { path.path.segments.last().map(|last| &last.ident) } else { None }
}

struct Shapes {
    /// `::oauth_runtime::rule`
    policy: TokenStream,
    /// The type's name, for messages.
    of: String,
    /// The names of its type parameters.
    parameters: Vec<String>,
    /// The types that are written and depend on them.
    of_parameters: RefCell<Vec<Type>>,
}

impl Shapes {
    fn of_type(&self, ty: &Type) -> TokenStream {
        let policy = &self.policy;
        if words(ty.to_token_stream()).iter().any(|word| self.parameters.contains(word)) {
            self.of_parameters.borrow_mut().push(ty.clone());
        }
        // The compiler reports an unknown type at this place.
        quote_spanned!(ty.span().resolved_at(Span::mixed_site())=> <#ty as #policy::Shaped>::SHAPE)
    }

    /// The shape of a variant's data.
    fn of_fields(&self, fields: &Fields, style: Option<Style>) -> Result<TokenStream> {
        self.of_struct(fields, style, false)
    }

    fn of_struct(&self, fields: &Fields, style: Option<Style>, has_default: bool) -> Result<TokenStream> {
        let policy = &self.policy;
        match fields {
            Fields::Named(_) => {
                let fields = self.named(fields, style, has_default)?;
                let of = &self.of;
                Ok(quote!(#policy::Shape::Object(#of, &[#(#fields),*])))
            }
            // A newtype has the shape of its content.
            Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 => {
                let field = &unnamed.unnamed[0];
                let attributes = Attributes::read(&field.attrs)?;
                attributes.refuse_functions()?;
                Ok(self.of_type(attributes.written_as.as_ref().unwrap_or(&field.ty)))
            }
            Fields::Unnamed(unnamed) => {
                let mut shapes = Vec::new();
                for field in &unnamed.unnamed {
                    let attributes = Attributes::read(&field.attrs)?;
                    if !attributes.is_skipped {
                        attributes.refuse_functions()?;
                        shapes.push(self.of_type(attributes.written_as.as_ref().unwrap_or(&field.ty)));
                    }
                }
                Ok(quote!(#policy::Shape::List(&#policy::Shape::Either(&[#(#shapes),*]))))
            }
            Fields::Unit => Ok(quote!(#policy::Shape::Null)),
        }
    }

    /// `#[serde(tag = "type")]` on a struct: its name is a field, too.
    fn tagged(&self, shape: TokenStream, tag: Option<&str>, renamed: Option<&str>) -> TokenStream {
        let Some(tag) = tag else { return shape };
        let (policy, of) = (&self.policy, &self.of);
        let name = renamed.unwrap_or(of);
        quote!(#policy::Shape::Object(#of, &[
            #policy::Field::new(#tag, #policy::Shape::Variants(&[#name])),
            #policy::Field::flat(#shape)
        ]))
    }

    /// The one field that is written.
    fn of_transparent(&self, fields: &Fields) -> Result<TokenStream> {
        for field in fields {
            let attributes = Attributes::read(&field.attrs)?;
            if !attributes.is_skipped && !is_phantom(&field.ty) {
                attributes.refuse_functions()?;
                return Ok(self.of_type(attributes.written_as.as_ref().unwrap_or(&field.ty)));
            }
        }
        // serde_derive reports it.
        self.of_fields(&Fields::Unit, None)
    }

    fn named(&self, fields: &Fields, style: Option<Style>, has_default: bool) -> Result<Vec<TokenStream>> {
        let policy = &self.policy;
        let mut named = Vec::new();
        for field in fields {
            let attributes = Attributes::read(&field.attrs)?;
            if attributes.is_skipped {
                continue;
            }
            attributes.refuse_functions()?;
            let shape = self.of_type(attributes.written_as.as_ref().unwrap_or(&field.ty));
            let name = field.ident.as_ref().map(|name| name.unraw().to_string()).unwrap_or_default();
            let name =
                attributes.rename.unwrap_or_else(|| style.map_or_else(|| name.clone(), |style| style.field(&name)));
            named.push(if attributes.flatten && attributes.may_be_missing {
                quote!(#policy::Field::flat(#policy::Shape::Optional(&#shape)))
            } else if attributes.flatten {
                quote!(#policy::Field::flat(#shape))
            } else if attributes.may_be_missing {
                quote!(#policy::Field::optional(#name, #shape))
            } else if attributes.has_default || has_default {
                quote!(#policy::Field::defaulted(#name, #shape))
            } else {
                quote!(#policy::Field::new(#name, #shape))
            });
        }
        Ok(named)
    }

    fn of_enum(&self, data: &DataEnum, attributes: &Attributes) -> Result<TokenStream> {
        let mut variants = Vec::new();
        for variant in &data.variants {
            let own = Attributes::read(&variant.attrs)?;
            if own.is_skipped {
                continue;
            }
            own.refuse_functions()?;
            let ident = variant.ident.unraw().to_string();
            let name = own.rename.clone().unwrap_or_else(|| match attributes.rename_all {
                Some(style) => style.variant(&ident),
                None => ident,
            });
            let style = own.rename_all.or(attributes.rename_all_fields);
            let is_unit = is_unit(&variant.fields)?;
            let fields = if is_unit { &Fields::Unit } else { &variant.fields };
            let content = match &own.written_as {
                Some(other) => self.of_type(other),
                None => self.of_fields(fields, style)?,
            };
            variants.push(Written { name, untagged: own.untagged, content, is_unit });
        }
        if variants.is_empty() {
            return Err(Error::new(data.enum_token.span, "no variant of this enum can be in a token: add one"));
        }
        let is_mixed = attributes.tag.is_some() && variants.iter().any(|variant| variant.untagged);
        Ok(match (&attributes.tag, &attributes.content) {
            // Some variants have the tag and some do not.
            _ if is_mixed => {
                let policy = &self.policy;
                quote!(#policy::Shape::Any)
            }
            _ if attributes.untagged => self.either(variants.iter().map(|variant| variant.content.clone()).collect()),
            (Some(tag), None) => self.internally_tagged(tag, &variants),
            (Some(tag), Some(content)) => self.adjacently_tagged(tag, content, &variants),
            (None, _) => self.externally_tagged(&variants),
        })
    }

    fn either(&self, mut shapes: Vec<TokenStream>) -> TokenStream {
        let policy = &self.policy;
        if shapes.len() == 1 { shapes.swap_remove(0) } else { quote!(#policy::Shape::Either(&[#(#shapes),*])) }
    }

    /// `"Reader"`, or `{ "Guest": .. }`
    fn externally_tagged(&self, variants: &[Written]) -> TokenStream {
        let (policy, of) = (&self.policy, &self.of);
        let tagged = || variants.iter().filter(|variant| !variant.untagged);
        let names: Vec<&String> = tagged().filter(|variant| variant.is_unit).map(|variant| &variant.name).collect();
        let fields: Vec<TokenStream> = tagged()
            .filter(|variant| !variant.is_unit)
            .map(|Written { name, content, .. }| quote!(#policy::Field::optional(#name, #content)))
            .collect();
        let mut shapes = Vec::new();
        if !names.is_empty() {
            shapes.push(quote!(#policy::Shape::Variants(&[#(#names),*])));
        }
        if !fields.is_empty() {
            shapes.push(quote!(#policy::Shape::Object(#of, &[#(#fields),*])));
        }
        shapes.extend(variants.iter().filter(|variant| variant.untagged).map(|variant| variant.content.clone()));
        self.either(shapes)
    }

    /// `{ "kind": "guest", .. }`
    fn internally_tagged(&self, tag: &str, variants: &[Written]) -> TokenStream {
        let (policy, of) = (&self.policy, &self.of);
        let names = variants.iter().map(|variant| &variant.name);
        let with_data = variants.iter().filter(|variant| !variant.is_unit);
        let contents: Vec<TokenStream> = with_data.map(|variant| variant.content.clone()).collect();
        let content = (!contents.is_empty()).then(|| {
            let is_always_there = contents.len() == variants.len();
            let either = self.either(contents);
            if is_always_there {
                quote!(, #policy::Field::flat(#either))
            } else {
                quote!(, #policy::Field::flat(#policy::Shape::Optional(&#either)))
            }
        });
        quote!(#policy::Shape::Object(#of, &[#policy::Field::new(#tag, #policy::Shape::Variants(&[#(#names),*])) #content]))
    }

    /// `{ "kind": "guest", "data": .. }`
    fn adjacently_tagged(&self, tag: &str, content: &str, variants: &[Written]) -> TokenStream {
        let (policy, of) = (&self.policy, &self.of);
        let names = variants.iter().map(|variant| &variant.name);
        let either = self.either(variants.iter().map(|variant| variant.content.clone()).collect());
        quote!(#policy::Shape::Object(#of, &[
            #policy::Field::new(#tag, #policy::Shape::Variants(&[#(#names),*])),
            #policy::Field::optional(#content, #either)
        ]))
    }
}

/// Whether a variant is written without data: as serde has it, also one whose only field is skipped.
fn is_unit(fields: &Fields) -> Result<bool> {
    match fields {
        Fields::Unnamed(only) if only.unnamed.len() == 1 => Ok(Attributes::read(&only.unnamed[0].attrs)?.is_skipped),
        Fields::Unit => Ok(true),
        Fields::Named(_) | Fields::Unnamed(_) => Ok(false),
    }
}

struct Written {
    name: String,
    untagged: bool,
    content: TokenStream,
    is_unit: bool,
}
