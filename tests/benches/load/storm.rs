//! What a guarded request takes while three hundred people sign in at once, beside what it takes when all is quiet: one
//! process with two workers, and passwords that are hashed on its own cores. `storm [PLACES..]`, each a `blocking_at_once`.
//! `storm waiting`: what one who waits for a place takes of the memory. `storm forged`: what tokens with a bad ES256 signature cost, within their network's budget and beyond it.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::pbkdf2;
use oauth_runtime::{Clock, Login};
use oauth_tests::{Browser, SECRET, Server, builder, free_port, handlers, serve_with};
use serde_json::json;

const PEOPLE: usize = 300;
const ROUNDS: usize = 5;
const QUIET: Duration = Duration::from_secs(2);
/// Between two guarded requests, so that they take few of the cores themselves.
const PAUSE: Duration = Duration::from_millis(2);
const HASH: Duration = Duration::from_millis(14);

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("forged") => return forged(),
        Some("waiting") => return waiting(),
        Some(_) | None => {}
    }
    let mut places: Vec<usize> = std::env::args().skip(1).filter_map(|places| places.parse().ok()).collect();
    if places.is_empty() {
        places = vec![1, 2, 4];
    }
    let rounds_of_hash = calibrated();
    println!("places  signed in  storm s  quiet p50/p99 ms  storm p50/p99 ms  p50 ratio  p99 ratio (lowest, highest)");
    for places in places {
        let mut rows: Vec<Row> = (0..ROUNDS).map(|_| round(places, rounds_of_hash)).collect();
        rows.sort_by(|one, other| one.ratio(99).total_cmp(&other.ratio(99)));
        let (median, ends) = (&rows[ROUNDS / 2], [&rows[0], &rows[ROUNDS - 1]].map(|row| row.ratio(99)));
        println!(
            "{places:6}  {:>9}  {:7.1}  {:7.3} / {:6.3}  {:7.3} / {:6.3}  {:9.1}  {:9.1} ({:.1}, {:.1})",
            rows.iter().map(|row| row.signed_in).min().unwrap(),
            median.took.as_secs_f64(),
            at(&median.quiet, 50),
            at(&median.quiet, 99),
            at(&median.storm, 50),
            at(&median.storm, 99),
            median.ratio(50),
            median.ratio(99),
            ends[0],
            ends[1],
        );
    }
}

struct Row {
    signed_in: usize,
    took: Duration,
    quiet: Vec<f64>,
    storm: Vec<f64>,
}

impl Row {
    fn ratio(&self, percent: usize) -> f64 {
        at(&self.storm, percent) / at(&self.quiet, percent)
    }
}

fn round(places: usize, rounds_of_hash: NonZeroU32) -> Row {
    let server = server(places, rounds_of_hash);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let token = runtime.block_on(Browser::new(&server).token());
    let requests: Vec<_> = (0..PEOPLE).map(|number| runtime.block_on(sign_in(&server, number))).collect();
    let guarded = format!("GET /admin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    let host = server.base.trim_start_matches("http://").to_owned();
    drop(times(&host, &guarded, Duration::from_millis(200), &AtomicBool::new(false)));
    let quiet = times(&host, &guarded, QUIET, &AtomicBool::new(false));

    let (is_over, together) = (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(PEOPLE + 1)));
    let people: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let (host, together) = (host.clone(), Arc::clone(&together));
            thread::spawn(move || {
                let mut stream = TcpStream::connect(&host).unwrap();
                together.wait();
                stream.write_all(request.as_bytes()).unwrap();
                status(&mut stream)
            })
        })
        .collect();
    let measured = {
        let (host, is_over) = (host.clone(), Arc::clone(&is_over));
        thread::spawn(move || times(&host, &guarded, Duration::from_secs(60), &is_over))
    };
    together.wait();
    let begun = Instant::now();
    let mut statuses = BTreeMap::new();
    people.into_iter().for_each(|person| *statuses.entry(person.join().unwrap()).or_default() += 1);
    let took = begun.elapsed();
    is_over.store(true, Ordering::Relaxed);
    Row { signed_in: statuses.get(&303).copied().unwrap_or(0), took, quiet, storm: measured.join().unwrap() }
}

fn server(places: usize, rounds_of_hash: NonZeroU32) -> Server {
    let (listener, base) = free_port();
    let oauth = builder(&base)
        .clock(Clock::system())
        .blocking_at_once(places)
        .authenticate_timeout(Duration::from_secs(10))
        .authenticate_blocking(move |login: Login| {
            hash(&login.password, rounds_of_hash);
            Some(json!({ "sub": login.username, "role": "admin" }))
        })
        .build()
        .unwrap();
    serve_with(2, listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    })
}

