//! Makes an input that shows a difference smaller: shorter sequences of choices first, then smaller numbers in them. Each
//! round proposes a few, and goes on with the smallest that still shows it.

use std::collections::BTreeSet;

use crate::compared::differs;
use crate::said::Case;

/// How many inputs are proposed in a round.
const ROUND: usize = 400;
/// Choices up to here are mostly among ways to make something.
const KINDS: u64 = 16;

/// An input on its way to be smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrinking {
    best: Vec<u64>,
    /// What was proposed in this round.
    proposed: Vec<Vec<u64>>,
}

impl Shrinking {
    /// Begins with an input that shows a difference.
    #[must_use]
    pub fn of(choices: Vec<u64>) -> Self {
        Self { best: choices, proposed: Vec::new() }
    }

    /// The smallest so far.
    #[must_use]
    pub fn best(&self) -> &[u64] {
        &self.best
    }

    /// What is to be tried next; empty when nothing smaller is left to be tried.
    pub fn propose(&mut self) -> &[Vec<u64>] {
        let mut all: Vec<Vec<u64>> = Vec::new();
        let length = self.best.len();
        let mut size = length.next_power_of_two();
        while size > 0 {
            for from in (0..length).step_by(size.max(1)) {
                let to = (from + size).min(length);
                let rest = self.best.iter().take(from).chain(self.best.iter().skip(to));
                all.push(rest.copied().collect());
            }
            size /= 2;
        }
        for (at, value) in self.best.iter().enumerate().filter(|(_, value)| **value > 0) {
            let smaller: BTreeSet<u64> = match value {
                // Which way something is made: each may be a simpler one, with another number behind it.
                0..=KINDS => (0..*value).collect(),
                _ => [0, value / 2, value - 1, value - value / 8].into_iter().filter(|one| one < value).collect(),
            };
            for number in smaller {
                let with = |next: Option<u64>| {
                    let put = self.best.iter().enumerate().map(|(place, old)| match place {
                        _ if place == at => number,
                        _ if place == at + 1 => next.unwrap_or(*old),
                        _ => *old,
                    });
                    put.collect::<Vec<u64>>()
                };
                all.push(with(None));
                if *value <= KINDS {
                    all.extend([0, 1, 2, 5].map(|next| with(Some(next))));
                }
            }
            // A length, and one of what it counts.
            for gone in at + 1..(at + 4).min(length) {
                let with = self.best.iter().enumerate().filter(|(place, _)| *place != gone);
                all.push(with.map(|(place, old)| if place == at { value - 1 } else { *old }).collect());
            }
        }
        all.sort_by(|one, other| order(one).cmp(&order(other)));
        all.dedup();
        all.retain(|one| order(one) < order(&self.best));
        // The shortest are the boldest; of the rest, some from everywhere.
        let step = (all.len() / ROUND).max(1);
        self.proposed = all.into_iter().step_by(step).take(ROUND).collect();
        &self.proposed
    }

    /// Takes what came of the proposals: twice before the change, and once after it. The smallest that still shows the
    /// difference, before and after; none when none is smaller.
    pub fn take<'c>(&mut self, before: [&'c [Case]; 2], after: &'c [Case]) -> Option<(&'c Case, &'c Case)> {
        let [first, second] = before;
        let all = first.iter().zip(second).zip(after);
        let shown = all.filter(|((was, again), now)| differs([was, again], now));
        // What was really used of them is never longer than what was proposed.
        let used = shown.filter_map(|((was, _), now)| Some((&was.told.as_ref()?.0, was, now)));
        let smallest = used.min_by(|one, other| order(one.0).cmp(&order(other.0)));
        let (choices, was, now) = smallest.filter(|(choices, ..)| order(choices) < order(&self.best))?;
        self.best.clone_from(choices);
        Some((was, now))
    }
}

/// Shorter is smaller, then what begins with smaller numbers.
fn order(choices: &[u64]) -> (usize, &[u64]) {
    (choices.len(), choices)
}
