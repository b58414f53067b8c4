//! Text that is written in one place: the words of an enum.

/// An enum whose variants are words on the wire. `ALL` and `as_str` come from the same rows as the variants.
macro_rules! words {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        $visibility enum $name { $($variant,)+ }

        impl $name {
            /// All variants, in the order of the rows.
            #[allow(dead_code, reason = "some are listed by tests alone")]
            $visibility const ALL: &[$name] = &[$($name::$variant,)+];

            /// The word on the wire.
            $visibility fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

pub(crate) use words;
