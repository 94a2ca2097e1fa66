//! Git's own `http-backend` behind a small server of ours, with a token: what pushes and fetches go to where no web server
//! is installed. What is ours is only the door; the protocol is git's.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;

use crate::bare::Bare;
use crate::base64;

/// The most bytes of a push.
const MOST: usize = 64 << 20;

/// What the server goes by.
#[derive(Debug)]
struct Terms {
    folder: PathBuf,
    /// Tokens, and whether they may push.
    tokens: Mutex<Vec<(String, bool)>>,
    /// The lines of its log: method, path with query, status.
    log: Mutex<Vec<String>>,
}

/// A server of git repositories. It listens from the moment it is made until it is dropped.
#[derive(Debug)]
pub struct GitHttp {
    address: SocketAddr,
    terms: Arc<Terms>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl GitHttp {
    /// Serves the bare repositories below a folder.
    ///
    /// # Panics
    /// When the loopback address cannot be listened on.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address can be listened on");
        listener.set_nonblocking(true).expect("a listener can be asked not to block");
        let address = listener.local_addr().expect("a bound listener has an address");
        let terms = Arc::new(Terms { folder: folder.to_path_buf(), tokens: Mutex::default(), log: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = terms.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over");
                let router = axum::Router::new().fallback(move |request| answer(serving.clone(), request));
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.expect("the server runs"),
                    _ = stopped => {}
                }
            });
        });
        Self { address, terms, stop: Some(stop), thread: Some(thread) }
    }

    /// Makes an empty repository with this default branch.
    #[must_use]
    pub fn create(&self, owner: &str, name: &str, default_branch: &str) -> Bare {
        let path = self.terms.folder.join(owner).join(format!("{name}.git"));
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).expect("a folder can be made");
        let bare = Bare::init(&path, default_branch);
        bare.git(&["config", "http.receivepack", "true"], b"").expect("git takes a setting");
        bare
    }

    /// The address of a repository.
    #[must_use]
    pub fn url(&self, owner: &str, name: &str) -> String {
        format!("http://{}/{owner}/{name}.git", self.address)
    }

    /// Takes a token, for pushes or for looking alone.
    pub fn token(&self, token: &str, may_push: bool) {
        lock(&self.terms.tokens).push((token.to_owned(), may_push));
    }

    /// Forgets a token.
    pub fn revoke(&self, token: &str) {
        lock(&self.terms.tokens).retain(|(known, _)| known != token);
    }

    /// What was asked so far: method, address, status.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        lock(&self.terms.log).clone()
    }
}

impl Drop for GitHttp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(terms: Arc<Terms>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let response = serve(&terms, request).await;
    lock(&terms.log).push(format!("{line} {}", response.status().as_u16()));
    response
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic realm=\"git\""));
    }
    response
}

async fn serve(terms: &Terms, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let shown = header("authorization");
    let tokens = lock(&terms.tokens).clone();
    let known = tokens.iter().find(|(token, _)| {
        // Any account name goes with a token, as on the forges.
        ["x-access-token", "oauth2", "git"]
            .iter()
            .any(|name| shown == format!("Basic {}", base64::encode(format!("{name}:{token}").as_bytes())))
    });
    let Some((_, may_push)) = known else { return plain(StatusCode::UNAUTHORIZED, "who are you?") };
    let query = parts.uri.query().unwrap_or("").to_owned();
    let path = parts.uri.path().to_owned();
    if !may_push && (path.ends_with("/git-receive-pack") || query.contains("git-receive-pack")) {
        return plain(StatusCode::FORBIDDEN, "this token may only look");
    }
    let Ok(bytes) = axum::body::to_bytes(body, MOST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "too much");
    };
    backend(terms, parts.method.as_str(), (&path, &query), &header, bytes)
        .await
        .unwrap_or_else(|error| plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
}

/// Runs git's program as a web server does (RFC 3875).
async fn backend(
    terms: &Terms,
    method: &str,
    (path, query): (&str, &str),
    header: &impl Fn(&str) -> String,
    body: Bytes,
) -> std::io::Result<Response> {
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &terms.folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("REMOTE_USER", "somebody")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&body).await;
        }
    };
    let (_, output) = tokio::join!(feed, child.wait_with_output());
    let output = output?.stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
    let head = String::from_utf8_lossy(output.get(..end).unwrap_or_default()).into_owned();
    let mut response = Response::new(Body::from(output.get(end + 4..).unwrap_or_default().to_vec()));
    for line in head.lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse::<u16>().ok()).unwrap_or(500);
            *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        } else if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
