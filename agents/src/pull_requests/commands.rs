//! What people with write access may ask for in a comment: `/kaizen revise TEXT`, `explain`, `retry`, `close`.

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Change it, in the words that follow.
    Revise(String),
    /// Say what it was decided on.
    Explain,
    /// Try it again on the branch as it stands.
    Retry,
    /// Close it.
    Close,
    /// Something else was said after `/kaizen`.
    Unknown(String),
}

/// The words that may follow.
pub(crate) const USAGE: &str = "`/kaizen revise TEXT`, `/kaizen explain`, `/kaizen retry`, `/kaizen close`";
/// The longest text that is taken, characters.
const LONGEST: usize = 4000;

/// The command of a comment: a line that begins with `/kaizen`, outside of quotes and code.
pub(crate) fn command_in(text: &str) -> Option<Command> {
    let mut fenced = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        let Some(rest) = line.strip_prefix("/kaizen").filter(|_| !fenced) else { continue };
        if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
            continue;
        }
        let rest = rest.trim();
        let (word, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        return Some(match word.to_ascii_lowercase().as_str() {
            "revise" => {
                // The words may go on below.
                let below: Vec<&str> = lines.collect();
                let all = format!("{}\n{}", more.trim(), below.join("\n"));
                let text: String = all.trim().chars().take(LONGEST).collect();
                if text.is_empty() { Command::Unknown("revise".to_owned()) } else { Command::Revise(text) }
            }
            "explain" => Command::Explain,
            "retry" => Command::Retry,
            "close" => Command::Close,
            other => Command::Unknown(other.chars().filter(char::is_ascii_alphanumeric).take(20).collect()),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lines_of_their_own() {
        assert_eq!(command_in("/kaizen close"), Some(Command::Close));
        assert_eq!(command_in("Thanks!\n/kaizen  Explain "), Some(Command::Explain));
        let revise = Command::Revise("use a loop\nand name it".to_owned());
        assert_eq!(command_in("/kaizen revise use a loop\nand name it"), Some(revise));
        assert_eq!(command_in("/kaizen revise"), Some(Command::Unknown("revise".to_owned())));
        assert_eq!(command_in("/kaizen merge `now`"), Some(Command::Unknown("merge".to_owned())));
    }

    #[test]
    fn quotes_code_and_other_words_are_none() {
        for text in
            ["> /kaizen close", "```\n/kaizen close\n```", "say /kaizen close", "/kaizens close", " /kaizen close", ""]
        {
            assert_eq!(command_in(text), None, "{text}");
        }
    }
}
