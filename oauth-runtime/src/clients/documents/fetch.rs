//! How a document is fetched: with a minimal request, from one host, in one answer.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, retry};

use crate::clients::documents::freshness::{Said, freshness};
use crate::clients::documents::gate::{Asker, Gate, NotFetched, Resolver};
use crate::clients::documents::url::DocumentUrl;
use crate::model::document::{Away, Unfit};

/// Fetches documents.
pub(super) struct Fetcher {
    http: Client,
    gate: Arc<Gate>,
}

/// A document, and for how long its server lets it be kept.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) json: Vec<u8>,
    pub(super) fresh: Duration,
}

impl Fetcher {
    pub(super) fn new(gate: &Arc<Gate>) -> reqwest::Result<Self> {
        let http = Client::builder()
            // A proxy would look the host up itself, and could reach internal addresses.
            .no_proxy()
            .redirect(Policy::none())
            .retry(retry::never())
            .referer(false)
            .dns_resolver(Resolver(Arc::clone(gate)))
            // A crate of the application may turn these on for all.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            // Each connection goes to addresses that were checked for it.
            .pool_max_idle_per_host(0)
            .timeout(TIMEOUT)
            .user_agent(concat!("oauth-runtime/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Fetcher { http, gate: Arc::clone(gate) })
    }

    /// Whether one more document would be fetched, as far as known before its host is looked up.
    pub(super) fn has_room(&self, asker: Asker<'_>) -> bool {
        self.gate.has_room(asker)
    }

    /// Fetches this URL.
    pub(super) async fn get(&self, url: &DocumentUrl, asker: Asker<'_>) -> Result<Fetched, NotFetched> {
        self.gate.count(asker)?;
        // An address in a URL is never looked up.
        if let Ok(address) = url.host().trim_matches(['[', ']']).parse::<IpAddr>() {
            self.gate.admit(vec![address])?;
        }
        let request = self.http.get(url.url().clone()).header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(|why| not_sent(&why))?;
        check(&response)?;
        let fresh = freshness(&Said::of(response.headers()));
        Ok(Fetched { json: body(response).await?, fresh })
    }
}

/// Draft §4, §5: 200 and JSON.
fn check(response: &Response) -> Result<(), NotFetched> {
    match response.status().as_u16() {
        200 => {}
        300..400 => return Err(Unfit::Redirected.into()),
        404 | 410 => return Err(Unfit::NotThere.into()),
        429 | 500.. => return Err(Away::Failing.into()),
        _ => return Err(Unfit::Status.into()),
    }
    let headers = response.headers();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Unfit::Compressed.into());
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json { Ok(()) } else { Err(Unfit::NotJson.into()) }
}

/// Draft §8.7: reads no more than the size limit of documents.
async fn body(mut response: Response) -> Result<Vec<u8>, NotFetched> {
    if response.content_length().is_some_and(|bytes| bytes > MOST_BYTES as u64) {
        return Err(Unfit::TooLong.into());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|why| not_sent(&why))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Unfit::TooLong.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why there is no answer; the gate gives its own reason.
fn not_sent(why: &reqwest::Error) -> NotFetched {
    let mut cause = why.source();
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<NotFetched>() {
            return *refused;
        }
        cause = inner.source();
    }
    tracing::debug!(target: "oauth", %why, "a document about a client cannot be fetched");
    Away::Unreachable.into()
}

/// For everything about one client, since a person waits for it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);
const MOST_BYTES: usize = 5 * 1024;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clients::documents::address::Reach;
    use crate::clients::documents::gate::LookUp;
    use crate::model::Clock;

    /// Answers each connection with these bytes, and counts the connections.
    fn server(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer);
            }
        });
        (port, connections)
    }

    fn fetcher(reach: Reach, look_up: LookUp) -> Fetcher {
        let gate = Arc::new(Gate::new(reach, look_up, Clock::system()));
        Fetcher::new(&gate).expect("a client")
    }

    fn at(addresses: &[&str]) -> LookUp {
        let found: Vec<IpAddr> = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(move |_| {
            let found = found.clone();
            Box::pin(async { Ok(found) })
        })
    }

    const GOOD: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

    #[tokio::test]
    async fn a_connection_goes_to_the_addresses_that_were_checked() {
        let (port, connections) = server(GOOD);
        let url: DocumentUrl = format!("http://localhost:{port}/a").parse().expect("a URL");
        let fetched =
            fetcher(Reach::AndLoopback, at(&["127.0.0.1"])).get(&url, Asker::User("ada")).await.expect("it is there");
        assert_eq!(fetched.json, b"{}");
        // A refusal of the resolver arrives with its own reason.
        for reach in [Reach::Public, Reach::AndLoopback] {
            let refused = fetcher(reach, at(&["127.0.0.1", "10.0.0.1"]))
                .get(&url, Asker::User("ada"))
                .await
                .expect_err("one is private");
            assert_eq!(refused, Unfit::Address.into());
        }
        let refused =
            fetcher(Reach::Public, at(&["127.0.0.1"])).get(&url, Asker::User("ada")).await.expect_err("it is loopback");
        assert_eq!(refused, Unfit::Address.into());
        let url: DocumentUrl = format!("http://127.0.0.1:{port}/a").parse().expect("a URL");
        let refused = fetcher(Reach::Public, at(&[])).get(&url, Asker::User("ada")).await.expect_err("it is loopback");
        assert_eq!(refused, Unfit::Address.into());
        assert_eq!(connections.load(Ordering::SeqCst), 1, "nothing else was connected to");
    }
}
