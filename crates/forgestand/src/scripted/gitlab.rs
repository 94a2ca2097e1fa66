//! GitLab's dialect: projects by number or by encoded path, merge requests, notes, commit statuses, hooks.

use serde_json::{Value, json};

use super::github_pulls::parse;
use super::gitlab_objects::{Objects, level};
use super::hooks::{Event, Hook, is_loopback};
use super::pulls::{Edit, Merging, Opening};
use super::server::{Answer, Call};
use super::state::{Check, CheckState, Dialect, Permission, Pull, Refusal, Repo, Stage, State, Verdict, now};
use crate::bare::Method;

type Done = Result<Answer, Refusal>;

/// Answers a request in GitLab's dialect.
pub(crate) fn answer(state: &mut State, call: &Call) -> Done {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let objects = Objects { state, base: &call.base };
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["user"]) => Ok(Answer::json(200, objects.user(call.who().ok_or(Refusal::Unauthorized)?))),
        ("GET", ["version"]) => Ok(Answer::json(200, json!({ "version": "17.0.0", "revision": "scripted" }))),
        ("GET", ["users"]) => {
            let wanted = call.query.get("username");
            let all = state.users.iter().filter(|user| wanted.is_none_or(|wanted| *wanted == user.login));
            Ok(call.page(all.map(|user| objects.user(&user.login)).collect(), "per_page", 20, 100))
        }
        (_, ["projects", project, rest @ ..]) => {
            let numbered = |id: u64| state.repos.iter().find(|repo| repo.id == id).map(Repo::full_name);
            let full = project.parse().ok().and_then(numbered).unwrap_or_else(|| (*project).to_owned());
            let (owner, name) = full.rsplit_once('/').ok_or(Refusal::NotFound)?;
            let at = state.find(owner, name, call.who())?;
            self::project(state, at, call, rest)
        }
        _ => Err(Refusal::NotFound),
    }
}

