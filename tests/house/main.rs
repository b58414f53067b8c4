//! How the house is built: which file may import which, how long a file and a function may be, and which rules stand in
//! one place alone. All of it is read from the sources; what is under `#[cfg(test)]` does not count.
#![allow(clippy::unwrap_used)]

mod checks;
mod code;
mod grows;
mod imports;
mod lengths;
mod names;
mod words;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use syn::visit::Visit as _;

use crate::code::{Code, files, files_with};
use crate::imports::{Sources, shortest_circle};
use crate::lengths::Functions;

const RUNTIME: &str = "oauth-runtime/src";
const MACROS: &str = "oauth-macros/src";

/// The layers of oauth-runtime, lowest first: a file imports from its own layer and from lower ones. A name stands for the
/// file and for the directory beside it.
const RUNTIME_LAYERS: &[&[&str]] = &[
    &["model"],
    &["meter"],
    &["event"],
    &["seal", "store", "pages", "policy"],
    &["limit", "standing", "error"],
    &["keys", "users"],
    &["guard"],
    &["clients"],
    &["server"],
    &["builder", "response", "client_auth"],
    &["sign_in"],
    &["endpoints"],
    &["routes"],
    &["openapi"],
    &["doctor", "guide", "lib", "testing", "bench", "fuzz"],
];

/// Those of oauth-macros.
const MACROS_LAYERS: &[&[&str]] = &[
    &["found", "mark", "mistakes", "near", "rule", "syntax"],
    &["forms", "guard", "peek"],
    &["handler", "parse"],
    &["check", "claims"],
    &["expand"],
    &["attribute"],
    &["lib"],
];

/// What is below the guard and is none of its business: it could become a crate of its own.
const STRANGE_TO_THE_GUARD: &[&str] = &["pages", "seal", "limit", "users"];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut circles = String::new();
    for src in [RUNTIME, MACROS] {
        let mut imports = Sources::read(src).imports();
        while let Some(circle) = shortest_circle(&imports) {
            writeln!(circles, "\na circle in {src}:").unwrap();
            for import in circle {
                writeln!(circles, "    {import}").unwrap();
                imports.retain(|other| (&other.from, &other.to) != (&import.from, &import.to));
            }
        }
    }
    assert!(circles.is_empty(), "move what two files need of each other into a third one below them{circles}");
}

