//! GitLab's REST interface, version 4. A pull request is a merge request there, a number its `iid`.

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
use crate::github::{plain, text};
use crate::log::end_of;
use crate::remote::ForgeKind;

/// The level of access that may push.
const DEVELOPER: u64 = 30;

/// A repository on GitLab.
pub(crate) struct GitLab {
    api: Api,
    owner: String,
    name: String,
}

impl GitLab {
    pub(crate) fn new(api: Api, (owner, name): (String, String)) -> Self {
        Self { api, owner, name }
    }

    fn path(&self, below: &str) -> String {
        format!("/projects/{}{below}", plain(&format!("{}/{}", self.owner, self.name)))
    }

    fn merge_request(&self, body: &Value) -> Result<PullRequest, ForgeError> {
        read_merge_request(body)
            .ok_or_else(|| self.api.unreadable("read a merge request", "it lacks a field".to_owned()))
    }

    /// The numbers of people, by their names; those that GitLab does not know are left out.
    async fn ids(&self, people: &[String]) -> Result<Vec<u64>, ForgeError> {
        let mut ids = Vec::new();
        for name in people {
            let path = format!("/users?username={}", plain(name.trim_start_matches('@')));
            let found = self.api.list(&path, None, "look people up").await?;
            ids.extend(found.first().and_then(|user| user.get("id")).and_then(Value::as_u64));
        }
        Ok(ids)
    }
}

fn read_merge_request(body: &Value) -> Option<PullRequest> {
    let state = match text(body, "/state")?.as_str() {
        "opened" | "locked" => PullRequestState::Open,
        "merged" => PullRequestState::Merged,
        _ => PullRequestState::Closed,
    };
    Some(PullRequest {
        number: body.get("iid")?.as_u64()?,
        url: text(body, "/web_url").unwrap_or_default(),
        state,
        head_branch: text(body, "/source_branch")?,
        head: text(body, "/sha").unwrap_or_default(),
        base_branch: text(body, "/target_branch")?,
        body: text(body, "/description").unwrap_or_default(),
        // Merged without a commit of its own, the branch just moved to what was proposed.
        merge_commit: text(body, "/merge_commit_sha")
            .or_else(|| text(body, "/squash_commit_sha"))
            .or_else(|| text(body, "/sha").filter(|_| state == PullRequestState::Merged)),
    })
}

#[async_trait]
impl Forge for GitLab {
    fn kind(&self) -> ForgeKind {
        ForgeKind::GitLab
    }

    fn name(&self) -> String {
        format!("{}/{} on {}", self.owner, self.name, self.api.host())
    }

    async fn token(&self) -> Result<SecretString, ForgeError> {
        self.api.token().await
    }

    async fn account(&self) -> Result<String, ForgeError> {
        let body = self.api.get("/user", "read its own account").await?;
        text(&body, "/username").ok_or_else(|| self.api.unreadable("read its own account", "it has no name".to_owned()))
    }

    async fn repository(&self) -> Result<RepositoryFacts, ForgeError> {
        let ours = format!("{}/{}", self.owner, self.name);
        let body = self.api.get(&self.path(""), &format!("read the repository {ours}")).await?;
        let full_name = text(&body, "/path_with_namespace").unwrap_or_default();
        if !full_name.eq_ignore_ascii_case(&ours) && !full_name.is_empty() {
            return Err(ForgeError::Renamed { from: ours, to: full_name });
        }
        let level = |who: &str| body.pointer(&format!("/permissions/{who}/access_level")).and_then(Value::as_u64);
        let level = level("project_access").max(level("group_access"));
        Ok(RepositoryFacts {
            full_name,
            default_branch: text(&body, "/default_branch").unwrap_or_else(|| "main".to_owned()),
            archived: body.get("archived").and_then(Value::as_bool).unwrap_or(false),
            private: text(&body, "/visibility").is_some_and(|seen| seen != "public"),
            may_push: level.map(|level| level >= DEVELOPER),
        })
    }

