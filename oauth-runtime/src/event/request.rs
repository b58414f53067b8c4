//! The request that something happens in, known wherever that is told.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

/// What events say of the request that they are of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// None outside the server's own URLs.
    pub(crate) id: Option<Arc<str>>,
    pub(crate) address: Option<IpAddr>,
}

tokio::task_local! {
    static CURRENT: Request;
}

/// Answers a request: what is told meanwhile is told of it.
pub(crate) async fn during<T>(request: Request, answer: impl Future<Output = T>) -> T {
    CURRENT.scope(request, answer).await
}

/// That which is being answered; an empty one outside any.
pub(crate) fn current() -> Request {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}
