//! Line coverage of what a change brings in or takes away.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

/// Which of some lines with code are run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// How many of them a test runs.
    pub run: u64,
    /// The numbers of those that none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_run: Vec<u32>,
}

impl Coverage {
    /// The lines that no test runs, such as `line 4` or `lines 4, 6-9`; none when there are none.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        (!self.not_run.is_empty()).then(|| shown_lines(&self.not_run))
    }

    /// Adds what is known of other lines.
    pub fn add(&mut self, other: &Self) {
        self.run += other.run;
        self.not_run.extend(&other.not_run);
    }
}

/// Lines of a function that made-up inputs run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesRun {
    /// The file.
    pub path: RelPath,
    /// The function.
    pub function: String,
    /// Those of its lines that change.
    pub lines: Vec<u32>,
}

/// Lines in a few words, such as `line 4` or `lines 4, 6-9`. They are in order.
pub(crate) fn shown_lines(lines: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => runs.push((*line, *line)),
        }
    }
    let shown = runs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    let word = if lines.len() == 1 { "line" } else { "lines" };
    format!("{word} {}", shown.collect::<Vec<_>>().join(", "))
}
