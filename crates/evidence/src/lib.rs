//! Evidence: what a decision about a patch rests on, as a signed statement that can be checked without Kaizen's journal and
//! without a network.
//!
//! The statement is an in-toto statement (v1) whose subject is the commit; it is wrapped and signed as DSSE says, with an
//! Ed25519 key of the installation. A [`Statement`] that [`open`] returns was signed by that key, to the last byte.

mod envelope;
mod key;
mod statement;

pub use envelope::{OpenError, open, seal};
pub use key::{InstallationKey, KeyError, PublicKey};
pub use statement::{Evidence, Statement, Subject, SubjectDigest, TestsTried, digest};
