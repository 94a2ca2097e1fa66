//! Gateways: the client and the program behind LiteLLM's proxy, which stands before a scripted model, and against a model server
//! that others wrote. Chat, streams, structured output, tools, bills and errors, and a whole cycle that ends with a landing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use kaizen_domain::{Tokens, Usd};
use kaizen_forgestand::install::usual_cache;
use kaizen_forgestand::{AiMock, LiteLlm};
use kaizen_llm::clock::{Clock, HandClock};
use kaizen_llm::{Billing, Budget, Client, ModelError, Prompt, Provider, Schema, Structured};
use kaizen_testkit::scripted_model::ReceivedRequest;
use kaizen_testkit::{Fixture, Program, Reply, ScriptedModel, SettingsText, patch, plan};
use serde_json::{Value, json};

use super::super::program::build;
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::transport::class_of;
use super::{LIB, RIGHT, WRONG, asks_for, broken};

/// What every answer bills.
const BILLED: (u64, u64) = (111, 22);
/// The answer to a question for words, and to one for an object.
const WORDS: &str = "It is the sum, divided by the count.";
const OBJECT: &str = "{\"word\":\"kaizen\"}";
/// Parts of a question on which the servers fail.
const TOO_MANY: &str = "too many";
const DOWN: &str = "is down";
const LONG: &str = "goes on";
/// How long a server that is asked too often wants to be left alone.
const WAIT: Duration = Duration::from_secs(2);
/// The variable with the key of a server.
const KEY_NAME: &str = "KAIZEN_MEASURE_GATEWAY_KEY";

/// A server between the client and the model.
struct Gateway {
    name: &'static str,
    url: String,
    key: &'static str,
    model: &'static str,
}

/// One question, and what must come of it.
struct Case {
    name: &'static str,
    user: &'static str,
    structured: Structured,
    streaming: bool,
    key: Option<&'static str>,
    model: Option<&'static str>,
    expected: Expected,
}

