//! The place of a file that comes nearest to a text that does not stand in it, quoted for whoever wrote the search.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::lines::lines;
use crate::shown::{numbered, shown};

/// Lines of the search that are compared, and of the file that are quoted.
const COMPARED: usize = 24;
const QUOTED: usize = 12;
/// Lines of a file that are looked at.
const LOOKED_AT: usize = 50_000;

/// A few words for an error: the most similar lines with their numbers, or that nothing is similar.
pub(crate) fn nearest(text: &str, search: &str) -> String {
    let file: Vec<&str> = lines(text).into_iter().take(LOOKED_AT).collect();
    let wanted: Vec<&str> =
        lines(search).into_iter().skip_while(|line| line.trim().is_empty()).take(COMPARED).collect();
    let Some((first, score)) = best_window(&file, &wanted) else {
        return "; the file is empty".to_owned();
    };
    if score < 0.4 {
        return format!("; nothing in the file ({} lines) is similar, so it may be the wrong file", file.len());
    }
    let count = wanted.len().clamp(1, QUOTED);
    let quoted = numbered((first + 1..).zip(file.iter().skip(first).take(count).copied()));
    let pairs = || wanted.iter().zip(file.iter().skip(first)).zip(first + 1..);
    let difference = pairs()
        .find(|((wanted, line), _)| wanted.trim() != line.trim())
        .or_else(|| pairs().find(|((wanted, line), _)| wanted.trim_end() != line.trim_end()));
    let differs = difference.map_or_else(String::new, |((wanted, line), number)| {
        format!(
            "\nthe first difference is in line {number}: the file has `{}`, not `{}`",
            shown(line.trim_end(), 160),
            shown(wanted.trim_end(), 160)
        )
    });
    format!(
        "; the most similar place is at line {}:{quoted}{differs}\ncopy these lines from the file, character by character",
        first + 1
    )
}

fn best_window(file: &[&str], wanted: &[&str]) -> Option<(usize, f64)> {
    let file: Vec<(u64, u64)> = file.iter().map(|line| print_of(line)).collect();
    let wanted: Vec<(u64, u64)> = wanted.iter().map(|line| print_of(line)).collect();
    let mut best: Option<(usize, f64)> = None;
    for first in 0..file.len() {
        let alike: f64 = wanted.iter().zip(file.iter().skip(first)).map(|(a, b)| alike(*a, *b)).sum();
        let score = alike / wanted.len().max(1) as f64;
        if best.is_none_or(|(_, known)| score > known) {
            best = Some((first, score));
        }
    }
    best
}

/// A hash of the line, and a set of its words as bits.
fn print_of(line: &str) -> (u64, u64) {
    let line = line.trim();
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let bits = words.fold(0, |bits, word| bits | 1 << (hash(word) % 64));
    (hash(line), bits)
}

fn alike((line, words): (u64, u64), (other_line, other_words): (u64, u64)) -> f64 {
    if line == other_line {
        return 1.0;
    }
    let union = (words | other_words).count_ones();
    if union == 0 { 0.0 } else { 0.9 * f64::from((words & other_words).count_ones()) / f64::from(union) }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
