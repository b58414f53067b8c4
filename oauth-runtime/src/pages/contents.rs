//! The content of each page, and the error of rendering one.

use std::net::IpAddr;

use crate::model::Timestamp;
use crate::model::question::Question;
use crate::pages::texts::{SignInProblem, Texts};

/// How the author's service presents itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Brand {
    /// Shown on each page and in its title.
    pub name: String,
    /// Address path of the logo on this origin, if there is one.
    pub logo: Option<String>,
    /// Address path of the stylesheet on this origin.
    pub stylesheet: String,
    /// The address of the terms of use, if pages link to them.
    pub terms: Option<String>,
    /// The address of the privacy policy, if pages link to it.
    pub privacy: Option<String>,
}

/// What the sign-in page shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignInPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// The client's name as registered.
    pub client: &'a str,
    /// What a user should know about a client that you did not list before they type a password: that it chose its own
    /// name.
    pub warnings: &'a [&'a str],
    /// Where the browser goes after sign-in: the host, or with its colon the private scheme, which only looks like one.
    pub returns_to: &'a str,
    /// What it asks for, in the author's words and order. Empty if nothing is asked for, the client is a known one of
    /// the author, or the consent page will say it.
    pub scopes: &'a [&'a str],
    /// Which resources its access tokens are for, besides the service itself, in the author's words.
    pub resources: &'a [&'a str],
    /// A text that it gets refresh tokens, if it does.
    pub lasting: Option<&'a str>,
    /// Whether the field `remember`, for a session that outlives the browser, is ticked; `None` without such a field.
    pub remember: Option<bool>,
    /// Where else a person can go: see [`Builder::link`](crate::Builder::link).
    pub links: &'a [Link<'a>],
    /// The name typed before, if this is another try.
    pub username: &'a str,
    /// Why the page is shown again.
    pub problem: Option<SignInProblem>,
    /// The code of the device that asks, where one does: the consent page follows, and the browser goes nowhere.
    pub user_code: Option<&'a str>,
}

/// A link on the sign-in page to a page of the author.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Link<'a> {
    /// Its text, in the person's language if known.
    pub label: &'a str,
    /// Where it leads: the path, with the value of the field `request`.
    pub href: &'a str,
}

/// What the page with another question shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct QuestionPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// The client's name as registered.
    pub client: &'a str,
    /// Where the browser goes after sign-in: the host, or with its colon the private scheme, which only looks like one.
    pub returns_to: &'a str,
    /// Who signs in: the name that was typed.
    pub account: &'a str,
    /// The question, with its choices.
    pub question: &'a Question,
    /// Why the page is shown again.
    pub problem: Option<SignInProblem>,
    /// The code of the device that asks, where one does: the consent page follows, and the browser goes nowhere.
    pub user_code: Option<&'a str>,
}

/// What the consent page shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConsentPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// The client's name as registered; the host if its id is the URL of a document.
    pub client: &'a str,
    /// The name that a client that is not listed gives itself, which is not verified.
    pub calls_itself: Option<&'a str>,
    /// Where the browser goes: the host, or with its colon the private scheme, which only looks like one.
    pub returns_to: &'a str,
    /// What it asks for, in the author's words and order; empty if no scope is asked for.
    pub scopes: &'a [&'a str],
    /// Which resources its access tokens are for, besides the service itself, in the author's words.
    pub resources: &'a [&'a str],
    /// That it gets refresh tokens, in words, where it does.
    pub lasting: Option<&'a str>,
    /// Who is signed in: the name that was typed, or that of [`SignIn::shown_as`](crate::SignIn::shown_as).
    pub account: &'a str,
    /// What the user has to know before they allow it: that the name of a client that is not listed is not verified, or
    /// that it runs on their device, which any program could claim.
    pub warnings: &'a [&'a str],
    /// The device that asks, if it is one without a browser: then the browser is not redirected.
    pub device: Option<WaitingDevice<'a>>,
}

/// A device without a browser that waits for its user, who has to distinguish it from an attacker's.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WaitingDevice<'a> {
    /// The code that it shows: the user has to compare it, however they got it (RFC 8628 §3.3.1).
    pub user_code: &'a str,
    /// When it asked.
    pub asked_at: Timestamp,
    /// From which address, if known.
    pub asked_from: Option<IpAddr>,
}

/// What the page for typing a device's code shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DevicePage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// The code typed before, or from the link; else empty.
    pub user_code: &'a str,
    /// Why the page is shown again.
    pub problem: Option<SignInProblem>,
}

/// What the page shows once a user has decided about a device.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DeviceDonePage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Whether anything was allowed.
    pub is_allowed: bool,
}

/// What the page that forwards a long request of another site to this one shows: a form with one hidden field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OnwardPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The name of the hidden field.
    pub field: &'a str,
    /// The value of the hidden field.
    pub value: &'a str,
}

/// What the page that asks whether to sign out shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignOutPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// Who is signed in: the name that was typed, or that of [`SignIn::shown_as`](crate::SignIn::shown_as).
    pub account: &'a str,
}

/// What the page shows after a sign-out.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignedOutPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
}

/// What the page shows if the user was asked whether to sign out and stayed signed in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StayedPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
}

/// What the account page shows, on which users see and end sessions and access.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccountPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// Who is signed in: the name that was typed, or that of [`SignIn::shown_as`](crate::SignIn::shown_as).
    pub account: &'a str,
    /// The browsers in which they are signed in, this one first.
    pub sessions: &'a [AccountSession<'a>],
    /// The clients that have refresh tokens or a remembered consent.
    pub applications: &'a [AccountApplication<'a>],
}

/// A browser that stays signed in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccountSession<'a> {
    /// The value of the field `session` that ends it.
    pub id: &'a str,
    /// Whether it is the browser that shows the page.
    pub is_this: bool,
    /// When it began.
    pub begun: Timestamp,
    /// When it was last used, to the hour.
    pub last_used: Timestamp,
}

/// A client that has access.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccountApplication<'a> {
    /// The value of the field `client` that ends all that it has.
    pub client: &'a str,
    /// Its name as registered.
    pub name: &'a str,
    /// What it may do, in the author's words and order.
    pub scopes: &'a [&'a str],
    /// When it first got what it has.
    pub since: Timestamp,
    /// When it last used it, to the hour.
    pub last_used: Timestamp,
}

/// What the error page shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ErrorPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The heading.
    pub title: &'a str,
    /// What happened and what to do, for the person who sees the page, in their language.
    pub happened: &'a str,
    /// What to do about it, in English, for the person who wrote the client.
    pub detail: &'a str,
    /// The way back to the client, if known.
    pub back: Option<Back<'a>>,
    /// Where to sign in, if this replaces a [page of the application](crate::OAuthService::pages).
    pub sign_in: Option<SignInAt<'a>>,
}

/// A link to the sign-in page.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignInAt<'a> {
    /// Its text, in the person's language.
    pub label: &'a str,
    /// Its address.
    pub href: &'a str,
}

/// A link back to a client, which ends its authorization request with `access_denied`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Back<'a> {
    /// The client's name as registered.
    pub client: &'a str,
    /// Its registered redirect URI, with the error.
    pub href: &'a str,
}

/// Why a page could not be made.
pub type PageError = Box<dyn std::error::Error + Send + Sync>;
