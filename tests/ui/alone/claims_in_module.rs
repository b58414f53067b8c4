#[derive(serde::Serialize, serde::Deserialize, oauth_runtime::Claims)]
pub struct User {
    pub sub: String,
}

mod guards {
    oauth_runtime::claims!(crate::User);
}

fn main() {}
