//! Format: in which form a model is asked to write its edits. Every form is read whatever was asked for; which one works
//! best differs from model to model, and is measured.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::provider::{Provider, Structured};
use crate::record::Record;

/// A form of edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One JSON object with a list of edits.
    Json,
    /// Search and replace blocks.
    Blocks,
    /// A unified diff.
    Diff,
    /// Whole items, by their path.
    Item,
    /// Whole files.
    Whole,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Json, Self::Blocks, Self::Diff, Self::Item, Self::Whole];

    /// Its name in settings, prompts and the journal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Blocks => "blocks",
            Self::Diff => "diff",
            Self::Item => "item",
            Self::Whole => "whole",
        }
    }

    /// The form that a model is asked for which nothing is known of.
    #[must_use]
    pub fn usual(provider: &Provider) -> Self {
        if provider.structured == Structured::Text { Self::Blocks } else { Self::Json }
    }

    /// The form that a model did best with. What it usually gets is preferred until it has failed a few times.
    #[must_use]
    pub fn best(provider: &Provider, record: impl Fn(Self) -> Record) -> Self {
        let usual = Self::usual(provider);
        let worth = |format: Self| {
            let (usable, all) = record(format).counts();
            // As if each had been tried five times: whole items and files are dear, so they begin lower.
            let imagined = match format {
                _ if format == usual => 4.5,
                Self::Json | Self::Blocks => 3.5,
                Self::Diff | Self::Item => 3.0,
                Self::Whole => 2.5,
            };
            (usable as f64 + imagined) / (all as f64 + 5.0)
        };
        let mut best = usual;
        for format in Self::ALL {
            if worth(format) > worth(best) + 1e-9 {
                best = format;
            }
        }
        best
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::word).join(", ");
        Self::ALL
            .into_iter()
            .find(|format| format.word() == text)
            .ok_or_else(|| format!("`{text}` is no format of edits: use {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_kept_while_it_works_and_given_up_when_it_does_not() {
        let provider = Provider::default();
        let with = |json: (u32, u32), blocks: (u32, u32)| {
            Format::best(&provider, |format| match format {
                Format::Json => Record::of(json.0, json.1),
                Format::Blocks => Record::of(blocks.0, blocks.1),
                _ => Record::default(),
            })
        };
        assert_eq!(with((0, 0), (0, 0)), Format::Json);
        assert_eq!(with((20, 2), (0, 0)), Format::Json);
        assert_eq!(with((0, 1), (0, 0)), Format::Json, "once is no record");
        assert_eq!(with((1, 4), (0, 0)), Format::Blocks);
        assert_eq!(with((1, 4), (0, 5)), Format::Diff);
        let text = Provider { structured: Structured::Text, ..Provider::default() };
        assert_eq!(Format::best(&text, |_| Record::default()), Format::Blocks);
    }
}
