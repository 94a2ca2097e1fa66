//! GitHub's dialect: users, repositories, branches, refs, commits, checks, contents, hooks. What is about pull requests
//! stands in its own file.

use serde_json::{Value, json};

use super::github_objects::{Objects, merge, word};
use super::github_pulls;
use super::hooks::{Event, Hook, is_loopback};
use super::server::{Answer, Call};
use super::state::{Check, CheckState, Dialect, Permission, Refusal, Repo, State, now};
use crate::bare::Commit;

type Done = Result<Answer, Refusal>;

/// Answers a request in GitHub's dialect.
pub(crate) fn answer<'a>(state: &mut State, call: &'a Call) -> Done {
    let of_git = call.path.get(3).is_some_and(|part| part == "git");
    // The name of a ref may come as one encoded part.
    let split = |part: &'a String| if of_git { part.split('/').collect() } else { vec![part.as_str()] };
    let path: Vec<&str> = call.path.iter().flat_map(split).collect();
    let get = call.method == "GET";
    match path.as_slice() {
        [] if get => Ok(Answer::json(200, json!({ "current_user_url": format!("{}/user", call.base) }))),
        ["user"] if get => {
            let who = call.who().ok_or(Refusal::Unauthorized)?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.me(who)))
        }
        ["users", login] if get => {
            state.user(login).ok_or(Refusal::NotFound)?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.me(login)))
        }
        ["rate_limit"] if get => Ok(rate_limit(state, call)),
        ["repos", owner, name, rest @ ..] => {
            let at = state.find(owner, name, call.who())?;
            repository(state, at, call, rest)
        }
        _ => Err(Refusal::NotFound),
    }
}

fn rate_limit(state: &State, call: &Call) -> Answer {
    let rate = state.rates.get(call.who().unwrap_or_default());
    let core = match rate {
        Some(rate) => {
            json!({ "limit": rate.limit, "used": rate.used, "remaining": rate.limit - rate.used, "reset": rate.reset })
        }
        None => {
            json!({ "limit": 5000, "used": 0, "remaining": 5000, "reset": jiff::Timestamp::now().as_second() + 3600 })
        }
    };
    Answer::json(200, json!({ "resources": { "core": core, "search": core }, "rate": core }))
}

