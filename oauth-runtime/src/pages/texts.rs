//! What the pages say: the sentences that each language has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::model::lifetime::wait_in_seconds;

/// The sentences in English, and the placeholders for names in each. A language without all of them does not compile.
macro_rules! texts {
    ($($name:ident = $english:literal $([$($place:literal),+])?;)+) => {
        /// The sentences of the built-in pages in one language, and what scopes are called in it.
        ///
        /// ```
        /// use oauth_runtime::Texts;
        ///
        /// let dutch = Texts { language: "nl".into(), sign_in: "Inloggen".into(), ..Texts::english() }
        ///     .describe("notes:read", "Uw notities lezen");
        /// assert_eq!(dutch.to_continue, "to continue to {client}");
        /// ```
        ///
        /// Each field is documented by its English sentence. Some have a placeholder for a name, such as `{client}`, which
        /// must stay. Technical details on an error page are not translated: they are for the people who wrote the client.
        #[derive(Clone, Debug)]
        pub struct Texts {
            /// A language tag (BCP 47), such as `de` or `pt-BR`. It decides the text direction of the pages.
            pub language: Cow<'static, str>,
            $(
                #[doc = concat!("`", $english, "`")]
                pub $name: Cow<'static, str>,
            )+
            /// Makes a sentence from the time to wait, such as `Too many attempts. Wait 30 seconds, then try again.`
            pub too_many_attempts: fn(Duration) -> String,
            /// From a scope, a resource or the path of a link to its description in this language: see [`Texts::describe`].
            pub scopes: BTreeMap<String, String>,
        }

        /// The language that every service has.
        pub(super) const ENGLISH: Texts = Texts {
            language: text("en"),
            $($name: text($english),)+
            too_many_attempts: |wait| {
                let (count, unit) = in_words(wait, ["second", "minute", "hour"]);
                format!("Too many attempts. Wait {count} {unit}{}, then try again.", if count == 1 { "" } else { "s" })
            },
            scopes: BTreeMap::new(),
        };

        impl Texts {
            /// Each sentence with its name and its placeholders.
            fn sentences(&self) -> Vec<(&'static str, &str, &'static [&'static str])> {
                vec![$((stringify!($name), &*self.$name, &[$($($place),+)?])),+]
            }

            #[cfg(test)]
            fn sentence_mut(&mut self, name: &str) -> &mut Cow<'static, str> {
                match name {
                    $(stringify!($name) => &mut self.$name,)+
                    other => panic!("no sentence: {other}"),
                }
            }
        }
    };
}

