//! What every reason is held to.

use super::*;
use crate::model::proof::Flaw;

/// What a reason can carry.
pub(super) trait Payload: Sized {
    fn samples() -> Vec<Self>;
}

/// A text that interpolates takes only parameter names, which are of the allowed characters.
impl Payload for &'static str {
    fn samples() -> Vec<Self> {
        vec!["client_id"]
    }
}

impl Payload for usize {
    fn samples() -> Vec<Self> {
        vec![8 * 1024]
    }
}

impl Payload for bool {
    fn samples() -> Vec<Self> {
        vec![true, false]
    }
}

impl Payload for Duration {
    fn samples() -> Vec<Self> {
        vec![Duration::from_secs(7)]
    }
}

impl Payload for Scope {
    fn samples() -> Vec<Self> {
        vec![Scope::default()]
    }
}

impl Payload for Box<Audiences> {
    fn samples() -> Vec<Self> {
        vec![Box::new(Audiences { of_the_token: vec!["a".to_owned()], expected: "b".to_owned() })]
    }
}

impl Payload for Unfit {
    fn samples() -> Vec<Self> {
        Unfit::ALL.to_vec()
    }
}

impl Payload for Away {
    fn samples() -> Vec<Self> {
        Away::ALL.to_vec()
    }
}

impl Payload for ShownAt {
    fn samples() -> Vec<Self> {
        ShownAt::ALL.to_vec()
    }
}

impl Payload for NotProven {
    fn samples() -> Vec<Self> {
        let at = |flaw: &Flaw| ShownAt::ALL.map(|at| NotProven { flaw: *flaw, at });
        Flaw::ALL.iter().flat_map(at).collect()
    }
}

impl Payload for Need {
    fn samples() -> Vec<Self> {
        let need = |max_age, acr| Need { max_age, acr, ..Need::default() };
        vec![need(Some(300), vec![]), need(None, vec!["a"]), need(Some(300), vec!["a"])]
    }
}

#[test]
fn c29_texts_keep_to_the_allowed_characters() {
    for reason in Reason::samples() {
        let Wire { status, text, .. } = reason.wire();
        assert!(text.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{text}");
        assert!(!text.is_empty() && (status.is_client_error() || status.is_server_error()), "{reason:?}");
    }
}

#[test]
fn a_client_may_try_again_when_the_reason_says() {
    let wait = Duration::from_secs(7);
    assert_eq!(Reason::TooManyTries(wait).retry_after(), Some(wait));
    // Stores count in milliseconds: one who comes back at the end of the whole seconds would be too early.
    for (wait, said) in [(7_000, "7"), (6_001, "7"), (1, "1")] {
        let mut response = HttpResponse::TooManyRequests().finish();
        Reason::TooManyTries(Duration::from_millis(wait)).set_retry_after(&mut response);
        assert_eq!(response.headers().get(header::RETRY_AFTER).expect("a header"), said, "{wait} ms");
    }
    for reason in Reason::samples() {
        let is_for_a_while = matches!(reason.wire().status.as_u16(), 429 | 503);
        assert_eq!(reason.retry_after().is_some(), is_for_a_while, "{reason:?}");
    }
}

/// A row of the page: its codes, and what it says of the status.
fn rows(table: &str) -> Vec<(&str, &str)> {
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| {
        let mut cells = row.split(" | ");
        let (code, status) = (cells.next().expect("a code"), cells.nth(1).expect("a status"));
        (code, status)
    })
    .collect()
}

#[test]
fn the_page_has_every_code_with_each_of_its_statuses() {
    let page = include_str!("../../docs/errors.md");
    let (_, table) = page.split_once("## Every error").expect("the table of errors");
    let rows = rows(table);
    for code in Code::ALL {
        assert!(Reason::samples().iter().any(|reason| reason.wire().code == Some(*code)), "no reason has {code:?}");
    }
    for reason in Reason::samples() {
        let Wire { status, code, .. } = reason.wire();
        let named = code.map_or_else(|| "none".to_owned(), |code| format!("`{}`", code.as_str()));
        // A page shows no code: what only pages are answered with is in their rows. A guard's `access_denied` is read by programs.
        let is_on_pages = !matches!(code, Some(Code::AccessDenied));
        let is_of = |cell: &str| cell.contains(&named) || (is_on_pages && cell.starts_with("| none (a page"));
        // What goes back to the client by its redirect URI has the status of a redirect.
        let has = |cell: &str| cell.contains(status.as_str()) || (status == 400 && cell.starts_with("redirect"));
        assert!(rows.iter().any(|(code, cell)| is_of(code) && has(cell)), "{named}, {status}: {reason:?}");
        assert!(code.is_none() || rows.iter().any(|(code, _)| code.contains(&named)), "{named}");
    }
}

/// What an author searches for, with the mistake that it mostly is.
#[test]
fn the_messages_have_each_text_and_each_reason() {
    let page = include_str!("../../docs/messages.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    for reason in Reason::samples() {
        let shown = format!("{reason:?}");
        let name = shown.split(|it: char| !it.is_alphanumeric()).next().expect("a name");
        let row =
            rows.iter().find(|row| row.split(" | ").nth(1).is_some_and(|cell| cell.contains(&format!("`{name}`"))));
        let row = row.unwrap_or_else(|| panic!("the page has no row of {name}"));
        // Of these there are many, on pages of their own.
        let has_own_page = matches!(
            reason,
            Reason::ProofRefused(_)
                | Reason::DocumentUnfit(_)
                | Reason::DocumentAway(_)
                | Reason::RegistrationUnusable(_)
                | Reason::RegistrationOfUri(_)
        );
        let text = reason.wire().text;
        // Of a text about any parameter the page has what follows the name.
        let texts = [text.as_ref(), text.strip_prefix("client_id ").unwrap_or(&text)];
        let is_there = texts.iter().any(|text| rows.iter().any(|row| row.contains(&format!("| `{text}` |"))));
        assert!(is_there || has_own_page, "the page has no row of the text: {text}");
        assert!(row.split(" | ").count() == 3, "{row}");
    }
}
