//! The sign-in answers JSON, and the guards speak of a type.
//!
//! The claim is `roles` there and `role` here, and no compiler compares them: the guards refuse every user.
// caught: build
// says: User

use oauth_runtime::{BuildError, Client, Login, OAuthService};
#[allow(unused_imports)]
use serde_json::json;

use crate::{SECRET, sign_in};

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        // right: .authenticate(async |login: Login| sign_in(&login))
        .authenticate(async |login: Login| sign_in(&login).map(|user| json!({ "sub": user.sub, "roles": [user.role] })))
        .build()
}
