//! What the scripted forge remembers: users, tokens, repositories, pull requests. One state for all dialects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::hooks::{Delivery, Event, Hook};
use crate::bare::Bare;

/// Which forge's interface is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// GitHub, at `/`.
    GitHub,
    /// GitLab, at `/api/v4`.
    GitLab,
    /// Forgejo and Gitea, at `/api/v1`.
    Forgejo,
}

/// What a user may do in a repository, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing; a private repository cannot be seen.
    None,
    /// Look and comment.
    Read,
    /// Label too.
    Triage,
    /// Push, open pull requests and merge too.
    Write,
    /// Change the protection of branches too.
    Admin,
}

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It has not ended.
    Pending,
    /// It passed.
    Success,
    /// It failed.
    Failure,
}

/// A check of a commit, as a CI reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, such as `ci / test`.
    pub context: String,
    /// What it says.
    pub state: CheckState,
    /// A line about it.
    pub description: String,
    /// Where more is said; may be empty.
    pub url: String,
    /// Whether GitHub shows it as a check run rather than a commit status. The other dialects know statuses only.
    pub run: bool,
}

impl Check {
    /// A commit status with this name.
    #[must_use]
    pub fn status(context: &str, state: CheckState) -> Self {
        Self { context: context.to_owned(), state, description: String::new(), url: String::new(), run: false }
    }

    /// A check run with this name.
    #[must_use]
    pub fn run(context: &str, state: CheckState) -> Self {
        Self { run: true, ..Self::status(context, state) }
    }
}

/// What must hold before something is merged into a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    /// Checks that must have passed.
    pub checks: Vec<String>,
    /// How many people other than the author must have approved.
    pub approvals: u64,
    /// Whether commits must be signed.
    pub signed: bool,
}

/// How many requests a user has in one window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub limit: u64,
    pub used: u64,
    /// The end of the window, in seconds since 1970.
    pub reset: i64,
}

/// A request as the forge saw it. Tokens are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Such as `POST`.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// Who asked; empty for nobody.
    pub login: String,
    /// What was answered.
    pub status: u16,
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub id: u64,
    pub login: String,
    pub bot: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub id: u64,
    pub author: String,
    pub body: String,
    pub created: String,
    pub updated: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approved,
    ChangesRequested,
    Commented,
}

#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub id: u64,
    pub author: String,
    pub verdict: Verdict,
    pub body: String,
    pub sha: String,
    pub at: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    Closed,
    Merged { sha: String, by: String },
}

#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: String,
    pub author: String,
    pub head: String,
    pub base: String,
    /// The last commit that the head was seen at; it stays when the branch goes.
    pub head_sha: String,
    /// Where the base was when the pull request was last looked at while open.
    pub base_sha: String,
    pub draft: bool,
    pub stage: Stage,
    pub labels: BTreeSet<String>,
    pub reviewers: BTreeSet<String>,
    pub comments: Vec<Comment>,
    pub reviews: Vec<Review>,
    pub created: String,
    pub updated: String,
    pub ended: Option<String>,
    /// Whether the head ever had something that the base had not.
    pub had_commits: bool,
    pub auto_merge: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub id: u64,
    pub name: String,
    pub color: String,
    pub description: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Reported {
    pub id: u64,
    pub check: Check,
    pub by: String,
    pub at: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Repo {
    pub id: u64,
    pub owner: String,
    pub name: String,
    pub bare: Bare,
    pub default_branch: String,
    pub private: bool,
    pub created: String,
    pub members: BTreeMap<String, Permission>,
    pub labels: Vec<Label>,
    pub protected: BTreeMap<String, Protection>,
    pub pulls: Vec<Pull>,
    /// By commit; a later report of the same name stands after the earlier.
    pub checks: BTreeMap<String, Vec<Reported>>,
    pub hooks: Vec<Hook>,
    /// The branches when they were last looked at.
    pub seen: BTreeMap<String, String>,
}

/// Why the forge does not do what it was asked. Each dialect has its own words and numbers for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such thing, or one that may not be seen.
    NotFound,
    /// The token is unknown, or there must be one.
    Unauthorized,
    /// The user may see it and not do it.
    Forbidden,
    /// Head or base of a pull request is no branch.
    NoBranch {
        field: &'static str,
        name: String,
    },
    SameBranch,
    /// An open one with this number has the same head and base.
    Duplicate(u64),
    NothingBetween {
        base: String,
        head: String,
    },
    HeadMoved,
    Conflict,
    /// Its state or the protection of the branch is against it.
    NotMergeable(String),
    /// A value that is missing or wrong.
    Invalid {
        field: &'static str,
        why: String,
    },
    /// A ref that must not be moved like this.
    Ref(String),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub users: Vec<User>,
    /// Logins by token.
    pub tokens: BTreeMap<String, String>,
    /// The login that an installation of an app acts as, by the installation's id.
    pub installations: BTreeMap<u64, String>,
    pub repos: Vec<Repo>,
    pub limit: Option<(u64, i64)>,
    pub rates: BTreeMap<String, Rate>,
    pub requests: Vec<Seen>,
    /// What happened and was not yet told to the hooks: the repository's id and the event.
    pub events: VecDeque<(u64, Event)>,
    pub deliveries: Vec<Delivery>,
    last_id: u64,
}

