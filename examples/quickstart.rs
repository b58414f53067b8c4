//! An application that is its own OAuth 2.1 server.
fn main() {}
