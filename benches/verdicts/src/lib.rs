//! A workload whose amount is known to the percent: a list of words is parsed, sorted and added up, again and again.

use std::fmt::Write as _;

/// How often. The measurement changes this number and nothing else.
pub const TURNS: u32 = 20;

/// Lines with a word and a number each, the same every time.
pub fn text(lines: usize) -> String {
    let (mut text, mut state) = (String::new(), 0x2545_f491_4f6c_dd1d_u64);
    for _ in 0..lines {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let _ = writeln!(text, "word{:04x} {}", state & 0xffff, (state >> 20) & 0xf_ffff);
    }
    text
}

/// Parses, sorts and adds up a text, turn by turn.
pub fn work(text: &str) -> u64 {
    (0..TURNS).fold(0, |sum, turn| sum.rotate_left(5) ^ one(text, turn))
}

/// One turn: each costs the same, and none can be left out for another.
fn one(text: &str, turn: u32) -> u64 {
    let mut entries: Vec<(u32, &str)> = text
        .lines()
        .filter_map(|line| {
            let (word, number) = line.split_once(' ')?;
            Some((number.parse::<u32>().ok()? ^ turn, word))
        })
        .collect();
    entries.sort_unstable();
    entries.iter().zip(1_u64..).fold(0, |sum, ((number, word), at)| {
        sum.wrapping_add(at.wrapping_mul(u64::from(*number))).rotate_left(word.len() as u32)
    })
}
