//! Text that is written in only one place: the words of an enum, and the text of an error.

/// An enum whose variants are words on the wire, or in the log. `ALL`, `as_str` and `Display` come from the same rows as the variants.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident { $($(#[$of_variant:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$meta])*
        $visibility enum $name { $($(#[$of_variant])* $variant,)+ }

        impl $name {
            /// All variants, in the order of the rows.
            #[allow(dead_code, reason = "some are listed by tests alone")]
            $visibility const ALL: &[$name] = &[$($name::$variant,)+];

            /// The word for it.
            #[must_use]
            $visibility fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        /// The word for it.
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

/// `Debug` of a public error prints its text. `main() -> Result<(), Box<dyn Error>>` and `unwrap` show an error by
/// `Debug`, and the text says what to change. `tests/refused/errors.rs` fails if a public error lacks it.
macro_rules! debug_as_text {
    ($error:ty) => {
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use {debug_as_text, words};
