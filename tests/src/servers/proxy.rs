//! nginx and Caddy, each with a configuration that the guide shows, word for word but for addresses and files.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Process;
use super::{directory::Directory, free_port, output, program};

/// A reverse proxy that ends TLS for the hosts of the guide.
#[derive(Debug)]
pub struct Proxy {
    _process: Process,
    directory: Directory,
    address: SocketAddr,
    /// Where it answers without TLS.
    plain: SocketAddr,
    authority: PathBuf,
}

/// The hosts that the guide's configurations are for.
const HOSTS: [&str; 3] = ["notes.example", "example.com", "app.notes.example"];
/// One that they are not for.
const ANOTHER: &str = "other.example";
/// Where nginx writes what it was asked.
const ACCESSES: &str = "/var/log/nginx/notes.log";
/// Where those expect the processes.
const UPSTREAMS: [&str; 2] = ["127.0.0.1:8000", "127.0.0.1:8001"];

impl Proxy {
    /// An nginx with what stands in a file of its `conf.d`.
    pub fn nginx(shown: &str, host: &str, upstreams: [&str; 2]) -> Proxy {
        let nginx = program("nginx", "nginx");
        Proxy::start(host, |directory, [port, plain]| {
            let path = directory.path();
            certificate(path);
            let shown = replaced(shown, &[("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"))]);
            let shown = replaced(&shown, &[("listen 80", &format!("listen 127.0.0.1:{plain}"))]);
            let shown = replaced(&shown, &[(ACCESSES, &path.join("accesses").display().to_string())]);
            let of_host = |file: &str| format!("/etc/letsencrypt/live/{host}/{file}");
            let here = |file: &str| path.join(file).display().to_string();
            let files = ["fullchain.pem", "privkey.pem"].map(|file| (of_host(file), here(file)));
            let shown = files.iter().fold(shown, |shown, (from, to)| replaced(&shown, &[(from, to)]));
            let shown = replaced(&shown, &[(UPSTREAMS[0], upstreams[0]), (UPSTREAMS[1], upstreams[1])]);
            let file = path.join("nginx.conf");
            fs::write(&file, around(path, &shown)).unwrap();
            let mut server = Command::new(&nginx);
            server.arg("-e").arg("stderr").arg("-p").arg(path).arg("-c").arg(file);
            (server, path.join("ca.crt"))
        })
    }

    /// A Caddy with what stands in its `Caddyfile`. It is its own authority.
    pub fn caddy(shown: &str, host: &str, upstreams: [&str; 2]) -> Proxy {
        let caddy = program("caddy", "caddy");
        Proxy::start(host, |directory, [port, plain]| {
            let path = directory.path();
            let options = format!(
                "{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n\thttp_port {plain}\n\thttps_port \
                 {port}\n\tstorage file_system {}\n}}\n",
                directory.data().display()
            );
            let shown = replaced(shown, &[(UPSTREAMS[0], upstreams[0]), (UPSTREAMS[1], upstreams[1])]);
            let file = path.join("Caddyfile");
            fs::write(&file, options + &shown).unwrap();
            let mut server = Command::new(&caddy);
            server.arg("run").arg("--adapter").arg("caddyfile").arg("--config").arg(file);
            (server, directory.data().join("pki/authorities/local/root.crt"))
        })
    }

    fn start(host: &str, command: impl Fn(&Directory, [u16; 2]) -> (Command, PathBuf)) -> Proxy {
        assert!(HOSTS.contains(&host), "{host}");
        let directory = Directory::new();
        fs::create_dir(directory.data()).unwrap();
        loop {
            let ports = [free_port(), free_port()];
            let (mut server, authority) = command(&directory, ports);
            let [address, plain] = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
            let ready = |_| TcpStream::connect(address).is_ok() && shows_certificate(address, host, &authority, &[]);
            // Caddy keeps its files below a home.
            server.env("HOME", directory.path()).env("XDG_CONFIG_HOME", directory.path());
            if let Ok(process) = Process::start(&mut server, &directory.log(), ready) {
                return Proxy { _process: process, directory, address, plain, authority };
            }
        }
    }

    /// For a client of its hosts, and of one that is none: what makes it connect here, and trust this one alone.
    pub fn reached_by(&self, client: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        let authority = reqwest::Certificate::from_pem(&fs::read(&self.authority).unwrap()).unwrap();
        let hosts = HOSTS.iter().chain([&ANOTHER]);
        hosts.fold(client.tls_certs_only([authority]), |client, host| client.resolve(host, self.address))
    }

    /// A URL of it without TLS.
    pub fn plain(&self, path: &str) -> String {
        format!("http://{}{path}", self.plain)
    }

    /// Whether it speaks with a client that knows no other version of TLS than this, as `-tls1_2`, and is not choosy.
    pub fn speaks(&self, version: &str, host: &str) -> bool {
        shows_certificate(self.address, host, &self.authority, &[version, "-cipher", "DEFAULT:@SECLEVEL=0"])
    }

    /// What nginx was asked, as the guide has it written down.
    pub fn accesses(&self) -> String {
        fs::read_to_string(self.directory.path().join("accesses")).unwrap()
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.log()).unwrap()
    }
}

/// A text in which each of these is there, and is another now.
fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the guide does not say {from}:\n{text}");
        text.replace(from, to)
    })
}

/// What Debian's `nginx.conf` has around the files of `conf.d`; in one process, as a worker would outlive a master that is killed.
fn around(path: &Path, shown: &str) -> String {
    let path = path.display();
    format!(
        "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n\
         access_log {path}/log;\nclient_body_temp_path {path}/data/body;\nproxy_temp_path {path}/data/proxy;\n\
         fastcgi_temp_path {path}/data/fastcgi;\nuwsgi_temp_path {path}/data/uwsgi;\nscgi_temp_path {path}/data/scgi;\n\
         {shown}\n}}\n"
    )
}

/// An authority, and a certificate of its for the hosts.
fn certificate(path: &Path) {
    let names = HOSTS.map(|host| format!("DNS:{host}")).join(",");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let make = format!(
        "openssl req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=ca -days 2 &&
        openssl req {key} -keyout privkey.pem -out request -subj /CN=proxy &&
        printf 'subjectAltName={names}' > names &&
        openssl x509 -req -in request -CA ca.crt -CAkey ca.key -CAcreateserial -out fullchain.pem -days 2 -extfile names"
    );
    output(Command::new("sh").args(["-c", &make]).current_dir(path)).unwrap();
}

/// Whether a server at this address has a certificate of this authority: another that has its port has none.
fn shows_certificate(address: SocketAddr, host: &str, authority: &Path, options: &[&str]) -> bool {
    let mut client = super::in_time(&program("openssl", "openssl"), std::time::Duration::from_secs(20));
    client.args(["s_client", "-connect", &address.to_string(), "-servername", host, "-verify_return_error", "-CAfile"]);
    client.arg(authority).args(options);
    authority.exists() && output(client.stdin(std::process::Stdio::null())).is_ok()
}
