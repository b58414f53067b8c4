//! The secret is a short word in the source.
//!
//! It is guessed from any token, by anyone, without a request.
// caught: compiler
// says: openssl rand -base64 32

use oauth_runtime::{BuildError, Client, Login, OAuthService};
use oauth_runtime::secret;

use crate::sign_in;

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        // right: .secret(secret!("6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM="))
        .secret(secret!("changeme"))
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
}
