//! The commands of the first page, against the usual server.

use std::path::Path;
use std::process::Command;

use oauth_tests::{pages, start};

#[test]
fn the_commands_of_the_first_page_get_a_token_and_use_it() {
    let server = start(|builder| builder);
    let commands = pages::shown("start", "terminal");
    let program = "http://127.0.0.1:8000";
    assert_eq!(commands.matches(program).count(), 1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terminal-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |commands: &str| {
        let shell = Command::new("bash").args(["-c", commands]).current_dir(&folder).output().unwrap();
        String::from_utf8(shell.stdout).unwrap()
    };
    let commands = commands.replace(program, &server.base);
    assert_eq!(run(&commands), "Admin access granted!");
    let without = commands.replace("-H 'Sec-Fetch-Site: same-origin' ", "");
    assert!(without != commands && !run(&without).contains("granted"), "the header is needed");
    std::fs::remove_dir_all(&folder).unwrap();
}
