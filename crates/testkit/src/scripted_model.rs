//! A language model that says what a test wrote down: a real HTTP/1.1 server on the loopback address that answers
//! chat completions from a script, faults included, and records every request it gets.
//!
//! It owns its threads and connections and ends them when it is dropped. It knows nothing about its clients, and
//! each answer closes its connection, so that what one reply does cannot reach the next.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// The largest request head and body that the server reads.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// One answer of the script.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A chat completion, status 200.
    Completion {
        /// What the model says.
        content: String,
        /// The `usage` object; left out of the answer when it is `None`.
        usage: Option<Value>,
        /// The `finish_reason`, such as `stop` or `length`.
        finish: String,
    },
    /// A chat completion that comes as server-sent events, a few characters each, with `usage` in the last.
    Streamed {
        /// What the model says.
        content: String,
        /// The `usage` object; no event with it when it is `None`.
        usage: Option<Value>,
        /// The `finish_reason`, such as `stop` or `length`.
        finish: String,
    },
    /// Any JSON body, status 200.
    Json(Value),
    /// A status with headers and a body, as they are.
    Status {
        /// The status code.
        code: u16,
        /// Headers besides the ones about length and connection.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// These bytes in place of a whole HTTP answer.
    Raw(Vec<u8>),
    /// The first bytes of another reply, then the connection closes.
    CloseAfter {
        /// How many bytes, counted from the status line.
        bytes: usize,
        /// The reply that is cut.
        of: Box<Reply>,
    },
    /// Reads the request and says nothing until the client gives up.
    HangBeforeHeaders,
    /// The head and this many bytes of the body of another reply, then nothing until the client gives up.
    HangMidBody {
        /// How many bytes of the body.
        bytes: usize,
        /// The reply that is left hanging.
        of: Box<Reply>,
    },
    /// Another reply, a byte at a time with this pause after each.
    Trickle {
        /// The pause, milliseconds.
        pause_ms: u64,
        /// The reply.
        of: Box<Reply>,
    },
    /// An answer that promises a gigabyte and goes on until the client gives up.
    Endless,
    /// A web page with status 200, as a captive portal or a wrong address gives.
    Html(String),
    /// A JSON document that ends in the middle, sent as if it were whole.
    HalfJson,
}

impl Reply {
    /// A completion that ends well and bills 100 tokens in and 50 out.
    #[must_use]
    pub fn text(content: impl Into<String>) -> Self {
        let usage = json!({ "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150 });
        Self::completion(content, Some(usage))
    }

    /// The same as server-sent events.
    #[must_use]
    pub fn streamed(content: impl Into<String>) -> Self {
        let usage = json!({ "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150 });
        Self::Streamed { content: content.into(), usage: Some(usage), finish: "stop".to_owned() }
    }

    /// A completion that ends well, with this `usage` object or none.
    #[must_use]
    pub fn completion(content: impl Into<String>, usage: Option<Value>) -> Self {
        Self::Completion { content: content.into(), usage, finish: "stop".to_owned() }
    }

    /// A status whose body is an error in the form of OpenAI.
    #[must_use]
    pub fn error(code: u16, message: &str) -> Self {
        let body = json!({ "error": { "message": message, "type": "scripted", "param": null, "code": null } });
        Self::Status { code, headers: Vec::new(), body: body.to_string() }
    }

    /// `429 Too Many Requests` with a `Retry-After` header.
    #[must_use]
    pub fn too_many(retry_after: &str) -> Self {
        let headers = vec![("retry-after".to_owned(), retry_after.to_owned())];
        let body = json!({ "error": { "message": "slow down", "type": "rate_limit", "param": null, "code": null } });
        Self::Status { code: 429, headers, body: body.to_string() }
    }

    /// How many bytes this reply has on the wire when nothing cuts it.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        let (head, body) = self.wire();
        head.len() + body.len()
    }

    /// The head and the body of this reply, as bytes on the wire.
    fn wire(&self) -> (Vec<u8>, Vec<u8>) {
        let json = |body: String| response(200, &[("content-type".to_owned(), "application/json".to_owned())], body);
        match self {
            Self::Completion { content, usage, finish } => json(completion(content, usage.as_ref(), finish)),
            Self::Streamed { content, usage, finish } => {
                let headers = [("content-type".to_owned(), "text/event-stream".to_owned())];
                response(200, &headers, events(content, usage.as_ref(), finish))
            }
            Self::Json(value) => json(value.to_string()),
            Self::Status { code, headers, body } => response(*code, headers, body.clone()),
            Self::Raw(bytes) => (bytes.clone(), Vec::new()),
            Self::CloseAfter { of, .. } | Self::HangMidBody { of, .. } | Self::Trickle { of, .. } => of.wire(),
            Self::Endless => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n";
                (head.as_bytes().to_vec(), Vec::new())
            }
            Self::HangBeforeHeaders => (Vec::new(), Vec::new()),
            Self::Html(page) => {
                response(200, &[("content-type".to_owned(), "text/html; charset=utf-8".to_owned())], page.clone())
            }
            Self::HalfJson => {
                let whole = completion("an answer that is cut", None, "stop");
                let half = whole.chars().take(whole.chars().count() / 2).collect();
                json(half)
            }
        }
    }
}

fn completion(content: &str, usage: Option<&Value>, finish: &str) -> String {
    let mut body = json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": content },
            "finish_reason": finish,
        }],
    });
    if let (Some(usage), Some(object)) = (usage, body.as_object_mut()) {
        object.insert("usage".to_owned(), usage.clone());
    }
    body.to_string()
}

