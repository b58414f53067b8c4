//! English.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words, text};

pub(super) const TEXTS: Texts = Texts {
    language: text("en"),
    sign_in: text("Sign in"),
    to_continue: text("to continue to {client}"),
    able_to: text("{client} will be able to:"),
    valid_at: text("This access is valid at:"),
    lasting_access: text("Keep this access while you are away, until you end it"),
    username: text("Username"),
    password: text("Password"),
    returns_to: text("You will then be sent to {host}"),
    cancel: text("Cancel"),
    incomplete: text("Enter your username and your password."),
    too_long: text("That is too long."),
    wrong: text("The username or the password is not right."),
    too_many_attempts: |wait| {
        let (count, unit) = in_words(wait, ["second", "minute", "hour"]);
        format!("Too many attempts. Wait {count} {unit}{}, then try again.", if count == 1 { "" } else { "s" })
    },
    try_again_later: text("Signing in does not work at the moment. Try again in a little while."),
    question: text("One more step"),
    signing_in_as: text("Signing in as {account}"),
    go_on: text("Continue"),
    answer_missing: text("Give an answer."),
    answer_wrong: text("That is not right."),
    consent: text("Allow access?"),
    wants_access: text("{client} wants access to your account {account}"),
    allow: text("Allow"),
    deny: text("Deny"),
    sign_out: text("Sign out"),
    sign_out_question: text("Sign out?"),
    stay: text("Stay signed in"),
    stayed: text("You are still signed in"),
    sent_here: text("An application sent you here."),
    signed_in_as: text("You are signed in as {account}. Applications that you opened with it are signed out as well."),
    signed_out: text("You are signed out"),
    close_window: text("You can close this window."),
    cannot_go_on: text("This sign-in cannot go on"),
    cannot_sign_out: text("The sign-out did not work"),
    went_wrong: text("Something went wrong here"),
    request_unusable: text(
        "The application sent something that cannot be answered. Go back to it and try again. If that does \
             not help, tell the people who run it.",
    ),
    server_failed: text("That is our fault, not yours. Try again later."),
    busy: text("Something does not answer at the moment. Try again in a little while."),
    page_expired: text("This page is too old. Go back to the application and start again."),
    page_used: text("This page was sent before. Go back to the application and start again."),
    other_browser: text(
        "This sign-in began in another browser, or your browser keeps no cookies. Allow cookies, go back to \
             the application and start again.",
    ),
    other_site: text("A page of another site sent this form. Go back to the application and start again."),
    signed_out_since: text("You were signed out in the meantime. Go back to the application and start again."),
    account_unusable: text("This account cannot be used to sign in. Ask the people who run this service."),
    back_to: text("Back to {client}"),
    sign_in_first: text("You are not signed in here. Open an application, sign in, and come back."),
    nothing_was_sent: text("Error {status}. Nothing was sent to the application."),
    your_account: text("Your account"),
    signed_in_here: text("You are signed in as {account}"),
    sessions: text("Where you are signed in"),
    this_browser: text("This browser"),
    another_browser: text("Another browser"),
    since: text("since {date}"),
    last_used: text("last used {date}"),
    applications: text("Applications with access"),
    no_applications: text("No application has lasting access."),
    remove_access: text("Remove access"),
    terms: text("Terms"),
    privacy: text("Privacy"),
    scopes: BTreeMap::new(),
};
