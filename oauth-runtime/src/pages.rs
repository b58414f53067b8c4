//! The pages that a person sees.

mod look;
mod texts;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use askama::Template;

use crate::model::question::Question;

pub use look::{InvalidColour, Logo};
pub(crate) use look::{Look, stylesheet};
use texts::Sentence;
pub use texts::Texts;

/// Makes the pages a person sees. The built-in ones are [`BuiltInPages`]; whichever method is not written is theirs.
///
/// Each method returns a whole HTML document. The server adds the headers; its Content-Security-Policy
/// allows the stylesheet and the images of this origin and no script.
///
/// ```
/// use oauth_runtime::OAuthService;
/// use oauth_runtime::pages::{PageError, Pages, SignedOutPage};
///
/// struct MyPages;
///
/// impl Pages for MyPages {
///     fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
///         Ok(format!("<!doctype html><title>Bye</title><h1>{}</h1>", page.texts.signed_out))
///     }
/// }
///
/// let oauth = OAuthService::builder().pages(MyPages);
/// # let _ = oauth;
/// ```
pub trait Pages: Send + Sync + 'static {
    /// The sign-in page: a form that posts `request`, `username` and `password` to `page.action`, or `request` and
    /// `cancel`. It has to name the client, what it asks for and where the browser goes: who types a password here has
    /// allowed that.
    ///
    /// # Errors
    /// Whatever kept the page from being made; the person gets a plain text and the log the error.
    fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError> {
        BuiltInPages.sign_in(page)
    }

    /// One more thing is asked after the password: a form that posts `request` and `answer` to `page.action`, or
    /// `request` and `cancel`.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn question(&self, page: &QuestionPage<'_>) -> Result<String, PageError> {
        BuiltInPages.question(page)
    }

    /// A client asks for access: a form that posts `request` and `decision`, which is `allow` or `deny`, to
    /// `page.action`.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn consent(&self, page: &ConsentPage<'_>) -> Result<String, PageError> {
        BuiltInPages.consent(page)
    }

    /// Asks whether to sign out: a form that posts `request` to `page.action`.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        BuiltInPages.sign_out(page)
    }

    /// Says that the person is signed out.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        BuiltInPages.signed_out(page)
    }

    /// The page for an error that must not be sent to a client.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError> {
        BuiltInPages.error(page)
    }
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
    /// What the page says, in the person's language.
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

/// What the page shows that asks one more thing.
#[derive(Clone, Copy, Debug)]
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
    /// Where the browser goes after sign-in: the host, or the private scheme.
    pub returns_to: &'a str,
    /// What is asked, and what there is to choose from.
    pub question: &'a Question,
    /// Why the page is shown again.
    pub problem: Option<SignInProblem>,
}

/// What the consent page shows.
#[derive(Clone, Copy, Debug)]
pub struct ConsentPage<'a> {
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
    /// Where the browser goes: the host, or the private scheme.
    pub returns_to: &'a str,
    /// What is asked for, in the author's words; empty where no scope is asked for.
    pub scopes: &'a [&'a str],
    /// Who is signed in: the name that was typed.
    pub account: &'a str,
}

/// What the page shows that asks whether to sign out.
#[derive(Clone, Copy, Debug)]
pub struct SignOutPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
    pub texts: &'a Texts,
    /// Where the form is posted.
    pub action: &'a str,
    /// The value of the hidden field `request`.
    pub request: &'a str,
    /// Who is signed in: the name that was typed.
    pub account: &'a str,
}

/// What the page shows after a sign-out.
#[derive(Clone, Copy, Debug)]
pub struct SignedOutPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
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
        text.write_str(&Texts::english().problem(*self, false))
    }
}

