//! The objects of Forgejo's dialect.

use serde_json::{Value, json};

use super::state::{CheckState, Comment, Label, Permission, Pull, Repo, Reported, Review, Stage, State, Verdict};
use crate::bare::Commit;

/// Objects as one client sees them.
pub(crate) struct Objects<'a> {
    pub state: &'a State,
    pub base: &'a str,
}

impl Objects<'_> {
    pub fn user(&self, login: &str) -> Value {
        let id = self.state.user(login).map_or(1, |user| user.id);
        json!({
            "id": id, "login": login, "username": login, "full_name": "", "email": format!("{login}@example.invalid"),
            "avatar_url": format!("{}/avatars/{id}", self.base), "html_url": format!("{}/{login}", self.base),
            "is_admin": false, "active": true, "created": "2020-01-01T00:00:00Z", "visibility": "public",
        })
    }

    pub fn repo(&self, repo: &Repo, login: Option<&str>) -> Value {
        let (full, may) = (repo.full_name(), repo.permission(login));
        json!({
            "id": repo.id, "owner": self.user(&repo.owner), "name": repo.name, "full_name": full, "description": "",
            "empty": false, "private": repo.private, "fork": false, "mirror": false, "archived": false,
            "default_branch": repo.default_branch, "html_url": format!("{}/{full}", self.base),
            "url": format!("{}/api/v1/repos/{full}", self.base), "clone_url": format!("{}/{full}.git", self.base),
            "ssh_url": format!("{}/{full}.git", self.base), "created_at": repo.created, "updated_at": repo.created,
            "has_pull_requests": true, "has_issues": true, "allow_merge_commits": true, "allow_rebase": true,
            "allow_squash_merge": true, "allow_fast_forward_only_merge": true, "default_merge_style": "merge",
            "permissions": {
                "admin": may >= Permission::Admin, "push": may >= Permission::Write, "pull": may >= Permission::Read,
            },
        })
    }

    pub fn label(&self, repo: &Repo, label: &Label) -> Value {
        json!({
            "id": label.id, "name": label.name, "color": label.color, "description": label.description,
            "exclusive": false, "is_archived": false,
            "url": format!("{}/api/v1/repos/{}/labels/{}", self.base, repo.full_name(), label.id),
        })
    }

    pub fn labels(&self, repo: &Repo, pull: &Pull) -> Value {
        repo.labels
            .iter()
            .filter(|label| pull.labels.contains(&label.name))
            .map(|label| self.label(repo, label))
            .collect()
    }

    pub fn pull(&self, repo: &Repo, pull: &Pull, login: Option<&str>) -> Value {
        let page = format!("{}/{}/pulls/{}", self.base, repo.full_name(), pull.number);
        let side = |branch: &str, sha: &str| json!({ "label": branch, "ref": branch, "sha": sha, "repo_id": repo.id, "repo": self.repo(repo, login) });
        let (sha, by) = match &pull.stage {
            Stage::Merged { sha, by } => (json!(sha), self.user(by)),
            _ => (Value::Null, Value::Null),
        };
        let merged = !sha.is_null();
        let title = if pull.draft { format!("WIP: {}", pull.title) } else { pull.title.clone() };
        let reviewers: Vec<Value> = pull.reviewers.iter().map(|login| self.user(login)).collect();
        json!({
            "id": pull.id, "number": pull.number, "url": page, "html_url": page, "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"), "user": self.user(&pull.author), "title": title, "body": pull.body,
            "labels": self.labels(repo, pull), "assignee": null, "assignees": null, "milestone": null,
            "requested_reviewers": reviewers, "state": if pull.is_open() { "open" } else { "closed" },
            "draft": pull.draft, "is_locked": false, "comments": pull.comments.len(), "review_comments": 0,
            "mergeable": pull.is_open() && repo.bare.mergeable(&pull.base_sha, &pull.head_sha), "merged": merged,
            "merged_at": if merged { json!(pull.ended) } else { Value::Null }, "merged_by": by,
            "merge_commit_sha": sha, "merge_base": repo.bare.fork_point(&pull.base_sha, &pull.head_sha),
            "base": side(&pull.base, &pull.base_sha), "head": side(&pull.head, &pull.head_sha),
            "allow_maintainer_edit": false, "due_date": null, "created_at": pull.created, "updated_at": pull.updated,
            "closed_at": pull.ended, "pin_order": 0, "flow": 0,
        })
    }

    pub fn comment(&self, repo: &Repo, number: u64, comment: &Comment) -> Value {
        let page = format!("{}/{}/pulls/{number}", self.base, repo.full_name());
        json!({
            "id": comment.id, "body": comment.body, "user": self.user(&comment.author), "issue_url": "",
            "html_url": format!("{page}#issuecomment-{}", comment.id), "pull_request_url": page, "assets": [],
            "original_author": "", "original_author_id": 0, "created_at": comment.created, "updated_at": comment.updated,
        })
    }

    pub fn review(&self, repo: &Repo, number: u64, review: &Review) -> Value {
        let page = format!("{}/{}/pulls/{number}", self.base, repo.full_name());
        let state = match review.verdict {
            Verdict::Approved => "APPROVED",
            Verdict::ChangesRequested => "REQUEST_CHANGES",
            Verdict::Commented => "COMMENT",
        };
        json!({
            "id": review.id, "user": self.user(&review.author), "body": review.body, "state": state,
            "commit_id": review.sha, "stale": false, "official": true, "dismissed": false, "comments_count": 0,
            "submitted_at": review.at, "updated_at": review.at, "pull_request_url": page,
            "html_url": format!("{page}#issuecomment-{}", review.id),
        })
    }

    pub fn status(&self, repo: &Repo, sha: &str, reported: &Reported) -> Value {
        json!({
            "id": reported.id, "status": word(reported.check.state), "context": reported.check.context,
            "description": reported.check.description, "target_url": reported.check.url,
            "url": format!("{}/api/v1/repos/{}/statuses/{sha}", self.base, repo.full_name()),
            "creator": self.user(&reported.by), "created_at": reported.at, "updated_at": reported.at,
        })
    }

    pub fn commit(&self, repo: &Repo, commit: &Commit) -> Value {
        let at = |sha: &str| format!("{}/api/v1/repos/{}/git/commits/{sha}", self.base, repo.full_name());
        let person = json!({ "name": commit.name, "email": commit.email, "date": commit.date });
        let parents: Vec<Value> = commit.parents.iter().map(|sha| json!({ "sha": sha, "url": at(sha) })).collect();
        json!({
            "sha": commit.sha, "url": at(&commit.sha), "created": commit.date, "parents": parents,
            "html_url": format!("{}/{}/commit/{}", self.base, repo.full_name(), commit.sha),
            "author": null, "committer": null,
            "commit": {
                "url": at(&commit.sha), "author": person, "committer": person, "message": commit.message,
                "tree": { "sha": commit.tree, "url": at(&commit.tree), "created": commit.date },
            },
        })
    }

    pub fn branch(&self, repo: &Repo, name: &str, sha: &str, login: Option<&str>) -> Value {
        let protection = repo.protected.get(name);
        let may = repo.permission(login) >= Permission::Write;
        let person = |name: &str, email: &str| json!({ "name": name, "email": email, "username": "" });
        json!({
            "name": name, "protected": protection.is_some(), "user_can_push": may && protection.is_none(),
            "user_can_merge": may, "required_approvals": protection.map_or(0, |it| it.approvals),
            "enable_status_check": protection.is_some_and(|it| !it.checks.is_empty()),
            "status_check_contexts": protection.map(|it| it.checks.clone()).unwrap_or_default(),
            "effective_branch_protection_name": if protection.is_some() { name } else { "" },
            "commit": repo.bare.commit(sha).map(|commit| json!({
                "id": commit.sha, "message": commit.message, "timestamp": commit.date,
                "author": person(&commit.name, &commit.email), "committer": person(&commit.name, &commit.email),
                "url": format!("{}/{}/commit/{sha}", self.base, repo.full_name()),
            })),
        })
    }

    pub fn protection(&self, repo: &Repo, name: &str) -> Value {
        let protection = repo.protected.get(name).cloned().unwrap_or_default();
        json!({
            "branch_name": name, "rule_name": name, "enable_push": false, "required_approvals": protection.approvals,
            "enable_status_check": !protection.checks.is_empty(), "status_check_contexts": protection.checks,
            "created_at": repo.created, "updated_at": repo.created,
        })
    }
}

pub(crate) fn word(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "pending",
        CheckState::Success => "success",
        CheckState::Failure => "failure",
    }
}
