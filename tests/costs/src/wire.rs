//! HTTP as a client writes it, on one connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
}

/// An answer in its parts.
pub(crate) struct Answer {
    status: u16,
    head: String,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) fn new(base: &str) -> Self {
        let host = base.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, host }
    }

    /// The headers are whole lines.
    pub(crate) fn get(&mut self, target: &str, headers: &str) -> Answer {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.host);
        self.ask(&request)
    }

    pub(crate) fn post(&mut self, target: &str, headers: &str, form: &str) -> Answer {
        let (host, length) = (&self.host, form.len());
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n{form}"
        );
        self.ask(&request)
    }

    fn ask(&mut self, request: &str) -> Answer {
        self.stream.write_all(request.as_bytes()).unwrap();
        let answer = String::from_utf8(whole_answer(&mut self.stream)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
    }
}

impl Answer {
    /// The same, if it has this status.
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}\n\n{}", self.head, self.body);
        self
    }

    /// The cookies that it sets, each as a browser sends it back.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        lines.map(|cookie| cookie.split(';').next().unwrap()).collect()
    }

    /// The first header of this name, which is written in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap()
    }
}

/// Reads to the end that `Content-Length` names.
pub(crate) fn whole_answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).unwrap();
        assert_ne!(read, 0, "the server closed the connection");
        answer.extend_from_slice(&part[..read]);
        let text = std::str::from_utf8(&answer).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.split_once("content-length: ").unwrap().1.split('\r').next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return answer;
            }
        }
    }
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
