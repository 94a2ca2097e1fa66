//! The arrangements of the sandbox: what holds of one is measured of each.

use anyhow::Result;
use kaizen_sandbox::Isolation;

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
pub fn all() -> Result<Vec<Arrangement>> {
    Ok(vec![Arrangement { name: "namespaces", isolation: Isolation::probe(&[])?, has_peer: true }])
}
