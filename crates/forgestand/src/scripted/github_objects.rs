//! The objects of GitHub's dialect, with every field that GitHub's OpenAPI description requires.

use serde_json::{Value, json};

use super::state::{CheckState, Comment, Label, Permission, Pull, Repo, Reported, Review, Stage, State, Verdict};
use crate::bare::{Changed, Commit};

/// Objects as one client sees them: addresses begin with what it called.
pub(crate) struct Objects<'a> {
    pub state: &'a State,
    pub base: &'a str,
}

impl Objects<'_> {
    pub fn user(&self, login: &str) -> Value {
        let (base, known) = (self.base, self.state.user(login));
        let id = known.map_or(1, |user| user.id);
        let at = format!("{base}/users/{login}");
        json!({
            "login": login, "id": id, "node_id": format!("U_{id}"), "avatar_url": format!("{base}/avatars/{id}"),
            "gravatar_id": "", "url": at, "html_url": format!("{base}/{login}"),
            "followers_url": format!("{at}/followers"), "following_url": format!("{at}/following{{/other_user}}"),
            "gists_url": format!("{at}/gists{{/gist_id}}"), "starred_url": format!("{at}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{at}/subscriptions"), "organizations_url": format!("{at}/orgs"),
            "repos_url": format!("{at}/repos"), "events_url": format!("{at}/events{{/privacy}}"),
            "received_events_url": format!("{at}/received_events"),
            "type": if known.is_some_and(|user| user.bot) { "Bot" } else { "User" }, "site_admin": false,
        })
    }

    /// The user who asks, with what `GET /user` says besides.
    pub fn me(&self, login: &str) -> Value {
        let mut user = self.user(login);
        merge(
            &mut user,
            json!({
                "name": login, "company": null, "blog": "", "location": null, "email": null, "hireable": null, "bio": null,
                "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
                "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
            }),
        );
        user
    }

    pub fn repo(&self, repo: &Repo, login: Option<&str>) -> Value {
        let (full, id) = (repo.full_name(), repo.id);
        let (at, page) = (format!("{}/repos/{full}", self.base), format!("{}/{full}", self.base));
        let may = repo.permission(login);
        let mut object = json!({
            "id": id, "node_id": format!("R_{id}"), "name": repo.name, "full_name": full,
            "owner": self.user(&repo.owner), "private": repo.private, "html_url": page, "description": null,
            "fork": false, "url": at, "git_url": format!("{page}.git"), "ssh_url": format!("{page}.git"),
            "clone_url": format!("{page}.git"), "svn_url": page, "mirror_url": null, "homepage": null,
            "language": null, "default_branch": repo.default_branch, "forks_count": 0, "forks": 0,
            "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "size": 0, "open_issues_count": 0,
            "open_issues": 0, "is_template": false, "topics": [], "has_issues": true, "has_projects": false,
            "has_wiki": false, "has_pages": false, "has_downloads": false, "has_discussions": false,
            "archived": false, "disabled": false, "visibility": if repo.private { "private" } else { "public" },
            "pushed_at": repo.created, "created_at": repo.created, "updated_at": repo.created, "license": null,
            "allow_rebase_merge": true, "allow_squash_merge": true, "allow_merge_commit": true,
            "allow_auto_merge": true, "delete_branch_on_merge": false, "subscribers_count": 0, "network_count": 0,
            "web_commit_signoff_required": false, "allow_forking": false,
            "permissions": {
                "admin": may >= Permission::Admin, "maintain": may >= Permission::Admin,
                "push": may >= Permission::Write, "triage": may >= Permission::Triage, "pull": may >= Permission::Read,
            },
        });
        for (name, tail) in [
            ("archive", "{archive_format}{/ref}"),
            ("assignees", "{/user}"),
            ("blobs", "{/sha}"),
            ("branches", "{/branch}"),
            ("collaborators", "{/collaborator}"),
            ("comments", "{/number}"),
            ("commits", "{/sha}"),
            ("compare", "{base}...{head}"),
            ("contents", "{+path}"),
            ("contributors", ""),
            ("deployments", ""),
            ("downloads", ""),
            ("events", ""),
            ("forks", ""),
            ("git_commits", "{/sha}"),
            ("git_refs", "{/sha}"),
            ("git_tags", "{/sha}"),
            ("hooks", ""),
            ("issue_comment", "{/number}"),
            ("issue_events", "{/number}"),
            ("issues", "{/number}"),
            ("keys", "{/key_id}"),
            ("labels", "{/name}"),
            ("languages", ""),
            ("merges", ""),
            ("milestones", "{/number}"),
            ("notifications", "{?since,all}"),
            ("pulls", "{/number}"),
            ("releases", "{/id}"),
            ("stargazers", ""),
            ("statuses", "/{sha}"),
            ("subscribers", ""),
            ("subscription", ""),
            ("tags", ""),
            ("teams", ""),
            ("trees", "{/sha}"),
        ] {
            object[format!("{name}_url")] = json!(format!("{at}/{name}{tail}"));
        }
        object
    }

    pub fn label(&self, repo: &Repo, label: &Label) -> Value {
        let name = super::server::encode(&label.name);
        json!({
            "id": label.id, "node_id": format!("LA_{}", label.id), "name": label.name, "color": label.color,
            "url": format!("{}/repos/{}/labels/{name}", self.base, repo.full_name()),
            "description": label.description, "default": false,
        })
    }

    pub fn labels(&self, repo: &Repo, pull: &Pull) -> Value {
        repo.labels
            .iter()
            .filter(|label| pull.labels.contains(&label.name))
            .map(|label| self.label(repo, label))
            .collect()
    }

    /// A pull request as it stands in a list.
    pub fn pull(&self, repo: &Repo, pull: &Pull, login: Option<&str>) -> Value {
        let (number, full) = (pull.number, repo.full_name());
        let at = format!("{}/repos/{full}/pulls/{number}", self.base);
        let issue = format!("{}/repos/{full}/issues/{number}", self.base);
        let page = format!("{}/{full}/pull/{number}", self.base);
        let side = |branch: &str, sha: &str| {
            json!({
                "label": format!("{}:{branch}", repo.owner), "ref": branch, "sha": sha,
                "user": self.user(&repo.owner), "repo": self.repo(repo, login),
            })
        };
        let reviewers: Vec<Value> = pull.reviewers.iter().map(|login| self.user(login)).collect();
        let merged = matches!(pull.stage, Stage::Merged { .. });
        let (patch, statuses) =
            (format!("{page}.patch"), format!("{}/repos/{full}/statuses/{}", self.base, pull.head_sha));
        let (comments, commits) = (format!("{issue}/comments"), format!("{at}/commits"));
        json!({
            "id": pull.id, "node_id": format!("PR_{}", pull.id), "number": number, "url": at, "html_url": page,
            "diff_url": format!("{page}.diff"), "patch_url": patch, "issue_url": issue,
            "commits_url": commits, "review_comments_url": format!("{at}/comments"),
            "review_comment_url": format!("{}/repos/{full}/pulls/comments{{/number}}", self.base),
            "comments_url": comments, "statuses_url": statuses,
            "state": if pull.is_open() { "open" } else { "closed" }, "locked": false, "title": pull.title,
            "user": self.user(&pull.author), "body": pull.body, "labels": self.labels(repo, pull), "milestone": null,
            "active_lock_reason": null, "created_at": pull.created, "updated_at": pull.updated,
            "closed_at": pull.ended, "merged_at": if merged { json!(pull.ended) } else { Value::Null },
            "merge_commit_sha": match &pull.stage { Stage::Merged { sha, .. } => json!(sha), _ => Value::Null },
            "assignee": null, "assignees": [], "requested_reviewers": reviewers, "requested_teams": [],
            "head": side(&pull.head, &pull.head_sha), "base": side(&pull.base, &pull.base_sha),
            "_links": {
                "self": { "href": at }, "html": { "href": page }, "issue": { "href": issue },
                "comments": { "href": comments }, "review_comments": { "href": format!("{at}/comments") },
                "review_comment": { "href": format!("{}/repos/{full}/pulls/comments{{/number}}", self.base) },
                "commits": { "href": commits }, "statuses": { "href": statuses },
            },
            "author_association": if repo.owner == pull.author { "OWNER" } else { "COLLABORATOR" },
            "auto_merge": null, "draft": pull.draft,
        })
    }

    /// A pull request as it stands alone, with what takes a look at its commits.
    pub fn whole_pull(&self, repo: &Repo, pull: &Pull, login: Option<&str>) -> Value {
        let mut object = self.pull(repo, pull, login);
        let changed = repo.bare.changed(&pull.base_sha, &pull.head_sha);
        let mergeable = pull.is_open().then(|| repo.bare.mergeable(&pull.base_sha, &pull.head_sha));
        let by = match &pull.stage {
            Stage::Merged { by, .. } => self.user(by),
            _ => Value::Null,
        };
        let state = match mergeable {
            None => "unknown",
            Some(false) => "dirty",
            Some(true) if pull.draft => "draft",
            Some(true) if repo.lacking(pull).is_some() => "blocked",
            Some(true) if repo.checks(&pull.head_sha).iter().any(|it| it.check.state != CheckState::Success) => {
                "unstable"
            }
            Some(true) => "clean",
        };
        merge(
            &mut object,
            json!({
                "merged": matches!(pull.stage, Stage::Merged { .. }), "mergeable": mergeable, "rebaseable": mergeable,
                "mergeable_state": state, "merged_by": by, "comments": pull.comments.len(), "review_comments": 0,
                "maintainer_can_modify": false, "commits": repo.bare.between(&pull.base_sha, &pull.head_sha).len(),
                "additions": changed.iter().map(|file| file.additions).sum::<u64>(),
                "deletions": changed.iter().map(|file| file.deletions).sum::<u64>(), "changed_files": changed.len(),
            }),
        );
        object
    }

    /// A pull request as an issue.
    pub fn issue(&self, repo: &Repo, pull: &Pull) -> Value {
        let (number, full) = (pull.number, repo.full_name());
        let repository = format!("{}/repos/{full}", self.base);
        let (at, page) = (format!("{repository}/issues/{number}"), format!("{}/{full}/pull/{number}", self.base));
        json!({
            "id": pull.id, "node_id": format!("PR_{}", pull.id), "number": number, "url": at, "html_url": page,
            "repository_url": repository, "labels_url": format!("{at}/labels{{/name}}"),
            "comments_url": format!("{at}/comments"), "events_url": format!("{at}/events"),
            "state": if pull.is_open() { "open" } else { "closed" }, "locked": false, "title": pull.title,
            "body": pull.body, "user": self.user(&pull.author), "labels": self.labels(repo, pull), "assignee": null,
            "assignees": [], "milestone": null, "comments": pull.comments.len(), "created_at": pull.created,
            "updated_at": pull.updated, "closed_at": pull.ended, "author_association": "COLLABORATOR",
            "pull_request": {
                "url": format!("{repository}/pulls/{number}"), "html_url": page,
                "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
            },
        })
    }

    pub fn comment(&self, repo: &Repo, number: u64, comment: &Comment) -> Value {
        let (full, id) = (repo.full_name(), comment.id);
        json!({
            "id": id, "node_id": format!("IC_{id}"), "body": comment.body, "user": self.user(&comment.author),
            "url": format!("{}/repos/{full}/issues/comments/{id}", self.base),
            "html_url": format!("{}/{full}/pull/{number}#issuecomment-{id}", self.base),
            "issue_url": format!("{}/repos/{full}/issues/{number}", self.base),
            "created_at": comment.created, "updated_at": comment.updated, "author_association": "COLLABORATOR",
        })
    }

    pub fn review(&self, repo: &Repo, number: u64, review: &Review) -> Value {
        let (full, id) = (repo.full_name(), review.id);
        let at = format!("{}/repos/{full}/pulls/{number}", self.base);
        let page = format!("{}/{full}/pull/{number}#pullrequestreview-{id}", self.base);
        let state = match review.verdict {
            Verdict::Approved => "APPROVED",
            Verdict::ChangesRequested => "CHANGES_REQUESTED",
            Verdict::Commented => "COMMENTED",
        };
        json!({
            "id": id, "node_id": format!("PRR_{id}"), "user": self.user(&review.author), "body": review.body,
            "state": state, "html_url": page, "pull_request_url": at, "submitted_at": review.at,
            "commit_id": review.sha, "author_association": "COLLABORATOR",
            "_links": { "html": { "href": page }, "pull_request": { "href": at } },
        })
    }

    pub fn status(&self, repo: &Repo, sha: &str, reported: &Reported) -> Value {
        let (id, at) = (reported.id, format!("{}/repos/{}/statuses/{sha}", self.base, repo.full_name()));
        json!({
            "id": id, "node_id": format!("SC_{id}"), "url": at, "avatar_url": format!("{}/avatars/{id}", self.base),
            "state": word(reported.check.state), "description": reported.check.description,
            "target_url": Some(&reported.check.url).filter(|url| !url.is_empty()), "context": reported.check.context,
            "created_at": reported.at, "updated_at": reported.at, "creator": self.user(&reported.by),
        })
    }

    pub fn check_run(&self, repo: &Repo, sha: &str, reported: &Reported) -> Value {
        let (id, full, done) = (reported.id, repo.full_name(), reported.check.state != CheckState::Pending);
        let at = format!("{}/repos/{full}/check-runs/{id}", self.base);
        let conclusion = if reported.check.state == CheckState::Success { "success" } else { "failure" };
        let about = Some(&reported.check.description).filter(|about| !about.is_empty());
        json!({
            "id": id, "node_id": format!("CR_{id}"), "head_sha": sha, "external_id": "", "url": at,
            "html_url": format!("{}/{full}/runs/{id}", self.base), "details_url": Some(&reported.check.url).filter(|url| !url.is_empty()),
            "status": if done { "completed" } else { "in_progress" },
            "conclusion": done.then_some(conclusion), "started_at": reported.at,
            "completed_at": done.then_some(&reported.at),
            "output": {
                "title": about, "summary": about, "text": null, "annotations_count": 0,
                "annotations_url": format!("{at}/annotations"),
            },
            "name": reported.check.context, "check_suite": { "id": id }, "app": null, "pull_requests": [],
        })
    }

    pub fn commit(&self, repo: &Repo, commit: &Commit) -> Value {
        let (full, sha) = (repo.full_name(), &commit.sha);
        let (at, page) =
            (format!("{}/repos/{full}/commits/{sha}", self.base), format!("{}/{full}/commit/{sha}", self.base));
        let person = json!({ "name": commit.name, "email": commit.email, "date": commit.date });
        let tree =
            json!({ "sha": commit.tree, "url": format!("{}/repos/{full}/git/trees/{}", self.base, commit.tree) });
        let parent = |sha: &String| {
            let at = format!("{}/repos/{full}/commits/{sha}", self.base);
            json!({ "sha": sha, "url": at, "html_url": format!("{}/{full}/commit/{sha}", self.base) })
        };
        json!({
            "sha": sha, "node_id": format!("C_{sha}"), "url": at, "html_url": page,
            "comments_url": format!("{at}/comments"), "author": null, "committer": null,
            "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
            "commit": {
                "author": person, "committer": person, "message": commit.message, "tree": tree,
                "url": format!("{}/repos/{full}/git/commits/{sha}", self.base), "comment_count": 0,
                "verification": {
                    "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
                },
            },
        })
    }

    pub fn file(&self, repo: &Repo, sha: &str, file: &Changed) -> Value {
        let (full, path) = (repo.full_name(), &file.path);
        let status = match file.letter {
            'A' => "added",
            'D' => "removed",
            _ => "modified",
        };
        let blob = repo.bare.file(sha, path).map(|(blob, _)| blob);
        json!({
            "sha": blob.unwrap_or_else(|| "0".repeat(40)), "filename": path, "status": status,
            "additions": file.additions, "deletions": file.deletions, "changes": file.additions + file.deletions,
            "blob_url": format!("{}/{full}/blob/{sha}/{path}", self.base),
            "raw_url": format!("{}/{full}/raw/{sha}/{path}", self.base),
            "contents_url": format!("{}/repos/{full}/contents/{path}?ref={sha}", self.base), "patch": file.patch,
        })
    }

    pub fn reference(&self, repo: &Repo, name: &str, sha: &str) -> Value {
        let at = format!("{}/repos/{}/git", self.base, repo.full_name());
        json!({
            "ref": format!("refs/heads/{name}"), "node_id": format!("REF_{sha}"), "url": format!("{at}/refs/heads/{name}"),
            "object": { "type": "commit", "sha": sha, "url": format!("{at}/commits/{sha}") },
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

/// Adds the fields of one object to another.
pub(crate) fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
