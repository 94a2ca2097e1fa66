//! Headers: every Rust file begins by saying what it is. The rule looks at the first line only; what is said there is
//! for people to judge.

use super::Report;

/// Reports a file that does not begin with a `//!` comment.
pub fn check(path: &str, text: &str, report: &mut Report) {
    if !text.starts_with("//! ") {
        report.violation(path, 1, "does not begin with a `//!` header that says what the file is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_header_is_reported() {
        let mut report = Report::default();
        check("a.rs", "//! What it is.\n", &mut report);
        assert!(report.violations.is_empty());
        check("b.rs", "use std::fmt;\n//! Too late.\n", &mut report);
        check("c.rs", "", &mut report);
        check("d.rs", "//!\n", &mut report);
        assert_eq!(report.violations.len(), 3);
    }
}
