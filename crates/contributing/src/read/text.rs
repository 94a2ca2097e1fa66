//! Text: a file as sentences, each with its line, its heading and its words in a plain form that patterns fit.
//!
//! Markdown, reStructuredText, AsciiDoc and plain text are read alike: headings, items and empty lines part paragraphs,
//! and code between fences is left out. What stands in HTML comments is kept, since forms give their rules there.

use super::words;
use crate::bounds;

/// One sentence of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Sentence {
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// As it was written, on one line.
    pub raw: String,
    /// In lower case, without marks, short forms written out, with a space before and after each word.
    pub normal: String,
    /// The headings above it are about generated contributions.
    pub under_ai: bool,
    /// A heading above it is about contributions.
    pub under_contributing: bool,
    /// The plain form of the nearest heading.
    pub heading: String,
    /// It is a heading itself.
    pub is_heading: bool,
    /// It belongs to a box to tick.
    pub checkbox: bool,
    /// It follows the one before in the same paragraph.
    pub goes_on: bool,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    /// Where in the text each line begins.
    starts: Vec<(usize, usize)>,
    checkbox: bool,
}

#[derive(Default)]
struct Reader {
    sentences: Vec<Sentence>,
    /// Levels and plain texts of the headings above.
    headings: Vec<(usize, String)>,
    paragraph: Paragraph,
}

/// The sentences of a text.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let lines: Vec<&str> = text.lines().collect();
    let last_fence = lines.iter().rposition(|line| is_fence(line.trim_start()));
    let mut reader = Reader::default();
    let mut fenced = false;
    for (index, whole) in lines.iter().enumerate() {
        let line = whole.trim_start_matches(['>', ' ', '\t']).trim_end();
        if is_fence(line) {
            reader.end();
            fenced = !fenced && last_fence.is_some_and(|last| index < last);
            continue;
        }
        if fenced {
            continue;
        }
        reader.line(index + 1, line);
    }
    reader.end();
    reader.sentences
}

fn is_fence(line: &str) -> bool {
    line.starts_with("```") || line.starts_with("~~~")
}

/// The level of a heading and its text.
fn heading(line: &str) -> Option<(usize, &str)> {
    let mark = if line.starts_with('#') { '#' } else { '=' };
    let text = line.trim_start_matches(mark);
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| (level, text.trim().trim_end_matches(mark).trim()))
}

/// Whether a line underlines the one above.
fn is_underline(line: &str) -> Option<usize> {
    let first = line.chars().next()?;
    let level = ['=', '-', '~', '^', '*', '+'].iter().position(|mark| *mark == first)?;
    (line.len() >= 3 && line.chars().all(|c| c == first)).then_some(level + 1)
}

/// What follows the mark of an item of a list.
fn item(line: &str) -> Option<&str> {
    if let Some(rest) = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some(rest);
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - rest.len();
    if !(1..=3).contains(&digits) {
        return None;
    }
    [". ", ") "].iter().find_map(|mark| rest.strip_prefix(mark))
}