fn project(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
    let ok = |value: Value| Ok(Answer::json(200, value));
    match (call.method.as_str(), path) {
        ("GET", []) => ok(objects.project(repo, call.who())),
        (_, ["merge_requests", rest @ ..]) => requests(state, at, call, rest),
        ("GET", ["repository", "branches"]) => {
            let all = repo.bare.branches();
            Ok(call.page(all.iter().map(|(name, sha)| objects.branch(repo, name, sha)).collect(), "per_page", 20, 100))
        }
        ("GET", ["repository", "branches", name]) => {
            let sha = repo.bare.tip(name).ok_or(Refusal::NotFound)?;
            ok(objects.branch(repo, name, &sha))
        }
        ("POST", ["repository", "branches"]) => {
            state.may(at, call.who(), Permission::Write)?;
            let name = call.text("branch").ok_or(Refusal::Invalid { field: "branch", why: "is missing".to_owned() })?;
            let from = call.text("ref").unwrap_or_default();
            let bare = state.repos[at].bare.clone();
            let sha = bare.resolve(&from).ok_or_else(|| Refusal::Ref("Invalid reference name".to_owned()))?;
            let made = bare.update(&format!("refs/heads/{name}"), &sha, Some(""));
            made.map_err(|_| Refusal::Ref("Branch already exists".to_owned()))?;
            Ok(Answer::json(201, Objects { state, base: &call.base }.branch(&state.repos[at], &name, &sha)))
        }
        ("DELETE", ["repository", "branches", name]) => {
            state.may(at, call.who(), Permission::Write)?;
            state.repos[at].bare.delete_branch(name).map_err(|_| Refusal::NotFound)?;
            Ok(Answer::empty(204))
        }
        ("GET", ["repository", "commits", sha]) => {
            let commit = repo.bare.commit(sha).ok_or(Refusal::NotFound)?;
            ok(objects.commit(repo, &commit))
        }
        ("GET", ["repository", "commits", sha, "statuses"]) => {
            let sha = repo.bare.resolve(sha).ok_or(Refusal::NotFound)?;
            let all = repo.checks(&sha);
            Ok(call.page(all.into_iter().map(|it| objects.status(&sha, it)).collect(), "per_page", 20, 100))
        }
        ("GET", ["repository", "commits", sha, "merge_requests"]) => {
            let of = repo.pulls.iter().filter(|pull| pull.head_sha == *sha);
            Ok(call.page(of.map(|pull| objects.pull(repo, pull)).collect(), "per_page", 20, 100))
        }
        ("POST", ["statuses", sha]) => report(state, at, call, sha),
        ("GET", ["repository", "compare"]) => {
            let end = |key: &str| call.query.get(key).and_then(|name| repo.bare.resolve(name)).ok_or(Refusal::NotFound);
            let (from, to) = (end("from")?, end("to")?);
            let commits = repo.bare.between(&from, &to);
            ok(json!({
                "commit": repo.bare.commit(&to).map(|commit| objects.commit(repo, &commit)),
                "commits": commits.iter().map(|commit| objects.commit(repo, commit)).collect::<Vec<_>>(),
                "diffs": diffs(repo, &from, &to), "compare_timeout": false, "compare_same_ref": from == to,
            }))
        }
        ("GET", ["repository", "files", path, tail @ ..]) => {
            let at = call.query.get("ref").unwrap_or(&repo.default_branch);
            let (blob, bytes) = repo.bare.file(at, path).ok_or(Refusal::NotFound)?;
            if tail == ["raw"] {
                return Ok(Answer::text(String::from_utf8_lossy(&bytes).into_owned()));
            }
            ok(json!({
                "file_name": path.rsplit('/').next(), "file_path": path, "size": bytes.len(), "encoding": "base64",
                "ref": at, "blob_id": blob, "commit_id": repo.bare.resolve(at), "last_commit_id": repo.bare.resolve(at),
                "content": crate::base64::encode(&bytes),
            }))
        }
        ("GET", ["protected_branches"]) => {
            let all = repo.protected.keys().map(|name| protected(name));
            Ok(call.page(all.collect(), "per_page", 20, 100))
        }
        ("GET", ["protected_branches", name]) => {
            repo.protected.get(*name).ok_or(Refusal::NotFound)?;
            ok(protected(name))
        }
        ("GET", ["members", "all", id] | ["members", id]) if *id != "all" => {
            let user = state.users.iter().find(|user| user.id.to_string() == **id).ok_or(Refusal::NotFound)?;
            let member = repo.owner == user.login || repo.members.contains_key(&user.login);
            if member { ok(objects.member(repo, &user.login)) } else { Err(Refusal::NotFound) }
        }
        ("GET", ["members", ..]) => {
            let logins = std::iter::once(&repo.owner).chain(repo.members.keys());
            Ok(call.page(logins.map(|login| objects.member(repo, login)).collect(), "per_page", 20, 100))
        }
        ("GET", ["labels"]) => {
            let label = |it: &super::state::Label| json!({ "id": it.id, "name": it.name, "color": format!("#{}", it.color), "description": it.description });
            Ok(call.page(repo.labels.iter().map(label).collect(), "per_page", 20, 100))
        }
        ("POST", ["labels"]) => {
            state.may(at, call.who(), Permission::Triage)?;
            let name = call.text("name").unwrap_or_default();
            if state.repos[at].labels.iter().any(|label| label.name == name) {
                return Ok(Answer::json(409, json!({ "message": "Label already exists" })));
            }
            let label = state.label(at, &name);
            Ok(Answer::json(
                201,
                json!({ "id": label.id, "name": label.name, "color": "#ededed", "description": null }),
            ))
        }
        ("POST", ["hooks"]) => {
            state.may(at, call.who(), Permission::Admin)?;
            let url = call.text("url").unwrap_or_default();
            if !is_loopback(&url) {
                return Err(Refusal::Ref("Invalid url given".to_owned()));
            }
            let (id, secret) = (state.next_id(), call.text("token").unwrap_or_default());
            state.repos[at].hooks.push(Hook { id, dialect: Dialect::GitLab, url: url.clone(), secret });
            Ok(Answer::json(
                201,
                json!({ "id": id, "url": url, "project_id": state.repos[at].id, "created_at": now() }),
            ))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn protected(name: &str) -> Value {
    let maintainers = json!([{ "access_level": level(Permission::Admin), "access_level_description": "Maintainers" }]);
    json!({
        "id": 1, "name": name, "push_access_levels": maintainers, "merge_access_levels": maintainers,
        "allow_force_push": false, "code_owner_approval_required": false,
    })
}

fn diffs(repo: &Repo, from: &str, to: &str) -> Value {
    let file = |file: crate::bare::Changed| {
        json!({
            "old_path": file.path, "new_path": file.path, "a_mode": "100644", "b_mode": "100644", "diff": file.patch,
            "new_file": file.letter == 'A', "deleted_file": file.letter == 'D', "renamed_file": false,
        })
    };
    repo.bare.changed(from, to).into_iter().map(file).collect()
}

fn report(state: &mut State, at: usize, call: &Call, sha: &str) -> Done {
    let by = state.may(at, call.who(), Permission::Write)?;
    let check_state = match call.text("state").unwrap_or_default().as_str() {
        "success" | "skipped" => CheckState::Success,
        "pending" | "running" => CheckState::Pending,
        "failed" | "canceled" => CheckState::Failure,
        _ => return Err(Refusal::Ref("state does not have a valid value".to_owned())),
    };
    let check = Check {
        context: call.text("name").or(call.text("context")).unwrap_or_else(|| "default".to_owned()),
        state: check_state,
        description: call.text("description").unwrap_or_default(),
        url: call.text("target_url").unwrap_or_default(),
        run: false,
    };
    let reported = state.report(at, &by, sha, check)?;
    Ok(Answer::json(201, Objects { state, base: &call.base }.status(sha, &reported)))
}

fn requests(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let (repo, objects, who) = (&state.repos[at], Objects { state, base: &call.base }, call.who());
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let is = |key: &str, value: &str| call.query.get(key).is_none_or(|wanted| wanted == value);
            let fits = |pull: &&Pull| {
                let state = match pull.stage {
                    Stage::Open => "opened",
                    Stage::Closed => "closed",
                    Stage::Merged { .. } => "merged",
                };
                (is("state", state) || is("state", "all"))
                    && is("source_branch", &pull.head)
                    && is("target_branch", &pull.base)
            };
            let all = repo.pulls.iter().rev().filter(fits);
            Ok(call.page(all.map(|pull| objects.pull(repo, pull)).collect(), "per_page", 20, 100))
        }
        ("POST", []) => {
            let (title, draft) = untitled(call.text("title").unwrap_or_default());
            let wish = Opening {
                title,
                draft,
                body: call.text("description").unwrap_or_default(),
                head: call.text("source_branch").unwrap_or_default(),
                base: call.text("target_branch").unwrap_or_default(),
                labels: call.words("labels").unwrap_or_default(),
                reviewers: logins(state, call),
                must_have_commits: false,
            };
            let number = state.open(at, who, wish)?;
            shown(state, at, call, number, 201)
        }
        (_, [number, rest @ ..]) => one(state, at, call, parse(number)?, rest),
        _ => Err(Refusal::NotFound),
    }
}

/// A title without the word that makes it a draft.
fn untitled(title: String) -> (String, bool) {
    match title.strip_prefix("Draft:").or(title.strip_prefix("[Draft]")) {
        Some(rest) => (rest.trim_start().to_owned(), true),
        None => (title, false),
    }
}

fn logins(state: &State, call: &Call) -> Vec<String> {
    let ids = call.body.get("reviewer_ids").and_then(Value::as_array);
    let login = |id: u64| state.users.iter().find(|user| user.id == id).map(|user| user.login.clone());
    ids.into_iter().flatten().filter_map(Value::as_u64).filter_map(login).collect()
}

fn shown(state: &State, at: usize, call: &Call, number: u64, status: u16) -> Done {
    let repo = &state.repos[at];
    Ok(Answer::json(status, Objects { state, base: &call.base }.pull(repo, repo.pull(number)?)))
}

fn one(state: &mut State, at: usize, call: &Call, number: u64, path: &[&str]) -> Done {
    let who = call.who();
    let pull = state.repos[at].pull(number)?.clone();
    let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
    match (call.method.as_str(), path) {
        ("GET", []) => shown(state, at, call, number, 200),
        ("PUT", []) => {
            let titled = call.text("title").map(untitled);
            let mut labels = call.words("labels");
            if let Some(more) = call.words("add_labels") {
                labels.get_or_insert_with(|| pull.labels.iter().cloned().collect()).extend(more);
            }
            if let Some(less) = call.words("remove_labels") {
                labels
                    .get_or_insert_with(|| pull.labels.iter().cloned().collect())
                    .retain(|label| !less.contains(label));
            }
            let (draft, body) = (titled.as_ref().map(|titled| titled.1), call.text("description"));
            let open = call.text("state_event").map(|wanted| wanted == "reopen");
            let (title, base) = (titled.map(|titled| titled.0), call.text("target_branch"));
            state.edit(at, who, number, Edit { title, body, base, draft, open, labels })?;
            let reviewers = logins(state, call);
            if call.body.get("reviewer_ids").is_some() {
                state.repos[at].pull_mut(number)?.reviewers = reviewers.into_iter().collect();
            }
            shown(state, at, call, number, 200)
        }
        ("PUT", ["merge"]) => merge(state, at, call, number),
        ("GET", ["commits"]) => {
            // GitLab gives the newest first.
            let commits = repo.bare.between(&pull.base_sha, &pull.head_sha);
            Ok(call.page(commits.iter().rev().map(|it| objects.commit(repo, it)).collect(), "per_page", 20, 100))
        }
        ("GET", ["changes" | "diffs"]) => Ok(Answer::json(200, diffs(repo, &pull.base_sha, &pull.head_sha))),
        ("GET", ["pipelines"]) => {
            let pipeline = objects.pipeline(repo, &pull);
            Ok(call.page(Some(pipeline).filter(|it| !it.is_null()).into_iter().collect(), "per_page", 20, 100))
        }
        ("GET", ["notes"]) => {
            let notes = pull.comments.iter().rev().map(|comment| objects.note(&pull, comment));
            Ok(call.page(notes.collect(), "per_page", 20, 100))
        }
        ("POST", ["notes"]) => {
            let comment = state.comment(at, who, number, &call.text("body").unwrap_or_default())?;
            Ok(Answer::json(201, Objects { state, base: &call.base }.note(&pull, &comment)))
        }
        ("PUT", ["notes", id]) => {
            let body = call.text("body").unwrap_or_default();
            let (_, comment) = state.recomment(at, who, parse(id)?, Some(&body))?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.note(&pull, &comment)))
        }
        ("DELETE", ["notes", id]) => {
            state.recomment(at, who, parse(id)?, None)?;
            Ok(Answer::empty(204))
        }
        ("POST", ["approve"]) => {
            if call.text("sha").is_some_and(|sha| sha != pull.head_sha) {
                return Err(Refusal::HeadMoved);
            }
            state.review(at, who, number, Verdict::Approved, "").map_err(|_| Refusal::Unauthorized)?;
            Ok(Answer::json(201, approvals(state, at, call, number)?))
        }
        ("GET", ["approvals"]) => Ok(Answer::json(200, approvals(state, at, call, number)?)),
        _ => Err(Refusal::NotFound),
    }
}

