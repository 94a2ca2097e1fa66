//! What the daemon answers over HTTP: health, metrics, status, cycles, events as they happen, and webhooks of forges. On this
//! machine alone unless a token is set; then everything but health asks for it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use kaizen_journal::Journal;
use kaizen_settings::DaemonSettings;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use crate::commands::status::summary;
use crate::daemon::board::Board;
use crate::daemon::plan::now;
use crate::daemon::webhook::Webhooks;
use crate::failure::Failure;
use crate::history::History;

/// The largest webhook that is read, bytes.
const WEBHOOK: usize = 1 << 20;
/// Of one repository at most so many cycles are told.
const MOST_CYCLES: usize = 50;
/// Without a turn of the main loop for so long, the daemon is not well.
const ALIVE: Duration = Duration::from_secs(10);

struct Shared {
    board: Arc<Board>,
    /// Where the journal is.
    state_dir: PathBuf,
    /// The hash of the token that others must show.
    token: Option<[u8; 32]>,
    webhooks: Webhooks,
    /// The last turn of the main loop that was seen, and when.
    seen: std::sync::Mutex<(u64, std::time::Instant)>,
}

/// Listens, and answers until it is aborted.
///
/// # Errors
/// When the address cannot be listened on, or is open to others without a token.
pub(crate) async fn start(
    address: &str,
    settings: &DaemonSettings,
    board: Arc<Board>,
    state_dir: &std::path::Path,
) -> Result<JoinHandle<()>, Failure> {
    let parsed: SocketAddr = address.parse().map_err(|_| {
        Failure::input(format!("`daemon.listen` is {address:?}, which is no address"), "write it as \"127.0.0.1:8788\"")
    })?;
    let token = secret(&settings.token_env, &settings.token_file, "daemon.token")?;
    if token.is_none() && !parsed.ip().is_loopback() {
        return Err(Failure::input(
            format!("`daemon.listen` is {address}, which others can reach, and no token is set"),
            "set `daemon.token_env` or `daemon.token_file`, or listen on 127.0.0.1",
        ));
    }
    let webhooks =
        Webhooks::new(secret(&settings.webhook_secret_env, &settings.webhook_secret_file, "daemon.webhook_secret")?);
    let listener = tokio::net::TcpListener::bind(parsed).await.map_err(|error| {
        Failure::input(
            format!("{address} cannot be listened on: {error}"),
            "is another daemon running? `daemon.listen` sets another address",
        )
    })?;
    let shared = Arc::new(Shared {
        board,
        state_dir: state_dir.to_path_buf(),
        token: token.map(|token| Sha256::digest(token).into()),
        webhooks,
        seen: std::sync::Mutex::new((0, std::time::Instant::now())),
    });
    let guarded = Router::new()
        .route("/metrics", get(metrics))
        .route("/v1/status", get(|State(shared): State<Arc<Shared>>| async move { Json(status(&shared)) }))
        .route("/v1/cycles", get(cycles))
        .route("/v1/events", get(events))
        .layer(middleware::from_fn_with_state(shared.clone(), guard));
    let router = Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/webhook/{forge}", post(webhook))
        .layer(axum::extract::DefaultBodyLimit::max(WEBHOOK))
        .merge(guarded)
        .with_state(shared);
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the server ended");
        }
    }))
}

/// A secret of an environment variable or a file, whichever is named.
fn secret(env: &str, file: &str, key: &str) -> Result<Option<String>, Failure> {
    let text = match (env, file) {
        ("", "") => return Ok(None),
        (env, _) if !env.is_empty() => std::env::var(env).map_err(|_| {
            Failure::input(format!("the environment variable {env} (`{key}_env`) is not set"), "set it, or name a file")
        })?,
        (_, file) => std::fs::read_to_string(file).map_err(|error| {
            Failure::input(
                format!("the file {file} (`{key}_file`) cannot be read: {error}"),
                "make it readable for you alone",
            )
        })?,
    };
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(Failure::input(format!("`{key}` is empty"), "an empty secret keeps nobody out"));
    }
    Ok(Some(text))
}

/// Lets those in who show the token.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if let Some(token) = &shared.token {
        let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
        // Hashes are compared, so that how long it takes says nothing about the token.
        let hash: [u8; 32] = Sha256::digest(shown).into();
        if hash != *token {
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], "a token is needed\n")
                .into_response();
        }
    }
    next.run(request).await
}

/// Whether the main loop goes round.
fn alive(shared: &Shared) -> bool {
    let beats = shared.board.beats();
    let mut seen = shared.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if seen.0 != beats {
        *seen = (beats, std::time::Instant::now());
    }
    seen.1.elapsed() < ALIVE
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    if alive(&shared) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the main loop stands still\n")
    }
    .into_response()
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if *shared.board.stopping().borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "it ends\n").into_response();
    }
    match shared.board.refused() {
        Some(why) => format!("ready, but the new settings are refused and the old ones stay: {why}\n").into_response(),
        None => "ready\n".into_response(),
    }
}

