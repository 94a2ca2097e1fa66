//! Sections: a form taken apart at its headings, without its comments, its front matter and what would act on a host.

use std::sync::LazyLock;

use regex::Regex;

use super::body::Slot;
use crate::bounds::is_hidden;
use crate::read::pattern;

/// A heading of a form and the lines below it. The first has no heading.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub heading: String,
    pub lines: Vec<String>,
}

/// The sections of a form.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let text = without_comments(without_front_matter(text));
    let mut found = vec![Section::default()];
    let mut fence: Option<&str> = None;
    let lines: Vec<&str> = text.lines().collect();
    let mut underlined = false;
    for (index, line) in lines.iter().enumerate() {
        if std::mem::take(&mut underlined) {
            continue;
        }
        let trimmed = line.trim_start();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark)) {
            fence = match fence {
                None => Some(mark),
                Some(opened) if opened == mark => None,
                other => other,
            };
        }
        if fence.is_none() && acts(trimmed) {
            continue;
        }
        let under = lines.get(index + 1).is_some_and(|next| is_rule(next)) && is_lone_word(&lines, index);
        if fence.is_none() && under {
            underlined = true;
            found.push(Section { heading: format!("## {}", trimmed.trim_end()), lines: Vec::new() });
        } else if fence.is_none() && (is_heading(trimmed) || is_bold_line(trimmed)) {
            found.push(Section { heading: trimmed.trim_end().to_owned(), lines: Vec::new() });
        } else if let Some(section) = found.last_mut() {
            section.lines.push(line.trim_end().to_owned());
        }
    }
    found
}

fn is_heading(line: &str) -> bool {
    let text = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - text.len())) && text.starts_with([' ', '\t'])
}

/// `**Description**` on a line of its own, which many forms use as a heading.
fn is_bold_line(line: &str) -> bool {
    let line = line.trim().trim_end_matches(':');
    let inner = line.strip_prefix("**").and_then(|line| line.strip_suffix("**").or_else(|| line.strip_suffix(":**")));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains("**") && inner.len() <= 80)
}

fn is_rule(line: &str) -> bool {
    let line = line.trim_end();
    line.len() >= 3 && (line.chars().all(|c| c == '=') || line.chars().all(|c| c == '-'))
}

/// Whether a line stands alone above what underlines it.
fn is_lone_word(lines: &[&str], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| lines.get(before)).is_none_or(|line| line.trim().is_empty());
    before
        && lines.get(index).is_some_and(|line| {
            line.chars().any(char::is_alphanumeric) && !line.trim_start().starts_with(['-', '*', '|'])
        })
}

/// A command of GitLab, or a word that would close an issue when the pull request is merged.
fn acts(line: &str) -> bool {
    static CLOSES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:close[sd]?|closing|fix(?:e[sd])?|fixing|resolve[sd]?|resolving|implement(?:s|ed|ing)?)\b:?\s*(?:\S{0,200}#|https?://\S{0,200}/(?:issues|pull|merge_requests)/)",
        )
    });
    static COMMAND: LazyLock<Regex> = LazyLock::new(|| pattern(r"^/[a-z_]+(?:\s|$)"));
    COMMAND.is_match(line) || CLOSES.is_match(line)
}

/// A text without hidden comments. One that is never ended hides the rest, as it does on the hosts.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    // What was put together from two ends of a removed comment is none.
    let kept = kept.replace("<!--", "&lt;!--");
    kept.chars().filter(|c| !is_hidden(*c) && (!c.is_control() || matches!(c, '\n' | '\t'))).collect()
}

fn without_front_matter(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---"))
        .map_or(text, |(_, rest)| rest.trim_start_matches('-'))
}

/// What a heading asks for; `None` when it asks for something else.
pub(super) fn slot(heading: &str) -> Option<Asks> {
    static KNOWN: LazyLock<Vec<(Regex, Asks)>> = LazyLock::new(|| {
        [
            (r"\b(?:type|kind|types) of|\bcheck ?list|\brelated|\bscreenshots?|\blinks?\b|\bissue|\breviewers?\b|\bbreaking|\bchangelog|\brelease notes?", Asks::Else),
            (r"\b(?:ai|llms?|disclosure|generated|copilot)\b", Asks::Disclosure),
            (r"\b(?:undo|roll ?back|revert|back ?out)", Asks::Part(Slot::Undo)),
            (r"\b(?:limitations?|not tested|untested|drawbacks?|risks?|caveats?|open questions|known issues|not covered)\b", Asks::Part(Slot::NotTried)),
            (r"\b(?:test|tests|tested|testing|verif\w+|validat\w+|qa|benchmarks?|performance|measure\w*|proof)\b", Asks::Part(Slot::Tried)),
            (r"\b(?:motivation|why|context|problem|background|reasons?|rationale|cause|justification|what was wrong)\b", Asks::Part(Slot::Wrong)),
            (r"\b(?:description|describe|summary|what|changes?|overview|purpose|about|proposed|details|implementation|solution|how|pull request|pr)\b", Asks::Part(Slot::Changed)),
        ]
        .map(|(text, asks)| (pattern(text), asks))
        .into()
    });
    let plain = heading.to_lowercase();
    KNOWN.iter().find(|(words, _)| words.is_match(&plain)).map(|(_, asks)| *asks).filter(|asks| *asks != Asks::Else)
}

/// What a heading asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Part(Slot),
    Disclosure,
    Else,
}
