//! Standard output as every command writes it. A reader that went away (`kaizen log | head`) is no error and ends
//! nothing: what a command does is in the journal, not in what it prints.

use std::io::Write as _;

/// Writes a line.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes text as it is.
pub(crate) fn text(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Writes a value as one line of JSON.
pub(crate) fn json(value: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        line(&text);
    }
}

/// `println!` that a closed pipe does not end.
macro_rules! say {
    ($($arg:tt)*) => { $crate::output::line(&format!($($arg)*)) };
}
pub(crate) use say;
