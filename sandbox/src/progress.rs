//! What a person sees while cargo works: read off cargo's status lines, never used as evidence.

/// One step of work in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Dependencies are downloaded.
    Fetching,
    /// A crate is compiled or checked.
    Compiling {
        /// The crate.
        krate: String,
        /// How many were begun so far.
        begun: usize,
    },
    /// Tests are running.
    Testing {
        /// How many have ended.
        done: usize,
        /// How many there were on the base; 0 when not known.
        of: usize,
    },
    /// A benchmark is running.
    Measuring {
        /// Pairs measured.
        done: usize,
        /// Pairs to measure.
        of: usize,
    },
    /// Wrong versions of what changes are tried on the tests.
    Noticing,
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fetching => f.write_str("fetching dependencies"),
            Self::Compiling { krate, begun } => write!(f, "compiling {krate} ({begun})"),
            Self::Testing { done, of: 0 } => write!(f, "tests {done}"),
            Self::Testing { done, of } => write!(f, "tests {done}/{of}"),
            Self::Noticing => f.write_str("trying wrong versions of it"),
            Self::Measuring { done, of } => write!(f, "measuring {done}/{of}"),
        }
    }
}

/// The crate in a line such as `   Compiling serde v1.0.0`, when it is one.
#[must_use]
pub fn compiling(line: &str) -> Option<&str> {
    let text = line.strip_prefix("   ")?.trim_start();
    let rest = text.strip_prefix("Compiling ").or_else(|| text.strip_prefix("Checking "))?;
    rest.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::compiling;

    #[test]
    fn the_crate_of_a_status_line_is_read() {
        assert_eq!(compiling("   Compiling serde v1.0.0"), Some("serde"));
        assert_eq!(compiling("    Checking ledger v0.1.0 (/repo)"), Some("ledger"));
        assert_eq!(compiling("Compiling x"), None);
    }
}
