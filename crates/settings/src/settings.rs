//! The settings as types.

use std::collections::BTreeMap;

use kaizen_domain::{LandingMode, OpportunityKind, Risk};
use serde::{Deserialize, Serialize};

use crate::providers::ProviderSettings;

/// Everything a person may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What a cycle takes on.
    pub cycle: CycleSettings,
    /// Where patches go.
    pub landing: LandingSettings,
    /// How others are asked to take patches.
    pub pull_request: PullRequestSettings,
    /// How fast others are bothered, and how fast patches land unattended.
    pub pacing: PacingSettings,
    /// What is looked at.
    pub signals: SignalSettings,
    /// What is asked of the base.
    pub base: BaseSettings,
    /// What a patch may be.
    pub policy: PolicySettings,
    /// What a trial may use.
    pub trial: TrialSettings,
    /// What is looked at before a patch may land by itself.
    pub gate: GateSettings,
    /// How hard agents try.
    pub agents: AgentSettings,
    /// What this machine may do without.
    pub sandbox: SandboxSettings,
    /// What is known of the packages that patches bring in, and who else looks at a patch.
    pub security: SecuritySettings,
    /// The language model, and what all of them together may cost.
    pub model: ModelSettings,
    /// Which of several models is asked.
    pub router: RouterSettings,
    /// The providers of further models, by name.
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderSettings>,
    /// The forge of the repository.
    pub forge: ForgeSettings,
    /// What the daemon does.
    pub daemon: DaemonSettings,
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
    /// Lines at the end of every commit message, such as `Assisted-by: Kaizen`.
    pub trailers: Vec<String>,
}

/// How others are asked to take patches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequestSettings {
    /// The remote that leads to the forge.
    pub remote: String,
    /// The branch they go to; empty: the repository's default branch.
    pub onto: String,
    /// Whether they say that they are not ready.
    pub draft: bool,
    /// Labels.
    pub labels: Vec<String>,
    /// Who is asked to look, teams as `org/team`.
    pub reviewers: Vec<String>,
    /// Whether the owners of changed files are asked as well.
    pub code_owners: bool,
}

/// How fast others are bothered, and how fast patches land unattended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacingSettings {
    /// Pull requests that may be open at a time.
    pub max_open: u32,
    /// Landings in any window.
    pub max_landings: u32,
    /// The length of a window, seconds.
    pub window_secs: u64,
    /// Times at which nothing is opened and nothing lands.
    pub quiet: Vec<QuietSettings>,
    /// The pause after a pull request was closed without being merged, seconds; each in a row doubles it.
    pub pause_secs: u64,
    /// The longest such pause, seconds.
    pub max_pause_secs: u64,
}

/// Quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietSettings {
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`; when it lies before `from`, of the next day.
    pub to: String,
    /// A name of the IANA database, `UTC`, or `local`.
    #[serde(default = "local")]
    pub time_zone: String,
    /// The days on which they begin, `mon` to `sun`; none means every day.
    #[serde(default)]
    pub days: Vec<String>,
}

fn local() -> String {
    "local".to_owned()
}

/// The forge of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgeSettings {
    /// `github`, `gitlab` or `forgejo`; empty: as the host tells.
    pub kind: String,
    /// The web address of the repository; empty: as the remote says.
    pub url: String,
    /// The address of the forge's interface; empty: where it usually is.
    pub api_url: String,
    /// The environment variable with the token.
    pub token_env: String,
    /// The file with the token.
    pub token_file: String,
    /// The id of a GitHub App, in place of a token.
    pub app_id: String,
    /// The number of its installation.
    pub app_installation: u64,
    /// The file with its private key.
    pub app_key_file: String,
    /// Where the maintainers agreed to generated contributions, in a person's words; empty: nowhere.
    pub agreed: String,
    /// The least time between two requests that change something, milliseconds.
    pub pause_ms: u64,
}

impl ForgeSettings {
    /// Whether a person says that the maintainers agreed.
    #[must_use]
    pub fn agreed(&self) -> bool {
        !self.agreed.trim().is_empty()
    }

    /// Whether there is something to let Kaizen in with.
    #[must_use]
    pub fn configured(&self) -> bool {
        !self.token_env.is_empty() || !self.token_file.is_empty() || !self.app_id.is_empty()
    }
}

/// What the daemon does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonSettings {
    /// Where it answers; empty: nowhere.
    pub listen: String,
    /// The environment variable with the token that others than this machine must show.
    pub token_env: String,
    /// The file with it.
    pub token_file: String,
    /// How many repositories are worked on at once.
    pub at_once: u32,
    /// How often open pull requests are looked at, seconds.
    pub poll_secs: u64,
    /// The environment variable with the secret that webhooks are signed with.
    pub webhook_secret_env: String,
    /// The file with it.
    pub webhook_secret_file: String,
    /// Without progress for so long, what runs is taken for stuck, seconds.
    pub stuck_secs: u64,
}

/// How commit subjects look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// As the repository's own history does it.
    Auto,
    /// The bare title.
    Plain,
    /// As Conventional Commits ask for it.
    Conventional,
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
    /// Features that are on beside those that are on by default: `serde`, or `shop/serde` of one package.
    pub features: Vec<String>,
    /// All features are on.
    pub all_features: bool,
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

/// What is looked at before a patch may land by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSettings {
    /// Wrong versions of changed functions that tests are tried on, at most; 0 for none.
    pub mutants: u32,
    /// How long they are run, seconds.
    pub mutants_secs: u64,
    /// Inputs that each function of a library is called with before and after a change, at most; 0 for none.
    pub inputs: u32,
    /// How long they may take on one side, seconds.
    pub inputs_secs: u64,
    /// Whether the repository's own benchmarks are run before and after a change that they reach.
    pub benchmarks: bool,
    /// How long their runs may take in all, seconds.
    pub benchmarks_secs: u64,
    /// A program with its arguments in place of its benchmarks; empty: those.
    pub benchmark: Vec<String>,
    /// Whether all this is done for changes as well that the compiler's own tools suggest.
    pub suggestions: bool,
    /// Whether signed evidence is put on commits that land, as a git note.
    pub evidence: bool,
}

/// How hard agents try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// Patches of a model for one opportunity.
    pub model_rounds: u32,
    /// Answers that a model is asked for at once, of which the best is taken.
    pub candidates: u32,
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

/// What is known of the packages that patches bring in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecuritySettings {
    /// The folder of a database of advisories in the RustSec format; empty: none.
    pub advisories: String,
    /// A model reads what would land.
    pub second_reader: bool,
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
    /// What one call may cost, dollars; empty: no limit of its own.
    pub call_usd: String,
    /// What one opportunity may cost in a cycle, dollars; empty: no limit of its own.
    pub task_usd: String,
    /// What all work of this machine may cost in a day, dollars; empty: no limit.
    pub day_usd: String,
    /// What a tenant may cost in a calendar month, dollars; empty: no limit.
    pub tenant_usd: String,
    /// What a prompt may hold, tokens, also where more would fit.
    pub prompt_tokens: u64,
    /// Seconds to connect.
    pub connect_secs: u64,
    /// Seconds to the first byte.
    pub first_byte_secs: u64,
    /// Seconds between two bytes.
    pub idle_secs: u64,
    /// Seconds in all.
    pub total_secs: u64,
}

/// Which of several models is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterSettings {
    /// How many of a hundred patches must have been accepted for a model to be good enough.
    pub good_enough: u32,
    /// How many of a hundred choices may be made to learn about a model.
    pub explore: u32,
}

/// What an endpoint can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Structured {
    /// Answers that follow a schema.
    JsonSchema,
    /// Answers as the arguments of a tool that it must call.
    Tool,
    /// Answers in JSON.
    JsonObject,
    /// Plain text.
    Text,
}

impl ModelSettings {
    /// Whether the one model that this section describes is configured.
    #[must_use]
    pub fn configured(&self) -> bool {
        !self.base_url.is_empty() && !self.name.is_empty()
    }
}

impl Settings {
    /// Whether any model is configured.
    #[must_use]
    pub fn has_model(&self) -> bool {
        self.model.configured() || !self.providers.is_empty()
    }
}

impl Default for Settings {
    /// The built-in defaults.
    fn default() -> Self {
        crate::load::load(&[]).unwrap_or_else(|error| panic!("BUG: the built-in settings do not load: {error}"))
    }
}
