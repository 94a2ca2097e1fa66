//! Body: what a pull request says, in its parts, and as a whole where a repository has no form of its own.

use super::checkbox::Facts;
use crate::bounds::is_hidden;

/// Characters of a body; the hosts take no more than 65 536.
pub(super) const LONGEST: usize = 60_000;
/// Characters of one part.
const PART: usize = 8_000;
/// What is said when the caller says nothing.
const DISCLOSURE: &str = "This pull request was written and opened by a program, Kaizen. No person has read it before.";

/// What there is to say. Every part may hold text from outside; what would act on a host is made harmless.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyParts {
    /// What was wrong, with the evidence.
    pub wrong: String,
    /// What was changed.
    pub changed: String,
    /// What was tried and measured.
    pub tried: String,
    /// What was not.
    pub not_tried: String,
    /// How to undo it.
    pub undo: String,
    /// That a program wrote it; a plain sentence stands in when this is empty.
    pub disclosure: String,
    /// The id of the operation, for the hidden mark.
    pub operation: String,
    /// What is known for the boxes of a form.
    pub facts: Facts,
}

/// What a part is about, with the heading it has when the form has none for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Wrong,
    Changed,
    Tried,
    NotTried,
    Undo,
}

impl Slot {
    pub(super) const ALL: [Self; 5] = [Self::Wrong, Self::Changed, Self::Tried, Self::NotTried, Self::Undo];

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Wrong => "What was wrong",
            Self::Changed => "What changed",
            Self::Tried => "What was tried",
            Self::NotTried => "What was not tried",
            Self::Undo => "How to undo it",
        }
    }
}

impl BodyParts {
    /// The text of a part, made fit for a body.
    pub(super) fn part(&self, slot: Slot) -> String {
        harmless(match slot {
            Slot::Wrong => &self.wrong,
            Slot::Changed => &self.changed,
            Slot::Tried => &self.tried,
            Slot::NotTried => &self.not_tried,
            Slot::Undo => &self.undo,
        })
    }

    /// The sentence that a program wrote it.
    #[must_use]
    pub fn disclosure(&self) -> String {
        let said = harmless(&self.disclosure);
        if said.chars().any(char::is_alphanumeric) { said } else { DISCLOSURE.to_owned() }
    }

    /// The hidden mark, by which the pull request is known again.
    #[must_use]
    pub fn marker(&self) -> String {
        let id: String =
            self.operation.chars().filter(|c| c.is_ascii_alphanumeric() || "._:-".contains(*c)).take(128).collect();
        // Two hyphens could end the comment.
        format!("<!-- kaizen operation={} -->", id.replace("--", "-").trim_matches('-'))
    }

    /// What every body begins with.
    pub(super) fn opening(&self) -> String {
        format!("{}\n\n{}\n", self.marker(), self.disclosure())
    }
}

/// The body of a repository without a form.
#[must_use]
pub fn default_body(parts: &BodyParts) -> String {
    let mut body = parts.opening();
    append(&mut body, parts, &Slot::ALL);
    finish(body)
}

/// Adds parts under headings of our own; empty ones are left out.
pub(super) fn append(body: &mut String, parts: &BodyParts, slots: &[Slot]) {
    for slot in slots {
        let text = parts.part(*slot);
        if !text.is_empty() {
            body.push_str(&format!("\n### {}\n\n{text}\n", slot.heading()));
        }
    }
}

/// A body no longer than the hosts take. What must be said stands at its beginning.
pub(super) fn finish(body: String) -> String {
    if body.chars().count() <= LONGEST {
        return body;
    }
    let mut cut: String = body.chars().take(LONGEST).collect();
    cut.push_str("\n\n(cut)\n");
    cut
}

/// A text that says what it says and does nothing: no hidden comment, no command of a host, nobody called by name, no
/// issue closed, and no fence that swallows what follows.
pub(super) fn harmless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(PART * 4));
    let (mut previous, mut starts) = ('\n', true);
    let shown = |c: &char| !is_hidden(*c) && (!c.is_control() || matches!(c, '\n' | '\t'));
    for (count, c) in text.trim().chars().filter(shown).enumerate() {
        if count >= PART {
            kept.push('…');
            break;
        }
        match c {
            // A name or a number behind these would call someone or close something.
            '@' | '#' if !(previous.is_alphanumeric() || (c == '#' && starts)) => {
                kept.push(c);
                kept.push('\u{200b}');
            }
            '/' if starts => kept.push_str("\\/"),
            '<' => kept.push_str("&lt;"),
            c => kept.push(c),
        }
        starts = c == '\n' || (starts && (c == ' ' || c == '\t' || c == '#'));
        previous = c;
    }
    close_fence(&mut kept);
    kept
}

/// Ends a fence that is still open.
pub(super) fn close_fence(text: &mut String) {
    let mut open: Option<&str> = None;
    for line in text.lines().map(str::trim_start) {
        for mark in ["```", "~~~"] {
            if line.starts_with(mark) {
                open = match open {
                    None => Some(mark),
                    Some(opened) if opened == mark => None,
                    other => other,
                };
            }
        }
    }
    if let Some(mark) = open {
        let longest = text
            .lines()
            .map(|line| line.trim_start())
            .map(|line| line.len() - line.trim_start_matches(mark.chars().next().unwrap_or('`')).len())
            .max()
            .unwrap_or(3);
        let mark: String = mark.chars().next().unwrap_or('`').to_string().repeat(longest.clamp(3, 200));
        text.push('\n');
        text.push_str(&mark);
    }
}
