//! A program with one mistake, as its file describes it. The build script reads them as well.

use std::fs;
use std::path::Path;

/// One file of `tests/mistakes/`.
pub(crate) struct Program {
    /// The name of the file, without its ending.
    pub(crate) name: String,
    /// The mistake, in a sentence.
    pub(crate) title: String,
    /// The earliest place where it is caught: one of [`PLACES`].
    pub(crate) caught: String,
    /// A part of the text that leads to the cure.
    pub(crate) says: String,
    /// Whether that is still to come.
    pub(crate) is_to_come: bool,
    /// Whether it binds a type of its own, and so is the root of a crate.
    pub(crate) is_root: bool,
    /// The file as it would be right.
    pub(crate) right: String,
}

/// Where a mistake can be caught, the earliest place first.
pub(crate) const PLACES: [&str; 5] = ["compiler", "build", "tests", "request", "review"];

impl Program {
    /// All of them, by number.
    pub(crate) fn all(folder: &Path) -> Vec<Program> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files = entries.map(|entry| entry.expect("the folder can be listed").path());
        let name = |file: &Path| file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let mut programs: Vec<Program> = files
            .filter(|file| name(file).starts_with(|first: char| first.is_ascii_digit()))
            .map(|file| Program::new(name(&file), &fs::read_to_string(&file).expect("the file can be read")))
            .collect();
        programs.sort_by(|one, other| one.name.cmp(&other.name));
        programs
    }

    fn new(name: String, text: &str) -> Program {
        let after = |start: &str| {
            let mut found = text.lines().filter_map(|line| line.strip_prefix(start));
            let (first, more) = (found.next(), found.next());
            first.filter(|_| more.is_none()).unwrap_or_else(|| panic!("{name}: write one line `{start}..`")).to_owned()
        };
        let title = text.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or_default().to_owned();
        let (caught, says) = (after("// caught: "), after("// says: "));
        assert!(title.ends_with('.'), "{name}: the first line says what the mistake is, in a sentence");
        assert!(PLACES.contains(&caught.as_str()), "{name}: {caught:?} is none of {PLACES:?}");
        let right = right(text).unwrap_or_else(|why| panic!("{name}: {why}"));
        let is_to_come = text.lines().any(|line| line == "// to come");
        let is_root = text.contains("\nclaims!(");
        Program { name, title, caught, says, is_to_come, is_root, right }
    }

    /// The name of the module that the program is.
    pub(crate) fn module(&self) -> String {
        format!("m{}", self.name)
    }
}

/// Replaces the wrong lines by the right ones: the line below `// right:` by what stands after that, on one line or
/// several, and by nothing where nothing stands there. All this is in one place of the file.
fn right(text: &str) -> Result<String, &'static str> {
    let mut right = String::new();
    let (mut places, mut was_wrong) = (0, false);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((indent, line)) = line.split_once("// right:") else {
            right.push_str(&format!("{line}\n"));
            was_wrong = false;
            continue;
        };
        places += usize::from(!was_wrong);
        was_wrong = true;
        if !line.is_empty() {
            right.push_str(&format!("{indent}{}\n", line.trim_start()));
        }
        if lines.peek().is_none_or(|next| !next.contains("// right:")) {
            lines.next().ok_or("the wrong line is missing")?;
        }
    }
    if places == 1 { Ok(right) } else { Err("exactly one place has `// right:`, above the line that is wrong") }
}
