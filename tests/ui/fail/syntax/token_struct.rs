use oauth_runtime::require_token;

#[require_token]
struct Report;

fn main() {}
