//! Checks of literals in an application's source at compile time. Each function has the same rule and the same error as
//! the check at start-up.

use std::time::Duration;

use crate::model::{issuer as issuers, lifetime as lifetimes, redirect_uri as redirect_uris, secret as secrets};

/// Checks an issuer when the program is compiled: https, or http on loopback; a host in lower case, no default port, no
/// query, no fragment. It is the `&'static str` that [`Builder::issuer`](crate::Builder::issuer) takes. `build()`
/// checks whether a host that begins with `xn--` is a name.
///
/// ```
/// use oauth_runtime::{OAuthService, issuer};
///
/// const ISSUER: &str = "http://127.0.0.1:8000";
///
/// assert_eq!(issuer!("https://notes.example"), "https://notes.example");
/// let builder = OAuthService::builder().issuer(issuer!(ISSUER));
/// # let _ = builder;
/// ```
///
/// ```compile_fail,E0080
/// oauth_runtime::issuer!("http://notes.example"); // plain http is for loopback only, such as http://127.0.0.1:8000 or http://localhost:8000; elsewhere write https
/// ```
///
/// ```compile_fail,E0080
/// oauth_runtime::issuer!("https://Notes.example"); // it must be an absolute URL in normal form, ..
/// ```
#[macro_export]
macro_rules! issuer {
    ($text:expr) => {{
        const __CHECKED: &str = $crate::__private::literal::issuer($text);
        __CHECKED
    }};
}

/// Checks a redirect URI when the program is compiled, by the rules for every client. It is the `&'static str` that
/// [`Client::redirect_uri`](crate::Client::redirect_uri) takes. `build()` checks what depends on other settings: a
/// private scheme without a dot needs [`Client::allow_scheme`](crate::Client::allow_scheme), and `http://app.localhost`
/// an issuer on loopback.
///
/// ```
/// use oauth_runtime::{Client, redirect_uri};
///
/// assert_eq!(redirect_uri!("com.example.app:/callback"), "com.example.app:/callback");
/// let spa = Client::public("spa").redirect_uri(redirect_uri!("https://notes.example/callback"));
/// # let _ = spa;
/// ```
///
/// ```compile_fail,E0080
/// oauth_runtime::redirect_uri!("https://notes.example/#/callback"); // it must have no fragment
/// ```
///
/// ```compile_fail,E0080
/// oauth_runtime::redirect_uri!("https://*.notes.example/callback"); // .. `*` stands for nothing else: register each one whole
/// ```
#[macro_export]
macro_rules! redirect_uri {
    ($text:expr) => {{
        const __CHECKED: &str = $crate::__private::literal::redirect_uri($text);
        __CHECKED
    }};
}

/// A lifetime, checked when the program is compiled: a whole number of seconds, minutes, hours or days, up to 400 days.
///
/// ```
/// use oauth_runtime::{OAuthService, lifetime};
/// use std::time::Duration;
///
/// assert_eq!(lifetime!("90s"), Duration::from_secs(90));
/// assert_eq!(lifetime!("14d"), Duration::from_secs(14 * 24 * 3600));
/// let builder = OAuthService::builder().access_token_lifetime(lifetime!("15m"));
/// # let _ = builder;
/// ```
///
/// ```compile_fail,E0080
/// oauth_runtime::lifetime!("1.5s"); // a lifetime is in whole seconds
/// ```
#[macro_export]
macro_rules! lifetime {
    ($text:expr) => {{
        const __CHECKED: ::core::time::Duration = $crate::__private::literal::lifetime($text);
        __CHECKED
    }};
}

/// Checks a secret when the program is compiled, for one in the source of an example, or of a program that runs only on
/// your machine. It must decode to 32 bytes or more from base64, base64url or hex, and must not be a placeholder. Take
/// the secret of a service that others reach from the environment or a secret manager.
///
/// ```
/// use oauth_runtime::{OAuthService, secret};
///
/// let builder = OAuthService::builder().secret(secret!("YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ="));
/// # let _ = builder;
/// assert_eq!(secret!("YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=").len(), 44);
/// ```
///
/// ```compile_fail,E0080
/// oauth_runtime::secret!("changeme"); // a secret is plain text, which others could guess: write 32 random bytes ..
/// ```
#[macro_export]
macro_rules! secret {
    ($text:expr) => {{
        const __CHECKED: &str = $crate::__private::literal::secret($text);
        __CHECKED
    }};
}

/// For `issuer!`.
#[track_caller]
pub const fn issuer(text: &'static str) -> &'static str {
    match issuers::broken_rule(text) {
        Some(why) => panic!("{}", why.text()),
        None => text,
    }
}

/// For `redirect_uri!`.
#[track_caller]
pub const fn redirect_uri(text: &'static str) -> &'static str {
    match redirect_uris::broken_rule(text) {
        Some(why) => panic!("{}", why.text()),
        None => text,
    }
}

/// For `lifetime!`.
#[track_caller]
pub const fn lifetime(text: &'static str) -> Duration {
    match lifetimes::written(text) {
        Some(lifetime) => lifetime,
        None => panic!(
            "a lifetime is in whole seconds: write a number and its unit, up to 400 days, as in \"90s\", \"15m\", \"12h\" or \"14d\""
        ),
    }
}

/// For `secret!`.
#[track_caller]
pub const fn secret(text: &'static str) -> &'static str {
    match secrets::broken_rule(text) {
        Some(why) => panic!("{}", why.text()),
        None => text,
    }
}