texts! {
    sign_in = "Sign in";
    to_continue = "to continue to {client}" ["{client}"];
    able_to = "{client} will be able to:" ["{client}"];
    valid_at = "This access is valid at:";
    lasting_access = "Keep this access while you are away, until you end it";
    username = "Username";
    password = "Password";
    returns_to = "You will then be sent to {host}" ["{host}"];
    returns_to_app = "You will then be sent to an application on this device that opens {scheme}" ["{scheme}"];
    cancel = "Cancel";
    incomplete = "Enter your username and your password.";
    too_long = "That is too long.";
    wrong = "The username or password is incorrect.";
    try_again_later = "Signing in is not possible at the moment. Try again in a little while.";
    question = "One more step";
    signing_in_as = "Signing in as {account}" ["{account}"];
    go_on = "Continue";
    answer_missing = "Enter an answer.";
    answer_wrong = "That is incorrect.";
    consent = "Allow access?";
    wants_access = "{client} wants access to your account {account}" ["{client}", "{account}"];
    calls_itself = "It calls itself {name}" ["{name}"];
    unverified = "This application registered itself: its name is not verified";
    on_this_device = "It says that it runs on your device: allow it only if you have just started it there";
    allow = "Allow";
    deny = "Deny";
    device = "Sign in on a device";
    enter_code = "Enter the code that your device shows";
    compare_code = "Does your device show exactly this code?";
    user_code = "Code of the device";
    code_wrong = "No device is waiting with this code. Check it again, or have the device show a new one.";
    for_device = "The device that shows {code} asks for this" ["{code}"];
    device_shows = "Your device has to show this code";
    device_asked = "Asked at {time} UTC from {address}" ["{time}", "{address}"];
    device_warning =
        "Allow this only if you just began it yourself. If someone sent you here or gave you the code, they would get access to your account.";
    device_allowed = "Your device can continue";
    device_denied = "Nothing was allowed";
    back_to_device = "Go back to your device. You can close this window.";
    sign_out = "Sign out";
    sign_out_question = "Sign out?";
    stay = "Stay signed in";
    stayed = "You are still signed in";
    sent_here = "An application sent you here.";
    signed_in_as =
        "You are signed in as {account}. You will also be signed out of the applications that you opened with this account." ["{account}"];
    signed_out = "You are signed out";
    close_window = "You can close this window.";
    cannot_go_on = "This sign-in cannot continue";
    cannot_sign_out = "The sign-out did not work";
    went_wrong = "Something went wrong here";
    request_unusable =
        "The application sent a request that cannot be answered. Go back to it and try again. If that does not help, tell the people who run it.";
    server_failed = "That is our fault, not yours. Try again later.";
    busy = "Something is not responding at the moment. Try again in a little while.";
    page_expired = "This page is too old. Go back to the application and start again.";
    page_used = "This page was sent before. Go back to the application and start again.";
    other_browser =
        "This sign-in began in another browser, or your browser does not accept cookies. Allow cookies, go back to the application and start again.";
    other_site = "A page of another site sent this form. Go back to the application and start again.";
    signed_out_since = "You were signed out in the meantime. Go back to the application and start again.";
    account_unusable = "This account cannot be used to sign in. Ask the people who run this service.";
    not_allowed = "Nothing was allowed. You can close this window.";
    application_unknown =
        "What the application says about itself cannot be used, so we do not know who is asking. Nothing was allowed. Tell the people who run the application.";
    application_away =
        "We do not know at the moment who is asking. Nothing was allowed. Go back to the application and try again in a little while.";
    back_to = "Back to {client}" ["{client}"];
    sign_in_first = "You are not signed in here. Open an application, sign in, and come back.";
    page_not_shown = "This page cannot be shown";
    not_for_account = "The account that you are signed in with may not see this page.";
    not_taken = "You are not signed in any more, so what you sent was not accepted. Sign in, then send it again.";
    other_account = "Use another account";
    nothing_was_sent = "Error {status}. Nothing was sent to the application." ["{status}"];
    your_account = "Your account";
    signed_in_here = "You are signed in as {account}" ["{account}"];
    sessions = "Where you are signed in";
    this_browser = "This browser";
    another_browser = "Another browser";
    since = "since {date}" ["{date}"];
    last_used = "last used {date}" ["{date}"];
    applications = "Applications with access";
    no_applications = "No application has lasting access.";
    remove_access = "Remove access";
    terms = "Terms";
    privacy = "Privacy";
}

impl Texts {
    /// What a scope, a [`resource`](crate::Builder::resource) or the path of a [`link`](crate::Builder::link) is called in
    /// this language. Without a description, the builder's is shown, and a resource as it is.
    ///
    /// ```
    /// use oauth_runtime::{OAuthService, Texts};
    ///
    /// let oauth = OAuthService::builder().scope("notes:read", "Read your notes").language(
    ///     Texts::german().describe("notes:read", "Ihre Notizen lesen").describe("https://files.example", "Ihre Dateien"),
    /// );
    /// # let _ = oauth;
    /// ```
    #[must_use]
    pub fn describe(mut self, what: impl Into<String>, words: impl Into<String>) -> Self {
        self.scopes.insert(what.into(), words.into());
        self
    }

    /// `ltr` or `rtl`: the direction of the language, for the attribute `dir` of a page.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        let mut parts = self.language.split('-');
        let language = parts.next().unwrap_or_default();
        // A script, of four letters, decides it whatever the language (RFC 5646 §2.2.3).
        let script = parts.find(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let is = |known: &[&str], tag: &str| known.iter().any(|known| known.eq_ignore_ascii_case(tag));
        let runs_left = script.map_or_else(|| is(RIGHT_TO_LEFT, language), |script| is(RIGHT_TO_LEFT_SCRIPTS, script));
        if runs_left { "rtl" } else { "ltr" }
    }

