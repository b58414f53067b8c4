//! What happens in a service, for its author: who signed in, what was issued, what was ended, what was held up.

pub(crate) mod request;
pub(crate) mod teller;

use std::net::IpAddr;

use serde::Serialize;
use tracing::Level;

use crate::model::{Timestamp, words};

/// Something that happened in a service: what [`Builder::on_event`](crate::Builder::on_event) is given, and what the log
/// says in the same words.
///
/// It names users only by their subjects. What was typed as a name or a password is never part of it, since a password
/// may be typed into the field for the name. A table in the page `events` of the guide says which kind has which
/// fields.
///
/// As JSON it has only the fields that are set:
///
/// ```
/// # use oauth_runtime::{Client, Login, OAuthService};
/// # #[actix_web::main] async fn main() {
/// let (sender, events) = std::sync::mpsc::channel();
/// let oauth = OAuthService::builder()
///     .on_event(move |event| sender.send(serde_json::to_value(event).unwrap()).unwrap())
///     // and the rest
/// #   .issuer("http://127.0.0.1:8000").client(Client::public("demo").redirect_uri("http://127.0.0.1/"))
/// #   .authenticate_blocking(|_: Login| Some(serde_json::json!({})))
///     .build()
///     .unwrap();
/// oauth.sign_out("alice").await.unwrap();
///
/// let event = events.recv().unwrap();
/// assert_eq!(event, serde_json::json!({ "kind": "signed_out_everywhere", "at": event["at"], "subject": "alice" }));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When, by the clock of the service; in JSON the seconds since 1970.
    pub at: Timestamp,
    /// Which user, as the `sub` of tokens; a client that has a token in its own name is its subject too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Which client, by its `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Which grant: everything issued from one code has the same. It is the id for
    /// [`OAuthService::revoke_grant`](crate::OAuthService::revoke_grant).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Which session, as the `sid` of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Which key, as the `kid` of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where the request came from, as [`Builder::client_address`](crate::Builder::client_address) reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Why, or how: one of a few words for each kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The request at one of the server's own URLs in which it happened: the `id` of its span in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// How many events before this one were dropped, because the functions did not keep up.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// From the table below: the kinds, the words for them, how the log says them, and the words for their reasons.
macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident = $word:literal, $level:ident, $text:literal $(, [$($reason:literal),+])?;)+) => {
        words! {
            /// What happened.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
            #[serde(rename_all = "snake_case")]
            #[non_exhaustive]
            pub enum EventKind { $($(#[$meta])* $kind = $word,)+ }
        }

        impl EventKind {
            fn level(self) -> Level {
                match self { $(EventKind::$kind => Level::$level,)+ }
            }

            fn text(self) -> &'static str {
                match self { $(EventKind::$kind => $text,)+ }
            }

            /// The words that [`Event::reason`] may be for it; none where it never has a reason.
            #[must_use]
            pub fn reasons(self) -> &'static [&'static str] {
                match self { $(EventKind::$kind => &[$($($reason),+)?],)+ }
            }
        }
    };
}

