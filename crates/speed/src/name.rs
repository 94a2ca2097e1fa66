//! Name: what a benchmark is called. Names come from outside and go to people, so what cannot be seen is written out,
//! and what is too long is cut.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Characters of a name that are kept.
const MOST: usize = 160;
/// Characters of a digest.
const DIGEST: usize = 16;

/// The name of a benchmark. Nothing in it is invisible, and it is short enough for a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name that a text stands for.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match fitting(text, MOST) {
            (name, true) => Self(name),
            (_, false) => Self(format!("{}{:016x}", shown(text, MOST - DIGEST), digest(text))),
        }
    }

    /// As a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text from outside as a person may be shown it: trimmed, visible, of so many characters at most.
pub(crate) fn shown(text: &str, most: usize) -> String {
    let (mut shown, whole) = fitting(text, most);
    if !whole {
        shown.push('…');
    }
    shown
}

/// A text made visible, and whether all of it fits. Where it does not, one place is left for a sign that says so.
fn fitting(text: &str, most: usize) -> (String, bool) {
    let (mut shown, mut used, mut kept) = (String::new(), 0, 0);
    for c in text.trim().chars() {
        let written: String = if is_unseen(c) { c.escape_unicode().collect() } else { c.to_string() };
        used += written.chars().count();
        if used > most {
            shown.truncate(kept);
            return (shown, false);
        }
        shown.push_str(&written);
        if used < most {
            kept = shown.len();
        }
    }
    (shown, true)
}

/// A digest that tells apart names which begin in the same way (FNV-1a). Whoever makes two that collide has two
/// benchmarks of one name, which is refused.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Controls, other spaces than the usual one, and what changes how text looks without being seen: bidirectional
/// controls, zero-width characters, tags, variation selectors.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(Name::of(" sort::Vec<u64>/1 000 ").as_str(), "sort::Vec<u64>/1 000");
        assert_eq!(
            Name::of("a\u{1b}[2Jb\u{202e}c\u{a0}d\n\u{e0041}").as_str(),
            r"a\u{1b}[2Jb\u{202e}c\u{a0}d\n\u{e0041}".replace(r"\n", r"\u{a}")
        );
    }

    #[test]
    fn long_names_are_cut_and_reading_one_again_changes_nothing() {
        let long = Name::of(&"é".repeat(5_000));
        assert_eq!(long.as_str().chars().count(), MOST);
        assert!(long.as_str().starts_with("ééé") && long.as_str().contains('…'));
        assert_ne!(long, Name::of(&"é".repeat(5_001)));
        assert_eq!(Name::of(&"a".repeat(MOST)).as_str(), "a".repeat(MOST));
        assert_eq!([shown("abcd", 4), shown("abcde", 4), shown("ab\u{7}", 4)], ["abcd", "abc…", "ab…"]);
        for text in [long.as_str(), r"a\u{1b}", &"\u{7}".repeat(200), "plain"] {
            let once = Name::of(text);
            assert_eq!(Name::of(once.as_str()), once);
            let json = serde_json::to_string(&once).unwrap();
            assert_eq!(serde_json::from_str::<Name>(&json).unwrap(), once);
        }
    }
}
