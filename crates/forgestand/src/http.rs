//! A plain HTTP/1.1 client for loopback: one request a connection, no TLS, no redirects. It is what the crate's own
//! calls and its tests use, so that they say nothing about a client library.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request to a URL such as `http://127.0.0.1:4242/path` and reads the whole answer.
///
/// # Errors
/// When the server cannot be reached, goes away, or answers something else than HTTP.
pub fn call(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> std::io::Result<Response> {
    let bad = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("{why}: {url}"));
    let rest = url.strip_prefix("http://").ok_or_else(|| bad("not an http URL"))?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body.unwrap_or_default()].concat())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| bad("the answer is not whole"))
}

/// Sends JSON and reads the answer.
///
/// # Errors
/// As [`call`].
pub fn call_json(method: &str, url: &str, headers: &[(&str, &str)], body: &Value) -> std::io::Result<Response> {
    let headers = [&[("content-type", "application/json"), ("accept", "application/json")], headers].concat();
    call(method, url, &headers, Some(body.to_string().as_bytes()))
}

/// Where the body begins in what begins with a head.
pub(crate) fn body_start(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The lines of a head: the first one, and the headers with their names in lower case.
pub(crate) fn head(bytes: &[u8]) -> (String, Vec<(String, String)>) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let pair = |line: &str| {
        line.split_once(':').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    (first, lines.filter_map(pair).collect())
}

/// A whole answer that was read until the connection closed; none when it is cut.
pub(crate) fn parse(bytes: &[u8]) -> Option<Response> {
    let at = body_start(bytes)?;
    let (first, headers) = head(bytes.get(..at)?);
    let status: u16 = first.split(' ').nth(1)?.parse().ok()?;
    let body = bytes.get(at..)?;
    let mut response = Response { status, headers, body: Vec::new() };
    response.body = if response.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        unchunk(body)?
    } else if let Some(length) = response.header("content-length").and_then(|length| length.parse::<usize>().ok())
        && status != 304
    {
        // An answer to HEAD says a length and has no body.
        if body.is_empty() { Vec::new() } else { body.get(..length)?.to_vec() }
    } else {
        body.to_vec()
    };
    Some(response)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_answer_is_not_taken_for_a_whole_one() {
        let whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(whole).map(|response| response.body), Some(b"abcde".to_vec()));
        for end in 0..whole.len() - 5 {
            assert_eq!(parse(&whole[..end]), None, "{end}");
        }
        let whole = b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(parse(whole).map(|response| (response.status, response.body)), Some((201, b"abc".to_vec())));
        assert_eq!(parse(&whole[..whole.len() - 1]), None);
    }
}
