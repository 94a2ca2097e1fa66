//! What a job prints: kept up to a limit, and handed on line by line as it comes.
//!
//! Output is untrusted bytes. A line may be endless and need not be UTF-8; memory stays bounded either way.

use super::finished::Stream;

/// Bytes of a line that are handed on; the rest of a longer one is cut off there. What is kept is not cut.
const LINE_CAP: usize = 64 << 10;
/// Stands at the end of a line that was cut.
const CUT_MARK: &[u8] = b" [line cut by Kaizen]";

/// One stream of a job.
#[derive(Debug)]
pub(super) struct Output {
    stream: Stream,
    keep: bool,
    kept: Vec<u8>,
    line: Vec<u8>,
    cut: bool,
}

impl Output {
    /// With `keep`, all of it is given back in the end.
    pub(super) fn new(stream: Stream, keep: bool) -> Self {
        Self { stream, keep, kept: Vec::new(), line: Vec::new(), cut: false }
    }

    /// Takes what was read, keeps it where it is wanted, and hands on the lines that it completes.
    pub(super) fn take(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(Stream, &[u8])) {
        if self.keep {
            self.kept.extend_from_slice(bytes);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, complete) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = LINE_CAP.saturating_sub(self.line.len());
            self.line.extend_from_slice(text.get(..room).unwrap_or(text));
            self.cut |= text.len() > room;
            if complete {
                self.hand_on(on_line);
            }
        }
    }

    /// Hands on a last line without an end, and gives back all that was kept.
    pub(super) fn finish(mut self, on_line: &mut dyn FnMut(Stream, &[u8])) -> Vec<u8> {
        if !self.line.is_empty() {
            self.hand_on(on_line);
        }
        self.kept
    }

    fn hand_on(&mut self, on_line: &mut dyn FnMut(Stream, &[u8])) {
        if self.cut {
            self.line.extend_from_slice(CUT_MARK);
        }
        on_line(self.stream, &self.line);
        self.line.clear();
        self.cut = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut lines = Vec::new();
        let mut on_line = |_: Stream, line: &[u8]| lines.push(line.to_vec());
        let mut output = Output::new(Stream::Stdout, true);
        for piece in pieces {
            output.take(piece, &mut on_line);
        }
        let kept = output.finish(&mut on_line);
        (lines, kept)
    }

    #[test]
    fn lines_come_whole_however_they_are_read() {
        let (lines, kept) = lines_of(&[b"on", b"e\ntw\xff", b"o\n\nlast"]);
        assert_eq!(lines, [b"one".to_vec(), b"tw\xffo".to_vec(), Vec::new(), b"last".to_vec()]);
        assert_eq!(kept, b"one\ntw\xffo\n\nlast");
    }

    #[test]
    fn what_is_not_to_be_kept_is_handed_on_all_the_same() {
        let mut lines = 0;
        let mut on_line = |_: Stream, _: &[u8]| lines += 1;
        let mut output = Output::new(Stream::Stderr, false);
        output.take(b"one\ntwo\nlast", &mut on_line);
        assert!(output.finish(&mut on_line).is_empty());
        assert_eq!(lines, 3);
    }

    #[test]
    fn an_endless_line_is_cut_with_a_mark_and_the_next_one_is_not() {
        let long = vec![b'x'; LINE_CAP * 3];
        let (lines, kept) = lines_of(&[&long, &long, b"\nshort\n"]);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len(), LINE_CAP + CUT_MARK.len());
        assert!(lines[0].ends_with(CUT_MARK));
        assert_eq!(lines[1], b"short");
        assert_eq!(kept.len(), long.len() * 2 + 7);
        let (exact, _) = lines_of(&[&long[..LINE_CAP], b"\n"]);
        assert_eq!(exact[0].len(), LINE_CAP, "a line that just fits is not marked");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(bytes in prop::collection::vec(prop::sample::select(&b"a\n\xff"[..]), 0..200),
                                          at in 0usize..200) {
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(lines_of(&[first, second]), lines_of(&[&bytes]));
        }
    }
}
