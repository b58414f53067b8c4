//! The sixty against what their files say, and against their table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::compiler::{HERE, by_program, rustc, text};
use crate::program::{PLACES, Program};
use crate::{PROGRAMS, pages};

fn programs() -> Vec<Program> {
    Program::all(&Path::new(HERE).join("mistakes"))
}

/// Those that the compiler is to refuse.
fn for_the_compiler() -> Vec<Program> {
    programs().into_iter().filter(|program| program.caught == "compiler").collect()
}

#[test]
fn the_sixty_are_in_the_table() {
    let programs = programs();
    let numbers: Vec<String> = programs.iter().map(|program| program.name.chars().take(2).collect()).collect();
    assert_eq!(numbers, (1..=60).map(|number| format!("{number:02}")).collect::<Vec<_>>());
    let mut table = "| | The mistake | Found by | What is said |\n|---|---|---|---|\n".to_owned();
    for Program { name, title, caught, says, is_to_come, .. } in &programs {
        let title = title.trim_end_matches('.');
        let says = if says.contains('`') { format!("`` {says} ``") } else { format!("`{says}`") };
        let caught = if *is_to_come { format!("{caught}, to come") } else { caught.clone() };
        table += &format!("| `{name}` | {title} | {caught} | {says} |\n");
    }
    let total = |place: &&str| programs.iter().filter(|program| program.caught == **place).count();
    let totals = PLACES.iter().map(|place| format!("{place} {}", total(place))).collect::<Vec<_>>().join(", ");
    eprintln!("{totals}: {} in all", programs.len());
    assert!(total(&"compiler") >= 45, "{totals}");
    let to_come = match programs.iter().filter(|program| program.is_to_come).count() {
        0 => String::new(),
        number => format!(", of which {number} are to come"),
    };
    pages::hold("mistakes", "table", &format!("{table}\nFound by: {totals}; 60 in all{to_come}.\n"));
}

/// The first phase of the compiler in which something is wrong is its last: what is left then is compiled once more.
#[test]
fn the_compiler_refuses_each_mistake_with_one_error() {
    let programs = for_the_compiler();
    let mut left: Vec<&Program> = programs.iter().collect();
    let mut reports: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    while !left.is_empty() {
        let found = by_program(compile("mistakes", &left), Path::new("mistakes"));
        let refused = found.into_iter().filter(|(_, messages)| messages.iter().any(is_error));
        let refused: BTreeMap<_, _> = refused.collect();
        if refused.is_empty() {
            break;
        }
        left.retain(|program| !refused.contains_key(&program.name));
        reports.extend(refused);
    }
    let failures = programs.iter().filter_map(|program| {
        let messages = reports.get(&program.name).map_or(&[][..], Vec::as_slice);
        let errors: BTreeSet<_> = messages.iter().filter(|message| is_error(message)).map(words).collect();
        let is_caught = errors.len() == 1 && errors.iter().all(|words| words.contains(&program.says));
        verdict(program, is_caught, &text(messages))
    });
    none(failures);
}

#[test]
fn the_compiler_takes_what_is_right() {
    let programs = for_the_compiler();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mistakes");
    fs::create_dir_all(&folder).unwrap();
    for program in &programs {
        fs::write(folder.join(format!("{}.rs", program.name)), &program.right).unwrap();
    }
    let messages = compile(folder.to_str().unwrap(), &programs.iter().collect::<Vec<_>>());
    let messages = by_program(messages, &folder);
    none(messages.iter().map(|(name, messages)| format!("{name}: the right one\n{}", text(messages))));
}

/// One after the other: what they log is heard.
#[test]
fn what_compiles_is_caught_where_it_is_to_be() {
    let mut failures = Vec::new();
    let programs: BTreeMap<String, Program> = programs().into_iter().map(|it| (it.name.clone(), it)).collect();
    for (name, wrong, right) in PROGRAMS {
        let (program, wrong, right) = (&programs[*name], wrong.outcome(), right.outcome());
        let is_caught = (!wrong.passes || wrong.warns) && wrong.text.contains(&program.says);
        failures.extend(verdict(program, is_caught, &wrong.text));
        if !right.passes || right.text.contains(&program.says) {
            failures.push(format!("{name}: the right one is caught as well\n{}", right.text));
        }
    }
    none(failures);
}

/// What the compiler says about programs of a folder: as modules of one crate, or as a crate where one is the root of it.
fn compile(folder: &str, programs: &[&Program]) -> Vec<Value> {
    let mut root = format!("include!(\"{HERE}/mistakes/application.rs\");\nfn main() {{}}\n");
    let mut messages = Vec::new();
    for program in programs {
        let file = format!("{folder}/{}.rs", program.name);
        match program.is_root {
            true => messages.extend(rustc(&file, "", &["--crate-type=lib"])),
            false => root += &format!("#[path = \"{file}\"] pub mod {};\n", program.module()),
        }
    }
    messages.extend(rustc("-", &root, &[]));
    messages
}

/// What is wrong with a row. One that is to come is not caught yet: once it is, the row is to say so.
fn verdict(program: &Program, is_caught: bool, shown: &str) -> Option<String> {
    let Program { name, says, is_to_come, .. } = program;
    match (is_caught, *is_to_come) {
        (true, false) | (false, true) => None,
        (true, true) => Some(format!("{name}: it is caught by now: take `// to come` out")),
        (false, false) => Some(format!("{name}: {says:?} is not said, or not by one error:\n{shown}")),
    }
}

fn is_error(message: &Value) -> bool {
    message["level"] == "error"
}

/// All that a message says, without the lines of the program that it shows.
fn words(message: &Value) -> String {
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let mut words = vec![message["message"].as_str().unwrap_or_default().to_owned()];
    for span in list("spans") {
        words.extend(
            ["label", "suggested_replacement"].iter().filter_map(|name| span[*name].as_str().map(str::to_owned)),
        );
    }
    words.extend(list("children").iter().map(self::words));
    words.join("\n")
}

fn none(failures: impl IntoIterator<Item = String>) {
    let failures: Vec<String> = failures.into_iter().collect();
    assert!(failures.is_empty(), "{} of them\n{}", failures.len(), failures.join("\n"));
}
