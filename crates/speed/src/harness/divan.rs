//! The table that divan prints: a tree of names on the left, columns of times on the right.
//!
//! The head of the table says in which column the times begin; what stands left of it is the tree, three characters a
//! level. A name may hold anything, so it is told from the times by that column alone. Lines without a branch are not
//! benchmarks: throughput, or allocations of the one above.

use crate::harness::quantity::nanoseconds;
use crate::harness::{HarnessError, Samples, bounded};
use crate::name::Name;

/// What the head of the first column says.
const FIRST: &str = "fastest";
/// The column that is read: of the times of one run it is the one that a disturbance moves least.
const READ: &str = "median";
/// What stands between columns.
const BETWEEN: char = '│';
/// Levels of a tree.
const DEEPEST: usize = 64;

/// Reads the tables of divan's benchmarks: the median of each, by its path, such as `sorting::random::1000`.
///
/// # Errors
/// When a line of a table cannot be read, a path is there twice, or a limit is passed.
pub fn divan(text: &str) -> Result<Samples, HarnessError> {
    let mut samples = Samples::default();
    let mut table: Option<Table> = None;
    for line in bounded(text)?.lines() {
        if let Some(head) = Table::begin(line) {
            table = Some(head);
        } else if let Some(table) = &mut table
            && let Some((path, time)) = table.row(line)
        {
            let time = nanoseconds(&path, time)?;
            samples.add(&path, vec![time])?;
        }
    }
    Ok(samples)
}

/// A table that is being read.
struct Table {
    /// The character at which the times begin.
    column: usize,
    /// Which of the times is read.
    read: usize,
    /// The names above the next line, the table's own first.
    above: Vec<String>,
}

impl Table {
    /// The table that a line is the head of.
    fn begin(line: &str) -> Option<Self> {
        // A benchmark may be called like a column, so the last one counts.
        let (name, _) = line.rsplit_once(FIRST)?;
        let heads: Vec<&str> = line.get(name.len()..)?.split(BETWEEN).map(str::trim).collect();
        let read = heads.iter().position(|head| *head == READ)?;
        let is_head = heads.contains(&"slowest") && branch(name).is_none() && !name.trim().is_empty();
        is_head.then(|| Self { column: name.chars().count(), read, above: vec![part(name)] })
    }

    /// The path and the time of a benchmark; nothing for any other line.
    fn row<'a>(&mut self, line: &'a str) -> Option<(String, &'a str)> {
        let at = line.char_indices().nth(self.column).map_or(line.len(), |(at, _)| at);
        let (tree, times) = line.split_at_checked(at)?;
        let (depth, name) = branch(tree)?;
        self.above.truncate(depth);
        let times: Vec<&str> = times.split(BETWEEN).map(str::trim).collect();
        if times.iter().all(|time| time.is_empty()) {
            self.above.push(part(name));
            return None;
        }
        if times.first() == Some(&"(ignored)") {
            return None;
        }
        let path = self.above.iter().cloned().chain([part(name)]).collect::<Vec<_>>().join("::");
        // A table that breaks off has no number there, which is an error further on.
        Some((path, times.get(self.read).copied().unwrap_or_default()))
    }
}

/// A name on the way to a benchmark. Cut here already: it comes again in every line below.
fn part(name: &str) -> String {
    Name::of(name).to_string()
}

