use oauth_runtime::public;

#[public]
struct Report;

fn main() {}