    async fn protection(&self, branch: &str) -> Result<Protection, ForgeError> {
        let path = self.path(&format!("/repository/branches/{}", plain(branch)));
        let body = self.api.get_if_there(&path, "read a branch").await?.unwrap_or_default();
        let project = self.api.get(&self.path(""), "read the repository").await?;
        let green = project.get("only_allow_merge_if_pipeline_succeeds").and_then(Value::as_bool).unwrap_or(false);
        // Only some editions have push rules, and only some may read them.
        let rules = self.api.get_if_told(&self.path("/push_rule"), "read the rules for pushes").await?;
        Ok(Protection {
            protected: body.get("protected").and_then(Value::as_bool).unwrap_or(false),
            checks: green.then(|| "the pipeline".to_owned()).into_iter().collect(),
            approvals: 0,
            signed: rules.get("reject_unsigned_commits").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    async fn find(&self, head_branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let path = self.path(&format!("/merge_requests?state=all&source_branch={}", plain(head_branch)));
        let all = self.api.list(&path, None, "list merge requests").await?;
        let found = all.iter().filter_map(read_merge_request).filter(|pull| pull.head_branch == head_branch);
        Ok(found.max_by_key(|pull| pull.number))
    }

    async fn open(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError> {
        // A draft is told by its title.
        let title = if new.draft { format!("Draft: {}", new.title) } else { new.title.clone() };
        let body = json!({"title": title, "description": new.body, "source_branch": new.head,
            "target_branch": new.base, "remove_source_branch": true});
        let path = self.path("/merge_requests");
        self.merge_request(&self.api.send(Method::POST, &path, body, "open merge requests").await?)
    }

    async fn get(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let what = format!("read merge request {number}");
        self.merge_request(&self.api.get(&self.path(&format!("/merge_requests/{number}")), &what).await?)
    }

    async fn describe(&self, number: u64, title: &str, body: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}"));
        let body = json!({"title": title, "description": body});
        self.api.send(Method::PUT, &path, body, "edit merge requests").await.map(drop)
    }

    async fn close(&self, number: u64) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}"));
        self.api.send(Method::PUT, &path, json!({"state_event": "close"}), "close merge requests").await.map(drop)
    }

    async fn comment(&self, number: u64, text: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}/notes"));
        self.api.send(Method::POST, &path, json!({"body": text}), "comment on merge requests").await.map(drop)
    }

    async fn remarks(&self, number: u64) -> Result<Vec<Remark>, ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}/notes?sort=asc"));
        let notes = self.api.list(&path, None, "read comments").await?;
        let people = notes.iter().filter(|note| note.get("system").and_then(Value::as_bool) != Some(true));
        Ok(people
            .filter_map(|note| {
                let place = text(note, "/position/new_path").map(|path| {
                    match note.pointer("/position/new_line").and_then(Value::as_u64) {
                        Some(line) => format!("{path}:{line}"),
                        None => path,
                    }
                });
                Some(Remark {
                    key: format!("note-{}", note.get("id")?.as_u64()?),
                    author: text(note, "/author/username")?,
                    text: text(note, "/body")?,
                    place,
                    asks_for_changes: false,
                })
            })
            .collect())
    }

    async fn permission(&self, account: &str) -> Result<Permission, ForgeError> {
        let path = self.path(&format!("/members/all?query={}", plain(account)));
        let members = self.api.list(&path, None, "read what somebody may do").await?;
        let member = members.iter().find(|member| text(member, "/username").as_deref() == Some(account));
        Ok(match member.and_then(|member| member.get("access_level")).and_then(Value::as_u64).unwrap_or(0) {
            40.. => Permission::Admin,
            DEVELOPER..40 => Permission::Write,
            10..DEVELOPER => Permission::Read,
            _ => Permission::None,
        })
    }

    async fn checks(&self, commit: &CommitId) -> Result<Checks, ForgeError> {
        let path = self.path(&format!("/repository/commits/{commit}/statuses"));
        let all = self.api.list(&path, None, "read statuses").await?;
        // Called off, or waiting for a person: that says nothing about the commit.
        let over = |status: &&Value| !matches!(text(status, "/status").as_deref(), Some("canceled" | "manual"));
        Ok(Checks::of(all.iter().filter(over).map(|status| {
            let allowed = status.get("allow_failure").and_then(Value::as_bool).unwrap_or(false);
            let passed = match text(status, "/status").as_deref() {
                Some("success" | "skipped") => Some(true),
                Some("failed") => Some(allowed),
                _ => None,
            };
            let check = Check {
                name: text(status, "/name").unwrap_or_else(|| "a job".to_owned()),
                id: status.get("id").map(ToString::to_string).unwrap_or_default(),
                summary: end_of(&text(status, "/description").unwrap_or_default()),
            };
            (passed, check)
        })))
    }

    async fn check_log(&self, check: &Check) -> Result<String, ForgeError> {
        let path = self.path(&format!("/jobs/{}/trace", plain(&check.id)));
        match self.api.text(&path, "read logs of jobs").await {
            Ok(log) => Ok(end_of(&format!("{}\n{log}", check.summary))),
            // A status of another system has no job.
            Err(ForgeError::NotFound { .. }) => Ok(check.summary.clone()),
            Err(error) => Err(error),
        }
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}"));
        let body = json!({"add_labels": labels.join(",")});
        self.api.send(Method::PUT, &path, body, "label merge requests").await.map(drop)
    }

    async fn ask_reviewers(&self, number: u64, reviewers: &[String]) -> Result<(), ForgeError> {
        let ids = self.ids(reviewers).await?;
        if ids.is_empty() {
            return Ok(());
        }
        let path = self.path(&format!("/merge_requests/{number}"));
        self.api.send(Method::PUT, &path, json!({"reviewer_ids": ids}), "ask for reviews").await.map(drop)
    }
}
