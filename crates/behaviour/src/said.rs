//! What is asked of a driver, and what it writes down: a line for each call, with the number of the entry, of the case, how
//! it ended, and digests of what went in and came out. What it writes is not trusted to be anything.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The longest line that is read, bytes.
const LINE: usize = 64 << 10;

/// A long input that takes so many times as long, and so much longer in microseconds, is not to be expected: it grows faster
/// with its length.
const SLOWER: u64 = 12;
const SLOW: u64 = 150_000;
/// How long an answer to a long input may have taken before, microseconds, so that none in the time for it (the driver's `LONG`)
/// is more than noise: a third of that time.
const SOON: u64 = 230_000;

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

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It came back, and something can be seen of that.
    Told,
    /// It came back with nothing to be seen.
    Silent,
    /// It panicked.
    Panicked,
    /// It panicked because a number had no room, which only builds with checks do: what it gives in others is nothing that
    /// anybody can want, so what comes in its place is no worse.
    Overflowed,
    /// It did not come back in time.
    Hung,
    /// It ended the process.
    Died,
    /// No input could be made.
    Rejected,
    /// It was not called, for want of time.
    Late,
}

impl Status {
    /// Whether the function was called and something can be said of it that must stay.
    #[must_use]
    pub fn is_seen(self) -> bool {
        matches!(self, Self::Told | Self::Panicked | Self::Hung | Self::Died)
    }
}

/// What stands for the texts that say what went in and came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digests {
    /// Of its choices.
    input: u64,
    /// Of what came back.
    output: u64,
    /// The same in whichever order stands what maps and sets hold.
    unordered: u64,
}

/// How closely what comes back is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closeness {
    Exactly,
    /// In whichever order maps and sets print what they hold.
    Unordered,
    /// Only how it ends: what it says is never the same.
    Ending,
}

impl Closeness {
    const ALL: [Self; 3] = [Self::Exactly, Self::Unordered, Self::Ending];
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// How it ended.
    pub status: Status,
    digests: Option<Digests>,
    /// Of a long input: how long the call took, microseconds, and the input as text.
    pub large: Option<(u64, String)>,
    /// Where it was told whole: its choices, its input and its output as text.
    pub told: Option<(Vec<u64>, String, String)>,
}

impl Case {
    /// What came of it, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match (self.status, &self.told) {
            (Status::Panicked, _) => "a panic".to_owned(),
            (Status::Overflowed, _) => "an overflow".to_owned(),
            (Status::Hung, _) => "no end".to_owned(),
            (Status::Died, _) => "the end of the process".to_owned(),
            (_, Some((_, _, output))) => format!("`{output}`"),
            _ => "something else".to_owned(),
        }
    }

    /// Whether it panics or does not come back, where there was an answer before.
    #[must_use]
    pub fn is_worse_than(&self, before: &Self) -> bool {
        before.status == Status::Told && matches!(self.status, Status::Panicked | Status::Hung | Status::Died)
    }

    fn shown_long(&self, answer: &str) -> String {
        if self.status == Status::Told { answer.to_owned() } else { self.shown() }
    }

    /// How closely what the same code gives twice is the same; none when it is not.
    fn repeats(&self, again: &Self) -> Option<Closeness> {
        Closeness::ALL.into_iter().find(|how| self.is_same(again, *how))
    }

    fn is_same(&self, other: &Self, how: Closeness) -> bool {
        let of = |digests: Digests| match how {
            Closeness::Exactly => (digests.input, digests.output),
            Closeness::Unordered => (digests.input, digests.unordered),
            Closeness::Ending => (digests.input, 0),
        };
        match (self.digests, other.digests) {
            (Some(one), Some(two)) => self.status == other.status && of(one) == of(two),
            _ => self.status == other.status,
        }
    }

    /// Whether something else comes back for the same input.
    fn differs(&self, after: &Self, how: Closeness) -> bool {
        self.status.is_seen()
            && self.is_comparable(after)
            && !matches!(after.status, Status::Late | Status::Rejected)
            && !self.is_same(after, how)
    }

    /// Whether both were made of the same choices, as far as that is known.
    fn is_comparable(&self, other: &Self) -> bool {
        match (self.digests, other.digests) {
            (Some(one), Some(two)) => one.input == two.input,
            _ => true,
        }
    }
}

/// What a driver wrote down: the cases of `many` by entry and number, and those that were told whole, in the order of the
/// plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// By entry and case.
    pub cases: BTreeMap<(usize, u64), Case>,
    /// The same with long inputs.
    pub large: BTreeMap<(usize, u64), Case>,
    /// What was told whole, in turn.
    pub whole: Vec<Case>,
}

impl Said {
    /// How many long inputs of an entry gave an answer, before the first that did not.
    #[must_use]
    pub fn long_answers(&self, entry: usize) -> u64 {
        let of = self.large.range((entry, 0)..(entry + 1, 0)).map(|(_, case)| case);
        let answers = of.take_while(|case| case.status != Status::Late && case.large.is_some());
        u64::try_from(answers.count()).unwrap_or(u64::MAX)
    }

    /// The cases that ended the process, or did not end.
    pub fn ends(&self) -> impl Iterator<Item = (usize, u64)> {
        let ends = |case: &Case| matches!(case.status, Status::Hung | Status::Died);
        self.cases.iter().filter(move |(_, case)| ends(case)).map(|(place, _)| *place)
    }

    /// Reads what a driver wrote for a plan. What is no line of it is passed over.
    #[must_use]
    pub fn read(plan: &Plan, text: &str) -> Self {
        let mut said = Self::default();
        let sum = |all: &[(usize, u64)]| all.iter().map(|(_, count)| count).sum::<u64>();
        let (many, large) = (sum(&plan.many), sum(&plan.large));
        for (number, line) in (0_u64..).zip(text.lines()) {
            match (case(line, (many..many + large).contains(&number)), number) {
                (None, _) => {}
                (Some((place, case)), number) if number < many => drop(said.cases.insert(place, case)),
                (Some((place, case)), number) if number < many + large => drop(said.large.insert(place, case)),
                (Some((_, case)), _) => said.whole.push(case),
            }
        }
        said
    }
}

fn case(line: &str, is_large: bool) -> Option<((usize, u64), Case)> {
    if line.len() > LINE {
        return None;
    }
    let mut parts = line.split('\t');
    let mut words = parts.next()?.split(' ');
    let place = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let status = match words.next()? {
        "told" => Status::Told,
        "silent" => Status::Silent,
        "panicked" => Status::Panicked,
        "overflowed" => Status::Overflowed,
        "rejected" => Status::Rejected,
        "late" => Status::Late,
        "hung" => Status::Hung,
        _ => Status::Died,
    };
    let mut digest = || u64::from_str_radix(words.next()?, 16).ok();
    let mut all = || Some(Digests { input: digest()?, output: digest()?, unordered: digest()? });
    let digests = all();
    if is_large {
        let large = parts.next().and_then(|took| Some((took.parse().ok()?, parts.next()?.to_owned())));
        return Some((place, Case { status, digests, large, told: None }));
    }
    let told = parts.next().and_then(|choices| {
        let choices = choices.split(',').filter_map(|one| one.parse().ok()).collect();
        Some((choices, parts.next()?.to_owned(), parts.next()?.to_owned()))
    });
    Some((place, Case { status, digests, large: None, told }))
}

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
        if !was.is_same(now, how) {
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
            Some(_) if !was.is_same(now, how) && status.is_seen() => {
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
    let comes_back = |case: &&Case| matches!(case.status, Status::Told | Status::Panicked);
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
