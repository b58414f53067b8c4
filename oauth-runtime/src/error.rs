//! Why something was refused: a closed set of reasons, and their one translation to the wire.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use crate::model::Scope;
use crate::model::form::BadParameter;
use crate::model::resource::NotGranted;
use crate::policy::Need;
use crate::store::StoreError;

/// Why a request was refused. The table of codes and statuses is [`Reason::wire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    // Any endpoint
    RepeatedParameter(&'static str),
    ParameterTooLong(&'static str),
    ParameterEncoding(&'static str),
    MissingParameter(&'static str),
    QueryTooLong,
    BodyTooLong,
    BodyUnreadable,
    BodyTooSlow,
    NotAForm,
    StoreUnavailable,
    Internal,

    // The authorization endpoint
    UnknownClient,
    UnknownRedirectUri,
    UnsupportedResponseType,
    UnsupportedResponseMode,
    RequestObject,
    RequestUri,
    Registration,
    ClaimsParameter,
    PromptUnknown,
    LoginRequired,
    ConsentRequired,
    AccessDenied,
    HintMalformed,
    HintOfAnotherClient,
    UnknownPostLogoutRedirectUri,
    MaxAgeMalformed,
    ChallengeMissing,
    ChallengeMalformed,
    ChallengeMethod,
    ScopeMalformed,
    ScopeUnknown,

    // The sign-in form
    FormForged,
    FormExpired,
    FormFromElsewhere,
    FormSpent,
    FormOfASignedOut,
    SignInFailed,
    ClaimsUnusable,

    // The token endpoint
    UnsupportedGrantType,
    ClientUnknown {
        header: bool,
    },
    ClientNotProven,
    ClientSecretWrong {
        header: bool,
    },
    ClientHeaderMalformed,
    ClientIdMismatch,
    TwoClientAuthentications,
    AssertionTypeUnknown,
    AssertionMalformed,
    AssertionSignature,
    AssertionAudience,
    AssertionExpired,
    AssertionReplayed,
    TooManyTries(Duration),
    GrantNotForClient,
    TargetUnknown,
    TargetNotGranted,
    TokenOfAnotherClient,
    ClientMayNotIntrospect,
    ClientIsPublic {
        header: bool,
    },
    CodeForged,
    CodeExpired,
    CodeForgotten,
    CodeOfAnotherClient,
    CodeReplayed,
    SignedOut,
    RefreshTokenForged,
    RefreshTokenExpired,
    RefreshTokenForgotten,
    RefreshTokenOfAnotherClient,
    RefreshTokenReused,
    GrantEnded,
    SubjectGone,
    ScopeGrown,
    ScopeNotForClient,
    ReloadFailed,
    RedirectUriMismatch,
    VerifierMalformed,
    VerifierMismatch,

    // A guarded handler
    TokenMissing,
    AuthorizationMalformed,
    TokenTooLong,
    TokenMalformed,
    TokenType,
    TokenSignature,
    /// Of another issuer, which may have a new one; decided before it reaches the wire.
    #[cfg_attr(not(feature = "resource-server"), expect(dead_code, reason = "our own keys are all known"))]
    KeyUnknown,
    TokenIssuer,
    TokenAudience,
    TokenExpired,
    TokenRevoked,
    TokenForgotten,
    /// With the scope that would be enough, if one would.
    PolicyRefused(Scope),
    SignInAgain(Need),
    ClaimsOfAnotherShape,
    NoService,
    NoSuchParameter,
}

/// The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2 and RFC 9470 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    TemporarilyUnavailable,
    ServerError,
    InvalidToken,
    InvalidTarget,
    InsufficientScope,
    InsufficientUserAuthentication,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
    LoginRequired,
    ConsentRequired,
    AccessDenied,
}

/// How a reason reads on the wire.
pub(crate) struct Wire {
    pub(crate) status: StatusCode,
    /// `None`: a request without a token gets no code (RFC 6750 §3.1).
    pub(crate) code: Option<Code>,
    pub(crate) text: String,
}

impl Reason {
    /// The one translation. The text has no character outside `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2),
    /// says what to change, and repeats nothing of the request.
    pub(crate) fn wire(&self) -> Wire {
        use Code::{
            InsufficientScope, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, InvalidToken, ServerError,
            TemporarilyUnavailable,
        };
        let (status, code, text): (u16, Code, String) = match self {
            Reason::RepeatedParameter(name) => (400, InvalidRequest, format!("{name} is there more than once: send it once")),
            Reason::ParameterTooLong(name) => (400, InvalidRequest, format!("{name} is too long")),
            Reason::ParameterEncoding(name) => (400, InvalidRequest, format!("{name} has characters that are not allowed")),
            Reason::MissingParameter(name) => (400, InvalidRequest, format!("{name} is missing")),
            Reason::QueryTooLong => (400, InvalidRequest, "the query is longer than 8 KiB".into()),
            Reason::BodyTooLong => (413, InvalidRequest, "the body is longer than 16 KiB".into()),
            Reason::BodyUnreadable => (400, InvalidRequest, "the body ended early or is compressed".into()),
            Reason::BodyTooSlow => (408, InvalidRequest, "the body took longer than ten seconds".into()),
            Reason::NotAForm => {
                (400, InvalidRequest, "send the parameters in the body, as application/x-www-form-urlencoded".into())
            }
            Reason::StoreUnavailable => (503, TemporarilyUnavailable, "try again in a moment".into()),
            Reason::Internal => (500, ServerError, "the server failed; its log says why".into()),

            Reason::UnknownClient => {
                (400, InvalidRequest, "no client is registered under this client_id".into())
            }
            Reason::UnknownRedirectUri => (
                400,
                InvalidRequest,
                "this redirect_uri is not registered for the client: it must be the same, character for character".into(),
            ),
            Reason::UnsupportedResponseType => {
                (400, Code::UnsupportedResponseType, "response_type must be code".into())
            }
            Reason::UnsupportedResponseMode => (400, InvalidRequest, "response_mode must be query, or left out".into()),
            Reason::RequestObject => (400, Code::RequestNotSupported, "send the parameters themselves, and no request".into()),
            Reason::RequestUri => {
                (400, Code::RequestUriNotSupported, "send the parameters themselves, and no request_uri".into())
            }
            Reason::Registration => {
                (400, Code::RegistrationNotSupported, "clients are registered beforehand: leave registration out".into())
            }
            Reason::ClaimsParameter => (400, InvalidRequest, "claims is not supported: ask for scopes".into()),
            Reason::PromptUnknown => {
                (400, InvalidRequest, "prompt must be none, or of login, consent and select_account".into())
            }
            Reason::LoginRequired => (400, Code::LoginRequired, "nobody is signed in: ask without prompt=none".into()),
            Reason::ConsentRequired => {
                (400, Code::ConsentRequired, "the user has to be asked: ask without prompt=none".into())
            }
            Reason::AccessDenied => (400, Code::AccessDenied, "the user did not allow it".into()),
            Reason::HintMalformed => (400, InvalidRequest, "id_token_hint is no ID token".into()),
            Reason::HintOfAnotherClient => {
                (400, InvalidRequest, "id_token_hint was issued to another client than client_id".into())
            }
            Reason::UnknownPostLogoutRedirectUri => (
                400,
                InvalidRequest,
                "this post_logout_redirect_uri is not registered for the client: it must be the same, character for character".into(),
            ),
            Reason::MaxAgeMalformed => (400, InvalidRequest, "max_age must be a number of seconds".into()),
            Reason::ChallengeMissing => {
                (400, InvalidRequest, "code_challenge is missing: PKCE (RFC 7636) is required".into())
            }
            Reason::ChallengeMalformed => (
                400,
                InvalidRequest,
                "code_challenge must be 43 characters: the SHA-256 of the verifier in base64url without padding".into(),
            ),
            Reason::ChallengeMethod => (400, InvalidRequest, "code_challenge_method must be S256".into()),
            Reason::ScopeMalformed => (400, InvalidScope, "scope has a character that is not allowed, or is too long".into()),
            Reason::ScopeUnknown => {
                (400, InvalidScope, "a scope was asked for that this server does not have: see scopes_supported".into())
            }

            Reason::FormForged => {
                (400, InvalidRequest, "this is not a form of this server: go back to the application and start again".into())
            }
            Reason::FormExpired => {
                (400, InvalidRequest, "the form is too old: go back to the application and start again".into())
            }
            Reason::FormFromElsewhere => (
                403,
                InvalidRequest,
                "this browser did not ask for this form, or keeps no cookies: allow them, go back to the application and start again"
                    .into(),
            ),
            Reason::FormSpent => {
                (400, InvalidRequest, "this form was sent before: go back to the application and start again".into())
            }
            Reason::FormOfASignedOut => (
                400,
                InvalidRequest,
                "the user was signed out since: go back to the application and start again".into(),
            ),
            Reason::SignInFailed => (503, TemporarilyUnavailable, "signing in does not work at the moment: try again".into()),
            Reason::ClaimsUnusable => {
                (500, ServerError, "the account cannot be used to sign in; the log of the server says why".into())
            }

            Reason::UnsupportedGrantType => {
                (400, Code::UnsupportedGrantType, "this server does not have that grant_type: see grant_types_supported in its metadata".into())
            }
            // RFC 6749 §5.2: after an Authorization header the answer is 401
            Reason::ClientUnknown { header } => {
                (if *header { 401 } else { 400 }, InvalidClient, "no client is registered under this client_id".into())
            }
            Reason::ClientNotProven => (
                400,
                InvalidClient,
                "this client has to show who it is: by client_secret_basic, client_secret_post or private_key_jwt".into(),
            ),
            Reason::ClientSecretWrong { header } => {
                (if *header { 401 } else { 400 }, InvalidClient, "the secret is not one of this client".into())
            }
            Reason::ClientHeaderMalformed => (
                401,
                InvalidClient,
                "send Authorization: Basic, and in it client_id and secret, each form-encoded, with a colon between them".into(),
            ),
            Reason::ClientIdMismatch => {
                (400, InvalidRequest, "client_id is another than that of the secret or the assertion: leave it out".into())
            }
            Reason::TwoClientAuthentications => {
                (400, InvalidRequest, "a client shows who it is in one way: header, client_secret or client_assertion".into())
            }
            Reason::AssertionTypeUnknown => (
                400,
                InvalidClient,
                "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into(),
            ),
            Reason::AssertionMalformed => (
                400,
                InvalidClient,
                "client_assertion must be a JWT with iss and sub (both the client_id), aud, iat, exp and jti".into(),
            ),
            Reason::AssertionSignature => {
                (400, InvalidClient, "client_assertion was not signed by a registered key of this client".into())
            }
            Reason::AssertionAudience => {
                (400, InvalidClient, "the aud of client_assertion must be the issuer of this server, and nothing else".into())
            }
            Reason::AssertionExpired => (
                400,
                InvalidClient,
                "client_assertion has expired, expires in more than five minutes, or is from the future: make one for each request".into(),
            ),
            Reason::AssertionReplayed => {
                (400, InvalidClient, "client_assertion was used before: make one for each request".into())
            }
            Reason::TooManyTries(_) => {
                (429, TemporarilyUnavailable, "too many failed tries: wait as long as Retry-After says".into())
            }
            // RFC 8707 §2
            Reason::TargetUnknown => {
                (400, Code::InvalidTarget, "a resource was asked for that this server issues no tokens for".into())
            }
            Reason::TargetNotGranted => {
                (400, Code::InvalidTarget, "a resource was asked for that was not in the authorization request".into())
            }
            Reason::TokenOfAnotherClient => (400, InvalidGrant, "the token was issued to another client".into()),
            Reason::ClientMayNotIntrospect => {
                (401, InvalidClient, "a public client cannot show who it is, and so may not ask about tokens".into())
            }
            Reason::GrantNotForClient => {
                (400, Code::UnauthorizedClient, "this client may not use that grant_type".into())
            }
            // RFC 6749 §5.2: after an Authorization header the answer is 401
            Reason::ClientIsPublic { header } => (
                if *header { 401 } else { 400 },
                InvalidClient,
                "this client has no secret: send client_id in the body, and neither client_secret nor Authorization".into(),
            ),
            Reason::CodeForged => (400, InvalidGrant, "the code was not issued here, or was cut".into()),
            Reason::CodeExpired => (400, InvalidGrant, "the code has expired: redeem it at once".into()),
            Reason::CodeForgotten => {
                (400, InvalidGrant, "the code is from before the server was restarted: sign in again".into())
            }
            Reason::CodeOfAnotherClient => (400, InvalidGrant, "the code was issued to another client".into()),
            Reason::CodeReplayed => {
                (400, InvalidGrant, "the code was used before: what was issued from it is revoked now".into())
            }
            Reason::SignedOut => (400, InvalidGrant, "the user was signed out since: sign in again".into()),
            Reason::RefreshTokenForged => (400, InvalidGrant, "the refresh token was not issued here, or was cut".into()),
            Reason::RefreshTokenExpired => {
                (400, InvalidGrant, "the refresh token was not used for too long, or is too old: sign in again".into())
            }
            Reason::RefreshTokenForgotten => {
                (400, InvalidGrant, "the refresh token is from before the server was restarted: sign in again".into())
            }
            Reason::RefreshTokenOfAnotherClient => {
                (400, InvalidGrant, "the refresh token was issued to another client".into())
            }
            Reason::RefreshTokenReused => (
                400,
                InvalidGrant,
                "the refresh token was used before: what was issued from its sign-in is revoked now".into(),
            ),
            Reason::GrantEnded => (400, InvalidGrant, "what was granted has ended: sign in again".into()),
            Reason::SubjectGone => (400, InvalidGrant, "the user may not sign in any more".into()),
            Reason::ScopeGrown => {
                (400, InvalidScope, "a refresh may ask for less than was granted, and not for more".into())
            }
            Reason::ScopeNotForClient => {
                (400, InvalidScope, "the client may not ask for this scope in its own name".into())
            }
            Reason::ReloadFailed => (503, TemporarilyUnavailable, "try again in a moment: nothing was lost".into()),
            Reason::RedirectUriMismatch => {
                (400, InvalidGrant, "redirect_uri must be the one of the authorization request".into())
            }
            Reason::VerifierMalformed => {
                (400, InvalidRequest, "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~".into())
            }
            Reason::VerifierMismatch => (400, InvalidGrant, "code_verifier does not belong to the code_challenge".into()),

            Reason::TokenMissing => {
                return Wire {
                    status: StatusCode::UNAUTHORIZED,
                    code: None,
                    text: "send an access token: Authorization: Bearer TOKEN".into(),
                };
            }
            Reason::AuthorizationMalformed => {
                (400, InvalidRequest, "send one header of the form Authorization: Bearer TOKEN".into())
            }
            Reason::TokenTooLong => (401, InvalidToken, "the token is longer than any of this server".into()),
            Reason::TokenMalformed => (401, InvalidToken, "this is no access token of this server".into()),
            Reason::TokenType => (401, InvalidToken, "this is no access token: its type is not at+jwt".into()),
            Reason::TokenSignature | Reason::KeyUnknown => (401, InvalidToken, "the token was not signed by this server".into()),
            Reason::TokenIssuer => (401, InvalidToken, "the token is of another issuer".into()),
            Reason::TokenAudience => (401, InvalidToken, "the token is for another audience".into()),
            Reason::TokenExpired => (401, InvalidToken, "the token has expired".into()),
            Reason::TokenRevoked => (401, InvalidToken, "the token was revoked".into()),
            Reason::TokenForgotten => {
                (401, InvalidToken, "the token is from before the server was restarted: sign in again".into())
            }
            Reason::PolicyRefused(_) => (403, InsufficientScope, "the token does not permit this".into()),
            Reason::SignInAgain(need) => (
                401,
                Code::InsufficientUserAuthentication,
                match (need.max_age.is_some(), need.acr.is_empty()) {
                    (true, true) => "the sign-in is too long ago: sign in again".into(),
                    (true, false) => "the sign-in is too long ago or too weak: sign in again as acr_values asks".into(),
                    (false, _) => "the sign-in is too weak: sign in as acr_values asks".into(),
                },
            ),
            Reason::ClaimsOfAnotherShape => {
                (403, InsufficientScope, "the claims of the token are not those that this address needs".into())
            }
            Reason::NoSuchParameter => {
                (500, ServerError, "the server's guard does not fit its route; its log says how to mend it".into())
            }
            Reason::NoService => (500, ServerError, "the server is not set up to check tokens; its log says how".into()),
        };
        // Every status above is a literal between 400 and 503.
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Wire { status, code: Some(code), text }
    }

    /// After how long a client may try again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        if let Reason::TooManyTries(wait) = self {
            return Some(*wait);
        }
        matches!(self, Reason::StoreUnavailable | Reason::ReloadFailed | Reason::SignInFailed)
            .then_some(Duration::from_secs(1))
    }
}

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::InvalidClient => "invalid_client",
            Code::InvalidGrant => "invalid_grant",
            Code::InvalidScope => "invalid_scope",
            Code::UnauthorizedClient => "unauthorized_client",
            Code::UnsupportedGrantType => "unsupported_grant_type",
            Code::UnsupportedResponseType => "unsupported_response_type",
            Code::TemporarilyUnavailable => "temporarily_unavailable",
            Code::ServerError => "server_error",
            Code::InvalidToken => "invalid_token",
            Code::InvalidTarget => "invalid_target",
            Code::InsufficientScope => "insufficient_scope",
            Code::InsufficientUserAuthentication => "insufficient_user_authentication",
            Code::RequestNotSupported => "request_not_supported",
            Code::RequestUriNotSupported => "request_uri_not_supported",
            Code::RegistrationNotSupported => "registration_not_supported",
            Code::LoginRequired => "login_required",
            Code::ConsentRequired => "consent_required",
            Code::AccessDenied => "access_denied",
        }
    }
}

