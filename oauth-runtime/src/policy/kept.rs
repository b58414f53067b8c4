//! Whether code can be reached, as the compiler sees it: asked in a way that makes the answer an error and not a lint.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Awaited in the code in question: a future that can reach it has to hold this value meanwhile.
#[derive(Debug)]
pub struct Kept(#[allow(dead_code, reason = "its size is its purpose")] [u8; 256]);

impl Kept {
    /// Of a size that nothing else in the future has.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Kept([0; 256])
    }
}

impl Future for Kept {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// Panics with this text, so at compile time, if the future of this closure has no room for a [`Kept`].
#[track_caller]
pub const fn can_fail<T: 'static, F: Future>(otherwise: &str, _: &impl Fn(&'static T) -> F) {
    assert!(size_of::<F>() >= size_of::<Kept>(), "{}", otherwise);
}

/// Panics with this text, so at compile time, if alternatives leave no other variant.
#[track_caller]
pub const fn names_some(others: bool, otherwise: &str) {
    assert!(others, "{}", otherwise);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_reached_is_kept() {
        can_fail("255 is another", &|number: &'static u8| async move {
            match number {
                0..=254 => {}
                _ => Kept::new().await,
            }
        });
    }

    #[test]
    #[should_panic(expected = "each is among them")]
    #[allow(unreachable_patterns)]
    fn what_cannot_be_reached_is_not() {
        can_fail("each is among them", &|number: &'static u8| async move {
            match number {
                0..=255 => {}
                _ => Kept::new().await,
            }
        });
    }
}
