//! Wire: the body of a chat completion request, and the lenient reading of what comes back. Compatible servers leave
//! fields out, add some and spell others differently; only what is needed is looked at.
//!
//! It turns an answer into text and facts. It does not look into the text, and does no I/O.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ModelError;
use crate::prompt::Prompt;
use crate::provider::{Provider, Structured};
use crate::redact::excerpt;

/// How the server in question wants to be spoken to; learnt from its refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub structured: Structured,
    pub limit: LimitField,
    pub streaming: Streaming,
}

/// Whether an answer comes piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streaming {
    /// Yes, with what it used in the last piece.
    WithUsage,
    /// Yes; servers that do not know how to say what was used refuse to be asked for it.
    Plain,
    /// No.
    Off,
}

/// The field that limits the answer's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitField {
    /// What nearly every compatible server knows.
    MaxTokens,
    /// What OpenAI's own newer models insist on.
    MaxCompletionTokens,
}

impl Dialect {
    pub(crate) fn of(provider: &Provider) -> Self {
        let newer = provider.base_url.starts_with("https://api.openai.com");
        let limit = if newer { LimitField::MaxCompletionTokens } else { LimitField::MaxTokens };
        let streaming = if provider.streaming { Streaming::WithUsage } else { Streaming::Off };
        Self { structured: provider.structured, limit, streaming }
    }

    /// In words.
    pub(crate) fn shown(self) -> String {
        let form = match self.structured {
            Structured::JsonSchema => "the form by a schema",
            Structured::Tool => "the form by a tool",
            Structured::JsonObject => "any JSON",
            Structured::Text => "the form by words alone",
        };
        let streams = if self.streaming == Streaming::Off { "answers as a whole" } else { "streams" };
        format!("{form}, {streams}")
    }

    /// Another way to say the same, after the server refused this one; `None` when there is nothing to change.
    pub(crate) fn after_refusal(self, error: &ModelError, prompt: &Prompt) -> Option<Self> {
        let ModelError::Status { code: 400 | 422, message, .. } = error else { return None };
        if mentions(message, &["max_completion_tokens", "max_tokens"]) {
            let limit = match self.limit {
                LimitField::MaxTokens => LimitField::MaxCompletionTokens,
                LimitField::MaxCompletionTokens => LimitField::MaxTokens,
            };
            return Some(Self { limit, ..self });
        }
        if self.streaming == Streaming::WithUsage && mentions(message, &["stream_options", "include_usage"]) {
            return Some(Self { streaming: Streaming::Plain, ..self });
        }
        if self.streaming != Streaming::Off && mentions(message, &["stream"]) {
            return Some(Self { streaming: Streaming::Off, ..self });
        }
        let asked_for_form = prompt.schema.is_some() && self.structured != Structured::Text;
        asked_for_form.then_some(Self { structured: Structured::Text, ..self })
    }
}

fn mentions(message: &str, words: &[&str]) -> bool {
    words.iter().any(|word| message.contains(word))
}

/// The body of the request.
pub(crate) fn request_body(provider: &Provider, prompt: &Prompt, dialect: Dialect) -> Value {
    let mut body = json!({
        "model": provider.model,
        "messages": [
            { "role": "system", "content": prompt.system },
            { "role": "user", "content": prompt.user },
        ],
        "stream": dialect.streaming != Streaming::Off,
    });
    if dialect.streaming == Streaming::WithUsage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    let limit = match dialect.limit {
        LimitField::MaxTokens => "max_tokens",
        LimitField::MaxCompletionTokens => "max_completion_tokens",
    };
    body[limit] = json!(provider.max_output_tokens);
    match (&prompt.schema, dialect.structured) {
        (Some(schema), Structured::JsonSchema) => {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": { "name": schema.name, "strict": true, "schema": schema.json },
            });
        }
        (Some(schema), Structured::Tool) => {
            body["tools"] = json!([{
                "type": "function",
                "function": { "name": schema.name, "description": "Give the answer.", "parameters": schema.json },
            }]);
            body["tool_choice"] = json!({ "type": "function", "function": { "name": schema.name } });
        }
        (Some(_), Structured::JsonObject) => body["response_format"] = json!({ "type": "json_object" }),
        _ => {}
    }
    body
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// The server did not say; whether the answer is whole shows when it is parsed.
    Unsaid,
    /// Something else, in the server's words.
    Other(String),
}

/// What an answer holds.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The text for us, or why there is none.
    pub text: Result<(String, Finish), ModelError>,
    /// All text that was written, thoughts included: what the bill is estimated from.
    pub received: String,
    pub model: Option<String>,
    pub usage: Option<Value>,
}

#[derive(Deserialize)]
struct Body {
    choices: Vec<Choice>,
    #[serde(default)]
    model: Option<Value>,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    refusal: Option<Value>,
    #[serde(default)]
    tool_calls: Option<Value>,
    #[serde(default)]
    reasoning: Option<Value>,
    #[serde(default)]
    reasoning_content: Option<Value>,
}

