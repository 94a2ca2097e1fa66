//! GitHub's REST interface, version 2022-11-28.

use async_trait::async_trait;
use kaizen_domain::CommitId;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::ForgeError;
use crate::forge::{
    Check, Checks, Forge, NewPullRequest, Permission, Protection, PullRequest, PullRequestState, Remark,
    RepositoryFacts,
};
use crate::log::end_of;
use crate::remote::ForgeKind;

/// A repository on GitHub.
pub(crate) struct GitHub {
    api: Api,
    owner: String,
    name: String,
}

impl GitHub {
    pub(crate) fn new(api: Api, (owner, name): (String, String)) -> Self {
        Self { api, owner, name }
    }

    fn path(&self, below: &str) -> String {
        format!("/repos/{}/{}{below}", self.owner, self.name)
    }

    fn pull_request(&self, body: &Value) -> Result<PullRequest, ForgeError> {
        read_pull_request(body).ok_or_else(|| self.api.unreadable("read a pull request", "it lacks a field".to_owned()))
    }
}

/// A pull request as GitHub and, in the same words, Forgejo spell it.
pub(crate) fn read_pull_request(body: &Value) -> Option<PullRequest> {
    let merged = body.get("merged").and_then(Value::as_bool).unwrap_or(false) || text(body, "/merged_at").is_some();
    let state = match (merged, text(body, "/state")?.as_str()) {
        (true, _) => PullRequestState::Merged,
        (false, "open") => PullRequestState::Open,
        (false, _) => PullRequestState::Closed,
    };
    Some(PullRequest {
        number: body.get("number")?.as_u64()?,
        url: text(body, "/html_url").unwrap_or_default(),
        state,
        head_branch: text(body, "/head/ref")?,
        head: text(body, "/head/sha")?,
        base_branch: text(body, "/base/ref")?,
        body: text(body, "/body").unwrap_or_default(),
        merge_commit: text(body, "/merge_commit_sha").filter(|_| merged),
    })
}