fn repository(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let method = call.method.as_str();
    let repo = &state.repos[at];
    let objects = Objects { state, base: &call.base };
    let ok = |value: Value| Ok(Answer::json(200, value));
    match (method, path) {
        ("GET", []) => ok(objects.repo(repo, call.who())),
        (_, ["pulls" | "issues" | "labels", ..]) => github_pulls::answer(state, at, call, path),
        ("GET", ["branches"]) => {
            let all = repo.bare.branches();
            let all = all.iter().map(|(name, sha)| {
                let commit =
                    json!({ "sha": sha, "url": format!("{}/repos/{}/commits/{sha}", call.base, repo.full_name()) });
                json!({ "name": name, "commit": commit, "protected": repo.protected.contains_key(name) })
            });
            Ok(call.page(all.collect(), "per_page", 30, 100))
        }
        ("GET", ["branches", name @ .., "protection"]) => protection(state, at, call, &name.join("/")),
        ("GET", ["branches", name @ ..]) => branch(&objects, repo, &name.join("/")),
        ("GET", ["rules", "branches", name @ ..]) => ok(rules(repo, &name.join("/"))),
        ("GET", ["git", "ref", "heads", name @ ..]) => {
            let name = name.join("/");
            let sha = repo.bare.tip(&name).ok_or(Refusal::NotFound)?;
            ok(objects.reference(repo, &name, &sha))
        }
        ("GET", ["git", "matching-refs", "heads", start @ ..]) => {
            let start = start.join("/");
            let all = repo.bare.branches();
            let all = all.iter().filter(|(name, _)| name.starts_with(&start));
            Ok(call.page(all.map(|(name, sha)| objects.reference(repo, name, sha)).collect(), "per_page", 30, 100))
        }
        ("POST", ["git", "refs"]) => make_ref(state, at, call),
        ("PATCH", ["git", "refs", "heads", name @ ..]) => move_ref(state, at, call, &name.join("/")),
        ("DELETE", ["git", "refs", "heads", name @ ..]) => {
            state.may(at, call.who(), Permission::Write)?;
            let gone = state.repos[at].bare.delete_branch(&name.join("/"));
            gone.map_err(|error| Refusal::Ref(error.to_string()))?;
            Ok(Answer::empty(204))
        }
        ("GET", ["commits"]) => {
            let from = call.query.get("sha").unwrap_or(&repo.default_branch);
            let tip = repo.bare.resolve(from).ok_or(Refusal::NotFound)?;
            let all = repo.bare.history(&tip);
            Ok(call.page(all.iter().map(|commit| objects.commit(repo, commit)).collect(), "per_page", 30, 100))
        }
        ("GET", ["commits", name @ .., "status"]) => {
            let sha = repo.bare.resolve(&name.join("/")).ok_or(Refusal::NotFound)?;
            ok(combined(&objects, repo, &sha, call))
        }
        ("GET", ["commits", name @ .., "statuses"]) => {
            let sha = repo.bare.resolve(&name.join("/")).ok_or(Refusal::NotFound)?;
            let all = repo.checks.get(&sha).into_iter().flatten().rev().filter(|report| !report.check.run);
            Ok(call.page(all.map(|report| objects.status(repo, &sha, report)).collect(), "per_page", 30, 100))
        }
        ("GET", ["commits", name @ .., "check-runs"]) => {
            let sha = repo.bare.resolve(&name.join("/")).ok_or(Refusal::NotFound)?;
            let all = repo.checks(&sha).into_iter().filter(|report| report.check.run);
            let all: Vec<Value> = all.map(|report| objects.check_run(repo, &sha, report)).collect();
            let total = all.len();
            let mut answer = call.page(all, "per_page", 30, 100);
            let shown: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            answer.body = json!({ "total_count": total, "check_runs": shown }).to_string().into_bytes();
            Ok(answer)
        }
        ("GET", ["commits", sha, "pulls"]) => {
            let of = repo.pulls.iter().filter(|pull| pull.head_sha == *sha);
            Ok(call.page(of.map(|pull| objects.pull(repo, pull, call.who())).collect(), "per_page", 30, 100))
        }
        ("GET", ["commits", name @ ..]) => {
            let commit = repo.bare.commit(&name.join("/")).ok_or(Refusal::NotFound)?;
            ok(whole_commit(&objects, repo, &commit))
        }
        ("GET", ["compare", range @ ..]) => compare(&objects, repo, &range.join("/")),
        ("POST", ["statuses", sha]) => report(state, at, call, sha, false),
        ("POST", ["check-runs"]) => {
            let sha = call.text("head_sha").ok_or_else(|| missing("head_sha"))?;
            report(state, at, call, &sha, true)
        }
        ("GET", ["check-runs", id, "annotations"]) => {
            let known = repo.checks.values().flatten().any(|report| report.check.run && report.id.to_string() == **id);
            // Nothing writes any here.
            if known { Ok(call.page(Vec::new(), "per_page", 30, 100)) } else { Err(Refusal::NotFound) }
        }
        ("GET", ["collaborators", login, "permission"]) => {
            state.may(at, call.who(), Permission::Read)?;
            state.user(login).ok_or(Refusal::NotFound)?;
            let (permission, role) = role(repo.permission(Some(login)));
            let mut user = objects.user(login);
            merge(&mut user, json!({ "role_name": role }));
            ok(json!({ "permission": permission, "role_name": role, "user": user }))
        }
        ("GET", ["collaborators", login]) => {
            let member = repo.owner == *login || repo.members.contains_key(*login);
            if member { Ok(Answer::empty(204)) } else { Err(Refusal::NotFound) }
        }
        ("GET", ["contents", file @ ..]) => contents(repo, call, &file.join("/")),
        (_, ["hooks", rest @ ..]) => hooks(state, at, call, rest),
        _ => Err(Refusal::NotFound),
    }
}

fn missing(field: &'static str) -> Refusal {
    Refusal::Invalid { field, why: "missing_field".to_owned() }
}

fn role(permission: Permission) -> (&'static str, &'static str) {
    match permission {
        Permission::None => ("none", ""),
        Permission::Read => ("read", "read"),
        Permission::Triage => ("read", "triage"),
        Permission::Write => ("write", "write"),
        Permission::Admin => ("admin", "admin"),
    }
}

