//! Noise: how much the machine differs from itself, from runs of the same program.

use crate::block::Runs;

/// What the median of absolute differences of two normal values is for a standard deviation of one: the quartile of the
/// normal distribution, times the root of two.
const MEDIAN_DIFFERENCE: f64 = 0.674_489_750_196_081_7 * std::f64::consts::SQRT_2;

/// How far one run lies from another of the same tree, as a share: the standard deviation of a run, from the two runs
/// of the base in each block. A few disturbed runs do not move it.
pub(crate) fn noise(runs: &[Runs]) -> f64 {
    let mut differences: Vec<f64> =
        runs.iter().map(|Runs { base: [first, last], .. }| (first.ln() - last.ln()).abs()).collect();
    differences.sort_by(f64::total_cmp);
    median(&differences).unwrap_or(0.0) / MEDIAN_DIFFERENCE
}

/// The middle of values in order; of an even number the mean of the two in the middle.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    #[test]
    fn noise_is_the_deviation_of_one_run_and_spikes_do_not_move_it() {
        let mut random = Random::new(7);
        let runs: Vec<Runs> = (0..4_000)
            .map(|at| {
                let spike = if at % 20 == 0 { 1.4 } else { 1.0 };
                Runs {
                    base: [spike * (0.01 * random.normal()).exp(), (0.01 * random.normal()).exp()],
                    candidate: [9.0; 2],
                }
            })
            .collect();
        let noise = noise(&runs);
        assert!((0.0095..0.0115).contains(&noise), "{noise}");
    }

    #[test]
    fn the_same_twice_is_no_noise() {
        assert_eq!(noise(&[Runs { base: [5.0; 2], candidate: [1.0, 2.0] }]), 0.0);
        assert_eq!(noise(&[]), 0.0);
        assert_eq!(median(&[1.0, 2.0, 3.0, 5.0]), Some(2.5));
    }
}
