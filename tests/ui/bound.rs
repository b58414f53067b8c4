// The root of the crate that the programs in ui/bound are modules of.

oauth_runtime::claims!(User, scope = ["notes:read"], acr = ["mfa"]);

#[derive(Clone, Copy, serde::Serialize, serde::Deserialize, oauth_runtime::Claims)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Reader,
    Auditor,
    Admin,
}

#[derive(serde::Serialize, serde::Deserialize, oauth_runtime::Claims)]
pub struct User {
    pub sub: String,
    pub role: Role,
    pub level: u8,
    pub score: f64,
    pub suspended: bool,
    pub nickname: Option<String>,
    pub teams: Vec<String>,
}
