//! What the attributes refuse, in the compiler's own words. (What they accept: accepted/main.rs.)
//!
//! Each `ui/fail/KIND/NAME.rs` is a program with one mistake, and `NAME.stderr` what the compiler must say about it. Those in
//! `ui/bound/` are modules of a crate with `claims!(..)`, which is `ui/bound.rs`; those in
//! `ui/alone/` are a crate each.
//! `TRYBUILD=overwrite cargo test --workspace --all-features --test compile` writes down what it says now. A handful is judged by trybuild,
//! in tests/trybuild.

#![allow(clippy::unwrap_used)]

#[path = "src/compiler.rs"]
mod compiler;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use compiler::{HERE, by_program, rustc, text};

/// A mistake that is not found is a door left open; one that is reported twice, or with a warning beside it, is reported
/// badly.
///
/// A crate for each program would take minutes, so all are modules of one. Where that hides a mistake, since the compiler
/// gives up after an earlier phase, or alters a word, since it knows the others' names, the program is compiled alone.
#[test]
fn each_mistake_is_one_error() {
    let programs = programs("ui/fail");
    assert!(programs.len() >= 350, "only {} mistakes", programs.len());
    let together = compile_together("ui/fail", "", &programs);
    each_is_one_error("ui/fail", &programs, together, |program| {
        text(&rustc(&format!("ui/fail/{program}.rs"), "", &[]))
    });
}

/// The same of programs whose crate names the type of its claims.
#[test]
fn each_mistake_about_bound_claims_is_one_error() {
    let (folder, root) = ("ui/bound", include_str!("ui/bound.rs"));
    let programs = programs(folder);
    assert!(programs.len() >= 10, "only {} mistakes", programs.len());
    let together = compile_together(folder, root, &programs);
    each_is_one_error(folder, &programs, together, |program| {
        let mut reports = compile_together(folder, root, &BTreeSet::from([program.to_owned()]));
        reports.remove(program).unwrap_or_default()
    });
}

/// The same of programs that say something of a whole crate.
#[test]
fn each_mistake_about_a_crate_is_one_error() {
    let folder = "ui/alone";
    let alone = |program: &str| text(&rustc(&format!("{folder}/{program}.rs"), "", &[]));
    each_is_one_error(folder, &programs(folder), BTreeMap::new(), alone);
}

fn each_is_one_error(
    folder: &str,
    programs: &BTreeSet<String>,
    mut reports: BTreeMap<String, String>,
    compile_alone: impl Fn(&str) -> String,
) {
    let mut failures = Vec::new();
    for program in programs {
        let expectation = Path::new(HERE).join(format!("{folder}/{program}.stderr"));
        let expected = fs::read_to_string(&expectation).unwrap_or_default();
        let report = reports.remove(program).filter(|report| *report == expected);
        let report = report.unwrap_or_else(|| compile_alone(program));
        // The same words about the same place are one: a crate that is unknown is unknown as a path and as a macro's.
        let starting = |word: &str| report.lines().filter(|line| line.starts_with(word)).collect::<BTreeSet<_>>().len();
        let (errors, warnings) = (starting("error"), starting("warning"));
        if (errors, warnings) != (1, 0) {
            failures.push(format!(
                "{program}: {errors} errors and {warnings} warnings, where one error is right\n{report}"
            ));
        } else if report != expected {
            if std::env::var("TRYBUILD").is_ok_and(|value| value == "overwrite") {
                fs::write(&expectation, &report).unwrap_or_else(|error| panic!("{}: {error}", expectation.display()));
            } else {
                failures.push(format!("{program}: expected\n{expected}\n{program}: found\n{report}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// In a dependency, and in what another crate's macro writes, lints are not heard.
#[test]
fn what_admits_everybody_is_an_error_without_any_lint() {
    for program in [
        "pattern/pattern_irrefutable",
        "pattern/pattern_irrefutable_policy",
        "pattern/pattern_irrefutable_rest",
        "pattern/pattern_irrefutable_wildcard",
        "pattern/pattern_irrefutable_if_false_in_or",
        "pattern/pattern_range_whole",
        "pattern/pattern_name_unknown",
        "pattern/pattern_name_unknown_if",
        "pattern/pattern_name_unknown_in_or",
        "pattern/pattern_binding_beside_condition",
        "pattern/pattern_if_constant",
        "pattern/pattern_if_at_least_zero",
    ] {
        let messages = rustc(&format!("ui/fail/{program}.rs"), "", &["--cap-lints=allow"]);
        assert_eq!(messages.len(), 1, "{program}: {}", text(&messages));
    }
}

/// The programs in this folder and in those for the kinds of mistake, by their paths from it without the ending.
fn programs(folder: &str) -> BTreeSet<String> {
    let root = Path::new(HERE).join(folder);
    let mut programs = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let program = path.strip_prefix(&root).unwrap().with_extension("");
                programs.insert(program.to_str().unwrap().to_owned());
            }
        }
    }
    programs
}

/// What the compiler says about each program as a module of one crate.
fn compile_together(folder: &str, root: &str, programs: &BTreeSet<String>) -> BTreeMap<String, String> {
    let module = |program: &String| {
        let name = Path::new(program).file_name().unwrap().to_str().unwrap();
        format!("#[path = \"{folder}/{program}.rs\"] pub mod r#{name};\n")
    };
    let root = programs.iter().map(module).chain([root.to_owned(), "fn main() {}".to_owned()]).collect::<String>();
    let messages = by_program(rustc("-", &root, &[]), Path::new(folder));
    messages.into_iter().map(|(program, messages)| (program, text(&messages))).collect()
}
