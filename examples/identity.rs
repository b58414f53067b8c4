//! The whole server in one file: `cargo run --example identity`, then what it prints.
//!
//! OpenID Connect, sessions, refresh tokens, consent, a confidential client with tokens of its own, and tokens for two other
//! servers.

use actix_web::web::{Json, ServiceConfig};
use actix_web::{App, HttpServer, Responder, get};
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use oauth_runtime::{
    AccessToken, BuildError, Builder, Claims, Client, GrantType, Keys, Login, OAuthService, Secret, SecretError,
    SignatureAlgorithm, SigningKey, Texts, claims, public, require_claim, require_token,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What `authenticate` and `reload` answer; the names are those of OpenID Connect, so that `/userinfo` knows them.
#[derive(Clone, Serialize, Deserialize, Claims)]
struct User {
    sub: String,
    name: String,
    email: String,
    email_verified: bool,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
enum Role {
    Member,
    Admin,
}

// The guards below are checked against it by the compiler.
claims!(User);

#[public]
#[get("/")]
async fn welcome() -> impl Responder {
    "Sign in with any OpenID Connect client: discovery is at /.well-known/openid-configuration."
}

#[require_token]
#[get("/me")]
async fn me(Claims(user): Claims<User>, token: AccessToken) -> impl Responder {
    Json(json!({ "user": user, "client": token.client_id(), "scope": token.scope() }))
}

#[require_claim(User { role: Role::Admin, .. })]
#[get("/admin")]
async fn admin() -> impl Responder {
    "Admin access granted!"
}

/// For a job, which has a token in its own name and no user, and for what an admin lets an application do.
#[require_claim(scope = "reports:read")]
#[get("/reports")]
async fn reports() -> impl Responder {
    "All is well."
}

fn routes(app: &mut ServiceConfig) {
    app.service((welcome, me, admin, reports));
}

/// A server with users and with tokens of its own. It learns of sign-outs, where it says at which URL.
fn backend() -> Client {
    let backend = Client::confidential("backend")
        .secret(BACKEND_SECRET)
        .redirect_uri("http://127.0.0.1/callback")
        .grants([GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials])
        .scope("reports:read");
    match std::env::var("BACKEND_LOGOUT_URI") {
        Ok(uri) => backend.backchannel_logout_uri(uri),
        Err(_) => backend,
    }
}

fn service(origin: &str) -> Result<OAuthService, Box<dyn std::error::Error>> {
    let service = with_rs256(builder()?)?
        .issuer(origin)
        .name("Identity")
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .scope("email", "Know your address")
        .scope("roles", "Know your role")
        .releases(["role"])
        .scope("reports:read", "Read reports")
        // A client that shows a key gets tokens that are bound to it.
        .dpop_nonces()
        .client(
            Client::public("demo")
                .name("Demo app")
                .redirect_uri(format!("{origin}/"))
                .redirect_uri("http://127.0.0.1/callback")
                .redirect_uri("http://127.0.0.1/auth/callback/identity") // where Auth.js comes back to
                .post_logout_redirect_uri(format!("{origin}/"))
                .claims_in_id_tokens(),
        )
        // `cargo run --example cli login`, or `login --device` without a browser.
        .client(Client::public("cli").name("Command line").redirect_uri("http://127.0.0.1/callback").device())
        // A third party's: each user is asked whether they allow it what it asks for, and it gets these scopes at most.
        .client(
            Client::public("partner")
                .name("Partner")
                .redirect_uri("http://127.0.0.1/partner")
                .third_party()
                .allow_scopes("profile email"),
        )
        .client(backend())
        // Reports are for jobs, and for users who are admins.
        .narrow_scopes(|user, scope| {
            scope != "reports:read" || user.claims::<User>().is_some_and(|user| user.role == Role::Admin)
        })
        .language(
            Texts::german()
                .describe("openid", "Wissen, wer Sie sind")
                .describe("profile", "Ihren Namen lesen")
                .describe("email", "Ihre E-Mail-Adresse lesen")
                .describe("roles", "Ihre Rolle lesen")
                .describe("reports:read", "Berichte lesen")
                .describe("https://files.example", "Dateien")
                .describe("https://mail.example", "Post"),
        )
        .resource("https://files.example")
        .resource("https://mail.example")
        .authenticate_blocking(validate_user)
        .reload(async |subject: &str| user(subject))
        .build();
    service.map_err(|error: BuildError| error.into())
}

/// With a secret that stays, from which the signing keys come as well; or for a first try with one that ends with the
/// process.
fn builder() -> Result<Builder, SecretError> {
    let secret = Secret::from_env_if_set("OAUTH_SECRET")?;
    Ok(secret.into_iter().fold(OAuthService::builder(), Builder::secret))
}

/// For clients that assume RS256: an RSA key is given, since none is derived from a secret.
fn with_rs256(builder: Builder) -> Result<Builder, Box<dyn std::error::Error>> {
    let Ok(rsa) = std::env::var("OAUTH_RSA_KEY") else { return Ok(builder) };
    let keys = Keys::new(SigningKey::generate()?).also(SigningKey::from_pem(&rsa)?)?;
    let client = Client::confidential("relying-party").secret(BACKEND_SECRET).redirect_uri("http://127.0.0.1/callback");
    Ok(builder.keys(keys).client(client.id_token_algorithm(SignatureAlgorithm::Rs256)))
}

fn user(subject: &str) -> Option<User> {
    let (name, email, role, _) = USERS.iter().find(|(_, email, ..)| email.split('@').next() == Some(subject))?;
    let (sub, name, email) = (subject.to_owned(), (*name).to_owned(), (*email).to_owned());
    Some(User { sub, name, email, email_verified: true, role: *role })
}

/// Runs on a thread of its own, since a password hash is slow on purpose.
fn validate_user(login: Login) -> Option<User> {
    let known = user(&login.username);
    // A name that does not exist costs the same time, so that no one can tell which names do.
    let email = known.as_ref().map_or(USERS[0].1, |user| user.email.as_str());
    let (.., hash) = USERS.iter().find(|(_, other, ..)| *other == email)?;
    Argon2::default().verify_password(login.password.as_bytes(), &PasswordHash::new(hash).ok()?).ok()?;
    known
}

/// Name, address, role and Argon2 hash (of the first part of the address and `123`).
const USERS: [(&str, &str, Role, &str); 2] = [
    (
        "Alice Archer",
        "alice@example.com",
        Role::Admin,
        "$argon2id$v=19$m=19456,t=2,p=1$H2j+9J2Hf4RktzYT9DOOMw$L+Snmjx9keCRoaaFDJhTpk3z1OCH8wMFhYxkM98FdpY",
    ),
    (
        "Bob Baker",
        "bob@example.com",
        Role::Member,
        "$argon2id$v=19$m=19456,t=2,p=1$3RxyTxt1Waz/HXlhYiAleA$LHojy+RqkeyYQOO5vFCqI0S6jnGdZwCBbQM0smgyspc",
    ),
];

/// In production: from the environment or a secret manager, and random.
const BACKEND_SECRET: &str = "a secret of an example, which everyone knows";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8000), |port| port.parse())?;
    let origin = format!("http://127.0.0.1:{port}");
    let oauth = service(&origin)?;
    tracing::info!("users alice/alice123 and bob/bob123; discovery: {origin}/.well-known/openid-configuration");
    tracing::info!(
        "curl -u 'backend:{BACKEND_SECRET}' -d grant_type=client_credentials -d scope=reports:read {origin}/token"
    );
    HttpServer::new(move || App::new().configure(oauth.routes()).configure(routes))
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};
    use oauth_runtime::testing;

    use super::*;

    fn oauth() -> OAuthService {
        service("http://127.0.0.1:8000").expect("a service")
    }

    #[actix_web::test]
    async fn no_route_is_open() {
        testing::coverage(App::new().configure(oauth().routes()).configure(routes)).await.assert_closed();
    }

    #[actix_web::test]
    async fn each_route_lets_in_and_refuses() {
        let oauth = oauth();
        let app = init_service(App::new().configure(oauth.routes()).configure(routes)).await;
        let alice = || testing::token(&oauth, &user("alice").expect("a user"));
        let bob = || testing::token(&oauth, &user("bob").expect("a user"));
        for (path, token, status) in [
            ("/me", bob(), StatusCode::OK),
            ("/me", bob().without("role"), StatusCode::FORBIDDEN),
            ("/admin", alice(), StatusCode::OK),
            ("/admin", bob(), StatusCode::FORBIDDEN),
            ("/reports", bob().scope("reports:read"), StatusCode::OK),
            ("/reports", bob(), StatusCode::FORBIDDEN),
            ("/reports", bob().expired(), StatusCode::UNAUTHORIZED),
            ("/me", bob().for_audience("https://files.example"), StatusCode::UNAUTHORIZED),
        ] {
            let request = TestRequest::get().uri(path).insert_header(token.header()).to_request();
            assert_eq!(call_service(&app, request).await.status(), status, "{path}");
        }
    }

    #[test]
    fn the_passwords_are_those_that_the_hashes_are_of() {
        for (name, .., hash) in USERS {
            let first = name.split(' ').next().unwrap_or_default().to_lowercase();
            let hash = PasswordHash::new(hash).expect("a hash");
            assert!(Argon2::default().verify_password(format!("{first}123").as_bytes(), &hash).is_ok(), "{name}");
        }
    }
}
