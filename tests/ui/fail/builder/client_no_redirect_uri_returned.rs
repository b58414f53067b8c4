use oauth_runtime::Client;

pub fn app() -> Client {
    Client::public("app").name("Notes")
}

fn main() {}
