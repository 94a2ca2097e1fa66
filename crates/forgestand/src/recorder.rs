//! A proxy of ours in front of any forge: it writes down every request with what was answered, and does to a request
//! what a bad network or a forge in trouble does: drops it before or after it was handled, or refuses it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::http;

/// The largest request that is read.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// How prism's own errors are named.
const PRISM_ERROR: &str = "stoplight.io/prism/errors";

/// What happens to a request in place of what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection drops and the forge never hears of it.
    DropBefore,
    /// The forge does what it is asked, and the connection drops before the client hears.
    DropAfter,
    /// This answer, and the forge never hears of it.
    Answer {
        /// The status code.
        status: u16,
        /// Headers besides the ones about length and connection.
        headers: Vec<(String, String)>,
        /// The `message` of the JSON body.
        message: String,
    },
}

impl Fault {
    /// `429 Too Many Requests`, to be tried again after so many seconds.
    #[must_use]
    pub fn too_many(retry_after: u64) -> Self {
        let headers = vec![("retry-after".to_owned(), retry_after.to_string())];
        Self::Answer { status: 429, headers, message: "Too many requests".to_owned() }
    }

    /// GitHub's 403 of a used up budget that is renewed at a time, in seconds since 1970.
    #[must_use]
    pub fn used_up(reset: i64) -> Self {
        let headers = [("x-ratelimit-limit", "5000".to_owned()), ("x-ratelimit-remaining", "0".to_owned())];
        let reset = ("x-ratelimit-reset".to_owned(), reset.to_string());
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into_iter().chain([reset]).collect();
        Self::Answer { status: 403, headers, message: "API rate limit exceeded for user ID 1.".to_owned() }
    }

    /// GitHub's 403 of a secondary limit, to be tried again after so many seconds.
    #[must_use]
    pub fn slow_down(retry_after: u64) -> Self {
        let headers = vec![("retry-after".to_owned(), retry_after.to_string())];
        Self::Answer { status: 403, headers, message: "You have exceeded a secondary rate limit.".to_owned() }
    }

    /// `401 Unauthorized`, as for a token that ran out.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::Answer { status: 401, headers: Vec::new(), message: "Bad credentials".to_owned() }
    }
}

/// A request as the proxy saw it. Its headers are not kept, since a token is among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Such as `POST`.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// What the client was answered; none when its connection was dropped.
    pub status: Option<u16>,
    /// What was done to it.
    pub fault: Option<Fault>,
    /// What a checking proxy behind this one said against request and answer.
    pub violations: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    /// How a path is written before it is passed on.
    rewrite: fn(&str) -> String,
    /// Whether it stands before a checking proxy.
    checked: bool,
    /// Faults by the number of the request, counted from 1.
    faults: Mutex<BTreeMap<usize, Fault>>,
    /// How many requests came.
    count: Mutex<usize>,
    calls: Mutex<Vec<Recorded>>,
    stopping: AtomicBool,
}

