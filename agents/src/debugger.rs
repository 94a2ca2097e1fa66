//! The Debugger: repairs what fails and what the compiler finds, from the words of the failure itself, and carries out
//! what a person asked for. A patch of its own that failed comes back to it with what its trial printed.

use kaizen_domain::{SignalKind, Specialist};

use crate::engine::feedback::steady;
use crate::engine::{Brief, Case, Proposal};
use crate::writer::{Craft, Writer, WriterHandle};

/// The trade.
pub struct Repairs;

/// The actor.
pub type Debugger = Writer<Repairs>;
/// What others see of it.
pub type DebuggerHandle = WriterHandle<Repairs>;

impl Craft for Repairs {
    const SPECIALIST: Specialist = Specialist::Debugger;
    const ROLE: &'static str = "debugger";

    fn case(brief: &Brief) -> Case {
        let mut case = Case::of(brief);
        for signal in brief.evidence() {
            match &signal.kind {
                SignalKind::FailingTest { test, output } => {
                    case.failing_tests.push((test.to_string(), steady(output)));
                }
                SignalKind::FlakyTest { test } => {
                    case.failing_tests.push((test.to_string(), "fails now and then".to_owned()))
                }
                SignalKind::BuildFailure { errors } => {
                    case.diagnostics.extend(errors.iter().map(|error| error.rendered.clone()))
                }
                SignalKind::RedCheck { checks, log } => case.failing_tests.push((checks.join(", "), log.clone())),
                SignalKind::Diagnostic { lint, message, .. } => {
                    let at = signal
                        .place
                        .as_ref()
                        .map(|place| format!(" at {}:{}", place.path, place.line))
                        .unwrap_or_default();
                    case.diagnostics.push(format!("{lint}: {message}{at}"));
                }
                _ => {}
            }
        }
        case
    }

    fn accept(_: &Brief, proposal: &Proposal) -> Result<(), String> {
        if proposal.changes.is_empty() { Err("the answer changes nothing".to_owned()) } else { Ok(()) }
    }
}
