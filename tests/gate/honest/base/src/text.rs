//! Helpers for plain text.

use std::collections::BTreeMap;

/// Breaks `text` into lines of at most `width` characters. A word that is
/// longer than a line gets a line of its own. There are no empty lines.
///
/// ```
/// assert_eq!(garden::text::wrap("one two three", 7), ["one two", "three"]);
/// ```
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() <= width + 1 && line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(line.clone());
            line = String::new();
            line.push_str(word);
        }
    }
    if line.len() > 0 {
        lines.push(line);
    }
    lines
}

/// Cuts `text` to at most `max` characters; a cut text ends in `...`.
pub fn truncate(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_string();
    }
    let keep = max.saturating_sub(3);
    format!("{}{}", &text[..keep], &"..."[..max - keep])
}

/// Puts `n` spaces before each line that is not empty.
pub fn indent(text: &str, n: usize) -> String {
    let mut padding = String::new();
    for _ in 0..n {
        padding.push(' ');
    }
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{}{}", padding, line)
            }
        })
        .collect();
    lines.join("\n")
}

/// A name for use in file names: lower case, words joined by `-`.
pub fn slug(title: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in title.chars() {
        if c.is_alphanumeric() {
            for lower in c.to_lowercase() {
                word.push(lower);
            }
        } else {
            if !word.is_empty() {
                words.push(word.clone());
                word.clear();
            }
        }
    }
    if !word.is_empty() {
        words.push(word.clone());
    }
    words.join("-")
}

/// How often each word occurs; upper and lower case are the same.
pub fn word_counts(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split_whitespace() {
        let key = word.to_lowercase();
        if counts.contains_key(&key) {
            let n: usize = counts[&key];
            counts.insert(key.clone(), n + 1);
        } else {
            counts.insert(key.clone(), 1);
        }
    }
    counts
}

/// The different words of a text, in the order in which they first occur.
pub fn unique_words(text: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if !seen.contains(&word.to_string()) {
            seen.push(word.to_string());
        }
    }
    seen
}

/// Whether the letters and digits read the same from both ends.
pub fn is_palindrome(text: &str) -> bool {
    let chars: Vec<char> = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(|c| c.to_lowercase())
        .collect();
    for i in 0..chars.len() {
        if chars[i] != chars[chars.len() - 1 - i] {
            return false;
        }
    }
    true
}

/// Reads `key: value`; both sides are trimmed, and the key must not be empty.
pub fn parse_field(line: &str) -> Option<(String, String)> {
    let colon = line.find(":");
    match colon {
        Some(at) => {
            let key = line[..at].trim();
            let value = line[at + 1..].trim();
            if key.is_empty() {
                None
            } else {
                Some((key.to_string(), value.to_string()))
            }
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aa bb cc", 4), ["aa", "bb", "cc"]);
        assert_eq!(wrap("  aa   bb ", 20), ["aa bb"]);
        assert_eq!(wrap("ää öö", 5), ["ää öö"]);
        assert!(wrap("", 5).is_empty());
    }

    #[test]
    fn a_long_word_has_its_own_line() {
        assert_eq!(wrap("a abcdef b", 3), ["a", "abcdef", "b"]);
    }

    #[test]
    fn cuts_long_text() {
        assert_eq!(truncate("garden", 6), "garden");
        assert_eq!(truncate("gardener", 6), "gar...");
        assert_eq!(truncate("gardener", 3), "...");
        assert_eq!(truncate("gardener", 2), "..");
        assert_eq!(truncate("", 0), "");
    }

    #[test]
    fn indents_lines() {
        assert_eq!(indent("a\n\nb", 2), "  a\n\n  b");
        assert_eq!(indent("a", 0), "a");
        assert_eq!(indent("", 4), "");
    }

    #[test]
    fn makes_slugs() {
        assert_eq!(slug("Hello, World"), "hello-world");
        assert_eq!(slug("  Beds 1 & 2!"), "beds-1-2");
        assert_eq!(slug("?!"), "");
    }

    #[test]
    fn counts_words() {
        let counts = word_counts("Rose rose tulip ROSE");
        assert_eq!(counts.get("rose"), Some(&3));
        assert_eq!(counts.get("tulip"), Some(&1));
        assert_eq!(counts.len(), 2);
    }

    #[test]
    fn finds_unique_words() {
        assert_eq!(unique_words("b a b c a"), ["b", "a", "c"]);
        assert!(unique_words(" ").is_empty());
    }

    #[test]
    fn finds_palindromes() {
        assert!(is_palindrome("A man, a plan, a canal: Panama"));
        assert!(is_palindrome(""));
        assert!(is_palindrome("abba"));
        assert!(!is_palindrome("abca"));
        assert!(!is_palindrome("ab"));
    }

    #[test]
    fn reads_fields() {
        let field = |line: &str| parse_field(line);
        let pair = |a: &str, b: &str| Some((a.to_string(), b.to_string()));
        assert_eq!(field(" name : red rose "), pair("name", "red rose"));
        assert_eq!(field("time: 10:30"), pair("time", "10:30"));
        assert_eq!(field("empty:"), pair("empty", ""));
        assert_eq!(field(": x"), None);
        assert_eq!(field("nothing"), None);
    }
}