// A row: the kind, its word, the level and the text of its line in the log, and its reasons.
kinds! {
    /// A user signed in, on the built-in pages or on yours. Consent may still be asked.
    SignedIn = "signed_in", INFO, "a user signed in";
    /// A sign-in failed. Reasons: `wrong` (name or password), `cancelled` (by the user), `denied` (by a page of yours),
    /// `claims` (they cannot be used), `signed_out` (while it was under way), `another_user`, `too_long_ago` or `acr`
    /// (not what the client asked for by `id_token_hint`, `prompt` and `max_age`, or `acr_values`), `no_answer` (your
    /// function failed).
    SignInRefused = "sign_in_refused", INFO, "sign-in refused",
        ["acr", "another_user", "cancelled", "claims", "denied", "no_answer", "signed_out", "too_long_ago", "wrong"];
    /// A second factor is asked for after the password.
    SecondFactorAsked = "second_factor_asked", INFO, "a second factor was asked for";
    /// The answer to it was refused. Reasons: `wrong`, `cancelled`, `no_answer`.
    SecondFactorRefused = "second_factor_refused", INFO, "sign-in refused at the second factor",
        ["cancelled", "no_answer", "wrong"];
    /// A user signed in with a browser that showed no session of theirs, live or ended, and that is not known for the
    /// name they typed. Only where there are sessions. On a page of your own no name is typed, so a browser that was
    /// closed or signed out since then counts as new.
    NewDevice = "new_device", INFO, "a user signed in with a browser that is new to them";
    /// A client registered itself; codes, tokens and later events name it in the same way.
    ClientRegistered = "client_registered", INFO, "a client registered itself";
    /// A client that had registered itself was ended, by your code.
    RegistrationEnded = "registration_ended", INFO, "a registration was ended";
    /// A user allowed a client what it asked for. Not reported when an earlier consent is remembered.
    ConsentGiven = "consent_given", INFO, "consent was given";
    /// A user denied a client what it asked for. What the client was allowed before is withdrawn, unless the denied
    /// client is a device without a browser.
    ConsentDenied = "consent_denied", INFO, "consent was refused";
    /// A client's user was sent back to it with a code.
    CodeIssued = "code_issued", INFO, "authorization code issued";
    /// A client got an access token, for the grant type that is the reason: `authorization_code`, `client_credentials` or
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    TokenIssued = "token_issued", INFO, "access token issued",
        ["authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"];
    /// A client got another access token for a refresh token.
    Refreshed = "refreshed", INFO, "access token refreshed";
    /// A device without a browser asks for a sign-in, and shows a code to its user.
    DeviceAsked = "device_asked", INFO, "a device asks for a sign-in";
    /// A code was typed that no device shows. Reason: `wrong`.
    UserCodeRefused = "user_code_refused", INFO, "the code of a device was refused", ["wrong"];
    /// A code came twice: what was issued from it is revoked.
    CodeReplayed = "code_replayed", WARN, "a code was replayed: its grant is revoked";
    /// A refresh token came back after it was replaced: its grant is revoked.
    RefreshTokenReused = "refresh_token_reused", WARN, "a refresh token was reused: its grant is revoked";
    /// A grant was ended. Reasons: `client` (gave it back), `hint` (all that a client got by one session, since it sent
    /// its user to sign out without that session), `application` (by
    /// [`revoke_grant`](crate::OAuthService::revoke_grant), which ends sessions and consents too), `user` (on the account
    /// page), `cancelled` (its user went back to a page that was sent, and left), `user_gone` (there is no such user any more).
    Revoked = "revoked", INFO, "a grant was revoked",
        ["application", "cancelled", "client", "hint", "user", "user_gone"];
    /// A session was ended, with all that clients got by it. Reasons: `user`, `client` (by an ID token as a hint),
    /// `replaced` (another user signed in with the same browser), `user_gone`.
    SignedOut = "signed_out", INFO, "a session was ended", ["client", "replaced", "user", "user_gone"];
    /// A client was told that a session ended ([`Client::backchannel_logout_uri`](crate::Client)).
    LogoutTold = "logout_told", INFO, "a client was told of a sign-out";
    /// A client could not be told that a session ended, and is not asked again. Reasons: `refused` (it answered none of 200, 204, 408 and 429, and less than 500),
    /// `no_answer` (four times, or for ten minutes), `clients_away` (your function of clients could not say where), `no_client` (it is gone), `no_key`
    /// (none signs as it wants), `too_many` (wait for it).
    LogoutNotTold = "logout_not_told", WARN, "a client was not told of a sign-out",
        ["clients_away", "no_answer", "no_client", "no_key", "refused", "too_many"];
    /// All that a user held was ended, by [`sign_out`](crate::OAuthService::sign_out).
    SignedOutEverywhere = "signed_out_everywhere", INFO, "a user was signed out everywhere";
    /// All that is kept of a user was removed, by [`forget`](crate::OAuthService::forget).
    Forgotten = "forgotten", INFO, "a user was forgotten";
    /// Something was held up. The reason is the limit: of sign-ins by `address`, by `name`, by `name_and_address` or by
    /// `subject`, which names the user; the `budget` of an hour for one name; of a known `device`; of answers to a
    /// `second_factor`, of failed tries of a `client`, of `grants` of one user, of `devices` that ask, of guesses at a
    /// `user_code`, of clients that register themselves (`registration`).
    Throttled = "throttled", WARN, "a limit was reached",
        ["address", "budget", "client", "device", "devices", "grants", "name", "name_and_address", "registration", "second_factor", "subject", "user_code"];
    /// Another key than before signs tokens: the next period began, or yours was promoted. Each process reports it,
    /// with the first token that it signs with that key.
    KeyChanged = "key_changed", INFO, "another key signs from now on";
    /// The store does not answer, or answers with an error: reported once until it is back. Reasons: `timeout`,
    /// `error`.
    StoreAway = "store_away", ERROR, "the store is away", ["error", "timeout"];
    /// The store answers again.
    StoreBack = "store_back", INFO, "the store is back";
    /// The store was found in an earlier state than before: what it held of a part of the users is refused from now on.
    Rewound = "rewound", ERROR,
        "the store is in an earlier state than before: what it held is refused from now on, and its users sign in again; \
         after a restore, call renew() at once";
    /// All that was ever handed out was ended, by [`renew`](crate::OAuthService::renew).
    Renewed = "renewed", WARN, "the store was renewed: every user has to sign in again";
}

/// What is reported about something that happened; the request is known from the context.
#[derive(Clone, Copy)]
pub(crate) struct Fact<'a> {
    kind: EventKind,
    subject: Option<&'a str>,
    client: Option<&'a str>,
    grant: Option<&'a str>,
    session: Option<&'a str>,
    key: Option<&'a str>,
    reason: Option<&'static str>,
}

impl<'a> Fact<'a> {
    pub(crate) fn of(kind: EventKind) -> Self {
        Fact { kind, subject: None, client: None, grant: None, session: None, key: None, reason: None }
    }

    pub(crate) fn subject(self, subject: &'a str) -> Self {
        Fact { subject: Some(subject), ..self }
    }

    /// `None` if it is empty, as for a sign-in to a page of the application itself.
    pub(crate) fn client(self, client: &'a str) -> Self {
        Fact { client: Some(client).filter(|client| !client.is_empty()), ..self }
    }

    pub(crate) fn grant(self, grant: &'a str) -> Self {
        Fact { grant: Some(grant), ..self }
    }

    pub(crate) fn session(self, session: Option<&'a str>) -> Self {
        Fact { session, ..self }
    }

    pub(crate) fn key(self, key: &'a str) -> Self {
        Fact { key: Some(key), ..self }
    }

    pub(crate) fn reason(self, reason: &'static str) -> Self {
        debug_assert!(self.kind.reasons().contains(&reason), "{:?}: {reason} is not in its row", self.kind);
        Fact { reason: Some(reason), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_word_wherever_it_is_written() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.as_str());
            assert!(kind.reasons().is_sorted(), "{kind:?}: as the page has them");
        }
    }
}