/// What follows a box to tick.
pub(crate) fn checkbox(text: &str) -> Option<&str> {
    ["[ ]", "[x]", "[X]", "[]", "[*]"].iter().find_map(|mark| text.strip_prefix(mark))
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        if let Some(level) = is_underline(line) {
            if self.paragraph.starts.len() == 1 && !self.paragraph.text.is_empty() {
                let text = std::mem::take(&mut self.paragraph).text;
                self.heading(number.saturating_sub(1), level, &text);
            }
            self.end();
        } else if line.is_empty() || line == "<!--" || line == "-->" || line == "--" {
            self.end();
        } else if let Some((level, text)) = heading(line) {
            self.end();
            self.heading(number, level, text);
        } else if let Some(text) = item(line) {
            self.end();
            let text = text.trim_start();
            self.paragraph.checkbox = checkbox(text).is_some();
            self.push(number, checkbox(text).unwrap_or(text));
        } else {
            if line.starts_with('|') || line.starts_with("[!") {
                self.end();
            }
            self.push(number, line);
        }
    }

    fn push(&mut self, number: usize, line: &str) {
        if !self.paragraph.text.is_empty() {
            self.paragraph.text.push(' ');
        }
        self.paragraph.starts.push((self.paragraph.text.len(), number));
        self.paragraph.text.push_str(line);
    }

    fn heading(&mut self, line: usize, level: usize, text: &str) {
        let normal = words::normal(text);
        self.headings.retain(|(above, _)| *above < level);
        let sentence = self.sentence(line, text, &normal);
        self.sentences.push(Sentence { is_heading: true, ..sentence });
        self.headings.push((level, normal));
    }

    fn sentence(&self, line: usize, raw: &str, normal: &str) -> Sentence {
        let above = || self.headings.iter().map(|(_, text)| text.as_str());
        Sentence {
            line,
            raw: raw.to_owned(),
            normal: normal.to_owned(),
            under_ai: above().any(words::is_heading_about_ai),
            under_contributing: above().any(words::is_heading_about_contributing),
            heading: self.headings.last().map(|(_, text)| text.clone()).unwrap_or_default(),
            ..Sentence::default()
        }
    }

    /// Ends the paragraph, and parts it into sentences.
    fn end(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let mut first = true;
        for (start, raw) in split(&paragraph.text) {
            let at = paragraph.starts.partition_point(|(begins, _)| *begins <= start);
            let line = at.checked_sub(1).and_then(|at| paragraph.starts.get(at)).map_or(1, |(_, line)| *line);
            let normal = words::normal(raw);
            if normal.trim().is_empty() {
                continue;
            }
            let sentence = self.sentence(line, raw, &normal);
            self.sentences.push(Sentence { checkbox: paragraph.checkbox, goes_on: !first, ..sentence });
            first = false;
        }
    }
}

/// The sentences of a paragraph, with where each begins.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut length = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        length += 1;
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            '。' | '！' | '？' => true,
            '.' => {
                next.is_none_or(|next| next.is_whitespace() || "*_\")]'”".contains(next))
                    && !is_short(text.get(start..at))
            }
            '!' | '?' => next.is_none_or(|next| next.is_whitespace() || "*_\")]'”".contains(next)),
            _ => length >= bounds::SENTENCE && c.is_whitespace() || length >= 2 * bounds::SENTENCE,
        };
        if ends {
            let end = at + c.len_utf8();
            found.extend(text.get(start..end).map(|raw| (start, raw)));
            start = end;
            length = 0;
        }
    }
    found.extend(text.get(start..).map(|raw| (start, raw)));
    // A sentence begins with its first letter, so that its line is that of a word.
    found.iter().map(|(start, raw)| (start + raw.len() - raw.trim_start().len(), raw.trim())).collect()
}

/// Whether a dot here ends a short form and no sentence.
fn is_short(before: Option<&str>) -> bool {
    let word = before.unwrap_or_default().rsplit([' ', '(']).next().unwrap_or_default().to_lowercase();
    matches!(word.as_str(), "e.g" | "i.e" | "eg" | "ie" | "etc" | "vs" | "cf" | "incl" | "a.i" | "approx")
        || (word.len() <= 3 && !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_know_their_line_and_heading() {
        let text = "# Guide\n\nOne is\nhere. Two (e.g. this)\nis there.\n\n## Use of AI\n- [ ] three\n- four\n```\nno\n```\nFive\n----\nSix";
        let found = sentences(text);
        let shown: Vec<_> = found.iter().map(|one| (one.line, one.raw.as_str())).collect();
        assert_eq!(
            shown,
            [
                (1, "Guide"),
                (3, "One is here."),
                (4, "Two (e.g. this) is there."),
                (7, "Use of AI"),
                (8, "three"),
                (9, "four"),
                (13, "Five"),
                (15, "Six")
            ]
        );
        assert!(found[4].checkbox && found[4].under_ai && !found[5].checkbox && !found[1].under_ai);
        assert!(found[2].goes_on && found[6].is_heading);
    }

    #[test]
    fn a_fence_that_is_never_closed_hides_nothing() {
        assert_eq!(sentences("a\n```\nb").len(), 2);
        assert_eq!(sentences("a\n```\nb\n```\nc").len(), 2);
    }
}
