//! journal_damaged
