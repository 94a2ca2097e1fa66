//! Length: a file that has grown past what a person reads in one sitting holds more than one idea.

use super::Report;

/// Lines that a file may have.
const MOST: usize = 600;
/// Lines from which a file is worth a look.
const MANY: usize = 400;

/// Reports a file that is too long, and notes one that is getting there.
pub fn check(path: &str, text: &str, report: &mut Report) {
    match text.lines().count() {
        lines if lines > MOST => report.violation(path, 0, format!("has {lines} lines, more than {MOST}: split it")),
        lines if lines > MANY => report.note(path, format!("has {lines} lines, more than {MANY}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_noted_and_longer_ones_reported() {
        let mut report = Report::default();
        for lines in [400, 401, 600, 601] {
            check("a.rs", &"\n".repeat(lines), &mut report);
        }
        assert_eq!((report.notes.len(), report.violations.len()), (2, 1));
    }
}
