//! Whether an answer to an authorization request has room for a user, which is checked before anyone types a password.

use crate::error::Reason;
use crate::model::as_of::{AsOf, Incarnation};
use crate::model::code::{AuthorizationCode, AuthorizationRequest};
use crate::model::id::random_id;
use crate::model::length::text_bytes;
use crate::model::session::{Authentication, Person, Session};
use crate::response::{HEAD_BYTES, redirect, room_left};
use crate::seal::{NotSealed, Sealable as _, sealed_from};
use crate::server::Server;
use crate::sign_in::redirect::code;
use crate::sign_in::request::Authorization;

/// Checks whether there is room for any user.
pub(crate) fn check(server: &Server, authorization: &Authorization) -> Result<(), Reason> {
    if is_short(server, authorization) {
        debug_assert_eq!(measured(server, authorization), Ok(()), "what is found short is short");
        return Ok(());
    }
    measured(server, authorization)
}

/// The same, estimated: each part as long as it can be. Most requests are far from the limit.
fn is_short(server: &Server, Authorization { request, client, destination }: &Authorization) -> bool {
    let AuthorizationRequest { scope, resources, state, nonce, in_id_token, .. } = request;
    let listed = resources.iter().chain(in_id_token.iter().map(String::as_str));
    let in_code = scope.iter().chain(listed).chain([client.id.as_str()]).chain(nonce.as_deref());
    let code = sealed_from::<AuthorizationCode>(OF_A_CODE + in_code.map(|text| text_bytes(text) + 1).sum::<usize>());
    let in_url = 3 * (state.as_deref().map_or(0, str::len) + server.issuer().as_str().len());
    let answer = OF_AN_ANSWER + destination.uri.len() + in_url + code;
    code <= AuthorizationCode::MAX_BYTES && answer < HEAD_BYTES
}

/// The same, measured with an answer for some user.
fn measured(server: &Server, authorization: &Authorization) -> Result<(), Reason> {
    let Authorization { request, destination, .. } = authorization;
    let now = server.now();
    let anyone = Person {
        subject: "s".repeat(ROOM_FOR_SUBJECT),
        account: "a".repeat(ROOM_FOR_SUBJECT),
        device: None,
        claims: std::iter::once(("c".to_owned(), "x".repeat(ROOM_FOR_CLAIMS).into())).collect(),
        authentication: Authentication {
            at: now,
            amr: vec!["pwd".to_owned(), "otp".to_owned()],
            acr: None,
            until: Some(now),
            session: Some(random_id()),
            as_of: AsOf { incarnation: Incarnation::from_bits(0), sequence: now.seconds() },
        },
    };
    let code = code(authorization, &request.scope, &request.resources, &anyone, random_id());
    // Only estimated: sealing it would cost as much as making the real code.
    let code = server.sealer().sealed_bytes(&code, now, now).map_err(|why| match why {
        NotSealed::TooLarge => Reason::RequestTooLong,
        NotSealed::Failed => Reason::Internal,
    })?;
    let answer = redirect(server, destination, request.state.as_deref(), &[("code", "")]);
    let is_room = room_left(&answer) > code + Session::room_for(&anyone, true, server)?;
    if is_room { Ok(()) } else { Err(Reason::RequestTooLong) }
}

/// The bytes that every answer reserves for its user: for the `sub` and the name as typed, and for their claims.
const ROOM_FOR_SUBJECT: usize = 64;
const ROOM_FOR_CLAIMS: usize = 448;
/// The length of a code besides the texts of its request, as JSON.
const OF_A_CODE: usize = ROOM_FOR_SUBJECT + ROOM_FOR_CLAIMS + 640;
/// The length of an answer besides its code, its state and its URLs: its headers, and the cookie of a session.
const OF_AN_ANSWER: usize = 768;
