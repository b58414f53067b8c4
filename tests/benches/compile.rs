//! What it costs the compiler to compare guards with the type of the claims: an application of a hundred handlers, with the
//! line that binds them and without it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "not production code")]

#[allow(dead_code, reason = "the tests read what it says")]
#[path = "../src/compiler.rs"]
mod compiler;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How often each is compiled, by turns.
const ROUNDS: usize = 12;

const HANDLERS: usize = 100;

const APPLICATION: &str = r#"
use actix_web::{Responder, get};
use oauth_runtime::{Claims, require_claim};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
pub enum Role { Reader, Auditor, Admin }

#[derive(Serialize, Deserialize, Claims)]
pub struct User { sub: String, role: Role, level: u8, suspended: bool, teams: Vec<String>, boss: Option<String> }
"#;

fn main() {
    let without = application();
    let bound = format!("{without}\noauth_runtime::claims!(User, scope = [\"notes:read\", \"notes:write\"]);\n");
    let (mut least, mut total) = ([Duration::MAX; 2], [Duration::ZERO; 2]);
    for _ in 0..ROUNDS {
        for (index, program) in [&without, &bound].into_iter().enumerate() {
            let began = Instant::now();
            let said = compiler::rustc("-", program, &[]);
            let took = began.elapsed();
            assert!(said.is_empty(), "{}", compiler::text(&said));
            least[index] = least[index].min(took);
            total[index] += took;
        }
    }
    for (name, times) in [("least", least), ("mean", total.map(|total| total / ROUNDS as u32))] {
        let ratio = times[1].as_secs_f64() / times[0].as_secs_f64();
        println!(
            "{HANDLERS} handlers, {name} of {ROUNDS}: {:.2?} unbound, {:.2?} bound, {ratio:.3}",
            times[0], times[1]
        );
    }
}

fn application() -> String {
    let mut program = APPLICATION.to_owned();
    for index in 0..HANDLERS {
        let (policy, arguments) = match index % 4 {
            0 => ("any(sub = path.owner, role = \"admin\"), not(suspended)", ""),
            1 => ("role = [\"auditor\", \"admin\"], level >= 3, scope = \"notes:read\"", "Claims(user): Claims<User>"),
            2 => ("User { role: Role::Admin | Role::Auditor, level: 3.., .. }", "Claims(user): Claims<User>"),
            _ => ("all(teams = \"blue\", teams = \"red\"), fresh = \"5m\", boss", ""),
        };
        let body = if arguments.is_empty() { "\"\".to_owned()" } else { "user.sub" };
        writeln!(
            program,
            "#[require_claim({policy})] #[get(\"/{index}/{{owner}}\")] pub async fn handler_{index}({arguments}) -> impl Responder \
             {{ {body} }}"
        )
        .unwrap();
    }
    program + "fn main() {}\n"
}
