// The application of the programs in this folder, at the root of each crate that they are modules of.

use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use oauth_runtime::{Claims, Client, Login, OAuthService};
use serde::{Deserialize, Serialize};

oauth_runtime::claims!(User, scope = ["notes:read", "notes:write"], acr = ["pwd", "mfa"]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Reader,
    Auditor,
    Admin,
}

/// What the sign-in answers, and so what guards, handlers and tests speak of.
#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
pub struct User {
    pub sub: String,
    pub role: Role,
    pub level: u8,
    pub suspended: bool,
    pub teams: Vec<String>,
    #[serde(default)]
    pub nickname: Option<String>,
    #[serde(rename = "org")]
    pub organization: String,
    pub address: Address,
}

#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
pub struct Address {
    pub country: String,
    pub city: String,
}

/// The administrator `ada`, and `bob`, who reads.
pub fn user(name: &str) -> Option<User> {
    let (role, level) = match name {
        "ada" => (Role::Admin, 7),
        "bob" => (Role::Reader, 1),
        _ => return None,
    };
    Some(User {
        sub: name.to_owned(),
        role,
        level,
        suspended: false,
        teams: vec!["blue".to_owned()],
        nickname: None,
        organization: "acme".to_owned(),
        address: Address { country: "FR".to_owned(), city: "Nice".to_owned() },
    })
}

/// `ada` with `ada123`, and `bob` with `bob123`.
pub fn sign_in(login: &Login) -> Option<User> {
    user(&login.username).filter(|user| *login.password == *format!("{}123", user.sub))
}

pub const SECRET: &str = "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=";

pub fn service() -> OAuthService {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
        .expect("a valid configuration")
}

/// What a request is answered.
pub async fn call<B: MessageBody>(
    app: &impl Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    request: TestRequest,
) -> (StatusCode, String) {
    let (status, body) = match app.call(request.to_request()).await {
        Ok(response) => (response.status(), to_bytes(response.into_body()).await.ok()),
        Err(error) => {
            let response = error.error_response();
            (response.status(), to_bytes(response.into_body()).await.ok())
        }
    };
    (status, String::from_utf8_lossy(&body.unwrap_or_default()).into_owned())
}
