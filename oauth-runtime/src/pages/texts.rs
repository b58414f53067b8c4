//! What the pages say, in each language.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use askama::Template;
use askama::filters::HtmlSafe;

/// The sentences of the built-in pages in one language, and what scopes are called in it.
///
/// ```
/// use oauth_runtime::Texts;
///
/// let dutch = Texts { language: "nl".into(), sign_in: "Inloggen".into(), ..Texts::english() };
/// assert_eq!(dutch.to_continue, "to continue to {client}");
/// ```
///
/// Some have a place for a name, such as `{client}`; it has to stay. What is technical on an error page is not
/// translated: it is for whoever wrote the client.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the English sentence of each is its documentation")]
pub struct Texts {
    /// A language tag (BCP 47), such as `de` or `pt-BR`.
    pub language: Cow<'static, str>,
    pub sign_in: Cow<'static, str>,
    pub to_continue: Cow<'static, str>,
    pub asks_for: Cow<'static, str>,
    pub username: Cow<'static, str>,
    pub password: Cow<'static, str>,
    pub returns_to: Cow<'static, str>,
    pub cancel: Cow<'static, str>,
    pub incomplete: Cow<'static, str>,
    pub too_long: Cow<'static, str>,
    pub wrong: Cow<'static, str>,
    /// Makes a sentence of how long to wait.
    pub too_many_attempts: fn(Duration) -> String,
    pub try_again_later: Cow<'static, str>,
    pub question: Cow<'static, str>,
    pub go_on: Cow<'static, str>,
    pub answer_missing: Cow<'static, str>,
    pub answer_wrong: Cow<'static, str>,
    pub consent: Cow<'static, str>,
    pub wants_access: Cow<'static, str>,
    pub allow: Cow<'static, str>,
    pub deny: Cow<'static, str>,
    pub sign_out: Cow<'static, str>,
    pub sign_out_question: Cow<'static, str>,
    pub stay: Cow<'static, str>,
    pub stayed: Cow<'static, str>,
    pub sent_here: Cow<'static, str>,
    pub signed_in_as: Cow<'static, str>,
    pub signed_out: Cow<'static, str>,
    pub close_window: Cow<'static, str>,
    pub cannot_go_on: Cow<'static, str>,
    pub cannot_sign_out: Cow<'static, str>,
    pub went_wrong: Cow<'static, str>,
    pub nothing_was_sent: Cow<'static, str>,
    /// From a scope to its description in this language; where there is none, that of
    /// [`Builder::scope`](crate::Builder::scope) is shown.
    pub scopes: BTreeMap<String, String>,
}

impl Texts {
    /// The language that every service has.
    #[must_use]
    pub fn english() -> Self {
        Texts {
            language: "en".into(),
            sign_in: "Sign in".into(),
            to_continue: "to continue to {client}".into(),
            asks_for: "{client} asks for".into(),
            username: "Username".into(),
            password: "Password".into(),
            returns_to: "You will then be sent to {host}".into(),
            cancel: "Cancel".into(),
            incomplete: "Enter your username and your password.".into(),
            too_long: "That is too long.".into(),
            wrong: "The username or the password is not right.".into(),
            too_many_attempts: |wait| {
                let (count, unit) = in_words(wait, ["second", "minute", "hour"]);
                format!("Too many attempts. Wait {count} {unit}{}, then try again.", if count == 1 { "" } else { "s" })
            },
            try_again_later: "Signing in does not work at the moment. Try again in a little while.".into(),
            question: "One more step".into(),
            go_on: "Continue".into(),
            answer_missing: "Give an answer.".into(),
            answer_wrong: "That is not right.".into(),
            consent: "Allow access?".into(),
            wants_access: "{client} wants access to your account {account}".into(),
            allow: "Allow".into(),
            deny: "Deny".into(),
            sign_out: "Sign out".into(),
            sign_out_question: "Sign out?".into(),
            stay: "Stay signed in".into(),
            stayed: "You are still signed in".into(),
            sent_here: "An application sent you here.".into(),
            signed_in_as:
                "You are signed in as {account}. Applications that you opened with it are signed out as well.".into(),
            signed_out: "You are signed out".into(),
            close_window: "You can close this window.".into(),
            cannot_go_on: "This sign-in cannot go on".into(),
            cannot_sign_out: "The sign-out did not work".into(),
            went_wrong: "Something went wrong here".into(),
            nothing_was_sent: "Error {status}. Nothing was sent to the application.".into(),
            scopes: BTreeMap::new(),
        }
    }

