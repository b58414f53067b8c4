//! nginx, in front of several servers.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::process::Process;
use super::{directory::Directory, free_port, program};

/// An nginx that hands each request to the next of several servers. A GET that fails at one of them is tried at the
/// next; a POST is not, unless it could not be sent at all.
#[derive(Debug)]
pub struct Nginx {
    _process: Process,
    directory: Directory,
    port: u16,
}

impl Nginx {
    /// Starts one in front of servers with these base URLs. They need not run yet, so that they can be told where they
    /// will be found.
    pub fn start<S: AsRef<str>>(upstreams: &[S]) -> Nginx {
        let nginx = program("nginx", "nginx");
        let directory = Directory::new();
        fs::create_dir(directory.data()).unwrap();
        loop {
            let port = free_port();
            let file = directory.path().join("nginx.conf");
            fs::write(&file, configuration(directory.path(), port, upstreams)).unwrap();
            let mut server = Command::new(&nginx);
            server.arg("-e").arg("stderr").arg("-p").arg(directory.path()).arg("-c").arg(&file);
            // Another server may have its port, but does not know its directory.
            let ready =
                |_| answer(port).is_some_and(|answer| answer.ends_with(&directory.path().display().to_string()));
            if let Ok(process) = Process::start(&mut server, &directory.log(), ready) {
                return Nginx { _process: process, directory, port };
            }
        }
    }

    /// From now on it asks all but this one of its servers, or all of them: a deployment takes a process out before it
    /// stops it, since what waits to be accepted by one that ends is lost.
    pub fn leave_out(&self, server: Option<usize>) {
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().starts_with(WITHOUT) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        if let Some(server) = server {
            fs::write(self.directory.path().join(format!("{WITHOUT}{server}")), "").unwrap();
        }
        // A request that was read before is handed on by now.
        std::thread::sleep(Duration::from_millis(200));
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it has logged so far: its errors, and each request with the servers that it was tried at.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.log()).unwrap()
    }
}

/// What a file and a group of servers are called that leaves out one.
const WITHOUT: &str = "without_";
/// What it answers by itself.
const READY: &str = "/of-nginx-itself";

fn configuration(directory: &Path, port: u16, upstreams: &[impl AsRef<str>]) -> String {
    let path = directory.display();
    let address = |upstream: &str| upstream.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let group = |name: &str, left_out: Option<usize>| {
        let mut group = format!("    upstream {name} {{\n");
        for (index, upstream) in upstreams.iter().enumerate().filter(|(index, _)| Some(*index) != left_out) {
            writeln!(group, "        # {index}\n        server {};", address(upstream.as_ref())).unwrap();
        }
        group + "    }\n"
    };
    let (mut groups, mut choice) = (group("servers", None), String::new());
    for index in (0..upstreams.len()).filter(|_| upstreams.len() > 1) {
        let name = format!("{WITHOUT}{index}");
        groups += &group(&name, Some(index));
        writeln!(choice, "            if (-f {path}/{name}) {{ set $group {name}; }}").unwrap();
    }
    // One process: a worker would outlive a master that is killed.
    format!(
        r#"daemon off;
master_process off;
pid {path}/pid;
error_log stderr;
events {{}}
http {{
    log_format tried '$request $status at $upstream_addr';
    access_log {path}/log tried;
    client_body_temp_path {path}/data/body;
    proxy_temp_path {path}/data/proxy;
    fastcgi_temp_path {path}/data/fastcgi;
    uwsgi_temp_path {path}/data/uwsgi;
    scgi_temp_path {path}/data/scgi;
{groups}    server {{
        listen 127.0.0.1:{port};
        location = {READY} {{
            access_log off;
            return 200 "{path}";
        }}
        location / {{
            set $group servers;
{choice}            proxy_pass http://$group;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            # A busy machine is no reason for a 504.
            proxy_read_timeout 300s;
            proxy_send_timeout 300s;
        }}
    }}
}}
"#
    )
}

fn answer(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET {READY} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