/// What must come of a question.
#[derive(Clone, Copy)]
enum Expected {
    /// This answer, and the bill of the model.
    Answer(&'static str),
    /// An error of this class, after a wait as the server asked for it, where it asked.
    Error(&'static str, Option<Duration>),
}

const CASE: Case = Case {
    name: "",
    user: "What is a mean?",
    structured: Structured::Text,
    streaming: false,
    key: None,
    model: None,
    expected: Expected::Answer(WORDS),
};

/// Asks them all.
///
/// # Errors
/// When a server cannot be started or the program does not build.
pub fn measure(_: &Options) -> Result<Outcome> {
    let mut outcome = Outcome { table: Table::new(&["server", "what", "outcome", "expected"]), ..Outcome::default() };
    let (cache, scratch) = (usual_cache(), Scratch::new("gateway")?);
    let scripted = ScriptedModel::start_with(scripted);
    let litellm = LiteLlm::start(&cache, &scratch.path().join("litellm"), &scripted.base_url());
    let aimock = AiMock::start(&cache, &scratch.path().join("aimock"), &fixtures());
    let gateways = [
        Gateway { name: "LiteLLM", url: litellm.url(), key: LiteLlm::KEY, model: LiteLlm::MODEL },
        Gateway { name: "aimock", url: aimock.url(), key: AiMock::KEY, model: "scripted" },
    ];
    let program = Program::at(build("kaizen", "kaizen")?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (mut held, mut all) = (0, 0);
    for gateway in &gateways {
        let mut found = Vec::new();
        for case in cases() {
            let (said, good) = runtime.block_on(asked(gateway, &case))?;
            found.push((case.name, said, good, expected(case.expected)));
        }
        let (said, good) = tested(gateway, &program);
        found.push(("`kaizen models test`", said, good, "ok".to_owned()));
        let (said, good) = cycle(gateway, &program);
        found.push(("a cycle that repairs a failing test", said, good, "landed".to_owned()));
        for (what, said, good, expected) in found {
            all += 1;
            held += usize::from(good);
            outcome.require(good, format!("{}, {what}: {said}", gateway.name));
            outcome.table.row([gateway.name.to_owned(), what.to_owned(), said, expected]);
        }
    }
    outcome
        .notes
        .push(format!("behind LiteLLM stands a scripted model, which was asked {} times", scripted.requests().len()));
    outcome.summary = format!("{held} of {all} work on LiteLLM's proxy and on aimock (bar all)");
    Ok(outcome)
}

fn cases() -> Vec<Case> {
    use Expected::{Answer, Error};
    let object = |name, structured, streaming| Case {
        name,
        user: "Which word is it?",
        structured,
        streaming,
        expected: Answer(OBJECT),
        ..CASE
    };
    let refused = Error("4xx", None);
    let too_many = Some(WAIT);
    vec![
        Case { name: "chat", ..CASE },
        Case { name: "chat as a stream", streaming: true, ..CASE },
        object("structured output", Structured::JsonSchema, false),
        object("structured output as a stream", Structured::JsonSchema, true),
        object("any JSON", Structured::JsonObject, true),
        object("a tool", Structured::Tool, false),
        object("a tool as a stream", Structured::Tool, true),
        Case { name: "asked too often", user: TOO_MANY, expected: Error("429", too_many), ..CASE },
        Case {
            name: "asked too often, as a stream",
            user: TOO_MANY,
            streaming: true,
            expected: Error("429", too_many),
            ..CASE
        },
        Case { name: "a provider that is down", user: DOWN, streaming: true, expected: Error("5xx", None), ..CASE },
        Case {
            name: "an answer cut at its limit",
            user: LONG,
            streaming: true,
            expected: Error("cut at its limit", None),
            ..CASE
        },
        Case { name: "another key", key: Some("sk-another"), expected: refused, ..CASE },
        Case { name: "an unknown model", model: Some("no-such-model"), expected: refused, ..CASE },
    ]
}

fn expected(expected: Expected) -> String {
    match expected {
        Expected::Answer(_) => "the answer and its bill".to_owned(),
        Expected::Error(class, None) => class.to_owned(),
        Expected::Error(class, Some(wait)) => format!("{class}, left alone for {} s", wait.as_secs()),
    }
}

/// Asks a question; what came of it, and whether that is as expected.
async fn asked(gateway: &Gateway, case: &Case) -> Result<(String, bool)> {
    let clock = Arc::new(HandClock::default());
    let provider = Provider {
        base_url: gateway.url.clone(),
        key: Some(case.key.unwrap_or(gateway.key).to_owned().into()),
        model: case.model.unwrap_or(gateway.model).to_owned(),
        price_input_per_million: Usd(1_000_000),
        price_output_per_million: Usd(10_000_000),
        max_output_tokens: 1_000,
        structured: case.structured,
        streaming: case.streaming,
        ..Provider::default()
    };
    let client = Client::with_clock(provider, Arc::clone(&clock) as Arc<dyn Clock>)?;
    let schema = json!({
        "type": "object", "properties": { "word": { "type": "string" } }, "required": ["word"], "additionalProperties": false,
    });
    let schema = (case.structured != Structured::Text).then(|| Schema { name: "word".to_owned(), json: schema });
    let prompt = Prompt { user: case.user.to_owned(), schema, ..Prompt::default() };
    let billed = client.complete_within(&prompt, &Budget::new(Usd(1_000_000), Tokens(u64::MAX))).await;
    let waited = clock.slept();
    Ok(match (&billed.result, case.expected) {
        (Ok(answer), Expected::Answer(text)) => {
            let bill = (answer.spend.input.0, answer.spend.output.0);
            let same = match serde_json::from_str::<Value>(text) {
                Ok(value) => serde_json::from_str::<Value>(&answer.text).is_ok_and(|said| said == value),
                Err(_) => answer.text == text,
            };
            let good = same && answer.billing == Billing::Reported && bill == BILLED;
            let said =
                if good { format!("the answer, {} and {} tokens", bill.0, bill.1) } else { format!("{answer:?}") };
            (said, good)
        }
        (Err(error), Expected::Error(class, wait)) => {
            let found = class_of(error);
            let left_alone = wait.is_none_or(|wait| waited.first().is_some_and(|first| *first >= wait));
            let retries = matches!(error, ModelError::Status { code: 429 | 500.., .. });
            let good = found == class && left_alone && (retries || waited.is_empty());
            let first =
                waited.first().map(|wait| format!(", left alone for {:.1} s", wait.as_secs_f64())).unwrap_or_default();
            (if good { format!("{found}{first}") } else { format!("{error}{first}") }, good)
        }
        (result, _) => (format!("{result:?}"), false),
    })
}

fn settings(gateway: &Gateway) -> SettingsText {
    let settings = SettingsText::default().model(&gateway.url).prices("3", "15").text("model", "key_env", KEY_NAME);
    settings.text("model", "name", gateway.model)
}

/// What `kaizen models test` says.
fn tested(gateway: &Gateway, program: &Program) -> (String, bool) {
    let fixture = Fixture::tiny(&broken("Sums over lists."));
    fixture.settings(&settings(gateway));
    let ran = program.clone().env(KEY_NAME, gateway.key).run(&fixture, &["models", "test"]);
    let line = ran.stdout.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    (if ran.code == Some(0) { line } else { format!("{ran:?}") }, ran.code == Some(0))
}

/// A cycle that plans and repairs with the model behind it.
fn cycle(gateway: &Gateway, program: &Program) -> (String, bool) {
    let lib = broken("Sums over lists.");
    let fixture = Fixture::tiny(&lib);
    fixture.settings(&settings(gateway));
    let ran =
        program.clone().env(KEY_NAME, gateway.key).run_cycle(&fixture, &["--only", "repair", "--max-landings", "1"]);
    let landed = fixture.landed_branch().and_then(|branch| fixture.read_at(&branch, LIB));
    let good = landed.as_deref() == Some(lib.replace(WRONG, RIGHT).as_str());
    (if good { "landed".to_owned() } else { format!("{ran:?}") }, good)
}

/// The plan and the patch of a cycle.
fn planned_and_written() -> [String; 2] {
    let written = patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json();
    [plan(&[LIB], "divide by the length of the list"), written]
}

fn usage() -> Value {
    json!({ "prompt_tokens": BILLED.0, "completion_tokens": BILLED.1, "total_tokens": BILLED.0 + BILLED.1 })
}

/// The model behind LiteLLM.
fn scripted(request: &ReceivedRequest) -> Reply {
    let user = request.message("user");
    let streams = request.body["stream"] == true;
    let said = |content: &str, finish: &str| {
        let (content, usage, finish) = (content.to_owned(), Some(usage()), finish.to_owned());
        if streams { Reply::Streamed { content, usage, finish } } else { Reply::Completion { content, usage, finish } }
    };
    let [planned, written] = planned_and_written();
    match asks_for(request) {
        "plan" => return said(&planned, "stop"),
        "patch" => return said(&written, "stop"),
        _ => {}
    }
    match user {
        TOO_MANY => Reply::too_many(&WAIT.as_secs().to_string()),
        DOWN => Reply::error(500, "the provider is down"),
        LONG => said("It goes on and", "length"),
        _ if request.body["tools"].is_array() => tool_call(streams),
        _ if !request.body["response_format"].is_null() => said(OBJECT, "stop"),
        _ if user.contains("word") => said(OBJECT, "stop"),
        _ => said(WORDS, "stop"),
    }
}

/// A call of the one tool, as OpenAI sends it.
fn tool_call(streams: bool) -> Reply {
    let call = |index: Option<u64>| {
        let mut call =
            json!({ "id": "call_1", "type": "function", "function": { "name": "word", "arguments": OBJECT } });
        if let (Some(index), Some(call)) = (index, call.as_object_mut()) {
            call.insert("index".to_owned(), json!(index));
        }
        call
    };
    let whole = |object: &str, choices: Value, usage: Value| json!({ "id": "chatcmpl-scripted", "object": object, "created": 0, "model": "scripted", "choices": choices, "usage": usage });
    if !streams {
        let message = json!({ "role": "assistant", "content": null, "tool_calls": [call(None)] });
        let choices = json!([{ "index": 0, "message": message, "finish_reason": "tool_calls" }]);
        return Reply::Json(whole("chat.completion", choices, usage()));
    }
    let chunk = |choices: Value, usage: Value| format!("data: {}\n\n", whole("chat.completion.chunk", choices, usage));
    let delta = json!({ "role": "assistant", "content": null, "tool_calls": [call(Some(0))] });
    let body = [
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]), Value::Null),
        chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "tool_calls" }]), Value::Null),
        chunk(json!([]), usage()),
        "data: [DONE]\n\n".to_owned(),
    ];
    let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
    Reply::Status { code: 200, headers, body: body.concat() }
}

