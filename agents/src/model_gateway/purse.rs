//! The purse of a question: money out of the journal's entries, so that no crash forgets it and no other process takes it
//! as well.
//!
//! An entry is made before a try, with the most that it can cost. It is settled before the next try, or once the answer is
//! in the journal: a program that dies in between finds the answer, or an entry that counts as the most, and never pays
//! twice for what it knows.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use kaizen_domain::{CycleId, Spend, TenantId, Usd};
use kaizen_journal::{Booked, Booking, Limits, Scope};
use kaizen_llm::{Amount, BudgetError, Held, Purse};

use crate::journal::JournalHandle;

/// What may be spent besides the budget of a cycle; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spending {
    /// On one call.
    pub call: Option<Usd>,
    /// On one task of a cycle.
    pub task: Option<Usd>,
    /// In a day, on everything that shares the state directory.
    pub day: Option<Usd>,
    /// By a tenant in a calendar month.
    pub tenant: Option<Usd>,
}

/// The purse of one question.
pub(super) struct JournalPurse {
    journal: JournalHandle,
    limits: Limits,
    call: Option<Usd>,
    booking: Booking,
    /// Entries that are to be settled.
    due: Arc<Mutex<Vec<(i64, Usd)>>>,
}

impl JournalPurse {
    /// The purse of a question for `task` in a cycle that may spend `budget` in all.
    pub(super) fn new(
        journal: JournalHandle,
        spending: Spending,
        tenant: TenantId,
        (cycle, budget): (CycleId, Usd),
        task: String,
        day: String,
    ) -> Self {
        let limits = Limits { task: spending.task, cycle: Some(budget), day: spending.day, tenant: spending.tenant };
        let booking = Booking { tenant, cycle, task, day, most: Usd(0) };
        Self { journal, limits, call: spending.call, booking, due: Arc::default() }
    }

    /// Settles what is due. What cannot be written down counts as the most, which is safe.
    pub(super) async fn settle(&self) {
        let due = std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner));
        for (entry, paid) in due {
            if let Err(error) = self.journal.settle(entry, paid).await {
                tracing::warn!(%error, "what a call to the model cost is not in the journal; it counts as the most");
            }
        }
    }

    async fn book(&self, most: Usd) -> Result<Box<dyn Held>, BudgetError> {
        self.settle().await;
        if most == Usd(0) {
            return Ok(Box::new(Entry { id: None, due: Arc::clone(&self.due) }));
        }
        let refused = |left: Usd, limit: &'static str| BudgetError::Limit { wanted: most, left, limit };
        if let Some(call) = self.call.filter(|call| most > *call) {
            return Err(refused(call, "what a call may cost (`model.call_usd`)"));
        }
        let booking = Booking { most, ..self.booking.clone() };
        let booked = self.journal.book(booking, self.limits).await;
        match booked.map_err(|error| BudgetError::Unwritten { why: error.to_string() })? {
            Booked::Entry(id) => Ok(Box::new(Entry { id: Some(id), due: Arc::clone(&self.due) })),
            Booked::Refused { scope, left } => Err(refused(
                left,
                match scope {
                    Scope::Task => "what an opportunity may cost (`model.task_usd`)",
                    Scope::Cycle => "what this cycle may cost (`model.budget_usd`)",
                    Scope::Day => "what a day may cost (`model.day_usd`)",
                    Scope::Tenant => "what the tenant may cost this month (`model.tenant_usd`)",
                },
            )),
        }
    }
}

impl Purse for JournalPurse {
    fn reserve(&self, most: Amount) -> BoxFuture<'_, Result<Box<dyn Held>, BudgetError>> {
        Box::pin(self.book(most.usd))
    }
}

/// What is set aside for one try; dropped unsettled it stays at the most.
struct Entry {
    id: Option<i64>,
    due: Arc<Mutex<Vec<(i64, Usd)>>>,
}

impl Held for Entry {
    fn settle(self: Box<Self>, spend: Spend) -> BoxFuture<'static, ()> {
        if let Some(id) = self.id {
            self.due.lock().unwrap_or_else(PoisonError::into_inner).push((id, spend.usd));
        }
        Box::pin(std::future::ready(()))
    }
}