/// What the error page shows.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// The service's own name and looks.
    pub brand: &'a Brand,
    /// What the page says, in the person's language.
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
        let SignInPage { brand, texts, .. } = page;
        let both = matches!(page.problem, Some(SignInProblem::Wrong | SignInProblem::TooLong));
        let incomplete = page.problem == Some(SignInProblem::Incomplete);
        let document = SignInDocument {
            brand,
            texts,
            page,
            to_continue: Sentence::new(&texts.to_continue, &[("{client}", page.client)]),
            asks_for: Sentence::new(&texts.asks_for, &[("{client}", page.client)]),
            returns_to: Sentence::new(&texts.returns_to, &[("{host}", page.returns_to)]),
            problem: page.problem.map(|problem| texts.problem(problem, false)),
            username_invalid: both || (incomplete && page.username.is_empty()),
            // A page never learns the password: with the name there, it is what was missing.
            password_invalid: both || (incomplete && !page.username.is_empty()),
        };
        Ok(document.render()?)
    }

    fn question(&self, page: &QuestionPage<'_>) -> Result<String, PageError> {
        let QuestionPage { brand, texts, .. } = page;
        let document = QuestionDocument {
            brand,
            texts,
            page,
            to_continue: Sentence::new(&texts.to_continue, &[("{client}", page.client)]),
            returns_to: Sentence::new(&texts.returns_to, &[("{host}", page.returns_to)]),
            problem: page.problem.map(|problem| texts.problem(problem, true)),
            is_invalid: matches!(
                page.problem,
                Some(SignInProblem::Wrong | SignInProblem::TooLong | SignInProblem::Incomplete)
            ),
        };
        Ok(document.render()?)
    }

    fn consent(&self, page: &ConsentPage<'_>) -> Result<String, PageError> {
        let ConsentPage { brand, texts, .. } = page;
        let document = ConsentDocument {
            brand,
            texts,
            page,
            wants_access: Sentence::new(&texts.wants_access, &[("{client}", page.client), ("{account}", page.account)]),
            asks_for: Sentence::new(&texts.asks_for, &[("{client}", page.client)]),
            returns_to: Sentence::new(&texts.returns_to, &[("{host}", page.returns_to)]),
        };
        Ok(document.render()?)
    }

    fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        let SignOutPage { brand, texts, .. } = page;
        let signed_in_as = Sentence::new(&texts.signed_in_as, &[("{account}", page.account)]);
        Ok(SignOutDocument { brand, texts, page, signed_in_as }.render()?)
    }

    fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        Ok(SignedOutDocument { brand: page.brand, texts: page.texts }.render()?)
    }

    fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError> {
        let ErrorPage { brand, texts, .. } = page;
        let nothing_was_sent = texts.nothing_was_sent.replace("{status}", &page.status.to_string());
        Ok(ErrorDocument { brand, texts, page, nothing_was_sent }.render()?)
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a SignInPage<'a>,
    to_continue: Sentence<'a>,
    asks_for: Sentence<'a>,
    returns_to: Sentence<'a>,
    problem: Option<Cow<'a, str>>,
    username_invalid: bool,
    password_invalid: bool,
}

#[derive(Template)]
#[template(path = "question.html")]
struct QuestionDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a QuestionPage<'a>,
    to_continue: Sentence<'a>,
    returns_to: Sentence<'a>,
    problem: Option<Cow<'a, str>>,
    is_invalid: bool,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a ConsentPage<'a>,
    wants_access: Sentence<'a>,
    asks_for: Sentence<'a>,
    returns_to: Sentence<'a>,
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a SignOutPage<'a>,
    signed_in_as: Sentence<'a>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a ErrorPage<'a>,
    nothing_was_sent: String,
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn brand() -> Brand {
        Brand { name: "Notes".into(), logo: None, stylesheet: "/oauth/pages.css".into() }
    }

    fn english() -> &'static Texts {
        static ENGLISH: LazyLock<Texts> = LazyLock::new(Texts::english);
        &ENGLISH
    }

    fn first_visit(brand: &Brand) -> SignInPage<'_> {
        SignInPage {
            brand,
            texts: english(),
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
        let texts = english();
        let sign_in = sign_in(&SignInPage {
            brand: &brand,
            texts,
            action: hostile,
            request: hostile,
            client: hostile,
            returns_to: hostile,
            scopes: &[hostile],
            username: hostile,
            problem: Some(SignInProblem::Wrong),
        });
        let error = BuiltInPages
            .error(&ErrorPage { brand: &brand, texts: english(), status: 400, title: hostile, detail: hostile })
            .expect("the template renders into memory");
        let question = Question::choice(hostile, [(hostile, hostile), ("b", hostile)]);
        let problem = Some(SignInProblem::Wrong);
        let (action, request, client, returns_to, account) = (hostile, hostile, hostile, hostile, hostile);
        let ask = |question: &Question| {
            BuiltInPages.question(&QuestionPage {
                brand: &brand,
                texts,
                action,
                request,
                client,
                returns_to,
                question,
                problem,
            })
        };
        let consent =
            ConsentPage { brand: &brand, texts, action, request, client, returns_to, scopes: &[hostile], account };
        let more = [
            ask(&question),
            ask(&Question::code(hostile)),
            BuiltInPages.consent(&consent),
            BuiltInPages.sign_out(&SignOutPage { brand: &brand, texts, action, request, account }),
            BuiltInPages.signed_out(&SignedOutPage { brand: &brand, texts }),
        ];
        let more = more.map(|page| page.expect("the template renders into memory"));
        for html in [sign_in, error].into_iter().chain(more) {
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
        let error = ErrorPage { brand: &brand, texts: english(), status: 400, title: "No", detail: "Write another." };
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
    fn c04_the_error_page_says_what_happened_and_that_nothing_was_sent() {
        let brand = brand();
        let page = ErrorPage {
            brand: &brand,
            texts: english(),
            status: 400,
            title: "Unknown application",
            detail: "Register it.",
        };
        let html = BuiltInPages.error(&page).expect("the template renders into memory");
        assert!(html.contains("<title>Unknown application · Notes</title>"), "{html}");
        assert!(html.contains("<h1>Unknown application</h1>"), "{html}");
        assert!(html.contains("Register it."), "{html}");
        assert!(html.contains("Error 400. Nothing was sent to the application."), "{html}");
    }
}
