//! The container of the page on deployment. No image is built here: that takes a registry. The program runs with as little as
//! `docker run` leaves it there.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oauth_tests::{Answer, PATIENCE, SECRET, free_port, own_page, pages};

#[test]
fn the_image_is_of_the_rust_that_is_required_and_has_a_user_of_its_own() {
    let file = pages::shown("deployment", "dockerfile");
    let manifest = include_str!("../../Cargo.toml");
    let (_, version) = manifest.split_once("rust-version = \"").unwrap();
    let required = version.split('"').next().unwrap();
    assert!(file.starts_with(&format!("FROM rust:{required}-slim")), "{file}");
    let (build, image) = file.split_once("\n\nFROM ").unwrap();
    assert!(build.contains("cargo build --release --locked"), "{build}");
    assert!(image.contains("\nUSER 10001:10001\n") && image.contains("COPY --from=build "), "{image}");
    assert!(!file.to_lowercase().contains("secret="), "{file}");
    // What the program reads is what the image, the unit and the commands give it.
    let program = include_str!("../src/bin/deployed.rs");
    for variable in program.split("env::var(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let given = [&file, include_str!("../../oauth-runtime/docs/deployment.md")].concat();
        assert!(given.contains(&format!("{variable}=")), "{variable}");
    }
    assert!(program.contains("from_env(\"OAUTH_SECRET\")") && image.contains(" OAUTH_SECRET_FILE=/run/secrets/"));
}

/// No terminal reads their log. The codes of colours would stand between the name of a field and its value, and `tracing-subscriber` as
/// the page adds it writes them; here it is built without.
#[test]
fn the_log_of_the_unit_and_of_the_image_has_no_colours() {
    assert!(pages::shown("deployment", "dockerfile").contains(" NO_COLOR=1\n"));
    assert!(pages::shown("deployment", "unit").contains("\nEnvironment=NO_COLOR=1\n"));
}

/// A folder that any user may enter, and what is in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

struct Contained(Child);

impl Drop for Contained {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// As `--read-only`, a volume, a mounted secret, `--cap-drop ALL` and `no-new-privileges` make it. Writing anywhere else has to
/// fail before the program begins.
const CONTAIN: &str = r#"
set -e
mount --bind "$FOLDER" "$FOLDER"
mount -o remount,bind,ro "$FOLDER"
mount -t tmpfs -o uid=$OWNER,gid=$OWNER,mode=0700 tmpfs "$FOLDER/data"
mount -o remount,bind,ro /
if touch "$FOLDER/written" 2>/dev/null; then exit 9; fi
if touch /usr/written 2>/dev/null; then exit 9; fi
exec setpriv $USER_OF_IMAGE --bounding-set=-all --inh-caps=-all --no-new-privs --pdeathsig KILL -- "$FOLDER/notes"
"#;

/// The program in a file system and with the rights of its own, and where it listens.
fn contained(folder: &Path) -> (Contained, String) {
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_deployed"), folder.join("notes")).unwrap();
    fs::write(folder.join("oauth_secret"), SECRET).unwrap();
    let (listener, base) = free_port();
    drop(listener);
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = Command::new("unshare");
    // Without root it is that of a namespace of its own; outside, its user is another already.
    let (namespace, owner, user): (&[&str], _, _) = if is_root {
        (&["--mount"], "10001", "--reuid=10001 --regid=10001 --clear-groups")
    } else {
        (&["--user", "--map-root-user", "--mount"], "0", "")
    };
    command.args(namespace).args(["sh", "-c", CONTAIN]).env("FOLDER", folder).env("OWNER", owner);
    command
        .env("USER_OF_IMAGE", user)
        .env("OAUTH_SECRET_FILE", folder.join("oauth_secret"))
        .env("STORE", folder.join("data/oauth.db"));
    command.env("ISSUER", "https://notes.example").env("LISTEN", base.trim_start_matches("http://"));
    (Contained(command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()), base)
}

#[tokio::test]
async fn the_program_runs_without_rights_in_a_file_system_that_it_cannot_write() {
    let folder = Folder(std::env::temp_dir().join(format!("oauth-contained-{:016x}", rand::random::<u64>())));
    let (mut program, base) = contained(&folder.0);
    let begun = Instant::now();
    let address = base.trim_start_matches("http://");
    while std::net::TcpStream::connect(address).is_err() {
        let ended = program.0.try_wait().unwrap();
        assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it does not start: {ended:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let health = Answer::to(own_page().build().unwrap().get(format!("{base}/healthz"))).await;
    assert_eq!(health.status, 200, "it reaches its store: {health:?}");
    let status = fs::read_to_string(format!("/proc/{}/status", program.0.id())).unwrap();
    let says = |line: &str| assert!(status.lines().any(|it| it == line), "{line}\n{status}");
    for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"] {
        says(line);
    }
    assert!(!status.contains("Uid:\t0\t"), "{status}");

    // As a deployment ends it: it goes by itself, with nothing under way.
    assert!(Command::new("kill").arg(program.0.id().to_string()).status().unwrap().success());
    let ended = program.0.wait().unwrap();
    assert_eq!((ended.code(), ended.signal()), (Some(0), None));
}
