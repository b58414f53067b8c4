//! The built-in pages, from their templates.

use std::borrow::Cow;

use askama::Template;

use crate::model::Timestamp;
use crate::pages::contents::{
    AccountApplication, AccountPage, AccountSession, Back, Brand, ConsentPage, DeviceDonePage, DevicePage, ErrorPage,
    OnwardPage, PageError, QuestionPage, SignInPage, SignOutPage, SignedOutPage, StayedPage,
};
use crate::pages::sentence::Sentence;
use crate::pages::texts::{SignInProblem, Texts};

pub(super) fn sign_in(page: &SignInPage<'_>) -> Result<String, PageError> {
    let SignInPage { brand, texts, .. } = page;
    let both = matches!(page.problem, Some(SignInProblem::Wrong | SignInProblem::TooLong));
    let incomplete = page.problem == Some(SignInProblem::Incomplete);
    let document = SignInDocument {
        brand,
        texts,
        page,
        to_continue: Sentence::new(&texts.to_continue, &[("{client}", page.client)]),
        able_to: Sentence::new(&texts.able_to, &[("{client}", page.client)]),
        ends: ends(texts, page.returns_to, page.user_code),
        problem: page.problem.map(|problem| texts.problem(problem, false)),
        username_invalid: both || (incomplete && page.username.is_empty()),
        // A page never gets the password: if the name is present, the password was missing.
        password_invalid: both || (incomplete && !page.username.is_empty()),
    };
    Ok(document.render()?)
}

pub(super) fn question(page: &QuestionPage<'_>) -> Result<String, PageError> {
    let QuestionPage { brand, texts, .. } = page;
    let document = QuestionDocument {
        brand,
        texts,
        page,
        to_continue: Sentence::new(&texts.to_continue, &[("{client}", page.client)]),
        signing_in_as: Sentence::new(&texts.signing_in_as, &[("{account}", page.account)]),
        ends: ends(texts, page.returns_to, page.user_code),
        problem: page.problem.map(|problem| texts.problem(problem, true)),
        is_invalid: matches!(
            page.problem,
            Some(SignInProblem::Wrong | SignInProblem::TooLong | SignInProblem::Incomplete)
        ),
    };
    Ok(document.render()?)
}

pub(super) fn consent(page: &ConsentPage<'_>) -> Result<String, PageError> {
    let ConsentPage { brand, texts, .. } = page;
    let asked = page.device.and_then(|device| {
        let (time, address) = (device.asked_at.time_of_day(), device.asked_from?.to_canonical().to_string());
        Some((time, address))
    });
    let asked = asked.as_ref();
    let document = ConsentDocument {
        brand,
        texts,
        page,
        wants_access: Sentence::new(&texts.wants_access, &[("{client}", page.client), ("{account}", page.account)]),
        calls_itself: page.calls_itself.map(|name| Sentence::new(&texts.calls_itself, &[("{name}", name)])),
        able_to: Sentence::new(&texts.able_to, &[("{client}", page.client)]),
        asked: asked
            .map(|(time, address)| Sentence::new(&texts.device_asked, &[("{time}", time), ("{address}", address)])),
        returns_to: returns_to(texts, page.returns_to),
    };
    Ok(document.render()?)
}

/// The last sentence: where the browser goes, or which device asks.
fn ends<'a>(texts: &'a Texts, returns_to: &'a str, user_code: Option<&'a str>) -> Sentence<'a> {
    match user_code {
        Some(code) => Sentence::new(&texts.for_device, &[("{code}", code)]),
        None => self::returns_to(texts, returns_to),
    }
}

/// Where the browser goes. What may be spelled like a host is called what it is.
fn returns_to<'a>(texts: &'a Texts, place: &'a str) -> Sentence<'a> {
    if place.ends_with(':') {
        Sentence::new(&texts.returns_to_app, &[("{scheme}", place)])
    } else {
        Sentence::new(&texts.returns_to, &[("{host}", place)])
    }
}

pub(super) fn device(page: &DevicePage<'_>) -> Result<String, PageError> {
    let DevicePage { brand, texts, .. } = page;
    let is_wrong =
        matches!(page.problem, Some(SignInProblem::Wrong | SignInProblem::TooLong | SignInProblem::Incomplete));
    let problem = page.problem.map(|problem| match problem {
        SignInProblem::Wrong | SignInProblem::TooLong | SignInProblem::Incomplete => Cow::Borrowed(&*texts.code_wrong),
        SignInProblem::TooManyAttempts(_) | SignInProblem::TryAgainLater => texts.problem(problem, true),
    });
    Ok(DeviceDocument { brand, texts, page, problem, is_wrong }.render()?)
}

