//! The authorization server's metadata, in each of its spellings.

use serde_json::{Value, json};

use crate::doctor::Round;
use crate::doctor::finding::Finding;
use crate::doctor::http::{Ask, PAGE, Visit};
use crate::doctor::shown::shown;
use crate::server::paths::{Named, Url};

impl Round<'_> {
    /// Whether there is a server to check further.
    pub(super) async fn metadata(&mut self) -> bool {
        let server = self.server;
        let documents =
            server.paths().registered().filter(|placed| matches!(placed.row.url, Url::Metadata | Url::OpenId));
        let documents = documents.map(|placed| (self.url(&placed.path), placed.row.url == Url::OpenId));
        for (index, (url, is_openid)) in documents.collect::<Vec<_>>().into_iter().enumerate() {
            let answer = self.visit(Ask::get(&url).of_a_page()).await;
            let Some(visit) = answer else {
                if index == 0 {
                    return false;
                }
                continue;
            };
            match visit.json().filter(|_| visit.status == 200) {
                // With another issuer, everything else differs as well.
                Some(document) if !self.is_of_issuer(&visit, &document) => return false,
                Some(document) => self.document(&visit, &document, is_openid),
                None if index == 0 && !self.is_there().await => {
                    let origin = server.issuer().origin().to_owned();
                    self.find(Finding::NoRoutes { url, status: visit.status, origin });
                    return false;
                }
                None => self.find(Finding::OtherAnswer { url, status: visit.status }),
            }
        }
        true
    }

    /// Whether the token endpoint exists.
    async fn is_there(&mut self) -> bool {
        let url = self.url(self.server.path(Url::Token));
        self.http.visit(Ask::post(&url)).await.is_ok_and(|visit| visit.is_json_error())
    }

    fn is_of_issuer(&mut self, visit: &Visit, document: &Value) -> bool {
        let issuer = self.server.issuer().as_str();
        // RFC 8414 §3.3
        let is_same = document["issuer"] == issuer;
        if !is_same {
            let named = shown(document["issuer"].as_str().unwrap_or_default());
            self.find(Finding::OtherIssuer { url: visit.url.clone(), named, issuer: issuer.to_owned() });
        }
        is_same
    }

    fn document(&mut self, visit: &Visit, document: &Value, is_openid: bool) {
        let (server, url) = (self.server, &visit.url);
        self.cors(visit, "GET");
        // MCP, authorization code protection: without it clients refuse to go on.
        self.compare(url, document, "code_challenge_methods_supported", &json!(["S256"]));
        for placed in server.paths().registered() {
            let name = match placed.row.named {
                Named::InBoth(name) => name,
                Named::InOpenId(name) if is_openid => name,
                Named::InOpenId(_) | Named::Nowhere => continue,
            };
            self.compare(url, document, name, &json!(self.url(&placed.path)));
        }
    }

    pub(super) fn compare(&mut self, url: &str, document: &Value, member: &str, expected: &Value) {
        let found = &document[member];
        if found != expected {
            let (found, expected) = (shown(&found.to_string()), expected.to_string());
            self.find(Finding::OtherValue { url: url.to_owned(), member: member.to_owned(), found, expected });
        }
    }

    /// Whether a page of another origin may read an answer: the header occurs once, since browsers refuse two.
    pub(super) fn cors(&mut self, visit: &Visit, method: &str) {
        let url = visit.url.clone();
        match visit.all("access-control-allow-origin").as_slice() {
            [] => self.find(Finding::NoCors { url, method: method.to_owned(), origin: PAGE.to_owned() }),
            [one] if !one.contains(',') => {}
            several => self.find(Finding::CorsTwice { url, found: shown(&several.join(", ")) }),
        }
    }
}
