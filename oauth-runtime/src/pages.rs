//! The pages that a person sees.

mod look;
mod texts;

use std::fmt;
use std::time::Duration;

use askama::Template;

use crate::question::Question;

pub use look::{InvalidColour, Logo};
pub(crate) use look::{Look, stylesheet};
pub use texts::Texts;

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

    /// q
    fn question(&self, page: &QuestionPage<'_>) -> Result<String, PageError> {
        BuiltInPages.question(page)
    }
    /// c
    fn consent(&self, page: &ConsentPage<'_>) -> Result<String, PageError> {
        BuiltInPages.consent(page)
    }
    /// s
    fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        BuiltInPages.sign_out(page)
    }
    /// s
    fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        BuiltInPages.signed_out(page)
    }

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
    /// Shown on each page and in its title.
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
    /// t
    pub texts: &'a Texts,
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

/// q
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "stub")]
pub struct QuestionPage<'a> {
    pub brand: &'a Brand,
    pub texts: &'a Texts,
    pub action: &'a str,
    pub request: &'a str,
    pub client: &'a str,
    pub returns_to: &'a str,
    pub question: &'a Question,
    pub problem: Option<SignInProblem>,
}
/// c
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "stub")]
pub struct ConsentPage<'a> {
    pub brand: &'a Brand,
    pub texts: &'a Texts,
    pub action: &'a str,
    pub request: &'a str,
    pub client: &'a str,
    pub returns_to: &'a str,
    pub scopes: &'a [&'a str],
    pub account: &'a str,
}
/// s
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "stub")]
pub struct SignOutPage<'a> {
    pub brand: &'a Brand,
    pub texts: &'a Texts,
    pub action: &'a str,
    pub request: &'a str,
    pub account: &'a str,
}
/// s
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "stub")]
pub struct SignedOutPage<'a> {
    pub brand: &'a Brand,
    pub texts: &'a Texts,
}

/// Why the sign-in page is shown again. Displayed, it is the sentence for the person.
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

impl fmt::Display for SignInProblem {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignInProblem::Incomplete => text.write_str("Enter your username and your password."),
            SignInProblem::TooLong => text.write_str("The username or the password is too long."),
            SignInProblem::Wrong => text.write_str("The username or the password is not right."),
            SignInProblem::TooManyAttempts(wait) => {
                write!(text, "Too many attempts. Wait {}, then try again.", Wait(*wait))
            }
            SignInProblem::TryAgainLater => {
                text.write_str("Signing in does not work at the moment. Try again in a little while.")
            }
        }
    }
}

/// A time to wait in words. Rounded up, because whoever comes back too early is refused again.
struct Wait(Duration);