/// Reads the body of an answer.
pub(crate) fn read_answer(provider: &Provider, value: &Value) -> Result<Answer, ModelError> {
    // Proxies wrap errors into a success; their text says more than the field that is missing.
    let not_an_answer = || ModelError::NotAnAnswer { excerpt: excerpt(&value.to_string()) };
    let body = Body::deserialize(value).map_err(|_| not_an_answer())?;
    let choice = body.choices.into_iter().next().ok_or_else(not_an_answer)?;
    let mut content = choice.message.content.as_ref().map(text_of).unwrap_or_default();
    if let Some(arguments) = choice.message.tool_calls.as_ref().and_then(tool_arguments) {
        // The one tool there is takes the answer; words beside it are chatter.
        content = arguments;
    }
    let mut received = content.clone();
    for thoughts in [&choice.message.reasoning, &choice.message.reasoning_content] {
        received.push_str(&thoughts.as_ref().map(text_of).unwrap_or_default());
    }
    let refusal = choice.message.refusal.as_ref().map(text_of).unwrap_or_default();
    let finish = choice.finish_reason.as_ref().and_then(Value::as_str);
    let text = match finish {
        Some("length" | "max_tokens" | "model_length") => {
            Err(ModelError::Truncated { limit: provider.max_output_tokens })
        }
        Some("content_filter") => Err(ModelError::Declined { reason: "a filter of the provider".to_owned() }),
        _ if !refusal.trim().is_empty() => Err(ModelError::Declined { reason: excerpt(&refusal) }),
        _ if content.trim().is_empty() => Err(ModelError::Empty),
        None => Ok((content, Finish::Unsaid)),
        Some("stop" | "end_turn" | "eos" | "tool_calls" | "function_call" | "tool_use") => Ok((content, Finish::Stop)),
        Some(other) => Ok((content, Finish::Other(excerpt(other)))),
    };
    let model = body.model.as_ref().and_then(Value::as_str).map(excerpt).filter(|name| !name.is_empty());
    Ok(Answer { text, received, model, usage: body.usage })
}

/// What the one tool was called with. Of several calls the first counts only when it is alone: which one would be the
/// answer?
fn tool_arguments(calls: &Value) -> Option<String> {
    let [call] = calls.as_array()?.as_slice() else { return None };
    let arguments = call.pointer("/function/arguments")?;
    let text = arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
    (!text.trim().is_empty()).then_some(text)
}

/// The text of a content field: a string, or a list of parts of which the texts count.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Result<Answer, ModelError> {
        read_answer(&Provider::default(), &value)
    }

    fn said(message: Value, finish: Value) -> Result<(String, Finish), ModelError> {
        read(json!({ "choices": [{ "message": message, "finish_reason": finish }] })).expect("it is an answer").text
    }

    #[test]
    fn lenient_forms_of_an_answer_are_understood() {
        assert_eq!(said(json!({ "content": "a" }), json!("stop")), Ok(("a".to_owned(), Finish::Stop)));
        assert_eq!(said(json!({ "content": "a" }), json!(null)), Ok(("a".to_owned(), Finish::Unsaid)));
        let parts = json!({ "content": [{ "type": "text", "text": "a" }, { "type": "image" }, "b"] });
        assert_eq!(said(parts, json!("stop")), Ok(("ab".to_owned(), Finish::Stop)));
    }

    #[test]
    fn answers_that_are_none_are_told_apart() {
        assert!(matches!(said(json!({ "content": "{" }), json!("length")), Err(ModelError::Truncated { .. })));
        assert!(matches!(said(json!({ "content": null }), json!("stop")), Err(ModelError::Empty)));
        assert!(matches!(said(json!({ "content": " \n" }), json!("stop")), Err(ModelError::Empty)));
        assert!(matches!(said(json!({ "refusal": "no" }), json!("stop")), Err(ModelError::Declined { .. })));
        assert!(matches!(said(json!({ "content": "x" }), json!("content_filter")), Err(ModelError::Declined { .. })));
        for odd in [json!([]), json!({}), json!({ "choices": [] }), json!({ "choices": [{}] }), json!({ "error": "x" })]
        {
            assert!(matches!(read(odd), Err(ModelError::NotAnAnswer { .. })));
        }
    }

    #[test]
    fn a_refused_form_is_given_up_once_and_the_limit_is_renamed() {
        let prompt =
            Prompt { schema: Some(crate::Schema { name: "s".to_owned(), json: json!({}) }), ..Prompt::default() };
        let refused = |message: &str| ModelError::Status { code: 400, message: message.to_owned(), retry_after: None };
        let first = Dialect {
            structured: Structured::JsonSchema,
            limit: LimitField::MaxTokens,
            streaming: Streaming::WithUsage,
        };
        let second = first.after_refusal(&refused("response_format is not supported"), &prompt).expect("another way");
        assert_eq!(second.structured, Structured::Text);
        assert_eq!(second.after_refusal(&refused("still no"), &prompt), None);
        let renamed = first.after_refusal(&refused("use 'max_completion_tokens' instead"), &prompt).expect("renamed");
        assert_eq!(renamed.limit, LimitField::MaxCompletionTokens);
        assert!(request_body(&Provider::default(), &prompt, renamed).get("max_tokens").is_none());
        assert_eq!(first.after_refusal(&refused("no"), &Prompt::default()), None, "nothing was asked for");
        let plain = first.after_refusal(&refused("unknown field stream_options"), &prompt).expect("another way");
        assert_eq!(plain.streaming, Streaming::Plain);
        let whole = plain.after_refusal(&refused("stream is not supported"), &prompt).expect("another way");
        assert_eq!(whole.streaming, Streaming::Off);
        assert_eq!(request_body(&Provider::default(), &prompt, whole)["stream"], false);
    }

    #[test]
    fn the_arguments_of_the_one_tool_are_the_answer() {
        let call = |arguments: Value| json!({ "id": "1", "function": { "name": "patch", "arguments": arguments } });
        let with = |calls: Value| said(json!({ "content": "Sure:", "tool_calls": calls }), json!("tool_calls"));
        let answer = |text: &str| Ok((text.to_owned(), Finish::Stop));
        assert_eq!(with(json!([call(json!("{\"a\":1}"))])), answer("{\"a\":1}"));
        assert_eq!(with(json!([call(json!({ "a": 1 }))])), answer("{\"a\":1}"));
        assert_eq!(with(json!([])), answer("Sure:"));
        assert_eq!(with(json!([call(json!("{}")), call(json!("{}"))])), answer("Sure:"));
    }
}