#[test]
fn imports_run_one_way() {
    let mut wrong = String::new();
    for (src, layers) in [(RUNTIME, RUNTIME_LAYERS), (MACROS, MACROS_LAYERS)] {
        let layer_of = |file: &str| layers.iter().position(|layer| layer.contains(&room(file)));
        for file in files(src).iter().filter(|file| layer_of(file).is_none()) {
            writeln!(wrong, "    {src}/{file} is in no layer: give `{}` a place in the table", room(file)).unwrap();
        }
        for import in Sources::read(src).imports() {
            if layer_of(&import.from).is_some_and(|layer| layer_of(&import.to) > Some(layer)) {
                writeln!(wrong, "    {src}/{import}, which is above it").unwrap();
            }
            if src == RUNTIME && room(&import.from) == "guard" && STRANGE_TO_THE_GUARD.contains(&room(&import.to)) {
                writeln!(wrong, "    {src}/{import}, which it must not know").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "imports run down, never up\n{wrong}");
}

#[test]
fn model_and_policy_know_no_actix() {
    for file in files(RUNTIME).iter().filter(|file| matches!(room(file), "model" | "policy")) {
        let code = Code::read(&format!("{RUNTIME}/{file}"));
        let lines: Vec<_> = code.find("actix").iter().map(|(_, line)| *line).collect();
        assert!(lines.is_empty(), "{file} names actix in {lines:?}: what knows of HTTP is above");
    }
}

/// What people read: the code's comments and messages, the pages, the documents, the examples and the tests.
const READ: &[&str] = &[
    RUNTIME,
    MACROS,
    "oauth-runtime/docs",
    "oauth-runtime/templates",
    "examples",
    "fuzz/targets",
    "fuzz/README.md",
    "tests",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
];

#[test]
fn words_that_stop_a_reader_do_not_come_back() {
    let mut wrong = String::new();
    for path in READ.iter().flat_map(|path| files_with(&["rs", "md", "html"], Path::new(path))) {
        // A language of the pages has words of its own, and so does what others wrote.
        let is_others = path.iter().any(|part| part == "node_modules" || part == ".venv");
        let has_own = path.ends_with("pages/texts.rs") || path.parent().unwrap().ends_with("languages");
        if is_others || has_own || path.ends_with("house/words.rs") {
            continue;
        }
        for (line, word, instead) in words::found(&fs::read_to_string(&path).unwrap()) {
            writeln!(wrong, "    {}:{line} `{word}`: {instead}", path.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "plain words\n{wrong}");
}

const MOST_LINES_OF_A_FILE: usize = 500;
const MOST_LINES_OF_A_FUNCTION: usize = 80;

#[test]
fn files_and_functions_are_short() {
    let mut long = String::new();
    for src in [RUNTIME, MACROS] {
        for file in files(src) {
            let text = fs::read_to_string(format!("{src}/{file}")).unwrap();
            if text.lines().count() > MOST_LINES_OF_A_FILE {
                writeln!(long, "    {src}/{file} has {} lines", text.lines().count()).unwrap();
            }
            let mut functions = Functions::default();
            functions.visit_file(&syn::parse_file(&text).unwrap());
            for (name, line, lines) in functions.0.iter().filter(|(_, _, lines)| *lines > MOST_LINES_OF_A_FUNCTION) {
                writeln!(long, "    {src}/{file}:{line} `{name}` has {lines} lines").unwrap();
            }
        }
    }
    assert!(
        long.is_empty(),
        "at most {MOST_LINES_OF_A_FILE} lines a file, {MOST_LINES_OF_A_FUNCTION} a function\n{long}"
    );
}

/// A rule, the code that it shows in, and the files of oauth-runtime that this may stand in.
const ONE_PLACE: &[(&str, &[&str], &[&str])] = &[
    (
        "the store is asked by the `Ledger`, which finds out what it lost, and its counters by `Limits`",
        &["store.read(", "store.swap(", "store.count(", "store.renew("],
        &["standing.rs", "limit.rs", "store/contract.rs", "store/deadline.rs", "store/faulty.rs"],
    ),
    (
        "whether something stands is decided by `Record::judge`, in the step that asks or changes",
        &["is_above("],
        &["model/record.rs", "model/record/parts.rs"],
    ),
    (
        "how long an ending is remembered is one constant, whatever has ended",
        &["ENDING_REMEMBERED"],
        &["model/record/endings.rs"],
    ),
    (
        "a form is opened by `form::open`, which knows its browser",
        &[".open::<F>", ".open::<SignInForm", ".open::<QuestionForm", ".open::<ConsentForm", ".open::<SignOutForm"],
        &["sign_in/form.rs"],
    ),
    ("what is opened is named, so that the row above sees it", &[".sealer().open("], &[]),
    (
        "a client is found by `Clients::find`: the map of them is made in one place and known in one other",
        &["HashMap<String, Arc<RegisteredClient>>"],
        &["clients.rs", "builder/clients.rs"],
    ),
    (
        "what happens goes through `Events::tell`, so that the log and the author hear the same",
        &["tracing::event!(", "sync_channel("],
        &["event/teller.rs"],
    ),
    ("a URL is registered by its row", &["register_service(", "web::resource("], &["routes.rs"]),
];

#[test]
fn a_rule_stands_in_one_place() {
    let mut wrong = String::new();
    for file in files(RUNTIME) {
        let code = Code::read(&format!("{RUNTIME}/{file}"));
        for (rule, pieces, _) in ONE_PLACE.iter().filter(|(_, _, allowed)| !allowed.contains(&file.as_str())) {
            for piece in *pieces {
                for (_, line) in code.find(piece) {
                    writeln!(wrong, "    {file}:{line} has `{piece}`, but {rule}").unwrap();
                }
            }
        }
        for (rule, pieces, _) in ONE_PLACE.iter().filter(|(_, _, allowed)| allowed.contains(&file.as_str())) {
            if pieces.iter().all(|piece| code.find(piece).is_empty()) {
                writeln!(wrong, "    {file} may, and has nothing of this: {rule}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "one rule, one place\n{wrong}");
}

/// The first part of a file's path: what the layers are made of.
fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

#[test]
fn an_import_is_seen_however_it_is_written() {
    let src = concat!(env!("CARGO_TARGET_TMPDIR"), "/house");
    for (file, code) in [
        ("lib.rs", "mod a; mod b; mod c; pub use a::deep::Deep;"),
        ("a.rs", "pub(crate) mod deep; pub(crate) use deep::Deep as Renamed; pub(crate) struct A;"),
        ("a/deep.rs", "pub struct Deep; fn f(_: super::A) { use crate::b::{self, B}; }"),
        ("b.rs", "pub(crate) struct B(crate::Deep); #[cfg(test)] mod tests { use crate::c::C; }"),
        ("c.rs", "/// See [`crate::b`]. \n pub(crate) struct C; fn f() { assert!(true, crate::a::Renamed); }"),
    ] {
        let file = Path::new(src).join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, code).unwrap();
    }
    let imports = Sources::read(src).imports();
    assert_eq!(
        imports.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "a/deep.rs:1 imports a.rs (`super::A`)",
            "a/deep.rs:1 imports b.rs (`crate::b`)",
            "b.rs:1 imports a/deep.rs (`crate::Deep`)",
            "c.rs:2 imports a/deep.rs (`crate::a::Renamed`)",
        ]
    );
    let circle = shortest_circle(&imports).unwrap();
    assert_eq!(circle.iter().map(|import| &*import.from).collect::<Vec<_>>(), ["a/deep.rs", "b.rs"]);
}

/// An author begins with a copy of these.
#[test]
fn the_pages_of_examples_say_their_language_and_are_drawn_for_phones() {
    let places = ["examples", "oauth-runtime/docs"].map(|place| files_with(&["rs", "html", "md"], place.as_ref()));
    let mut found = 0;
    for file in places.into_iter().flatten() {
        let text = fs::read_to_string(&file).unwrap().replace('\\', "");
        for (at, begin) in text.match_indices("<!doctype html>") {
            let head: String = text[at + begin.len()..].chars().take(400).collect();
            let head = head.split("<title>").next().unwrap_or_default();
            for part in ["<html lang=\"", "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"] {
                assert!(head.contains(part), "{}: {part} is not in {head}", file.display());
            }
            found += 1;
        }
    }
    assert!(found >= 7, "{found}");
}

/// An author begins with a copy of these, and what a reset sets in between opens the account to those who know its password.
#[test]
fn c17_a_hash_that_stands_for_no_password_is_of_none_that_an_example_names() {
    let (mut for_none, mut others) = (Vec::new(), Vec::new());
    for file in files_with(&["rs"], "examples".as_ref()) {
        let text = fs::read_to_string(&file).unwrap();
        for (at, _) in text.match_indices("\"$argon2id$") {
            let hash = text[at + 1..].split('"').next().unwrap_or_default();
            let digest = hash.rsplit('$').next().unwrap_or_default().to_owned();
            let is_for_none = text[..at].rsplit(';').next().is_some_and(|declared| declared.contains("const NO_"));
            (if is_for_none { &mut for_none } else { &mut others }).push((file.clone(), digest));
        }
    }
    assert!(for_none.len() >= 2 && others.len() >= 4, "{for_none:?} {others:?}");
    for (file, digest) in for_none {
        assert!(others.iter().all(|(_, other)| *other != digest), "{}: {digest}", file.display());
    }
}

/// A service that others reach logs them at start-up.
#[test]
fn c15_each_secret_that_a_page_or_an_example_shows_is_known_as_such() {
    let secrets = fs::read_to_string("oauth-runtime/src/model/secret.rs").unwrap();
    let known = secrets.split_once("const SHOWN").unwrap().1.split_once("];").unwrap().0;
    let is_of_base64 = |it: char| it.is_ascii_alphanumeric() || "+/=".contains(it);
    let places = ["examples", "oauth-runtime/docs", "oauth-runtime/src"];
    let mut found = 0;
    for file in places.into_iter().flat_map(|place| files_with(&["rs", "md", "txt", "html"], place.as_ref())) {
        let is_source = file.starts_with("oauth-runtime/src");
        for line in fs::read_to_string(&file).unwrap().lines().filter(|line| !is_source || line.contains("///")) {
            for word in line.split(|it| !is_of_base64(it)).filter(|word| word.len() == 44 && word.ends_with('=')) {
                assert!(known.contains(word), "{}: {word}", file.display());
                found += 1;
            }
        }
    }
    assert!(found >= 9, "{found}");
}
