//! Budget: money and tokens that are set aside before a call and settled after it, by any number of callers at once.
//!
//! It owns the sums. What is spent and what is set aside never exceed the limits together, and a call that vanishes
//! without a word counts as spent in full. It does not know prices or models.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kaizen_domain::{Spend, Tokens, Usd};
use thiserror::Error;

/// An amount to set aside: money and tokens, in both directions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Money.
    pub usd: Usd,
    /// Tokens.
    pub tokens: Tokens,
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self { usd: self.usd.plus(other.usd), tokens: Tokens(self.tokens.0.saturating_add(other.tokens.0)) }
    }

    fn less(self, other: Self) -> Self {
        Self {
            usd: Usd(self.usd.0.saturating_sub(other.usd.0)),
            tokens: Tokens(self.tokens.0.saturating_sub(other.tokens.0)),
        }
    }

    fn fits(self, limit: Self) -> bool {
        self.usd <= limit.usd && self.tokens <= limit.tokens
    }
}

impl From<Spend> for Amount {
    fn from(spend: Spend) -> Self {
        Self { usd: spend.usd, tokens: Tokens(spend.input.0.saturating_add(spend.output.0)) }
    }
}

/// Why nothing can be set aside.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BudgetError {
    /// Too little is left.
    #[error("the budget is used up: this call may {}; raise the budget", short(wanted, left))]
    Exhausted {
        /// What the call may need at most.
        wanted: Amount,
        /// What is left.
        left: Amount,
    },
    /// One of several limits would be passed.
    #[error("the budget is used up: this call may cost {wanted}, {left} of {limit} is left; raise the budget")]
    Limit {
        /// What the call may cost at most.
        wanted: Usd,
        /// What is left.
        left: Usd,
        /// Whose budget it is and how it is set, in words.
        limit: &'static str,
    },
    /// It cannot be written down, so it must not be spent.
    #[error("what a call may cost cannot be written down: {why}")]
    Unwritten {
        /// Why not.
        why: String,
    },
}

/// What is short of the two.
fn short(wanted: &Amount, left: &Amount) -> String {
    if wanted.usd > left.usd {
        format!("cost {}, {} is left", wanted.usd, left.usd)
    } else {
        format!("need {} tokens, {} are left", wanted.tokens.0, left.tokens.0)
    }
}

#[derive(Debug, Default)]
struct Sums {
    spent: Spend,
    reserved: Amount,
}

/// Money and tokens that work may use. Copies share the same sums.
#[derive(Debug, Clone)]
pub struct Budget {
    limit: Amount,
    sums: Arc<Mutex<Sums>>,
}

impl Budget {
    /// A budget of this much money and this many tokens.
    #[must_use]
    pub fn new(usd: Usd, tokens: Tokens) -> Self {
        Self { limit: Amount { usd, tokens }, sums: Arc::default() }
    }

    /// A budget without an end, for work that is limited elsewhere.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(Usd(u64::MAX), Tokens(u64::MAX))
    }

    /// Sets an amount aside.
    ///
    /// # Errors
    /// When it is more than what is neither spent nor set aside.
    pub fn reserve(&self, wanted: Amount) -> Result<Reservation, BudgetError> {
        let mut sums = lock(&self.sums);
        let left = self.limit.less(Amount::from(sums.spent)).less(sums.reserved);
        if !wanted.fits(left) {
            return Err(BudgetError::Exhausted { wanted, left });
        }
        sums.reserved = sums.reserved.plus(wanted);
        Ok(Reservation { amount: wanted, sums: Arc::clone(&self.sums), open: true })
    }

    /// What has been spent so far.
    #[must_use]
    pub fn spent(&self) -> Spend {
        lock(&self.sums).spent
    }

    /// What is neither spent nor set aside.
    #[must_use]
    pub fn left(&self) -> Amount {
        let sums = lock(&self.sums);
        self.limit.less(Amount::from(sums.spent)).less(sums.reserved)
    }
}

/// An amount set aside for one call. Dropped without [`Reservation::settle`] or [`Reservation::release`], for example
/// because the call was cancelled on its way, all of it counts as spent: the provider may have billed it.
#[derive(Debug)]
#[must_use = "what is not settled or released counts as spent"]
pub struct Reservation {
    amount: Amount,
    sums: Arc<Mutex<Sums>>,
    open: bool,
}

impl Reservation {
    /// Replaces what was set aside by what was spent.
    pub fn settle(mut self, spend: Spend) {
        self.close(spend);
    }

    /// Gives everything back: nothing was spent.
    pub fn release(mut self) {
        self.close(Spend::default());
    }

    fn close(&mut self, spend: Spend) {
        if !self.open {
            return;
        }
        self.open = false;
        let mut sums = lock(&self.sums);
        sums.reserved = sums.reserved.less(self.amount);
        sums.spent = sums.spent.plus(spend);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // How the tokens split is unknown; as output they are counted once, which is all the sums need.
        self.close(Spend { output: self.amount.tokens, usd: self.amount.usd, ..Spend::default() });
    }
}

fn lock(sums: &Mutex<Sums>) -> MutexGuard<'_, Sums> {
    // Every change of the sums is complete before the lock is given back, so a panic elsewhere leaves them whole.
    sums.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(usd: u64, tokens: u64) -> Amount {
        Amount { usd: Usd(usd), tokens: Tokens(tokens) }
    }

    #[test]
    fn either_limit_refuses_and_the_error_names_what_is_short() {
        let budget = Budget::new(Usd(1_000_000), Tokens(1_000));
        let error = budget.reserve(amount(1, 1_001)).expect_err("too many tokens");
        assert_eq!(error, BudgetError::Exhausted { wanted: amount(1, 1_001), left: amount(1_000_000, 1_000) });
        assert!(error.to_string().contains("may need 1001 tokens, 1000 are left"), "{error}");
        let error = budget.reserve(amount(2_000_000, 1)).expect_err("too many dollars");
        assert!(error.to_string().contains("may cost $2.00, $1.00 is left"), "{error}");
        assert!(budget.reserve(amount(1_000_001, 1)).is_err());
    }

    #[test]
    fn what_is_settled_below_the_reservation_can_be_used_again() {
        let budget = Budget::new(Usd(100), Tokens(100));
        let first = budget.reserve(amount(100, 100)).expect("it fits");
        assert!(budget.reserve(amount(1, 0)).is_err());
        first.settle(Spend { input: Tokens(10), output: Tokens(10), usd: Usd(30), ..Spend::default() });
        assert_eq!(budget.left(), amount(70, 80));
        budget.reserve(amount(70, 80)).expect("the rest fits").release();
        assert_eq!(budget.left(), amount(70, 80));
    }

    #[test]
    fn a_call_that_vanishes_counts_as_spent() {
        let budget = Budget::new(Usd(100), Tokens(100));
        drop(budget.reserve(amount(60, 60)).expect("it fits"));
        assert_eq!(budget.left(), amount(40, 40));
        assert_eq!(budget.spent().usd, Usd(60));
    }

    #[test]
    fn a_bill_above_the_reservation_is_booked_in_full_and_stops_everything_after_it() {
        let budget = Budget::new(Usd(100), Tokens(100));
        let call = budget.reserve(amount(50, 50)).expect("it fits");
        call.settle(Spend { output: Tokens(10), usd: Usd(170), ..Spend::default() });
        assert_eq!(budget.spent().usd, Usd(170));
        assert!(budget.reserve(amount(1, 1)).is_err());
    }
}