/// The events of a completion, as OpenAI sends them.
fn events(content: &str, usage: Option<&Value>, finish: &str) -> String {
    let event = |delta: Value, finish: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk = json!({
            "id": "chatcmpl-scripted",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "scripted",
            "choices": [choice],
            "usage": null,
        });
        format!("data: {chunk}\n\n")
    };
    let mut text = event(json!({ "role": "assistant", "content": "" }), None);
    let letters: Vec<char> = content.chars().collect();
    for piece in letters.chunks(7) {
        text.push_str(&event(json!({ "content": piece.iter().collect::<String>() }), None));
    }
    text.push_str(&event(json!({}), Some(finish)));
    if let Some(usage) = usage {
        let last = json!({ "object": "chat.completion.chunk", "model": "scripted", "choices": [], "usage": usage });
        text.push_str(&format!("data: {last}\n\n"));
    }
    text + "data: [DONE]\n\n"
}

fn response(code: u16, headers: &[(String, String)], body: String) -> (Vec<u8>, Vec<u8>) {
    let mut head = format!("HTTP/1.1 {code} Scripted\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    (head.into_bytes(), body.into_bytes())
}

/// A request as the server read it.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The method, such as `POST`.
    pub method: String,
    /// The path, such as `/v1/chat/completions`.
    pub path: String,
    /// Header names in lower case with their values, in order.
    pub headers: Vec<(String, String)>,
    /// The body; `Null` when it is not JSON.
    pub body: Value,
}

impl ReceivedRequest {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The text of the message with this role, such as `system` or `user`; empty when there is none.
    #[must_use]
    pub fn message(&self, role: &str) -> &str {
        let messages = self.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        messages.iter().find(|message| message["role"] == role).and_then(|m| m["content"].as_str()).unwrap_or_default()
    }
}

type Script = dyn Fn(&ReceivedRequest) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    requests: Mutex<Vec<ReceivedRequest>>,
    open: Mutex<HashMap<usize, TcpStream>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    stopping: AtomicBool,
}

/// The server. It listens from the moment it is made until it is stopped or dropped.
pub struct ScriptedModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedModel").field("address", &self.address).finish_non_exhaustive()
    }
}

