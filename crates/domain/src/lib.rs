//! The words of Kaizen as plain types: what goes in, what comes out, and which step may follow which.
//!
//! Floor 1: no I/O, no async, no clock, no randomness. Time and random bits come in as arguments, so that every
//! value, transition and decision can be replayed from the journal and tested without a machine around it.

pub mod attempt;
pub mod behaviour;
pub mod coverage;
pub mod cycle;
pub mod decision;
pub mod diagnostic;
pub mod edit;
pub mod event;
pub mod id;
pub mod landing;
pub mod model_use;
pub mod money;
pub mod moved_tests;
pub mod names;
pub mod noticed;
pub mod opportunity;
pub mod patch;
pub mod path;
pub mod plan;
pub mod pull_request;
pub mod request;
pub mod review;
pub mod signal;
pub mod step;
pub mod time;
pub mod trial;
pub mod watch;
pub mod word;

pub use attempt::{Attempt, AttemptEvent, AttemptStage, Round};
pub use behaviour::{Behaviour, Differs, Driven, NoticedByInputs};
pub use coverage::{Coverage, LinesRun};
pub use cycle::{Cycle, CycleEvent, CycleStage};
pub use decision::{Decision, decide};
pub use diagnostic::{Diagnostic, Level, Tool};
pub use edit::{Edit, EditSet};
pub use event::{Event, IllegalEvent, Record, TurnedDownItem};
pub use id::{CycleId, LessonId, OpportunityId, PatchId, PlanId, SignalId, TrialId};
pub use landing::{Landing, LandingMode};
pub use model_use::ModelUse;
pub use money::{Spend, Tokens, Usd};
pub use moved_tests::MovedTest;
pub use names::{BranchName, CommitId, InvalidName, RefName, TenantId, TreeId};
pub use noticed::{ByTestsAlone, FunctionNoticed, Mutants, Noticed};
pub use opportunity::{Impact, Opportunity, OpportunityKind, Risk};
pub use patch::{Authorship, EngineName, FileChange, FileChangeKind, Patch};
pub use path::{InvalidPath, RelPath};
pub use plan::{Answer, Check, Plan, Specialist, Task};
pub use pull_request::{Proposal, PullRequest, PullRequestEvent, PullRequestStage, RevisionReason};
pub use request::{Base, CycleRequest, Goal, PatchSource, Revision};
pub use review::{Finding, ItemChange, Review, Severity, Verdict};
pub use signal::{Signal, SignalKind};
pub use step::Step;
pub use time::{Millis, Timestamp};
pub use trial::{Comparison, Layer, LayerState, Stage, TestId, TestOutcome, TestResult, TrialOutcome, TrialReport};
pub use word::Word;
