//! The code that pages of clients show: each block is a file here, or a part of an example, and its test runs it.
#![allow(unreachable_pub, reason = "a page shows what an application would write")]

pub mod both_sides;
pub mod client_mobile;
pub mod client_server;
pub mod client_server_code;
pub mod client_spa_development;
pub mod migrating_clients;
pub mod migrating_hashes;
pub mod migrating_login;
pub mod migrating_paths;

use oauth_tests::pages;

/// The page, the name and language of its block, and what stands there. That of `client-spa` is run in Chromium.
const SHOWN: [(&str, &str, &str, &str); 11] = [
    ("client-spa", "configuration", "rust", include_str!("shown/client_spa.rs")),
    ("client-spa", "client", "js", include_str!("shown/client_spa.js")),
    ("client-spa", "development", "rust", include_str!("shown/client_spa_development.rs")),
    ("client-mobile", "configuration", "rust", include_str!("shown/client_mobile.rs")),
    ("client-server", "configuration", "rust", include_str!("shown/client_server.rs")),
    ("client-server", "client", "rs", include_str!("shown/client_server_code.rs")),
    ("migrating", "hashes", "rs", include_str!("shown/migrating_hashes.rs")),
    ("migrating", "login", "rs", include_str!("shown/migrating_login.rs")),
    ("migrating", "clients", "rust", include_str!("shown/migrating_clients.rs")),
    ("migrating", "paths", "rust", include_str!("shown/migrating_paths.rs")),
    ("resource-servers", "both sides", "rust", include_str!("shown/both_sides.rs")),
];

#[test]
fn the_pages_show_what_is_run() {
    for (page, name, language, text) in SHOWN {
        pages::hold(page, name, &format!("```{language}\n{text}```\n"));
    }
}

/// A program has the C library of SQLite once: who reads their own tables there needs the crate of the store.
#[test]
fn the_pages_name_the_sqlx_of_the_store() {
    let (_, version) = include_str!("../../Cargo.toml").split_once("\nsqlx = { version = \"").unwrap();
    let version = version.split('"').next().unwrap();
    let start = include_str!("../../oauth-runtime/docs/start.md");
    assert!(start.contains(&format!("cargo add sqlx@{version} ")) && start.contains(&format!("`sqlx` {version}, as")));
    assert!(include_str!("../../oauth-runtime/docs/stores.md").contains(&format!("`sqlx` {version} or")));
    assert!(include_str!("../../examples/app/Cargo.toml").contains(&format!("sqlx = {{ version = \"{version}\"")));
}

#[test]
fn the_first_page_shows_the_template_s_function() {
    let main = include_str!("../../examples/app/src/main.rs");
    let begin = main.find("/// Runs on a thread of its own").unwrap();
    let end = main[begin..].find("\n}\n").unwrap() + "\n}\n".len();
    pages::hold("start", "authenticate", &format!("```rs\n{}```\n", &main[begin..begin + end]));
}

#[test]
fn the_page_on_signing_in_shows_the_template() {
    let (_, accounts) = include_str!("../../examples/app/src/accounts.rs").split_once("\n\n").unwrap();
    pages::hold("sign-in", "accounts", &format!("```rs\n{accounts}```\n"));
}

/// All of the example but its tests.
#[test]
fn the_page_of_command_lines_shows_the_example() {
    let (_, program) = include_str!("../../examples/cli.rs").split_once("\n\n").unwrap();
    let (program, _) = program.split_once("\n#[cfg(test)]").unwrap();
    pages::hold("client-cli", "program", &format!("```rs\n{program}```\n"));
}
