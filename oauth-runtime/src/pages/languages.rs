//! The languages of the built-in pages.

mod french;
mod german;
mod japanese;
mod spanish;

use crate::pages::texts::{ENGLISH, Texts};

impl Texts {
    /// The language that every service has.
    #[must_use]
    pub fn english() -> Self {
        ENGLISH
    }

    /// German, for [`Builder::language`](crate::Builder::language). Users are addressed as "Sie".
    #[must_use]
    pub fn german() -> Self {
        german::TEXTS
    }

    /// French, for [`Builder::language`](crate::Builder::language). Users are addressed as "vous".
    #[must_use]
    pub fn french() -> Self {
        french::TEXTS
    }

    /// Spanish, for [`Builder::language`](crate::Builder::language). Users are addressed as "usted".
    #[must_use]
    pub fn spanish() -> Self {
        spanish::TEXTS
    }

    /// Japanese, for [`Builder::language`](crate::Builder::language), in the polite form.
    #[must_use]
    pub fn japanese() -> Self {
        japanese::TEXTS
    }
}
