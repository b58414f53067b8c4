//! Copies the sources beside a root that has their modules, and none of the entries that the compiler calls.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let sources = Path::new("../../oauth-macros/src");
    println!("cargo:rerun-if-changed={}", sources.display());
    let out = env::var("OUT_DIR").expect("cargo sets it");
    copy(sources, out.as_ref())?;
    let root = fs::read_to_string(sources.join("lib.rs"))?;
    let modules: Vec<&str> = root.lines().filter(|line| line.starts_with("mod ")).collect();
    fs::write(Path::new(&out).join("root.rs"), modules.join("\n"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::write(to, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
