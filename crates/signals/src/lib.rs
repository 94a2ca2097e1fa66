//! Turns what was observed into signals. Pure: it is given diagnostics, trial reports, file texts and a lock file, and
//! says what they show. It runs nothing and reads no file itself.

pub mod dependencies;
pub mod diagnostics;
pub mod tests_failing;
pub mod todo;

pub use dependencies::{DeclaredIn, duplicates, unused};
pub use diagnostics::of_diagnostics;
pub use tests_failing::of_report;
pub use todo::{Marker, markers, of_markers};