impl fmt::Display for Wait {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs().saturating_add(u64::from(self.0.subsec_nanos() > 0)).max(1);
        let (count, unit) = match seconds {
            ..=90 => (seconds, "second"),
            91..=5400 => (seconds.div_ceil(60), "minute"),
            _ => (seconds.div_ceil(3600), "hour"),
        };
        write!(text, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

/// What the error page shows.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// t
    pub texts: &'a Texts,
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

impl Pages for BuiltInPages {
    fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError> {
        let both = matches!(page.problem, Some(SignInProblem::Wrong | SignInProblem::TooLong));
        let incomplete = page.problem == Some(SignInProblem::Incomplete);
        let document = SignInDocument {
            brand: page.brand,
            page,
            username_invalid: both || (incomplete && page.username.is_empty()),
            // A page never learns the password: with the name there, it is what was missing.
            password_invalid: both || (incomplete && !page.username.is_empty()),
        };
        Ok(document.render()?)
    }

    fn question(&self, page: &QuestionPage<'_>) -> Result<String, PageError> {
        Ok(format!(
            "<form method=post action={}><input name=request value={}>{}",
            page.action,
            page.request,
            page.question.text()
        ))
    }
    fn consent(&self, page: &ConsentPage<'_>) -> Result<String, PageError> {
        Ok(format!(
            "<form method=post action={}><input type=\"hidden\" name=\"request\" value=\"{}\">{} {} {} {}",
            page.action,
            page.request,
            page.client,
            page.returns_to,
            page.scopes.join(", "),
            page.account
        ))
    }
    fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        Ok(format!(
            "<form method=post action={}><input type=\"hidden\" name=\"request\" value=\"{}\">",
            page.action, page.request
        ))
    }
    fn signed_out(&self, _: &SignedOutPage<'_>) -> Result<String, PageError> {
        Ok("signed out".to_owned())
    }
    fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError> {
        Ok(ErrorDocument { brand: page.brand, page }.render()?)
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInDocument<'a> {
    brand: &'a Brand,
    page: &'a SignInPage<'a>,
    username_invalid: bool,
    password_invalid: bool,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorDocument<'a> {
    brand: &'a Brand,
    page: &'a ErrorPage<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand() -> Brand {
        Brand { name: "Notes".into(), logo: None, stylesheet: "/oauth/pages.css".into() }
    }

    fn first_visit(brand: &Brand) -> SignInPage<'_> {
        SignInPage {
            brand,
            action: "/login",
            request: "sealed",
            client: "Notes for the web",
            returns_to: "notes.example",
            scopes: &[],
            username: "",
            problem: None,
        }
    }

    fn sign_in(page: &SignInPage<'_>) -> String {
        BuiltInPages.sign_in(page).expect("the template renders into memory")
    }

