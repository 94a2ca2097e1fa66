//! Puts mutants into a text: each as a branch that is taken when it is on, around what was there.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use crate::candidates::{Candidate, candidates};
use crate::functions::{Function, functions};
use crate::places::{Place, Spot, lines_of, spots};
use crate::switch::MODULE;
use kaizen_source::{Unreadable, with_files};

/// A wrong version of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Its number, by which it is turned on.
    pub number: usize,
    /// The function.
    pub function: String,
    /// The line of the text it is in, counted from 1.
    pub line: u32,
    /// What it does, such as ``replaces `<` by `<=` ``.
    pub what: String,
    /// Whether it is about the function as a whole, and about no line of it.
    pub whole: bool,
}

/// What was put in, in bytes of the text with mutants: up to what was there before, and from there on.
type Around = (Range<usize>, Range<usize>);

/// A text with mutants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The text.
    pub text: String,
    /// The mutants in it.
    pub mutants: Vec<Mutant>,
    /// The places in it where it is noted that a test comes by.
    pub places: Vec<Place>,
    /// What was put in, each with the number of its mutant or place.
    around: Vec<(usize, Around)>,
    /// The functions with their lines.
    functions: Vec<(String, RangeInclusive<u32>)>,
}

impl Instrumented {
    /// The number of the mutant or place that the compiler means with an error at these bytes: the one whose code is there, or
    /// else the innermost one around it. None when none is to blame.
    #[must_use]
    pub fn refused(&self, bytes: Range<usize>) -> Option<usize> {
        let begins = |(_, around): &&(usize, Around)| around.0.start <= bytes.start && bytes.start < around.1.end;
        let own = self.around.iter().filter(begins).filter(|(_, around)| bytes.start < around.0.end);
        let all = || self.around.iter().filter(begins);
        let innermost = |(_, around): &&(usize, Around)| around.1.end - around.0.start;
        own.min_by_key(innermost).or_else(|| all().min_by_key(innermost)).map(|(number, _)| *number)
    }
}

impl Instrumented {
    /// The numbers of all in the function around a line.
    pub fn in_function(&self, line: u32) -> impl Iterator<Item = usize> {
        let here = self.functions.iter().find(|(_, lines)| lines.contains(&line)).map(|(name, _)| name.as_str());
        let mutants = self.mutants.iter().filter(move |one| Some(one.function.as_str()) == here).map(|one| one.number);
        let places = self.places.iter().filter(move |one| Some(one.function.as_str()) == here).map(|one| one.number);
        mutants.chain(places)
    }
}

