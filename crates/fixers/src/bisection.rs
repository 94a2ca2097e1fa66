//! Which suggestions of a batch to try next, so that one bad suggestion never costs the good ones.
//!
//! The search keeps what is known to be good, and tries each part on top of it: first all, then halves of what failed.
//! With k bad ones among n it takes about k log n trials. It is a pure function of the outcomes so far, so that a
//! search cut off by a crash goes on where it stood.

use std::collections::VecDeque;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try these together.
    Try {
        /// The suggestions, in the order of `all`.
        items: Vec<String>,
        /// Whether parts are left that would be tried next if these pass.
        more: bool,
    },
    /// Nothing is left to try.
    Nothing {
        /// The suggestions that were shown to be bad, each on its own.
        bad: Vec<String>,
    },
}

/// The next step of the search over `all`, given how each proposal so far ended (`true`: it passed).
///
/// The last proposal that passes with `more` being false is the one to land. When the last part failed, what is known
/// to be good is proposed once more by itself, so that what lands is what was tried.
#[must_use]
pub fn next(all: &[String], outcomes: &[bool]) -> Next {
    let mut good: Vec<&String> = Vec::new();
    let mut bad: Vec<&String> = Vec::new();
    let mut parts: VecDeque<&[String]> = VecDeque::new();
    if !all.is_empty() {
        parts.push_back(all);
    }
    let mut last_passed = true;
    for passed in outcomes {
        last_passed = *passed;
        let Some(part) = parts.pop_front() else {
            // The closing proposal of what is good failed: the good ones do not hold together after all.
            if !passed {
                bad.append(&mut good);
            }
            continue;
        };
        match (passed, part) {
            (true, _) => good.extend(part),
            (false, [one]) => bad.push(one),
            (false, _) => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.push_front(right);
                parts.push_front(left);
            }
        }
    }
    let ordered = |chosen: &[&String]| all.iter().filter(|item| chosen.contains(item)).cloned().collect::<Vec<_>>();
    match parts.front() {
        Some(part) => {
            good.extend(*part);
            Next::Try { items: ordered(&good), more: parts.len() > 1 }
        }
        None if !good.is_empty() && !last_passed => Next::Try { items: ordered(&good), more: false },
        None => Next::Nothing { bad: ordered(&bad) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs the search to its end; returns what would land, what is bad, and how many trials it took.
    fn search(count: usize, is_bad: impl Fn(usize) -> bool) -> (Vec<usize>, Vec<usize>, usize) {
        let all: Vec<String> = (0..count).map(|n| format!("{n}")).collect();
        let numbers = |items: &[String]| items.iter().map(|item| item.parse().unwrap()).collect::<Vec<usize>>();
        let mut outcomes = Vec::new();
        let mut landed = Vec::new();
        while let Next::Try { items, more } = next(&all, &outcomes) {
            let items = numbers(&items);
            let passed = !items.iter().any(|n| is_bad(*n));
            outcomes.push(passed);
            if passed && !more {
                landed = items;
                break;
            }
        }
        let bad = match next(&all, &outcomes) {
            Next::Nothing { bad } => numbers(&bad),
            Next::Try { .. } => panic!("the search is not over"),
        };
        (landed, bad, outcomes.len())
    }

    proptest! {
        #[test]
        fn exactly_the_good_ones_land(count in 0_usize..60, bad in proptest::collection::btree_set(0_usize..60, 0..6)) {
            let (landed, found, _) = search(count, |n| bad.contains(&n));
            let good: Vec<usize> = (0..count).filter(|n| !bad.contains(n)).collect();
            let wrong: Vec<usize> = (0..count).filter(|n| bad.contains(n)).collect();
            prop_assert_eq!(landed, good);
            prop_assert_eq!(found, wrong);
        }
    }

    #[test]
    fn one_bad_one_among_many_costs_a_logarithm_of_trials() {
        let (landed, bad, trials) = search(64, |n| n == 17);
        assert_eq!((landed.len(), bad), (63, vec![17]));
        assert!(trials <= 15, "{trials}");
    }

    #[test]
    fn a_good_batch_costs_one_trial() {
        assert_eq!(search(40, |_| false).2, 1);
    }
}
