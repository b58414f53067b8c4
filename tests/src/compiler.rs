//! Calls the compiler once more, as cargo called it for the test that asks: a part of `tests/compile.rs` and of
//! `tests/mistakes/`, and of no library, whose guards would be theirs too.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What the programs' paths are relative to.
pub(crate) const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// How the compiler was called for this test: its path, and among much else the libraries to compile against.
const RUSTC: &[&str] = oauth_tests_command::rustc_command!();

/// What the compiler says about a file, or with `-` about the text on its standard input, but for its closing words.
pub(crate) fn rustc(file: &str, input: &str, more: &[&str]) -> Vec<Value> {
    let (program, arguments) = RUSTC.split_first().unwrap();
    let libraries = arguments.windows(2).filter(|pair| ["--extern", "-L"].contains(&pair[0])).flatten();
    let mut compiler = Command::new(program)
        .args(libraries)
        .args(["--edition=2024", "--crate-name=program", "--emit=metadata", "--error-format=json", "-Adead_code", file])
        .args(["--out-dir", env!("CARGO_TARGET_TMPDIR")])
        .args(more)
        .current_dir(HERE)
        // Some advice is only for those who call the compiler by way of cargo.
        .env("CARGO_CRATE_NAME", "program")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    compiler.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = String::from_utf8(compiler.wait_with_output().unwrap().stderr).unwrap();
    let messages = output.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{output}")));
    messages.filter(|message| !is_closing(message)).collect()
}

/// Whether this sums up what was said before, such as "aborting due to 2 previous errors".
fn is_closing(message: &Value) -> bool {
    let text = message["message"].as_str().unwrap_or_default();
    let sums_up = text.starts_with("aborting due to ") || text.ends_with(" emitted");
    message["spans"] == json!([]) && (message["level"] == "failure-note" || sums_up)
}

/// Messages about modules of one crate, by the path of each from `folder`, without its ending.
pub(crate) fn by_program(messages: Vec<Value>, folder: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut programs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for message in messages {
        let program = program_of(&message, folder).unwrap_or_else(|| panic!("about no program: {message:#}"));
        programs.entry(program).or_default().push(message);
    }
    programs
}

/// The program that a message is about.
fn program_of(message: &Value, folder: &Path) -> Option<String> {
    let mut span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    // An error in a macro is about the program that calls it.
    while !span["expansion"].is_null() {
        span = &span["expansion"]["span"];
    }
    let path = Path::new(span["file_name"].as_str()?);
    Some(path.strip_prefix(folder).ok()?.with_extension("").to_str()?.to_owned())
}

/// Messages as a person reads them.
pub(crate) fn text(messages: &[Value]) -> String {
    let texts = messages.iter().map(|message| message["rendered"].as_str().unwrap_or_default().trim_end());
    let texts = texts.map(|text| text.lines().map(without_line).collect::<Vec<_>>().join("\n"));
    texts.collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Of a place in the library its file alone: a line that is added above it changes no mistake.
fn without_line(line: &str) -> &str {
    match line.strip_prefix(" --> oauth-runtime/").and_then(|place| place.split_once(':')) {
        Some((_, numbers)) => &line[..line.len() - numbers.len() - 1],
        None => line,
    }
}
