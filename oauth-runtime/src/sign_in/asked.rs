//! What a refused request said, for the log: which client sent it, and the value that is not right.

use std::cmp::Reverse;

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::client_auth;
use crate::error::Reason;
use crate::model::form::Parameters;
use crate::model::name::{LONGEST_ON_A_LINE, on_a_line};
use crate::model::redirect_uri::RedirectUri;
use crate::server::Server;

/// Fields of the line in the log. Nothing in them is a secret: of a URI the log has what is before its query.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) client: Option<String>,
    /// Where the answer should go, if the reason is that this is not registered.
    pub(crate) redirect_uri: Option<String>,
    /// The most similar one that is registered, if the author listed the client.
    pub(crate) nearest: Option<String>,
    /// What was asked for, if the reason is that it cannot be had.
    pub(crate) scope: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) grant_type: Option<String>,
    /// Which page sent a form, if the reason is that none of ours did.
    pub(crate) origin: Option<String>,
    /// What the author should most likely look for, if the reason alone does not lead there.
    pub(crate) hint: Option<&'static str>,
}

impl Asked {
    pub(crate) fn of(server: &Server, http: &HttpRequest, parameters: &Parameters<'_>, reason: &Reason) -> Self {
        let read = |name| parameters.get(name, usize::MAX).ok().flatten();
        let client = client_auth::named(server, http, parameters);
        let listed = client.as_deref().and_then(|id| server.clients().listed(id));
        let (uri, registered) = match reason {
            Reason::UnknownRedirectUri | Reason::RedirectUriMismatch => {
                (read("redirect_uri"), listed.map(|client| &client.redirect_uris))
            }
            Reason::UnknownPostLogoutRedirectUri => {
                (read("post_logout_redirect_uri"), listed.map(|client| &client.post_logout_redirect_uris))
            }
            _ => (None, None),
        };
        let registered = registered.into_iter().flatten().map(RedirectUri::as_str);
        let is_of_scope = matches!(
            reason,
            Reason::ScopeUnknown
                | Reason::ScopeMalformed
                | Reason::ScopeGrown
                | Reason::ScopeNotForClient
                | Reason::ScopeBeyondClient
        );
        let is_of_grant = matches!(reason, Reason::UnsupportedGrantType | Reason::GrantNotForClient);
        Asked {
            client: client.as_deref().map(shown),
            redirect_uri: uri.map(|uri| shown(&before_query(uri))),
            nearest: uri.and_then(|uri| nearest(uri, registered)).map(shown),
            scope: read("scope").filter(|_| is_of_scope).map(shown),
            resource: resources(parameters, reason),
            grant_type: read("grant_type").filter(|_| is_of_grant).map(shown),
            origin: origin(http, reason),
            hint: hint(server, http, parameters, reason),
        }
    }
}

/// All that were asked for, if one of them is the reason.
fn resources(parameters: &Parameters<'_>, reason: &Reason) -> Option<String> {
    if !matches!(reason, Reason::TargetNotForClient | Reason::TargetNotGranted | Reason::TargetsApart) {
        return None;
    }
    let all = parameters.all("resource", usize::MAX).ok()?;
    let all: Vec<_> = all.into_iter().map(before_query).collect();
    (!all.is_empty()).then(|| shown(&all.join(" ")))
}

/// Of a form that no page of ours sent.
fn origin(http: &HttpRequest, reason: &Reason) -> Option<String> {
    let origin = || http.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    matches!(reason, Reason::FormOfAnotherSite).then(|| origin().map_or_else(|| "none".to_owned(), shown))
}

/// For the log alone: to the client it would say how near its guess is.
fn hint(server: &Server, http: &HttpRequest, parameters: &Parameters<'_>, reason: &Reason) -> Option<&'static str> {
    match reason {
        Reason::ClientSecretWrong { .. } => client_auth::nearly(server, http, parameters),
        Reason::FormOfAnotherSite => Some(
            "a browser sends Sec-Fetch-Site: same-origin, or as its Origin that of .issuer(..): open the page at that address; a \
             program or a page of the application's own cannot post this form, see .sign_in_at(..)",
        ),
        Reason::FormFromElsewhere if server.issuer().is_https() && !http.headers().contains_key(header::COOKIE) => {
            Some(
                "no cookie came: those of an https issuer are Secure, and a browser at an http address keeps none; open the page by \
             https, as .issuer(..) has it",
            )
        }
        _ => None,
    }
}

fn shown(text: &str) -> String {
    let is_cut = text.chars().nth(LONGEST_ON_A_LINE).is_some();
    on_a_line(text) + if is_cut { ".." } else { "" }
}

/// A URI without its query, its fragment, and the name and password before its host, which may be secrets.
fn before_query(uri: &str) -> String {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let (uri, cut) = uri.split_at(end);
    let start = uri.find(':').map_or(0, |colon| colon + 1);
    let start = start + uri[start..].find(|character| !matches!(character, '/' | '\\')).unwrap_or(0);
    let authority = uri[start..].find(['/', '\\']).map_or(uri.len(), |end| start + end);
    let host = uri[start..authority].rfind('@').map_or(start, |at| start + at + 1);
    format!("{}{}{}", &uri[..start], &uri[host..], if cut.is_empty() { "" } else { "?.." })
}

/// Of several that are equally like it the shortest, which has the least besides.
fn nearest<'a>(uri: &str, registered: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    registered.max_by_key(|registered| (likeness(uri, registered), Reverse(registered.len())))
}

/// How many bytes two texts have in common at their beginning and at their end.
fn likeness(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = |(one, other): &(&u8, &u8)| one == other;
    one.iter().zip(other).take_while(same).count() + one.iter().rev().zip(other.iter().rev()).take_while(same).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c34_of_a_uri_what_may_be_secret_is_left_out() {
        for (uri, logged) in [
            ("https://a.example/cb?code=s3cret", "https://a.example/cb?.."),
            ("https://a.example/cb#token=s3cret", "https://a.example/cb?.."),
            ("https://ada:s3cret@a.example/@home", "https://a.example/@home"),
            ("https://ada:s3@cret@a.example", "https://a.example"),
            ("https:/\\ada:s3cret@a.example\\x", "https:/\\a.example\\x"),
            ("com.example.app:/callback", "com.example.app:/callback"),
            ("s3cret@a.example", "a.example"),
            ("", ""),
        ] {
            assert_eq!(before_query(uri), logged);
        }
    }

    #[test]
    fn what_is_logged_is_one_short_line() {
        assert_eq!(shown("a\"b\\c\n\u{1b}[2J\u{202e}"), "a\"b\\c\\n\\u{1b}[2J\\u{202e}");
        assert_eq!(shown(&"é".repeat(201)), "é".repeat(200) + "..");
        assert_eq!(shown(&"é".repeat(200)), "é".repeat(200));
    }

    #[test]
    fn the_nearest_is_the_one_with_the_same_ends() {
        let of = |uri: &str| {
            let registered = ["https://app.example/callback", "http://127.0.0.1/callback", "com.example.app:/callback"];
            nearest(uri, registered.into_iter()).expect("one of three")
        };
        assert_eq!(of("https://app.example/callback/"), "https://app.example/callback");
        assert_eq!(of("http://localhost:3000/callback"), "http://127.0.0.1/callback");
        for registered in
            [["http://127.0.0.1/", "http://127.0.0.1/auth"], ["http://127.0.0.1/auth", "http://127.0.0.1/"]]
        {
            assert_eq!(nearest("http://127.0.0.1:36669", registered.into_iter()), Some("http://127.0.0.1/"));
        }
    }
}
