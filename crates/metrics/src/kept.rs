//! Kept: samples that are taken all the while, one file a metric, one line a sample, the oldest dropped. Prometheus keeps its
//! own; this is for a command that prints a number, whose past nobody else knows.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kaizen_domain::Timestamp;

use crate::Sample;

/// The longest line that is one of ours, bytes.
const LINE: u64 = 48;

/// The samples of one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    file: PathBuf,
}

impl Kept {
    /// Those of a metric, below a folder. The name may be any text.
    #[must_use]
    pub fn of(folder: &Path, metric: &str) -> Self {
        Self { file: folder.join(file_name(metric)) }
    }

    /// Adds a sample. At least the newest `keep` of them stay, at most about twice as many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&self, (at, value): Sample, keep: usize) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file)?;
        // One write of a whole line: what a crash cuts off has no end, and is no sample.
        file.write_all(line((at, value)).as_bytes())?;
        let most = (keep as u64).saturating_mul(2).max(16).saturating_mul(LINE / 2);
        if file.metadata()?.len() > most {
            self.shorten(keep)?;
        }
        Ok(())
    }

    /// The samples after one moment and up to another.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn range(&self, from: Timestamp, to: Timestamp) -> io::Result<Vec<Sample>> {
        Ok(self.all()?.into_iter().filter(|(at, _)| *at > from && *at <= to).collect())
    }

    fn all(&self) -> io::Result<Vec<Sample>> {
        let text = match fs::read(&self.file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let sample = |line: &str| {
            let (at, value) = line.strip_suffix(';')?.split_once(' ')?;
            Some((Timestamp(at.parse().ok()?), value.parse().ok()?))
        };
        let mut all: Vec<Sample> = text.lines().filter_map(sample).collect();
        // A clock may have been set back.
        all.sort_by_key(|(at, _)| *at);
        Ok(all)
    }

    fn shorten(&self, keep: usize) -> io::Result<()> {
        let all = self.all()?;
        let newest = all.get(all.len().saturating_sub(keep)..).unwrap_or_default();
        let text: String = newest.iter().copied().map(line).collect();
        let draft = self.file.with_extension("new");
        fs::write(&draft, text)?;
        fs::rename(&draft, &self.file)
    }
}

/// A sample as it stands in the file. It begins a line, so that one that was cut off before it spoils nothing.
fn line((at, value): Sample) -> String {
    format!("\n{} {value:?};", at.0)
}

/// A name for a file that no two metrics share and that stays in its folder.
fn file_name(metric: &str) -> String {
    let mut name = String::new();
    for byte in metric.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    name.push_str(".samples");
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept() -> (tempfile::TempDir, Kept) {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::of(&folder.path().join("a/b"), "p95 (ms)");
        (folder, kept)
    }

    #[test]
    fn samples_are_kept_and_the_oldest_are_dropped() {
        let (_folder, kept) = kept();
        assert_eq!(kept.range(Timestamp(0), Timestamp(u64::MAX)).unwrap(), []);
        for at in 1..=1000_u64 {
            kept.add((Timestamp(1_700_000_000_000 + at), at as f64 / 8.0), 100).unwrap();
        }
        let all = kept.range(Timestamp(0), Timestamp(u64::MAX)).unwrap();
        assert!((100..=250).contains(&all.len()), "{}", all.len());
        assert_eq!(all.last(), Some(&(Timestamp(1_700_000_001_000), 125.0)));
        let some = kept.range(Timestamp(1_700_000_000_990), Timestamp(1_700_000_000_993)).unwrap();
        assert_eq!(some.iter().map(|(at, _)| at.0 % 1000).collect::<Vec<_>>(), [991, 992, 993]);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let (_folder, kept) = kept();
        kept.add((Timestamp(7), 1.5), 10).unwrap();
        let mut file = OpenOptions::new().append(true).open(&kept.file).unwrap();
        file.write_all(b"\n8 1.2").unwrap();
        kept.add((Timestamp(9), f64::INFINITY), 10).unwrap();
        let all = kept.range(Timestamp(0), Timestamp(100)).unwrap();
        assert_eq!(all, [(Timestamp(7), 1.5), (Timestamp(9), f64::INFINITY)]);
    }

    proptest! {
        #[test]
        fn two_metrics_never_share_a_file_and_no_name_leaves_the_folder(one in ".{0,20}", other in ".{0,20}") {
            prop_assert_eq!(file_name(&one) == file_name(&other), one == other);
            prop_assert!(!file_name(&one).contains('/') && !file_name(&one).starts_with('.') || one.is_empty());
        }
    }
}