/// How deep in the tree a line stands, from one, and its name.
fn branch(tree: &str) -> Option<(usize, &str)> {
    let mut rest = tree;
    for depth in 1..=DEEPEST {
        if let Some(name) = rest.strip_prefix("├─ ").or_else(|| rest.strip_prefix("╰─ ")) {
            return Some((depth, name.trim())).filter(|(_, name)| !name.is_empty());
        }
        rest = rest.strip_prefix("│  ").or_else(|| rest.strip_prefix("   "))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
     Running benches/sorting.rs (target/release/deps/sorting-0123456789abcdef)
Timer precision: 20 ns
sorting            fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ drop_it         0.001 ns      │ 0.02 ns       │ 0.002 ns      │ 0.002 ns      │ 100     │ 819200
├─ random                        │               │               │               │         │
│  ├─ Vec<i32>                   │               │               │               │         │
│  │  ├─ 10        61.25 ns      │ 83.05 ns      │ 61.58 ns      │ 62.49 ns      │ 100     │ 12800
│  │  │            163.2 Mitem/s │ 120.4 Mitem/s │ 162.3 Mitem/s │ 160 Mitem/s   │         │
│  │  ╰─ 1000      10.95 µs      │ 35.2 µs       │ 11.12 µs      │ 11.6 µs       │ 100     │ 100
│  │               91.32 Mitem/s │ 28.4 Mitem/s  │ 89.92 Mitem/s │ 86.2 Mitem/s  │         │
│  ╰─ slow         (ignored)     │               │               │               │         │
╰─ sorted                        │               │               │               │         │
   ├─ a │ b        1.5 ms        │ 2 ms          │ 1.75 ms       │ 1.76 ms       │ 100     │ 100
   │               alloc:        │               │               │               │         │
   │                 1           │ 1             │ 1             │ 1             │         │
   │                 32 B        │ 32 B          │ 32 B          │ 32 B          │         │
   ╰─ t=4          1.02 s        │ 1.1 s         │ 1.05 s        │ 1.06 s        │ 10      │ 10

";

    #[test]
    fn the_tree_gives_the_names_and_the_median_the_times() {
        let samples = divan(OUTPUT).unwrap();
        let found: Vec<(&str, f64)> =
            samples.names().map(|name| (name.as_str(), samples.typical(name).unwrap())).collect();
        let known = [
            ("sorting::drop_it", 0.002),
            ("sorting::random::Vec<i32>::10", 61.58),
            ("sorting::random::Vec<i32>::1000", 11_120.0),
            ("sorting::sorted::a │ b", 1_750_000.0),
            ("sorting::sorted::t=4", 1_050_000_000.0),
        ];
        assert_eq!(found.len(), known.len());
        for ((name, time), (known, expected)) in found.into_iter().zip(known) {
            assert_eq!(name, known);
            assert!((time / expected - 1.0).abs() < 1e-12, "{name}: {time}");
        }
    }

    #[test]
    fn the_table_of_the_documentation_is_read() {
        let table = "example       fastest  │ slowest │ median   │ mean     │ samples │ iters
╰─ fibonacci  196.1 ns │ 217 ns  │ 197.5 ns │ 198.1 ns │ 100     │ 3200
other         fastest  │ slowest │ median   │ mean     │ samples │ iters
╰─ fibonacci  1.1 ns   │ 2 ns    │ 1.5 ns   │ 1.7 ns   │ 100     │ 3200
";
        let samples = divan(table).unwrap();
        assert_eq!(samples.typical(&Name::of("example::fibonacci")), Some(197.5));
        assert_eq!(samples.typical(&Name::of("other::fibonacci")), Some(1.5));
    }

    #[test]
    fn without_a_table_there_is_nothing_and_a_torn_one_is_an_error() {
        assert!(divan("a list\n├─ of things\n╰─ 12 ns │ 13 ns\n").unwrap().is_empty());
        let head = "x             fastest  │ slowest │ median   │ mean     │ samples │ iters\n";
        let row = |row: &str| divan(&format!("{head}{row}")).map(|_| ());
        assert!(matches!(row("╰─ a          1 ns     │ 2 ns"), Err(HarnessError::Number { .. })));
        assert!(matches!(row("╰─ a          1 ns     │ 2 ns    │ 2 weeks"), Err(HarnessError::Unit { .. })));
        assert!(matches!(
            row("├─ a          1 ns│1 ns│1 ns\n╰─ a          1 ns│1 ns│1 ns"),
            Err(HarnessError::Twice { .. })
        ));
        assert_eq!(row(&format!("{}╰─ a          1 ns│1 ns│1 ns", "   ".repeat(500))), Ok(()));
    }
}
