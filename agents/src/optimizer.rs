//! The Optimizer: writes what is faster, with the benchmark that shows it. Nothing is faster that was not measured, so
//! a change of a model without a benchmark is not taken, however good it looks.

use kaizen_domain::{Check, SignalKind, Specialist};

use crate::engine::{Brief, Case, Proposal};
use crate::writer::{Craft, Writer, WriterHandle};

/// The trade.
pub struct Performance;

/// The actor.
pub type Optimizer = Writer<Performance>;
/// What others see of it.
pub type OptimizerHandle = WriterHandle<Performance>;

impl Craft for Performance {
    const SPECIALIST: Specialist = Specialist::Optimizer;
    const ROLE: &'static str = "optimizer";

    fn case(brief: &Brief) -> Case {
        let mut case = Case::of(brief);
        case.slow = brief
            .evidence()
            .filter_map(|signal| match &signal.kind {
                SignalKind::Goal { text } => Some(text.clone()),
                SignalKind::Diagnostic { lint, message, .. } => {
                    let at = signal
                        .place
                        .as_ref()
                        .map(|place| format!(" at {}:{}", place.path, place.line))
                        .unwrap_or_default();
                    Some(format!("{lint}: {message}{at}"))
                }
                _ => None,
            })
            .collect();
        case
    }

    fn accept(brief: &Brief, proposal: &Proposal) -> Result<(), String> {
        let measured = proposal.benchmark.as_deref().is_some_and(|program| !program.trim().is_empty());
        if brief.task.check == Check::Faster && !measured {
            return Err("the change came without a benchmark that shows it is faster".to_owned());
        }
        Ok(())
    }
}
