//! `oauth.doctor()`: a healthy service has no finding, and each broken deployment its own, in a sentence.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::{Builder, Login, OAuthService, policy};
use oauth_tests::{SECRET, Server, free_port, serve};
use serde_json::json;

pub(crate) const ISSUER: &str = "https://api.example";
pub(crate) const MCP: &str = "https://api.example/mcp";

/// A service that any client may come to, as it is deployed: behind a proxy that ends TLS.
pub(crate) fn builder() -> Builder {
    OAuthService::builder()
        .untyped_claims()
        .issuer(ISSUER)
        .secret(SECRET)
        .mcp(MCP)
        .scope("openid", "Know who you are")
        .client_address(x_forwarded_for(1))
        .authenticate(async |login: Login| Some(json!({ "sub": login.username })))
}

fn service() -> OAuthService {
    builder().build().unwrap()
}

pub(crate) fn guarded(oauth: &OAuthService, app: &mut ServiceConfig) {
    let tools = web::scope("/mcp").route("", web::post().to(async || "called"));
    app.configure(oauth.routes()).service(tools.wrap(oauth.require(policy!(sub))));
}

pub(crate) fn start(
    oauth: &OAuthService,
    app: impl Fn(&OAuthService, &mut ServiceConfig) + Copy + Send + 'static,
) -> Server {
    let oauth = oauth.clone();
    serve(free_port().0, move |config| app(&oauth, config))
}

/// What a proxy passes on, and what it makes of the answer.
pub(crate) struct Passed<'a> {
    pub(crate) path: String,
    pub(crate) method: &'a str,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn replace(&mut self, name: &str, change: impl Fn(&str) -> String) {
        self.headers.iter_mut().filter(|(known, _)| known == name).for_each(|(_, value)| *value = change(value));
    }

    pub(crate) fn drop(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn rewrite(&mut self, from: &str, to: &str) {
        self.body = String::from_utf8_lossy(&self.body).replace(from, to).into_bytes();
    }
}

