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
    for reason in Reason::samples() {
        let is_for_a_while = matches!(reason.wire().status.as_u16(), 429 | 503);
        assert_eq!(reason.retry_after().is_some(), is_for_a_while, "{reason:?}");
    }
}

#[test]
fn the_page_has_every_code() {
    let page = include_str!("../../docs/errors.md");
    let (_, table) = page.split_once("## Every error").expect("the table of errors");
    for code in Code::ALL {
        assert!(table.contains(&format!("`{}`", code.as_str())), "{code:?}");
        assert!(Reason::samples().iter().any(|reason| reason.wire().code == Some(*code)), "no reason has {code:?}");
    }
}
