use actix_web::{Responder, get};
use oauth_runtime::{BuildError, Client, Keys, Login, OAuthService, Secret, require_token};
use serde_json::{Value, json};

pub fn oauth(
    keys: Keys,
    public_key: Value,
    [secret, next_secret, job_secret]: [Secret; 3],
) -> Result<OAuthService, BuildError> {
    // In a browser, on a phone, on a command line: it can keep no secret, PKCE protects it.
    let demo = Client::public("demo").redirect_uri("http://127.0.0.1/callback");
    // On a server, with users: it authenticates at /token.
    let web = Client::confidential("web").redirect_uri("https://web.example/callback").secret(secret);
    // While a secret is changed, both are accepted.
    let web = web.secret(next_secret);
    // A job without users: tokens in its own name.
    let job = Client::confidential("job").secret(job_secret).scope("notes:read");
    // The same with a key, and with claims of its own.
    let report =
        Client::confidential("report").jwks(public_key).scope("notes:read").claims(json!({ "role": "report" }));
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // without a proxy; behind one .client_address(..)
        .keys(keys)
        .client(demo)
        .client(web)
        .client(job)
        .client(report)
        .scope("notes:read", "Read your notes")
        .resource("https://files.example")
        .resource("https://mail.example")
        .authenticate_blocking(|login: Login| (&*login.password == "admin123").then(user))
        .reload(async |_subject: &str| Some(user()))
        .build()
}

fn user() -> Value {
    json!({ "sub": "admin", "role": "user", "email": "ada@example.com" })
}

#[require_token]
#[get("/me")]
pub async fn me() -> impl Responder {
    "signed in"
}
