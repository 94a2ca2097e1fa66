//! Finds the one JSON object that is the answer in a model's text: alone, in a fence, or with words around it.
//!
//! It never takes an object from inside another one that is cut: an object that begins and does not end means that
//! the answer was cut there.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::AnswerError;
use crate::redact::excerpt;

/// The longest text that is looked at, in bytes.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// Braces that are tried as the beginning of an answer. Code in the words around it has braces, too.
const MAX_TRIES: usize = 256;

/// The text without what a reasoning model thought aloud before its answer.
pub(super) fn spoken(text: &str) -> Result<&str, AnswerError> {
    if text.len() > MAX_TEXT {
        let (size, limit) = (format!("{} bytes", text.len()), format!("{MAX_TEXT} bytes"));
        return Err(AnswerError::TooLarge { size, limit });
    }
    let text = text.trim();
    let Some(thoughts) = text.strip_prefix("<think>") else { return Ok(text) };
    match thoughts.rsplit_once("</think>") {
        Some((_, answer)) => Ok(answer.trim()),
        None => Err(AnswerError::Incomplete { what: "`<think>` is never closed".to_owned() }),
    }
}

/// The one object of this shape in the text. What is not JSON only for raw line ends in its texts, or for a comma too
/// many, is read as what it is meant to be.
pub(super) fn find<T: DeserializeOwned>(text: &str, fields: &'static str) -> Result<T, AnswerError> {
    match strictly(text, fields) {
        Err(error @ AnswerError::BadJson { .. }) => match mended(text) {
            Some(mended) => strictly(&mended, fields).map_err(|_| error),
            None => Err(error),
        },
        result => result,
    }
}

/// The text with raw line ends and tabs inside of strings written as JSON has them, and without commas before a closing
/// bracket; none when there is nothing to mend.
fn mended(text: &str) -> Option<String> {
    let start = text.find('{')?;
    let mut out = text.get(..start)?.to_owned();
    let (mut inside, mut escaped) = (false, false);
    let mut letters = text.get(start..)?.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' if inside => out.push_str("\\n"),
            '\r' if inside => out.push_str("\\r"),
            '\t' if inside => out.push_str("\\t"),
            ',' if !inside => {
                let rest: String = letters.clone().take_while(|next| next.is_whitespace()).collect();
                let next = letters.clone().nth(rest.chars().count());
                if !matches!(next, Some('}' | ']')) {
                    out.push(letter);
                }
            }
            _ => out.push(letter),
        }
        (inside, escaped) = match letter {
            '"' if !escaped => (!inside, false),
            '\\' if inside => (inside, !escaped),
            _ => (inside, false),
        };
    }
    (out != text).then_some(out)
}

fn strictly<T: DeserializeOwned>(text: &str, fields: &'static str) -> Result<T, AnswerError> {
    let mut found: Option<T> = None;
    let mut wrong_shape: Option<(usize, String)> = None;
    let mut broken: Option<String> = None;
    let (mut at, mut tries) = (0, 0);
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('{')).map(|offset| at + offset) {
        tries += 1;
        if tries > MAX_TRIES {
            break;
        }
        let rest = text.get(start..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                let length = values.byte_offset().max(1);
                match serde_json::from_value::<T>(value) {
                    Ok(_) if found.is_some() => return Err(AnswerError::Several),
                    Ok(answer) => found = Some(answer),
                    Err(error) if wrong_shape.as_ref().is_none_or(|(longest, _)| length > *longest) => {
                        wrong_shape = Some((length, excerpt(&error.to_string())));
                    }
                    Err(_) => {}
                }
                at = start + length;
            }
            // What follows stands inside this object, and can only be a part of the answer.
            Some(Err(error)) if error.is_eof() => {
                return Err(AnswerError::Incomplete { what: "a JSON object is not closed".to_owned() });
            }
            Some(Err(error)) => {
                if start == 0 {
                    // The text is meant as JSON from its first character: a part of it is not an answer.
                    return Err(AnswerError::BadJson { detail: excerpt(&error.to_string()), fields });
                }
                broken.get_or_insert_with(|| excerpt(&error.to_string()));
                at = start + 1;
            }
            None => break,
        }
    }
    match (found, wrong_shape, broken) {
        (Some(answer), _, _) => Ok(answer),
        (None, Some((_, detail)), _) | (None, None, Some(detail)) => Err(AnswerError::BadJson { detail, fields }),
        (None, None, None) => Err(AnswerError::NotFound { fields }),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Probe {
        a: u32,
        #[serde(rename = "b")]
        _b: Value,
    }

    fn read(text: &str) -> Result<u32, AnswerError> {
        find::<Probe>(spoken(text)?, "a, b").map(|probe| probe.a)
    }

    #[test]
    fn one_object_is_found_alone_in_a_fence_or_among_words() {
        for text in [
            r#"{"a":1,"b":{"c":[{}]}}"#,
            "```json\n{\"a\":1,\"b\":2}\n```",
            "Sure! `Foo {}` becomes `fn f() { x }`:\n\n```json\n{\"a\":1,\"b\":\"{\"}\n```\nDone {}.",
            "<think>{\"a\":9,\"b\":0} or so</think>\n{\"a\":1,\"b\":2}",
        ] {
            assert_eq!(read(text), Ok(1), "{text}");
        }
    }

    #[test]
    fn raw_line_ends_and_a_comma_too_many_are_mended() {
        assert_eq!(read("{\"a\":1,\"b\":\"x\ny\t\\\"z\",}"), Ok(1));
        assert_eq!(read("{\"a\":1,\"b\":[1,2 , ]\n, }"), Ok(1));
        assert!(matches!(
            read("{\"a\":1,\"b\":\"x\ny"),
            Err(AnswerError::BadJson { .. } | AnswerError::Incomplete { .. })
        ));
    }

    #[test]
    fn what_is_not_exactly_one_whole_answer_is_refused() {
        assert_eq!(read(r#"{"a":1,"b":2} {"a":2,"b":2}"#), Err(AnswerError::Several));
        assert!(matches!(read("lorem ipsum"), Err(AnswerError::NotFound { .. })));
        assert!(matches!(read("<html>{}</html>"), Err(AnswerError::BadJson { .. })));
        assert!(matches!(read(r#"{"a":"x","b":2}"#), Err(AnswerError::BadJson { .. })));
        assert!(matches!(read("<think>{\"a\":1,\"b\":2}"), Err(AnswerError::Incomplete { .. })));
        assert!(matches!(read(r#"x {"c": {"a":1,"b":2}, "d": "#), Err(AnswerError::Incomplete { .. })));
        assert!(matches!(read(r#"{"c" {"a":1,"b":2}"#), Err(AnswerError::BadJson { .. })));
        assert!(matches!(read(&"{".repeat(100_000)), Err(AnswerError::BadJson { .. })));
        assert!(matches!(read(&" ".repeat(MAX_TEXT + 1)), Err(AnswerError::TooLarge { .. })));
    }
}
