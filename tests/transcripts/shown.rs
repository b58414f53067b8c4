//! The configurations that pages of the documentation show: each makes the exchanges of its page.
#![allow(unreachable_pub, reason = "a page shows what an application would write")]

pub mod clients;
pub mod openid;
pub mod refresh;
pub mod resource_servers;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;

/// The page, the language of its block, and what stands there.
pub const SHOWN: [(&str, &str, &str); 7] = [
    ("clients", "rust", include_str!("shown/clients.rs")),
    ("openid", "rust", include_str!("shown/openid.rs")),
    ("refresh", "rust", include_str!("shown/refresh.rs")),
    ("resource-servers", "rust,no_run", include_str!("shown/resource_servers.rs")),
    ("second-factor", "rust", include_str!("shown/second_factor.rs")),
    ("sessions", "rust", include_str!("shown/sessions.rs")),
    ("sign-in", "rust", include_str!("shown/sign_in.rs")),
];