    /// German, for [`Builder::language`](crate::Builder::language).
    #[must_use]
    pub fn german() -> Self {
        Texts {
            language: "de".into(),
            sign_in: "Anmelden".into(),
            to_continue: "um mit {client} fortzufahren".into(),
            asks_for: "{client} möchte".into(),
            username: "Benutzername".into(),
            password: "Passwort".into(),
            returns_to: "Danach werden Sie zu {host} weitergeleitet".into(),
            cancel: "Abbrechen".into(),
            incomplete: "Geben Sie Ihren Benutzernamen und Ihr Passwort ein.".into(),
            too_long: "Das ist zu lang.".into(),
            wrong: "Benutzername oder Passwort stimmt nicht.".into(),
            too_many_attempts: |wait| {
                let (count, unit) =
                    in_words(wait, [["Sekunde", "Sekunden"], ["Minute", "Minuten"], ["Stunde", "Stunden"]]);
                let unit = unit[usize::from(count != 1)];
                format!("Zu viele Versuche. Warten Sie {count} {unit} und versuchen Sie es dann noch einmal.")
            },
            try_again_later: "Die Anmeldung ist gerade nicht möglich. Versuchen Sie es in Kürze noch einmal.".into(),
            question: "Noch ein Schritt".into(),
            go_on: "Weiter".into(),
            answer_missing: "Geben Sie eine Antwort.".into(),
            answer_wrong: "Das stimmt nicht.".into(),
            consent: "Zugriff erlauben?".into(),
            wants_access: "{client} möchte auf Ihr Konto {account} zugreifen".into(),
            allow: "Erlauben".into(),
            deny: "Ablehnen".into(),
            sign_out: "Abmelden".into(),
            sign_out_question: "Abmelden?".into(),
            stay: "Angemeldet bleiben".into(),
            stayed: "Sie sind weiterhin angemeldet".into(),
            sent_here: "Eine Anwendung hat Sie hierher geleitet.".into(),
            signed_in_as:
                "Sie sind als {account} angemeldet. Auch die Anwendungen, die Sie damit geöffnet haben, werden \
                           abgemeldet."
                    .into(),
            signed_out: "Sie sind abgemeldet".into(),
            close_window: "Sie können dieses Fenster schließen.".into(),
            cannot_go_on: "Diese Anmeldung kann nicht fortgesetzt werden".into(),
            cannot_sign_out: "Die Abmeldung hat nicht funktioniert".into(),
            went_wrong: "Hier ist etwas schiefgegangen".into(),
            nothing_was_sent: "Fehler {status}. An die Anwendung wurde nichts gesendet.".into(),
            scopes: BTreeMap::new(),
        }
    }

    /// Whether every sentence is there, with its places for names.
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

