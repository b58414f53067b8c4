//! The collector of errors, which are reported together.

use syn::Error;

/// Several mistakes, reported together.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Error) {
        self.0 = Some(std::mem::take(self).and(mistake));
    }

    pub(crate) fn and(mut self, mistake: Error) -> Error {
        match self.take() {
            Some(mut first) => {
                first.combine(mistake);
                first
            }
            None => mistake,
        }
    }

    pub(crate) fn take(&mut self) -> Option<Error> {
        self.0.take()
    }

    pub(crate) fn or<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}