fn approvals(state: &State, at: usize, call: &Call, number: u64) -> Result<Value, Refusal> {
    let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
    let pull = repo.pull(number)?;
    let wanted = repo.protected.get(&pull.base).map_or(0, |protection| protection.approvals);
    let by = pull.reviews.iter().filter(|review| review.verdict == Verdict::Approved);
    Ok(json!({
        "id": pull.id, "iid": number, "approvals_required": wanted,
        "approvals_left": wanted.saturating_sub(pull.approvals()), "approved": pull.approvals() >= wanted,
        "approved_by": by.map(|review| json!({ "user": objects.user(&review.author) })).collect::<Vec<_>>(),
    }))
}

fn merge(state: &mut State, at: usize, call: &Call, number: u64) -> Done {
    let squash = call.flag("squash").unwrap_or(false);
    let waits = call.flag("merge_when_pipeline_succeeds").or(call.flag("auto_merge")).unwrap_or(false);
    let guard = call.text("sha");
    let pull = state.repos[at].pull(number)?.clone();
    let running = state.repos[at].checks(&pull.head_sha).iter().any(|it| it.check.state == CheckState::Pending);
    if waits && running && pull.is_open() {
        state.may(at, call.who(), Permission::Write)?;
        if guard.is_some_and(|guard| guard != pull.head_sha) {
            return Err(Refusal::HeadMoved);
        }
        state.repos[at].pull_mut(number)?.auto_merge = true;
        return shown(state, at, call, number, 200);
    }
    let message = call.text(if squash { "squash_commit_message" } else { "merge_commit_message" });
    let method = if squash { Method::Squash } else { Method::Merge };
    let delete_branch = call.flag("should_remove_source_branch").unwrap_or(false);
    // GitLab says 401 to who may not merge.
    let merged = state.merge(at, call.who(), number, Merging { method, guard, message, delete_branch });
    merged.map_err(|refusal| if refusal == Refusal::Forbidden { Refusal::Unauthorized } else { refusal })?;
    shown(state, at, call, number, 200)
}

