//! The sign-in page: whether it comes with its cookie.

use serde_json::json;
use url::form_urlencoded::Serializer;

use crate::doctor::Round;
use crate::doctor::finding::Finding;
use crate::doctor::http::Ask;
use crate::doctor::shown::shown;
use crate::model::GrantType;
use crate::model::client::RegisteredClient;
use crate::server::SignInBy;
use crate::server::paths::Url;
use crate::sign_in::cookie::{self, Cookie};

impl Round<'_> {
    pub(super) async fn sign_in_page(&mut self) {
        // A page of the author has its own cookies.
        if let SignInBy::PageAt(path) = self.server.sign_in() {
            return self.skip(format!("the sign-in page, which is your own, at {path}"));
        }
        if self.server.requires_pushed_requests() {
            return self.skip("the sign-in page, since requests have to be pushed".to_owned());
        }
        let Some((client, redirect_uri)) = self.client().await else { return };
        let asked = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &client)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let url = self.url(self.server.path(Url::Authorize));
        let Some(page) = self.visit(Ask::get(&format!("{url}?{asked}"))).await else { return };
        if page.status != 200 || !page.is_html() {
            return self.skip(format!("the sign-in page, since {url} answers {} to a good request", page.status));
        }
        let expected = cookie::attributes(self.server);
        let name = Cookie::Browser.tagged(self.server, "");
        let set = page.all("set-cookie").into_iter().find(|line| line.starts_with(&name));
        let attributes = |line: &str| line.split_once(';').map(|(_, attributes)| attributes.trim().to_owned());
        match set.map(|line| attributes(line).unwrap_or_default()) {
            None => self.find(Finding::NoCookie { url }),
            Some(found) if is_like(&found, expected) => {}
            Some(found) => self.find(Finding::OtherCookie { url, found: shown(&found), expected: expected.to_owned() }),
        }
    }

    /// A client that may ask for a sign-in, and its redirect URI: one of the author's, or one that registers itself for
    /// this.
    async fn client(&mut self) -> Option<(String, String)> {
        let may_ask = |client: &RegisteredClient| {
            !client.redirect_uris.is_empty() && client.may_use(GrantType::AuthorizationCode) && !client.must_push
        };
        if let Some(client) = self.server.clients().first(may_ask) {
            return Some((client.client_id.clone(), client.redirect_uris.first()?.as_str().to_owned()));
        }
        if self.server.clients().registrar().is_none() {
            let why = "no listed client can ask for it without credentials, and no client can register itself";
            self.skip(format!("the sign-in page, since {why}"));
            return None;
        }
        let url = self.url(self.server.path(Url::Register));
        let client = json!({
            "client_name": "oauth.doctor()",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        });
        let visit = self.visit(Ask::post_json(&url, &client)).await?;
        match (visit.status, visit.json().as_ref().and_then(|json| json["client_id"].as_str())) {
            (201, Some(client)) => Some((client.to_owned(), REDIRECT_URI.to_owned())),
            (429, _) => {
                let why = "the limit of registrations from this address within an hour is reached";
                self.skip(format!("the sign-in page, since {why}"));
                None
            }
            (status, _) => {
                self.find(Finding::OtherAnswer { url, status });
                None
            }
        }
    }
}

/// In any order and case; one more is allowed, but none that sends the cookie to other hosts.
fn is_like(found: &str, expected: &str) -> bool {
    let read = |text: &str| text.split(';').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>();
    let found = read(found);
    read(expected).iter().all(|part| found.contains(part)) && !found.iter().any(|part| part.starts_with("domain"))
}

const REDIRECT_URI: &str = "http://127.0.0.1/callback";
/// RFC 7636, appendix B: no one redeems the code of this request.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
