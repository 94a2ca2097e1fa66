//! Text from outside, made fit for one line of a message: shortened, with controls and invisible characters escaped.

use kaizen_domain::path::is_invisible;

/// At most `max` characters of a text on one line.
pub(crate) fn shown(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Lines of a file for a message, each under its number, counted from 1. Leading white space is kept as it is.
pub(crate) fn numbered<'t>(lines: impl Iterator<Item = (usize, &'t str)>) -> String {
    let mut out = String::new();
    for (number, line) in lines {
        let line = line.trim_end_matches(['\r', '\n']);
        let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).take(80).collect();
        out.push_str(&format!("\n{number:>6} | {indent}{}", shown(line.trim_start_matches([' ', '\t']), 160)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_break_a_line_or_hide_in_it_is_escaped() {
        assert_eq!(shown("a\nb\u{202e}c\u{1b}[0m", 20), "a\\nb\\u{202e}c\\u{1b}[0m");
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(numbered([(7, "\tlet x;\r\n")].into_iter()), "\n     7 | \tlet x;");
    }
}
