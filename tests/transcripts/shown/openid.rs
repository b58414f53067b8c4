use oauth_runtime::{BuildError, Client, Keys, Login, OAuthService, Secret};
use serde_json::{Value, json};

pub fn oauth(keys: Keys, job_secret: Secret) -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // without a proxy; behind one .client_address(..)
        .keys(keys)
        .scope("openid", "Know who you are")
        .scope("email", "Know your address")
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .client(Client::confidential("job").secret(job_secret).scope("notes:read"))
        .authenticate_blocking(|login: Login| (&*login.password == "admin123").then(user))
        .reload(async |_subject: &str| Some(user()))
        .build()
}

fn user() -> Value {
    json!({ "sub": "admin", "role": "admin", "email": "ada@example.com" })
}
