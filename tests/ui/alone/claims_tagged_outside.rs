#[derive(serde::Serialize, oauth_runtime::Claims)]
pub enum User {
    Admin { sub: String },
    Guest { sub: String },
}

oauth_runtime::claims!(User);

fn main() {}
