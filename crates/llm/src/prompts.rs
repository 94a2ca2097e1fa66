//! Prompts: the templates of the `prompts` folder, built into the program and filled strictly. A template can only
//! emit a text from outside through the filter that fences it: anything else is an error, not a prompt.
//!
//! It owns no words of its own; every word that is said to a model stands in that folder.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use thiserror::Error as ThisError;

use crate::inputs::Input;
use crate::material::{bullet, fence_for, fenced, prepare};
use crate::prompt::Prompt;

/// Every template: its name and its text.
const TEMPLATES: &[(&str, &str)] = &[
    ("architect", include_str!("../../../prompts/architect.md")),
    ("configurator", include_str!("../../../prompts/configurator.md")),
    ("debugger", include_str!("../../../prompts/debugger.md")),
    ("engineer", include_str!("../../../prompts/engineer.md")),
    ("optimizer", include_str!("../../../prompts/optimizer.md")),
    ("security", include_str!("../../../prompts/security.md")),
    ("answer_format", include_str!("../../../prompts/answer_format.md")),
    ("material", include_str!("../../../prompts/material.md")),
    ("rounds", include_str!("../../../prompts/rounds.md")),
    ("tag", include_str!("../../../prompts/tag.md")),
    ("rules", include_str!("../../../prompts/rules.md")),
];

/// A template that cannot be filled: a mistake in the program, not in its input.
#[derive(Debug, ThisError)]
#[error("template prompts/{template}.md cannot be filled: {detail}")]
pub struct PromptError {
    /// The template.
    template: String,
    /// What is wrong.
    detail: String,
}

/// Fills the template of this input. The same input always gives the same prompt.
///
/// # Errors
/// When the template asks for something that the input does not have, or emits a text without its fence.
pub fn render<I: Input>(input: &I) -> Result<Prompt, PromptError> {
    let fail = |detail: String| PromptError { template: I::TEMPLATE.to_owned(), detail };
    let mut value = serde_json::to_value(input).map_err(|error| fail(error.to_string()))?;
    prepare(&mut value);
    let fence = fence_for(&value);
    let mut context: BTreeMap<String, Value> = BTreeMap::new();
    for (name, field) in value.as_object().into_iter().flatten() {
        context.insert(name.clone(), Value::from(Serde(field)));
    }
    context.insert("fence".to_owned(), Value::from_safe_string(fence.clone()));
    let fill = || -> Result<(String, String), Error> {
        let environment = environment(fence)?;
        let template = environment.get_template(&format!("{}.md", I::TEMPLATE))?;
        let mut filled = template.render_captured(Value::from_pairs(context.clone()))?;
        filled.with_state_mut(|state| Ok((state.render_block("system")?, state.render_block("user")?)))
    };
    let (system, user) = fill().map_err(|error| fail(format!("{error:#}")))?;
    Ok(Prompt { system: tidy(&system), user: tidy(&user), schema: input.schema(), sample: 0 })
}

fn environment(fence: String) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(|out, _, value| match value.kind() {
        ValueKind::Number => Ok(out.write_fmt(format_args!("{value}"))?),
        ValueKind::String if value.is_safe() => Ok(out.write_str(value.as_str().unwrap_or_default())?),
        kind => Err(Error::new(ErrorKind::InvalidOperation, format!("a {kind} is emitted without the filter `data`"))),
    });
    // The filter that would let a text through as it is does not exist here.
    environment.remove_filter("safe");
    environment.add_filter("data", move |value: Value, label: String| -> Result<Value, Error> {
        let text = match value.kind() {
            ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
            ValueKind::Seq => value.try_iter()?.map(|item| bullet(item.as_str().unwrap_or_default())).collect(),
            kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a {kind} is no text"))),
        };
        Ok(Value::from_safe_string(fenced(&fence, &label, &text)))
    });
    for (name, text) in TEMPLATES {
        environment.add_template_owned(format!("{name}.md"), split(text).1)?;
    }
    Ok(environment)
}

/// Front matter and body of a template.
fn split(text: &str) -> (&str, &str) {
    let parts = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    parts.unwrap_or(("", text))
}

/// The text without empty lines at its ends, and with never more than one in a row outside of material: templates
/// leave them where a part is missing. Material keeps its own.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut closing: Option<String> = None;
    let mut gap = false;
    for line in text.trim().split('\n') {
        match &closing {
            Some(end) if line == end => closing = None,
            Some(_) => {}
            None if line.is_empty() => {
                gap = true;
                continue;
            }
            None => {
                if let Some(name) = line.strip_prefix('<').and_then(|rest| rest.split_once(" about=\"")) {
                    closing = Some(format!("</{}>", name.0));
                }
            }
        }
        if std::mem::take(&mut gap) {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The inputs that the front matter declares.
    fn declared(text: &str) -> BTreeSet<String> {
        let (front, _) = split(text);
        assert!(front.contains("purpose: "), "a template says what it is for");
        let (_, inputs) = front.split_once("inputs:").expect("a template declares its inputs");
        inputs
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split_once(": "))
            .map(|(name, what)| {
                assert!(!what.trim().is_empty(), "{name} says what it is");
                name.to_owned()
            })
            .collect()
    }

    fn text_of(name: &str) -> &'static str {
        TEMPLATES.iter().find(|(other, _)| *other == name).map(|(_, text)| *text).expect("a known template")
    }

    #[test]
    fn every_template_declares_exactly_the_inputs_that_it_uses() {
        let environment = environment("data-0".to_owned()).expect("all templates parse");
        for (name, text) in TEMPLATES {
            let template = environment.get_template(&format!("{name}.md")).expect("it was added");
            let mut used: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
            for (partial, _) in TEMPLATES.iter().filter(|(other, _)| text.contains(&format!("include \"{other}.md\"")))
            {
                used.extend(declared(text_of(partial)));
            }
            if *name != "tag" {
                used.remove("fence"); // given to every template, declared by the one that speaks of it
            }
            assert_eq!(used, declared(text), "prompts/{name}.md");
        }
    }

    #[test]
    fn the_folder_holds_these_templates_and_no_others() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../prompts");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the folder is there")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".md") && name != "README.md")
            .collect();
        let known: BTreeSet<String> = TEMPLATES.iter().map(|(name, _)| format!("{name}.md")).collect();
        assert_eq!(there, known);
    }

    #[test]
    fn a_text_cannot_be_emitted_without_its_fence() {
        let mut environment = environment("data-0".to_owned()).expect("all templates parse");
        for (source, fine) in [
            ("{{ text }}", false),
            ("{{ text|upper }}", false),
            ("{{ list }}", false),
            ("{{ text|safe }}", false),
            ("{{ missing }}", false),
            ("{{ text|data('x') }}", true),
            ("{{ list|data('x') }}", true),
            ("{{ list|length }}", true),
        ] {
            let _ = environment.add_template_owned("probe", source);
            let probe = environment
                .get_template("probe")
                .and_then(|template| template.render(minijinja::context! { text => "t", list => vec!["a", "b"] }));
            assert_eq!(probe.is_ok(), fine, "{source}: {probe:?}");
            environment.remove_template("probe");
        }
    }

    #[test]
    fn empty_lines_are_tidied_outside_of_material_only() {
        let text = "\n\na\n\n\n\nb\n<data-1 about=\"x\">\n1\r\n\n\n2\n</data-1>\n\n\nc\n\n";
        assert_eq!(tidy(text), "a\n\nb\n<data-1 about=\"x\">\n1\r\n\n\n2\n</data-1>\n\nc\n");
    }
}
