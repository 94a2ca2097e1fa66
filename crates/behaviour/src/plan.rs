//! What is asked of a driver: which entries are called, how often, and for how long.

use std::fmt::Write as _;

/// What a driver is to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What inputs follow from.
    pub seed: u64,
    /// How long all cases of `many` may take, milliseconds: shared out by how many of them an entry has, and what one leaves of
    /// its share goes to the next.
    pub time: u64,
    /// How long one entry may take with long inputs, milliseconds; the first of them are tried in any case.
    pub long: u64,
    /// Cases that are known to end the process, or not to end: entry and case.
    pub ends: Vec<(usize, u64)>,
    /// Entries, and how many cases of each.
    pub many: Vec<(usize, u64)>,
    /// So many of them, the last, have half of the time for themselves, where they would have less.
    pub last: usize,
    /// Entries, and how many cases of each with inputs as long as can be.
    pub large: Vec<(usize, u64)>,
    /// Cases that are told whole: entry and case.
    pub again: Vec<(usize, u64)>,
    /// Inputs that are told whole: entry and choices.
    pub with: Vec<(usize, Vec<u64>)>,
}

impl Plan {
    /// As the driver reads it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("seed {}\nlong {}\n", self.seed, self.long);
        for (entry, case) in &self.ends {
            let _ = writeln!(out, "ends {entry} {case}");
        }
        let (others, last) = self.many.split_at(self.many.len().saturating_sub(self.last));
        let sum = |some: &[(usize, u64)]| some.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        let (others_sum, last_sum) = (sum(others), sum(last));
        let all = others_sum.saturating_add(last_sum);
        let parts = match others_sum > last_sum && last_sum > 0 {
            true => [(others, self.time / 2, others_sum), (last, self.time / 2, last_sum)],
            false => [(others, self.time, all), (last, self.time, all)],
        };
        for (some, time, sum) in parts {
            for (entry, count) in some {
                let _ = writeln!(out, "many {entry} {count} {}", time.saturating_mul(*count) / sum.max(1));
            }
        }
        for (entry, count) in &self.large {
            let _ = writeln!(out, "large {entry} {count}");
        }
        for (entry, case) in &self.again {
            let _ = writeln!(out, "again {entry} {case}");
        }
        for (entry, choices) in &self.with {
            let choices: Vec<String> = choices.iter().map(u64::to_string).collect();
            let _ = writeln!(out, "with {entry} {}", choices.join(","));
        }
        out
    }
}