pub(super) fn device_done(page: &DeviceDonePage<'_>) -> Result<String, PageError> {
    Ok(DeviceDoneDocument { brand: page.brand, texts: page.texts, page }.render()?)
}

pub(super) fn onward(page: &OnwardPage<'_>) -> Result<String, PageError> {
    Ok(OnwardDocument { brand: page.brand, texts: page.texts, page }.render()?)
}

pub(super) fn sign_out(page: &SignOutPage<'_>) -> Result<String, PageError> {
    let SignOutPage { brand, texts, .. } = page;
    let signed_in_as = Sentence::new(&texts.signed_in_as, &[("{account}", page.account)]);
    Ok(SignOutDocument { brand, texts, page, signed_in_as }.render()?)
}

pub(super) fn signed_out(page: &SignedOutPage<'_>) -> Result<String, PageError> {
    Ok(SignedOutDocument { brand: page.brand, texts: page.texts }.render()?)
}

pub(super) fn stayed(page: &StayedPage<'_>) -> Result<String, PageError> {
    Ok(StayedDocument { brand: page.brand, texts: page.texts }.render()?)
}

pub(super) fn account(page: &AccountPage<'_>) -> Result<String, PageError> {
    let AccountPage { brand, texts, .. } = page;
    let signed_in_here = Sentence::new(&texts.signed_in_here, &[("{account}", page.account)]);
    let when = |first: Timestamp, last: Timestamp| {
        let words = |text: &str, at: Timestamp| text.replace("{date}", &at.date());
        [words(&texts.since, first), words(&texts.last_used, last)]
    };
    let sessions = page.sessions.iter().map(|it| (it, when(it.begun, it.last_used))).collect();
    let applications = page.applications.iter().map(|it| (it, when(it.since, it.last_used))).collect();
    Ok(AccountDocument { brand, texts, page, signed_in_here, sessions, applications }.render()?)
}

pub(super) fn error(page: &ErrorPage<'_>) -> Result<String, PageError> {
    let ErrorPage { brand, texts, .. } = page;
    // There is no client for a page of the application itself.
    let is_of_client = page.sign_in.is_none();
    let nothing_was_sent = is_of_client.then(|| texts.nothing_was_sent.replace("{status}", &page.status.to_string()));
    let back_to = page.back.map(|back| (back, Sentence::new(&texts.back_to, &[("{client}", back.client)])));
    Ok(ErrorDocument { brand, texts, page, nothing_was_sent, back_to }.render()?)
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a SignInPage<'a>,
    to_continue: Sentence<'a>,
    able_to: Sentence<'a>,
    ends: Sentence<'a>,
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
    signing_in_as: Sentence<'a>,
    to_continue: Sentence<'a>,
    ends: Sentence<'a>,
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
    calls_itself: Option<Sentence<'a>>,
    able_to: Sentence<'a>,
    /// When and from where the device asked.
    asked: Option<Sentence<'a>>,
    returns_to: Sentence<'a>,
}

#[derive(Template)]
#[template(path = "device.html")]
struct DeviceDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a DevicePage<'a>,
    problem: Option<Cow<'a, str>>,
    is_wrong: bool,
}

#[derive(Template)]
#[template(path = "device_done.html")]
struct DeviceDoneDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a DeviceDonePage<'a>,
}

#[derive(Template)]
#[template(path = "onward.html")]
struct OnwardDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a OnwardPage<'a>,
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
#[template(path = "stayed.html")]
struct StayedDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a ErrorPage<'a>,
    nothing_was_sent: Option<String>,
    back_to: Option<(Back<'a>, Sentence<'a>)>,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountDocument<'a> {
    brand: &'a Brand,
    texts: &'a Texts,
    page: &'a AccountPage<'a>,
    signed_in_here: Sentence<'a>,
    /// Each with when it was used.
    sessions: Vec<(&'a AccountSession<'a>, [String; 2])>,
    applications: Vec<(&'a AccountApplication<'a>, [String; 2])>,
}