fn status(shared: &Shared) -> Value {
    let places: Vec<Value> = shared
        .board
        .places()
        .into_iter()
        .map(|(key, place)| {
            let mut value = serde_json::to_value(&place).unwrap_or_default();
            if let Some(fields) = value.as_object_mut() {
                fields.insert("key".to_owned(), key.into());
            }
            value
        })
        .collect();
    json!({
        "of": "daemon", "pid": std::process::id(), "version": env!("CARGO_PKG_VERSION"), "started": shared.board.started,
        "now": now(), "stopping": *shared.board.stopping().borrow(), "settings_refused": shared.board.refused(),
        "repositories": places,
    })
}

/// Which cycles are asked for.
#[derive(Deserialize)]
struct Asked {
    /// The name of a repository; none: of each.
    repository: Option<String>,
    /// How many of each repository.
    #[serde(default = "few")]
    limit: usize,
}

fn few() -> usize {
    5
}

/// The newest cycles of the repositories, as the journal has them.
async fn cycles(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    let read = tokio::task::spawn_blocking(move || newest(&shared, &asked));
    match read.await {
        Ok(Ok(all)) => Json(all).into_response(),
        Ok(Err(failure)) => {
            let told = json!({"of": "error", "error": failure.message, "help": failure.help});
            (StatusCode::SERVICE_UNAVAILABLE, Json(told)).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn newest(shared: &Shared, asked: &Asked) -> Result<Value, Failure> {
    let mut all = Vec::new();
    if let Some(journal) = Journal::open_read_only(&shared.state_dir)? {
        for (key, place) in shared.board.places() {
            if asked.repository.as_ref().is_some_and(|name| *name != place.name) {
                continue;
            }
            let history = History::recent(&journal, &key, asked.limit.clamp(1, MOST_CYCLES))?;
            for cycle in history.cycles.iter().rev() {
                let mut told = summary(cycle, &history, place.running.is_some());
                if let Some(fields) = told.as_object_mut() {
                    fields.insert("repository".to_owned(), place.name.clone().into());
                    fields.insert("spent_micros".to_owned(), cycle.spend().usd.0.into());
                }
                all.push(told);
            }
        }
    }
    Ok(json!({"of": "cycles", "cycles": all}))
}

async fn events(State(shared): State<Arc<Shared>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = shared.board.listen();
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        let event = match receiver.recv().await {
            Ok(line) => Event::default().data(line),
            // A listener that is too slow is told how much it missed, and goes on.
            Err(RecvError::Lagged(missed)) => {
                Event::default().data(json!({"of": "missed", "events": missed}).to_string())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), receiver))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

async fn webhook(
    State(shared): State<Arc<Shared>>,
    Path(forge): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (status, said) = shared.webhooks.hear(&forge, &headers, &body, &shared.board);
    (status, said).into_response()
}

/// The metrics, in the text format of Prometheus.
async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let places = shared.board.places();
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, f64)>| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let of = |place: &crate::daemon::board::Place| format!("{{repository=\"{}\"}}", label(&place.name));
    let flag = |yes: bool| f64::from(u8::from(yes));
    #[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^53")]
    let number = |count: u64| count as f64;
    family("kaizen_up", "gauge", "Whether the main loop goes round.", vec![(String::new(), flag(alive(&shared)))]);
    family(
        "kaizen_start_time_seconds",
        "gauge",
        "When the daemon started.",
        vec![(String::new(), number(shared.board.started.0 / 1000))],
    );
    family(
        "kaizen_settings_refused",
        "gauge",
        "Whether the settings in the file are not in force.",
        vec![(String::new(), flag(shared.board.refused().is_some()))],
    );
    family(
        "kaizen_running",
        "gauge",
        "Whether something runs for a repository.",
        places.values().map(|place| (of(place), flag(place.running.is_some()))).collect(),
    );
    family(
        "kaizen_trouble",
        "gauge",
        "Whether the last run of a repository went wrong.",
        places.values().map(|place| (of(place), flag(place.trouble.is_some()))).collect(),
    );
    family(
        "kaizen_runs_total",
        "counter",
        "Runs that are over.",
        places.values().map(|place| (of(place), number(place.runs))).collect(),
    );
    family(
        "kaizen_outcomes_total",
        "counter",
        "How opportunities ended, by word.",
        places
            .values()
            .flat_map(|place| {
                place.words.iter().map(|(word, count)| {
                    (format!("{{repository=\"{}\",word=\"{}\"}}", label(&place.name), label(word)), number(*count))
                })
            })
            .collect(),
    );
    family(
        "kaizen_spent_dollars_total",
        "counter",
        "What models cost.",
        places.values().map(|place| (of(place), number(place.spent_micros) / 1e6)).collect(),
    );
    family(
        "kaizen_next_run_seconds",
        "gauge",
        "When the next run is due.",
        places.values().filter_map(|place| Some((of(place), number(place.next.as_ref()?.1.0 / 1000)))).collect(),
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// A text as the value of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
