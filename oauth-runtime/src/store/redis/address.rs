//! Where a server is, and how the connection to it must be protected.

use std::fmt;
use std::net::IpAddr;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, TlsCertificates};

use crate::store::StoreError;
use crate::store::redis::error::unavailable;
use crate::store::redis::options::RedisOptions;

/// A server, and how to sign in there.
#[derive(Clone)]
pub(super) struct Address {
    info: ConnectionInfo,
    root_certificate: Option<Vec<u8>>,
}

impl Address {
    /// Reads a URL. No error shows it, since it may hold a password.
    pub(super) fn parse(url: &str, options: &RedisOptions) -> Result<Self, StoreError> {
        let info = url.into_connection_info().map_err(|why| {
            unavailable(format!(
                "Redis: not a URL of the form redis://HOST:PORT or rediss://HOST:PORT: {}",
                why.category()
            ))
        })?;
        // With the third version of the protocol the end of a connection is noticed at once, with the second only by
        // the next call.
        let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(redis);
        let address = Address { info, root_certificate: options.root_certificate.clone() };
        address.is_allowed(options.without_tls)?;
        Ok(address)
    }

    /// Another server of the same Cluster.
    pub(super) fn sibling(&self, host: &str, port: u16, options: &RedisOptions) -> Result<Self, StoreError> {
        let host = host.to_owned();
        let addr = match self.info.addr() {
            ConnectionAddr::TcpTls { .. } => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            _ => ConnectionAddr::Tcp(host, port),
        };
        let sibling = Address { info: self.info.clone().set_addr(addr), ..self.clone() };
        sibling.is_allowed(options.without_tls)?;
        Ok(sibling)
    }

    /// Without TLS, users' data and the password would travel in the open.
    fn is_allowed(&self, without_tls: bool) -> Result<(), StoreError> {
        match self.info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                Err(self.unavailable("#insecure trusts any server: remove it, and name its .root_certificate(..)"))
            }
            ConnectionAddr::Tcp(host, _) if !without_tls && !is_loopback(host) => Err(self.unavailable(
                "its host is not this machine: use rediss:// (or .danger_without_tls() on a network that is all yours)",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn client(&self) -> redis::RedisResult<Client> {
        if !matches!(self.info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Client::open(self.info.clone());
        }
        // The redis crate asks rustls for the process's provider, which panics if there are two and the application has
        // chosen none.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // An error says that another thread was faster.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let root_cert = self.root_certificate.clone();
        Client::build_with_tls(self.info.clone(), TlsCertificates { client_tls: None, root_cert })
    }

    pub(super) fn host(&self) -> &str {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
            _ => "localhost",
        }
    }

    pub(super) fn database(&self) -> i64 {
        self.info.redis_settings().db()
    }

    /// An error of this server, without the password: a server that does not know a command repeats its arguments.
    pub(super) fn unavailable(&self, why: impl fmt::Display) -> StoreError {
        unavailable(format!("Redis at {self}: {}", self.without_password(&why.to_string())))
    }

    pub(super) fn without_password(&self, text: &str) -> String {
        match self.info.redis_settings().password() {
            Some(password) if !password.is_empty() => text.replace(password, "***"),
            _ => text.to_owned(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Host and port, or the path of a socket: not who signs in.
        self.info.addr().fmt(f)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, options: &RedisOptions) -> Result<Address, String> {
        Address::parse(url, options).map_err(|why| why.to_string())
    }

    #[test]
    fn another_machine_is_spoken_to_with_tls() {
        let (strict, open) = (RedisOptions::new(), RedisOptions::new().danger_without_tls());
        for url in ["redis://localhost", "redis://127.0.0.1:7000/2", "redis://[::1]", "rediss://redis.example.com"] {
            assert!(parse(url, &strict).is_ok(), "{url}");
        }
        for url in ["redis://redis.example.com", "redis://10.0.0.1", "redis://u:hunter2@localhost.example.com"] {
            let why = parse(url, &strict).map(|address| address.to_string()).expect_err(url);
            assert!(why.contains("use rediss://") && !why.contains("hunter2"), "{why}");
            assert!(parse(url, &open).is_ok(), "{url}");
        }
        let local = parse("redis://localhost", &strict).expect("a URL");
        assert!(local.sibling("127.0.0.1", 7001, &strict).is_ok());
        assert!(local.sibling("10.0.0.1", 7001, &strict).is_err());
        assert!(parse("rediss://redis.example.com/#insecure", &open).is_err());
    }

    #[test]
    fn no_text_shows_the_password() {
        for url in
            ["redis://u:hunter2@localhost/x", "http://u:hunter2@localhost", "u:hunter2@localhost", "redis://:hunter2@"]
        {
            let why = parse(url, &RedisOptions::new()).map(|address| address.to_string()).expect_err(url);
            assert!(!why.contains("hunter2"), "{why}");
        }
        let address = parse("redis://u:hunter2@localhost", &RedisOptions::new()).expect("a URL");
        let echo = address.unavailable("unknown command 'HELLO', with args beginning with: 'u' 'hunter2'").to_string();
        assert!(!echo.contains("hunter2") && echo.contains("localhost:6379"), "{echo}");
    }
}