/// A refusal in GitLab's words.
pub(crate) fn refuse(refusal: &Refusal) -> Answer {
    let said = |status: u16, message: Value| Answer::json(status, json!({ "message": message }));
    match refusal {
        Refusal::NotFound => said(404, json!("404 Not found")),
        Refusal::Unauthorized => said(401, json!("401 Unauthorized")),
        Refusal::Forbidden => said(403, json!("403 Forbidden")),
        Refusal::NoBranch { field, name } => {
            let side = if *field == "head" { "Source" } else { "Target" };
            said(409, json!([format!("{side} branch \"{name}\" does not exist")]))
        }
        Refusal::SameBranch => said(422, json!(["You can't use same project/branch for source and target"])),
        Refusal::Duplicate(number) => {
            said(409, json!([format!("Another open merge request already exists for this source branch: !{number}")]))
        }
        Refusal::NothingBetween { .. } => said(400, json!("no commits")),
        Refusal::HeadMoved => said(409, json!("SHA does not match HEAD of source branch")),
        Refusal::Conflict => said(422, json!("Branch cannot be merged")),
        Refusal::NotMergeable(_) => said(405, json!("405 Method Not Allowed")),
        Refusal::Ref(why) => said(400, json!(why)),
        Refusal::Invalid { field, why } => said(400, json!({ *field: [why] })),
    }
}