fn branch(objects: &Objects<'_>, repo: &Repo, name: &str) -> Done {
    let sha = repo.bare.tip(name).ok_or(Refusal::NotFound)?;
    let commit = repo.bare.commit(&sha).ok_or(Refusal::NotFound)?;
    let at = format!("{}/repos/{}/branches/{name}", objects.base, repo.full_name());
    let checks = repo.protected.get(name).map(|protection| protection.checks.clone()).unwrap_or_default();
    let protected = repo.protected.contains_key(name);
    Ok(Answer::json(
        200,
        json!({
            "name": name, "commit": objects.commit(repo, &commit), "protected": protected,
            "_links": { "self": at, "html": format!("{}/{}/tree/{name}", objects.base, repo.full_name()) },
            "protection": {
                "enabled": protected,
                "required_status_checks": {
                    "enforcement_level": if protected { "everyone" } else { "off" }, "contexts": checks, "checks": [],
                },
            },
            "protection_url": format!("{at}/protection"),
        }),
    ))
}

/// The rules that hold for a branch, whether it is there or not.
fn rules(repo: &Repo, name: &str) -> Value {
    let Some(protection) = repo.protected.get(name) else { return json!([]) };
    let rule = |kind: &str, parameters: Value| {
        let mut rule = json!({ "type": kind, "ruleset_source_type": "Repository", "ruleset_id": 1,
            "ruleset_source": repo.full_name() });
        if !parameters.is_null() {
            rule["parameters"] = parameters;
        }
        rule
    };
    let checks: Vec<Value> = protection.checks.iter().map(|context| json!({ "context": context })).collect();
    let mut all = vec![
        rule("deletion", Value::Null),
        rule(
            "pull_request",
            json!({ "required_approving_review_count": protection.approvals, "dismiss_stale_reviews_on_push": false,
                "require_code_owner_review": false, "require_last_push_approval": false,
                "required_review_thread_resolution": false }),
        ),
        rule(
            "required_status_checks",
            json!({ "required_status_checks": checks, "strict_required_status_checks_policy": false }),
        ),
    ];
    all.extend(protection.signed.then(|| rule("required_signatures", Value::Null)));
    Value::Array(all)
}

fn protection(state: &State, at: usize, call: &Call, name: &str) -> Done {
    state.may(at, call.who(), Permission::Admin)?;
    let at_url = format!("{}/repos/{}/branches/{name}/protection", call.base, state.repos[at].full_name());
    let Some(protection) = state.repos[at].protected.get(name) else {
        return Ok(Answer::json(404, json!({ "message": "Branch not protected", "documentation_url": DOCS })));
    };
    let checks = protection.checks.iter().map(|context| json!({ "context": context, "app_id": null }));
    Ok(Answer::json(
        200,
        json!({
            "url": at_url,
            "required_status_checks": {
                "url": format!("{at_url}/required_status_checks"), "strict": false, "contexts": protection.checks,
                "contexts_url": format!("{at_url}/required_status_checks/contexts"), "checks": checks.collect::<Vec<_>>(),
            },
            "required_pull_request_reviews": {
                "url": format!("{at_url}/required_pull_request_reviews"), "dismiss_stale_reviews": false,
                "require_code_owner_reviews": false, "required_approving_review_count": protection.approvals,
            },
            "enforce_admins": { "url": format!("{at_url}/enforce_admins"), "enabled": true },
        }),
    ))
}

fn make_ref(state: &mut State, at: usize, call: &Call) -> Done {
    state.may(at, call.who(), Permission::Write)?;
    let name = call.text("ref").ok_or_else(|| missing("ref"))?;
    let sha = call.text("sha").ok_or_else(|| missing("sha"))?;
    let branch = name
        .strip_prefix("refs/heads/")
        .ok_or_else(|| Refusal::Ref("Reference name must start with 'refs/heads/'.".to_owned()))?;
    let bare = state.repos[at].bare.clone();
    if bare.tip(branch).is_some() {
        return Err(Refusal::Ref("Reference already exists".to_owned()));
    }
    bare.resolve(&sha).ok_or_else(|| Refusal::Ref("Object does not exist".to_owned()))?;
    bare.update(&name, &sha, Some("")).map_err(|error| Refusal::Ref(error.to_string()))?;
    Ok(Answer::json(201, Objects { state, base: &call.base }.reference(&state.repos[at], branch, &sha)))
}

fn move_ref(state: &mut State, at: usize, call: &Call, branch: &str) -> Done {
    state.may(at, call.who(), Permission::Write)?;
    let sha = call.text("sha").ok_or_else(|| missing("sha"))?;
    let bare = state.repos[at].bare.clone();
    let tip = bare.tip(branch).ok_or_else(|| Refusal::Ref("Reference does not exist".to_owned()))?;
    bare.resolve(&sha).ok_or_else(|| Refusal::Ref("Object does not exist".to_owned()))?;
    if !call.flag("force").unwrap_or(false) && !bare.is_ancestor(&tip, &sha) {
        return Err(Refusal::Ref("Update is not a fast forward".to_owned()));
    }
    bare.update(&format!("refs/heads/{branch}"), &sha, Some(&tip)).map_err(|error| Refusal::Ref(error.to_string()))?;
    Ok(Answer::json(200, Objects { state, base: &call.base }.reference(&state.repos[at], branch, &sha)))
}

