//! Why something was refused: a closed set of reasons, and their one translation to the wire.

mod audiences;

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

pub(crate) use crate::error::audiences::{Audiences, FOR_ITS_ISSUER};
use crate::model::Scope;
use crate::model::code::Unmet;
use crate::model::document::{Away, Unfit};
use crate::model::form::BadParameter;
use crate::model::lifetime::wait_in_seconds;
use crate::model::proof::{NotProven, ShownAt};
use crate::model::registration::Unusable;
use crate::model::resource::NotGranted;
use crate::pages::Trouble;
use crate::policy::Need;
use crate::store::StoreError;

crate::model::words! {
    /// The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9101 §7, RFC 9449 §5 and §8,
    /// RFC 9470 §3 and OpenID Connect Core
    /// §3.1.2.6, and of the one code of OpenID Connect Core Unmet Authentication Requirements.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Code {
        InvalidRequest = "invalid_request",
        InvalidClient = "invalid_client",
        InvalidGrant = "invalid_grant",
        InvalidScope = "invalid_scope",
        UnauthorizedClient = "unauthorized_client",
        UnsupportedGrantType = "unsupported_grant_type",
        UnsupportedResponseType = "unsupported_response_type",
        TemporarilyUnavailable = "temporarily_unavailable",
        ServerError = "server_error",
        InvalidToken = "invalid_token",
        InvalidTarget = "invalid_target",
        InsufficientScope = "insufficient_scope",
        InsufficientUserAuthentication = "insufficient_user_authentication",
        RequestNotSupported = "request_not_supported",
        RequestUriNotSupported = "request_uri_not_supported",
        RegistrationNotSupported = "registration_not_supported",
        LoginRequired = "login_required",
        ConsentRequired = "consent_required",
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        AccessDenied = "access_denied",
        AuthorizationPending = "authorization_pending",
        SlowDown = "slow_down",
        ExpiredToken = "expired_token",
        InvalidRedirectUri = "invalid_redirect_uri",
        InvalidClientMetadata = "invalid_client_metadata",
        InvalidRequestUri = "invalid_request_uri",
        InvalidDpopProof = "invalid_dpop_proof",
        UseDpopNonce = "use_dpop_nonce",
    }
}

/// How a reason reads on the wire.
pub(crate) struct Wire {
    pub(crate) status: StatusCode,
    /// `None`: a request without a token gets no code (RFC 6750 §3.1).
    pub(crate) code: Option<Code>,
    pub(crate) text: Cow<'static, str>,
}

/// From the table below: the enum, its translation to the wire, and a sample of each row for the tests.
macro_rules! reasons {
    ($(
        $(#[$meta:meta])*
        $reason:ident $(($value:ident: $type:ty))? $({ $field:ident: $kind:ty })?
            => $status:expr, $code:ident, $text:expr $(, retry_after: $wait:expr)? $(, shown_as: $trouble:ident)?;
    )+) => {
        /// Why a request was refused.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($(#[$meta])* $reason $(($type))? $({ $field: $kind })?,)+
        }

        impl Reason {
            /// Status, code and text.
            #[allow(unused_variables, reason = "no column needs the payload of every row")]
            pub(crate) fn wire(&self) -> Wire {
                let (status, code, text): (u16, Option<Code>, Cow<'static, str>) = match self {
                    $(Reason::$reason $(($value))? $({ $field })? => ($status, reasons!(@code $code), $text.into()),)+
                };
                // Every status of the table is a literal between 400 and 503.
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Wire { status, code, text }
            }

            /// After how long a client may try again.
            #[allow(unused_variables, reason = "no column needs the payload of every row")]
            pub(crate) fn retry_after(&self) -> Option<Duration> {
                match self {
                    $(Reason::$reason $(($value))? $({ $field })? => reasons!(@wait $($wait)?),)+
                }
            }

            /// What an error page tells the person who sees it.
            #[allow(unused_variables, reason = "no column needs the payload of every row")]
            pub(crate) fn trouble(&self) -> Trouble {
                let own = match self {
                    $(Reason::$reason $(($value))? $({ $field })? => reasons!(@trouble $($trouble)?),)+
                };
                own.unwrap_or_else(|| match self.wire().status.as_u16() {
                    503 => Trouble::Busy,
                    500.. => Trouble::Server,
                    _ => Trouble::Request,
                })
            }

            /// Each reason, with each kind of payload.
            #[cfg(test)]
            fn samples() -> Vec<Reason> {
                [$(reasons!(@samples $reason $(($type))? $({ $field: $kind })?)),+].concat()
            }
        }
    };
    (@code none) => { None };
    (@code $code:ident) => { Some(Code::$code) };
    (@wait) => { None };
    (@wait $wait:expr) => { Some($wait) };
    (@trouble) => { None };
    (@trouble $trouble:ident) => { Some(Trouble::$trouble) };
    (@samples $reason:ident) => { vec![Reason::$reason] };
    (@samples $reason:ident ($type:ty)) => {
        <$type as tests::Payload>::samples().into_iter().map(Reason::$reason).collect()
    };
    (@samples $reason:ident { $field:ident: $type:ty }) => {
        <$type as tests::Payload>::samples().into_iter().map(|$field| Reason::$reason { $field }).collect()
    };
}

