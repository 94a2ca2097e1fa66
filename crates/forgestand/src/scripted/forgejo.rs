//! Forgejo's and Gitea's dialect. It sends no ETags and has no rate limit, as those have none by themselves.

use serde_json::{Value, json};

use super::forgejo_objects::{Objects, word};
use super::github_pulls::parse;
use super::hooks::{Event, Hook, is_loopback};
use super::pulls::{Edit, Merging, Opening};
use super::server::{Answer, Call};
use super::state::{Check, CheckState, Dialect, Permission, Pull, Refusal, Repo, Stage, State, Verdict, now};
use crate::bare::Method;

type Done = Result<Answer, Refusal>;

/// Answers a request in Forgejo's dialect.
pub(crate) fn answer<'a>(state: &mut State, call: &'a Call) -> Done {
    let of_git = call.path.get(3).is_some_and(|part| part == "git");
    let split = |part: &'a String| if of_git { part.split('/').collect() } else { vec![part.as_str()] };
    let path: Vec<&str> = call.path.iter().flat_map(split).collect();
    let objects = Objects { state, base: &call.base };
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["user"]) => Ok(Answer::json(200, objects.user(call.who().ok_or(Refusal::Unauthorized)?))),
        ("GET", ["version"]) => Ok(Answer::json(200, json!({ "version": "12.0.0+gitea-1.22.0" }))),
        ("GET", ["users", login]) => {
            state.user(login).ok_or(Refusal::NotFound)?;
            Ok(Answer::json(200, objects.user(login)))
        }
        (_, ["repos", owner, name, rest @ ..]) => {
            let at = state.find(owner, name, call.who())?;
            repository(state, at, call, rest)
        }
        _ => Err(Refusal::NotFound),
    }
}

fn paged(call: &Call, items: Vec<Value>) -> Done {
    Ok(call.page(items, "limit", 30, 50))
}

