//! Text of a forge, cut to what is kept of it.

/// How much of a log is kept, bytes: its end, where what failed is said.
pub(crate) const LOG: usize = 64 << 10;

/// The end of a text, of whole lines where it was cut, without escape sequences of terminals.
pub(crate) fn end_of(text: &str) -> String {
    let plain = without_escapes(text);
    if plain.len() <= LOG {
        return plain;
    }
    let mut from = plain.len() - LOG;
    while !plain.is_char_boundary(from) {
        from += 1;
    }
    let end = plain.get(from..).unwrap_or("");
    let whole = end.split_once('\n').map_or(end, |(_, rest)| rest);
    format!("[the beginning is left out]\n{whole}")
}

/// One line of a message, for an error.
pub(crate) fn line_of(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    line.trim().to_owned()
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
                }
            }
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_go_and_the_end_stays() {
        assert_eq!(end_of("\u{1b}[31merror\u{1b}[0m: x\r\n"), "error: x\n");
        let long = format!("{}\nlast\n", "x".repeat(LOG));
        assert_eq!(end_of(&long), "[the beginning is left out]\nlast\n");
    }

    proptest! {
        #[test]
        fn any_text_is_cut(text in "\\PC{0,40}|[\u{1b}\\[a-m]{0,20}") {
            prop_assert!(end_of(&text).len() <= LOG + 40);
        }
    }
}
