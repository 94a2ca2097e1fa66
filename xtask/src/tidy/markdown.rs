//! Markdown, as far as tidy needs it: the words in backticks and the targets of links, with their lines. Code blocks
//! are skipped.

/// Something that a document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The line it stands on, from 1.
    pub line: usize,
    /// The text.
    pub text: &'a str,
    /// Whether it is the target of a link, which is always a path from the document or an address.
    pub link: bool,
}

/// Everything that a document puts in backticks, or links to, in its order.
#[must_use]
pub fn named(text: &str) -> Vec<Named<'_>> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => spans(line, index + 1, &mut found),
            _ => {}
        }
    }
    found
}

fn spans<'a>(line: &'a str, number: usize, found: &mut Vec<Named<'a>>) {
    let mut rest = line;
    while let Some(at) = rest.find(['`', ']']) {
        let (_, from) = rest.split_at(at);
        if let Some(quoted) = from.strip_prefix('`') {
            let Some((text, after)) = quoted.split_once('`') else { return };
            found.push(Named { line: number, text: text.trim(), link: false });
            rest = after;
        } else if let Some(target) = from.strip_prefix("](") {
            let Some((text, after)) = target.split_once(')') else { return };
            found.push(Named { line: number, text: text.trim(), link: true });
            rest = after;
        } else {
            rest = from.get(1..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_and_links_are_found_and_code_blocks_skipped() {
        let text = "# `a/b`\n```sh\n`c/d`\n```\nsee [the `map`](docs/map.md) and `e` [x] `open\n~~~\n`f`\n~~~\n`g`\n";
        let found: Vec<_> = named(text).into_iter().map(|named| (named.line, named.text, named.link)).collect();
        assert_eq!(
            found,
            [(1, "a/b", false), (5, "map", false), (5, "docs/map.md", true), (5, "e", false), (9, "g", false)]
        );
    }
}
