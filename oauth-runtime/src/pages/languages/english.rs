//! English.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words};

pub(super) fn texts() -> Texts {
    Texts {
        language: "en".into(),
        sign_in: "Sign in".into(),
        to_continue: "to continue to {client}".into(),
        able_to: "{client} will be able to:".into(),
        valid_at: "This access is valid at:".into(),
        lasting_access: "Keep this access while you are away, until you end it".into(),
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
        signing_in_as: "Signing in as {account}".into(),
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
        signed_in_as: "You are signed in as {account}. Applications that you opened with it are signed out as well."
            .into(),
        signed_out: "You are signed out".into(),
        close_window: "You can close this window.".into(),
        cannot_go_on: "This sign-in cannot go on".into(),
        cannot_sign_out: "The sign-out did not work".into(),
        went_wrong: "Something went wrong here".into(),
        request_unusable:
            "The application sent something that cannot be answered. Go back to it and try again. If that does \
             not help, tell the people who run it."
                .into(),
        server_failed: "That is our fault, not yours. Try again later.".into(),
        busy: "Something does not answer at the moment. Try again in a little while.".into(),
        page_expired: "This page is too old. Go back to the application and start again.".into(),
        page_used: "This page was sent before. Go back to the application and start again.".into(),
        other_browser:
            "This sign-in began in another browser, or your browser keeps no cookies. Allow cookies, go back to \
             the application and start again."
                .into(),
        other_site: "A page of another site sent this form. Go back to the application and start again.".into(),
        signed_out_since: "You were signed out in the meantime. Go back to the application and start again.".into(),
        account_unusable: "This account cannot be used to sign in. Ask the people who run this service.".into(),
        back_to: "Back to {client}".into(),
        nothing_was_sent: "Error {status}. Nothing was sent to the application.".into(),
        terms: "Terms".into(),
        privacy: "Privacy".into(),
        scopes: BTreeMap::new(),
    }
}
