//! What a driver writes down: a line for each call, with the number of the entry, of the case, how it ended, and digests of
//! what went in and came out. What it writes is not trusted to be anything.

use std::collections::BTreeMap;

use crate::plan::Plan;

/// The longest line that is read, bytes.
const LINE: usize = 64 << 10;
/// So many times as much memory in large pieces, and so many bytes more for an input or a long one, are not to be expected.
const MORE: u64 = 16;
const MEMORY: [u64; 2] = [1 << 20, 8 << 20];

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It came back, and something can be seen of that.
    Told,
    /// The same, with a copy where the type allows that it is lent as well: what is lent before must not be copied after.
    Copied,
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
    /// Whether it came back with something.
    pub(crate) fn is_answer(self) -> bool {
        matches!(self, Self::Told | Self::Copied)
    }

    /// Whether the function was called and something can be said of it that must stay.
    #[must_use]
    pub fn is_seen(self) -> bool {
        matches!(self, Self::Told | Self::Copied | Self::Panicked | Self::Hung | Self::Died)
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
pub(crate) enum Closeness {
    Exactly,
    /// In whichever order maps and sets print what they hold.
    Unordered,
    /// Only how it ends: what it says is never the same.
    Ending,
}

impl Closeness {
    pub(crate) const ALL: [Self; 3] = [Self::Exactly, Self::Unordered, Self::Ending];
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// How it ended.
    pub status: Status,
    digests: Option<Digests>,
    /// How much memory the call asked for in large pieces, bytes.
    pub(crate) memory: u64,
    /// Of a long input: how long the call took, microseconds, and the input as text.
    pub large: Option<(u64, String)>,
    /// Where it was told whole: its choices, its input and its output as text.
    pub told: Option<(Vec<u64>, String, String)>,
}

impl Case {
    /// What came of it, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let memory = match self.memory.checked_shr(20).filter(|mib| *mib > 0) {
            Some(mib) => format!(", with {mib} MiB of memory"),
            None => String::new(),
        };
        match (self.status, &self.told) {
            (Status::Panicked, _) => "a panic".to_owned(),
            (Status::Overflowed, _) => "an overflow".to_owned(),
            (Status::Hung, _) => "no end".to_owned(),
            (Status::Died, _) => "the end of the process".to_owned(),
            (Status::Copied, Some((_, _, output))) => format!("`{output}`, copied{memory}"),
            (_, Some((_, _, output))) => format!("`{output}`{memory}"),
            _ => "something else".to_owned(),
        }
    }

    /// Whether it panics or does not come back, where there was an answer before.
    #[must_use]
    pub fn is_worse_than(&self, before: &Self) -> bool {
        before.status.is_answer() && matches!(self.status, Status::Panicked | Status::Hung | Status::Died)
    }

    pub(crate) fn shown_long(&self, answer: &str) -> String {
        if self.status.is_answer() { answer.to_owned() } else { self.shown() }
    }

    /// How closely what the same code gives twice is the same; none when it is not.
    pub(crate) fn repeats(&self, again: &Self) -> Option<Closeness> {
        Closeness::ALL.into_iter().find(|how| self.is_same(again, *how))
    }

    pub(crate) fn is_same(&self, other: &Self, how: Closeness) -> bool {
        self.status == other.status && self.says_the_same(other, how)
    }

    /// Whether the same comes back after a change, or the same and lent.
    pub(crate) fn is_kept(&self, after: &Self, how: Closeness) -> bool {
        let is_lent = (self.status, after.status) == (Status::Copied, Status::Told);
        (is_lent || self.status == after.status) && self.says_the_same(after, how) && !self.asks_for_less(after)
    }

    /// Whether another one asks for so much more memory that nobody would expect it.
    pub(crate) fn asks_for_less(&self, other: &Self) -> bool {
        let more = MEMORY.get(usize::from(self.large.is_some())).copied().unwrap_or(u64::MAX);
        other.memory > self.memory.saturating_mul(MORE).saturating_add(more)
    }

    fn says_the_same(&self, other: &Self, how: Closeness) -> bool {
        let of = |digests: Digests| match how {
            Closeness::Exactly => (digests.input, digests.output),
            Closeness::Unordered => (digests.input, digests.unordered),
            Closeness::Ending => (digests.input, 0),
        };
        match (self.digests, other.digests) {
            (Some(one), Some(two)) => of(one) == of(two),
            _ => true,
        }
    }

    /// Whether something else comes back for the same input.
    pub(crate) fn differs(&self, after: &Self, how: Closeness) -> bool {
        self.status.is_seen()
            && self.is_comparable(after)
            && !matches!(after.status, Status::Late | Status::Rejected)
            && !self.is_kept(after, how)
    }

    /// Whether both were made of the same choices, as far as that is known.
    pub(crate) fn is_comparable(&self, other: &Self) -> bool {
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
        "copied" => Status::Copied,
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
    let memory = words.next().and_then(|bytes| bytes.parse().ok()).unwrap_or_default();
    if is_large {
        let large = parts.next().and_then(|took| Some((took.parse().ok()?, parts.next()?.to_owned())));
        return Some((place, Case { status, digests, memory, large, told: None }));
    }
    let told = parts.next().and_then(|choices| {
        let choices = choices.split(',').filter_map(|one| one.parse().ok()).collect();
        Some((choices, parts.next()?.to_owned(), parts.next()?.to_owned()))
    });
    Some((place, Case { status, digests, memory, large: None, told }))
}
