//! The settings as types.

use kaizen_domain::{LandingMode, OpportunityKind, Risk};
use serde::{Deserialize, Serialize};

/// Everything a person may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What a cycle takes on.
    pub cycle: CycleSettings,
    /// Where patches go.
    pub landing: LandingSettings,
    /// What is looked at.
    pub signals: SignalSettings,
    /// What is asked of the base.
    pub base: BaseSettings,
    /// What a patch may be.
    pub policy: PolicySettings,
    /// What a trial may use.
    pub trial: TrialSettings,
    /// How hard agents try.
    pub agents: AgentSettings,
    /// What this machine may do without.
    pub sandbox: SandboxSettings,
    /// The language model.
    pub model: ModelSettings,
}

/// What a cycle takes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleSettings {
    /// Kinds of work; empty means all.
    pub only: Vec<OpportunityKind>,
    /// How many opportunities are taken up.
    pub max_opportunities: u32,
    /// How many patches may land.
    pub max_landings: u32,
    /// The highest risk that is taken.
    pub risk_tolerance: Risk,
}

/// Where patches go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingSettings {
    /// Onto which branch.
    pub mode: LandingMode,
    /// How commit subjects look.
    pub subject: Subject,
}

/// How commit subjects look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// As the repository's own history does it.
    Auto,
    /// The bare title.
    Plain,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalSettings {
    /// Lints and groups raised to warnings.
    pub warn: Vec<String>,
    /// Lints kept quiet.
    pub allow: Vec<String>,
    /// Whether TODO and FIXME count.
    pub notes: bool,
}

/// What is asked of the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseSettings {
    /// What happens when its tests fail.
    pub failing_tests: FailingTests,
    /// How often its tests are run.
    pub runs: u32,
}

/// What happens when tests of the base fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailingTests {
    /// Go on, and compare test by test.
    Compare,
    /// Stop, unless repairs are what is asked for.
    Refuse,
}

/// What a patch may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySettings {
    /// Files it may change.
    pub max_files: u32,
    /// Lines it may add and remove.
    pub max_changed_lines: u32,
    /// The size of a file it may leave, KiB.
    pub max_file_kib: u32,
    /// Paths that only a person may change.
    pub protected: Vec<String>,
    /// Who may change test files.
    pub test_files: TestFiles,
}

/// Who may change test files without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestFiles {
    /// Nobody.
    Ask,
    /// Suggestions of the compiler's own tools.
    Fixers,
}

/// What a trial may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialSettings {
    /// Wall time of one run, seconds.
    pub wall_secs: u64,
    /// Wall time of a first build, seconds.
    pub build_wall_secs: u64,
    /// Processor time of one process, seconds.
    pub cpu_secs: u64,
    /// Memory of all processes together, MiB.
    pub memory_mib: u64,
    /// Processes at once.
    pub processes: u64,
    /// What may be written, MiB.
    pub disk_mib: u64,
    /// What may be printed, MiB.
    pub output_mib: u64,
}

/// How hard agents try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// Patches of a model for one opportunity.
    pub model_rounds: u32,
    /// Trials of a search among suggestions.
    pub fixer_rounds: u32,
}

/// What this machine may do without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSettings {
    /// How the sandbox is built.
    pub arrangement: Arrangement,
    /// Layers that may be missing.
    pub waived: Vec<String>,
}

/// How the sandbox is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrangement {
    /// With namespaces where this machine gives them, and without them otherwise.
    Auto,
    /// With namespaces or not at all.
    Namespaces,
    /// Without namespaces.
    Restricted,
}

/// The language model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// The endpoint; empty means none.
    pub base_url: String,
    /// The model's name there.
    pub name: String,
    /// The environment variable with the key.
    pub key_env: String,
    /// The file with the key.
    pub key_file: String,
    /// Dollars for a million tokens sent.
    pub price_input: String,
    /// Dollars for a million tokens written.
    pub price_output: String,
    /// What fits into one request, tokens.
    pub context_tokens: u64,
    /// What it may write in one answer, tokens.
    pub max_output_tokens: u64,
    /// What the endpoint can be asked for.
    pub structured: Structured,
    /// What a cycle may cost, dollars.
    pub budget_usd: String,
    /// Seconds to connect.
    pub connect_secs: u64,
    /// Seconds to the first byte.
    pub first_byte_secs: u64,
    /// Seconds between two bytes.
    pub idle_secs: u64,
    /// Seconds in all.
    pub total_secs: u64,
}

/// What an endpoint can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Structured {
    /// Answers that follow a schema.
    JsonSchema,
    /// Answers in JSON.
    JsonObject,
    /// Plain text.
    Text,
}

impl ModelSettings {
    /// Whether a model is configured.
    #[must_use]
    pub fn configured(&self) -> bool {
        !self.base_url.is_empty() && !self.name.is_empty()
    }
}

impl Default for Settings {
    /// The built-in defaults.
    fn default() -> Self {
        crate::load::load(&[]).unwrap_or_else(|error| panic!("BUG: the built-in settings do not load: {error}"))
    }
}
