//! The arguments of a handler, each an extractor.

use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Error, FnArg, GenericArgument, Pat, PatType, PathArguments, Signature, Type, TypeImplTrait, TypePath,
};

use crate::mistakes::Mistakes;

/// One extractor.
pub(crate) struct Argument {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
}

/// The number of arguments that actix-web's `Handler` and `FromRequest` support.
const MOST_ARGUMENTS: usize = 16;

pub(super) fn arguments(signature: &Signature, mistakes: &mut Mistakes) -> Vec<Argument> {
    if let Some(variadic) = &signature.variadic {
        mistakes.add(Error::new_spanned(
            variadic,
            "a handler's arguments are extractors, which `...` is not: leave it out",
        ));
    }
    let mut arguments = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => mistakes.add(Error::new(
                receiver.self_token.span,
                "a handler has no `self`, since actix-web has no value to call it on: take what it needs as an \
                 extractor, such as `web::Data<..>`",
            )),
            FnArg::Typed(typed) => {
                refuse_argument(&typed.attrs, &typed.ty, mistakes);
                arguments.push(Argument {
                    attributes: typed.attrs.clone(),
                    pattern: (*typed.pat).clone(),
                    ty: (*typed.ty).clone(),
                });
            }
        }
    }
    if let Some(first_too_many) = arguments.get(MOST_ARGUMENTS) {
        mistakes.add(Error::new_spanned(
            &first_too_many.pattern,
            format!("actix-web takes at most {MOST_ARGUMENTS} arguments: take several extractors as one tuple"),
        ));
    }
    arguments
}

/// `Claims<&User>`, which becomes `Claims<User>`.
pub(super) fn correct_claims(signature: &mut Signature, mistakes: &mut Mistakes) {
    for input in &mut signature.inputs {
        let FnArg::Typed(PatType { ty, .. }) = input else { continue };
        let Type::Path(TypePath { path, .. }) = &mut **ty else { continue };
        let Some(last) = path.segments.last_mut().filter(|last| last.ident == "Claims") else { continue };
        let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { continue };
        for argument in &mut arguments.args {
            if let GenericArgument::Type(read) = argument
                && let Type::Reference(reference) = read
            {
                mistakes.add(Error::new_spanned(
                    &*reference,
                    "claims are parsed into a new value: write the type without `&`",
                ));
                *read = (*reference.elem).clone();
            }
        }
    }
}

fn refuse_argument(attributes: &[Attribute], ty: &Type, mistakes: &mut Mistakes) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
        mistakes.add(Error::new_spanned(
            attribute,
            "an argument of a guarded handler cannot depend on `cfg`: write two handlers, each with its `cfg`",
        ));
    }
    if let (_, Some(found)) = infer_impl_traits(ty.clone()) {
        mistakes.add(Error::new_spanned(found, "an extractor needs a named type: write it instead of `impl`"));
    }
}

/// The type with `_` for each `impl Trait` in it, and the first of these.
pub(crate) fn infer_impl_traits(mut ty: Type) -> (Type, Option<TypeImplTrait>) {
    struct Inferring(Option<TypeImplTrait>);

    impl VisitMut for Inferring {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(found) = ty {
                self.0.get_or_insert(found.clone());
                *ty = syn::parse_quote!(_);
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }

    let mut inferring = Inferring(None);
    inferring.visit_type_mut(&mut ty);
    (ty, inferring.0)
}
