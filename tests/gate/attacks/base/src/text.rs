//! Helpers for text on paper.

/// The end of a line on this system.
#[cfg(windows)]
pub const LINE_END: &str = "\r\n";
/// The end of a line on this system.
#[cfg(not(windows))]
pub const LINE_END: &str = "\n";

/// The folder for receipts on this system.
#[cfg(windows)]
pub fn receipt_folder(user: &str) -> String {
    format!("C:\\Users\\{user}\\Receipts")
}

/// The folder for receipts on this system.
#[cfg(not(windows))]
pub fn receipt_folder(user: &str) -> String {
    format!("/home/{user}/receipts")
}

/// Cuts to at most `width` characters; the last one becomes `~` when something is cut.
pub fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        short.push('~');
    }
    short
}

/// The first letter of every word large.
pub fn title(text: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    text.split(' ').map(word).collect::<Vec<String>>().join(" ")
}

/// Is this a file name without a way out of its folder?
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

/// Hides all but the last four characters of a card number.
pub fn mask(card: &str) -> String {
    let hidden = card.chars().count().saturating_sub(4);
    card.chars().enumerate().map(|(at, char)| if at < hidden { '*' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorten_cuts_by_characters() {
        assert_eq!(shorten("apple", 5), "apple");
        assert_eq!(shorten("apple", 4), "app~");
        assert_eq!(shorten("äöüß", 3), "äö~");
        assert_eq!(shorten("apple", 1), "~");
        assert_eq!(shorten("apple", 0), "");
    }

    #[test]
    fn title_changes_every_word() {
        assert_eq!(title("red apple"), "Red Apple");
        assert_eq!(title("ärger  über"), "Ärger  Über");
        assert_eq!(title(""), "");
    }

    #[test]
    fn names_are_plain() {
        assert!(is_plain_name("receipt.txt"));
        assert!(!is_plain_name(""));
        assert!(!is_plain_name("a/b"));
    }

    #[test]
    fn mask_runs() {
        assert_eq!(mask("4111111111111111").len(), 16);
    }
}
