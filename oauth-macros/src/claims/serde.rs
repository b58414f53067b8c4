//! What serde's attributes say about a type, a variant or a field, as far as it affects a token; and `#[claims(..)]`.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Path, Result, Token, Type, token};

use super::case::{STYLES, Style};

/// The attributes of one item; which of them matter depends on the item.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) rename: Option<String>,
    pub(super) rename_all: Option<Style>,
    pub(super) rename_all_fields: Option<Style>,
    /// A field or a variant that is not written.
    pub(super) is_skipped: bool,
    /// A field that may be missing: `skip_serializing_if`.
    pub(super) may_be_missing: bool,
    /// A field that may be missing when it is read: `default`.
    pub(super) has_default: bool,
    pub(super) flatten: bool,
    pub(super) transparent: bool,
    pub(super) untagged: bool,
    pub(super) tag: Option<String>,
    pub(super) content: Option<String>,
    /// The type that replaces this one: `into`, or `#[claims(as = ..)]`, which takes precedence.
    pub(super) written_as: Option<Type>,
    /// `with` or `serialize_with`: the author's function that writes it.
    pub(super) by_function: Option<Path>,
    /// `#[claims(crate = "..")]`
    pub(super) runtime: Option<Path>,
}

impl Attributes {
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut read = Attributes::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| read.of_serde(meta))?;
        }
        // After the others, whatever their order in the source.
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("claims")) {
            attribute.parse_nested_meta(|meta| read.of_ours(meta))?;
        }
        Ok(read)
    }

    fn of_serde(&mut self, meta: ParseNestedMeta<'_>) -> Result<()> {
        let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match word.as_str() {
            "rename" => self.rename = serialized(&meta)?.map(|text| text.value()).or(self.rename.take()),
            "rename_all" => self.rename_all = style(&meta)?.or(self.rename_all),
            "rename_all_fields" => self.rename_all_fields = style(&meta)?.or(self.rename_all_fields),
            "skip" | "skip_serializing" => self.is_skipped = true,
            "flatten" => self.flatten = true,
            "transparent" => self.transparent = true,
            "untagged" => self.untagged = true,
            "tag" => self.tag = Some(meta.value()?.parse::<LitStr>()?.value()),
            "content" => self.content = Some(meta.value()?.parse::<LitStr>()?.value()),
            "into" => self.written_as = Some(meta.value()?.parse::<LitStr>()?.parse()?),
            "with" | "serialize_with" | "getter" => {
                self.by_function = Some(meta.path.clone());
                skip_value(&meta)?;
            }
            "default" => {
                self.has_default = true;
                skip_value(&meta)?;
            }
            "skip_serializing_if" => {
                self.may_be_missing = true;
                skip_value(&meta)?;
            }
            // serde_derive reads it too, and reports unknown ones.
            _ => skip_value(&meta)?,
        }
        Ok(())
    }

    fn of_ours(&mut self, meta: ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("crate") {
            self.runtime = Some(meta.value()?.parse::<LitStr>()?.parse_with(Path::parse_mod_style)?);
        } else if meta.path.to_token_stream().to_string() == "as" {
            let value = meta.value()?;
            // serde's own attributes use quotes.
            let quoted = value.parse::<Option<LitStr>>()?;
            self.written_as = Some(quoted.map_or_else(|| value.parse(), |text| text.parse())?);
            self.by_function = None;
        } else {
            let word = meta.path.to_token_stream();
            return Err(meta.error(format!(
                "unknown `{word}`: write `as = String`, a type that is written in the same way, or `crate = \"path\"`"
            )));
        }
        Ok(())
    }

    /// The author has to say what their function writes.
    pub(super) fn refuse_functions(&self) -> Result<()> {
        match &self.by_function {
            Some(written) => Err(Error::new_spanned(
                written,
                "a function serializes this: name a type that is serialized in the same way, as in \
                 `#[claims(as = String)]`, or `#[claims(as = serde_json::Value)]` for anything",
            )),
            None => Ok(()),
        }
    }
}

/// `rename = "x"`, or `rename(serialize = "x", deserialize = "y")`, of which a token uses the first.
fn serialized(meta: &ParseNestedMeta<'_>) -> Result<Option<LitStr>> {
    if !meta.input.peek(token::Paren) {
        return meta.value()?.parse().map(Some);
    }
    let mut found = None;
    meta.parse_nested_meta(|inner| {
        let text: LitStr = inner.value()?.parse()?;
        if inner.path.is_ident("serialize") {
            found = Some(text);
        }
        Ok(())
    })?;
    Ok(found)
}

fn style(meta: &ParseNestedMeta<'_>) -> Result<Option<Style>> {
    let Some(text) = serialized(meta)? else { return Ok(None) };
    // serde_derive reports one that it does not know.
    Ok(STYLES.iter().find(|(name, _)| *name == text.value()).map(|(_, style)| *style))
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}