    /// The start tag of the field with this id.
    fn field<'a>(html: &'a str, id: &str) -> &'a str {
        let start = html.find(&format!("<input id=\"{id}\"")).expect("the page has this field");
        let end = start + html[start..].find('>').expect("a tag ends");
        &html[start..end]
    }

    #[test]
    fn c06_the_sign_in_page_says_who_asks_for_what_and_where_the_browser_goes() {
        let brand = brand();
        let html = sign_in(&SignInPage { scopes: &["Read your notes", "Write notes"], ..first_visit(&brand) });
        assert!(html.contains("<title>Sign in · Notes</title>"), "{html}");
        assert!(html.contains("to continue to <strong><bdi>Notes for the web</bdi></strong>"), "{html}");
        assert!(html.contains("sent to <strong><bdi>notes.example</bdi></strong>"), "{html}");
        assert!(html.contains("<li>Read your notes</li>\n<li>Write notes</li>"), "{html}");
        assert!(!sign_in(&first_visit(&brand)).contains("asks for"), "no list without scopes");
    }

    #[test]
    fn whatever_is_typed_or_registered_stays_text() {
        let hostile = r#""><script>alert('1')</script><a b="&amp;"#;
        let brand = Brand { name: hostile.into(), logo: Some(hostile.into()), stylesheet: hostile.into() };
        let sign_in = sign_in(&SignInPage {
            brand: &brand,
            action: hostile,
            request: hostile,
            client: hostile,
            returns_to: hostile,
            scopes: &[hostile],
            username: hostile,
            problem: Some(SignInProblem::Wrong),
        });
        let error = BuiltInPages
            .error(&ErrorPage { brand: &brand, status: 400, title: hostile, detail: hostile })
            .expect("the template renders into memory");
        for html in [sign_in, error] {
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains(hostile), "{html}");
            assert!(!html.contains("<a "), "{html}");
            assert!(!html.contains("\"&amp;"), "a quotation mark of the text ends no attribute: {html}");
        }
    }

    #[test]
    fn c33_the_pages_have_no_script_no_inline_style_and_nothing_from_elsewhere() {
        let brand = Brand { logo: Some("/oauth/logo".into()), ..brand() };
        let page = SignInPage { scopes: &["read"], problem: Some(SignInProblem::Wrong), ..first_visit(&brand) };
        let error = ErrorPage { brand: &brand, status: 400, title: "No", detail: "Write another." };
        for html in [sign_in(&page), BuiltInPages.error(&error).expect("the template renders into memory")] {
            for never in ["<script", "style=", "<style", "http:", "https:", "//", "data:"] {
                assert!(!html.contains(never), "{never} in {html}");
            }
        }
        let css = include_str!("../templates/pages.css");
        assert!(!css.contains("url(") && !css.contains("@import"), "the stylesheet loads nothing");
    }

    #[test]
    fn the_cursor_is_where_the_person_goes_on() {
        let brand = brand();
        let first = sign_in(&first_visit(&brand));
        assert!(field(&first, "username").contains(" autofocus"), "{first}");
        assert!(!field(&first, "password").contains(" autofocus"), "{first}");
        assert!(!first.contains("aria-invalid") && !first.contains("alert"), "{first}");

        let again =
            sign_in(&SignInPage { username: "ada", problem: Some(SignInProblem::Wrong), ..first_visit(&brand) });
        assert!(field(&again, "username").contains("value=\"ada\""), "{again}");
        assert!(!field(&again, "username").contains(" autofocus"), "{again}");
        assert!(field(&again, "password").contains(" autofocus"), "{again}");
        assert_eq!(again.matches(" autofocus").count(), 1, "{again}");
        assert!(!field(&again, "password").contains("value="), "a password is never sent back: {again}");
    }

    #[test]
    fn a_problem_is_tied_to_the_fields_it_is_about() {
        let brand = brand();
        let cases = [
            (SignInProblem::Wrong, "ada", true, true),
            (SignInProblem::TooLong, "ada", true, true),
            (SignInProblem::Incomplete, "", true, false),
            (SignInProblem::Incomplete, "ada", false, true),
            (SignInProblem::TooManyAttempts(Duration::from_secs(3)), "ada", false, false),
            (SignInProblem::TryAgainLater, "ada", false, false),
        ];
        for (problem, username, username_invalid, password_invalid) in cases {
            let html = sign_in(&SignInPage { username, problem: Some(problem), ..first_visit(&brand) });
            assert!(html.contains(&format!("id=\"problem\" role=\"alert\">{problem}</p>")), "{html}");
            for (id, invalid) in [("username", username_invalid), ("password", password_invalid)] {
                assert!(field(&html, id).contains("aria-describedby=\"problem\""), "{problem:?}: {html}");
                assert_eq!(field(&html, id).contains("aria-invalid=\"true\""), invalid, "{problem:?} {id}: {html}");
            }
        }
    }

    #[test]
    fn the_wait_is_in_words_and_never_too_short() {
        let cases = [
            (Duration::ZERO, "1 second"),
            (Duration::from_millis(1), "1 second"),
            (Duration::from_millis(1001), "2 seconds"),
            (Duration::from_secs(45), "45 seconds"),
            (Duration::from_secs(90), "90 seconds"),
            (Duration::from_secs(91), "2 minutes"),
            (Duration::from_secs(15 * 60), "15 minutes"),
            (Duration::from_secs(15 * 60 + 1), "16 minutes"),
            (Duration::from_secs(5401), "2 hours"),
            (Duration::MAX, "5124095576030432 hours"),
        ];
        for (wait, words) in cases {
            let text = SignInProblem::TooManyAttempts(wait).to_string();
            assert_eq!(text, format!("Too many attempts. Wait {words}, then try again."));
        }
    }

    #[test]
    fn c04_the_error_page_says_what_happened_and_that_nothing_was_sent() {
        let brand = brand();
        let page = ErrorPage { brand: &brand, status: 400, title: "Unknown application", detail: "Register it." };
        let html = BuiltInPages.error(&page).expect("the template renders into memory");
        assert!(html.contains("<title>Unknown application · Notes</title>"), "{html}");
        assert!(html.contains("<h1>Unknown application</h1>"), "{html}");
        assert!(html.contains("Register it."), "{html}");
        assert!(html.contains("Error 400. Nothing was sent to the application."), "{html}");
    }
}
