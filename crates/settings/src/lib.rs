//! Settings: what a person may set, from the built-in defaults, their own file, the repository's `kaizen.toml` and the
//! command line, in that order.
//!
//! Merged once, at the start, into one [`Settings`] value that is passed down; nothing below reads a file or the
//! environment for a setting. Unknown keys and wrong types are errors that name the file, the line and the way out.

pub mod error;
pub mod load;
pub mod nearest;
pub mod providers;
pub mod repositories;
pub mod settings;

pub use error::SettingsError;
pub use load::{Layer, Origin, explain, load};
pub use providers::{AuthHeader, ModelEntry, ProviderSettings};
pub use repositories::{MetricSettings, RepositorySettings, ScheduleSettings, WatchSettings, repositories};
pub use settings::{
    Arrangement, DaemonSettings, FailingTests, ForgeSettings, GateSettings, ModelSettings, RouterSettings,
    SecuritySettings, Settings, Structured, Subject, TestFiles, TrialSettings,
};

/// The defaults, with a comment on every key: what `kaizen init` writes.
pub const DEFAULTS: &str = include_str!("default.toml");
