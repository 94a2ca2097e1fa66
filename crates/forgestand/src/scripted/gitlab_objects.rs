//! The objects of GitLab's dialect.

use serde_json::{Value, json};

use super::state::{CheckState, Comment, Permission, Pull, Repo, Reported, Stage, State};
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
            "id": id, "username": login, "name": login, "state": "active", "locked": false, "avatar_url": null,
            "web_url": format!("{}/{login}", self.base),
        })
    }

    pub fn project(&self, repo: &Repo, login: Option<&str>) -> Value {
        let page = format!("{}/{}", self.base, repo.full_name());
        let level = level(repo.permission(login));
        json!({
            "id": repo.id, "name": repo.name, "path": repo.name, "path_with_namespace": repo.full_name(),
            "name_with_namespace": format!("{} / {}", repo.owner, repo.name), "description": null,
            "default_branch": repo.default_branch, "visibility": if repo.private { "private" } else { "public" },
            "web_url": page, "http_url_to_repo": format!("{page}.git"), "ssh_url_to_repo": format!("{page}.git"),
            "created_at": repo.created, "archived": false, "empty_repo": false, "merge_method": "merge",
            "namespace": { "id": 1, "name": repo.owner, "path": repo.owner, "kind": "user", "full_path": repo.owner },
            "permissions": { "project_access": { "access_level": level, "notification_level": 3 }, "group_access": null },
            "merge_requests_enabled": true, "only_allow_merge_if_pipeline_succeeds": false,
        })
    }

    pub fn commit(&self, repo: &Repo, commit: &Commit) -> Value {
        let (short, page) =
            (commit.sha.get(..8), format!("{}/{}/-/commit/{}", self.base, repo.full_name(), commit.sha));
        json!({
            "id": commit.sha, "short_id": short, "title": commit.message.lines().next(), "message": commit.message,
            "parent_ids": commit.parents, "author_name": commit.name, "author_email": commit.email,
            "authored_date": commit.date, "committer_name": commit.name, "committer_email": commit.email,
            "committed_date": commit.date, "created_at": commit.date, "web_url": page, "trailers": {},
        })
    }

    pub fn branch(&self, repo: &Repo, name: &str, sha: &str) -> Value {
        let protected = repo.protected.contains_key(name);
        json!({
            "name": name, "merged": false, "protected": protected, "default": name == repo.default_branch,
            "developers_can_push": !protected, "developers_can_merge": true, "can_push": !protected,
            "web_url": format!("{}/{}/-/tree/{name}", self.base, repo.full_name()),
            "commit": repo.bare.commit(sha).map(|commit| self.commit(repo, &commit)),
        })
    }

    pub fn pull(&self, repo: &Repo, pull: &Pull) -> Value {
        let full = format!("{}!{}", repo.full_name(), pull.number);
        let (state, merged_by, merge_sha) = match &pull.stage {
            Stage::Open => ("opened", Value::Null, Value::Null),
            Stage::Closed => ("closed", Value::Null, Value::Null),
            Stage::Merged { sha, by } => ("merged", self.user(by), json!(sha)),
        };
        let conflicts = pull.is_open() && !repo.bare.mergeable(&pull.base_sha, &pull.head_sha);
        let checks = repo.checks(&pull.head_sha);
        let detailed = if !pull.is_open() {
            "not_open"
        } else if pull.draft {
            "draft_status"
        } else if conflicts {
            "conflict"
        } else if repo.protected.get(&pull.base).is_some_and(|wanted| wanted.approvals > pull.approvals()) {
            "not_approved"
        } else if repo.lacking(pull).is_some() {
            let running = checks.iter().any(|report| report.check.state == CheckState::Pending);
            if running { "ci_still_running" } else { "ci_must_pass" }
        } else {
            "mergeable"
        };
        let ended = |wanted: &str| if state == wanted { json!(pull.ended) } else { Value::Null };
        let title = if pull.draft { format!("Draft: {}", pull.title) } else { pull.title.clone() };
        let reviewers: Vec<Value> = pull.reviewers.iter().map(|login| self.user(login)).collect();
        json!({
            "id": pull.id, "iid": pull.number, "project_id": repo.id, "title": title, "description": pull.body,
            "state": state, "created_at": pull.created, "updated_at": pull.updated, "merged_by": merged_by,
            "merge_user": merged_by, "merged_at": ended("merged"), "closed_at": ended("closed"), "closed_by": null,
            "target_branch": pull.base, "source_branch": pull.head, "user_notes_count": pull.comments.len(),
            "upvotes": 0, "downvotes": 0, "author": self.user(&pull.author), "assignees": [], "assignee": null,
            "reviewers": reviewers, "source_project_id": repo.id, "target_project_id": repo.id,
            "labels": pull.labels, "draft": pull.draft, "work_in_progress": pull.draft, "milestone": null,
            "merge_when_pipeline_succeeds": pull.auto_merge, "sha": pull.head_sha, "merge_commit_sha": merge_sha,
            "merge_status": if conflicts { "cannot_be_merged" } else { "can_be_merged" },
            "detailed_merge_status": detailed, "squash_commit_sha": null, "has_conflicts": conflicts,
            "should_remove_source_branch": null, "force_remove_source_branch": false, "squash": false,
            "reference": format!("!{}", pull.number), "blocking_discussions_resolved": true,
            "references": { "short": format!("!{}", pull.number), "relative": format!("!{}", pull.number), "full": full },
            "web_url": format!("{}/{}/-/merge_requests/{}", self.base, repo.full_name(), pull.number),
            "diff_refs": { "base_sha": repo.bare.fork_point(&pull.base_sha, &pull.head_sha), "head_sha": pull.head_sha, "start_sha": pull.base_sha },
            "head_pipeline": self.pipeline(repo, pull),
        })
    }

    /// The checks of the head as one pipeline; none when nothing was reported.
    pub fn pipeline(&self, repo: &Repo, pull: &Pull) -> Value {
        let checks = repo.checks(&pull.head_sha);
        let any = |state| checks.iter().any(|report| report.check.state == state);
        let Some(last) = checks.last() else { return Value::Null };
        let status = if any(CheckState::Failure) {
            "failed"
        } else if any(CheckState::Pending) {
            "running"
        } else {
            "success"
        };
        json!({
            "id": last.id, "iid": last.id, "project_id": repo.id, "sha": pull.head_sha, "ref": pull.head,
            "status": status, "source": "external", "created_at": last.at, "updated_at": last.at,
            "web_url": format!("{}/{}/-/pipelines/{}", self.base, repo.full_name(), last.id),
        })
    }

    pub fn note(&self, pull: &Pull, comment: &Comment) -> Value {
        json!({
            "id": comment.id, "body": comment.body, "author": self.user(&comment.author), "system": false,
            "created_at": comment.created, "updated_at": comment.updated, "noteable_id": pull.id,
            "noteable_type": "MergeRequest", "noteable_iid": pull.number, "resolvable": false, "internal": false,
            "type": null, "attachment": null, "confidential": false,
        })
    }

    pub fn status(&self, sha: &str, reported: &Reported) -> Value {
        json!({
            "id": reported.id, "sha": sha, "ref": null, "status": word(reported.check.state),
            "name": reported.check.context, "target_url": reported.check.url, "created_at": reported.at,
            "description": reported.check.description, "started_at": null, "finished_at": reported.at,
            "allow_failure": false, "coverage": null, "author": self.user(&reported.by),
        })
    }

    pub fn member(&self, repo: &Repo, login: &str) -> Value {
        let mut user = self.user(login);
        user["access_level"] = json!(level(repo.permission(Some(login))));
        user["expires_at"] = Value::Null;
        user
    }
}

/// GitLab's number for what a user may do.
pub(crate) fn level(permission: Permission) -> u64 {
    match permission {
        Permission::None => 0,
        Permission::Read => 10,
        Permission::Triage => 20,
        Permission::Write => 30,
        Permission::Admin => 50,
    }
}

fn word(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "pending",
        CheckState::Success => "success",
        CheckState::Failure => "failed",
    }
}
