//! The code that pages of clients show: each block is a file here, or a part of an example, and its test runs it.
#![allow(unreachable_pub, reason = "a page shows what an application would write")]

pub mod client_mobile;
pub mod client_server;
pub mod client_server_code;
pub mod migrating_clients;
pub mod migrating_hashes;
pub mod migrating_paths;

use oauth_tests::pages;

/// The page, the name and language of its block, and what stands there. That of `client-spa` is run in Chromium.
const SHOWN: [(&str, &str, &str, &str); 8] = [
    ("client-spa", "configuration", "rust", include_str!("shown/client_spa.rs")),
    ("client-spa", "client", "js", include_str!("shown/client_spa.js")),
    ("client-mobile", "configuration", "rust", include_str!("shown/client_mobile.rs")),
    ("client-server", "configuration", "rust", include_str!("shown/client_server.rs")),
    ("client-server", "client", "rs", include_str!("shown/client_server_code.rs")),
    ("migrating", "hashes", "rs", include_str!("shown/migrating_hashes.rs")),
    ("migrating", "clients", "rust", include_str!("shown/migrating_clients.rs")),
    ("migrating", "paths", "rust", include_str!("shown/migrating_paths.rs")),
];

#[test]
fn the_pages_show_what_is_run() {
    for (page, name, language, text) in SHOWN {
        pages::hold(page, name, &format!("```{language}\n{text}```\n"));
    }
}

/// The functions of the example, from its documentation to its end, in this order.
#[test]
fn the_page_of_command_lines_shows_the_example() {
    let example = include_str!("../../examples/cli.rs");
    let function = |name: &str| {
        let begin = example.find(&format!("fn {name}")).unwrap();
        let begin = example[..begin].rfind("\n\n").unwrap() + 2;
        let (function, _) = example[begin..].split_once("\n}\n").unwrap();
        format!("{function}\n}}\n")
    };
    let named = |names: &[&str]| names.iter().map(|name| function(name)).collect::<Vec<_>>().join("\n");
    pages::hold("client-cli", "client", &format!("```rs\n{}```\n", named(&["with_a_browser", "answer_in"])));
    pages::hold("client-cli", "device", &format!("```rs\n{}```\n", named(&["with_a_code"])));
}
