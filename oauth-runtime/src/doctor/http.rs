//! Requests as a client sends them, and answers as it sees them.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use url::Url;

use crate::doctor::finding::Finding;
use crate::doctor::shown::shown;
use crate::model::issuer::Issuer;

/// A request.
pub(super) struct Ask {
    method: Method,
    url: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<String>,
}

impl Ask {
    pub(super) fn get(url: &str) -> Self {
        Ask { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: None }
    }

    /// A form without a field.
    pub(super) fn post(url: &str) -> Self {
        Ask { method: Method::POST, body: Some(String::new()), ..Ask::get(url) }
            .with("content-type", "application/x-www-form-urlencoded")
    }

    pub(super) fn post_json(url: &str, body: &Value) -> Self {
        let ask = Ask { method: Method::POST, body: Some(body.to_string()), ..Ask::get(url) };
        ask.with("content-type", "application/json")
    }

    /// The request of a browser before it lets a page post (Fetch §3.3.2).
    pub(super) fn preflight(url: &str) -> Self {
        let ask = Ask { method: Method::OPTIONS, ..Ask::get(url) }.of_a_page();
        ask.with("access-control-request-method", "POST").with("access-control-request-headers", "mcp-protocol-version")
    }

    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// From a page of an origin that the server does not know.
    pub(super) fn of_a_page(self) -> Self {
        self.with("origin", PAGE)
    }
}

/// An answer.
pub(super) struct Visit {
    pub(super) url: String,
    pub(super) status: u16,
    headers: HeaderMap,
    /// Only of JSON answers.
    body: Vec<u8>,
}

impl Visit {
    /// Each line of a header that is text.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(super) fn is_html(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }
}

/// Sends requests.
pub(super) struct Http {
    client: reqwest::Client,
    /// Where to connect to, whatever a URL says.
    at: Option<Url>,
    pub(super) visits: usize,
    /// The URL with the most bytes of headers.
    longest: Option<(String, usize)>,
}

impl Http {
    pub(super) fn new(at: Option<&str>, issuer: &Issuer) -> Result<Self, String> {
        let at = at.map(|at| at.parse::<Url>().map_err(|why| why.to_string())).transpose()?;
        let version = HeaderValue::from_static("2025-11-25");
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(PATIENCE)
            // MCP, transports: on every request, those for the metadata included.
            .default_headers([(HeaderName::from_static("mcp-protocol-version"), version)].into_iter().collect())
            .user_agent(concat!("oauth-runtime-doctor/", env!("CARGO_PKG_VERSION")));
        let is_near = at.is_some() || !issuer.is_https(); // plain http is for loopback alone
        let client = if is_near { client.no_proxy().http1_only() } else { client };
        let client = client.build().map_err(|why| why.to_string())?;
        Ok(Http { client, at, visits: 0, longest: None })
    }

    /// The answer, unless it leads elsewhere or comes from something else.
    pub(super) async fn visit(&mut self, ask: Ask) -> Result<Visit, Finding> {
        let Ask { url, .. } = &ask;
        let unreachable =
            |why: reqwest::Error| Finding::Unreachable { url: url.clone(), why: cause_of(&why.without_url()) };
        let mut response = self.request(&ask).send().await.map_err(unreachable)?;
        self.visits += 1;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes =
            STATUS_LINE + headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
        if self.longest.as_ref().is_none_or(|(_, longest)| bytes > *longest) {
            self.longest = Some((url.clone(), bytes));
        }
        let mut body = Vec::new();
        let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media_type.contains("json") {
            while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
                body.extend_from_slice(&chunk);
                if body.len() > LONGEST_BODY {
                    break;
                }
            }
        }
        let (url, status) = (url.clone(), status.as_u16());
        match status {
            500.. => Err(Finding::Failing { url, status }),
            301 | 302 | 307 | 308 => {
                let to = headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
                let to = Url::parse(&url).and_then(|base| base.join(to)).map_or_else(|_| to.to_owned(), Into::into);
                if to == url {
                    Err(Finding::RedirectLoop { url, status })
                } else {
                    Err(Finding::Redirected { url, status, to: shown(&to) })
                }
            }
            _ => Ok(Visit { url, status, headers, body }),
        }
    }

    fn request(&self, ask: &Ask) -> RequestBuilder {
        let Ask { method, url, headers, body } = ask;
        let parsed = Url::parse(url).ok().zip(self.at.as_ref());
        let mut request = match parsed {
            // The same request as the proxy would pass it on: its path, its query, and its host.
            Some((public, at)) => {
                let host = format!(
                    "{}{}",
                    public.host_str().unwrap_or_default(),
                    public.port().map(|port| format!(":{port}")).unwrap_or_default()
                );
                let mut near = at.clone();
                near.set_path(public.path());
                near.set_query(public.query());
                self.client.request(method.clone(), near).header("host", host)
            }
            None => self.client.request(method.clone(), url),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }

    /// Finds an answer with more headers than proxies accept.
    pub(super) fn long_headers(&mut self) -> Option<Finding> {
        let (url, bytes) = self.longest.take().filter(|(_, bytes)| *bytes > HEADER_BLOCK)?;
        Some(Finding::LongHeaders { url, bytes })
    }
}

/// The innermost cause: the outer ones say "error sending request".
fn cause_of(why: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = why;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shown(&cause.to_string())
}

/// The origin of a page that the server does not know.
pub(super) const PAGE: &str = "https://client.example";
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_BODY: usize = 256 * 1024;
/// `HTTP/1.1 200 OK`, its end, and that of the headers.
const STATUS_LINE: usize = 19;
/// How many bytes of headers nginx accepts by default (`proxy_buffer_size`).
const HEADER_BLOCK: usize = 4096;
