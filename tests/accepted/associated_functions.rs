//! Functions of a type, which may speak of `Self` and of the type's own parameters.
#![deny(warnings)]

use std::marker::PhantomData;

use actix_web::web::{self, Json};
use actix_web::{FromRequest, Responder};
use oauth_runtime::{require_claim, require_token};

struct Notes;

impl Notes {
    const TEXT: &'static str = "notes";

    #[require_claim(role = "admin")]
    async fn list() -> impl Responder {
        Self::TEXT
    }

    #[require_token]
    #[require_claim(role = "admin")]
    pub(crate) async fn add(Json(text): Json<String>) -> Result<String, actix_web::Error> {
        let notes: Self = Notes;
        Ok(notes.text() + &text)
    }

    fn text(&self) -> String {
        Self::TEXT.to_owned()
    }
}

struct Of<T>(PhantomData<T>);

impl<T: FromRequest + 'static> Of<T> {
    #[require_claim(role = "admin")]
    async fn name(_extracted: T) -> Result<&'static str, T::Error> {
        Ok(std::any::type_name::<Self>())
    }
}

pub(crate) fn main() {
    let _ = web::get().to(Notes::list);
    let _ = web::post().to(Notes::add);
    let _ = web::get().to(Of::<actix_web::HttpRequest>::name);
    let _ = Of::<u8>(PhantomData).0;
}