/// What a hook is told, with the event's name.
pub(crate) fn event(state: &State, repo: &Repo, event: &Event, base: &str) -> Option<(String, Value)> {
    let objects = Objects { state, base };
    let project = objects.project(repo, None);
    let attributes = |pull: &Pull, action: &str| {
        let mut object = objects.pull(repo, pull);
        object["action"] = json!(action);
        object["last_commit"] = json!({ "id": pull.head_sha });
        object
    };
    let (name, payload) = match event {
        Event::Push { branch, from, to } => {
            let zero = || "0".repeat(40);
            (
                "Push Hook",
                json!({
                    "object_kind": "push", "event_name": "push", "ref": format!("refs/heads/{branch}"),
                    "before": from.clone().unwrap_or_else(zero), "after": to.clone().unwrap_or_else(zero),
                    "checkout_sha": to, "user_username": repo.owner, "commits": [], "total_commits_count": 0,
                }),
            )
        }
        Event::Pull { number, action } => {
            let pull = repo.pull(*number).ok()?;
            let action = match (*action, &pull.stage) {
                ("opened", _) => "open",
                ("closed", Stage::Merged { .. }) => "merge",
                ("closed", _) => "close",
                ("reopened", _) => "reopen",
                _ => "update",
            };
            (
                "Merge Request Hook",
                json!({
                    "object_kind": "merge_request", "event_type": "merge_request", "user": objects.user(&pull.author),
                    "object_attributes": attributes(pull, action), "labels": [],
                }),
            )
        }
        Event::Comment { number, id } => {
            let pull = repo.pull(*number).ok()?;
            let comment = pull.comments.iter().find(|comment| comment.id == *id)?;
            let mut note = objects.note(pull, comment);
            note["note"] = json!(comment.body);
            (
                "Note Hook",
                json!({
                    "object_kind": "note", "event_type": "note", "user": objects.user(&comment.author),
                    "object_attributes": note, "merge_request": attributes(pull, "update"),
                }),
            )
        }
        Event::Review { number, id } => {
            let pull = repo.pull(*number).ok()?;
            let review = pull.reviews.iter().find(|review| review.id == *id)?;
            let action = if review.verdict == Verdict::Approved { "approved" } else { "update" };
            (
                "Merge Request Hook",
                json!({
                    "object_kind": "merge_request", "event_type": "merge_request", "user": objects.user(&review.author),
                    "object_attributes": attributes(pull, action), "labels": [],
                }),
            )
        }
        Event::Check { sha, .. } => {
            let pull = repo.pulls.iter().find(|pull| pull.head_sha == *sha)?;
            (
                "Pipeline Hook",
                json!({
                    "object_kind": "pipeline", "object_attributes": objects.pipeline(repo, pull),
                    "merge_request": attributes(pull, "update"), "user": objects.user(&pull.author), "builds": [],
                }),
            )
        }
    };
    let mut payload = payload;
    payload["project"] = project;
    Some((name.to_owned(), payload))
}
