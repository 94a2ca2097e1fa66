//! Diagnostics of the compiler and of clippy as signals.

use kaizen_domain::signal::Place;
use kaizen_domain::{Diagnostic, Level, Signal, SignalId, SignalKind};

/// One signal for each warning, and one for all errors together: a build either fails or it does not.
pub fn of_diagnostics(diagnostics: &[Diagnostic], builds: bool, mint: &mut dyn FnMut() -> SignalId) -> Vec<Signal> {
    let mut signals: Vec<Signal> = diagnostics
        .iter()
        .filter(|found| found.level == Level::Warning && !found.code.is_empty())
        .map(|found| Signal {
            id: mint(),
            place: found.path.clone().map(|path| Place { path, line: found.line }),
            kind: SignalKind::Diagnostic {
                tool: found.tool,
                lint: found.code.clone(),
                message: found.message.clone(),
                fixable: found.fixable,
                key: found.key(),
            },
        })
        .collect();
    if !builds {
        let errors: Vec<Diagnostic> = diagnostics.iter().filter(|found| found.level == Level::Error).cloned().collect();
        let place = errors.iter().find_map(|error| error.path.clone().map(|path| Place { path, line: error.line }));
        signals.push(Signal { id: mint(), place, kind: SignalKind::BuildFailure { errors } });
    }
    signals
}
