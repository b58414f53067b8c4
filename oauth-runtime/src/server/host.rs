//! The host that browsers ask for, which the issuer should name.

use std::sync::atomic::Ordering;

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::model::name::on_a_line;
use crate::server::Server;

impl Server {
    /// Warns once if a browser came by another host than the issuer's: sign-in may work there, and clients fail, since the
    /// metadata and `iss` name the issuer. Behind a proxy the header `Host` may be any.
    pub(crate) fn tell_of_another_host(&self, http: &HttpRequest) {
        let issuer = self.issuer();
        let expected = issuer.origin().rsplit('/').next().unwrap_or_default();
        let asked = http.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(host) = asked.filter(|host| !host.eq_ignore_ascii_case(expected)) else { return };
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
}