fn combined(objects: &Objects<'_>, repo: &Repo, sha: &str, call: &Call) -> Value {
    let all: Vec<_> = repo.checks(sha).into_iter().filter(|report| !report.check.run).collect();
    let any = |state| all.iter().any(|report| report.check.state == state);
    let state = if any(CheckState::Failure) {
        CheckState::Failure
    } else if all.is_empty() || any(CheckState::Pending) {
        CheckState::Pending
    } else {
        CheckState::Success
    };
    let at = format!("{}/repos/{}/commits/{sha}", objects.base, repo.full_name());
    let statuses: Vec<Value> = all.iter().map(|report| objects.status(repo, sha, report)).collect();
    json!({
        "state": word(state), "statuses": statuses, "sha": sha, "total_count": all.len(),
        "repository": objects.repo(repo, call.who()), "commit_url": at, "url": format!("{at}/status"),
    })
}

fn whole_commit(objects: &Objects<'_>, repo: &Repo, commit: &Commit) -> Value {
    let parent = commit.parents.first();
    let changed = parent.map(|parent| repo.bare.changed(parent, &commit.sha)).unwrap_or_default();
    let (plus, minus) = changed.iter().fold((0, 0), |sum, file| (sum.0 + file.additions, sum.1 + file.deletions));
    let mut object = objects.commit(repo, commit);
    merge(
        &mut object,
        json!({
            "stats": { "additions": plus, "deletions": minus, "total": plus + minus },
            "files": changed.iter().map(|file| objects.file(repo, &commit.sha, file)).collect::<Vec<_>>(),
        }),
    );
    object
}

fn compare(objects: &Objects<'_>, repo: &Repo, range: &str) -> Done {
    let (base, head) = range.split_once("...").ok_or(Refusal::NotFound)?;
    let base = repo.bare.commit(base).ok_or(Refusal::NotFound)?;
    let head = repo.bare.commit(head).ok_or(Refusal::NotFound)?;
    let ahead = repo.bare.between(&base.sha, &head.sha);
    let behind = repo.bare.between(&head.sha, &base.sha).len();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let fork =
        repo.bare.fork_point(&base.sha, &head.sha).and_then(|sha| repo.bare.commit(&sha)).unwrap_or(base.clone());
    let page = format!("{}/{}/compare/{range}", objects.base, repo.full_name());
    let files = repo.bare.changed(&base.sha, &head.sha);
    Ok(Answer::json(
        200,
        json!({
            "url": format!("{}/repos/{}/compare/{range}", objects.base, repo.full_name()), "html_url": page,
            "permalink_url": page, "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
            "base_commit": objects.commit(repo, &base), "merge_base_commit": objects.commit(repo, &fork),
            "status": status, "ahead_by": ahead.len(), "behind_by": behind, "total_commits": ahead.len(),
            "commits": ahead.iter().map(|commit| objects.commit(repo, commit)).collect::<Vec<_>>(),
            "files": files.iter().map(|file| objects.file(repo, &head.sha, file)).collect::<Vec<_>>(),
        }),
    ))
}

fn report(state: &mut State, at: usize, call: &Call, sha: &str, run: bool) -> Done {
    let by = state.may(at, call.who(), Permission::Write)?;
    let given = if run {
        call.text("conclusion").unwrap_or_else(|| "pending".to_owned())
    } else {
        call.text("state").unwrap_or_default()
    };
    let check_state = match given.as_str() {
        "success" | "neutral" | "skipped" => CheckState::Success,
        "pending" => CheckState::Pending,
        "failure" | "error" | "cancelled" | "timed_out" | "action_required" => CheckState::Failure,
        _ => return Err(Refusal::Invalid { field: "state", why: "is not included in the list".to_owned() }),
    };
    let name = call.text(if run { "name" } else { "context" });
    let check = Check {
        context: name.unwrap_or_else(|| "default".to_owned()),
        state: check_state,
        description: call.text("description").unwrap_or_default(),
        url: call.text(if run { "details_url" } else { "target_url" }).unwrap_or_default(),
        run,
    };
    let reported = state.report(at, &by, sha, check)?;
    let objects = Objects { state, base: &call.base };
    let repo = &state.repos[at];
    Ok(Answer::json(
        201,
        if run { objects.check_run(repo, sha, &reported) } else { objects.status(repo, sha, &reported) },
    ))
}