impl Reason {
    /// Says in the answer after how long a client may try again.
    pub(crate) fn set_retry_after(&self, response: &mut HttpResponse) {
        if let Some(after) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().into());
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

impl From<NotGranted> for Reason {
    fn from(NotGranted: NotGranted) -> Self {
        Reason::TargetNotGranted
    }
}

impl From<StoreError> for Reason {
    fn from(error: StoreError) -> Self {
        tracing::error!(target: "oauth", %error, "the store has no answer");
        Reason::StoreUnavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c29_texts_keep_to_the_allowed_characters() {
        // A text that interpolates takes only parameter names, which are of these characters.
        for reason in [
            Reason::RepeatedParameter("client_id"),
            Reason::ParameterTooLong("state"),
            Reason::MissingParameter("code"),
            Reason::ParameterEncoding("state"),
            Reason::QueryTooLong,
            Reason::BodyTooLong,
            Reason::BodyUnreadable,
            Reason::BodyTooSlow,
            Reason::NotAForm,
            Reason::StoreUnavailable,
            Reason::Internal,
            Reason::UnknownClient,
            Reason::UnknownRedirectUri,
            Reason::UnsupportedResponseType,
            Reason::UnsupportedResponseMode,
            Reason::RequestObject,
            Reason::RequestUri,
            Reason::Registration,
            Reason::ClaimsParameter,
            Reason::PromptUnknown,
            Reason::LoginRequired,
            Reason::ConsentRequired,
            Reason::AccessDenied,
            Reason::HintMalformed,
            Reason::HintOfAnotherClient,
            Reason::UnknownPostLogoutRedirectUri,
            Reason::FormSpent,
            Reason::FormOfASignedOut,
            Reason::SignInFailed,
            Reason::MaxAgeMalformed,
            Reason::ChallengeMissing,
            Reason::ChallengeMalformed,
            Reason::ChallengeMethod,
            Reason::ScopeMalformed,
            Reason::ScopeUnknown,
            Reason::FormForged,
            Reason::FormExpired,
            Reason::FormFromElsewhere,
            Reason::ClaimsUnusable,
            Reason::UnsupportedGrantType,
            Reason::ClientUnknown { header: true },
            Reason::ClientNotProven,
            Reason::ClientSecretWrong { header: true },
            Reason::ClientHeaderMalformed,
            Reason::ClientIdMismatch,
            Reason::TwoClientAuthentications,
            Reason::AssertionTypeUnknown,
            Reason::AssertionMalformed,
            Reason::AssertionSignature,
            Reason::AssertionAudience,
            Reason::AssertionExpired,
            Reason::AssertionReplayed,
            Reason::TooManyTries(Duration::ZERO),
            Reason::GrantNotForClient,
            Reason::TargetUnknown,
            Reason::TargetNotGranted,
            Reason::TokenOfAnotherClient,
            Reason::ClientMayNotIntrospect,
            Reason::ClientIsPublic { header: true },
            Reason::CodeForged,
            Reason::CodeExpired,
            Reason::CodeForgotten,
            Reason::CodeOfAnotherClient,
            Reason::CodeReplayed,
            Reason::SignedOut,
            Reason::RefreshTokenForged,
            Reason::RefreshTokenExpired,
            Reason::RefreshTokenForgotten,
            Reason::RefreshTokenOfAnotherClient,
            Reason::RefreshTokenReused,
            Reason::GrantEnded,
            Reason::SubjectGone,
            Reason::ScopeGrown,
            Reason::ScopeNotForClient,
            Reason::ReloadFailed,
            Reason::RedirectUriMismatch,
            Reason::VerifierMalformed,
            Reason::VerifierMismatch,
            Reason::TokenMissing,
            Reason::AuthorizationMalformed,
            Reason::TokenTooLong,
            Reason::TokenMalformed,
            Reason::TokenType,
            Reason::TokenSignature,
            Reason::KeyUnknown,
            Reason::TokenIssuer,
            Reason::TokenAudience,
            Reason::TokenExpired,
            Reason::TokenRevoked,
            Reason::TokenForgotten,
            Reason::PolicyRefused(Scope::default()),
            Reason::SignInAgain(Need { max_age: Some(300), ..Need::default() }),
            Reason::SignInAgain(Need { acr: vec!["a"], ..Need::default() }),
            Reason::SignInAgain(Need { max_age: Some(300), acr: vec!["a"], ..Need::default() }),
            Reason::ClaimsOfAnotherShape,
            Reason::NoService,
            Reason::NoSuchParameter,
        ] {
            let text = reason.wire().text;
            assert!(text.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{text}");
        }
    }

    #[test]
    fn the_readme_has_every_code() {
        use Code::*;
        let readme = include_str!("../../README.md");
        let (_, table) = readme.split_once("## Errors").expect("the table of errors");
        let (table, _) = table.split_once("\n## ").expect("its end");
        let codes = [
            InvalidRequest,
            InvalidClient,
            InvalidGrant,
            InvalidScope,
            UnauthorizedClient,
            UnsupportedGrantType,
            UnsupportedResponseType,
            TemporarilyUnavailable,
            ServerError,
            InvalidToken,
            InvalidTarget,
            InsufficientScope,
            InsufficientUserAuthentication,
            RequestNotSupported,
            RequestUriNotSupported,
            RegistrationNotSupported,
            LoginRequired,
            ConsentRequired,
            AccessDenied,
        ];
        for code in codes {
            assert!(table.contains(&format!("`{}`", code.as_str())), "{code:?}");
        }
    }
}