/// A thousand wait while the one place is taken: how much the process has grown by.
fn waiting() {
    const PEOPLE: usize = 1_000;
    let (may_end, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (listener, base) = free_port();
    let builder = builder(&base).clock(Clock::system()).blocking_at_once(1);
    let oauth = builder.authenticate_blocking(move |login: Login| {
        let _ = gate.lock().unwrap().recv();
        Some(json!({ "sub": login.username }))
    });
    let oauth = oauth.build().unwrap();
    let server = serve_with(2, listener, move |app| {
        app.configure(oauth.routes());
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut streams = Vec::new();
    for number in 0..=PEOPLE {
        let request = runtime.block_on(sign_in(&server, number));
        streams.push((TcpStream::connect(server.base.trim_start_matches("http://")).unwrap(), request));
    }
    let send = |streams: &mut [(TcpStream, String)]| {
        streams.iter_mut().for_each(|(stream, request)| stream.write_all(request.as_bytes()).unwrap());
        thread::sleep(Duration::from_secs(2));
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let (_, resident) = status.split_once("VmRSS:").unwrap();
        resident.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    let (first, rest) = streams.split_at_mut(1);
    let before = send(first);
    let after = send(rest);
    println!("{:.1} KiB for each of {PEOPLE} who wait", (after - before) / PEOPLE as f64);
    drop(may_end);
    let signed_in = streams.iter_mut().filter(|(stream, _)| status(&mut stream.try_clone().unwrap()) == 303).count();
    println!("{signed_in} signed in after that");
}

/// One connection, for so long: what was answered, and how long each kind of answer took.
fn forged() {
    let (listener, base) = free_port();
    let oauth =
        builder(&base).clock(Clock::system()).scope("openid", "Know who you are").direct_peers().build().unwrap();
    let server = serve_with(2, listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let token = runtime.block_on(Browser::new(&server).token());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut stream = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut ask = |token: &str| {
        let request = format!("GET /admin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).unwrap();
        (status(&mut stream), sent.elapsed().as_secs_f64() * 1e6)
    };
    let (begun, mut times) = (Instant::now(), BTreeMap::<u16, Vec<f64>>::new());
    let mut number = 0_u32;
    while begun.elapsed() < Duration::from_secs(5) {
        let (status, took) = ask(&format!("{message}.{number:08x}{}", &signature[8..]));
        times.entry(status).or_default().push(took);
        // A token that is known, for comparison.
        times.entry(200).or_default().push(ask(&token).1);
        number += 1;
    }
    println!("status  answers a second  median µs");
    for (status, mut times) in times {
        times.sort_by(f64::total_cmp);
        println!("{status:6}  {:16.0}  {:9.0}", times.len() as f64 / begun.elapsed().as_secs_f64(), at(&times, 50));
    }
}

/// The request that signs a person in, of a browser of their own.
async fn sign_in(server: &Server, number: usize) -> String {
    let page = Browser::new(server).authorize(&[]).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap();
    let body = format!("request={}&username=user{number}&password=right", page.form());
    format!(
        "POST /login HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Milliseconds of each request over one connection, until the time or the storm is over; in order of length.
fn times(host: &str, request: &str, until: Duration, is_over: &AtomicBool) -> Vec<f64> {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < until && !is_over.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(status(&mut stream), 200);
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Of an answer that comes in one piece, or whose rest does not matter.
fn status(stream: &mut TcpStream) -> u16 {
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).unwrap();
    std::str::from_utf8(&answer[9..12.min(read)]).unwrap().parse().unwrap()
}

fn at(times: &[f64], percent: usize) -> f64 {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn hash(password: &str, rounds: NonZeroU32) {
    let mut out = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, SECRET.as_bytes(), password.as_bytes(), &mut out);
    std::hint::black_box(out);
}

/// How many rounds take as long as Argon2id does here: the least of several tries, when the machine is quiet.
fn calibrated() -> NonZeroU32 {
    const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).unwrap();
    let time = |_| {
        let begun = Instant::now();
        hash("password", ROUNDS);
        begun.elapsed()
    };
    let least = (0..20).map(time).min().unwrap();
    NonZeroU32::new((f64::from(ROUNDS.get()) * HASH.as_secs_f64() / least.as_secs_f64()) as u32).unwrap()
}
