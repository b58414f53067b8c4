//! A client of one connection, whose own work costs the server nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use actix_web::http::header::HeaderValue;

use crate::rows::{PATH, Row};
use crate::wire::whole_answer;
use crate::{MARK, Times};

/// Sends the request of a row so many times.
pub(crate) fn ask(row: Row, authorization: Option<&HeaderValue>, base: &str, times: Times) {
    let host = base.trim_start_matches("http://");
    let authorization = authorization.map(|value| format!("Authorization: {}\r\n", value.to_str().unwrap()));
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\n{}\r\n", authorization.unwrap_or_default());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let answer = whole_answer(&mut stream);
    assert_eq!(&answer[9..12], row.status().to_string().as_bytes(), "{}", String::from_utf8_lossy(&answer));
    let once = |(stream, answer): &mut (TcpStream, Vec<u8>)| {
        stream.write_all(request.as_bytes()).unwrap();
        // All answers of a row are of one length: the date, which alone changes, has a fixed one.
        stream.read_exact(answer).unwrap();
    };
    let mark = |(stream, _): &mut (TcpStream, Vec<u8>)| {
        stream.write_all(format!("GET {MARK} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
        assert!(whole_answer(stream).ends_with(b"marked"), "it is a route of every row");
    };
    times.ask(&mut (stream, answer), once, mark);
}
