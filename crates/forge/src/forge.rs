//! What Kaizen asks of a forge, in words that all of them share.

use async_trait::async_trait;
use kaizen_domain::CommitId;
use secrecy::SecretString;

use crate::error::ForgeError;
use crate::remote::ForgeKind;

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// `owner/name`, as the forge spells it.
    pub full_name: String,
    /// The branch that pull requests go to.
    pub default_branch: String,
    /// Nobody can change it.
    pub archived: bool,
    /// Only some may see it.
    pub private: bool,
    /// Whether the token may push branches; none when the forge does not say.
    pub may_push: Option<bool>,
}

/// How a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequestState {
    /// It waits.
    Open,
    /// It was merged.
    Merged,
    /// It was closed without a merge.
    Closed,
}

/// A pull request, on GitLab a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: u64,
    /// Where a person looks at it.
    pub url: String,
    /// How it stands.
    pub state: PullRequestState,
    /// The branch it proposes.
    pub head_branch: String,
    /// The commit it proposes.
    pub head: String,
    /// The branch it goes to.
    pub base_branch: String,
    /// Its body.
    pub body: String,
    /// The commit that it became, once merged.
    pub merge_commit: Option<String>,
}

/// What a pull request is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPullRequest {
    /// The title.
    pub title: String,
    /// The body, Markdown.
    pub body: String,
    /// The branch it proposes; it is pushed already.
    pub head: String,
    /// The branch it goes to.
    pub base: String,
    /// Whether it is not ready to be merged yet.
    pub draft: bool,
}

/// Something that somebody said below a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What tells it from every other, also from those of other kinds.
    pub key: String,
    /// Who said it.
    pub author: String,
    /// What. Text from outside.
    pub text: String,
    /// Where in the code, for remarks on a line.
    pub place: Option<String>,
    /// Somebody asks for changes with it.
    pub asks_for_changes: bool,
}

/// What somebody may do with the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing but what anybody may.
    None,
    /// Look.
    Read,
    /// Push.
    Write,
    /// Everything.
    Admin,
}

/// How the checks of a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// There are none.
    None,
    /// Some are not over.
    Running,
    /// All are over and none failed.
    Passed,
    /// At least one failed.
    Failed,
}

/// One check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name. Text from outside.
    pub name: String,
    /// What the forge's own interface calls it.
    pub id: String,
    /// What it said in short. Text from outside.
    pub summary: String,
}

/// The checks of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// How they ended together.
    pub state: CheckState,
    /// Those that failed.
    pub failed: Vec<Check>,
}

impl Checks {
    /// Puts single ones together: `None` is one that still runs.
    pub(crate) fn of(all: impl IntoIterator<Item = (Option<bool>, Check)>) -> Self {
        let (mut any, mut running, mut failed) = (false, false, Vec::new());
        for (passed, check) in all {
            any = true;
            match passed {
                None => running = true,
                Some(false) => failed.push(check),
                Some(true) => {}
            }
        }
        // One that failed counts once all are over: others may fail as well, and both are repaired together.
        let state = match (any, running, failed.is_empty()) {
            (false, ..) => CheckState::None,
            (_, true, _) => CheckState::Running,
            (_, false, true) => CheckState::Passed,
            (_, false, false) => CheckState::Failed,
        };
        Self { state, failed }
    }
}

/// What the forge itself asks of changes to a branch, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// Whether it asks for anything.
    pub protected: bool,
    /// Checks that must pass. Names are text from outside.
    pub checks: Vec<String>,
    /// How many people must approve.
    pub approvals: u64,
    /// Commits must be signed.
    pub signed: bool,
}

/// A repository on a forge. Nothing is tried again in here: whoever asks knows whether asking twice does harm.
#[async_trait]
pub trait Forge: Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> ForgeKind;

    /// The forge and the repository, for people.
    fn name(&self) -> String;

    /// The token that git pushes with.
    async fn token(&self) -> Result<SecretString, ForgeError>;

    /// The name of the account that the token is of.
    async fn account(&self) -> Result<String, ForgeError>;

    /// What is known of the repository.
    async fn repository(&self) -> Result<RepositoryFacts, ForgeError>;

    /// What is asked of changes to a branch. Of a branch that is not there nothing is.
    async fn protection(&self, branch: &str) -> Result<Protection, ForgeError>;

    /// The newest pull request from this branch of the repository, in whichever state.
    async fn find(&self, head_branch: &str) -> Result<Option<PullRequest>, ForgeError>;

    /// Opens a pull request. Ask [`Forge::find`] first: forges do not all refuse a second one.
    async fn open(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError>;

    /// How one stands.
    async fn get(&self, number: u64) -> Result<PullRequest, ForgeError>;

    /// Gives it another title and body.
    async fn describe(&self, number: u64, title: &str, body: &str) -> Result<(), ForgeError>;

    /// Closes it.
    async fn close(&self, number: u64) -> Result<(), ForgeError>;

    /// Says something below it.
    async fn comment(&self, number: u64, text: &str) -> Result<(), ForgeError>;

    /// What was said below it, by anybody, the oldest first.
    async fn remarks(&self, number: u64) -> Result<Vec<Remark>, ForgeError>;

    /// What somebody may do.
    async fn permission(&self, account: &str) -> Result<Permission, ForgeError>;

    /// How the checks of a commit stand.
    async fn checks(&self, commit: &CommitId) -> Result<Checks, ForgeError>;

    /// What a check printed, as far as the forge gives it. Text from outside, at most 64 KiB, its end.
    async fn check_log(&self, check: &Check) -> Result<String, ForgeError>;

    /// Puts labels on it, beside those that are there.
    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError>;

    /// Asks people, and teams as `org/team`, to look at it.
    async fn ask_reviewers(&self, number: u64, reviewers: &[String]) -> Result<(), ForgeError>;
}
