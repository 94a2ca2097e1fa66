//! The account of a cycle: what its calls to a model have cost, written into the journal so that no crash forgets it.
//!
//! A try that costs money is written down twice: before it is made with the most it can cost, and after it with what
//! it did cost. One that was cut off in between counts as the most, because the provider may have billed it.

use kaizen_domain::{CycleId, Spend, Tokens, Usd};
use kaizen_llm::Budget;

use crate::error::AgentError;
use crate::journal::JournalHandle;

/// The account of one cycle.
pub(super) struct Account {
    cycle: CycleId,
    /// The number of the next try that costs money.
    next: u64,
    /// What may be spent from here on.
    pub(super) budget: Budget,
}

impl Account {
    /// Opens the account of a cycle that may spend `limit` in all, of which `booked` stands in its events already.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn open(
        journal: &JournalHandle,
        cycle: CycleId,
        limit: Usd,
        booked: Spend,
    ) -> Result<Self, AgentError> {
        let (mut next, mut spent) = (0, Usd(0));
        while let Some(most) = entry(journal, cycle, next, Entry::Most).await? {
            let paid = entry(journal, cycle, next, Entry::Paid).await?;
            spent = spent.plus(paid.unwrap_or(most));
            next += 1;
        }
        let left = limit.0.saturating_sub(spent.max(booked.usd).0);
        Ok(Self { cycle, next, budget: Budget::new(Usd(left), Tokens(u64::MAX)) })
    }

    /// Writes down that a try is about to be made that costs at most `estimate`. One that is free, or that the budget
    /// does not allow, leaves nothing to settle.
    ///
    /// # Errors
    /// When the journal cannot be written: then the try must not be made.
    pub(super) async fn intend(&mut self, journal: &JournalHandle, estimate: Usd) -> Result<Open, AgentError> {
        let open = Open { number: self.next, seen: self.budget.spent().usd };
        if estimate == Usd(0) || estimate > self.budget.left().usd {
            return Ok(open);
        }
        journal.keep_answer(key(self.cycle, open.number, Entry::Most), estimate.0.to_string()).await?;
        self.next += 1;
        Ok(open)
    }

    /// What has been spent since a try was written down.
    pub(super) fn spent_since(&self, open: &Open) -> Usd {
        Usd(self.budget.spent().usd.0.saturating_sub(open.seen.0))
    }

    /// Writes down what the try cost.
    ///
    /// # Errors
    /// When the journal cannot be written: then it counts as the most.
    pub(super) async fn settle(&self, journal: &JournalHandle, open: &Open) -> Result<(), AgentError> {
        if open.number == self.next {
            return Ok(());
        }
        let spent = self.spent_since(open);
        journal.keep_answer(key(self.cycle, open.number, Entry::Paid), spent.0.to_string()).await
    }
}

/// A try that is written down and not settled.
pub(super) struct Open {
    number: u64,
    /// What had been spent before it.
    seen: Usd,
}

#[derive(Clone, Copy)]
enum Entry {
    Most,
    Paid,
}

fn key(cycle: CycleId, number: u64, entry: Entry) -> String {
    let entry = match entry {
        Entry::Most => "most",
        Entry::Paid => "paid",
    };
    format!("bill/{cycle}/{number}/{entry}")
}

async fn entry(journal: &JournalHandle, cycle: CycleId, number: u64, entry: Entry) -> Result<Option<Usd>, AgentError> {
    let key = key(cycle, number, entry);
    let Some(text) = journal.answer(key.clone()).await? else { return Ok(None) };
    let amount = text.parse().map_err(|_| AgentError::Bug(format!("`{key}` in the journal is no amount")))?;
    Ok(Some(Usd(amount)))
}