/// The time, as forges write it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl State {
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub fn user(&self, login: &str) -> Option<&User> {
        self.users.iter().find(|user| user.login == login)
    }

    pub fn add_user(&mut self, login: &str, bot: bool) {
        if self.user(login).is_none() {
            let id = self.next_id();
            self.users.push(User { id, login: login.to_owned(), bot });
        }
    }

    /// The place of a repository that this user may see.
    pub fn find(&self, owner: &str, name: &str, login: Option<&str>) -> Result<usize, Refusal> {
        let same = |repo: &Repo| repo.owner.eq_ignore_ascii_case(owner) && repo.name.eq_ignore_ascii_case(name);
        let at = self.repos.iter().position(same).ok_or(Refusal::NotFound)?;
        let may = self.repos[at].permission(login);
        if may == Permission::None { Err(Refusal::NotFound) } else { Ok(at) }
    }

    pub fn happened(&mut self, at: usize, event: Event) {
        self.events.push_back((self.repos[at].id, event));
    }
}

impl Repo {
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// What a user may do; nobody may read what is public.
    pub fn permission(&self, login: Option<&str>) -> Permission {
        let public = if self.private { Permission::None } else { Permission::Read };
        match login {
            Some(login) if login == self.owner => Permission::Admin,
            Some(login) => self.members.get(login).copied().unwrap_or(public).max(public),
            None => public,
        }
    }

    /// The newest report of each name.
    pub fn checks(&self, sha: &str) -> Vec<&Reported> {
        let mut newest: BTreeMap<&str, &Reported> = BTreeMap::new();
        for report in self.checks.get(sha).into_iter().flatten() {
            newest.insert(&report.check.context, report);
        }
        let mut newest: Vec<&Reported> = newest.into_values().collect();
        newest.sort_by_key(|report| report.id);
        newest
    }

    pub fn pull(&self, number: u64) -> Result<&Pull, Refusal> {
        self.pulls.iter().find(|pull| pull.number == number).ok_or(Refusal::NotFound)
    }

    pub fn pull_mut(&mut self, number: u64) -> Result<&mut Pull, Refusal> {
        self.pulls.iter_mut().find(|pull| pull.number == number).ok_or(Refusal::NotFound)
    }

    /// What a protected branch still lacks for this pull request; nothing when it may be merged.
    pub fn lacking(&self, pull: &Pull) -> Option<String> {
        let protection = self.protected.get(&pull.base)?;
        let checks = self.checks(&pull.head_sha);
        for wanted in &protection.checks {
            match checks.iter().find(|report| report.check.context == *wanted).map(|report| report.check.state) {
                Some(CheckState::Success) => {}
                Some(CheckState::Failure) => return Some(format!("Required status check \"{wanted}\" is failing.")),
                Some(CheckState::Pending) | None => {
                    return Some(format!("Required status check \"{wanted}\" is expected."));
                }
            }
        }
        let approvals = pull.approvals();
        let missing = approvals < protection.approvals;
        missing.then(|| {
            let wanted = protection.approvals;
            format!("At least {wanted} approving review is required by reviewers with write access.")
        })
    }
}

impl Pull {
    /// How many people besides the author approve, by their last word.
    pub fn approvals(&self) -> u64 {
        let mut last: BTreeMap<&str, Verdict> = BTreeMap::new();
        for review in &self.reviews {
            if review.author != self.author && review.verdict != Verdict::Commented {
                last.insert(&review.author, review.verdict);
            }
        }
        last.into_values().filter(|verdict| *verdict == Verdict::Approved).count() as u64
    }

    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }
}
