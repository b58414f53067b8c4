//! The pages that a person sees.

mod built_in;
mod contents;
mod languages;
mod look;
mod sentence;
mod texts;

use std::sync::Arc;

pub use contents::{
    AccountApplication, AccountPage, AccountSession, Back, Brand, ConsentPage, DeviceDonePage, DevicePage, ErrorPage,
    Link, OnwardPage, PageError, QuestionPage, SignInAt, SignInPage, SignOutPage, SignedOutPage, StayedPage,
    WaitingDevice,
};
pub use look::{InvalidColour, Logo, LogoBytes};
pub(crate) use look::{Look, stylesheet};
pub(crate) use texts::Trouble;
pub use texts::{SignInProblem, Texts};

/// Renders the pages that a person sees. The built-in ones are [`BuiltInPages`], which each method uses by default.
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
    /// `cancel`. It has to name the client, what it asks for (where `page.scopes`, `page.resources` or `page.lasting` say
    /// anything) and where the browser goes: typing a password here allows that.
    ///
    /// # Errors
    /// Any error that prevented the page; the person gets a plain text, and the log the error.
    fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError> {
        built_in::sign_in(page)
    }

    /// Another question after the password: a form that posts `request` and `answer` to `page.action`, or `request` and
    /// `cancel`, or `request` and `other`, the number of another question, from 0.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn question(&self, page: &QuestionPage<'_>) -> Result<String, PageError> {
        built_in::question(page)
    }

    /// A client asks for access: a form that posts `request` and `decision`, which is `allow` or `deny`, to
    /// `page.action`. For a device (`page.device`) it has to show the code of the device, to be compared, and to say
    /// that only users who began this themselves should allow it.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn consent(&self, page: &ConsentPage<'_>) -> Result<String, PageError> {
        built_in::consent(page)
    }

    /// The page on which a user types the code that a device shows: a form that posts `request` and `user_code` to
    /// `page.action`. It must never submit itself, even if the code came with the link.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn device(&self, page: &DevicePage<'_>) -> Result<String, PageError> {
        built_in::device(page)
    }

    /// Says whether the device was allowed what it asked for.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn device_done(&self, page: &DeviceDonePage<'_>) -> Result<String, PageError> {
        built_in::device_done(page)
    }

    /// A page of another site posted a request that is too long for a URL: a form that posts `page.value` as `page.field`
    /// to `page.action`.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn onward(&self, page: &OnwardPage<'_>) -> Result<String, PageError> {
        built_in::onward(page)
    }

    /// Asks whether to sign out: a form that posts `request` and `decision`, which is `sign_out` or `stay`, to
    /// `page.action`.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        built_in::sign_out(page)
    }

    /// Says that the person is still signed in: they were asked whether to sign out, and stayed.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn stayed(&self, page: &StayedPage<'_>) -> Result<String, PageError> {
        built_in::stayed(page)
    }

    /// Says that the person is signed out.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        built_in::signed_out(page)
    }

    /// Shows where a user is signed in and which applications have access: a form that posts `request` and `session`, or
    /// `request` and `client`, to `page.action`.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn account(&self, page: &AccountPage<'_>) -> Result<String, PageError> {
        built_in::account(page)
    }

    /// The page for an error that must not be sent to a client.
    ///
    /// # Errors
    /// As for [`Pages::sign_in`].
    fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError> {
        built_in::error(page)
    }
}

/// The pages of this crate.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltInPages;

impl Pages for BuiltInPages {}

