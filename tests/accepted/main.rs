//! What the attributes accept: each file beside this one is a program that compiles without a warning, and runs.

#![deny(warnings)]
#![allow(unused_qualifications, clippy::multiple_bound_locations, reason = "what is unusual must compile too")]
#![allow(clippy::print_stdout, clippy::todo, reason = "not production code")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

macro_rules! programs {
    ($($name:ident)*) => {
        $(pub mod $name;)*

        const PROGRAMS: &[(&str, fn())] = &[$((stringify!($name), $name::main)),*];
    };
}

programs! {
    answers arguments associated_functions generics names places policies preserved promises renamed_crate shadowed_names
    sixteen_arguments values written_by_macro
}

#[test]
fn each_program_runs() {
    for (_, program) in PROGRAMS {
        program();
    }
}

#[test]
#[allow(clippy::unwrap_used)]
fn no_program_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accepted");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: BTreeSet<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    // `lints` and `bound` are crates of their own: see Cargo.toml.
    let known = PROGRAMS.iter().map(|(name, _)| *name).chain(["bound", "lints", "main"]);
    assert_eq!(found, known.map(str::to_owned).collect());
}
