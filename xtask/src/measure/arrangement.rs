//! The arrangements of the sandbox: what holds of one is measured of each.

use kaizen_sandbox::Isolation;
use kaizen_sandbox::isolation::{self, IsolationError};

/// One of them, ready to run jobs.
pub struct Arrangement {
    /// For people.
    pub name: &'static str,
    /// It.
    pub isolation: Isolation,
    /// It does what bubblewrap does, so that the two can be compared.
    pub has_peer: bool,
}

/// All there are, each with every layer of it.
///
/// # Errors
/// When a layer is missing here.
pub fn all() -> Result<Vec<Arrangement>, IsolationError> {
    let one = |arrangement| {
        Ok(Arrangement {
            name: isolation::Arrangement::name(arrangement),
            isolation: Isolation::probe_arrangement(arrangement, &[])?,
            has_peer: arrangement == isolation::Arrangement::Namespaces,
        })
    };
    isolation::Arrangement::ALL.into_iter().map(one).collect()
}
