//! Quiet colour for a terminal, none elsewhere or where `NO_COLOR` is set.

use kaizen_domain::Word;

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Colour for a terminal.
    #[must_use]
    pub fn new(terminal: bool) -> Self {
        Self { on: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
    }

    /// The word of a result, padded to a column.
    #[must_use]
    pub fn word(self, word: Word) -> String {
        let code = match word {
            Word::Landed | Word::Opened | Word::Kept => "32",
            Word::Asked | Word::Queued => "33",
            Word::Rejected | Word::RolledBack => "31",
            Word::Inconclusive | Word::Declined => "2",
        };
        self.with(code, &format!("{:<12}", word.shout()))
    }

    /// A label at the start of a line.
    #[must_use]
    pub fn label(self, text: &str) -> String {
        self.with("2", &format!("{text:<9}"))
    }

    /// Something of less weight.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// The head of a story.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// A line of a diff.
    #[must_use]
    pub fn diff_line(self, line: &str) -> String {
        match line.chars().next() {
            Some('+') => self.with("32", line),
            Some('-') => self.with("31", line),
            Some('@') => self.with("36", line),
            _ => line.to_owned(),
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
