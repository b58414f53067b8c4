#[derive(serde::Serialize, oauth_runtime::Claims)]
#[serde(tag = "role", content = "of")]
pub enum User {
    Admin { sub: String },
    Guest { sub: String },
}

oauth_runtime::claims!(User);

fn main() {}
