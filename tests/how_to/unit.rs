//! The unit of the page on deployment, as systemd reads it.

use std::path::Path;
use std::process::Command;

use oauth_tests::pages;

/// What systemd says of a unit; the program of it is not installed here.
fn systemd(verb: &[&str], unit: &str) -> (bool, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("unit-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("notes@.service");
    std::fs::write(&file, unit.replace("/usr/local/bin/notes", env!("CARGO_BIN_EXE_deployed"))).unwrap();
    std::os::unix::fs::symlink(&file, folder.join("notes@8000.service")).unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(verb).arg(folder.join("notes@8000.service")).env("SYSTEMD_COLORS", "0");
    let output = command.output().expect("systemd-analyze is missing: install the package systemd");
    std::fs::remove_dir_all(&folder).unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), said)
}

#[test]
fn systemd_knows_every_line_of_the_unit() {
    let unit = pages::shown("deployment", "unit");
    let (is_good, said) = systemd(&["verify", "--man=no"], &unit);
    assert!(is_good, "{said}");
    let own = |said: &str| said.lines().filter(|line| line.contains("notes@")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(own(&said), [""; 0], "{said}");
    let (_, said) = systemd(&["verify", "--man=no"], &unit.replace("NoNewPrivileges", "NoNewPrivilege"));
    assert!(own(&said).iter().any(|line| line.contains("NoNewPrivilege")), "{said}");
}

/// Of a scale from 0 to 10, where 10 is no protection.
#[test]
fn the_unit_is_hardened() {
    let unit = pages::shown("deployment", "unit");
    let exposure = ["security", "--offline=true", "--no-pager", "--threshold=15"];
    let (is_good, said) = systemd(&exposure, &unit);
    assert!(is_good, "{said}");
    let (is_good, said) =
        systemd(&exposure, &unit.replace("ProtectSystem=strict\n", "").replace("PrivateUsers=yes\n", ""));
    assert!(!is_good, "{said}");
}
