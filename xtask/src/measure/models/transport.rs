//! Transport: a provider that fails in every way that providers fail, over real connections. Each time: the right class of
//! error, within the deadline and without gathering memory, no retry of what cannot succeed, and no answer taken in part.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kaizen_domain::Usd;
use kaizen_llm::clock::{Clock, HandClock};
use kaizen_llm::{Billing, Budget, Client, Deadline, Deadlines, ModelError, PatchAnswer, Prompt, Provider};
use kaizen_testkit::{Reply, ScriptedModel, patch};
use serde_json::json;

use super::super::samples::shown;
use super::super::table::Table;
use super::super::{Options, Outcome};

/// The deadlines of a call, and what a case may take: three tries, each to its deadline, and some room.
const FIRST: Duration = Duration::from_millis(300);
const TOTAL: Duration = Duration::from_millis(900);
const MOST: Duration = Duration::from_secs(4);
/// Memory that the process may have more after a case than before all of them, MiB. An answer may have 16.
const MEMORY: u64 = 96;

/// What is expected of a case.
struct Expected {
    /// The class of error; empty when an answer comes.
    class: &'static str,
    /// Requests, at most.
    requests: usize,
}

/// Tries them.
///
/// # Errors
/// When no server can be started.
pub fn measure(_: &Options) -> Result<Outcome> {
    let header = ["fault", "outcome", "expected", "requests", "at most", "time", "waited", "memory, MiB"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let before = memory();
    let mut held = 0;
    let cases = cases()?;
    let count = cases.len();
    for (name, server, base_url, expected) in cases {
        let clock = Arc::new(HandClock::default());
        let provider = Provider {
            base_url,
            model: "m".to_owned(),
            price_input_per_million: Usd(1_000_000),
            price_output_per_million: Usd(10_000_000),
            max_output_tokens: 1_000,
            deadlines: Deadlines { connect: FIRST, first_byte: FIRST, idle: FIRST, total: TOTAL },
            ..Provider::default()
        };
        let client = Client::with_clock(provider, Arc::clone(&clock) as Arc<dyn Clock>)?;
        let prompt = Prompt { user: "question".to_owned(), ..Prompt::default() };
        let budget = Budget::new(Usd(1_000_000), kaizen_domain::Tokens(u64::MAX));
        let started = Instant::now();
        let billed = runtime.block_on(client.complete_within(&prompt, &budget));
        let took = started.elapsed();
        let grown = memory().saturating_sub(before);
        let requests = server.as_ref().map_or(0, |server| server.requests().len());
        let class = match &billed.result {
            Ok(answer) if PatchAnswer::parse(&answer.text).is_err() => "a part was taken",
            Ok(answer) if answer.billing == Billing::Disbelieved => "answer, bill not believed",
            Ok(answer) if answer.billing == Billing::Estimated => "answer, bill estimated",
            Ok(_) => "answer",
            Err(error) => class_of(error),
        };
        let waited: Duration = clock.slept().iter().sum();
        let good = class == expected.class
            && requests <= expected.requests
            && took < MOST
            && grown < MEMORY
            && billed.spend.usd == budget.spent().usd
            && clock.slept().iter().all(|wait| *wait <= Duration::from_secs(30));
        held += usize::from(good);
        outcome.table.row([
            name.to_owned(),
            class.to_owned(),
            expected.class.to_owned(),
            requests.to_string(),
            expected.requests.to_string(),
            shown(took),
            shown(waited),
            grown.to_string(),
        ]);
        outcome.require(good, format!("{name}: {class}, {requests} requests, {}, {grown} MiB", shown(took)));
    }
    outcome.notes.push("time is that of the call with its retries; pauses between tries pass at once on the clock of the client, and are listed".to_owned());
    outcome.notes.push("memory is what the process has more than before the first case".to_owned());
    outcome.summary = format!("{held} of {count} faults end in the right class, in time and bounded (bar all)");
    Ok(outcome)
}

/// The class of an error, in the words of the table.
pub(super) fn class_of(error: &ModelError) -> &'static str {
    match error {
        ModelError::Refused { .. } => "refused",
        ModelError::Unreachable { .. } => "cannot be used as configured",
        ModelError::Cut { .. } => "cut",
        ModelError::Timeout { which: Deadline::FirstByte, .. } => "no first byte",
        ModelError::Timeout { which: Deadline::Idle, .. } => "went silent",
        ModelError::Timeout { which: Deadline::Total, .. } => "too long",
        ModelError::Timeout { .. } => "no connection",
        ModelError::Status { code: 429, .. } => "429",
        ModelError::Status { code: 500.., .. } => "5xx",
        ModelError::Status { .. } => "4xx",
        ModelError::NoCredit { .. } => "no credit",
        ModelError::NotAnAnswer { .. } => "not an answer",
        ModelError::TooLarge { .. } => "too large",
        ModelError::Truncated { .. } => "cut at its limit",
        ModelError::Empty => "empty",
        ModelError::BreakerOpen { .. } => "left alone",
        _ => "other",
    }
}

