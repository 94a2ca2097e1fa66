//! Reads what runs print, and what is said between them.

use std::time::{Duration, Instant};

use super::{Printed, Told};

/// Follows the runs of a batch.
pub(super) struct Reader {
    mark: String,
    /// Runs before the first block, and how many of them are like those of one side of a block.
    warm: (usize, usize),
    /// How many times four runs a block has.
    pairs: usize,
    /// The run that is at work: since when, and what it printed.
    open: Option<(Instant, String)>,
    /// Runs that have ended, in all.
    ended: usize,
    /// How long those took that tell how long a block will.
    took: Duration,
    block: Vec<Printed>,
    /// How the last run ended, when it failed.
    failed: Option<(i32, String)>,
}

impl Reader {
    pub(super) fn new(mark: String, warm: (usize, usize), pairs: usize) -> Self {
        Self { mark, warm, pairs, open: None, ended: 0, took: Duration::ZERO, block: Vec::new(), failed: None }
    }

    /// Takes a line; what it completes.
    pub(super) fn line(&mut self, line: &str) -> Option<Told> {
        let Some(word) = line.strip_prefix(self.mark.as_str()) else {
            if let Some((_, text)) = &mut self.open {
                text.push_str(line);
                text.push('\n');
            }
            return None;
        };
        let mut words = word.split_whitespace();
        match (words.next(), words.next(), words.next().and_then(|code| code.parse::<i32>().ok())) {
            (Some("begin"), ..) => {
                self.open = Some((Instant::now(), String::new()));
                None
            }
            (Some("end"), _, Some(0)) => {
                let (since, text) = self.open.take()?;
                self.ended(Printed { text, took: since.elapsed() })
            }
            (Some("end"), _, Some(code)) => {
                self.failed = Some((code, self.open.take().map(|(_, text)| text).unwrap_or_default()));
                None
            }
            _ => None,
        }
    }

    fn ended(&mut self, run: Printed) -> Option<Told> {
        self.ended += 1;
        let (before, alike) = self.warm;
        if self.ended <= before {
            if self.ended + alike > before {
                self.took += run.took;
            }
            return (self.ended == before).then_some(Told::Warm(self.took));
        }
        self.block.push(run);
        if self.block.len() < self.pairs * 4 {
            return None;
        }
        let mut runs = std::mem::take(&mut self.block).into_iter();
        let mut block = Vec::new();
        while let (Some(first), Some(second), Some(third), Some(fourth)) =
            (runs.next(), runs.next(), runs.next(), runs.next())
        {
            block.push([first, second, third, fourth]);
        }
        Some(Told::Block(block))
    }

    /// How the run ended that failed.
    pub(super) fn failure(&self) -> String {
        let Some((code, text)) = &self.failed else { return "the benchmarks could not be started".to_owned() };
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        format!("a run of the benchmarks ended by exit code {code}: {last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(told: Option<Told>) -> Vec<Vec<String>> {
        match told {
            Some(Told::Block(block)) => {
                block.into_iter().map(|runs| runs.map(|run| run.text.trim().to_owned()).to_vec()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Says a run from its beginning to its end.
    fn run(reader: &mut Reader, number: usize, text: &str) -> Option<Told> {
        assert_eq!(reader.line(&format!("@m begin {number}")), None);
        assert_eq!(reader.line(text), None);
        assert_eq!(reader.line(""), None);
        reader.line(&format!("@m end {number} 000"))
    }

    #[test]
    fn runs_come_in_blocks_of_four_for_each_pair() {
        let mut reader = Reader::new("@m".to_owned(), (2, 2), 2);
        assert_eq!(run(&mut reader, 0, "warm"), None);
        assert!(matches!(run(&mut reader, 1, "warm"), Some(Told::Warm(_))));
        for number in 2..9 {
            assert_eq!(run(&mut reader, number, &number.to_string()), None);
        }
        let told = run(&mut reader, 9, "9\n@x end 9 000");
        assert_eq!(texts(told), [["2", "3", "4", "5"], ["6", "7", "8", "9\n@x end 9 000"]]);
        assert_eq!(reader.line("what nobody began"), None);
        assert_eq!(reader.line("@m end 10 000"), None, "it never began");
    }

    #[test]
    fn a_run_that_fails_is_told_with_its_last_line() {
        let mut reader = Reader::new("@m".to_owned(), (3, 1), 1);
        assert_eq!(reader.failure(), "the benchmarks could not be started");
        reader.line("@m begin 0");
        reader.line("thread 'main' panicked");
        reader.line("no such file");
        reader.line("");
        assert_eq!(reader.line("@m end 0 101"), None);
        assert_eq!(reader.failure(), "a run of the benchmarks ended by exit code 101: no such file");
    }
}