/// The proxy. It listens on 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts a proxy to a server on this machine, such as `http://127.0.0.1:4242`.
    ///
    /// # Panics
    /// When the URL names no address, or the loopback address cannot be listened on.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        Self::with(upstream, str::to_owned, false)
    }

    /// As [`Self::start`], before a checking proxy, with each path written otherwise when it is passed on. The proxy fails
    /// on answers that say that nothing changed, as they have no body, so nobody is asked for these.
    pub(crate) fn before_checks(upstream: &str, rewrite: fn(&str) -> String) -> Self {
        Self::with(upstream, rewrite, true)
    }

    fn with(upstream: &str, rewrite: fn(&str) -> String, checked: bool) -> Self {
        let host = upstream.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let upstream = host.parse().unwrap_or_else(|_| panic!("{upstream} names no address"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address can be listened on");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            upstream,
            rewrite,
            checked,
            faults: Mutex::default(),
            count: Mutex::default(),
            calls: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || accept(&listener, &accepting)));
        Self { address, shared, thread }
    }

    /// Its URL, such as `http://127.0.0.1:4243`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does this to the n-th request from now on; 1 is the next.
    pub fn fault(&self, nth: usize, fault: Fault) {
        let at = *lock(&self.shared.count) + nth;
        lock(&self.shared.faults).insert(at, fault);
    }

    /// The requests so far, in the order in which they ended.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        lock(&self.shared.calls).clone()
    }

    /// What was said against requests and answers so far, each with the request that it is about.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let of = |call: Recorded| {
            let about = format!("{} {}", call.method, call.target);
            call.violations.into_iter().map(move |said| format!("{about}: {said}"))
        };
        self.calls().into_iter().flat_map(of).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // `accept` has no time-out of its own: a connection wakes it, and it then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let serving = Arc::clone(shared);
        std::thread::spawn(move || {
            // A client that goes away in the middle is part of what is tested.
            let _ = serve(&stream, &serving);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

fn serve(mut client: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some((head, body)) = read(client)? else { return Ok(()) };
    let (first, headers) = http::head(&head);
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let fault = {
        let mut count = lock(&shared.count);
        *count += 1;
        lock(&shared.faults).remove(&*count)
    };
    let mut recorded = Recorded { method, target, status: None, fault: fault.clone(), violations: Vec::new() };
    let answer = match &fault {
        Some(Fault::DropBefore) => None,
        Some(Fault::Answer { status, headers, message }) => Some(refusal(*status, headers, message)),
        None | Some(Fault::DropAfter) => Some(pass_on(shared, &recorded, &headers, &body)?),
    };
    if let Some(answer) = &answer {
        let end = http::body_start(answer).unwrap_or(answer.len());
        let (first, headers) = http::head(answer.get(..end).unwrap_or_default());
        recorded.status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let said = headers.iter().filter(|(name, _)| name == "sl-violations");
        recorded.violations = said.flat_map(|(_, value)| violations(value)).collect();
        // A path that the contract does not have is answered by prism itself.
        let body = String::from_utf8_lossy(answer.get(end..).unwrap_or_default()).into_owned();
        if body.contains(PRISM_ERROR) {
            recorded.violations.push(body);
        }
    }
    let dropped = matches!(fault, Some(Fault::DropBefore | Fault::DropAfter));
    if dropped {
        recorded.status = None;
    }
    lock(&shared.calls).push(recorded);
    match answer {
        Some(answer) if !dropped => client.write_all(&answer),
        _ => Ok(()),
    }
}

/// Prism's list of what is wrong, a line each.
fn violations(header: &str) -> Vec<String> {
    let Ok(Value::Array(all)) = serde_json::from_str(header) else { return vec![header.to_owned()] };
    let line = |said: &Value| {
        let location = said["location"].as_array().into_iter().flatten();
        let location: Vec<String> = location.map(|part| part.to_string().replace('"', "")).collect();
        format!("{}: {}", location.join("."), said["message"].as_str().unwrap_or_default())
    };
    all.iter().map(line).collect()
}

fn refusal(status: u16, headers: &[(String, String)], message: &str) -> Vec<u8> {
    let body = serde_json::json!({ "message": message }).to_string();
    let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\nconnection: close\r\n");
    head.push_str(&format!("content-length: {}\r\n", body.len()));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    (head + "\r\n" + &body).into_bytes()
}

/// Asks the server and gives its answer as it came.
fn pass_on(shared: &Shared, asked: &Recorded, headers: &[(String, String)], body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(shared.upstream)?;
    let target = (shared.rewrite)(&asked.target);
    let mut head = format!("{} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", asked.method, shared.upstream);
    for (name, value) in headers {
        match name.as_str() {
            // Addresses in the answer should lead back through this proxy.
            "host" => head.push_str(&format!("x-forwarded-host: {value}\r\n")),
            "connection" | "accept-encoding" => {}
            "if-none-match" if shared.checked => {}
            _ => head.push_str(&format!("{name}: {value}\r\n")),
        }
    }
    server.write_all(&[head.as_bytes(), b"\r\n", body].concat())?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Reads head and body of one request; `None` when the connection closes before a whole one came.
fn read(mut client: &TcpStream) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0_u8; 16 * 1024]);
    loop {
        if let Some(start) = http::body_start(&bytes) {
            let (_, headers) = http::head(bytes.get(..start).unwrap_or_default());
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0);
            if bytes.len() >= start + length {
                let body = bytes.split_off(start);
                return Ok(Some((bytes, body)));
            }
        }
        let read = client.read(&mut buffer)?;
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if read == 0 || bytes.len() > MAX_REQUEST {
            return Ok(None);
        }
    }
}
