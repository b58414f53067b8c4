//! What the attributes accept and refuse, as the compiler sees it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}

/// A mistake that is reported twice, or with a warning beside it, is reported badly.
#[test]
fn each_mistake_is_one_error() {
    let mistakes = files("ui/fail", "rs");
    assert!(mistakes.len() >= 350, "only {} mistakes", mistakes.len());
    for mistake in mistakes {
        let report = mistake.with_extension("stderr");
        let text = fs::read_to_string(&report).unwrap_or_else(|error| panic!("{}: {error}", report.display()));
        // The same words about the same place are one: a crate that is unknown is unknown as a path and as a macro's.
        let starting = |word: &str| text.lines().filter(|line| line.starts_with(word)).collect::<BTreeSet<_>>().len();
        assert_eq!(starting("error"), 1, "{}:\n{text}", report.display());
        assert_eq!(starting("warning"), 0, "{}:\n{text}", report.display());
    }
    assert!(files("ui/pass", "rs").len() >= 12);
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}
