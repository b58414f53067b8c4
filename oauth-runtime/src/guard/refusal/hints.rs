//! What the author should most likely look for, if the reason of a refusal alone does not lead there.

use actix_web::HttpRequest;
use actix_web::http::{Method, header};

use super::Refusal;
use crate::error::{FOR_ITS_ISSUER, Reason};

impl Refusal {
    /// For the log.
    pub(super) fn hint(&self, request: Option<&HttpRequest>) -> Option<&'static str> {
        let issues = self.form.as_ref().is_some_and(|form| form.issues);
        match &self.reason {
            Reason::TokenMissing => request.and_then(of_no_token),
            Reason::TokenMalformed if request.is_some_and(is_of_no_value) => Some(
                "the client sends the name of a value that it does not have: look at where it reads its access token from",
            ),
            Reason::TokenAudience(_) if issues => Some(
                "the client got it for something else: it has to ask for a token for this resource, by the parameter `resource` \
                 of its requests (RFC 8707), or the handler is below the path of a resource to which it does not belong",
            ),
            Reason::TokenAudience(audiences)
                if self.form.as_ref().is_some_and(|form| audiences.is_for_issuer(&form.realm)) =>
            {
                Some(FOR_ITS_ISSUER)
            }
            Reason::TokenAudience(_) => Some(
                "the issuer and this server have to agree: write the audience of the token in .audience(..) here, or have the \
                 issuer write the other one",
            ),
            Reason::TokenSignature if issues => Some(
                "if it is no forgery, a service with another secret signed it: build the service once, outside the closure of \
                 HttpServer::new, and give each process the same .secret(..)",
            ),
            Reason::TokenForgotten if issues => Some(
                "another process issued it, or this one before it was restarted, and what that one remembered is not here: add \
                 .store(..), the same for all processes, and build the service once, outside the closure of HttpServer::new",
            ),
            _ => None,
        }
    }
}

/// Where a token may be that is not where one is read (RFC 9700 §4.3.2, OAuth 2.1 §5.1).
fn of_no_token(request: &HttpRequest) -> Option<&'static str> {
    if is_preflight(request) {
        return Some(
            "this is a CORS preflight, which never has a token: put the CORS layer outside of the guard, as in \
             .wrap(oauth.require(..)).wrap(cors), since the last wrap is outermost",
        );
    }
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Some("the header Authorization is there, and does not begin with the word Bearer and a space");
    }
    let is_in_query = request.query_string().split('&').any(|pair| pair.starts_with("access_token="));
    is_in_query
        .then_some("there is an access_token in the query, which is not read: send it in the header Authorization")
}

/// What JavaScript and Python write for a value that is not there.
fn is_of_no_value(request: &HttpRequest) -> bool {
    let token =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split(' ').next_back());
    token.is_some_and(|token| ["undefined", "null", "None"].contains(&token))
}

/// A browser asks whether a page may make a request, and has no token yet (Fetch §3.3.2).
pub(in crate::guard) fn is_preflight(request: &HttpRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
