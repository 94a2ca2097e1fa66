//! A lexer of Rust that never fails and never recurses, for what must be known before a parser may see the text.
//!
//! It tells code from comments and literals exactly as far as that matters for nesting and for identifiers; on text
//! that is not Rust it yields something, which the parser refuses later.

/// What a lexeme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ident,
    Lifetime,
    Literal,
    Punct,
    Open,
    Close,
}

/// A piece of code with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lexeme<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Byte offset.
    pub(crate) at: usize,
}

/// The code of a text, without comments and white space.
pub(crate) fn lex(text: &str) -> Lexer<'_> {
    Lexer { text, at: 0 }
}

pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Lexer<'t> {
    type Item = Lexeme<'t>;

    fn next(&mut self) -> Option<Lexeme<'t>> {
        self.skip_blank();
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (kind, len) = match first {
            'a'..='z' | 'A'..='Z' | '_' => word(rest),
            '(' | '[' | '{' => (Kind::Open, 1),
            ')' | ']' | '}' => (Kind::Close, 1),
            '"' => (Kind::Literal, quoted(rest, 1, '"')),
            '\'' => tick(rest),
            '0'..='9' => (Kind::Literal, number(rest)),
            c if starts_ident(c) => word(rest),
            c => (Kind::Punct, c.len_utf8()),
        };
        let text = rest.get(..len).unwrap_or(rest);
        let lexeme = Lexeme { kind, text, at: self.at };
        self.at += text.len();
        Some(lexeme)
    }
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let spaces = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')).count();
            self.at += spaces;
            let rest = rest.get(spaces..).unwrap_or("");
            match rest.as_bytes() {
                [b'/', b'/', ..] => self.at += rest.find('\n').unwrap_or(rest.len()),
                [b'/', b'*', ..] => self.at += block_comment(rest),
                // Most code begins here, without a look at any table of characters.
                [b'!'..=b'~', ..] | [] => return,
                _ => {
                    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}');
                    let trimmed = rest.trim_start_matches(blank);
                    self.at += rest.len() - trimmed.len();
                    if trimmed.len() == rest.len() {
                        return;
                    }
                }
            }
        }
    }
}

fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while at + 1 < bytes.len() {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (Some(b'*'), Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of a literal whose quote opened before `from`.
fn quoted(text: &str, from: usize, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.get(from..).unwrap_or("").char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return from + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal or a lifetime.
fn tick(text: &str) -> (Kind, usize) {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => (Kind::Literal, quoted(text, 1, '\'')),
        (Some(c), Some('\'')) => (Kind::Literal, 2 + c.len_utf8()),
        (Some(c), _) if starts_ident(c) => (Kind::Lifetime, 1 + ident(text.get(1..).unwrap_or(""))),
        _ => (Kind::Punct, 1),
    }
}

fn number(text: &str) -> usize {
    let digits = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let whole = digits(text);
    let rest = text.get(whole..).unwrap_or("");
    match rest.strip_prefix('.') {
        Some(part) if part.starts_with(|c: char| c.is_ascii_digit()) => whole + 1 + digits(part),
        _ => whole,
    }
}

/// An identifier, or a literal with a prefix such as `r#"` or `b'`.
fn word(text: &str) -> (Kind, usize) {
    let len = ident(text);
    let (name, rest) = text.split_at_checked(len).unwrap_or((text, ""));
    let raw = matches!(name, "r" | "br" | "cr");
    if raw && rest.starts_with(['"', '#']) {
        let hashes = rest.find(|c| c != '#').unwrap_or(rest.len());
        if let Some(body) = rest.get(hashes..).and_then(|rest| rest.strip_prefix('"')) {
            let close = format!("\"{}", "#".repeat(hashes));
            let end = body.find(&close).map_or(text.len(), |at| len + hashes + 1 + at + close.len());
            return (Kind::Literal, end);
        }
        let name = rest.strip_prefix('#').map_or(0, ident);
        if hashes == 1 && name > 0 {
            return (Kind::Ident, len + 1 + name);
        }
    }
    match rest.chars().next() {
        Some('"') if matches!(name, "b" | "c") => (Kind::Literal, quoted(text, len + 1, '"')),
        Some('\'') if name == "b" => (Kind::Literal, quoted(text, len + 1, '\'')),
        _ => (Kind::Ident, len),
    }
}

fn ident(text: &str) -> usize {
    let plain = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let rest = text.get(plain..).unwrap_or("");
    // Most names end here, without a look at any table of characters.
    if rest.as_bytes().first().is_none_or(u8::is_ascii) {
        return plain;
    }
    plain + rest.find(|c| !continues_ident(c)).unwrap_or(rest.len())
}

fn starts_ident(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_ident(c: char) -> bool {
    c == '_' || c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        lex(text).map(|lexeme| lexeme.text).collect()
    }

    #[test]
    fn comments_are_skipped_and_literals_are_one_piece() {
        assert_eq!(
            texts("a /* ( /* [ */ */ b // (\n\"(\\\"\" r#\"(\"# '(' '\\'' b'(' 'a x"),
            ["a", "b", "\"(\\\"\"", "r#\"(\"#", "'('", "'\\''", "b'('", "'a", "x"]
        );
        assert_eq!(texts("r#fn 1.5e3 0..2 x.0"), ["r#fn", "1.5e3", "0", ".", ".", "2", "x", ".", "0"]);
        assert_eq!(texts("r\"a\\\" b"), ["r\"a\\\"", "b"]);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_in_order(text in "[a-z'\"#/*(){}\\\\ \n0-9.ür]{0,60}|\\PC{0,40}") {
            let mut end = 0;
            for lexeme in lex(&text) {
                prop_assert!(lexeme.at >= end);
                prop_assert_eq!(text.get(lexeme.at..lexeme.at + lexeme.text.len()), Some(lexeme.text));
                end = lexeme.at + lexeme.text.len();
            }
        }
    }
}
