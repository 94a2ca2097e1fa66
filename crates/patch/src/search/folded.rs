//! A text seen with plain line feeds, and the way back to the bytes of the original.

use std::borrow::Cow;
use std::ops::Range;

use crate::lines::line_end;

pub(crate) struct Folded<'t> {
    text: Cow<'t, str>,
    /// Offsets in the folded text of the line feeds that stood behind a carriage return.
    pairs: Vec<usize>,
    end: &'static str,
}

impl<'t> Folded<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        if !text.contains("\r\n") {
            return Self { text: Cow::Borrowed(text), pairs: Vec::new(), end: "\n" };
        }
        let pairs = text.match_indices("\r\n").enumerate().map(|(before, (at, _))| at - before).collect();
        Self { text: Cow::Owned(text.replace("\r\n", "\n")), pairs, end: line_end(text) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the original that a range of the folded text stands for.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let shift = |at: usize| at + self.pairs.partition_point(|pair| *pair < at);
        shift(range.start)..shift(range.end)
    }

    /// The text with the line ends of the place it will stand in.
    pub(crate) fn with_its_ends(&self, text: &str, range: &Range<usize>) -> String {
        let inside = self.text.get(range.clone()).and_then(|text| text.find('\n')).map(|at| range.start + at);
        let end = match inside {
            Some(feed) if self.pairs.binary_search(&feed).is_ok() => "\r\n",
            Some(_) => "\n",
            None => self.end,
        };
        if end == "\n" { text.to_owned() } else { text.replace('\n', end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_finds_its_way_back() {
        let folded = Folded::new("a\r\nb\r\nc");
        assert_eq!(folded.text(), "a\nb\nc");
        assert_eq!(folded.original(&(0..1)), 0..1);
        assert_eq!(folded.original(&(1..3)), 1..4);
        assert_eq!(folded.original(&(2..5)), 3..7);
    }
}