    /// Whether every sentence is there, with its placeholders.
    pub(crate) fn check(&self) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.language.is_empty() || self.language.len() > 35 || !self.language.bytes().all(plain) {
            return Err("language must be a tag such as de or pt-BR".to_owned());
        }
        for (name, text, places) in self.sentences() {
            if text.trim().is_empty() {
                return Err(format!("{name} is empty"));
            }
            if let Some(place) = places.iter().find(|place| text.matches(**place).count() != 1) {
                return Err(format!("{name} has to have {place} in it, once"));
            }
        }
        Ok(())
    }

    /// The text for a problem; `asked` on the page with another question.
    pub(crate) fn problem(&self, problem: SignInProblem, asked: bool) -> Cow<'_, str> {
        match problem {
            SignInProblem::Incomplete if asked => Cow::Borrowed(&self.answer_missing),
            SignInProblem::Incomplete => Cow::Borrowed(&self.incomplete),
            SignInProblem::TooLong => Cow::Borrowed(&self.too_long),
            SignInProblem::Wrong if asked => Cow::Borrowed(&self.answer_wrong),
            SignInProblem::Wrong => Cow::Borrowed(&self.wrong),
            SignInProblem::TooManyAttempts(wait) => Cow::Owned((self.too_many_attempts)(wait)),
            SignInProblem::TryAgainLater => Cow::Borrowed(&self.try_again_later),
        }
    }

    /// The text for an error.
    pub(crate) fn trouble(&self, trouble: Trouble) -> &str {
        match trouble {
            Trouble::Request => &self.request_unusable,
            Trouble::Server => &self.server_failed,
            Trouble::Busy => &self.busy,
            Trouble::PageExpired => &self.page_expired,
            Trouble::PageUsed => &self.page_used,
            Trouble::OtherBrowser => &self.other_browser,
            Trouble::OtherSite => &self.other_site,
            Trouble::SignedOut => &self.signed_out_since,
            Trouble::SignInFirst => &self.sign_in_first,
            Trouble::Account => &self.account_unusable,
            Trouble::NotAllowed => &self.not_allowed,
            Trouble::Application => &self.application_unknown,
            Trouble::ApplicationAway => &self.application_away,
            Trouble::NotForAccount => &self.not_for_account,
            Trouble::NotTaken => &self.not_taken,
        }
    }
}

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: &[&str] = &["ar", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"];
/// Scripts that are written from right to left (ISO 15924).
const RIGHT_TO_LEFT_SCRIPTS: &[&str] = &["Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"];

/// A sentence of a built-in language.
pub(super) const fn text(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}

/// A time to wait, in the unit that suits it, rounded up.
pub(super) fn in_words<U: Copy>(wait: Duration, [second, minute, hour]: [U; 3]) -> (u64, U) {
    let seconds = wait_in_seconds(wait).max(1);
    match seconds {
        ..=90 => (seconds, second),
        91..=5400 => (seconds.div_ceil(60), minute),
        _ => (seconds.div_ceil(3600), hour),
    }
}

/// Why the sign-in page is shown again. `Display` gives the sentence for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInProblem {
    /// The name or the password is missing.
    Incomplete,
    /// The name or the password is longer than any can be.
    TooLong,
    /// The name and the password do not match, or there is no such user.
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

/// What an error page tells the person who sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The application sent something that cannot be answered.
    Request,
    Server,
    /// It may work in a moment.
    Busy,
    PageExpired,
    PageUsed,
    OtherBrowser,
    OtherSite,
    SignedOut,
    /// No one is signed in.
    SignInFirst,
    Account,
    /// The user left, and there is no known way back.
    NotAllowed,
    /// It is unknown who asks.
    Application,
    /// The same, for a moment.
    ApplicationAway,
    /// A page of the application that the signed-in user may not see.
    NotForAccount,
    /// A page of the application, and no one is signed in: what was sent to it is lost.
    NotTaken,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Texts; 5] {
        [Texts::english(), Texts::german(), Texts::french(), Texts::spanish(), Texts::japanese()]
    }

    #[test]
    fn the_languages_are_whole_and_different() {
        let english = Texts::english();
        for (index, texts) in all().into_iter().enumerate() {
            assert_eq!(texts.check(), Ok(()), "{}", texts.language);
            for ((name, english, _), (_, text, _)) in english.sentences().into_iter().zip(texts.sentences()) {
                assert_eq!(english == text, index == 0, "{name} in {}: {text}", texts.language);
                // Punctuation is as in English: a heading has none, a sentence ends with a full stop.
                let is_plain = |text: &str| !text.ends_with(['.', '。', ':', '：', '?', '？', '!']);
                assert_eq!(is_plain(english), is_plain(text), "{name} in {}: {text}", texts.language);
                // A space before punctuation, as French has it, does not break the line.
                assert!(
                    ![" :", " ?", " !", " ;"].iter().any(|it| text.contains(it)),
                    "{name} in {}: {text}",
                    texts.language
                );
            }
            // A button's words have to fit a phone of 320 pixels in one line.
            for (name, button) in [
                ("sign_in", &texts.sign_in),
                ("cancel", &texts.cancel),
                ("go_on", &texts.go_on),
                ("allow", &texts.allow),
                ("deny", &texts.deny),
                ("sign_out", &texts.sign_out),
                ("stay", &texts.stay),
            ] {
                assert!(button.chars().count() <= 24, "{name} in {}: {button}", texts.language);
            }
        }
    }

    #[test]
    fn a_missing_place_or_sentence_is_named() {
        for (name, _, places) in Texts::english().sentences() {
            let mut texts = Texts::english();
            *texts.sentence_mut(name) = " ".into();
            assert_eq!(texts.check(), Err(format!("{name} is empty")));
            if let Some(place) = places.first() {
                *texts.sentence_mut(name) = "without".into();
                let why = texts.check().expect_err(name);
                assert!(why.contains(name) && why.contains(place), "{why}");
            }
        }
        for language in ["", "d e", "de\"", "x\n"] {
            assert!(Texts { language: language.into(), ..Texts::english() }.check().is_err(), "{language:?}");
        }
    }

    #[test]
    fn a_language_runs_in_its_direction() {
        let of = |language: &'static str| Texts { language: language.into(), ..Texts::english() }.direction();
        for language in ["ar", "AR-eg", "he", "fa-IR", "uz-Arab-AF", "yi"] {
            assert_eq!(of(language), "rtl", "{language}");
        }
        for language in ["en", "ar-Latn", "pt-BR", "ja", "az"] {
            assert_eq!(of(language), "ltr", "{language}");
        }
    }

    #[test]
    fn the_wait_is_in_words_and_never_too_short() {
        let cases = [
            (Duration::ZERO, ["1 second,", "1 Sekunde ", "1 seconde,", "1 segundo ", "1秒"]),
            (Duration::from_millis(1), ["1 second,", "1 Sekunde ", "1 seconde,", "1 segundo ", "1秒"]),
            (Duration::from_millis(1001), ["2 seconds,", "2 Sekunden ", "2 secondes,", "2 segundos ", "2秒"]),
            (Duration::from_secs(90), ["90 seconds,", "90 Sekunden ", "90 secondes,", "90 segundos ", "90秒"]),
            (Duration::from_secs(91), ["2 minutes,", "2 Minuten ", "2 minutes,", "2 minutos ", "2分"]),
            (Duration::from_secs(15 * 60 + 1), ["16 minutes,", "16 Minuten ", "16 minutes,", "16 minutos ", "16分"]),
            (Duration::from_secs(5401), ["2 hours,", "2 Stunden ", "2 heures,", "2 horas ", "2時間"]),
            (Duration::MAX, ["5124095576030432 hours,", "32 Stunden ", "32 heures,", "32 horas ", "32時間"]),
        ];
        for (wait, expected) in cases {
            for (texts, expected) in all().iter().zip(expected) {
                let text = (texts.too_many_attempts)(wait);
                assert!(text.contains(expected), "{text}");
            }
        }
    }
}
