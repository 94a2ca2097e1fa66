//! Lines, line numbers and line ends of a text.

/// The lines of a text, each with its line end; none for an empty text.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The lines of a byte string, each with its line end.
pub(crate) fn byte_lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// The number of the line that a byte offset is in, counted from 1.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// Line and column of a byte offset, both counted from 1, the column in characters.
pub(crate) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line_at(text, offset), before.get(start..).unwrap_or("").chars().count() + 1)
}

/// The line end that most lines of a text have.
pub(crate) fn line_end(text: &str) -> &'static str {
    let feeds = text.matches('\n').count();
    let pairs = text.matches("\r\n").count();
    if pairs * 2 > feeds { "\r\n" } else { "\n" }
}

/// The text with every line end written as `end`.
pub(crate) fn with_line_ends(text: &str, end: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    if end == "\n" { plain } else { plain.replace('\n', end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        assert_eq!(line_column("ab\ncü d", 7), (2, 4));
        assert_eq!(line_column("", 0), (1, 1));
        assert_eq!(line_at("a\nb\n", 4), 3);
        assert!(lines("").is_empty());
    }

    #[test]
    fn the_line_end_of_the_majority_wins() {
        assert_eq!(line_end("a\r\nb\r\nc\n"), "\r\n");
        assert_eq!(line_end("a\r\nb\n"), "\n");
        assert_eq!(with_line_ends("a\r\nb\n", "\r\n"), "a\r\nb\r\n");
    }
}
