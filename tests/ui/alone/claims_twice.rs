#[derive(serde::Serialize, serde::Deserialize, oauth_runtime::Claims)]
pub struct User {
    pub sub: String,
}

oauth_runtime::claims!(User);
oauth_runtime::claims!(User, scope = ["notes:read"]);

fn main() {}