/// A text at a JSON pointer.
pub(crate) fn text(body: &Value, pointer: &str) -> Option<String> {
    body.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// The texts of a list at a JSON pointer.
pub(crate) fn texts(body: &Value, pointer: &str) -> Vec<String> {
    let all = body.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What was said, as GitHub and Forgejo spell it; of a remark on a line also where.
pub(crate) fn read_remark(kind: &str, body: &Value) -> Option<Remark> {
    let said = text(body, "/body").unwrap_or_default();
    let asks_for_changes = matches!(text(body, "/state").as_deref(), Some("CHANGES_REQUESTED" | "REQUEST_CHANGES"));
    if said.trim().is_empty() && !asks_for_changes {
        return None;
    }
    let place = text(body, "/path").map(|path| match body.get("line").and_then(Value::as_u64) {
        Some(line) => format!("{path}:{line}"),
        None => path,
    });
    let key = format!("{kind}-{}", body.get("id")?.as_u64()?);
    Some(Remark { key, author: text(body, "/user/login")?, text: said, place, asks_for_changes })
}

#[async_trait]
impl Forge for GitHub {
    fn kind(&self) -> ForgeKind {
        ForgeKind::GitHub
    }

    fn name(&self) -> String {
        format!("{}/{} on {}", self.owner, self.name, self.api.host())
    }

    async fn token(&self) -> Result<SecretString, ForgeError> {
        self.api.token().await
    }

    async fn account(&self) -> Result<String, ForgeError> {
        if self.api.is_app() {
            return Ok("a GitHub App".to_owned());
        }
        let body = self.api.get("/user", "read its own account").await?;
        text(&body, "/login").ok_or_else(|| self.api.unreadable("read its own account", "it has no name".to_owned()))
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let what = format!("read the repository {}/{}", self.owner, self.name);
        let body = self.api.get(&self.path(""), &what).await?;
        let full_name = text(&body, "/full_name").unwrap_or_default();
        let ours = format!("{}/{}", self.owner, self.name);
        if !full_name.eq_ignore_ascii_case(&ours) && !full_name.is_empty() {
            return Err(ForgeError::Renamed { from: ours, to: full_name });
        }
        Ok(RepositoryFacts {
            full_name,
            default_branch: text(&body, "/default_branch").unwrap_or_else(|| "main".to_owned()),
            archived: body.get("archived").and_then(Value::as_bool).unwrap_or(false),
            private: body.get("private").and_then(Value::as_bool).unwrap_or(false),
            may_push: body.pointer("/permissions/push").and_then(Value::as_bool),
        })
    }

    async fn protection(&self, branch: &str) -> Result<Protection, ForgeError> {
        let path = self.path(&format!("/branches/{}", plain(branch)));
        let body = self.api.get_if_there(&path, "read a branch").await?.unwrap_or_default();
        let mut all = Protection {
            protected: body.get("protected").and_then(Value::as_bool).unwrap_or(false),
            checks: texts(&body, "/protection/required_status_checks/contexts"),
            ..Protection::default()
        };
        // The rules that hold for a branch; not there on older Enterprise servers.
        let path = self.path(&format!("/rules/branches/{}", plain(branch)));
        let rules = self.api.get_if_told(&path, "read the rules of a branch").await?;
        for rule in rules.as_array().into_iter().flatten() {
            all.protected = true;
            match text(rule, "/type").as_deref() {
                Some("required_signatures") => all.signed = true,
                Some("pull_request") => {
                    let wanted = rule.pointer("/parameters/required_approving_review_count").and_then(Value::as_u64);
                    all.approvals = all.approvals.max(wanted.unwrap_or(0));
                }
                Some("required_status_checks") => {
                    let checks = rule.pointer("/parameters/required_status_checks").and_then(Value::as_array);
                    all.checks.extend(checks.into_iter().flatten().filter_map(|check| text(check, "/context")));
                }
                _ => {}
            }
        }
        all.checks.sort();
        all.checks.dedup();
        Ok(all)
    }

    async fn find(&self, head_branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let path = self.path(&format!("/pulls?state=all&head={}:{head_branch}", self.owner));
        let all = self.api.list(&path, None, "list pull requests").await?;
        let mut found: Vec<PullRequest> = all.iter().filter_map(read_pull_request).collect();
        found.retain(|pull| pull.head_branch == head_branch);
        Ok(found.into_iter().max_by_key(|pull| pull.number))
    }

    async fn open(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError> {
        let NewPullRequest { title, body, head, base, draft } = new;
        let body = json!({"title": title, "body": body, "head": head, "base": base, "draft": draft,
            "maintainer_can_modify": true});
        self.pull_request(&self.api.send(Method::POST, &self.path("/pulls"), body, "open pull requests").await?)
    }

    async fn get(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let what = format!("read pull request {number}");
        self.pull_request(&self.api.get(&self.path(&format!("/pulls/{number}")), &what).await?)
    }

    async fn describe(&self, number: u64, title: &str, body: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/pulls/{number}"));
        self.api.send(Method::PATCH, &path, json!({"title": title, "body": body}), "edit pull requests").await.map(drop)
    }

    async fn close(&self, number: u64) -> Result<(), ForgeError> {
        let path = self.path(&format!("/pulls/{number}"));
        self.api.send(Method::PATCH, &path, json!({"state": "closed"}), "close pull requests").await.map(drop)
    }

    async fn comment(&self, number: u64, text: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}/comments"));
        self.api.send(Method::POST, &path, json!({"body": text}), "comment on pull requests").await.map(drop)
    }

    async fn remarks(&self, number: u64) -> Result<Vec<Remark>, ForgeError> {
        let mut all = Vec::new();
        for (kind, path) in [
            ("comment", format!("/issues/{number}/comments")),
            ("review", format!("/pulls/{number}/reviews")),
            ("line", format!("/pulls/{number}/comments")),
        ] {
            let list = self.api.list(&self.path(&path), None, "read comments").await?;
            all.extend(list.iter().filter_map(|body| read_remark(kind, body)));
        }
        Ok(all)
    }

    async fn permission(&self, account: &str) -> Result<Permission, ForgeError> {
        let path = self.path(&format!("/collaborators/{}/permission", plain(account)));
        let body = self.api.get_if_there(&path, "read what somebody may do").await?;
        Ok(permission_of(body.and_then(|body| text(&body, "/permission")).as_deref()))
    }

    async fn checks(&self, commit: &CommitId) -> Result<Checks, ForgeError> {
        let path = self.path(&format!("/commits/{commit}/check-runs"));
        let runs = self.api.list(&path, Some("check_runs"), "read checks").await?;
        let path = self.path(&format!("/commits/{commit}/status"));
        let statuses = self.api.get_if_there(&path, "read statuses").await?;
        let statuses = statuses.and_then(|body| body.get("statuses").cloned()).unwrap_or_default();
        let runs = runs.iter().filter_map(|run| {
            let passed = match (text(run, "/status").as_deref(), text(run, "/conclusion").as_deref()) {
                (_, Some("success" | "neutral" | "skipped")) => Some(true),
                // Called off, or waiting for a person: that says nothing about the commit.
                (_, Some("cancelled" | "stale" | "action_required")) => return None,
                (Some("completed"), _) | (_, Some(_)) => Some(false),
                _ => None,
            };
            let summary = [text(run, "/output/title"), text(run, "/output/summary"), text(run, "/output/text")];
            Some((passed, check(run, "/name", &summary.into_iter().flatten().collect::<Vec<_>>().join("\n"))))
        });
        let statuses = statuses.as_array().into_iter().flatten().map(|status| {
            let passed = match text(status, "/state").as_deref() {
                Some("success") => Some(true),
                Some("pending") | None => None,
                Some(_) => Some(false),
            };
            (passed, check(status, "/context", &text(status, "/description").unwrap_or_default()))
        });
        Ok(Checks::of(runs.chain(statuses).collect::<Vec<_>>()))
    }

    async fn check_log(&self, check: &Check) -> Result<String, ForgeError> {
        let path = self.path(&format!("/check-runs/{}/annotations", check.id));
        let notes = match self.api.list(&path, None, "read what checks noted").await {
            Ok(notes) => notes,
            Err(error) if error.may_pass() => return Err(error),
            // A status has no notes, and some may not be read: what the check said in short is then all there is.
            Err(_) => Vec::new(),
        };
        let mut log = check.summary.clone();
        for note in notes {
            let place = text(&note, "/path").unwrap_or_default();
            let line = note.get("start_line").and_then(Value::as_u64).unwrap_or(0);
            log.push_str(&format!("\n{place}:{line}: {}", text(&note, "/message").unwrap_or_default()));
        }
        Ok(end_of(&log))
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}/labels"));
        self.api.send(Method::POST, &path, json!({"labels": labels}), "label pull requests").await.map(drop)
    }

    async fn ask_reviewers(&self, number: u64, reviewers: &[String]) -> Result<(), ForgeError> {
        let (teams, people): (Vec<&String>, Vec<&String>) = reviewers.iter().partition(|name| name.contains('/'));
        let teams: Vec<&str> = teams.iter().filter_map(|team| team.rsplit('/').next()).collect();
        let path = self.path(&format!("/pulls/{number}/requested_reviewers"));
        let body = json!({"reviewers": people, "team_reviewers": teams});
        self.api.send(Method::POST, &path, body, "ask for reviews").await.map(drop)
    }
}

fn check(body: &Value, name: &str, summary: &str) -> Check {
    Check {
        name: text(body, name).unwrap_or_else(|| "a check".to_owned()),
        id: body.get("id").map(ToString::to_string).unwrap_or_default(),
        summary: end_of(summary),
    }
}

/// What a permission's name stands for.
pub(crate) fn permission_of(name: Option<&str>) -> Permission {
    match name {
        Some("admin" | "owner") => Permission::Admin,
        Some("write" | "maintain") => Permission::Write,
        Some("read" | "triage") => Permission::Read,
        _ => Permission::None,
    }
}

/// A name as part of an address: nothing in it can lead elsewhere.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            plain.push_str(&format!("%{byte:02X}"));
        }
    }
    if plain == "." || plain == ".." { "%2E".repeat(plain.len()) } else { plain }
}
