//! File names as diffs write them: prefixes, quotes, octal escapes, time stamps.

/// Unquotes a name in C style (`"a/\303\274.rs"`) and returns what follows it; `None` when it is malformed.
pub(super) fn unquote(text: &str) -> Option<(String, &str)> {
    let body = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((String::from_utf8(bytes).ok()?, body.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => bytes.push(b'\n'),
                't' => bytes.push(b'\t'),
                'r' => bytes.push(b'\r'),
                'a' => bytes.push(7),
                'b' => bytes.push(8),
                'v' => bytes.push(11),
                'f' => bytes.push(12),
                quoted @ ('"' | '\\') => bytes.push(quoted as u8),
                digit @ '0'..='3' => {
                    let octal: String = [digit, chars.next()?.1, chars.next()?.1].iter().collect();
                    bytes.push(u8::from_str_radix(&octal, 8).ok()?);
                }
                _ => return None,
            },
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    None
}

/// The name in a `---`, `+++`, `rename` or `copy` line, with its prefix.
pub(super) fn name_in(text: &str) -> Option<String> {
    if text.starts_with('"') {
        return unquote(text).map(|(name, _)| name);
    }
    let name = text.split('\t').next().unwrap_or(text).trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The two names of a `diff --git` line, when they can be told apart: quoted, or the same but for their prefixes.
pub(super) fn names_of_git_line(text: &str) -> Option<(String, String)> {
    if text.starts_with('"') {
        let (old, rest) = unquote(text)?;
        return Some((old, name_in(rest.trim_start())?));
    }
    if text.ends_with('"') {
        let (old, rest) = text.split_once(" \"")?;
        return Some((old.to_owned(), unquote(&format!("\"{rest}"))?.0));
    }
    let halves = text.match_indices(' ').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    let mut same = halves.filter(|(old, new)| {
        let (old, new) = without_prefixes(old, new);
        old == new
    });
    let (old, new) = same.next()?;
    Some((old.to_owned(), new.to_owned()))
}

/// Takes `a/` and `b/` (or git's mnemonic letters) away when both names have them.
pub(super) fn without_prefixes<'n>(old: &'n str, new: &'n str) -> (&'n str, &'n str) {
    const PAIRS: [(&str, &str); 8] = [
        ("a/", "b/"),
        ("i/", "w/"),
        ("c/", "i/"),
        ("c/", "w/"),
        ("o/", "w/"),
        ("1/", "2/"),
        ("b/", "a/"),
        ("w/", "i/"),
    ];
    for (first, second) in PAIRS {
        if let (Some(old), Some(new)) = (old.strip_prefix(first), new.strip_prefix(second)) {
            return (old, new);
        }
    }
    (old, new)
}

/// A name as a diff writes it: quoted when it holds a quote.
pub(super) fn quoted(prefix: &str, name: &str) -> String {
    if name.contains(['"', '\\']) {
        format!("\"{prefix}{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{prefix}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_git_writes_them() {
        assert_eq!(unquote("\"a/\\303\\274 \\\".rs\" x"), Some(("a/ü \".rs".to_owned(), " x")));
        assert_eq!(unquote("\"a/\\377\""), None);
        assert_eq!(name_in("a/x y.rs\t2026-01-01 00:00"), Some("a/x y.rs".to_owned()));
        assert_eq!(names_of_git_line("a/x b/x b/x b/x"), Some(("a/x b/x".to_owned(), "b/x b/x".to_owned())));
        assert_eq!(names_of_git_line("src/a.rs src/a.rs"), Some(("src/a.rs".to_owned(), "src/a.rs".to_owned())));
        assert_eq!(names_of_git_line("a/x b/y"), None);
        assert_eq!(without_prefixes("a/x", "a/x"), ("a/x", "a/x"));
    }
}
