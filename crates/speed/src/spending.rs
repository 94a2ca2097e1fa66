//! Alpha spending (Lan and DeMets 1983): how the chance of a false verdict is shared out among looks that are fixed
//! beforehand. Whoever looks seven times at 0.5 % is wrong far more often than 0.5 %; whoever spends 0.5 % over seven
//! looks is not.
//!
//! Alpha is spent with the cube of the share of blocks (Kim and DeMets 1987), which is much like O'Brien and Fleming
//! (1979): hardly anything early, most of it at the end. The first look gets a little more than theirs, which is what
//! lets a few blocks decide a large change: at theirs not even blocks that all agree would do before the tenth.
//!
//! Each look uses what it may spend and no more, whatever the looks before it saw (the union bound). Boundaries that
//! reckon with how looks hang together would be a little wider, and would rest on a normal limit that so few blocks do
//! not reach; this way the promise holds exactly.

/// The chance that a look may be wrong in one direction: `alpha` is for both, and for all looks of all benchmarks.
/// `before` and `now` are the shares of all blocks at the look before and at this one.
pub(crate) fn level(alpha: f64, benchmarks: usize, before: f64, now: f64) -> f64 {
    // Bonferroni: benchmarks hang together in ways that nobody knows.
    let one_direction = alpha / 2.0 / benchmarks.max(1) as f64;
    one_direction * (now.powi(3) - before.powi(3)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_spend_alpha_and_the_last_ones_most_of_it() {
        let shares = [0.0, 0.25, 0.5, 0.75, 1.0];
        let levels: Vec<f64> = shares.windows(2).map(|two| level(0.005, 1, two[0], two[1])).collect();
        assert!((levels.iter().sum::<f64>() - 0.0025).abs() < 1e-12);
        assert!(levels.windows(2).all(|two| two[0] < two[1]));
        assert!(levels[0] < 0.02 * 0.0025 && levels[3] > 0.5 * 0.0025);
    }

    #[test]
    fn many_benchmarks_share_it() {
        assert!((level(0.005, 10, 0.0, 1.0) - 0.000_25).abs() < 1e-12);
        assert_eq!(level(0.005, 0, 0.0, 1.0), 0.0025);
    }
}
