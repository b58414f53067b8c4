//! How a store connects.

use std::fmt;

/// How a [`RedisStore`](crate::store::RedisStore) connects, for other settings than the defaults.
///
/// ```no_run
/// use oauth_runtime::store::RedisOptions;
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisOptions::new().prefix("shop").replicas(1).connect("rediss://redis.example.com/").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisOptions {
    pub(super) prefix: String,
    pub(super) replicas: u32,
    pub(super) without_tls: bool,
    pub(super) root_certificate: Option<Vec<u8>>,
}

impl RedisOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        RedisOptions { prefix: "oauth".to_owned(), replicas: 0, without_tls: false, root_certificate: None }
    }

    /// What the names of all keys begin with: two services in one database need different prefixes. Letters, digits and
    /// `-_.:`, at most
    /// 64. Default: `oauth`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How many replicas know of a write before it is acknowledged (`WAIT`). If fewer know within a second, the write
    /// fails, and may have been done. Default: 0.
    ///
    /// It makes it unlikely that a failover loses a revocation, and costs a round trip to the replicas for every write.
    #[must_use]
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// Permits `redis://` to another machine. Users' data and the password then travel in the open: use it only on a
    /// network that is all yours, or through a tunnel that encrypts. Default: refused.
    #[must_use]
    pub fn danger_without_tls(mut self) -> Self {
        self.without_tls = true;
        self
    }

    /// The certificate, in PEM, of the authority that signed the servers' certificates. Default: the authorities that the
    /// system trusts.
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        RedisOptions::new()
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("replicas", &self.replicas)
            .field("without_tls", &self.without_tls)
            .finish_non_exhaustive()
    }
}
