//! JSON schemas in the strict form: every property required, nothing besides them, `null` where there may be nothing.
//! Built by hand, because the strict form knows only a part of what schema generators write.

use serde_json::{Map, Value, json};

/// A text.
pub(super) fn text(what: &str) -> Value {
    json!({ "type": "string", "description": what })
}

/// A text or nothing.
pub(super) fn text_or_null(what: &str) -> Value {
    json!({ "type": ["string", "null"], "description": what })
}

/// Yes or no.
pub(super) fn boolean(what: &str) -> Value {
    json!({ "type": "boolean", "description": what })
}

/// One of these words.
pub(super) fn one_of(words: &[&str], what: &str) -> Value {
    json!({ "type": "string", "enum": words, "description": what })
}

/// A list.
pub(super) fn list(items: Value, what: &str) -> Value {
    json!({ "type": "array", "items": items, "description": what })
}

/// An object with exactly these properties.
pub(super) fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let all: Map<String, Value> = properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    json!({ "type": "object", "properties": all, "required": required, "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::answer::{PatchAnswer, PlanAnswer, SecurityAnswer};

    fn check_strict(schema: &Value) {
        let object = schema.as_object().expect("a schema is an object");
        for key in object.keys() {
            let known = ["type", "description", "enum", "items", "properties", "required", "additionalProperties"];
            assert!(known.contains(&key.as_str()), "the strict form does not know `{key}`");
        }
        if let Some(properties) = schema["properties"].as_object() {
            let names: BTreeSet<_> = properties.keys().map(String::as_str).collect();
            let required: BTreeSet<_> =
                schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            assert_eq!(names, required);
            assert_eq!(schema["additionalProperties"], json!(false));
            properties.values().for_each(check_strict);
        }
        if schema["type"] == "array" {
            check_strict(&schema["items"]);
        }
    }

    #[test]
    fn all_schemas_keep_to_the_strict_form() {
        for schema in [PatchAnswer::schema(), PlanAnswer::schema(), SecurityAnswer::schema()] {
            assert!(schema.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
            assert_eq!(schema.json["type"], "object");
            check_strict(&schema.json);
        }
    }
}
