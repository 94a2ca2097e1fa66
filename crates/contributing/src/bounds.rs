//! Bounds: how much of a text from outside is looked at, and what is left of it when it is shown.

/// Bytes of one file that are read. No rules that people read are longer.
pub(crate) const FILE: usize = 256 * 1024;
/// Bytes of all files together.
pub(crate) const ALL: usize = 2 * 1024 * 1024;
/// Files that are read.
pub(crate) const FILES: usize = 100;
/// Characters of one sentence; a longer one is looked at in pieces.
pub(crate) const SENTENCE: usize = 1200;
/// Characters of a quoted sentence.
pub(crate) const QUOTE: usize = 240;
/// Quotes that are kept as evidence.
pub(crate) const QUOTES: usize = 40;
/// Characters of a path.
pub(crate) const PATH: usize = 200;

/// A text on one line, without control characters and marks that turn its direction, cut to `most` characters.
#[must_use]
pub fn clean(text: &str, most: usize) -> String {
    let mut kept = String::new();
    let mut count = 0;
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            space = !kept.is_empty();
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        let width = 1 + usize::from(space);
        if count + width >= most {
            kept.push('…');
            return kept;
        }
        if space {
            kept.push(' ');
            space = false;
        }
        kept.push(c);
        count += width;
    }
    kept
}

/// Whether a character is not seen, or changes how others are seen.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || ('\u{e0000}'..='\u{e0fff}').contains(&c)
}

/// The beginning of a text, no longer than `most` bytes and ending between characters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_text_is_one_short_line() {
        assert_eq!(clean("  a\n\tb\u{1b}[31m\u{202e} c ", 40), "a b [31m c");
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("", 4), "");
        assert_eq!(cut("aé", 2), "a");
    }
}
