//! The request in which something happens, known wherever an event is reported.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

/// What events say about their request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// None outside the server's own URLs.
    pub(crate) id: Option<Arc<str>>,
    pub(crate) address: Option<IpAddr>,
}

tokio::task_local! {
    static CURRENT: Request;
}

/// Answers a request; events that happen meanwhile belong to it.
pub(crate) async fn during<T>(request: Request, answer: impl Future<Output = T>) -> T {
    CURRENT.scope(request, answer).await
}

/// The request that is being answered; empty outside of one.
pub(crate) fn current() -> Request {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}