fn repository(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let (repo, objects, who) = (&state.repos[at], Objects { state, base: &call.base }, call.who());
    let ok = |value: Value| Ok(Answer::json(200, value));
    match (call.method.as_str(), path) {
        ("GET", []) => ok(objects.repo(repo, who)),
        (_, ["pulls", rest @ ..]) => pulls(state, at, call, rest),
        (_, ["issues", rest @ ..]) => issues(state, at, call, rest),
        ("GET", ["branches"]) => {
            let all = repo.bare.branches();
            paged(call, all.iter().map(|(name, sha)| objects.branch(repo, name, sha, who)).collect())
        }
        ("GET", ["branches", name @ ..]) => {
            let name = name.join("/");
            let sha = repo.bare.tip(&name).ok_or(Refusal::NotFound)?;
            ok(objects.branch(repo, &name, &sha, who))
        }
        ("POST", ["branches"]) => {
            state.may(at, who, Permission::Write)?;
            let name = call.text("new_branch_name").unwrap_or_default();
            let bare = state.repos[at].bare.clone();
            let from = call.text("old_ref_name").or(call.text("old_branch_name"));
            let from = from.unwrap_or_else(|| state.repos[at].default_branch.clone());
            let sha = bare.resolve(&from).ok_or(Refusal::NotFound)?;
            let made = bare.update(&format!("refs/heads/{name}"), &sha, Some(""));
            made.map_err(|_| Refusal::Ref("The branch already exists.".to_owned()))?;
            Ok(Answer::json(201, Objects { state, base: &call.base }.branch(&state.repos[at], &name, &sha, who)))
        }
        ("DELETE", ["branches", name @ ..]) => {
            state.may(at, who, Permission::Write)?;
            let name = name.join("/");
            if state.repos[at].protected.contains_key(&name) {
                return Err(Refusal::Forbidden);
            }
            state.repos[at].bare.delete_branch(&name).map_err(|_| Refusal::NotFound)?;
            Ok(Answer::empty(204))
        }
        ("GET", ["branch_protections"]) => {
            state.may(at, who, Permission::Admin)?;
            ok(repo.protected.keys().map(|name| objects.protection(repo, name)).collect())
        }
        ("GET", ["branch_protections", name @ ..]) => {
            state.may(at, who, Permission::Admin)?;
            let name = name.join("/");
            repo.protected.get(&name).ok_or(Refusal::NotFound)?;
            ok(objects.protection(repo, &name))
        }
        ("GET", ["git", "refs", "heads", start @ ..]) => {
            let start = start.join("/");
            let all = repo.bare.branches();
            let reference = |(name, sha): (&String, &String)| {
                let at = format!("{}/api/v1/repos/{}/git", call.base, repo.full_name());
                let object = json!({ "type": "commit", "sha": sha, "url": format!("{at}/commits/{sha}") });
                json!({ "ref": format!("refs/heads/{name}"), "url": format!("{at}/refs/heads/{name}"), "object": object })
            };
            let found: Vec<Value> = all.iter().filter(|(name, _)| name.starts_with(&start)).map(reference).collect();
            if found.is_empty() { Err(Refusal::NotFound) } else { ok(json!(found)) }
        }
        ("GET", ["git", "commits", sha]) => {
            let commit = repo.bare.commit(sha).ok_or(Refusal::NotFound)?;
            ok(objects.commit(repo, &commit))
        }
        ("GET", ["compare", range @ ..]) => {
            let range = range.join("/");
            let (base, head) = range.split_once("...").ok_or(Refusal::NotFound)?;
            let base = repo.bare.resolve(base).ok_or(Refusal::NotFound)?;
            let head = repo.bare.resolve(head).ok_or(Refusal::NotFound)?;
            let commits = repo.bare.between(&base, &head);
            let commits: Vec<Value> = commits.iter().map(|commit| objects.commit(repo, commit)).collect();
            ok(json!({ "total_commits": commits.len(), "commits": commits, "files": [] }))
        }
        ("GET", ["commits", name @ .., "status"]) => {
            let sha = repo.bare.resolve(&name.join("/")).ok_or(Refusal::NotFound)?;
            let checks = repo.checks(&sha);
            let any = |state| checks.iter().any(|report| report.check.state == state);
            let state = if any(CheckState::Failure) {
                "failure"
            } else if any(CheckState::Pending) {
                "pending"
            } else if checks.is_empty() {
                ""
            } else {
                word(CheckState::Success)
            };
            let statuses: Vec<Value> = checks.iter().map(|it| objects.status(repo, &sha, it)).collect();
            let at = format!("{}/api/v1/repos/{}/commits/{sha}", call.base, repo.full_name());
            let mut combined = json!({
                "state": state, "sha": sha, "total_count": checks.len(), "statuses": statuses,
                "repository": objects.repo(repo, who), "commit_url": at, "url": format!("{at}/status"),
            });
            if state.is_empty() {
                // Nothing was reported: the real one leaves the word empty, which its own description forbids.
                combined["statuses"] = Value::Null;
            }
            ok(combined)
        }
        ("GET", ["commits", name @ .., "statuses"] | ["statuses", name @ ..]) => {
            let sha = repo.bare.resolve(&name.join("/")).ok_or(Refusal::NotFound)?;
            let all = repo.checks.get(&sha).into_iter().flatten().rev();
            paged(call, all.map(|it| objects.status(repo, &sha, it)).collect())
        }
        ("POST", ["statuses", sha]) => report(state, at, call, sha),
        ("GET", ["collaborators", login, "permission"]) => {
            state.may(at, who, Permission::Read)?;
            state.user(login).ok_or(Refusal::NotFound)?;
            let word = match repo.permission(Some(login)) {
                Permission::None => "none",
                Permission::Read | Permission::Triage => "read",
                Permission::Write => "write",
                Permission::Admin if repo.owner == *login => "owner",
                Permission::Admin => "admin",
            };
            ok(json!({ "permission": word, "role_name": word, "user": objects.user(login) }))
        }
        ("GET", ["collaborators", login]) => {
            let member = repo.owner == *login || repo.members.contains_key(*login);
            if member { Ok(Answer::empty(204)) } else { Err(Refusal::NotFound) }
        }
        ("GET", ["raw", file @ ..]) => {
            let at = call.query.get("ref").unwrap_or(&repo.default_branch);
            let (_, bytes) = repo.bare.file(at, &file.join("/")).ok_or(Refusal::NotFound)?;
            Ok(Answer::text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        ("GET", ["contents", file @ ..]) => {
            let (at, path) = (call.query.get("ref").unwrap_or(&repo.default_branch), file.join("/"));
            let (blob, bytes) = repo.bare.file(at, &path).ok_or(Refusal::NotFound)?;
            ok(json!({
                "name": file.last(), "path": path, "sha": blob, "type": "file", "size": bytes.len(),
                "encoding": "base64", "content": crate::base64::encode(&bytes),
                "last_commit_sha": repo.bare.resolve(at),
            }))
        }
        ("GET", ["labels"]) => paged(call, repo.labels.iter().map(|label| objects.label(repo, label)).collect()),
        ("POST", ["labels"]) => {
            state.may(at, who, Permission::Write)?;
            // Here, and only here, two labels of one name would both be kept; one of a name is enough for a stand-in.
            let label = state.label(at, &call.text("name").unwrap_or_default());
            Ok(Answer::json(201, Objects { state, base: &call.base }.label(&state.repos[at], &label)))
        }
        ("POST", ["hooks"]) => {
            state.may(at, who, Permission::Admin)?;
            let text = |key: &str| call.body["config"][key].as_str().unwrap_or_default().to_owned();
            let (id, url, secret) = (state.next_id(), text("url"), text("secret"));
            if !is_loopback(&url) {
                return Err(Refusal::Invalid { field: "url", why: "is not on this machine".to_owned() });
            }
            state.repos[at].hooks.push(Hook { id, dialect: Dialect::Forgejo, url: url.clone(), secret });
            let config = json!({ "url": url, "content_type": "json" });
            let made = json!({ "id": id, "type": "forgejo", "active": true, "config": config, "events": [], "created_at": now() });
            Ok(Answer::json(201, made))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn report(state: &mut State, at: usize, call: &Call, sha: &str) -> Done {
    let by = state.may(at, call.who(), Permission::Write)?;
    let check_state = match call.text("state").unwrap_or_default().as_str() {
        "success" | "skipped" => CheckState::Success,
        "pending" => CheckState::Pending,
        "failure" | "error" | "warning" => CheckState::Failure,
        _ => return Err(Refusal::Invalid { field: "state", why: "unknown".to_owned() }),
    };
    let check = Check {
        context: call.text("context").unwrap_or_else(|| "default".to_owned()),
        state: check_state,
        description: call.text("description").unwrap_or_default(),
        url: call.text("target_url").unwrap_or_default(),
        run: false,
    };
    let reported = state.report(at, &by, sha, check)?;
    Ok(Answer::json(201, Objects { state, base: &call.base }.status(&state.repos[at], sha, &reported)))
}

fn in_state(pull: &Pull, call: &Call) -> bool {
    match call.query.get("state").map_or("open", String::as_str) {
        "all" => true,
        "closed" => !pull.is_open(),
        _ => pull.is_open(),
    }
}

fn shown(state: &State, at: usize, call: &Call, number: u64, status: u16) -> Done {
    let repo = &state.repos[at];
    let objects = Objects { state, base: &call.base };
    Ok(Answer::json(status, objects.pull(repo, repo.pull(number)?, call.who())))
}

/// A title without the word that makes it a draft.
fn untitled(title: String) -> (String, bool) {
    match title.strip_prefix("WIP:").or(title.strip_prefix("[WIP]")) {
        Some(rest) => (rest.trim_start().to_owned(), true),
        None => (title, false),
    }
}

/// Labels by number or by name.
fn named(repo: &Repo, labels: Option<&Value>) -> Option<Vec<String>> {
    let by_id = |id: u64| repo.labels.iter().find(|label| label.id == id).map(|label| label.name.clone());
    let name = |label: &Value| label.as_u64().and_then(by_id).or_else(|| label.as_str().map(str::to_owned));
    labels?.as_array().map(|labels| labels.iter().filter_map(name).collect())
}

fn pulls(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let (repo, objects, who) = (&state.repos[at], Objects { state, base: &call.base }, call.who());
    match (call.method.as_str(), path) {
        // Forgejo cannot be asked for one head only.
        ("GET", []) => {
            let all = repo.pulls.iter().rev().filter(|pull| in_state(pull, call));
            paged(call, all.map(|pull| objects.pull(repo, pull, who)).collect())
        }
        ("POST", []) => {
            let (title, draft) = untitled(call.text("title").unwrap_or_default());
            let wish = Opening {
                title,
                draft,
                body: call.text("body").unwrap_or_default(),
                head: call.text("head").unwrap_or_default(),
                base: call.text("base").unwrap_or_default(),
                labels: named(repo, call.body.get("labels")).unwrap_or_default(),
                reviewers: Vec::new(),
                must_have_commits: false,
            };
            let number = state.open(at, who, wish)?;
            shown(state, at, call, number, 201)
        }
        ("GET", [number]) if number.ends_with(".diff") => {
            let pull = repo.pull(parse(number.trim_end_matches(".diff"))?)?;
            Ok(Answer::text(repo.bare.diff(&pull.base_sha, &pull.head_sha)))
        }
        (_, [number, rest @ ..]) if number.parse::<u64>().is_ok() => one(state, at, call, parse(number)?, rest),
        ("GET", [base, head @ ..]) => {
            let head = head.join("/");
            let fits = |pull: &&Pull| pull.base == *base && pull.head == head;
            let pull = repo.pulls.iter().rev().find(fits).ok_or(Refusal::NotFound)?;
            shown(state, at, call, pull.number, 200)
        }
        _ => Err(Refusal::NotFound),
    }
}

fn one(state: &mut State, at: usize, call: &Call, number: u64, path: &[&str]) -> Done {
    let (repo, objects, who) = (&state.repos[at], Objects { state, base: &call.base }, call.who());
    let pull = repo.pull(number)?;
    match (call.method.as_str(), path) {
        ("GET", []) => shown(state, at, call, number, 200),
        ("PATCH", []) => {
            let titled = call.text("title").map(untitled);
            let draft = titled.as_ref().map(|titled| titled.1);
            let labels = named(repo, call.body.get("labels"));
            let open = call.text("state").map(|wanted| wanted == "open");
            let (title, body, base) = (titled.map(|titled| titled.0), call.text("body"), call.text("base"));
            state.edit(at, who, number, Edit { title, body, base, draft, open, labels })?;
            shown(state, at, call, number, 201)
        }
        ("GET", ["merge"]) => {
            if matches!(pull.stage, Stage::Merged { .. }) {
                Ok(Answer::empty(204))
            } else {
                Err(Refusal::NotFound)
            }
        }
        ("POST", ["merge"]) => merge(state, at, call, number),
        ("GET", ["commits"]) => {
            let commits = repo.bare.between(&pull.base_sha, &pull.head_sha);
            paged(call, commits.iter().rev().map(|commit| objects.commit(repo, commit)).collect())
        }
        ("GET", ["files"]) => {
            let file = |file: crate::bare::Changed| {
                let status = match file.letter {
                    'A' => "added",
                    'D' => "deleted",
                    _ => "changed",
                };
                json!({
                    "filename": file.path, "status": status, "additions": file.additions, "deletions": file.deletions,
                    "changes": file.additions + file.deletions,
                })
            };
            paged(call, repo.bare.changed(&pull.base_sha, &pull.head_sha).into_iter().map(file).collect())
        }
        ("GET", ["reviews"]) => {
            paged(call, pull.reviews.iter().map(|review| objects.review(repo, number, review)).collect())
        }
        ("POST", ["reviews"]) => {
            let verdict = match call.text("event").as_deref() {
                Some("APPROVED" | "APPROVE") => Verdict::Approved,
                Some("REQUEST_CHANGES") => Verdict::ChangesRequested,
                Some("COMMENT") => Verdict::Commented,
                _ => return Err(Refusal::Invalid { field: "event", why: "is missing".to_owned() }),
            };
            let review = state.review(at, who, number, verdict, &call.text("body").unwrap_or_default())?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.review(&state.repos[at], number, &review)))
        }
        ("POST" | "DELETE", ["requested_reviewers"]) => {
            state.may(at, who, Permission::Write)?;
            let asked = call.words("reviewers").unwrap_or_default();
            if asked.iter().any(|login| state.user(login).is_none()) {
                return Err(Refusal::NotFound);
            }
            let pull = state.repos[at].pull_mut(number)?;
            for login in asked {
                if call.method == "POST" {
                    pull.reviewers.insert(login)
                } else {
                    pull.reviewers.remove(&login)
                };
            }
            Ok(if call.method == "POST" { Answer::json(201, json!([])) } else { Answer::empty(204) })
        }
        _ => Err(Refusal::NotFound),
    }
}

fn issues(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let who = call.who();
    match (call.method.as_str(), path) {
        ("PATCH", ["comments", id]) => {
            let body = call.text("body").unwrap_or_default();
            let (number, comment) = state.recomment(at, who, parse(id)?, Some(&body))?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.comment(&state.repos[at], number, &comment)))
        }
        ("DELETE", ["comments", id]) => {
            state.recomment(at, who, parse(id)?, None)?;
            Ok(Answer::empty(204))
        }
        ("GET", [number, "comments"]) => {
            let (repo, objects, number) = (&state.repos[at], Objects { state, base: &call.base }, parse(number)?);
            // This list has no pages in Forgejo.
            let comments = repo.pull(number)?.comments.iter();
            Ok(Answer::json(200, comments.map(|comment| objects.comment(repo, number, comment)).collect()))
        }
        ("POST", [number, "comments"]) => {
            let number = parse(number)?;
            let comment = state.comment(at, who, number, &call.text("body").unwrap_or_default())?;
            Ok(Answer::json(201, Objects { state, base: &call.base }.comment(&state.repos[at], number, &comment)))
        }
        (method, [number, "labels", rest @ ..]) => {
            let number = parse(number)?;
            let repo = &state.repos[at];
            let mut labels = repo.pull(number)?.labels.clone();
            let given = named(repo, call.body.get("labels")).unwrap_or_default();
            match (method, rest) {
                ("GET", []) => {}
                ("POST", []) => labels.extend(given),
                ("PUT", []) => labels = given.into_iter().collect(),
                ("DELETE", [id]) => {
                    let label = repo.labels.iter().find(|it| it.id.to_string() == **id || it.name == **id);
                    let label = label.ok_or(Refusal::NotFound)?;
                    labels.remove(&label.name);
                }
                _ => return Err(Refusal::NotFound),
            }
            if method != "GET" {
                let labels = Some(labels.into_iter().collect());
                state.edit(at, who, number, Edit { labels, ..Edit::default() })?;
            }
            if method == "DELETE" {
                return Ok(Answer::empty(204));
            }
            let repo = &state.repos[at];
            Ok(Answer::json(200, Objects { state, base: &call.base }.labels(repo, repo.pull(number)?)))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn merge(state: &mut State, at: usize, call: &Call, number: u64) -> Done {
    let method = match call.text("Do").as_deref() {
        Some("merge") => Method::Merge,
        Some("squash") => Method::Squash,
        Some("rebase") => Method::Rebase,
        Some("fast-forward-only") => Method::FastForward,
        _ => return Err(Refusal::Invalid { field: "Do", why: "is not included in the list".to_owned() }),
    };
    let guard = call.text("head_commit_id").filter(|guard| !guard.is_empty());
    let delete_branch = call.flag("delete_branch_after_merge").unwrap_or(false);
    let pull = state.repos[at].pull(number)?.clone();
    if call.flag("merge_when_checks_succeed").unwrap_or(false)
        && pull.is_open()
        && state.repos[at].lacking(&pull).is_some()
    {
        state.may(at, call.who(), Permission::Write)?;
        state.repos[at].pull_mut(number)?.auto_merge = true;
        return Ok(Answer::empty(201));
    }
    let text = call.text("MergeMessageField").map(|text| format!("\n\n{text}")).unwrap_or_default();
    let message = call.text("MergeTitleField").map(|title| title + &text);
    // Forgejo says 405 to who may not merge.
    let merged = state.merge(at, call.who(), number, Merging { method, guard, message, delete_branch });
    let not_allowed = || Refusal::NotMergeable("User not allowed to merge PR".to_owned());
    merged.map_err(|refusal| if refusal == Refusal::Forbidden { not_allowed() } else { refusal })?;
    Ok(Answer::empty(200))
}

/// A refusal in Forgejo's words.
pub(crate) fn refuse(refusal: &Refusal, call: &Call) -> Answer {
    let said = |status: u16, message: &str| {
        Answer::json(status, json!({ "message": message, "url": format!("{}/api/swagger", call.base) }))
    };
    match refusal {
        Refusal::NotFound | Refusal::NoBranch { .. } => {
            let body = json!({ "errors": [], "message": "The target couldn't be found.", "url": format!("{}/api/swagger", call.base) });
            Answer::json(404, body)
        }
        Refusal::Unauthorized if call.login.is_none() => said(401, "token is required"),
        Refusal::Unauthorized => said(401, "user does not exist [uid: 0, name: ]"),
        Refusal::Forbidden => said(403, "user should have permission to write this repository"),
        Refusal::SameBranch => said(422, "Invalid PullRequest: There are no changes between the head and the base"),
        Refusal::Duplicate(number) => {
            said(409, &format!("pull request already exists for these targets [id: {number}, issue_id: {number}]"))
        }
        Refusal::NothingBetween { .. } => said(422, "no commits"),
        Refusal::HeadMoved => said(409, "head out of date"),
        Refusal::Conflict => said(409, "Merge of the pull request would conflict"),
        Refusal::NotMergeable(why) => said(405, why),
        Refusal::Ref(why) => said(409, why),
        Refusal::Invalid { field, why } => said(422, &format!("[{field}]: {why}")),
    }
}

/// What a hook is told, with the event's name.
pub(crate) fn event(state: &State, repo: &Repo, event: &Event, base: &str) -> Option<(String, Value)> {
    let objects = Objects { state, base };
    let (name, payload) = match event {
        Event::Push { branch, from, to } => {
            let zero = || "0".repeat(40);
            let (before, after) = (from.clone().unwrap_or_else(zero), to.clone().unwrap_or_else(zero));
            let sender = objects.user(&repo.owner);
            let at = format!("refs/heads/{branch}");
            ("push", json!({ "ref": at, "before": before, "after": after, "commits": [], "sender": sender }))
        }
        Event::Pull { number, action } => {
            let (pull, action) =
                (repo.pull(*number).ok()?, if *action == "synchronize" { "synchronized" } else { action });
            let (object, sender) = (objects.pull(repo, pull, None), objects.user(&pull.author));
            ("pull_request", json!({ "action": action, "number": number, "pull_request": object, "sender": sender }))
        }
        Event::Comment { number, id } => {
            let pull = repo.pull(*number).ok()?;
            let comment = pull.comments.iter().find(|comment| comment.id == *id)?;
            let (object, sender) = (objects.comment(repo, *number, comment), objects.user(&comment.author));
            let issue = objects.pull(repo, pull, None);
            (
                "issue_comment",
                json!({ "action": "created", "is_pull": true, "comment": object, "issue": issue, "sender": sender }),
            )
        }
        Event::Review { number, id } => {
            let pull = repo.pull(*number).ok()?;
            let review = pull.reviews.iter().find(|review| review.id == *id)?;
            let (name, kind) = match review.verdict {
                Verdict::Approved => ("pull_request_approved", "pull_request_review_approved"),
                Verdict::ChangesRequested => ("pull_request_rejected", "pull_request_review_rejected"),
                Verdict::Commented => ("pull_request_comment", "pull_request_review_comment"),
            };
            let (object, sender) = (objects.pull(repo, pull, None), objects.user(&review.author));
            let review = json!({ "type": kind, "content": review.body });
            (
                name,
                json!({ "action": "reviewed", "number": number, "review": review, "pull_request": object, "sender": sender }),
            )
        }
        // Forgejo tells hooks nothing about statuses.
        Event::Check { .. } => return None,
    };
    let mut payload = payload;
    payload["repository"] = objects.repo(repo, None);
    Some((name.to_owned(), payload))
}