pub(crate) type Breaks = fn(&mut Passed<'_>);
pub(crate) type Spoils = fn(&Passed<'_>, &mut Answered);

/// A reverse proxy that does one thing wrong.
pub(crate) fn proxy(behind: &Server, breaks: Breaks, spoils: Spoils) -> Server {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let base: Arc<str> = behind.base.as_str().into();
    let pass = move |request: HttpRequest, body: web::Bytes| {
        let (http, base) = (http.clone(), Arc::clone(&base));
        async move {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let method = request.method().as_str();
            let headers = request.headers().iter().filter(|(name, _)| *name != "content-length");
            let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
            let mut passed = Passed { path: request.uri().to_string(), method, headers };
            breaks(&mut passed);
            let mut sent = http.request(method.parse().unwrap(), format!("{base}{}", passed.path)).body(body);
            for (name, value) in &passed.headers {
                sent = sent.header(name, value);
            }
            let answer = sent.send().await.unwrap();
            let status = answer.status().as_u16();
            let headers = answer.headers().iter().filter(|(name, _)| *name != "content-length");
            let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
            let mut answered = Answered { status, headers, body: answer.bytes().await.unwrap().to_vec() };
            spoils(&passed, &mut answered);
            let mut response = HttpResponse::build(StatusCode::from_u16(answered.status).unwrap());
            for (name, value) in answered.headers {
                response.append_header((name, value));
            }
            response.body(answered.body)
        }
    };
    serve(free_port().0, move |app| {
        app.default_service(web::to(pass.clone()));
    })
}

pub(crate) const NOTHING: Breaks = |_| {};
pub(crate) const AS_IT_IS: Spoils = |_, _| {};

/// What is found behind such a proxy.
pub(crate) async fn found(breaks: Breaks, spoils: Spoils) -> Vec<String> {
    let oauth = service();
    let server = start(&oauth, guarded);
    let proxy = proxy(&server, breaks, spoils);
    told(&oauth, &proxy.base).await
}

pub(crate) async fn told(oauth: &OAuthService, at: &str) -> Vec<String> {
    let report = oauth.doctor().at(at).await;
    assert_eq!(report.is_healthy(), report.findings().is_empty());
    report.findings().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_healthy_service_has_no_finding() {
    let host: Breaks =
        |passed| passed.headers.iter_mut().filter(|(name, _)| name == "host").for_each(|it| it.1 = "x".into());
    // A proxy may change Host: the issuer is configured.
    assert_eq!(found(host, AS_IT_IS).await, [""; 0]);

    let oauth = service();
    let server = start(&oauth, guarded);
    let report = oauth.doctor().at(&server.base).await;
    report.assert_healthy();
    assert_eq!(
        report.to_string(),
        "https://api.example: a client can connect (17 requests were answered as they should be)"
    );
}

#[tokio::test]
async fn a_healthy_service_has_none_whatever_its_configuration_is() {
    let changes: [fn(Builder, &str) -> Builder; 7] = [
        |builder, _| builder,
        |builder, base| builder.issuer(format!("{base}/tenant")),
        |builder, base| builder.mcp(format!("{base}/mcp")).open_scopes("notes:read"),
        |builder, base| {
            let builder = builder.mcp(format!("{base}/mcp")).issuer(format!("{base}/tenant")).scope("openid", "You");
            builder.open_scopes("notes:write")
        },
        |builder, base| builder.audience("urn:notes").mcp(format!("{base}/mcp")).open_scopes(""),
        |builder, base| builder.registration().open_scopes("").scope("openid", "You").resource(format!("{base}/files")),
        |builder, _| builder.require_pushed_requests(),
    ];
    for change in changes {
        let (listener, base) = free_port();
        let oauth = change(oauth_tests::builder(&base), &base).build().unwrap();
        let served = oauth.clone();
        let _server = serve(listener, move |app| guarded(&served, app));
        // At its public address, which is here.
        oauth.doctor().await.assert_healthy();
    }
    // Whose sign-in page is the author's, the cookies are as well.
    let elsewhere =
        OAuthService::builder().untyped_claims().issuer(ISSUER).mcp(MCP).direct_peers().sign_in_at("/welcome");
    let oauth = elsewhere.build().unwrap();
    let server = start(&oauth, guarded);
    oauth.doctor().at(&server.base).await.assert_healthy();
}

#[tokio::test]
async fn each_thing_that_a_proxy_does_wrong_has_a_sentence() {
    let rows: &[(Breaks, Spoils, &str)] = &[
        (
            |passed| passed.path = passed.path.replace("/.well-known", "/hidden"),
            AS_IT_IS,
            "https://api.example/.well-known/oauth-authorization-server answers 404 and not as the server does, while others of its \
             URLs are there. Let the proxy pass this path on as it is, and leave it to the server in the App",
        ),
        (
            NOTHING,
            |_, answered| answered.rewrite("\"https://api.example\"", "\"https://api.example/\""),
            "the metadata at https://api.example/.well-known/oauth-authorization-server names the issuer \"https://api.example/\", \
             and this is \"https://api.example\": clients compare the two byte for byte. Write into .issuer(..) exactly what is \
             public, with or without a trailing slash, let the proxy lead to this service, and check that this configuration is the \
             one that runs",
        ),
        (
            NOTHING,
            |_, answered| answered.rewrite("https://api.example/token", "http://api.example/token"),
            "https://api.example/.well-known/oauth-authorization-server says that token_endpoint is \
             \"http://api.example/token\", but it is \"https://api.example/token\". Let the proxy leave the document as it is, and \
             check that this configuration is the one that runs",
        ),
        (
            NOTHING,
            |_, answered| answered.rewrite("[\"S256\"]", "[\"plain\"]"),
            "https://api.example/.well-known/oauth-authorization-server says that code_challenge_methods_supported is [\"plain\"], \
             but it is [\"S256\"]. Let the proxy leave the document as it is, and check that this configuration is the one that \
             runs",
        ),
        (
            NOTHING,
            |_, answered| answered.rewrite("\"https://api.example/mcp\"", "\"http://127.0.0.1/mcp\""),
            "https://api.example/.well-known/oauth-protected-resource/mcp says that resource is \"http://127.0.0.1/mcp\", but it is \
             \"https://api.example/mcp\". Let the proxy leave the document as it is, and check that this configuration is the one \
             that runs",
        ),
        (
            NOTHING,
            |passed, answered| {
                if passed.path == "/token" {
                    (answered.status, answered.body) = (404, b"not here".to_vec());
                }
            },
            "https://api.example/token answers 404 and not as the server does, while others of its URLs are there. Let the proxy \
             pass this path on as it is, and leave it to the server in the App",
        ),
        (
            NOTHING,
            |_, answered| (answered.status, answered.body) = (502, Vec::new()),
            "https://api.example/.well-known/oauth-authorization-server answers 502: a proxy does not reach the service, or the \
             service fails. The log of one of them says why",
        ),
        (
            NOTHING,
            |passed, answered| {
                answered.status = 301;
                answered.add("location", &format!("https://api.example{}", passed.path));
            },
            "https://api.example/.well-known/oauth-authorization-server answers 301 and leads to itself again: what redirects to \
             https does not see that the request came by https. Leave that redirect to the proxy in front, which sees it",
        ),
        (
            NOTHING,
            |passed, answered| {
                answered.status = 308;
                answered.add("location", &format!("https://www.api.example{}", passed.path));
            },
            "https://api.example/.well-known/oauth-authorization-server answers 308 and leads to \
             https://www.api.example/.well-known/oauth-authorization-server, where many clients do not follow. Answer at the first \
             URL itself, or write the second into .issuer(..) or .mcp(..)",
        ),
        (
            NOTHING,
            |_, answered| answered.add("age", "17"),
            "https://api.example/token was answered from a cache (Age: 17). Let the proxy keep nothing that has Cache-Control: \
             no-store",
        ),
        (
            NOTHING,
            |_, answered| answered.replace("cache-control", |_| "max-age=3600".to_owned()),
            "https://api.example/token was answered from a cache (Cache-Control: max-age=3600). Let the proxy keep nothing that \
             has Cache-Control: no-store",
        ),
        (
            NOTHING,
            |_, answered| answered.drop("www-authenticate"),
            "https://api.example/mcp answers 401 without the challenge of a guard (WWW-Authenticate: Bearer), so that a client \
             does not learn where tokens come from. Let the guard refuse, and let the proxy pass this header on",
        ),
        (
            NOTHING,
            |_, answered| {
                answered.replace("www-authenticate", |challenge| challenge.replace("https://api.example", ""))
            },
            "the challenge of https://api.example/mcp names /.well-known/oauth-protected-resource/mcp as its resource_metadata, which is at https://api.example/.well-known/oauth-protected-resource/mcp. Let the proxy leave the path of requests \
             and this header as they are, and the guard be one of this service",
        ),
        (
            |passed| passed.headers.retain(|(name, _)| name != "authorization"),
            AS_IT_IS,
            "https://api.example/mcp answers a bad token as if there were none: the header Authorization does not reach the guard. \
             Let the proxy pass it on (Apache: CGIPassAuth On; an access control of the proxy itself removes it)",
        ),
        (
            NOTHING,
            |passed, answered| {
                if passed.method == "OPTIONS" {
                    *answered = Answered { status: 204, headers: Vec::new(), body: Vec::new() };
                }
            },
            "a page of https://client.example may not call https://api.example/token: the answer to its preflight has no \
             Access-Control-Allow-Origin. Let the proxy pass OPTIONS and the header Origin on, and leave the answer as it is",
        ),
        (
            NOTHING,
            |passed, answered| {
                if passed.path.starts_with("/.well-known/oauth-authorization") {
                    answered.add("access-control-allow-origin", "*");
                }
            },
            "https://api.example/.well-known/oauth-authorization-server has Access-Control-Allow-Origin twice (*, *), which \
             browsers refuse. Remove the proxy's, or that of a CORS middleware, from the URLs of the server, which answers by itself",
        ),
        (
            NOTHING,
            |_, answered| answered.drop("set-cookie"),
            "the sign-in page https://api.example/authorize comes without its cookie, so that no one can sign in. Let the proxy \
             pass Set-Cookie on, and no middleware remove it",
        ),
        (
            NOTHING,
            |_, answered| answered.replace("set-cookie", |set| set.replace("; Secure", "")),
            "the cookie of the sign-in page https://api.example/authorize has \"Path=/; HttpOnly; SameSite=Lax\" after its value, \
             and was sent with \"Path=/; HttpOnly; SameSite=Lax; Secure\": browsers drop it, or send it where it does not belong. \
             Let the proxy leave it as it is (nginx: proxy_cookie_path, proxy_cookie_flags)",
        ),
        (
            NOTHING,
            |_, answered| answered.replace("set-cookie", |set| format!("{set}; Domain=api.example")),
            "the cookie of the sign-in page https://api.example/authorize has \"Path=/; HttpOnly; SameSite=Lax; Secure; \
             Domain=api.example\" after its value, and was sent with \"Path=/; HttpOnly; SameSite=Lax; Secure\": browsers drop it, \
             or send it where it does not belong. Let the proxy leave it as it is (nginx: proxy_cookie_path, proxy_cookie_flags)",
        ),
    ];
    for (breaks, spoils, sentence) in rows {
        let found = found(*breaks, *spoils).await;
        assert_eq!(found.first().map(String::as_str), Some(*sentence), "{found:#?}");
    }
}

#[tokio::test]
async fn headers_and_clocks_are_measured() {
    let long = found(NOTHING, |_, answered| answered.add("x-padding", &"x".repeat(5 * 1024))).await;
    let [sentence] = long.as_slice() else { panic!("{long:#?}") };
    let (before, after) = sentence.split_once(" bytes of headers: nginx accepts 4096 by default").unwrap();
    let (url, bytes) = before.strip_prefix("the answer of ").unwrap().split_once(" has ").unwrap();
    assert!(url.starts_with("https://api.example/") && bytes.parse::<usize>().unwrap() > 5 * 1024, "{sentence}");
    assert_eq!(
        after,
        " (proxy_buffer_size), and answers 502 beyond. Let the application and the proxies add less to each answer"
    );

    for (date, side) in [("Tue, 15 Nov 1994 08:12:31 GMT", "behind"), ("Wed, 01 Jan 2076 00:00:00 GMT", "ahead of")] {
        let oauth = service();
        let server = start(&oauth, guarded);
        let spoils: Spoils = if side == "behind" {
            |_, answered| answered.replace("date", |_| "Tue, 15 Nov 1994 08:12:31 GMT".to_owned())
        } else {
            |_, answered| answered.replace("date", |_| "Wed, 01 Jan 2076 00:00:00 GMT".to_owned())
        };
        let proxy = proxy(&server, NOTHING, spoils);
        let found = told(&oauth, &proxy.base).await;
        let [sentence] = found.as_slice() else { panic!("{date}: {found:#?}") };
        let (clock, after) = sentence.split_once(&format!(" s {side} that of this machine")).unwrap();
        assert!(clock.starts_with("the clock of https://api.example/token is "), "{sentence}");
        assert_eq!(after, ": tokens and assertions are refused where clocks differ by more than 30 s. Set both by NTP");
    }
}

#[tokio::test]
async fn a_proxy_that_the_builder_says_is_not_there_is_told() {
    let oauth = builder().direct_peers().build().unwrap();
    let server = start(&oauth, guarded);
    oauth.doctor().at(&server.base).await.assert_healthy();
    for (spoils, told_by) in [
        ((|_, answered| answered.add("server", "nginx/1.24.0")) as Spoils, "Server: nginx/1.24.0"),
        (|_, answered| answered.add("via", "1.1 Caddy"), "Via: 1.1 Caddy"),
    ] {
        let proxy = proxy(&server, NOTHING, spoils);
        assert_eq!(
            told(&oauth, &proxy.base).await,
            [format!(
                "https://api.example/token is answered through a proxy ({told_by}), and .direct_peers() says that there is none: \
                 all users share one count of failed sign-ins. Write .client_address(x_forwarded_for(1)) instead, with the number \
                 of your proxies"
            )]
        );
        assert_eq!(found(NOTHING, spoils).await, [""; 0], "it was said");
    }
}

#[tokio::test]
async fn what_the_application_left_out_is_told() {
    let oauth = service();
    let without_routes = start(&oauth, |_, app| {
        app.route("/", web::get().to(async || "hello"));
    });
    assert_eq!(
        told(&oauth, &without_routes.base).await,
        [
            "https://api.example/.well-known/oauth-authorization-server answers 404, and no other URL of the server is there either. \
          Add .configure(oauth.routes()) to the App, or correct .issuer(..), and let the proxy, if there is one, send \
          https://api.example to it"
        ]
    );
    let without_handlers = start(&oauth, |oauth, app| {
        app.configure(oauth.routes());
    });
    assert_eq!(
        told(&oauth, &without_handlers.base).await,
        [
            "https://api.example/mcp answers 404: there is nothing that a client could call. Mount its handlers at this path in the \
          App, and let the proxy send it there"
        ]
    );
    let without_a_guard = start(&oauth, |oauth, app| {
        app.configure(oauth.routes()).route("/mcp", web::post().to(async || "called"));
    });
    assert_eq!(
        told(&oauth, &without_a_guard.base).await,
        [
            "https://api.example/mcp answers 200 to a request without a token: it has no guard. Put one around it, as in \
          .wrap(oauth.require(policy!(sub)))"
        ]
    );
}

#[tokio::test]
async fn what_is_not_there_at_all_is_told() {
    let oauth = service();
    let (listener, base) = free_port();
    drop(listener);
    let found = told(&oauth, &base).await;
    let [sentence] = found.as_slice() else { panic!("{found:#?}") };
    let url = "https://api.example/.well-known/oauth-authorization-server cannot be reached: ";
    assert!(sentence.starts_with(url) && sentence.contains("refused"), "{sentence}");
    assert!(sentence.ends_with(". Start the service, and let the name of the issuer lead to it"), "{sentence}");
    assert_eq!(
        told(&oauth, "no address").await,
        [
            "no address cannot be reached: relative URL without a base. Start the service, and let the name of the issuer lead to it"
        ]
    );
    let report = oauth.doctor().at("no address").await;
    assert!(report.to_string().starts_with("https://api.example: 1 obstacle for a client\n- no address"), "{report}");
    let failed = std::panic::catch_unwind(|| report.assert_healthy()).unwrap_err();
    assert!(failed.downcast_ref::<String>().unwrap().contains("no address cannot be reached"));
}
