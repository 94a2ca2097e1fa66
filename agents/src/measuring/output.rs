//! Output: what a run of benchmarks printed, as numbers by benchmark.

use kaizen_sandbox::Printed;
use kaizen_speed::harness::{HarnessError, Samples, criterion, divan, libtest};
use kaizen_speed::{Block, block};

/// The block of four runs of each program, or of the command, by what they are called. Where there are several, their
/// names stand before those of their benchmarks.
pub(super) fn block_of(names: &[String], runs: &[[Printed; 4]]) -> Result<Block, HarnessError> {
    let mut all = Block::new();
    for (name, [first, second, third, fourth]) in names.iter().zip(runs) {
        let samples = |run: &Printed| samples(run, name, names.len() > 1);
        let (first, second, third, fourth) = (samples(first)?, samples(second)?, samples(third)?, samples(fourth)?);
        all.extend(block([&first, &second, &third, &fourth]));
    }
    Ok(all)
}

/// The numbers of a run: what a harness printed, or how long it took, where it printed nothing that any does.
fn samples(run: &Printed, name: &str, several: bool) -> Result<Samples, HarnessError> {
    let mut read = libtest(&run.text)?;
    for other in [divan(&run.text)?, criterion(&run.text)?] {
        read.merge(other)?;
    }
    let mut all = Samples::default();
    if read.is_empty() {
        all.add(name, vec![run.took.as_secs_f64() * 1e9])?;
        return Ok(all);
    }
    if !several {
        return Ok(read);
    }
    for benchmark in read.names() {
        all.add(&format!("{name}::{benchmark}"), read.of(benchmark).unwrap_or_default().to_vec())?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kaizen_speed::{Name, Runs};

    use super::*;

    fn printed(text: &str, millis: u64) -> Printed {
        Printed { text: text.to_owned(), took: Duration::from_millis(millis) }
    }

    fn line(nanoseconds: u32) -> String {
        format!("running\ntest sort ... bench: {nanoseconds} ns/iter (+/- 1)\n")
    }

    #[test]
    fn what_a_harness_prints_counts_and_without_one_the_time_of_the_run() {
        let harness = [100, 90, 91, 101].map(|nanoseconds| printed(&line(nanoseconds), 5));
        let plain = [7, 8, 9, 6].map(|millis| printed("fine\n", millis));
        let names = ["words".to_owned(), "plain".to_owned()];
        let block = block_of(&names, &[harness.clone(), plain]).unwrap();
        assert_eq!(block[&Name::of("words::sort")], Runs { base: [100.0, 101.0], candidate: [90.0, 91.0] });
        assert_eq!(block[&Name::of("plain")], Runs { base: [7e6, 6e6], candidate: [8e6, 9e6] });
        let alone = block_of(&names[..1], &[harness]).unwrap();
        assert_eq!(alone.keys().map(Name::as_str).collect::<Vec<_>>(), ["sort"]);
    }

    #[test]
    fn a_side_that_stops_to_print_is_one_without_data_and_nonsense_is_an_error() {
        let runs = [printed(&line(100), 1), printed("", 1), printed("", 1), printed(&line(100), 1)];
        let block = block_of(&["words".to_owned()], &[runs]).unwrap();
        assert!(block[&Name::of("sort")].candidate[0].is_nan() && block[&Name::of("words")].base[0].is_nan());
        let odd = printed("test sort ... bench: 12 weeks/iter (+/- 1)\n", 1);
        assert!(block_of(&["words".to_owned()], &[[odd.clone(), odd.clone(), odd.clone(), odd]]).is_err());
    }
}
