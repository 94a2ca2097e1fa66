//! The text of a driver, and where in it its units stand: what the compiler refuses can be left out.

use std::collections::BTreeSet;
use std::ops::Range;

/// A part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// A way to drive a function.
    Entry(usize, usize),
    /// What runs asynchronous functions on tokio.
    Tokio,
    /// All ways to make a type, or one of them.
    Maker(usize, Option<usize>),
    /// All ways to look at a type, or one of them.
    Looker(usize, Option<usize>),
}

/// The text of a driver.
#[derive(Debug, Clone)]
pub struct Program {
    /// All of it.
    pub text: String,
    /// The units, by their numbers.
    parts: Vec<Part>,
}

/// Where a unit stands.
#[derive(Debug, Clone)]
struct Part {
    unit: Unit,
    /// Its lines, counted from 1.
    lines: Range<u32>,
    /// The unit that makes no sense when none of those that stand in it so is left.
    needed_by: Option<usize>,
}

/// What a unit stands under: with `--cfg` and this name it is left out.
pub(crate) fn unless(number: usize) -> String {
    format!("#[cfg(not({}))] ", left_out(number))
}

pub(crate) fn left_out(number: usize) -> String {
    format!("{LEFT_OUT}{number}")
}

const LEFT_OUT: &str = "left_out_";

impl Program {
    /// A table for whoever builds it, a line a unit, the smallest units first: its first line, the line behind its last one, its
    /// number, and the number of the unit that is to be left out when all units with that number here are, or `-`.
    #[must_use]
    pub fn parts(&self) -> String {
        let mut all: Vec<(usize, &Part)> = self.parts.iter().enumerate().collect();
        all.sort_by_key(|(number, part)| (part.lines.end - part.lines.start, *number));
        let line = |(number, Part { lines, needed_by, .. }): (usize, &Part)| {
            let needed_by = needed_by.map_or("-".to_owned(), |number| number.to_string());
            format!("{} {} {number} {needed_by}\n", lines.start, lines.end)
        };
        all.into_iter().map(line).collect()
    }

    /// The units with these numbers.
    #[must_use]
    pub fn units(&self, numbers: &BTreeSet<usize>) -> BTreeSet<Unit> {
        numbers.iter().filter_map(|number| self.parts.get(*number)).map(|part| part.unit).collect()
    }
}

/// A text that grows, and knows where its units stand.
pub(crate) struct Writer {
    pub text: String,
    parts: Vec<Part>,
    /// A byte and its line, to count lines only once.
    counted: (usize, u32),
}

/// A unit that has begun.
pub(crate) struct Begun {
    number: usize,
    /// What it stands under.
    pub unless: String,
}

impl Writer {
    /// Goes on from a text without units.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), parts: Vec::new(), counted: (0, 1) }
    }

    /// What was written.
    pub fn program(self) -> Program {
        Program { text: self.text, parts: self.parts }
    }

    /// The number of the line that comes next.
    fn line(&mut self) -> u32 {
        let (from, line) = self.counted;
        let more = self.text.get(from..).unwrap_or_default().matches('\n').count();
        self.counted = (self.text.len(), line.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)));
        self.counted.1
    }

    /// The number of the unit that comes next.
    pub fn next(&self) -> usize {
        self.parts.len()
    }

    /// Begins a unit in which others stand.
    pub fn begin(&mut self, unit: Unit) -> Begun {
        let (number, from) = (self.next(), self.line());
        self.parts.push(Part { unit, lines: from..from, needed_by: None });
        Begun { number, unless: unless(number) }
    }

    /// Ends it. It needs one of so many units that came first in it.
    pub fn end(&mut self, begun: Begun, needs: usize) {
        let to = self.line();
        if let Some(part) = self.parts.get_mut(begun.number) {
            part.lines.end = to;
        }
        self.parts.iter_mut().skip(begun.number + 1).take(needs).for_each(|part| part.needed_by = Some(begun.number));
    }

    /// Writes a unit.
    pub fn unit(&mut self, unit: Unit, text: &str) {
        let begun = self.begin(unit);
        self.text.push_str(&begun.unless);
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
        self.end(begun, 0);
    }
}
