//! ModelUse: one question that was put to a model, and whether the answer could be used. Out of these the record of each
//! model grows: which one is asked next time, and in which format.

use serde::{Deserialize, Serialize};

/// One question to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUse {
    /// The provider and model, as the settings name them.
    pub route: String,
    /// The format that edits were asked for in.
    pub format: String,
    /// Whether the answer was in the form that was asked for, and its edits fitted the files.
    pub usable: bool,
}
