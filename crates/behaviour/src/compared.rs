//! What two sides wrote down, compared: where the one after a change says something else.

use std::collections::BTreeMap;

use crate::said::{Case, Closeness, Said, Status};

/// A long input that takes so many times as long, and so much longer in microseconds, is not to be expected: it grows faster
/// with its length.
const SLOWER: u64 = 12;
const SLOW: u64 = 150_000;
/// How long an answer to a long input may have taken before, microseconds, so that none in the time for it (the driver's `LONG`)
/// is more than noise: a third of that time.
const SOON: u64 = 230_000;

/// A case in which two sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The entry.
    pub entry: usize,
    /// The case.
    pub case: u64,
}

/// Where a side after a change says something else than the side before it, by entry: how many inputs were seen, and the
/// cases that differ. What the side before does not say twice alike shows nothing.
#[must_use]
pub fn differences(before: [&Said; 2], after: &Said) -> BTreeMap<usize, (u64, Vec<Difference>)> {
    let mut all: BTreeMap<usize, (u64, Vec<Difference>)> = BTreeMap::new();
    let [first, second] = before;
    for ((entry, case), was) in &first.cases {
        let (count, differ) = all.entry(*entry).or_default();
        let again = second.cases.get(&(*entry, *case));
        let Some(now) = after.cases.get(&(*entry, *case)) else { continue };
        // One that ended the process is not called again, so nothing is known of it.
        let ended = matches!(was.status, Status::Hung | Status::Died);
        let how = again.and_then(|again| was.repeats(again)).filter(|_| was.status.is_seen() && !ended);
        let Some(how) = how else { continue };
        if !was.is_comparable(now) || matches!(now.status, Status::Late | Status::Rejected) {
            continue;
        }
        // That something comes back at all is little to be said.
        *count += u64::from(how != Closeness::Ending);
        if !was.is_kept(now, how) {
            differ.push(Difference { entry: *entry, case: *case });
        }
    }
    all
}

/// A long input for which something else comes back, or nothing, or it takes so much longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongDifference {
    /// The input.
    pub input: String,
    /// What came of it before the change.
    pub before: String,
    /// What comes of it now.
    pub after: String,
    /// There is no answer any more.
    pub worse: bool,
}

/// Entries that differ for a long input, with the first such input of each. The longer of two times counts before, so that one
/// that was disturbed shows nothing.
#[must_use]
pub fn differences_of_long(before: [&Said; 2], after: &Said) -> BTreeMap<usize, LongDifference> {
    let mut all = BTreeMap::new();
    let [first, second] = before;
    for ((entry, case), was) in &first.large {
        let (Some(again), Some(now)) = (second.large.get(&(*entry, *case)), after.large.get(&(*entry, *case))) else {
            continue;
        };
        let (Some((one, input)), Some((two, _))) = (&was.large, &again.large) else { continue };
        let Some(how) = was.repeats(again).filter(|_| was.status.is_seen()) else { continue };
        if !was.is_comparable(now) || now.status == Status::Late {
            continue;
        }
        let (took, status, worse) = (*one.max(two), now.status, now.is_worse_than(was));
        let (before, after) = match &now.large {
            None if status == Status::Hung && took > SOON => continue,
            None => ("an answer".to_owned(), now.shown()),
            Some((now, _)) if *now > took.saturating_mul(SLOWER) && now - took > SLOW => {
                (format!("an answer after {} ms", took.div_ceil(1_000)), format!("one after {} ms", now / 1_000))
            }
            Some(_) if was.asks_for_less(now) && again.asks_for_less(now) => {
                let mib = |bytes: u64| format!("with {} MiB of memory", bytes >> 20);
                (format!("an answer {}", mib(was.memory)), format!("one {}", mib(now.memory)))
            }
            Some(_) if !was.is_kept(now, how) && status.is_seen() => {
                (was.shown_long("an answer"), now.shown_long("another one"))
            }
            Some(_) => continue,
        };
        all.entry(*entry).or_insert(LongDifference { input: input.clone(), before, after, worse });
    }
    all
}

/// Whether the calls of one case before a change all gave the same, those after it too, and the two are not the same. What is
/// different now and then, as the order of a hash map is, shows nothing.
#[must_use]
pub fn always_differ(before: &[&Case], after: &[&Case]) -> bool {
    let agree = |all: &[&Case], how| all.windows(2).all(|pair| matches!(pair, [one, two] if one.is_same(two, how)));
    let how = Closeness::ALL.into_iter().find(|how| agree(before, *how) && agree(after, *how));
    match (before.first(), after.first(), how) {
        (Some(was), Some(now), Some(how)) => was.differs(now, how),
        _ => false,
    }
}

/// Whether the calls of one case before a change all gave the very same, and those after it do not agree: it has come to
/// depend on something that is no input. One of those after it that is not like the first.
#[must_use]
pub fn wavers<'c>(before: &[&Case], after: &[&'c Case]) -> Option<&'c Case> {
    let (was, now) = (before.first()?, after.first()?);
    let comes_back = |case: &&Case| case.status.is_answer() || case.status == Status::Panicked;
    let steady = before.iter().all(|other| other.is_same(was, Closeness::Exactly)) && was.is_comparable(now);
    let back = before.iter().chain(after).all(comes_back);
    after.iter().find(|other| !other.is_same(now, Closeness::Unordered)).filter(|_| steady && back).copied()
}

/// Whether a case that was told whole differs in the same way as [`differences`] asks.
pub(crate) fn differs(before: [&Case; 2], after: &Case) -> bool {
    let [first, second] = before;
    first.repeats(second).is_some_and(|how| first.differs(after, how))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn a_long_input_that_took_nearly_all_of_its_time_before_may_take_more() {
        let plan = Plan { large: vec![(0, 1)], ..Plan::default() };
        let said = |line: &str| Said::read(&plan, line);
        let took = |micros: u64| said(&format!("0 0 told 1 2 3\t{micros}\tf(..)\n"));
        let hung = said("0 0 hung -\n");
        for (micros, differs) in [(20_000, true), (200_000, true), (300_000, false), (690_000, false)] {
            let found = differences_of_long([&took(micros), &took(20_000)], &hung);
            assert_eq!(found.get(&0).is_some_and(|one| one.after == "no end"), differs, "{micros}");
        }
        assert!(!differences_of_long([&took(690_000), &took(690_000)], &said("0 0 died -\n")).is_empty());
    }
}
