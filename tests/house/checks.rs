//! What a change is checked by: that scripts which others name are there, and that what is fuzzed is what is published.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// What a workflow, `.ci/run` or `tests/run.sh` calls of ours.
#[test]
fn the_scripts_that_others_call_are_there() {
    let mut called = BTreeSet::new();
    for path in [".github/workflows/ci.yml", ".ci/run", "tests/run.sh"] {
        let text = read(path);
        let words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
        let is_ours = |word: &&str| {
            ["tests/", "fuzz/", ".ci/"].iter().any(|place| word.starts_with(place))
                && (word.ends_with(".sh") || *word == ".ci/run")
        };
        called.extend(words.filter(is_ours).map(str::to_owned));
    }
    for script in ["tests/run.sh", "tests/features.sh", "tests/tools.sh", "fuzz/run.sh", ".ci/run"] {
        assert!(called.contains(script), "{script} is called by nothing: {called:?}");
    }
    for script in called {
        let mode =
            fs::metadata(root().join(&script)).unwrap_or_else(|why| panic!("{script}: {why}")).permissions().mode();
        assert_ne!(mode & 0o111, 0, "{script} is no program");
    }
}

#[test]
fn the_oldest_compiler_is_the_one_that_is_checked() {
    let manifest = read("Cargo.toml");
    let (_, version) = manifest.split_once("rust-version = \"").unwrap();
    let version = version.split('"').next().unwrap();
    let workflow = read(".github/workflows/ci.yml");
    assert!(workflow.contains(&format!("rust:{version}-")), "{version}");
    assert!(read("README.md").contains(version), "{version}");
}

/// A test is found by Cargo where it stands. An entry is for what has no harness.
#[test]
fn no_program_of_tests_is_listed_by_hand() {
    let manifests = ["Cargo.toml", "examples/Cargo.toml", "examples/app/Cargo.toml", "oauth-macros/Cargo.toml"];
    let packages = fs::read_dir(root().join("tests")).unwrap().map(|entry| entry.unwrap().path().join("Cargo.toml"));
    let packages = packages.filter(|manifest| manifest.exists()).map(|manifest| fs::read_to_string(manifest).unwrap());
    for manifest in manifests.map(read).into_iter().chain([read("oauth-runtime/Cargo.toml")]).chain(packages) {
        assert!(!manifest.contains("autotests"), "what Cargo finds is not turned off: {manifest}");
        for entry in manifest.split("[[test]]").skip(1) {
            let entry = entry.split("\n[").next().unwrap();
            assert!(entry.contains("harness = false"), "Cargo finds it without an entry:{entry}");
        }
    }
}

/// A file that no program has as a module would be a test that never runs.
#[test]
fn each_folder_of_tests_is_a_part_of_a_program() {
    let programs = |folder: PathBuf| -> BTreeSet<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
    };
    for folder in fs::read_dir(root().join("tests")).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() || folder.join("Cargo.toml").exists() || programs(folder.clone()).is_empty() {
            continue;
        }
        let is_found = folder.join("main.rs").exists() || folder.with_extension("rs").exists();
        let is_known = ["benches", "src", "ui"].iter().any(|name| folder.ends_with(name));
        assert!(is_found || is_known, "{} has no main.rs: Cargo finds nothing in it", folder.display());
    }
}

#[test]
fn each_target_has_seeds_a_program_and_a_row() {
    let (manifest, table) = (read("fuzz/Cargo.toml"), read("fuzz/README.md"));
    let targets = fs::read_dir(root().join("fuzz/targets")).unwrap();
    let targets: Vec<String> =
        targets.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(targets.len() >= 10, "{targets:?}");
    for target in targets {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
        assert!(table.contains(&format!("`{target}`")), "{target}");
        assert!(fs::read_dir(root().join("fuzz/seeds").join(&target)).is_ok_and(|seeds| seeds.count() > 0), "{target}");
    }
}

/// Of a crate that both lock files have, a version is the same: what is fuzzed is what is tested.
#[test]
fn what_is_fuzzed_has_the_dependencies_that_are_tested() {
    let versions = |path: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let text = read(path);
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2) {
            let value = |line: &str, name: &str| Some(line.strip_prefix(name)?.strip_suffix('"')?.to_owned());
            if let (Some(name), Some(version)) = (value(pair[0], "name = \""), value(pair[1], "version = \"")) {
                all.entry(name).or_default().insert(version);
            }
        }
        all
    };
    let (tested, fuzzed) = (versions("Cargo.lock"), versions("fuzz/Cargo.lock"));
    let shared: Vec<_> = fuzzed.iter().filter_map(|(name, fuzzed)| Some((name, fuzzed, tested.get(name)?))).collect();
    assert!(shared.len() > 100, "{}", shared.len());
    for (name, fuzzed, tested) in shared {
        assert!(
            fuzzed.is_subset(tested),
            "{name}: {fuzzed:?} is fuzzed and {tested:?} tested; cargo update --manifest-path fuzz/Cargo.toml"
        );
    }
}