/// Puts the mutants of these functions into a text, numbered from `first` on and without those numbers in `without`; and on
/// the lines of these functions that are in `changed` notes of what is run.
///
/// # Errors
/// When the text cannot be read.
pub fn instrument(
    text: &str,
    wanted: &BTreeSet<String>,
    changed: &[Range<u32>],
    first: usize,
    without: &BTreeSet<usize>,
) -> Result<Instrumented, Unreadable> {
    let (candidates, spots, bodies) = with_files(&[text], |files| {
        let functions = files.first().map(functions).unwrap_or_default().into_iter();
        // A constant one may be called where no switch can be asked.
        let may_ask = |one: &Function<'_>| wanted.contains(&one.label) && one.signature.constness.is_none();
        let functions: Vec<Function<'_>> = functions.filter(may_ask).collect();
        let candidates: Vec<Candidate> = functions.iter().flat_map(|one| candidates(text, one)).collect();
        let spots: Vec<Spot> = functions.iter().flat_map(|one| spots(one, changed)).collect();
        let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
        let lines = |one: &Function<'_>| {
            let braces = &one.body.brace_token.span;
            let lines = line(braces.open().start().line)..=line(braces.close().end().line);
            (one.label.clone(), lines, braces.open().byte_range().end)
        };
        (candidates, spots, functions.iter().map(lines).collect::<Vec<_>>())
    })?;
    let behind = first + candidates.len();
    let is_left = |number: &usize| !without.contains(number);
    let candidates: Vec<_> = (first..).zip(candidates).filter(|(number, _)| is_left(number)).collect();
    let spots: Vec<_> = (behind..).zip(spots).filter(|(number, _)| is_left(number)).collect();
    let mut places = lines_of(text, &spots, changed);
    places.retain(|place| !place.lines.is_empty());
    let noted = spots.iter().filter(|(number, _)| places.iter().any(|place| place.number == *number));
    let mutants = candidates.iter().map(|(number, candidate)| Piece {
        number: *number,
        place: candidate.place.clone(),
        before: &candidate.before,
        after: candidate.after,
    });
    let noted = noted.map(|(number, spot)| Piece {
        number: *number,
        place: spot.bytes.clone(),
        before: if spot.statement { "{on}; " } else { "{ {on}; " },
        after: if spot.statement { "" } else { " }" },
    });
    // It comes before everything else in a body. Crates that refuse to be built with warnings would refuse all of this.
    let quiet = bodies.iter().filter(|_| !without.contains(&QUIET)).map(|(_, _, begin)| Piece {
        number: QUIET,
        place: *begin..*begin,
        before: "#![allow(warnings)] ",
        after: "",
    });
    let (text, around) = put_in(text, &quiet.chain(mutants).chain(noted).collect::<Vec<_>>());
    let functions = bodies.into_iter().map(|(name, lines, _)| (name, lines)).collect();
    let mutant = |(number, candidate): (usize, Candidate)| Mutant {
        number,
        function: candidate.function,
        line: candidate.line,
        what: candidate.what,
        whole: candidate.after.is_empty(),
    };
    Ok(Instrumented { text, mutants: candidates.into_iter().map(mutant).collect(), places, around, functions })
}

/// The number of what silences warnings: nothing else has it.
const QUIET: usize = usize::MAX - 1;

/// What is put in around a place, or before it where nothing comes behind it.
struct Piece<'p> {
    number: usize,
    place: Range<usize>,
    before: &'p str,
    after: &'static str,
}

/// A text that is put in at a place, for the piece at a position of the list.
struct Insertion {
    place: usize,
    of: usize,
    begins: bool,
    /// The length of what is wrapped.
    length: usize,
    text: String,
}

impl Insertion {
    /// What ends at a place ends before something else begins there. Of what begins at the same place the longer one comes
    /// first, of what ends there the shorter one; of two around the same piece the first is outside.
    fn order(&self) -> (usize, bool, usize, usize) {
        if self.begins {
            let whole = if self.length == 0 { 0 } else { usize::MAX - self.length };
            (self.place, true, whole, self.of)
        } else {
            (self.place, false, self.length, usize::MAX - self.of)
        }
    }
}

/// The text with these pieces, and where each of them is.
fn put_in(text: &str, pieces: &[Piece<'_>]) -> (String, Vec<(usize, Around)>) {
    let mut insertions = Vec::new();
    for (of, Piece { number, place, before, after }) in pieces.iter().enumerate() {
        let Range { start, end } = place.clone();
        // What only comes before a place wraps nothing.
        let length = if after.is_empty() { 0 } else { end - start };
        let before = before.replace("{on}", &format!("crate::{MODULE}::on({number})"));
        insertions.push(Insertion { place: start, of, begins: true, length, text: before });
        if !after.is_empty() {
            insertions.push(Insertion { place: end, of, begins: false, length, text: (*after).to_owned() });
        }
    }
    insertions.sort_by_key(Insertion::order);
    let mut out = String::with_capacity(text.len() * 2);
    let mut ranges: Vec<(usize, Around)> = pieces.iter().map(|piece| (piece.number, (0..0, 0..0))).collect();
    let mut done = 0;
    for Insertion { place, of, begins, text: put, .. } in insertions {
        out.push_str(text.get(done..place).unwrap_or_default());
        done = place;
        let range = out.len()..out.len() + put.len();
        out.push_str(&put);
        if let Some((_, (before, after))) = ranges.get_mut(of) {
            if begins {
                *after = range.end..range.end;
                *before = range;
            } else {
                *after = range;
            }
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, ranges)
}
