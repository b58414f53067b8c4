//! PostgreSQL.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::{PortTaken, Process, as_user};
use super::{Snapshot, directory::Directory, free_port, in_time, output};
use crate::PATIENCE;

/// Where Debian has the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// It runs as this user where the test runs as root, which it refuses to.
const USER: &str = "postgres";
/// Of a running server: who it is.
const RUNNING: &str = "postmaster.pid";

/// A PostgreSQL, which trusts everyone on the loopback.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    directory: Directory,
    bin: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl Postgres {
    /// Starts an empty one. What it has committed is on the disk.
    pub fn start() -> Postgres {
        Postgres::start_with(&[])
    }

    /// As [`Postgres::start`], with settings such as `max_connections=20`.
    pub fn start_with(settings: &[&str]) -> Postgres {
        let bin = newest_version();
        let directory = Directory::new();
        let data = directory.data();
        fs::create_dir(&data).unwrap();
        let mut initdb = Command::new(bin.join("initdb"));
        if is_root() {
            let id = |of| output(Command::new("id").args([of, USER])).unwrap().parse().unwrap();
            chown(&data, Some(id("-u")), Some(id("-g"))).unwrap();
            initdb = as_user(USER);
            initdb.arg("--").arg(bin.join("initdb"));
        }
        initdb.arg("-D").arg(&data).args(["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"]);
        output(initdb.current_dir(directory.path()).stdin(Stdio::null())).unwrap();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut postgres = Postgres { process: None, directory, bin, port: free_port(), settings };
        while postgres.run().is_err() {
            postgres.port = free_port();
        }
        postgres
    }

    /// The database `postgres` of its superuser `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// What `psql` answers to SQL: a line for each row, without a heading and with `|` between its columns.
    pub fn ask(&self, sql: &str) -> String {
        self.psql(sql, PATIENCE).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Stops it gracefully; what is connected is sent away.
    pub fn stop(&mut self) {
        self.process.take().unwrap().stop("INT");
    }

    /// Kills all its processes at once.
    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// Starts it with the same data on the same port.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it is running");
        super::wait_until("the port is free again", || self.run().is_ok());
    }

    /// Copies its data; it must not be running.
    pub fn snapshot(&mut self) -> Snapshot {
        assert!(self.process.is_none(), "it is running");
        self.directory.snapshot(RUNNING)
    }

    /// Puts its data back as they were; it must not be running.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        assert!(self.process.is_none(), "it is running");
        forget_memory(&self.directory.data());
        self.directory.restore(snapshot);
    }

    fn run(&mut self) -> Result<(), PortTaken> {
        let data = self.directory.data();
        let mut server = Command::new(self.bin.join("postgres"));
        server.arg("-D").arg(&data).args(["-p", &self.port.to_string()]);
        for setting in [
            "fsync=on",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // Files among the data go with them, those in /dev/shm would stay behind when it is killed.
            "dynamic_shared_memory_type=mmap",
        ] {
            server.args(["-c", setting]);
        }
        for setting in &self.settings {
            server.args(["-c", setting]);
        }
        let log = self.directory.log();
        // Another server may have its port.
        let ready = |_| self.psql("show data_directory", Duration::from_secs(20)) == Ok(data.display().to_string());
        let process = match is_root() {
            true => Process::start_as(USER, &mut server, &log, ready),
            false => Process::start(&mut server, &log, ready),
        };
        self.process = Some(process?);
        Ok(())
    }

    fn psql(&self, sql: &str, most: Duration) -> Result<String, String> {
        let mut psql = in_time(&self.bin.join("psql"), most);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c", sql]);
        output(psql.stdin(Stdio::null()))
    }
}

/// Frees the piece of shared memory that a server leaves behind when it is killed, and that a file among its data names.
pub(super) fn forget_memory(data: &Path) -> Option<()> {
    let running = fs::read_to_string(data.join(RUNNING)).ok()?;
    let mut named = running.lines().nth(6)?.split_whitespace();
    let (key, id) = (named.next()?.parse::<u32>().ok()?, named.next()?);
    // The file may be older than the kernel's last start, and the piece of that number be another's.
    let all = fs::read_to_string("/proc/sysvipc/shm").ok()?;
    let is_it = |line: &str| {
        let mut fields = line.split_whitespace();
        let its_key = fields.next().and_then(|key| key.parse::<i32>().ok()).map(i32::cast_unsigned);
        its_key == Some(key) && fields.next() == Some(id)
    };
    if all.lines().any(is_it) {
        let mut ipcrm = Command::new("ipcrm");
        ipcrm.args(["-m", id]).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    }
    Some(())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn newest_version() -> PathBuf {
    let number = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let folders = fs::read_dir(VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path());
    let all =
        folders.filter(|folder| ["initdb", "postgres", "psql"].iter().all(|p| folder.join("bin").join(p).is_file()));
    let newest = all.max_by_key(|folder| number(folder));
    newest.unwrap_or_else(|| panic!("no PostgreSQL in {VERSIONS}: install the package postgresql")).join("bin")
}
