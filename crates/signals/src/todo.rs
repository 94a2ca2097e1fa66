//! `TODO` and `FIXME` markers in comments of Rust source, with the age of their lines.

use kaizen_domain::signal::Place;
use kaizen_domain::{RelPath, Signal, SignalId, SignalKind};

/// How much of a marker's text is kept, characters.
const TEXT_KEPT: usize = 200;

/// A marker found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The line, counted from 1.
    pub line: u32,
    /// What stands after the marker.
    pub text: String,
}

/// The markers in the comments of a Rust file. Only line and block comments count; a string that holds the word, or
/// an identifier that contains it, does not.
#[must_use]
pub fn markers(source: &str) -> Vec<Marker> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in source.lines().enumerate() {
        let comment = comment_of(line, &mut in_block);
        if let Some(text) = comment.and_then(after_marker) {
            let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
            found.push(Marker { line, text: text.chars().take(TEXT_KEPT).collect() });
        }
    }
    found
}

/// The comment of a line, when it has one. Strings are skipped by counting unescaped quotes; a raw string over
/// several lines may fool it, which costs a signal of low weight and nothing else.
fn comment_of<'a>(line: &'a str, in_block: &mut bool) -> Option<&'a str> {
    if *in_block {
        *in_block = !line.contains("*/");
        return Some(line);
    }
    let mut quoted = false;
    let mut previous = ' ';
    for (at, c) in line.char_indices() {
        match (previous, c) {
            ('\\', '"') => {}
            (_, '"') => quoted = !quoted,
            ('/', '/') if !quoted => return line.get(at + 1..),
            ('/', '*') if !quoted => {
                *in_block = !line.contains("*/");
                return line.get(at + 1..);
            }
            _ => {}
        }
        previous = c;
    }
    None
}

fn after_marker(comment: &str) -> Option<&str> {
    ["TODO", "FIXME"].iter().find_map(|word| {
        let at = comment.find(word)?;
        let before = comment.get(..at)?.chars().next_back();
        let rest = comment.get(at + word.len()..)?;
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        (apart(before) && apart(rest.chars().next())).then(|| rest.trim_start_matches([':', ' ', '(', ')']).trim())
    })
}

/// Markers as signals; `age_days` gives the days since a line changed.
pub fn of_markers(
    path: &RelPath,
    markers: &[Marker],
    age_days: &dyn Fn(u32) -> Option<u32>,
    mint: &mut dyn FnMut() -> SignalId,
) -> Vec<Signal> {
    markers
        .iter()
        .map(|marker| Signal {
            id: mint(),
            place: Some(Place { path: path.clone(), line: marker.line }),
            kind: SignalKind::Todo { text: marker.text.clone(), age_days: age_days(marker.line) },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_comments_count() {
        let source = "// TODO: one\nlet s = \"TODO no\"; // FIXME two\nlet todo = 1; // TODOS no\n/* TODO three\n still TODO four */\n//! see http://x/TODO_list";
        let got: Vec<_> = markers(source).into_iter().map(|m| (m.line, m.text)).collect();
        let want = [(1, "one"), (2, "two"), (4, "three"), (5, "four */")];
        assert_eq!(got, want.map(|(line, text)| (line, text.to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(//|/\\*|\\*/|TODO|\"|\\PC|\n){0,40}") {
            let _ = markers(&text);
        }
    }
}
