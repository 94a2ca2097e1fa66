//! Applies the suggestions that rustc and clippy mark as machine-applicable to the text of one file.
//!
//! Suggestions are applied one by one; one that overlaps an earlier one is left for the next scan, never forced.

use std::collections::{BTreeSet, HashSet};

use kaizen_domain::Diagnostic;
use rustfix::{CodeFix, Filter, Suggestion};

/// What came of applying suggestions to a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// The text afterwards.
    pub text: String,
    /// The keys of the diagnostics whose suggestion is in it.
    pub applied: Vec<String>,
    /// The keys of those that did not fit any more.
    pub left: Vec<String>,
}

/// Applies the suggestions of `diagnostics`, which were all made on exactly this text of exactly one file.
#[must_use]
pub fn apply(text: &str, diagnostics: &[&Diagnostic]) -> Applied {
    let mut fix = CodeFix::new(text);
    let mut result = Applied::default();
    let mut seen = BTreeSet::new();
    for diagnostic in diagnostics {
        let key = diagnostic.key();
        if !seen.insert(key.clone()) {
            continue;
        }
        let suggestions = suggestions_of(diagnostic, text);
        let mut fits = !suggestions.is_empty();
        for suggestion in &suggestions {
            // Applying part of a diagnostic's advice would be worse than none of it.
            fits = fits && suggestion.solutions.len() == 1 && fix.apply(suggestion).is_ok();
        }
        if fits { result.applied.push(key) } else { result.left.push(key) }
    }
    match fix.finish() {
        Ok(text) => result.text = text,
        Err(_) => {
            result.left.append(&mut result.applied);
            text.clone_into(&mut result.text);
        }
    }
    result
}

/// The machine-applicable suggestions of a diagnostic, when every one of them lies in the diagnostic's own file and
/// within its text.
fn suggestions_of(diagnostic: &Diagnostic, text: &str) -> Vec<Suggestion> {
    let Some(path) = &diagnostic.path else { return Vec::new() };
    let Ok(found) = rustfix::get_suggestions_from_json(&diagnostic.raw, &HashSet::new(), Filter::MachineApplicableOnly)
    else {
        return Vec::new();
    };
    let inside = |suggestion: &Suggestion| {
        suggestion.solutions.iter().flat_map(|solution| &solution.replacements).all(|replacement| {
            let snippet = &replacement.snippet;
            let own = path.as_str() == snippet.file_name || path.as_str().ends_with(&format!("/{}", snippet.file_name));
            own && text.get(snippet.range.clone()).is_some()
        })
    };
    if found.iter().all(inside) { found } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_domain::{Level, RelPath, Tool};

    fn needless_return(start: usize, end: usize, replacement: &str, file: &str) -> Diagnostic {
        let span = |extra: &str| {
            format!(
                r#"{{"file_name":"{file}","byte_start":{start},"byte_end":{end},"line_start":1,"line_end":1,"column_start":1,"column_end":2,"is_primary":true,"text":[],"label":null,"suggested_replacement":{extra},"expansion":null}}"#
            )
        };
        let raw = format!(
            r#"{{"message":"m","code":{{"code":"c","explanation":null}},"level":"warning","spans":[{}],"children":[{{"message":"h","code":null,"level":"help","spans":[{}],"children":[],"rendered":null}}],"rendered":null}}"#,
            span("null"),
            span(&format!(r#""{replacement}","suggestion_applicability":"MachineApplicable""#)),
        );
        Diagnostic {
            tool: Tool::Clippy,
            level: Level::Warning,
            code: "clippy::needless_return".to_owned(),
            message: "m".to_owned(),
            package: "a".to_owned(),
            path: RelPath::new("src/lib.rs").ok(),
            line: 1,
            bytes: (start as u32, end as u32),
            fixable: true,
            rendered: String::new(),
            raw,
        }
    }

    #[test]
    fn suggestions_are_applied_and_overlapping_ones_wait() {
        let (one, two) = (needless_return(0, 3, "X", "src/lib.rs"), needless_return(2, 5, "Y", "src/lib.rs"));
        let three = needless_return(6, 7, "Z", "src/lib.rs");
        let got = apply("abcdefg", &[&one, &two, &three]);
        assert_eq!(got.text, "XdefZ");
        assert_eq!((got.applied.len(), got.left), (2, vec![two.key()]));
    }

    #[test]
    fn a_suggestion_for_another_file_or_beyond_the_end_is_left() {
        let other = needless_return(0, 1, "X", "src/other.rs");
        let beyond = needless_return(90, 99, "X", "src/lib.rs");
        let got = apply("abc", &[&other, &beyond]);
        assert_eq!((got.text.as_str(), got.left.len()), ("abc", 2));
    }
}
