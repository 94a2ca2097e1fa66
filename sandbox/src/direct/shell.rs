//! Calls as text for a shell, for what is done in a shell: preparing the second set, and counting tests in docs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A call with a folder, a whole environment and arguments of its own.
pub(super) fn command(cwd: &str, env: &BTreeMap<String, String>, program: &str, args: &[String]) -> String {
    let mut text = format!("cd {} && env -i", quoted(cwd));
    for (name, value) in env {
        let _ = write!(text, " {}", quoted(&format!("{name}={value}")));
    }
    let _ = write!(text, " {}", quoted(program));
    for arg in args {
        let _ = write!(text, " {}", quoted(arg));
    }
    text
}

/// A word that the shell takes as it is.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:,+@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_shell_takes_a_quoted_word_as_it_is(word in "[^\\x00]{0,40}") {
            let output = std::process::Command::new("/bin/sh").arg("-c").arg(format!("printf %s {}", quoted(&word))).output();
            prop_assert_eq!(output.map(|output| output.stdout).ok(), Some(word.into_bytes()));
        }
    }
}
