//! Forgejo's and Gitea's interface, version 1. Much of it is spelt as GitHub's.

use async_trait::async_trait;
use kaizen_domain::CommitId;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::ForgeError;
use crate::forge::{
    Check, Checks, Forge, NewPullRequest, Permission, Protection, PullRequest, Remark, RepositoryFacts,
};
use crate::github::{permission_of, plain, read_pull_request, read_remark, text, texts};
use crate::log::end_of;
use crate::remote::ForgeKind;

/// A repository on Forgejo or Gitea.
pub(crate) struct Forgejo {
    api: Api,
    owner: String,
    name: String,
}

impl Forgejo {
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

#[async_trait]
impl Forge for Forgejo {
    fn kind(&self) -> ForgeKind {
        ForgeKind::Forgejo
    }

    fn name(&self) -> String {
        format!("{}/{} on {}", self.owner, self.name, self.api.host())
    }

    async fn token(&self) -> Result<SecretString, ForgeError> {
        self.api.token().await
    }

    async fn account(&self) -> Result<String, ForgeError> {
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
        let truth = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
        let checks = if truth("enable_status_check") { texts(&body, "/status_check_contexts") } else { Vec::new() };
        Ok(Protection {
            protected: truth("protected"),
            checks,
            approvals: body.get("required_approvals").and_then(Value::as_u64).unwrap_or(0),
            // Only those who may change the rules are told.
            signed: false,
        })
    }

    async fn find(&self, head_branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        // The list cannot be asked for one branch; the newest come first.
        let path = self.path("/pulls?state=all&sort=recentupdate");
        let all = self.api.list(&path, None, "list pull requests").await?;
        let found = all.iter().filter_map(read_pull_request).filter(|pull| pull.head_branch == head_branch);
        Ok(found.max_by_key(|pull| pull.number))
    }

    async fn open(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError> {
        // A draft is told by its title.
        let title = if new.draft { format!("WIP: {}", new.title) } else { new.title.clone() };
        let body = json!({"title": title, "body": new.body, "head": new.head, "base": new.base});
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
        let comments = self.api.list(&self.path(&format!("/issues/{number}/comments")), None, "read comments").await?;
        let mut all: Vec<Remark> = comments.iter().filter_map(|body| read_remark("comment", body)).collect();
        for review in self.api.list(&self.path(&format!("/pulls/{number}/reviews")), None, "read reviews").await? {
            all.extend(read_remark("review", &review));
            let (Some(id), lines) = (review.get("id"), review.get("comments_count").and_then(Value::as_u64)) else {
                continue;
            };
            if lines.unwrap_or(0) > 0 {
                let path = self.path(&format!("/pulls/{number}/reviews/{id}/comments"));
                let list = self.api.list(&path, None, "read comments").await?;
                all.extend(list.iter().filter_map(|body| read_remark("line", body)));
            }
        }
        Ok(all)
    }

    async fn permission(&self, account: &str) -> Result<Permission, ForgeError> {
        let path = self.path(&format!("/collaborators/{}/permission", plain(account)));
        let body = self.api.get_if_there(&path, "read what somebody may do").await?;
        Ok(permission_of(body.and_then(|body| text(&body, "/permission")).as_deref()))
    }

    async fn checks(&self, commit: &CommitId) -> Result<Checks, ForgeError> {
        let path = self.path(&format!("/commits/{commit}/statuses"));
        let all = self.api.list(&path, None, "read statuses").await?;
        // Each change of a status is an entry: the newest of a context counts.
        let mut newest: std::collections::BTreeMap<String, (u64, &Value)> = std::collections::BTreeMap::new();
        for status in &all {
            let context = text(status, "/context").unwrap_or_default();
            let id = status.get("id").and_then(Value::as_u64).unwrap_or(0);
            if newest.get(&context).is_none_or(|(known, _)| *known <= id) {
                newest.insert(context, (id, status));
            }
        }
        Ok(Checks::of(newest.into_iter().map(|(context, (id, status))| {
            let passed = match text(status, "/status").or_else(|| text(status, "/state")).as_deref() {
                Some("success" | "warning" | "skipped") => Some(true),
                Some("pending") | None => None,
                Some(_) => Some(false),
            };
            let summary = end_of(&text(status, "/description").unwrap_or_default());
            (passed, Check { name: context, id: id.to_string(), summary })
        })))
    }

    async fn check_log(&self, check: &Check) -> Result<String, ForgeError> {
        // Version 1 of the interface gives no logs; what the status says is all there is.
        Ok(check.summary.clone())
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let known = self.api.list(&self.path("/labels"), None, "read labels").await?;
        let ids: Vec<&Value> = known
            .iter()
            .filter(|label| text(label, "/name").is_some_and(|name| labels.contains(&name)))
            .filter_map(|label| label.get("id"))
            .collect();
        let path = self.path(&format!("/issues/{number}/labels"));
        self.api.send(Method::POST, &path, json!({"labels": ids}), "label pull requests").await.map(drop)
    }

    async fn ask_reviewers(&self, number: u64, reviewers: &[String]) -> Result<(), ForgeError> {
        let (teams, people): (Vec<&String>, Vec<&String>) = reviewers.iter().partition(|name| name.contains('/'));
        let teams: Vec<&str> = teams.iter().filter_map(|team| team.rsplit('/').next()).collect();
        let path = self.path(&format!("/pulls/{number}/requested_reviewers"));
        let body = json!({"reviewers": people, "team_reviewers": teams});
        self.api.send(Method::POST, &path, body, "ask for reviews").await.map(drop)
    }
}
