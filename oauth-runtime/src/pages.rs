//! The pages that a person sees.

use std::time::Duration;

/// Makes the pages a person sees. The built-in ones are [`BuiltInPages`].
///
/// Each method returns a whole HTML document. The server adds the headers; its Content-Security-Policy
/// allows the stylesheet and the images of this origin and no script.
pub trait Pages: Send + Sync + 'static {
    /// The sign-in page: a form that posts `request`, `username` and `password` to `page.action`.
    ///
    /// # Errors
    /// Whatever kept the page from being made; the person gets a plain text and the log the error.
    fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError>;

    /// The page for an error that must not be sent to a client.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError>;
}

/// Why a page could not be made.
pub type PageError = Box<dyn std::error::Error + Send + Sync>;

/// How the author's service presents itself.
#[derive(Clone, Debug)]
pub struct Brand {
    /// Shown as the title of each page.
    pub name: String,
    /// Address path of the logo on this origin, if there is one.
    pub logo: Option<String>,
    /// Address path of the stylesheet on this origin.
    pub stylesheet: String,
}

/// What the sign-in page shows.
#[derive(Clone, Copy, Debug)]
pub struct SignInPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// The client's name as registered.
    pub client: &'a str,
    /// Where the browser goes after sign-in: the host, or the private scheme.
    pub returns_to: &'a str,
    /// What is asked for, in the author's words; empty where no scope is asked for.
    pub scopes: &'a [&'a str],
    /// The name typed before, if this is another try.
    pub username: &'a str,
    /// Why the page is shown again.
    pub problem: Option<SignInProblem>,
}

/// Why the sign-in page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// The name or the password is missing.
    Incomplete,
    /// The name or the password is longer than any can be.
    TooLong,
    /// The name and the password do not belong together, or there is no such user.
    Wrong,
    /// Too many attempts: the next one counts after this time.
    TooManyAttempts(Duration),
    /// The sign-in cannot be checked at the moment.
    TryAgainLater,
}

/// What the error page shows.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// The HTTP status of the answer.
    pub status: u16,
    /// What happened, for the person who sees the page.
    pub title: &'a str,
    /// What to do about it, for the person who wrote the client.
    pub detail: &'a str,
}

/// The pages that come with the crate.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltInPages;
