//! The host that browsers ask for, which the issuer should name, and the origins of the pages that call.

use std::sync::atomic::Ordering;

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::model::issuer::host_of;
use crate::model::name::on_a_line;
use crate::server::Server;

impl Server {
    /// Warns once if a browser came by another host than the issuer's: sign-in may work there, and clients fail, since the
    /// metadata and `iss` name the issuer. Behind a proxy the header `Host` may be any.
    pub(crate) fn tell_of_another_host(&self, http: &HttpRequest) {
        let issuer = self.issuer();
        let Some(host) = asked(http).filter(|host| !host.eq_ignore_ascii_case(issuer.host())) else { return };
        if self.client_address().is_read() || self.told_of_host.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            target: "oauth",
            host = on_a_line(host),
            issuer = issuer.as_str(),
            "a browser came by a host that is not the issuer's: clients go by .issuer(..), so write there what browsers and \
             clients open, and open that"
        );
    }

    /// Logs that a page may not read an answer: the browser says so in its console alone, and names no cure.
    pub(crate) fn tell_of_another_origin(&self, http: &HttpRequest) {
        let Some(origin) = http.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else { return };
        // A browser names the origin of a POST to its own server as well (Fetch §3.2).
        let is_own = origin == self.issuer().origin() || asked(http).is_some_and(|host| host == host_of(origin));
        if is_own {
            return;
        }
        tracing::info!(
            target: "oauth",
            origin = on_a_line(origin),
            "a page of this origin may not read the answer (CORS): register a redirect URI of this origin, or add .origin(..)"
        );
    }
}

/// The host and port that a request asks for.
fn asked(http: &HttpRequest) -> Option<&str> {
    let in_header = http.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // RFC 9113 §8.3.1: HTTP/2 has it in the URL
    in_header.or_else(|| http.uri().authority().map(|authority| authority.as_str()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn it_is_found_in_each_version_of_http() {
        let older = TestRequest::with_uri("/authorize").insert_header((header::HOST, "a.example:8000"));
        let newer = TestRequest::with_uri("https://a.example:8000/authorize");
        for request in [older, newer] {
            assert_eq!(asked(&request.to_http_request()), Some("a.example:8000"));
        }
        assert_eq!(asked(&TestRequest::with_uri("/authorize").to_http_request()), None);
    }
}
