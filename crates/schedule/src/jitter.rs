//! Jitter: how long after its nominal time a run is due. It is drawn from what the run is, not from chance, so that a new
//! start of the program comes to the same time.

use kaizen_domain::Timestamp;
use sha2::{Digest as _, Sha256};

/// A number from 0 to below `most`, in milliseconds; 0 without any.
pub(crate) fn jitter(repository: &str, schedule: &str, nominal: Timestamp, most: u64) -> u64 {
    if most == 0 {
        return 0;
    }
    let mut hash = Sha256::new();
    for part in [repository.as_bytes(), schedule.as_bytes(), &nominal.0.to_be_bytes()] {
        // Lengths, so that no two pairs of names make the same text.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let drawn = hash.finalize().iter().take(8).fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
    // The excess of the low numbers is less than one in a million million for any jitter that is allowed.
    drawn % most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_each_time_spread_out_and_below_the_most() {
        let drawn: Vec<u64> = (0..2_000).map(|at| jitter("a", "b", Timestamp(at * 60_000), 1_000)).collect();
        assert!(drawn.iter().all(|drawn| *drawn < 1_000));
        for quarter in 0..4 {
            let within = drawn.iter().filter(|drawn| **drawn / 250 == quarter).count();
            assert!((400..600).contains(&within), "{within}");
        }
        assert_eq!(jitter("a", "b", Timestamp(7), 1_000), jitter("a", "b", Timestamp(7), 1_000));
        let all = 1_u64 << 62;
        assert_ne!(jitter("ab", "c", Timestamp(7), all), jitter("a", "bc", Timestamp(7), all));
        assert_eq!(jitter("a", "b", Timestamp(7), 0), 0);
    }

    #[test]
    fn the_time_that_was_promised_stays_over_versions_of_the_program() {
        assert_eq!(jitter("ledger", "nightly", Timestamp(1_767_236_400_000), 3_600_000), 1_352_662);
    }
}
