//! JWTs: who signs them and who verifies them.

mod derived;
mod jwt;
mod nonces;
mod proof;
#[cfg(feature = "resource-server")]
mod remote;
mod ring;
mod rotation;
pub(crate) mod sealed;
mod signing_key;
mod verified;

pub(crate) use derived::DerivedKeys;
#[cfg(feature = "testing")]
pub(crate) use jwt::ACCESS_TOKEN;
#[cfg(feature = "backchannel-logout")]
pub(crate) use jwt::LOGOUT_TOKEN;
pub(crate) use jwt::{Expected, ID_TOKEN, Jwt, MAX_BYTES};
pub(crate) use nonces::Nonces;
pub(crate) use proof::{Proof, ProofOf, REMEMBERED};
#[cfg(all(fuzzing, feature = "resource-server"))]
pub(crate) use remote::fuzz as fuzz_published;
#[cfg(feature = "resource-server")]
pub use remote::{DiscoveryError, IssuerAway, IssuerHealth};
#[cfg(feature = "resource-server")]
pub(crate) use remote::{RemoteKeys, Shape};
#[cfg(fuzzing)]
pub(crate) use ring::fuzz as fuzz_signed;
pub(crate) use ring::{IdTokenHint, KeyRing, SignedInAs};
pub use rotation::Keys;
pub use signing_key::{KeyError, SigningKey};
#[cfg(fuzzing)]
pub(crate) use verified::fuzz as fuzz_claims;
pub(crate) use verified::{Registered, Texts, Verified};
