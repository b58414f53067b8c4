//! The protected resources: their documents, and their answers to a request without a token.

use serde_json::json;
use url::Url as Parsed;

use crate::doctor::Round;
use crate::doctor::finding::Finding;
use crate::doctor::http::{Ask, Visit};
use crate::doctor::shown::shown;
use crate::server::paths::Url;

impl Round<'_> {
    pub(super) async fn resources(&mut self) {
        let server = self.server;
        for placed in server.paths().registered().filter(|placed| placed.row.url == Url::ProtectedResource) {
            let Some(resource) = server.described_at(&placed.path) else { continue };
            // Another host may also lead to this service.
            let Ok(parsed) = resource.parse::<Parsed>() else { continue };
            let document = format!("{}{}", parsed.origin().ascii_serialization(), placed.path);
            self.described(&document, resource).await;
            // The issuer itself is the whole App: there is no single handler at its URL.
            let is_place = !matches!(parsed.path(), "/" | "") && resource != server.issuer().as_str();
            let is_guarded = server.serves(resource) || resource == server.audience();
            if is_place && is_guarded && placed.path.ends_with(parsed.path().trim_end_matches('/')) {
                // What clients that know only the URL are given.
                let is_given = server.serves(resource) && server.clients().open_to(resource).is_some();
                self.called_by_strangers(resource, &document, is_given).await;
            }
        }
    }

    async fn described(&mut self, url: &str, resource: &str) {
        let Some(visit) = self.visit(Ask::get(url).of_a_page()).await else { return };
        let Some(document) = visit.json().filter(|_| visit.status == 200) else {
            self.find(Finding::OtherAnswer { url: url.to_owned(), status: visit.status });
            return;
        };
        self.cors(&visit, "GET");
        // RFC 9728 §3.3
        self.compare(url, &document, "resource", &json!(resource));
        self.compare(url, &document, "authorization_servers", &json!([self.server.issuer().as_str()]));
    }

    async fn called_by_strangers(&mut self, url: &str, document: &str, is_given: bool) {
        let Some((visit, posts)) = self.without_a_token(url, is_given).await else { return };
        match visit.status {
            401 => {}
            404 | 405 if !is_given => {
                let why = format!("which itself answers {}: the doctor knows no other URL of it", visit.status);
                return self.skip(format!("what is below {url}, {why}"));
            }
            404 | 405 => return self.find(Finding::NoHandler { url: url.to_owned(), status: visit.status }),
            status => return self.find(Finding::Open { url: url.to_owned(), status }),
        }
        let Some(challenge) = challenge(&visit) else {
            return self.find(Finding::NoChallenge { url: url.to_owned() });
        };
        let named = parameter(challenge, "resource_metadata");
        if named != Some(document) {
            let (found, expected) = (shown(named.unwrap_or("nothing")), document.to_owned());
            self.find(Finding::OtherChallenge { url: url.to_owned(), found, expected });
        }
        let with_a_token = if posts { ping(url) } else { stream(url) }.with("authorization", "Bearer no.good.token");
        if let Some(visit) = self.visit(with_a_token).await
            && challenge_of_a_bad_token(&visit).is_none()
        {
            self.find(Finding::AuthorizationLost { url: url.to_owned() });
        }
    }

    /// The answer without a token, and whether to a POST: only an MCP server that accepts no GET is asked by POST,
    /// since elsewhere that could have an effect.
    async fn without_a_token(&mut self, url: &str, is_given: bool) -> Option<(Visit, bool)> {
        let visit = self.visit(stream(url)).await?;
        match visit.status {
            404 | 405 if is_given => Some((self.visit(ping(url)).await?, true)),
            _ => Some((visit, false)),
        }
    }
}

/// MCP, streamable HTTP: a client listens by GET.
fn stream(url: &str) -> Ask {
    Ask::get(url).with("accept", "text/event-stream")
}

/// A client asks by POST; this request changes nothing even if it is admitted.
fn ping(url: &str) -> Ask {
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    Ask::post_json(url, &ping).with("accept", "application/json, text/event-stream")
}

/// RFC 6750 §3; RFC 9449 §7.1 if no bearer token would do
fn challenge(visit: &Visit) -> Option<&str> {
    let is_in = |line: &str, scheme: &str| line.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
    visit.all("www-authenticate").into_iter().find(|line| is_in(line, "bearer ") || is_in(line, "dpop "))
}

fn challenge_of_a_bad_token(visit: &Visit) -> Option<&str> {
    challenge(visit).and_then(|challenge| parameter(challenge, "error"))
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = challenge.split_once(&format!("{name}=\""))?;
    after.split('"').next()
}