// A row: reason and its payload => status, code, text; then after how long to try again, and what a page of it says where
// that does not follow from the status. The text has no character outside `%x20-21 / %x23-5B / %x5D-7E`
// (RFC 6749 §5.2), says what to change, and repeats nothing of the request.
reasons! {
    // Any endpoint
    RepeatedParameter(name: &'static str) => 400, InvalidRequest,
        format!("{name} is there more than once: send it once");
    ParameterTooLong(name: &'static str) => 400, InvalidRequest, format!("{name} is too long");
    ParameterEncoding(name: &'static str) => 400, InvalidRequest, format!("{name} has characters that are not allowed");
    MissingParameter(name: &'static str) => 400, InvalidRequest, format!("{name} is missing");
    /// Of a client's own request: libraries for HTTP put parameters into the query, or the body into JSON.
    MissingInForm(name: &'static str) => 400, InvalidRequest,
        format!("{name} is missing: send {name}=.. in the body, form-encoded; the query and JSON are not read");
    OtherMethod { is_for_posts: bool } => 405, InvalidRequest, match is_for_posts {
        true => "send a POST request: this address takes no other",
        false => "send a request of one of the methods in the header Allow",
    }, shown_as: PageExpired;
    QueryTooLong(bytes: usize) => 400, InvalidRequest, format!("the query is longer than {} KiB", bytes / 1024);
    BodyTooLong => 413, InvalidRequest, "the body is longer than 16 KiB";
    BodyUnreadable => 400, InvalidRequest, "the body ended early or is compressed";
    BodyTooSlow => 408, InvalidRequest, "the body took longer than ten seconds";
    NotAForm => 400, InvalidRequest, "send the parameters in the body, as application/x-www-form-urlencoded";
    StoreUnavailable => 503, TemporarilyUnavailable, "try again in a moment", retry_after: A_SECOND;
    Internal => 500, ServerError, "the server failed; its log says why";

    // The authorization endpoint: RFC 6749 §4.1.2.1
    UnknownClient => 400, InvalidRequest, "no client is registered under this client_id";
    UnknownRedirectUri => 400, InvalidRequest,
        "this redirect_uri is not registered for the client: it must be the same, character for character";
    // draft-ietf-oauth-client-id-metadata-document-02 §3 to §5
    #[cfg_attr(not(any(test, feature = "mcp")), expect(dead_code, reason = "no documents are fetched"))]
    DocumentUnfit(unfit: Unfit) => 400, InvalidClient, unfit.text(), shown_as: Application;
    #[cfg_attr(not(any(test, feature = "mcp")), expect(dead_code, reason = "no documents are fetched"))]
    DocumentAway(away: Away) => 503, TemporarilyUnavailable, away.text(),
        retry_after: FIVE_SECONDS, shown_as: ApplicationAway;
    UnsupportedResponseType => 400, UnsupportedResponseType, "response_type must be code";
    UnsupportedResponseMode => 400, InvalidRequest, "response_mode must be query, or left out";
    ScopeMalformed => 400, InvalidScope, "scope has a character that is not allowed";
    ScopeUnknown => 400, InvalidScope,
        "the client may ask for none of these scopes at this server: see scopes_supported, and separate them by spaces";
    AccessDenied => 400, AccessDenied, "the user did not allow it", shown_as: NotAllowed;
    RequestTooLong => 400, InvalidRequest, "the request is too long for an answer: shorten state, nonce, scope or resource";
    // RFC 7636 §4.4.1
    ChallengeMissing => 400, InvalidRequest, "code_challenge is missing: PKCE (RFC 7636) is required";
    ChallengeMalformed => 400, InvalidRequest,
        "code_challenge must be 43 characters: the SHA-256 of the verifier in base64url without padding";
    ChallengeMethod => 400, InvalidRequest, "code_challenge_method must be S256";
    // RFC 9449 §10
    KeyMalformed => 400, InvalidRequest, "dpop_jkt must be the SHA-256 thumbprint of a key (RFC 7638): 43 characters of base64url";
    // RFC 9449 §10.1
    KeyOfAnotherProof => 400, InvalidRequest, "dpop_jkt names another key than that of the proof in the header DPoP";
    // OpenID Connect Core §3.1.2.6
    RequestObject => 400, RequestNotSupported, "send the parameters themselves, without request";
    RequestUri => 400, RequestUriNotSupported, "send the parameters themselves, without request_uri";
    Registration => 400, RegistrationNotSupported, "clients are registered beforehand: leave registration out";
    ClaimsMalformed => 400, InvalidRequest,
        "claims must be a JSON object with userinfo and id_token, and in these each claim null or an object";
    PromptUnknown => 400, InvalidRequest, "prompt must be none, or some of login, consent and select_account";
    MaxAgeMalformed => 400, InvalidRequest, "max_age must be a number of seconds";
    LoginRequired => 400, LoginRequired, "no user is signed in: ask without prompt=none";
    // OpenID Connect Core §3.1.2.2
    AnotherUser => 400, LoginRequired, "another user signed in than the one of id_token_hint";
    SignedInTooLongAgo => 400, LoginRequired, "the user signed in longer ago than prompt or max_age ask for";
    AcrUnmet => 400, UnmetAuthenticationRequirements, "the user did not sign in in one of the ways of acr_values";
    ConsentRequired => 400, ConsentRequired, "the user has to be asked: ask without prompt=none";

    // A request that is pushed: RFC 9126 §2.1, §4 and §5
    PushedRequestUri => 400, InvalidRequest, "push the parameters themselves, without request_uri";
    PushRequired => 400, InvalidRequest,
        "this request has to be pushed first (RFC 9126): send it to pushed_authorization_request_endpoint";
    PushedTooLong => 413, InvalidRequest, "the request is too long to be pushed: shorten it, or leave id_token_hint out";
    PushForged => 400, InvalidRequestUri, "the request_uri was not given to this client, or was changed";
    PushExpired => 400, InvalidRequestUri,
        "the request_uri is too old: go back to the application and start again", shown_as: PageExpired;
    PushSpent => 400, InvalidRequestUri,
        "the request_uri was used before: go back to the application and start again", shown_as: PageUsed;

    // The ID token as a hint, and the logout endpoint: OpenID Connect RP-Initiated Logout §2
    HintMalformed => 400, InvalidRequest, "id_token_hint is not an ID token";
    HintOfAnotherClient => 400, InvalidRequest, "id_token_hint was issued to another client than client_id";
    UnknownPostLogoutRedirectUri => 400, InvalidRequest,
        "this post_logout_redirect_uri is not registered for the client: it must be the same, character for character";

    // The sign-in form
    FormForged => 400, InvalidRequest,
        "this is not a form of this server: go back to the application and start again", shown_as: PageExpired;
    FormExpired => 400, InvalidRequest,
        "the form is too old: go back to the application and start again", shown_as: PageExpired;
    FormFromElsewhere => 403, InvalidRequest,
        "this browser did not ask for this form, or does not accept cookies: \
         allow them, go back to the application and start again",
        shown_as: OtherBrowser;
    FormOfAnotherSite => 403, InvalidRequest,
        "a page of another site sent this form: go back to the application and start again",
        shown_as: OtherSite;
    FormSpent => 400, InvalidRequest,
        "this form was sent before: go back to the application and start again", shown_as: PageUsed;
    FormOfASignedOut => 400, InvalidRequest,
        "the user was signed out since: go back to the application and start again", shown_as: SignedOut;
    DeviceGone => 400, InvalidRequest,
        "no device waits for this decision any more: let it show a new code", shown_as: PageExpired;
    NotSignedIn => 403, AccessDenied, "this page is for a user who is signed in", shown_as: SignInFirst;
    SignInFailed => 503, TemporarilyUnavailable,
        "signing in does not work at the moment: try again", retry_after: A_SECOND;
    ClaimsUnusable => 500, ServerError,
        "the account cannot be used to sign in; the log of the server says why", shown_as: Account;

    // The client at the token, revocation and introspection endpoints. RFC 6749 §5.2: 401 after an Authorization header
    ClientUnknown { header: bool } => if *header { 401 } else { 400 }, InvalidClient,
        "no client is registered under this client_id";
    ClientNotProven => 400, InvalidClient,
        "this client must authenticate: by client_secret_basic, client_secret_post or private_key_jwt";
    ClientSecretWrong { header: bool } => if *header { 401 } else { 400 }, InvalidClient,
        "the secret is not one of this client";
    ClientIsPublic { header: bool } => if *header { 401 } else { 400 }, InvalidClient,
        "this client has no secret: send client_id in the body, and neither client_secret nor Authorization";
    ClientHeaderMalformed => 401, InvalidClient,
        "send Authorization: Basic, and in it client_id and secret, each form-encoded, with a colon between them";
    ClientIdMismatch { header: bool } => if *header { 401 } else { 400 }, InvalidClient,
        "client_id is another than that of the secret or the assertion: leave it out";
    ClientNotNamed => 400, InvalidClient,
        "the request does not say which client sent it: send client_id, or the credentials of a client";
    TwoClientAuthentications => 400, InvalidRequest,
        "a client authenticates in one way only: header, client_secret or client_assertion";
    TooManyTries(wait: Duration) => 429, TemporarilyUnavailable,
        "too many failed tries: wait as long as Retry-After says", retry_after: *wait;
    // The registration endpoint: RFC 7591 §3.2.2
    RegistrationMalformed => 400, InvalidClientMetadata,
        "the body must be a JSON object, with redirect_uris and other lists as arrays of strings";
    NotJson => 400, InvalidClientMetadata, "send the metadata in the body, as application/json";
    RegistrationTooLong => 400, InvalidClientMetadata, "it is too long: shorten client_name and redirect_uris";
    RegistrationUnusable(why: &'static str) => 400, InvalidClientMetadata, *why;
    RegistrationOfUri(why: &'static str) => 400, InvalidRedirectUri, format!("a redirect URI cannot be used: {why}");
    // RFC 7523 §3
    AssertionTypeUnknown => 400, InvalidClient,
        "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    AssertionMalformed => 400, InvalidClient,
        "client_assertion must be a JWT with iss and sub (both the client_id), aud, iat, exp and jti";
    AssertionSignature => 400, InvalidClient, "client_assertion was not signed by a registered key of this client";
    AssertionAudience => 400, InvalidClient,
        "the aud of client_assertion must be the issuer of this server, and nothing else";
    AssertionExpired => 400, InvalidClient,
        "client_assertion has expired, was issued five minutes ago or earlier, or is from the future: make one for each \
         request";
    AssertionBeforeMemory => 400, InvalidClient,
        "client_assertion is from before this server began to remember which were used: make another one in ten seconds";
    AssertionReplayed => 400, InvalidClient, "client_assertion was used before: make one for each request";

    // A proof of possession, at this server or at a guard: RFC 9449 §4.3, §5, §7.1, §8 and §9
    ProofRefused(proof: NotProven) => proof.at.status(), InvalidDpopProof, proof.flaw.text();
    ProofNonce(at: ShownAt) => at.status(), UseDpopNonce,
        "the proof needs the nonce that is in the header DPoP-Nonce of this answer: make another one with it";
    ProofMissing => 400, InvalidRequest,
        "a token for this has to be bound to a key: send a proof (RFC 9449) in the header DPoP";
    CodeOfAnotherKey => 400, InvalidGrant, "the code is bound to another key than that of the proof in the header DPoP";
    RefreshTokenOfAnotherKey => 400, InvalidGrant,
        "the refresh token is bound to a key: send a proof of that key in the header DPoP";

    // The token endpoint: RFC 6749 §5.2
    UnsupportedGrantType => 400, UnsupportedGrantType,
        "this server does not have that grant_type: see grant_types_supported in its metadata";
    GrantNotForClient => 400, UnauthorizedClient, "this client may not use that grant_type";
    CodeForged => 400, InvalidGrant, "the code was not issued here, or was cut";
    CodeExpired => 400, InvalidGrant, "the code has expired: redeem it at once";
    CodeForgotten => 400, InvalidGrant, "the code is from before the server was restarted: sign in again";
    CodeOfAnotherClient => 400, InvalidGrant, "the code was issued to another client";
    CodeReplayed => 400, InvalidGrant, "the code was used before: what was issued from it is revoked now";
    RedirectUriMismatch => 400, InvalidGrant, "redirect_uri must be the one of the authorization request";
    // RFC 7636 §4.6
    VerifierMissing => 400, InvalidGrant, "code_verifier is missing: the code was asked for with a code_challenge";
    VerifierMalformed => 400, InvalidRequest, "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~";
    VerifierWithoutChallenge => 400, InvalidGrant,
        "code_verifier was sent, but the code was asked for without a code_challenge: sign in again";
    CodeWithoutChallenge => 400, InvalidGrant,
        "the code was asked for without a code_challenge, which this client has to send";
    VerifierMismatch => 400, InvalidGrant, "code_verifier does not belong to the code_challenge";
    // RFC 8628 §3.2 and §3.5
    TooManyDevices(wait: Duration) => 429, TemporarilyUnavailable,
        "too many devices ask for a sign-in: wait as long as Retry-After says", retry_after: *wait;
    AuthorizationPending => 400, AuthorizationPending, "the user has not decided yet: ask again after the interval";
    SlowDown => 400, SlowDown, "this comes too soon: wait five seconds longer from now on";
    DeviceCodeForged => 400, InvalidGrant, "the device_code was not issued here, or was cut";
    DeviceCodeExpired => 400, ExpiredToken, "the device_code has expired: ask for another one";
    DeviceCodeOfAnotherClient => 400, InvalidGrant, "the device_code was issued to another client";
    RefreshTokenForged => 400, InvalidGrant, "the refresh token was not issued here, or was cut";
    RefreshTokenExpired => 400, InvalidGrant,
        "the refresh token was not used for too long, or is too old: sign in again";
    RefreshTokenForgotten => 400, InvalidGrant,
        "the refresh token is from before the server was restarted: sign in again";
    RefreshTokenOfAnotherClient => 400, InvalidGrant, "the refresh token was issued to another client";
    RefreshTokenReused => 400, InvalidGrant,
        "the refresh token was used before: what was issued from its sign-in is revoked now";
    SignedOut => 400, InvalidGrant, "the user was signed out since: sign in again";
    GrantEnded => 400, InvalidGrant, "what was granted has ended: sign in again";
    LastingNotForUser => 400, InvalidGrant, "the user may not grant offline_access any more: sign in again without it";
    TooManyGrants => 503, TemporarilyUnavailable,
        "this user has as many grants as one may have: end one of them, or try again in a minute", retry_after: A_MINUTE;
    SubjectGone => 400, InvalidGrant, "the user may no longer sign in";
    ScopeGrown => 400, InvalidScope, "a refresh may ask for less than was granted, but not for more";
    ScopeNotForClient => 400, InvalidScope, "none of these scopes may be granted to this client, or by this user";
    ScopeBeyondClient => 400, InvalidScope,
        "this client may not have all of these scopes in its own name: separate them by spaces, or leave scope out to get \
         those that it may have";
    ClientUnusable => 500, ServerError, "the settings of this client cannot be used: the log of the server says why";
    ClientsAway => 503, TemporarilyUnavailable, "try again in a moment: nothing was lost", retry_after: A_SECOND;
    ReloadFailed => 503, TemporarilyUnavailable, "try again in a moment: nothing was lost", retry_after: A_SECOND;
    // RFC 8707 §2
    TargetNotForClient => 400, InvalidTarget,
        "a resource was asked for that this server does not have, or issues this client no tokens for";
    TargetsApart => 400, InvalidTarget,
        "one token cannot be for these resources together: name one of them as resource, and ask for a token for each";
    TargetNotGranted => 400, InvalidTarget, "a resource was asked for that was not in the authorization request";

    // Revocation and introspection: RFC 7009 §2.1, RFC 7662 §2.3
    TokenOfAnotherClient => 400, InvalidGrant, "the token was issued to another client";
    ClientMayNotIntrospect => 401, InvalidClient,
        "a public client cannot authenticate, so it may not ask about tokens";

    // A guarded handler: RFC 6750 §3.1
    TokenMissing => 401, none, "send an access token: Authorization: Bearer TOKEN";
    AuthorizationMalformed => 400, InvalidRequest, "send one header of the form Authorization: Bearer TOKEN";
    TokenInTwoPlaces => 400, InvalidRequest,
        "the access token comes twice: send it in the header Authorization, or as access_token in the body";
    TokenTooLong => 401, InvalidToken, "the token is longer than any token of this server";
    TokenMalformed => 401, InvalidToken, "this is not an access token of this server";
    TokenType => 401, InvalidToken, "this is not an access token: its type is not at+jwt";
    /// Another issuer's, whose type does not say what it is.
    #[cfg_attr(not(any(test, feature = "resource-server")), expect(dead_code, reason = "our own tokens have types"))]
    TokenOfAnotherUse => 401, InvalidToken, "this is not an access token: its claims are those of an ID token or another JWT";
    // RFC 9449 §7.1
    TokenBound => 401, InvalidToken,
        "this server accepts only tokens that are bound to no key: send one as Authorization: Bearer TOKEN";
    TokenWithoutProof => 401, InvalidToken,
        "the token is bound to a key: send it as Authorization: DPoP TOKEN, with a proof in the header DPoP";
    TokenNotBound => 401, InvalidToken, "the token is not bound to a key: send it as Authorization: Bearer TOKEN";
    BoundTokenNeeded => 401, InvalidToken,
        "this address accepts only tokens that are bound to a key: ask for one with a proof (RFC 9449)";
    TokenOfAnotherKey => 401, InvalidToken, "the token is bound to another key than that of the proof";
    TooManyProofs => 503, TemporarilyUnavailable,
        "too many proofs are used at once: try again in a moment", retry_after: A_SECOND;
    TooManyForged => 429, TemporarilyUnavailable,
        "too many tokens with a bad signature came from this network: try again in a moment", retry_after: A_SECOND;
    TokenNotOpened => 401, InvalidToken, "what is sealed in the token cannot be opened here: sign in again";
    TokenSignature => 401, InvalidToken, "the token was not signed by this server";
    /// Of another issuer, which may have a new one; decided before it reaches the wire.
    #[cfg_attr(not(any(test, feature = "resource-server")), expect(dead_code, reason = "our own keys are all known"))]
    KeyUnknown => 401, InvalidToken, "the token was not signed by this server";
    /// The keys of the issuer are missing, or too old.
    #[cfg_attr(not(any(test, feature = "resource-server")), expect(dead_code, reason = "our own keys are here"))]
    IssuerAway => 503, TemporarilyUnavailable,
        "tokens cannot be checked: the keys of their issuer are not available; try again in a moment", retry_after: A_SECOND;
    TokenIssuer => 401, InvalidToken, "the token is of another issuer";
    /// What the token has, and what is expected.
    TokenAudience(apart: Box<Audiences>) => 401, InvalidToken, "the token is for another audience";
    TokenNotForClient => 401, InvalidToken, "the client may no longer have such a token: ask for a new one";
    TokenExpired => 401, InvalidToken, "the token has expired";
    TokenRevoked => 401, InvalidToken, "the token was revoked";
    TokenForgotten => 401, InvalidToken, "the token is from before the server was restarted: sign in again";
    /// With the scope that would be enough, if one would.
    PolicyRefused(scope: Scope) => 403, InsufficientScope, "the token does not permit this";
    // RFC 9470 §3
    SignInAgain(need: Need) => 401, InsufficientUserAuthentication, sign_in_again(need), shown_as: NotTaken;
    ClaimsOfAnotherShape => 403, InsufficientScope, "the claims of the token do not have the form that this address needs",
        shown_as: NotForAccount;
    // A page of the application, which a session opens
    SessionMissing => 401, none,
        "a user has to sign in first; a program sends an access token: Authorization: Bearer TOKEN",
        shown_as: NotTaken;
    UserRefused => 403, AccessDenied, "the user who is signed in may not do this", shown_as: NotForAccount;
    TokenNeeded => 403, AccessDenied, "this needs an access token, and a signed-in browser has none", shown_as: NotForAccount;
    /// An unsafe method such as POST, or an upgrade.
    NotOfOwnPage => 403, AccessDenied,
        "a page of another site sent this, or it does not say which: Sec-Fetch-Site must be same-origin, or Origin that of \
         this server; a program sends an access token",
        shown_as: OtherSite;
    LedFromElsewhere => 403, AccessDenied,
        "another site may lead here by a link, and not by a frame, an image or a script",
        shown_as: OtherSite;
    NoSessions => 500, ServerError, "the server is not set up to let users sign in to its pages; its log says how";
    NoService => 500, ServerError, "the server is not set up to check tokens; its log says how";
    NothingDecided => 500, ServerError, "no guard of the server decides about this address; its log says how to fix it";
    ParameterMisfit => 500, ServerError, "the server's guard does not fit its route; its log says how to fix it";
}

const FIVE_SECONDS: Duration = Duration::from_secs(5);
const A_SECOND: Duration = Duration::from_secs(1);
const A_MINUTE: Duration = Duration::from_secs(60);

fn sign_in_again(need: &Need) -> &'static str {
    match (need.max_age.is_some(), need.acr.is_empty()) {
        (true, true) => "the sign-in is too long ago: sign in again",
        (true, false) => "the sign-in is too long ago or too weak: sign in again as acr_values asks",
        (false, _) => "the sign-in is too weak: sign in as acr_values asks",
    }
}

impl Reason {
    /// Whether it is about a proof of possession or its key.
    pub(crate) fn is_of_a_proof(&self) -> bool {
        matches!(
            self,
            Reason::ProofRefused(_)
                | Reason::ProofNonce(_)
                | Reason::TokenWithoutProof
                | Reason::TokenOfAnotherKey
                | Reason::BoundTokenNeeded
        )
    }

    /// Tells the client after how long it may try again.
    pub(crate) fn set_retry_after(&self, response: &mut HttpResponse) {
        if let Some(after) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, wait_in_seconds(after).into());
        }
    }
}

impl From<BadParameter> for Reason {
    fn from(bad: BadParameter) -> Self {
        match bad {
            BadParameter::Repeated(name) => Reason::RepeatedParameter(name),
            BadParameter::TooLong(name) => Reason::ParameterTooLong(name),
            BadParameter::Encoding(name) => Reason::ParameterEncoding(name),
        }
    }
}

impl From<Unusable> for Reason {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::RedirectUri(why) => Reason::RegistrationOfUri(why),
            Unusable::Metadata(why) => Reason::RegistrationUnusable(why),
        }
    }
}

impl From<NotGranted> for Reason {
    fn from(NotGranted: NotGranted) -> Self {
        Reason::TargetNotGranted
    }
}

impl From<Unmet> for Reason {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Subject => Reason::AnotherUser,
            Unmet::Time => Reason::SignedInTooLongAgo,
            Unmet::Acr => Reason::AcrUnmet,
        }
    }
}

impl From<StoreError> for Reason {
    fn from(error: StoreError) -> Self {
        tracing::error!(target: "oauth", %error, "the store has no answer");
        Reason::StoreUnavailable
    }
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
