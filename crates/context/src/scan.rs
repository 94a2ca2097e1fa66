//! Reads the names in a piece of Rust without parsing it: also inside of macros, where no parser looks. Comments and
//! strings hold no names, except that code in doc comments is a test.

/// A name as it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'t> {
    /// The name.
    pub name: &'t str,
    /// What stands before it with `::` in between.
    pub qualifier: Option<&'t str>,
    /// Whether a dot stands before it: a field or a method.
    pub dotted: bool,
    /// Where it begins, in bytes.
    pub at: usize,
}

/// The names of a text in order, keywords left out.
pub(crate) fn names(text: &str) -> Vec<Name<'_>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Name<'_>> = Vec::new();
    let (mut at, mut qualifier, mut dotted) = (0, None, false);
    // Names before a turbofish that is not closed yet, and nothing for other brackets inside of it.
    let mut open: Vec<Option<&str>> = Vec::new();
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = comment_end(bytes, at),
            b'"' => at = string_end(bytes, at),
            b'\'' => at = quote_end(bytes, at),
            b'r' | b'b' | b'c' if raw_string(bytes, at).is_some() => at = raw_string(bytes, at).unwrap_or(at + 1),
            _ if is_start(byte) => {
                let end = (at..bytes.len()).find(|end| !bytes.get(*end).is_some_and(|byte| is_part(*byte)));
                let end = end.unwrap_or(bytes.len());
                let name = text.get(at..end).unwrap_or_default();
                if !is_keyword(name) {
                    found.push(Name { name, qualifier, dotted, at });
                }
                (qualifier, dotted) = (None, false);
                if bytes.get(end..end + 3) == Some(b"::<") {
                    open.push(Some(name));
                    at = end + 3;
                } else if bytes.get(end..end + 2) == Some(b"::") {
                    qualifier = Some(name);
                    at = end + 2;
                } else {
                    at = end;
                }
                continue;
            }
            b'.' => {
                dotted = bytes.get(at + 1) != Some(&b'.');
                at += if dotted { 1 } else { 2 };
                continue;
            }
            _ if byte.is_ascii_digit() => {
                at = (at..bytes.len())
                    .find(|end| !bytes.get(*end).is_some_and(|byte| is_part(*byte)))
                    .unwrap_or(bytes.len());
            }
            b'<' if !open.is_empty() => {
                open.push(None);
                at += 1;
            }
            // `Vec::<u8>::new`: what is meant is the `new` of `Vec`.
            b'>' if !open.is_empty() => {
                let before = open.pop().flatten();
                at += 1;
                if bytes.get(at..at + 2) == Some(b"::") {
                    (qualifier, dotted) = (before, false);
                    at += 2;
                    continue;
                }
            }
            b';' | b'{' | b'}' => {
                open.clear();
                at += 1;
            }
            _ if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => at += 1,
        }
        (qualifier, dotted) = (None, false);
    }
    found
}

fn is_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_part(byte: u8) -> bool {
    is_start(byte) || byte.is_ascii_digit()
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes.iter().skip(from).position(|byte| *byte == b'\n').map_or(bytes.len(), |offset| from + offset)
}

fn comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while at < bytes.len() {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (Some(b'*'), Some(b'/')) => {
                depth = depth.saturating_sub(1);
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// After a quote: a character ends at the next one, a lifetime at its own name.
fn quote_end(bytes: &[u8], from: usize) -> usize {
    if bytes.get(from + 1) == Some(&b'\\') {
        let close = bytes.iter().skip(from + 3).take(12).position(|byte| *byte == b'\'');
        return close.map_or(from + 2, |offset| from + 3 + offset + 1);
    }
    let close = bytes.iter().skip(from + 1).take(5).position(|byte| *byte == b'\'');
    match close {
        Some(offset) if offset > 0 => from + 1 + offset + 1,
        _ => (from + 1..bytes.len())
            .find(|end| !bytes.get(*end).is_some_and(|byte| is_part(*byte)))
            .unwrap_or(bytes.len()),
    }
}

/// The end of a raw or byte string that begins here.
fn raw_string(bytes: &[u8], from: usize) -> Option<usize> {
    let before = from.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|byte| is_part(*byte)) {
        return None;
    }
    let mut at = from;
    while bytes.get(at).is_some_and(|byte| matches!(byte, b'r' | b'b' | b'c')) && at < from + 2 {
        at += 1;
    }
    let raw = bytes.get(from..at).is_some_and(|prefix| prefix.contains(&b'r'));
    let hashes = bytes.iter().skip(at).take_while(|byte| **byte == b'#').count();
    if bytes.get(at + hashes) != Some(&b'"') || (!raw && hashes > 0) {
        return None;
    }
    if !raw {
        return Some(string_end(bytes, at));
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let start = at + hashes + 1;
    let found = bytes.get(start..)?.windows(close.len()).position(|window| window == close);
    Some(found.map_or(bytes.len(), |offset| start + offset + close.len()))
}

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "as" | "async"
            | "await"
            | "break"
            | "const"
            | "continue"
            | "crate"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "false"
            | "fn"
            | "for"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "pub"
            | "ref"
            | "return"
            | "self"
            | "static"
            | "struct"
            | "super"
            | "trait"
            | "true"
            | "type"
            | "unsafe"
            | "use"
            | "where"
            | "while"
            | "_"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> Vec<String> {
        let shown = |name: &Name<'_>| {
            let before = name.qualifier.map(|qualifier| format!("{qualifier}::")).unwrap_or_default();
            format!("{before}{}{}", if name.dotted { "." } else { "" }, name.name)
        };
        names(text).iter().map(shown).collect()
    }

    #[test]
    fn names_are_found_with_what_stands_before_them() {
        assert_eq!(plain("let x = Tax::apply(a.b(), c);"), ["x", "Tax", "Tax::apply", "a", ".b", "c"]);
        assert_eq!(plain("Vec::<u8>::new()"), ["Vec", "u8", "Vec::new"]);
        assert_eq!(
            plain("A::<B<C>, D>::f(x); parse::<u8>() > y"),
            ["A", "B", "C", "D", "A::f", "x", "parse", "u8", "y"]
        );
        assert_eq!(plain("assert_eq!(mean(&[1]), 0..end);"), ["assert_eq", "mean", "end"]);
        assert_eq!(plain("a // b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(plain(r##"g("h \" i", r#"j " k"#, b"l", 'm', '\'', '\u{41}') n"##), ["g", "n"]);
        assert_eq!(plain("fn f<'a>(x: &'a str) {}"), ["f", "x", "str"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hang(text in "[\\PC\n\"'/*r#b\\\\]{0,200}") {
            for name in names(&text) {
                prop_assert_eq!(&text[name.at..name.at + name.name.len()], name.name);
            }
        }
    }
}
