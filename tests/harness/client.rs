use serde_json::Value;
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// A connection on which a test sends one request after the other, if need be byte by byte.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer of the server.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The code of a problem. Panics where the answer is no complete problem.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status, "{self:?}");
        assert!(body["title"].is_string() && body["detail"].is_string(), "{self:?}");
        let code = body["code"].as_str().expect("a code").to_owned();
        assert_eq!(body["type"], format!("urn:holdfast:problem:{code}"));
        code
    }

    /// The JSON pointers of the violations of an invalid request.
    pub fn pointers(&self) -> Vec<String> {
        assert_eq!((self.status, self.problem().as_str()), (400, "invalid-request"), "{self:?}");
        let errors = self.json()["errors"].as_array().expect("errors").clone();
        assert!(errors.iter().all(|error| error["detail"].is_string()));
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

impl Client {
    pub fn connect(port: u16) -> Self {
        Self::try_connect(port).expect("a connection")
    }

    pub fn try_connect(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        Some(Self { stream: BufReader::new(stream) })
    }

    /// Sets how long [`Client::receive`] waits for an answer.
    pub fn set_read_timeout(&self, time: Duration) {
        self.stream.get_ref().set_read_timeout(Some(time)).expect("a time-out");
    }

    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub fn receive(&mut self) -> std::io::Result<Reply> {
        let mut reply = Reply { status: 0, headers: HashMap::new(), text: String::new() };
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 ")) {
                reply.status = rest[..3].parse().expect("a status");
            } else if let Some((name, value)) = line.split_once(':') {
                reply.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            } else if line.is_empty() {
                break;
            }
        }
        let length = reply.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        reply.text = String::from_utf8(body).expect("UTF-8");
        Ok(reply)
    }

    pub fn try_call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || !matches!(method, "GET" | "HEAD") {
            head += &format!("content-length: {}\r\n", body.len());
        }
        self.send(&[head.as_bytes(), b"\r\n", body].concat())?;
        self.receive()
    }

    pub fn call(&mut self, method: &str, path: &str, body: &str) -> Reply {
        self.try_call(method, path, &[], body.as_bytes()).expect("an answer")
    }

    pub fn with(
        &mut self,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: &str,
    ) -> Reply {
        self.try_call(method, path, headers, body.as_bytes()).expect("an answer")
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.call("GET", path, "")
    }

    pub fn post(&mut self, path: &str, body: &str) -> Reply {
        self.call("POST", path, body)
    }

    /// Creates a stock.
    pub fn stock(&mut self, product: &str, total: u64, minimum: u64) -> Reply {
        let body = format!(r#"{{"total_quantity": {total}, "minimum_stock_level": {minimum}}}"#);
        let reply = self.call("PUT", &format!("/v1/inventory/{product}"), &body);
        assert_eq!(reply.status, 201, "{reply:?}");
        reply
    }

    pub fn reserve(&mut self, product: &str, quantity: u64) -> Reply {
        let path = format!("/v1/inventory/{product}/reserve");
        self.post(&path, &format!(r#"{{"quantity": {quantity}}}"#))
    }
}
