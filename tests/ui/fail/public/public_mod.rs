use oauth_runtime::public;

#[public]
mod report {}

fn main() {}
