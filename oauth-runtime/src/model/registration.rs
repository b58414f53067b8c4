//! What a client says about itself when it registers (RFC 7591 §2).

use serde::{Deserialize, Serialize};

use crate::model::name::one_line;
use crate::model::redirect_uri::{Besides, InvalidRedirectUri, OF_ANSWERS, RedirectUri};
use crate::model::scope::Scope;

/// A client that registered itself: its id is this, sealed, so that nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(rename = "r")]
    pub(crate) redirect_uris: Vec<String>,
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_secret: bool,
    /// Whether all its tokens must be bound to a key (RFC 9449 §5.2).
    #[serde(rename = "p", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) requires_proof: bool,
    /// Random, so that two identical registrations differ.
    #[serde(rename = "d")]
    pub(crate) drawn: String,
}

/// The metadata that a client sends to register. Other members are ignored (RFC 7591 §2).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    application_type: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) dpop_bound_access_tokens: bool,
}

/// How a client authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    None,
    Basic,
    Post,
}

/// Why a client cannot be registered like this, and what to send instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    RedirectUri(&'static str),
    Metadata(&'static str),
}

impl Method {
    pub(crate) const ALL: [Method; 3] = [Method::None, Method::Basic, Method::Post];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::None => "none",
            Method::Basic => "client_secret_basic",
            Method::Post => "client_secret_post",
        }
    }
}

impl Asked {
    /// What is registered; the rest follows from the service.
    pub(crate) fn registration(self, besides: Besides<'_>, drawn: String) -> Result<(Registration, Method), Unusable> {
        let method = match self.token_endpoint_auth_method.as_deref() {
            // RFC 7591 §2
            None => Method::Basic,
            Some(named) => Method::ALL.into_iter().find(|method| method.as_str() == named).ok_or(METHOD)?,
        };
        let of_code = |known: &str| known == "authorization_code";
        if !self.grant_types.is_empty() && !self.grant_types.iter().any(|grant| of_code(grant)) {
            return Err(Unusable::Metadata("grant_types must have authorization_code, by which a user signs in"));
        }
        if !self.response_types.is_empty() && !self.response_types.iter().any(|named| named == "code") {
            return Err(Unusable::Metadata("response_types must have code: there is no other"));
        }
        let is_web = match self.application_type.as_deref() {
            Some("web") => true,
            Some("native") | None => false,
            Some(_) => return Err(Unusable::Metadata("application_type must be web or native")),
        };
        let mut redirect_uris: Vec<String> = Vec::new();
        for uri in self.redirect_uris {
            RedirectUri::parse_leaving(&OF_ANSWERS, &uri, besides).map_err(|why| Unusable::RedirectUri(told(why)))?;
            // OpenID Connect Dynamic Client Registration §2
            if is_web && !uri.starts_with("https:") {
                return Err(Unusable::RedirectUri("for application_type web it must be https"));
            }
            if !redirect_uris.contains(&uri) {
                redirect_uris.push(uri);
            }
        }
        if redirect_uris.is_empty() || redirect_uris.len() > MOST_URIS {
            return Err(Unusable::RedirectUri("redirect_uris must have 1 to 8 of them"));
        }
        if redirect_uris.iter().map(String::len).sum::<usize>() > MOST_BYTES_OF_URIS {
            return Err(Unusable::RedirectUri("together they must have at most 400 bytes"));
        }
        let name = self.client_name.as_deref().and_then(|name| one_line(name, LONGEST_NAME));
        let (has_secret, requires_proof) = (method != Method::None, self.dpop_bound_access_tokens);
        Ok((Registration { name, redirect_uris, has_secret, requires_proof, drawn }, method))
    }

    /// The scope of the answer (RFC 7591 §2): the open part of what is asked for, or all that is open.
    pub(crate) fn scope_within(asked: Option<&str>, open: &Scope) -> Scope {
        match asked.map(str::parse::<Scope>) {
            Some(Ok(asked)) => asked.within(open),
            Some(Err(_)) | None => open.clone(),
        }
    }
}

/// What is wrong with a redirect URI, without mentioning the author's settings.
fn told(why: InvalidRedirectUri) -> &'static str {
    match why {
        InvalidRedirectUri::Scheme => {
            "it must be https, http on loopback, or a private scheme with a dot such as com.example.app:/callback"
        }
        InvalidRedirectUri::OfAnswers(_) => {
            "its query must not have parameters of the response, such as code, state or iss"
        }
        InvalidRedirectUri::NotAUri
        | InvalidRedirectUri::Fragment
        | InvalidRedirectUri::Wildcard
        | InvalidRedirectUri::UserInfo
        | InvalidRedirectUri::PlainHttp => why.text(),
    }
}

const METHOD: Unusable = Unusable::Metadata(
    "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post; for private_key_jwt use a client ID \
     metadata document",
);
/// Editors register an address of each of their releases, and of each spelling of loopback.
const MOST_URIS: usize = 8;
/// All of it is in the id, which is in every request.
const MOST_BYTES_OF_URIS: usize = 400;
/// The longest name, in characters.
const LONGEST_NAME: usize = 40;