type Case = (&'static str, Option<ScriptedModel>, String, Expected);

fn cases() -> Result<Vec<Case>> {
    let answer = || patch("Change it").replace("src/lib.rs", "a b c", "d").json();
    let whole = || Reply::text(answer());
    let streamed = || Reply::streamed(answer());
    let usage = |value: serde_json::Value| Reply::completion(answer(), Some(value));
    let cut = |of: Reply| Reply::CloseAfter { bytes: of.wire_len() * 2 / 3, of: Box::new(of) };
    let quota = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let status = |code: u16, headers: &[(&str, &str)], body: &str| Reply::Status {
        code,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_owned(),
    };
    let plain_json = |kind: &str| {
        let body = json!({ "choices": [{ "message": { "content": answer() }, "finish_reason": "stop" }], "usage": { "prompt_tokens": 9, "completion_tokens": 9 } });
        status(200, &[("content-type", kind)], &body.to_string())
    };
    let always: Vec<(&'static str, Reply, &'static str, usize)> = vec![
        ("a whole answer", whole(), "answer", 1),
        ("a streamed answer", streamed(), "answer", 1),
        ("reset in the head", Reply::CloseAfter { bytes: 20, of: Box::new(whole()) }, "cut", 3),
        ("reset at once", Reply::Raw(Vec::new()), "cut", 3),
        ("cut in the body", cut(whole()), "cut", 3),
        ("cut in a stream", cut(streamed()), "cut", 3),
        ("silent before the head", Reply::HangBeforeHeaders, "no first byte", 3),
        ("silent in the body", Reply::HangMidBody { bytes: 40, of: Box::new(whole()) }, "went silent", 3),
        ("silent in a stream", Reply::HangMidBody { bytes: 400, of: Box::new(streamed()) }, "went silent", 3),
        ("a trickle of bytes", Reply::Trickle { pause_ms: 20, of: Box::new(whole()) }, "no first byte", 3),
        ("half of the JSON", Reply::HalfJson, "not an answer", 1),
        (
            "a web page with status 200",
            Reply::Html("<!doctype html><title>Log in</title>".to_owned()),
            "not an answer",
            1,
        ),
        ("JSON called text", plain_json("text/plain"), "answer", 1),
        ("JSON called a stream", plain_json("text/event-stream"), "answer", 1),
        ("another JSON", Reply::Json(json!({ "ok": true })), "not an answer", 1),
        ("429 with seconds", Reply::too_many("7"), "429", 3),
        ("429 with a date", Reply::too_many("Sun, 06 Nov 1994 08:49:49 GMT"), "429", 3),
        ("429 with an absurd number", Reply::too_many("99999999999999999999"), "429", 3),
        ("429 with nonsense", Reply::too_many("soon"), "429", 3),
        ("429 for want of credit", status(429, &[], quota), "no credit", 1),
        ("401", status(401, &[], "{}"), "4xx", 1),
        ("404", status(404, &[], "not here"), "4xx", 1),
        ("a redirect", status(307, &[("location", "http://127.0.0.1:9/")], ""), "4xx", 1),
        ("500, always", Reply::error(500, "oops"), "5xx", 3),
        ("a gigabyte", Reply::Endless, "too large", 1),
        ("an error of eight megabytes", status(500, &[], &"x".repeat(8 << 20)), "5xx", 3),
        ("no usage", Reply::completion(answer(), None), "answer, bill estimated", 1),
        (
            "usage below nothing",
            usage(json!({ "prompt_tokens": -1, "completion_tokens": -9 })),
            "answer, bill not believed",
            1,
        ),
        (
            "usage beyond all",
            usage(json!({ "prompt_tokens": 1e12, "completion_tokens": 5 })),
            "answer, bill not believed",
            1,
        ),
        (
            "usage of another type",
            usage(json!({ "prompt_tokens": "many", "completion_tokens": [] })),
            "answer, bill not believed",
            1,
        ),
        (
            "cut at its limit",
            Reply::Completion {
                content: answer().chars().take(40).collect(),
                usage: None,
                finish: "length".to_owned(),
            },
            "cut at its limit",
            1,
        ),
        ("an empty answer", Reply::text(""), "empty", 1),
    ];
    let mut cases: Vec<Case> = always
        .into_iter()
        .map(|(name, reply, class, requests)| {
            let server = ScriptedModel::start_with(move |_| reply.clone());
            let url = server.base_url();
            (name, Some(server), url, Expected { class, requests })
        })
        .collect();
    let flapping = ScriptedModel::start([Reply::error(500, "oops"), Reply::error(503, "oops"), whole()]);
    let url = flapping.base_url();
    cases.push(("500 twice, then well", Some(flapping), url, Expected { class: "answer", requests: 3 }));
    let gone = ScriptedModel::start([]);
    let url = gone.base_url();
    gone.stop();
    cases.push(("refused", None, url, Expected { class: "refused", requests: 0 }));
    let nowhere = "https://no-such-host.invalid/v1".to_owned();
    cases.push(("an unknown host", None, nowhere, Expected { class: "cannot be used as configured", requests: 0 }));
    cases.push((
        "no TLS where TLS is wanted",
        None,
        plain()?,
        Expected { class: "cannot be used as configured", requests: 0 },
    ));
    Ok(cases)
}

/// The address of a server that speaks no TLS, for two connections at most.
fn plain() -> Result<String> {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind("127.0.0.1:0").context("a loopback address")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(1).flatten() {
            let (mut stream, mut hello) = (stream, [0_u8; 4096]);
            let _ = stream.read(&mut hello);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            while stream.read(&mut hello).is_ok_and(|read| read > 0) {}
        }
    });
    Ok(format!("https://127.0.0.1:{port}/v1"))
}

/// What this process has in memory, MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}
