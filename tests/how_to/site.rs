//! A service of the guide behind the guide's nginx.

use actix_web::web::ServiceConfig;
use oauth_runtime::OAuthService;
use oauth_tests::servers::Proxy;
use oauth_tests::{Browser, Server, free_port, own_page, pages, serve, serve_service};

pub(crate) const ISSUER: &str = "https://notes.example";

/// And a browser.
pub(crate) fn behind_nginx(oauth: &OAuthService) -> (Server, Proxy, Browser) {
    behind(&pages::shown("deployment", "nginx"), oauth)
}

/// The same with handlers of its own.
pub(crate) fn behind_nginx_with(
    oauth: &OAuthService,
    handlers: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> (Server, Proxy, Browser) {
    let (listener, base) = free_port();
    let upstream = base.trim_start_matches("http://");
    let proxy = Proxy::nginx(&pages::shown("deployment", "nginx"), "notes.example", [upstream, upstream]);
    let oauth = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers.clone());
    });
    let browser = browser(&proxy);
    (server, proxy, browser)
}

/// The same with another configuration of nginx.
pub(crate) fn behind(nginx: &str, oauth: &OAuthService) -> (Server, Proxy, Browser) {
    let (listener, base) = free_port();
    let upstream = base.trim_start_matches("http://");
    let proxy = Proxy::nginx(nginx, "notes.example", [upstream, upstream]);
    let server = serve_service(listener, oauth);
    let browser = browser(&proxy);
    (server, proxy, browser)
}

/// One without cookies.
pub(crate) fn browser(proxy: &Proxy) -> Browser {
    let http = proxy.reached_by(own_page().cookie_store(true)).build().unwrap();
    Browser { http, base: ISSUER.to_owned() }
}