impl ScriptedModel {
    /// Starts a server that gives these replies, one a request. After the last one it answers 404 and says so.
    ///
    /// # Panics
    /// When the loopback address cannot be listened on.
    #[must_use]
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Mutex::new(replies.into_iter().collect::<VecDeque<_>>());
        Self::start_with(move |_| {
            lock(&replies).pop_front().unwrap_or_else(|| Reply::error(404, "the script has no reply left"))
        })
    }

    /// Starts a server that asks `script` for the reply to each request. It may be called from several threads.
    ///
    /// # Panics
    /// When the loopback address cannot be listened on.
    #[must_use]
    pub fn start_with(script: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address can be listened on");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            requests: Mutex::default(),
            open: Mutex::default(),
            workers: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared, listener: Mutex::new(Some(thread)) }
    }

    /// The address to give a client as its base URL, such as `http://127.0.0.1:4242/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far, in the order in which they were read.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        lock(&self.shared.requests).clone()
    }

    /// Stops listening and ends all connections: from here on a connection is refused.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // `accept` has no time-out of its own: a connection wakes it, and it then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = lock(&self.listener).take() {
            let _ = thread.join();
        }
        for (_, stream) in lock(&self.shared.open).drain() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let workers = std::mem::take(&mut *lock(&self.shared.workers));
        for worker in workers {
            let _ = worker.join();
        }
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (number, stream) in listener.incoming().enumerate() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if let Ok(copy) = stream.try_clone() {
            lock(&shared.open).insert(number, copy);
        }
        let serving = Arc::clone(shared);
        lock(&shared.workers).push(std::thread::spawn(move || {
            // A client that goes away in the middle is part of what is tested, so errors end the connection only.
            let _ = serve(&stream, &serving);
            let _ = stream.shutdown(Shutdown::Both);
            lock(&serving.open).remove(&number);
        }));
    }
}

fn serve(mut stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some(request) = read_request(stream)? else { return Ok(()) };
    lock(&shared.requests).push(request.clone());
    let reply = (shared.script)(&request);
    let (head, body) = reply.wire();
    match reply {
        Reply::CloseAfter { bytes, .. } => {
            let whole = [head, body].concat();
            stream.write_all(whole.get(..bytes).unwrap_or(&whole))?;
        }
        Reply::HangBeforeHeaders => return wait_for_the_client(stream),
        Reply::Trickle { pause_ms, .. } => {
            for byte in [head, body].concat() {
                stream.write_all(&[byte])?;
                stream.flush()?;
                std::thread::sleep(std::time::Duration::from_millis(pause_ms));
            }
        }
        Reply::Endless => {
            stream.write_all(&head)?;
            let piece = vec![b'x'; 64 * 1024];
            for _ in 0..(1 << 30) / piece.len() {
                stream.write_all(&piece)?;
            }
        }
        Reply::HangMidBody { bytes, .. } => {
            stream.write_all(&head)?;
            stream.write_all(body.get(..bytes).unwrap_or(&body))?;
            stream.flush()?;
            return wait_for_the_client(stream);
        }
        _ => stream.write_all(&[head, body].concat())?,
    }
    stream.flush()
}

/// Blocks until the client closes the connection or the server is stopped.
fn wait_for_the_client(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut rest = [0_u8; 1024];
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}

/// Reads one request; `None` when the connection closes before a whole one came.
fn read_request(mut stream: &TcpStream) -> std::io::Result<Option<ReceivedRequest>> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    let mut more = |bytes: &mut Vec<u8>| -> std::io::Result<bool> {
        let read = stream.read(&mut buffer)?;
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read > 0 && bytes.len() < MAX_REQUEST)
    };
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if !more(&mut bytes)? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(bytes.get(..head_end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, v)| v.parse().ok());
    let end = head_end + 4 + length.unwrap_or(0_usize);
    while bytes.len() < end {
        if !more(&mut bytes)? {
            return Ok(None);
        }
    }
    let body = serde_json::from_slice(bytes.get(head_end + 4..end).unwrap_or_default()).unwrap_or(Value::Null);
    Ok(Some(ReceivedRequest { method, path, headers, body }))
}