/// Pages behind a pointer are those that it points to: each method is in this list, since a missing one would show a built-in page.
macro_rules! pointers {
    ($($(#[$doc:meta])+ $pointer:ident;)+ => $methods:tt) => {
        $(pointers!($(#[$doc])+ $pointer $methods);)+
    };
    ($(#[$doc:meta])+ $pointer:ident { $($method:ident: $page:ident,)+ }) => {
        $(#[$doc])+
        impl<P: Pages + ?Sized> Pages for $pointer<P> {
            $(fn $method(&self, page: &$page<'_>) -> Result<String, PageError> {
                (**self).$method(page)
            })+
        }
    };
}

pointers! {
    /// Pages that are chosen while the program runs.
    Box;
    /// Pages that the program keeps a handle to.
    Arc;
    => {
        sign_in: SignInPage,
        question: QuestionPage,
        consent: ConsentPage,
        device: DevicePage,
        device_done: DeviceDonePage,
        onward: OnwardPage,
        sign_out: SignOutPage,
        stayed: StayedPage,
        signed_out: SignedOutPage,
        account: AccountPage,
        error: ErrorPage,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Duration;

    use super::*;
    use crate::model::Timestamp;
    use crate::model::question::Question;

    fn brand() -> Brand {
        Brand { name: "Notes".into(), logo: None, stylesheet: "/oauth/pages.css".into(), terms: None, privacy: None }
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
            warnings: &[],
            returns_to: "notes.example",
            scopes: &[],
            resources: &[],
            lasting: None,
            remember: None,
            links: &[],
            username: "",
            problem: None,
            user_code: None,
        }
    }

    fn error_page<'a>(brand: &'a Brand, title: &'a str, detail: &'a str) -> ErrorPage<'a> {
        let happened = "It did not work. Go back.";
        ErrorPage { brand, texts: english(), status: 400, title, happened, detail, back: None, sign_in: None }
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

    /// A page that a pointer does not pass on would be the built-in one.
    #[test]
    fn pages_behind_a_pointer_are_all_passed_on() {
        let text = include_str!("pages.rs");
        let part =
            |begin: &str, end: &str| text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|it| it.0);
        let of_trait = part("pub trait Pages", "\n}\n").expect("the trait is in this file");
        let of_pointers = part("\n    => {\n", "\n    }\n").expect("the list is in this file");
        let methods = of_trait.lines().filter_map(|line| line.strip_prefix("    fn ")?.split_once('('));
        let methods: Vec<&str> = methods.map(|(name, _)| name).collect();
        let passed_on = of_pointers.lines().filter_map(|line| line.trim().split_once(':'));
        assert_eq!(passed_on.map(|(name, _)| name).collect::<Vec<_>>(), methods);
        assert_eq!(methods.len(), 11);

        struct Mine;
        impl Pages for Mine {
            fn signed_out(&self, _: &SignedOutPage<'_>) -> Result<String, PageError> {
                Ok("bye".to_owned())
            }
        }
        let (brand, texts) = (brand(), english());
        let page = SignedOutPage { brand: &brand, texts };
        let (chosen, shared): (Box<dyn Pages>, Arc<dyn Pages>) = (Box::new(Mine), Arc::new(Mine));
        assert_eq!(
            (chosen.signed_out(&page).ok(), shared.signed_out(&page).ok()),
            (Some("bye".into()), Some("bye".into()))
        );
    }

    #[test]
    fn c06_the_sign_in_page_says_who_asks_for_what_and_where_the_browser_goes() {
        let brand = brand();
        let html = sign_in(&SignInPage { scopes: &["Read your notes", "Write notes"], ..first_visit(&brand) });
        assert!(html.contains("<title>Sign in · Notes</title>"), "{html}");
        assert!(html.contains("to continue to <strong><bdi>Notes for the web</bdi></strong>"), "{html}");
        assert!(html.contains("sent to <strong><bdi>notes.example</bdi></strong>"), "{html}");
        assert!(html.contains("<strong><bdi>Notes for the web</bdi></strong> will be able to:"), "{html}");
        assert!(html.contains("<li>Read your notes</li>\n<li>Write notes</li>"), "{html}");
        let at = |part| html.find(part).expect("it is there");
        assert!(at("name=\"password\"") < at("able to") && at("able to") < at("<button"), "below the fields: {html}");
        assert!(!sign_in(&first_visit(&brand)).contains("able to"), "no list without scopes");
    }

    #[test]
    fn c06_a_private_scheme_is_not_called_a_place_to_be_sent_to() {
        let brand = brand();
        let html = sign_in(&SignInPage { returns_to: "accounts.bank.example:", ..first_visit(&brand) });
        let is_said = "an application on this device that opens <strong><bdi>accounts.bank.example:</bdi></strong>";
        assert!(html.contains(is_said) && !html.contains("sent to <strong>"), "{html}");
    }

    #[test]
    fn whatever_is_typed_or_registered_stays_text() {
        let hostile = r#""><script>alert('1')</script><a b="&amp;"#;
        let address = || Some(hostile.to_owned());
        let (name, stylesheet) = (hostile.to_owned(), hostile.to_owned());
        let brand = Brand { name, logo: address(), stylesheet, terms: address(), privacy: address() };
        let texts = english();
        let sign_in = sign_in(&SignInPage {
            brand: &brand,
            texts,
            action: hostile,
            request: hostile,
            client: hostile,
            warnings: &[hostile],
            returns_to: hostile,
            scopes: &[hostile],
            resources: &[hostile],
            lasting: Some(hostile),
            remember: Some(true),
            links: &[Link { label: hostile, href: hostile }],
            username: hostile,
            problem: Some(SignInProblem::Wrong),
            user_code: Some(hostile),
        });
        let (title, happened, detail) = (hostile, hostile, hostile);
        let back = Some(Back { client: hostile, href: hostile });
        let error = BuiltInPages
            .error(&ErrorPage { brand: &brand, texts, status: 400, title, happened, detail, back, sign_in: None })
            .expect("the template renders into memory");
        let question = Question::choice(hostile, [(hostile, hostile), ("b", hostile)]).or(hostile, Question::code("?"));
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
                account,
                question,
                problem,
                user_code: Some(hostile),
            })
        };
        let consent = ConsentPage {
            brand: &brand,
            texts,
            action,
            request,
            client,
            calls_itself: Some(hostile),
            returns_to,
            scopes: &[hostile],
            resources: &[hostile],
            lasting: Some(hostile),
            account,
            device: Some(WaitingDevice { user_code: hostile, asked_at: Timestamp::from_seconds(0), asked_from: None }),
            warnings: &[hostile],
        };
        let user_code = hostile;
        let more = [
            ask(&question),
            ask(&Question::code(hostile)),
            BuiltInPages.consent(&consent),
            BuiltInPages.device(&DevicePage { brand: &brand, texts, action, request, user_code, problem }),
            BuiltInPages.sign_out(&SignOutPage { brand: &brand, texts, action, request, account }),
            BuiltInPages.signed_out(&SignedOutPage { brand: &brand, texts }),
        ];
        let more = more.map(|page| page.expect("the template renders into memory"));
        for html in [sign_in, error].into_iter().chain(more) {
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains(hostile), "{html}");
            assert!(!html.contains("<a b"), "{html}");
            assert!(!html.contains("\"&amp;"), "a quotation mark of the text ends no attribute: {html}");
        }
    }

    #[test]
    fn c40_the_buttons_that_allow_sleep_for_a_moment_whatever_motion_is_wanted() {
        let html = include_str!("../templates/consent.html");
        let (_, buttons) = html.split_once("<div class=\"wakes\">").expect("what wakes");
        let (buttons, _) = buttons.split_once("</div>").expect("its end");
        assert_eq!(buttons.matches("<button").count(), html.matches("<button").count(), "all of them");
        let css = include_str!("../templates/pages.css");
        // In Chromium tests/browser shows what they do: with motion, and where it is reduced.
        let (usual, reduced) = css.split_once("(prefers-reduced-motion: reduce)").expect("both");
        for (which, css) in [("usual", usual), ("reduced", reduced)] {
            let (_, rule) = css.split_once(".wakes {").unwrap_or_else(|| panic!("{which}"));
            assert!(rule.split('}').next().is_some_and(|rule| rule.contains("animation: asleep 750ms")), "{which}");
        }
    }

    #[test]
    fn c33_the_pages_have_no_script_no_inline_style_and_nothing_from_elsewhere() {
        let brand = Brand { logo: Some("/oauth/logo".into()), ..brand() };
        let page = SignInPage { scopes: &["read"], problem: Some(SignInProblem::Wrong), ..first_visit(&brand) };
        let error = error_page(&brand, "No", "Write another.");
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
        let page = error_page(&brand, "Unknown application", "Register it.");
        let html = BuiltInPages.error(&page).expect("the template renders into memory");
        assert!(html.contains("<title>Unknown application · Notes</title>"), "{html}");
        assert!(html.contains("<h1>Unknown application</h1>"), "{html}");
        assert!(html.contains("Register it."), "{html}");
        assert!(html.contains("Error 400. Nothing was sent to the application."), "{html}");
        assert!(html.contains("Go back.") && !html.contains("<a "), "no client, no link: {html}");
        let back = Some(Back { client: "Notes <for> the web", href: "https://notes.example/cb?error=a&b" });
        let html = BuiltInPages.error(&ErrorPage { back, ..page }).expect("the template renders into memory");
        assert!(html.contains("href=\"https://notes.example/cb?error=a&#38;b\""), "{html}");
        assert!(html.contains("Back to <strong><bdi>Notes &#60;for&#62; the web</bdi></strong>"), "{html}");
    }
}