/// The same for aimock, in its form.
fn fixtures() -> Vec<Value> {
    let says = |content: &str, finish: &str| json!({ "content": content, "usage": usage(), "finishReason": finish });
    let error = |status: u16, kind: &str| json!({ "error": { "message": "scripted", "type": kind }, "status": status });
    let mut too_many = error(429, "rate_limit_error");
    too_many["retryAfter"] = json!(WAIT.as_secs());
    let [planned, written] = planned_and_written();
    let object = json!({ "toolCalls": [{ "name": "word", "arguments": OBJECT }], "usage": usage() });
    vec![
        json!({ "match": { "model": "no-such-model" }, "response": error(404, "invalid_request_error") }),
        json!({ "match": { "userMessage": TOO_MANY }, "response": too_many }),
        json!({ "match": { "userMessage": DOWN }, "response": error(500, "server_error") }),
        json!({ "match": { "userMessage": LONG }, "response": says("It goes on and", "length") }),
        json!({ "match": { "toolName": "word" }, "response": object }),
        json!({ "match": { "userMessage": "Which word is it?" }, "response": says(OBJECT, "stop") }),
        json!({ "match": { "userMessage": "Give the word" }, "response": says(OBJECT, "stop") }),
        json!({ "match": { "userMessage": "What is a mean?" }, "response": says(WORDS, "stop") }),
        json!({ "match": { "responseFormat": "json_schema", "sequenceIndex": 0 }, "response": says(&planned, "stop") }),
        json!({ "match": { "responseFormat": "json_schema", "sequenceIndex": 1 }, "response": says(&written, "stop") }),
    ]
}
