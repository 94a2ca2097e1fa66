//! The account of a cycle: what its calls to a model have cost, written into the journal so that no crash forgets it.
//!
//! A call that costs money is written down twice: before it is made with the most it can cost, and after it with what
//! it did cost. One that was cut off in between counts as the most, because the provider may have billed it.

use kaizen_domain::{CycleId, Spend, Tokens, Usd};
use kaizen_llm::Budget;
use kaizen_llm::retry::MAX_RETRIES;

use crate::error::AgentError;
use crate::journal::JournalHandle;

/// The account of one cycle.
pub(super) struct Account {
    cycle: CycleId,
    /// The number of the next call that costs money.
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

    /// Writes down that a call is about to be made, each try of which costs at most `estimate`. The answer is the
    /// number to settle it under; none for a call that is free or that the budget does not allow.
    ///
    /// # Errors
    /// When the journal cannot be written: then the call must not be made.
    pub(super) async fn intend(&mut self, journal: &JournalHandle, estimate: Usd) -> Result<Option<u64>, AgentError> {
        let left = self.budget.left().usd;
        if estimate == Usd(0) || estimate > left {
            return Ok(None);
        }
        let all_tries = estimate.0.saturating_mul(u64::from(MAX_RETRIES) + 1);
        let number = self.next;
        let key = key(self.cycle, number, Entry::Most);
        journal.keep_answer(key, all_tries.min(left.0).to_string()).await?;
        self.next += 1;
        Ok(Some(number))
    }

    /// Writes down what the call cost.
    ///
    /// # Errors
    /// When the journal cannot be written: then it counts as the most.
    pub(super) async fn settle(
        &self,
        journal: &JournalHandle,
        number: Option<u64>,
        spend: Spend,
    ) -> Result<(), AgentError> {
        let Some(number) = number else { return Ok(()) };
        journal.keep_answer(key(self.cycle, number, Entry::Paid), spend.usd.0.to_string()).await
    }
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
