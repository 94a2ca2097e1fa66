//! Contributing: what the people of a repository say about changes from outside, read from their own files.
//!
//! A pure library on floor 2: it is given the texts of a commit and returns values. It reads no disk and asks no network.
//!
//! [`Rules`] says whether a pull request may be opened by a program, and under which conditions. [`Template`] fills the
//! repository's own form for a pull request, [`Codeowners`] says whom a change concerns, and [`Conventions`] how commits
//! are worded and where they go. [`candidate`] names the paths of a tree that are worth reading for all of that.
//!
//! Every text is untrusted. It can forbid, ask for a person, or add one of the [`Condition`]s that are known here; there is
//! no sentence by which it could allow more. Between allowed and forbidden the answer is that a person is needed.

mod bounds;
mod candidate;
mod conventions;
mod owners;
mod read;
mod rules;
mod template;

pub use bounds::clean;
pub use candidate::candidate;
pub use conventions::Conventions;
pub use owners::{Codeowners, Owner};
pub use rules::{Condition, Need, Quote, Rules, Verdict};
pub use template::{BodyParts, Facts, Template, default_body};
