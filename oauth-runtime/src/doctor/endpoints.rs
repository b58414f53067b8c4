//! The endpoints that the metadata names: whether the server answers there, and what is in front of it.

use std::time::SystemTime;

use actix_web::http::header::HttpDate;

use crate::doctor::Round;
use crate::doctor::finding::Finding;
use crate::doctor::http::{Ask, PAGE, Visit};
use crate::doctor::shown::shown;
use crate::server::paths::{Errors, Named, Placed, Url};

impl Round<'_> {
    pub(super) async fn endpoints(&mut self) {
        let server = self.server;
        for placed in server.paths().registered().filter(|placed| placed.row.named != Named::Nowhere) {
            let url = self.url(&placed.path);
            let ask = match placed.row.errors {
                Errors::Json | Errors::JsonUnauthorized if placed.row.url != Url::Jwks => Ask::post(&url),
                Errors::Json | Errors::JsonUnauthorized | Errors::Challenge | Errors::Page | Errors::SignOutPage => {
                    Ask::get(&url)
                }
            };
            let Some(visit) = self.visit(ask).await else { continue };
            if !is_the_server(placed, &visit) {
                self.find(Finding::OtherAnswer { url, status: visit.status });
            } else if placed.row.url == Url::Token {
                self.in_front_of(&visit);
                self.called_by_pages(&url).await;
            }
        }
    }

    /// For URLs that pages of any origin may call.
    async fn called_by_pages(&mut self, url: &str) {
        if self.server.clients().allow_origin(PAGE)
            && let Some(preflight) = self.visit(Ask::preflight(url)).await
        {
            self.cors(&preflight, "preflight");
        }
    }

    /// What an uncacheable answer reveals about its way.
    fn in_front_of(&mut self, visit: &Visit) {
        let url = &visit.url;
        let (age, kept) = (visit.header("age"), visit.header("cache-control"));
        if !age.is_empty() {
            self.find(Finding::Cached { url: url.clone(), told: shown(&format!("Age: {age}")) });
        } else if !kept.contains("no-store") {
            self.find(Finding::Cached { url: url.clone(), told: shown(&format!("Cache-Control: {kept}")) });
        }
        if let Some(date) = visit.header("date").parse::<HttpDate>().ok().map(SystemTime::from) {
            let now = SystemTime::now();
            let (is_ahead, apart) = match date.duration_since(now) {
                Ok(ahead) => (true, ahead),
                Err(behind) => (false, behind.duration()),
            };
            if apart.as_secs() > MOST_APART {
                self.find(Finding::Clock { url: url.clone(), seconds: apart.as_secs(), is_ahead });
            }
        }
        let told = match (visit.header("via"), visit.header("server")) {
            ("", server) if PROXIES.iter().any(|proxy| server.to_ascii_lowercase().starts_with(proxy)) => {
                Some(format!("Server: {server}"))
            }
            ("", _) => None,
            (via, _) => Some(format!("Via: {via}")),
        };
        if let Some(told) = told.filter(|_| self.server.client_address().is_peer()) {
            self.find(Finding::Proxy { url: url.clone(), told: shown(&told) });
        }
    }
}

impl Visit {
    /// RFC 6749 §5.2; an application's own 404 may be JSON with an error, too.
    pub(super) fn is_json_error(&self) -> bool {
        (400..500).contains(&self.status)
            && !matches!(self.status, 404 | 405)
            && self.json().is_some_and(|json| json["error"].is_string())
    }
}

/// Whether an answer to a request without a parameter is the server's own.
fn is_the_server(placed: &Placed, visit: &Visit) -> bool {
    match placed.row.errors {
        Errors::Json if placed.row.url == Url::Jwks => visit.json().is_some_and(|json| json["keys"].is_array()),
        Errors::Json | Errors::JsonUnauthorized => visit.is_json_error(),
        Errors::Challenge => visit.status == 401,
        Errors::Page => visit.status == 400 && visit.is_html(),
        Errors::SignOutPage => visit.status != 404 && visit.is_html(),
    }
}

/// Proxies, by the name that they add to each answer. This server does not name itself.
const PROXIES: [&str; 9] =
    ["nginx", "openresty", "apache", "cloudflare", "caddy", "envoy", "istio-envoy", "awselb", "traefik"];
const MOST_APART: u64 = 30;
