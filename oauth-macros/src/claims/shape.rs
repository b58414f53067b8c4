//! `#[derive(Claims)]`: what serde writes for a struct or an enum, as a constant.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DataEnum, DeriveInput, Error, Field, Fields, Generics, Path, Result, Variant, parse_quote};

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
    let shapes = Shapes { policy: quote_spanned!(here=> #runtime::rule), of: input.ident.unraw().to_string() };
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
    let written = words_written(&input.data);
    let generics = bounded(&input.generics, &written, &parse_quote!(#runtime::rule::Shaped));
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

/// A type parameter that is serialized must have a shape as well.
fn bounded(generics: &Generics, written: &HashSet<String>, shaped: &Path) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        if written.contains(&parameter.ident.to_string()) {
            parameter.bounds.push(parse_quote!(#shaped));
        }
    }
    generics
}

/// The words in the types of all fields except `PhantomData`.
fn words_written(data: &Data) -> HashSet<String> {
    let fields: Vec<&Field> = match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    let types = fields.into_iter().map(|field| &field.ty).filter(|ty| !is_phantom(ty));
    types.flat_map(|ty| words(ty.to_token_stream())).collect()
}

fn is_phantom(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}

struct Shapes {
    /// `::oauth_runtime::rule`
    policy: TokenStream,
    /// The type's name, for messages.
    of: String,
}

impl Shapes {
    fn of_type(&self, ty: &syn::Type) -> TokenStream {
        let policy = &self.policy;
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
            named.push(if attributes.flatten {
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
            variants.push(Written {
                name,
                untagged: own.untagged,
                content: self.content(variant, &own, style)?,
                variant,
            });
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

    fn content(&self, variant: &Variant, own: &Attributes, style: Option<Style>) -> Result<TokenStream> {
        match &own.written_as {
            Some(other) => Ok(self.of_type(other)),
            None => self.of_fields(&variant.fields, style),
        }
    }

    fn either(&self, mut shapes: Vec<TokenStream>) -> TokenStream {
        let policy = &self.policy;
        if shapes.len() == 1 { shapes.swap_remove(0) } else { quote!(#policy::Shape::Either(&[#(#shapes),*])) }
    }

    /// `"Reader"`, or `{ "Guest": .. }`
    fn externally_tagged(&self, variants: &[Written<'_>]) -> TokenStream {
        let (policy, of) = (&self.policy, &self.of);
        let is_unit = |variant: &&Written<'_>| matches!(variant.variant.fields, Fields::Unit);
        let tagged = || variants.iter().filter(|variant| !variant.untagged);
        let names: Vec<&String> = tagged().filter(is_unit).map(|variant| &variant.name).collect();
        let fields: Vec<TokenStream> = tagged()
            .filter(|variant| !is_unit(variant))
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
    fn internally_tagged(&self, tag: &str, variants: &[Written<'_>]) -> TokenStream {
        let (policy, of) = (&self.policy, &self.of);
        let names = variants.iter().map(|variant| &variant.name);
        let contents: Vec<TokenStream> = variants
            .iter()
            .filter(|variant| !matches!(variant.variant.fields, Fields::Unit))
            .map(|variant| variant.content.clone())
            .collect();
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
    fn adjacently_tagged(&self, tag: &str, content: &str, variants: &[Written<'_>]) -> TokenStream {
        let (policy, of) = (&self.policy, &self.of);
        let names = variants.iter().map(|variant| &variant.name);
        let either = self.either(variants.iter().map(|variant| variant.content.clone()).collect());
        quote!(#policy::Shape::Object(#of, &[
            #policy::Field::new(#tag, #policy::Shape::Variants(&[#(#names),*])),
            #policy::Field::optional(#content, #either)
        ]))
    }
}

struct Written<'a> {
    name: String,
    untagged: bool,
    content: TokenStream,
    variant: &'a Variant,
}
