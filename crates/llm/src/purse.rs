//! Purse: where the money for a call comes from. The client sets aside the most that a try can cost before it sends
//! anything, and settles it after; how that is kept, in memory or in a journal, is the purse's business.

use futures::future::BoxFuture;
use kaizen_domain::Spend;

use crate::budget::{Amount, Budget, BudgetError, Reservation};

/// A source of money and tokens.
pub trait Purse: Send + Sync {
    /// Sets aside the most that one try can cost. What is refused must not be sent.
    fn reserve(&self, most: Amount) -> BoxFuture<'_, Result<Box<dyn Held>, BudgetError>>;
}

/// An amount that is set aside for one try. Dropped unsettled, because the call was cancelled or the process died, it
/// counts as spent in full: the provider may have billed it.
pub trait Held: Send {
    /// Replaces what was set aside by what was spent.
    fn settle(self: Box<Self>, spend: Spend) -> BoxFuture<'static, ()>;
}

impl Purse for Budget {
    fn reserve(&self, most: Amount) -> BoxFuture<'_, Result<Box<dyn Held>, BudgetError>> {
        let reserved = Budget::reserve(self, most).map(|reservation| Box::new(reservation) as Box<dyn Held>);
        Box::pin(std::future::ready(reserved))
    }
}

impl Held for Reservation {
    fn settle(self: Box<Self>, spend: Spend) -> BoxFuture<'static, ()> {
        Reservation::settle(*self, spend);
        Box::pin(std::future::ready(()))
    }
}
