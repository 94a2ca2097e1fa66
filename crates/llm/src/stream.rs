//! Stream: an answer that comes as server-sent events, put together into the form of one that comes whole. Nothing is
//! handed on before it is complete: the end must be said, by `[DONE]` or by a reason to finish.
//!
//! It takes bytes as they come, in pieces that end anywhere. It does no I/O and knows no deadline.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// An answer as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Bytes of a line that has not ended yet.
    rest: Vec<u8>,
    /// The data of an event whose empty line has not come yet.
    data: String,
    content: String,
    reasoning: String,
    refusal: String,
    tools: BTreeMap<u64, Tool>,
    finish: Option<Value>,
    usage: Option<Value>,
    model: Option<Value>,
    done: bool,
    /// The first thing that was no piece of an answer.
    fault: Option<Fault>,
}

#[derive(Debug, Default)]
struct Tool {
    name: String,
    arguments: String,
}

/// Why what came is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An event that is not JSON, or not a piece of an answer.
    NoPiece(String),
    /// The server said in the middle that it failed: its status, if it named one, and its words.
    Failed(Option<u16>, String),
    /// It ended before the end was said.
    Unfinished,
}

impl Stream {
    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
            }
        }
    }

    /// How many bytes of text have been gathered.
    pub(crate) fn len(&self) -> usize {
        let tools: usize = self.tools.values().map(|tool| tool.arguments.len()).sum();
        self.rest.len() + self.data.len() + self.content.len() + self.reasoning.len() + self.refusal.len() + tools
    }

    /// Whether a reason to finish was given: nothing of the answer is missing.
    pub(crate) fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether the end was said, or something is wrong: nothing that comes later changes the outcome.
    pub(crate) fn is_over(&self) -> bool {
        self.done || self.fault.is_some()
    }

    /// The answer in the form of one that came whole.
    pub(crate) fn finish(mut self) -> Result<Value, Fault> {
        if !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        }
        self.event();
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if !self.done && self.finish.is_none() {
            return Err(Fault::Unfinished);
        }
        let tools: Vec<Value> = self
            .tools
            .values()
            .map(|tool| json!({ "type": "function", "function": { "name": tool.name, "arguments": tool.arguments } }))
            .collect();
        let message = json!({
            "content": self.content,
            "reasoning": self.reasoning,
            "refusal": self.refusal,
            "tool_calls": tools,
        });
        Ok(json!({
            "choices": [{ "message": message, "finish_reason": self.finish }],
            "model": self.model,
            "usage": self.usage,
        }))
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            self.event();
        } else if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            // Nothing comes after it, on some servers not even the empty line.
            if data.trim() == "[DONE]" {
                self.event();
            }
        }
        // Comments keep a connection open; other fields say nothing that is needed.
    }

    fn event(&mut self) {
        let data = std::mem::take(&mut self.data);
        let data = data.trim();
        if data.is_empty() || self.is_over() {
            return;
        }
        if data == "[DONE]" {
            self.done = true;
            return;
        }
        match serde_json::from_str::<Value>(data) {
            Ok(Value::Object(piece)) => self.piece(&Value::Object(piece)),
            // Servers that leave out the empty lines run events together, each on a line of its own.
            _ if data.contains('\n') => {
                for line in data.lines().map(str::to_owned).collect::<Vec<_>>() {
                    self.data = line;
                    self.event();
                }
            }
            _ => self.fault = Some(Fault::NoPiece(data.to_owned())),
        }
    }

    fn piece(&mut self, piece: &Value) {
        if let Some(error) = piece.get("error").filter(|error| !error.is_null()) {
            let code = error.get("code").or_else(|| error.get("status")).and_then(status);
            let words = error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
            self.fault = Some(Fault::Failed(code, words));
            return;
        }
        if let Some(usage) = piece.get("usage").filter(|usage| !usage.is_null()) {
            self.usage = Some(usage.clone());
        }
        if let Some(model) = piece.get("model").filter(|model| model.is_string()) {
            self.model = Some(model.clone());
        }
        let Some(choices) = piece.get("choices").and_then(Value::as_array) else {
            if piece.get("usage").is_none() {
                self.fault = Some(Fault::NoPiece(piece.to_string()));
            }
            return;
        };
        // Only one answer was asked for; a second one beside it is nobody's.
        let Some(choice) = choices.iter().find(|choice| choice["index"].as_u64().unwrap_or(0) == 0) else { return };
        if let Some(finish) = choice.get("finish_reason").filter(|finish| !finish.is_null()) {
            self.finish = Some(finish.clone());
        }
        let delta = choice.get("delta").or_else(|| choice.get("message")).unwrap_or(&Value::Null);
        let text = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        self.content.push_str(text("content"));
        self.reasoning.push_str(text("reasoning"));
        self.reasoning.push_str(text("reasoning_content"));
        self.refusal.push_str(text("refusal"));
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            let tool = self.tools.entry(call["index"].as_u64().unwrap_or(0)).or_default();
            let part = |path: &str| call.pointer(path).and_then(Value::as_str).unwrap_or_default();
            if tool.name.is_empty() {
                tool.name.push_str(part("/function/name"));
            }
            tool.arguments.push_str(part("/function/arguments"));
        }
    }
}

fn status(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|code| (400..600).contains(code))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = ": keep-alive\n\
        data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hé\"}}]}\r\n\r\n\
        event: x\nid: 7\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"llo\"}},{\"index\":1,\"delta\":{\"content\":\"no\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n\
        data: [DONE]\n\n";

    fn read(pieces: &[&[u8]]) -> Result<Value, Fault> {
        let mut stream = Stream::default();
        pieces.iter().for_each(|piece| stream.take(piece));
        stream.finish()
    }

    proptest! {
        #[test]
        fn pieces_may_end_anywhere(cuts in proptest::collection::vec(0..GOOD.len(), 0..9)) {
            let mut cuts = cuts;
            cuts.extend([0, GOOD.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &GOOD.as_bytes()[cut[0]..cut[1]]).collect();
            let answer = read(&pieces).expect("it is whole");
            prop_assert_eq!(&answer["choices"][0]["message"]["content"], "héllo");
            prop_assert_eq!(&answer["choices"][0]["finish_reason"], "stop");
            prop_assert_eq!(&answer["usage"]["prompt_tokens"], 7);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&[&bytes]);
            let _ = read(&[b"data: ", &bytes, b"\n\n"]);
        }
    }

    #[test]
    fn an_answer_that_ends_before_its_end_is_said_is_none() {
        let end = GOOD.find("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish").expect("it is there");
        for cut in (0..end).filter(|at| GOOD.is_char_boundary(*at)) {
            assert!(read(&[&GOOD.as_bytes()[..cut]]).is_err(), "{}", &GOOD[..cut]);
        }
    }

    #[test]
    fn the_parts_of_a_call_of_a_tool_are_put_together() {
        let text = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"patch\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n\
            data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n";
        let answer = read(&[text.as_bytes()]).expect("it is whole");
        assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], "{\"a\":1}");
    }

    #[test]
    fn what_a_server_says_of_its_own_failure_in_the_middle_is_heard() {
        let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"error\":{\"code\":502,\"message\":\"upstream\"}}\n\n";
        assert_eq!(read(&[text.as_bytes()]), Err(Fault::Failed(Some(502), "upstream".to_owned())));
        assert!(matches!(read(&[b"data: <html>\n\n"]), Err(Fault::NoPiece(_))));
        assert_eq!(read(&[b""]), Err(Fault::Unfinished));
    }
}
