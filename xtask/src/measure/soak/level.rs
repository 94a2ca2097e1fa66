//! Level: what a daemon uses, sampled as it works, and whether it stays level. The rule: after warm-up, the median of the
//! last quarter of the cycles is at most a tenth, and a little room, above the median of the quarter before it.

use std::path::Path;

use crate::measure::scratch::processes_naming;

/// What is sampled, with the room that it has beside the tenth.
pub const KINDS: [(&str, f64); 4] =
    [("memory, MB", 8.0), ("file descriptors", 8.0), ("processes", 4.0), ("disk of the state per repository, MB", 1.0)];

/// One moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    cycles: usize,
    values: [f64; 4],
}

/// All moments of one long run.
#[derive(Debug, Default)]
pub struct Samples(Vec<Sample>);

/// The two quarters of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Quarters {
    /// The median of the third quarter.
    pub third: f64,
    /// The median of the last.
    pub last: f64,
    /// Whether the rule holds.
    pub level: bool,
}

impl Samples {
    /// Samples a daemon that works in a scratch folder for so many repositories. Its journal is left out of the disk: it
    /// keeps every record, and grows with them.
    pub fn add(&mut self, cycles: usize, daemon: u32, scratch: &Path, state: &Path, repositories: usize) {
        let proc = Path::new("/proc").join(daemon.to_string());
        let status = std::fs::read_to_string(proc.join("status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
        let Some(resident) = resident else { return };
        let open = std::fs::read_dir(proc.join("fd")).map_or(0, Iterator::count);
        let processes = processes_naming(scratch).len();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let values =
            [resident / 1000.0, open as f64, processes as f64, allocated(state) as f64 / 1e6 / repositories as f64];
        self.0.push(Sample { cycles, values });
    }

    /// The third quarter against the last, of so many cycles.
    #[must_use]
    pub fn quarters(&self, kind: usize, all: usize) -> Quarters {
        let median = |from: usize, to: usize| {
            let within = self.0.iter().filter(|sample| (from..to).contains(&sample.cycles));
            let mut values: Vec<f64> = within.filter_map(|sample| sample.values.get(kind).copied()).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let (third, last) = (median(all / 2, all * 3 / 4), median(all * 3 / 4, usize::MAX));
        let room = KINDS.get(kind).map_or(0.0, |(_, room)| *room);
        // Nothing sampled is not level.
        Quarters { third, last, level: last <= third.mul_add(1.1, room) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// The bytes that a folder takes on the disk, its journal left out.
fn allocated(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut all = 0;
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                open.push(entry.path());
            } else if !entry.file_name().to_string_lossy().starts_with("journal") {
                all += about.blocks() * 512;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_not_level_and_what_was_not_sampled_is_not() {
        let of = |grows: f64| {
            let sample =
                |cycles: u32| Sample { cycles: cycles as usize, values: [30.0 + grows * f64::from(cycles); 4] };
            Samples((0..100).map(sample).collect()).quarters(0, 100)
        };
        assert!(of(0.0).level && of(0.01).level);
        assert!(!of(1.0).level);
        assert!(!Samples::default().quarters(0, 100).level);
    }
}