    fn sentences(&self) -> [(&'static str, &str, &'static [&'static str]); 32] {
        [
            ("sign_in", &self.sign_in, &[]),
            ("to_continue", &self.to_continue, &["{client}"]),
            ("asks_for", &self.asks_for, &["{client}"]),
            ("username", &self.username, &[]),
            ("password", &self.password, &[]),
            ("returns_to", &self.returns_to, &["{host}"]),
            ("cancel", &self.cancel, &[]),
            ("incomplete", &self.incomplete, &[]),
            ("too_long", &self.too_long, &[]),
            ("wrong", &self.wrong, &[]),
            ("try_again_later", &self.try_again_later, &[]),
            ("question", &self.question, &[]),
            ("go_on", &self.go_on, &[]),
            ("answer_missing", &self.answer_missing, &[]),
            ("answer_wrong", &self.answer_wrong, &[]),
            ("consent", &self.consent, &[]),
            ("wants_access", &self.wants_access, &["{client}", "{account}"]),
            ("allow", &self.allow, &[]),
            ("deny", &self.deny, &[]),
            ("sign_out", &self.sign_out, &[]),
            ("sign_out_question", &self.sign_out_question, &[]),
            ("stay", &self.stay, &[]),
            ("stayed", &self.stayed, &[]),
            ("sent_here", &self.sent_here, &[]),
            ("signed_in_as", &self.signed_in_as, &["{account}"]),
            ("signed_out", &self.signed_out, &[]),
            ("close_window", &self.close_window, &[]),
            ("cannot_go_on", &self.cannot_go_on, &[]),
            ("cannot_sign_out", &self.cannot_sign_out, &[]),
            ("went_wrong", &self.went_wrong, &[]),
            ("nothing_was_sent", &self.nothing_was_sent, &["{status}"]),
            ("language", &self.language, &[]),
        ]
    }

    /// What is told of a problem; `asked` on the page that asks one more thing.
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
}

/// A time to wait, in the unit that suits it. Rounded up, because whoever comes back too early is refused again.
fn in_words<U: Copy>(wait: Duration, [second, minute, hour]: [U; 3]) -> (u64, U) {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    match seconds {
        ..=90 => (seconds, second),
        91..=5400 => (seconds.div_ceil(60), minute),
        _ => (seconds.div_ceil(3600), hour),
    }
}

/// A sentence with names in it, which the template makes stand out and keeps as text.
#[derive(Template)]
#[template(path = "sentence.html")]
pub(super) struct Sentence<'a> {
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    text: &'a str,
    is_name: bool,
}

// Its template escapes what is in it.
impl HtmlSafe for Sentence<'_> {}

impl<'a> Sentence<'a> {
    /// With each place such as `{client}` taken by its name.
    pub(super) fn new(text: &'a str, names: &[(&str, &'a str)]) -> Self {
        let mut parts = vec![Part { text, is_name: false }];
        for (place, name) in names {
            let found = parts.iter().position(|part| !part.is_name && part.text.contains(place));
            if let Some(index) = found
                && let Some((before, after)) = parts[index].text.split_once(place)
            {
                let around = [(before, false), (*name, true), (after, false)];
                parts.splice(index..=index, around.map(|(text, is_name)| Part { text, is_name }));
            }
        }
        Sentence { parts }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_are_whole_and_different() {
        let (english, german) = (Texts::english(), Texts::german());
        assert_eq!((english.check(), german.check()), (Ok(()), Ok(())));
        for ((name, english, _), (_, german, _)) in english.sentences().into_iter().zip(german.sentences()) {
            assert_ne!(english, german, "{name}");
        }
    }

    #[test]
    fn a_missing_place_or_sentence_is_named() {
        for (name, _, places) in Texts::english().sentences() {
            if places.is_empty() {
                continue;
            }
            let mut texts = Texts::english();
            let field = match name {
                "to_continue" => &mut texts.to_continue,
                "asks_for" => &mut texts.asks_for,
                "returns_to" => &mut texts.returns_to,
                "wants_access" => &mut texts.wants_access,
                "signed_in_as" => &mut texts.signed_in_as,
                "nothing_was_sent" => &mut texts.nothing_was_sent,
                other => panic!("a place that is not tried: {other}"),
            };
            *field = "without".into();
            let why = texts.check().expect_err(name);
            assert!(why.contains(name) && why.contains(places[0]), "{why}");
        }
        let why = Texts { allow: " ".into(), ..Texts::english() }.check();
        assert_eq!(why, Err("allow is empty".to_owned()));
        for language in ["", "d e", "de\"", "x\n"] {
            assert!(Texts { language: language.into(), ..Texts::english() }.check().is_err(), "{language:?}");
        }
    }

    #[test]
    fn the_wait_is_in_words_and_never_too_short() {
        let cases = [
            (Duration::ZERO, "1 second,", "1 Sekunde "),
            (Duration::from_millis(1), "1 second,", "1 Sekunde "),
            (Duration::from_millis(1001), "2 seconds,", "2 Sekunden "),
            (Duration::from_secs(90), "90 seconds,", "90 Sekunden "),
            (Duration::from_secs(91), "2 minutes,", "2 Minuten "),
            (Duration::from_secs(15 * 60), "15 minutes,", "15 Minuten "),
            (Duration::from_secs(15 * 60 + 1), "16 minutes,", "16 Minuten "),
            (Duration::from_secs(5401), "2 hours,", "2 Stunden "),
            (Duration::MAX, "5124095576030432 hours,", "5124095576030432 Stunden "),
        ];
        for (wait, english, german) in cases {
            let text = (Texts::english().too_many_attempts)(wait);
            assert!(text.contains(english), "{text}");
            let text = (Texts::german().too_many_attempts)(wait);
            assert!(text.contains(german), "{text}");
        }
    }

    #[test]
    fn a_name_stays_text_and_brings_no_place_of_its_own() {
        let names = [("{client}", "<b>{account}"), ("{account}", "ada")];
        let sentence = Sentence::new("{client} & {account}!", &names).to_string();
        let html = sentence.replace("&#60;", "&lt;").replace("&#62;", "&gt;").replace("&#38;", "&amp;");
        assert_eq!(html, "<strong><bdi>&lt;b&gt;{account}</bdi></strong> &amp; <strong><bdi>ada</bdi></strong>!");
    }
}