fn contents(repo: &Repo, call: &Call, path: &str) -> Done {
    let at = call.query.get("ref").unwrap_or(&repo.default_branch);
    let (blob, bytes) = repo.bare.file(at, path).ok_or(Refusal::NotFound)?;
    if call.accept.contains("raw") {
        return Ok(Answer::text(String::from_utf8_lossy(&bytes).into_owned()));
    }
    let full = repo.full_name();
    let (url, git) = (
        format!("{}/repos/{full}/contents/{path}?ref={at}", call.base),
        format!("{}/repos/{full}/git/blobs/{blob}", call.base),
    );
    let page = format!("{}/{full}/blob/{at}/{path}", call.base);
    Ok(Answer::json(
        200,
        json!({
            "type": "file", "encoding": "base64", "size": bytes.len(), "name": path.rsplit('/').next(), "path": path,
            "content": crate::base64::encode(&bytes), "sha": blob, "url": url, "git_url": git, "html_url": page,
            "download_url": format!("{}/{full}/raw/{at}/{path}", call.base),
            "_links": { "self": url, "git": git, "html": page },
        }),
    ))
}

fn hooks(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    state.may(at, call.who(), Permission::Admin)?;
    let object = |hook: &Hook, full: &str| {
        let url = format!("{}/repos/{full}/hooks/{}", call.base, hook.id);
        json!({
            "type": "Repository", "id": hook.id, "name": "web", "active": true, "events": ["*"], "url": url,
            "config": { "url": hook.url, "content_type": "json", "insecure_ssl": "0" }, "created_at": now(),
            "updated_at": now(), "test_url": format!("{url}/test"), "ping_url": format!("{url}/pings"),
            "deliveries_url": format!("{url}/deliveries"),
            "last_response": { "code": null, "status": "unused", "message": null },
        })
    };
    let full = state.repos[at].full_name();
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let all = state.repos[at].hooks.iter().map(|hook| object(hook, &full));
            Ok(call.page(all.collect(), "per_page", 30, 100))
        }
        ("POST", []) => {
            let text = |key: &str| call.body["config"][key].as_str().unwrap_or_default().to_owned();
            let (url, secret) = (text("url"), text("secret"));
            if !is_loopback(&url) {
                return Err(Refusal::Invalid { field: "url", why: "is not on this machine".to_owned() });
            }
            let hook = Hook { id: state.next_id(), dialect: Dialect::GitHub, url, secret };
            state.repos[at].hooks.push(hook.clone());
            Ok(Answer::json(201, object(&hook, &full)))
        }
        ("DELETE", [id]) => {
            let before = state.repos[at].hooks.len();
            state.repos[at].hooks.retain(|hook| hook.id.to_string() != **id);
            if state.repos[at].hooks.len() < before { Ok(Answer::empty(204)) } else { Err(Refusal::NotFound) }
        }
        _ => Err(Refusal::NotFound),
    }
}

/// A token for an installation of an app. The JWT's form is looked at, its signature is not.
pub(crate) fn installation(state: &mut State, call: &Call, jwt: &str) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let (is_jwt, post) = (jwt.split('.').filter(|part| !part.is_empty()).count() == 3, call.method == "POST");
    match path.as_slice() {
        _ if !is_jwt => {
            let message = "A JSON web token could not be decoded";
            Answer::json(401, json!({ "message": message, "documentation_url": DOCS, "status": "401" }))
        }
        ["app", "installations", id, "access_tokens"] if post => {
            let login = id.parse().ok().and_then(|id: u64| state.installations.get(&id)).cloned();
            let Some(login) = login else { return refuse(&Refusal::NotFound, call) };
            let token = format!("ghs_scripted{:06}", state.next_id());
            state.tokens.insert(token.clone(), login);
            let ends = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 3600).unwrap_or_default();
            Answer::json(
                201,
                json!({
                    "token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    "permissions": { "contents": "write", "pull_requests": "write", "checks": "read" },
                    "repository_selection": "all",
                }),
            )
        }
        _ => refuse(&Refusal::NotFound, call),
    }
}

const DOCS: &str = "https://docs.github.com/rest";

