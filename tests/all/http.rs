//! A small HTTP/1.1 client: enough to look at status, headers and bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// What a call answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header, as it was sent but in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|problem| panic!("{problem}: {text}"))
    }
}

/// One call: `lines` are header lines without their ends.
pub(crate) fn call(url: &str, method: &str, path: &str, lines: &[&str], body: &[u8]) -> Answer {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for line in lines {
        request.push_str(line);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let headers = String::from_utf8(bytes[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    let chunked = headers.contains("transfer-encoding: chunked");
    Answer {
        status,
        body: if chunked { unchunk(&body) } else { body },
        headers,
    }
}

pub(crate) fn get(url: &str, path: &str) -> Answer {
    call(url, "GET", path, &[], &[])
}

/// Takes the framing of RFC 9112 7.1 off a body.
fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest
            .windows(2)
            .position(|window| window == b"\r\n")
            .unwrap();
        let digits = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(digits, 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}
