//! A server of documents about clients, on a port of its own: it plays good ones and hostile ones, and counts who asks.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A running server of documents.
#[derive(Clone)]
pub struct Documents {
    /// Scheme, host and port.
    pub base: String,
    pages: Arc<Mutex<HashMap<String, Play>>>,
    asked: Arc<Mutex<Vec<String>>>,
    is_gone: Arc<AtomicBool>,
}

type Play = Arc<dyn Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync>;

impl Documents {
    /// One that has nothing yet.
    pub fn start() -> Documents {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let documents =
            Documents { base, pages: Arc::default(), asked: Arc::default(), is_gone: Arc::new(AtomicBool::new(false)) };
        let served = documents.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), served) = (stream, served.clone()) else { return };
                std::thread::spawn(move || served.serve(&mut stream));
            }
        });
        documents
    }

    fn serve(&self, stream: &mut TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut header = String::from("-");
        while !header.trim().is_empty() {
            header.clear();
            reader.read_line(&mut header).ok()?;
        }
        self.asked.lock().unwrap().push(path.clone());
        if self.is_gone.load(Ordering::SeqCst) {
            return None;
        }
        let play = self.pages.lock().unwrap().get(&path).cloned();
        match play {
            Some(play) => play(stream).ok(),
            None => stream.write_all(&answer("404 Not Found", "", "")).ok(),
        }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A good document at this path, but for the changes; a `null` takes a member out. Its URL.
    pub fn put(&self, path: &str, changes: Value) -> String {
        let url = self.url(path);
        let mut document = json!({
            "client_id": url,
            "client_name": "An agent",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        document.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.answer(
            path,
            "200 OK",
            "content-type: application/json\r\ncache-control: max-age=600\r\n",
            &document.to_string(),
        );
        url
    }

    /// This very answer at this path.
    pub fn answer(&self, path: &str, status: &str, headers: &str, body: &str) {
        let whole = answer(status, headers, body);
        self.play(path, move |stream| stream.write_all(&whole));
    }

    /// Whatever is done with the connection.
    pub fn play(&self, path: &str, play: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) {
        self.pages.lock().unwrap().insert(path.to_owned(), Arc::new(play));
    }

    /// The paths that were asked for up to now, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// From now on no one gets an answer.
    pub fn vanish(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
    }
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}
