//! Whether a builder knows how to look a user up again.

/// A [`Builder`](crate::Builder) before [`reload`](crate::Builder::reload): only the access token outlives a sign-in.
#[derive(Clone, Copy, Debug)]
pub enum WithoutReload {}

/// A [`Builder`](crate::Builder) after [`reload`](crate::Builder::reload) or
/// [`reload_blocking`](crate::Builder::reload_blocking): it can have refresh tokens and sessions.
#[derive(Clone, Copy, Debug)]
pub enum WithReload {}

/// Of a [`Builder`](crate::Builder) that looks users up again: [`WithReload`].
#[diagnostic::on_unimplemented(
    message = "refresh tokens and sessions need `.reload(..)` before them",
    label = "add `.reload(async fn)` or `.reload_blocking(fn)` before this: from a subject, a `&str`, to `Option<claims>`",
    note = "without it a role that was taken away would live on"
)]
pub trait Reloads: sealed::Sealed {}

impl Reloads for WithReload {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::WithReload {}
}
