#[derive(serde::Serialize, serde::Deserialize, oauth_runtime::Claims)]
pub struct User {
    pub sub: String,
}

fn main() {
    oauth_runtime::claims!(User);
}