/// A refusal in GitHub's words.
pub(crate) fn refuse(refusal: &Refusal, call: &Call) -> Answer {
    let said = |status: u16, message: &str| {
        Answer::json(status, json!({ "message": message, "documentation_url": DOCS, "status": status.to_string() }))
    };
    let invalid = |error: Value| {
        let body =
            json!({ "message": "Validation Failed", "errors": [error], "documentation_url": DOCS, "status": "422" });
        Answer::json(422, body)
    };
    let custom = |message: String| invalid(json!({ "resource": "PullRequest", "code": "custom", "message": message }));
    match refusal {
        Refusal::NotFound => said(404, "Not Found"),
        Refusal::Unauthorized if call.login.is_none() => said(401, "Bad credentials"),
        Refusal::Unauthorized => said(401, "Requires authentication"),
        Refusal::Forbidden => said(403, "Resource not accessible by personal access token"),
        Refusal::NoBranch { field, .. } => {
            invalid(json!({ "resource": "PullRequest", "field": field, "code": "invalid" }))
        }
        Refusal::SameBranch => custom("There are no new commits between base branch and head branch".to_owned()),
        Refusal::Duplicate(_) => {
            let head = call.text("head").unwrap_or_default();
            let owner = call.path.get(1).map(String::as_str).unwrap_or_default();
            let head = if head.contains(':') { head } else { format!("{owner}:{head}") };
            custom(format!("A pull request already exists for {head}."))
        }
        Refusal::NothingBetween { base, head } => custom(format!("No commits between {base} and {head}")),
        Refusal::HeadMoved => said(409, "Head branch was modified. Review and try the merge again."),
        Refusal::Conflict => said(405, "Pull Request is not mergeable"),
        Refusal::NotMergeable(why) => said(405, why),
        Refusal::Ref(why) => said(422, why),
        Refusal::Invalid { field, why } => invalid(
            json!({ "resource": "PullRequest", "field": field, "code": "custom", "message": format!("{field} {why}") }),
        ),
    }
}

/// What a hook is told, with the event's name.
pub(crate) fn event(state: &State, repo: &Repo, event: &Event, base: &str) -> Option<(String, Value)> {
    let objects = Objects { state, base };
    let sender = |login: &str| objects.user(login);
    let repository = objects.repo(repo, None);
    let zero = || "0".repeat(40);
    let (name, payload) = match event {
        Event::Push { branch, from, to } => (
            "push",
            json!({
                "ref": format!("refs/heads/{branch}"), "before": from.clone().unwrap_or_else(zero),
                "after": to.clone().unwrap_or_else(zero), "created": from.is_none(), "deleted": to.is_none(),
                "forced": false, "commits": [], "pusher": { "name": repo.owner }, "sender": sender(&repo.owner),
            }),
        ),
        Event::Pull { number, action } => {
            let pull = repo.pull(*number).ok()?;
            (
                "pull_request",
                json!({
                    "action": action, "number": number, "pull_request": objects.whole_pull(repo, pull, None),
                    "sender": sender(&pull.author),
                }),
            )
        }
        Event::Comment { number, id } => {
            let pull = repo.pull(*number).ok()?;
            let comment = pull.comments.iter().find(|comment| comment.id == *id)?;
            (
                "issue_comment",
                json!({
                    "action": "created", "issue": objects.issue(repo, pull), "sender": sender(&comment.author),
                    "comment": objects.comment(repo, *number, comment),
                }),
            )
        }
        Event::Review { number, id } => {
            let pull = repo.pull(*number).ok()?;
            let review = pull.reviews.iter().find(|review| review.id == *id)?;
            (
                "pull_request_review",
                json!({
                    "action": "submitted", "review": objects.review(repo, *number, review),
                    "pull_request": objects.pull(repo, pull, None), "sender": sender(&review.author),
                }),
            )
        }
        Event::Check { sha, context, run } => {
            let checks = repo.checks(sha);
            let reported = checks.iter().find(|report| report.check.context == *context)?;
            if *run {
                let done = reported.check.state != CheckState::Pending;
                (
                    "check_run",
                    json!({
                        "action": if done { "completed" } else { "created" }, "sender": sender(&reported.by),
                        "check_run": objects.check_run(repo, sha, reported),
                    }),
                )
            } else {
                let mut status = objects.status(repo, sha, reported);
                merge(&mut status, json!({ "sha": sha, "name": repo.full_name(), "sender": sender(&reported.by) }));
                ("status", status)
            }
        }
    };
    let mut payload = payload;
    merge(&mut payload, json!({ "repository": repository }));
    Some((name.to_owned(), payload))
}
