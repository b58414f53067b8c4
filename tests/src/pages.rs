//! What tests write into the pages of the documentation, and hold them to.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Holds the block of this name in a page to what it should be. With `PAGES=overwrite` it is written.
///
/// A block is what stands between `<!-- name -->` and `<!-- end -->`.
pub fn hold(page: &str, name: &str, block: &str) {
    // Tests that write to one page run at the same time.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("oauth-runtime/docs/{page}.md"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("docs/{page}.md: {why}"));
    let begin = format!("<!-- {name} -->\n");
    let Some((before, rest)) = text.split_once(&begin) else { panic!("docs/{page}.md has no {begin}") };
    let Some((now, after)) = rest.split_once("<!-- end -->") else { panic!("{begin} of docs/{page}.md has no end") };
    hold_to(&path, (now, block), || format!("{before}{begin}{block}<!-- end -->{after}"));
}

/// What the block of code of this name has in it.
pub fn shown(page: &str, name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("oauth-runtime/docs/{page}.md"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("docs/{page}.md: {why}"));
    let begin = format!("<!-- {name} -->\n```");
    let Some((_, rest)) = text.split_once(&begin) else { panic!("docs/{page}.md has no code below <!-- {name} -->") };
    let (_, code) = rest.split_once('\n').unwrap();
    let Some((code, _)) = code.split_once("```\n<!-- end -->") else { panic!("{begin} of docs/{page}.md has no end") };
    code.to_owned()
}

/// The same of a whole file, by its path from the repository.
pub fn hold_file(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let now = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{file}: {why}"));
    hold_to(&path, (&now, text), || text.to_owned());
}

/// Compares the file with what it should be, or writes the whole file as it should be.
fn hold_to(path: &Path, (now, new): (&str, &str), whole: impl FnOnce() -> String) {
    if now == new {
        return;
    }
    if std::env::var("PAGES").is_ok_and(|mode| mode == "overwrite") {
        std::fs::write(path, whole()).unwrap();
        return;
    }
    let (line, path) = (now.lines().zip(new.lines()).find(|(now, new)| now != new), path.display());
    panic!("{path} is not what happens; first at {line:#?}. `PAGES=overwrite cargo test` writes it:\n{new}");
}

static ALONE: Mutex<()> = Mutex::new(());
