//! Mistakes in the form to copy for policies of your own: a crate each, by trybuild. All others are in tests/ui/fail.
//!
//! Here are three typical ones, and three about which the compiler cites files of other crates, whose line numbers trybuild
//! leaves out.

use std::collections::BTreeSet;
use std::fs;

/// A mistake that is reported twice, or with a warning beside it, is reported badly.
#[test]
fn each_mistake_is_one_error() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
    let files = fs::read_dir("fail").expect("the folder").map(|entry| entry.expect("an entry").path());
    for report in files.filter(|path| path.extension().is_some_and(|ending| ending == "stderr")) {
        let text = fs::read_to_string(&report).expect("a text");
        let starting = |word: &str| text.lines().filter(|line| line.starts_with(word)).collect::<BTreeSet<_>>().len();
        assert_eq!((starting("error"), starting("warning")), (1, 0), "{}:\n{text}", report.display());
    }
}
