//! GitHub's dialect of pull requests: opening, changing, merging, comments, labels, reviews.

use serde_json::{Value, json};

use super::github_objects::Objects;
use super::pulls::{Edit, Merging, Opening};
use super::server::{Answer, Call};
use super::state::{Permission, Pull, Refusal, Repo, Stage, State, Verdict};
use crate::bare::Method;

type Done = Result<Answer, Refusal>;

pub(crate) fn answer(state: &mut State, at: usize, call: &Call, path: &[&str]) -> Done {
    let who = call.who();
    match (call.method.as_str(), path) {
        ("GET", ["pulls"]) => list(state, at, call),
        ("POST", ["pulls"]) => open(state, at, call),
        ("PATCH", ["issues", "comments", id]) => {
            let body = call.text("body").unwrap_or_default();
            let (number, comment) = state.recomment(at, who, parse(id)?, Some(&body))?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.comment(&state.repos[at], number, &comment)))
        }
        ("DELETE", ["issues", "comments", id]) => {
            state.recomment(at, who, parse(id)?, None)?;
            Ok(Answer::empty(204))
        }
        ("GET", ["issues", "comments", id]) => {
            let (repo, id) = (&state.repos[at], parse(id)?);
            let all = repo.pulls.iter().flat_map(|pull| pull.comments.iter().map(|comment| (pull.number, comment)));
            let found = all.into_iter().find(|(_, comment)| comment.id == id);
            let (number, comment) = found.ok_or(Refusal::NotFound)?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.comment(repo, number, comment)))
        }
        ("GET", ["issues"]) => {
            let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
            let all = repo.pulls.iter().rev().filter(|pull| in_state(pull, call));
            Ok(call.page(all.map(|pull| objects.issue(repo, pull)).collect(), "per_page", 30, 100))
        }
        ("POST", ["labels"]) => {
            state.may(at, who, Permission::Write)?;
            let name = call.text("name").ok_or(Refusal::Invalid { field: "name", why: "missing".to_owned() })?;
            if state.repos[at].labels.iter().any(|label| label.name == name) {
                return Err(Refusal::Invalid { field: "name", why: "already_exists".to_owned() });
            }
            let id = state.label(at, &name).id;
            let label = state.repos[at].labels.iter_mut().find(|label| label.id == id).ok_or(Refusal::NotFound)?;
            label.color = call.text("color").unwrap_or(label.color.clone());
            label.description = call.text("description").unwrap_or_default();
            let label = label.clone();
            Ok(Answer::json(201, Objects { state, base: &call.base }.label(&state.repos[at], &label)))
        }
        ("GET", ["labels"]) => {
            let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
            Ok(call.page(repo.labels.iter().map(|label| objects.label(repo, label)).collect(), "per_page", 30, 100))
        }
        (_, ["pulls" | "issues", number, rest @ ..]) => one(state, at, call, path[0], parse(number)?, rest),
        _ => Err(Refusal::NotFound),
    }
}

pub(crate) fn parse(number: &str) -> Result<u64, Refusal> {
    number.parse().map_err(|_| Refusal::NotFound)
}

fn in_state(pull: &Pull, call: &Call) -> bool {
    match call.query.get("state").map_or("open", String::as_str) {
        "all" => true,
        "closed" => !pull.is_open(),
        _ => pull.is_open(),
    }
}

fn list(state: &State, at: usize, call: &Call) -> Done {
    let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
    // The head is `owner:branch`; one without an owner is not looked at, as GitHub has it.
    let head = call.query.get("head").and_then(|head| head.split_once(':'));
    let fits = |pull: &&Pull| {
        in_state(pull, call)
            && head.is_none_or(|(owner, branch)| owner == repo.owner && branch == pull.head)
            && call.query.get("base").is_none_or(|base| *base == pull.base)
    };
    let mut all: Vec<&Pull> = repo.pulls.iter().filter(fits).collect();
    if call.query.get("direction").is_none_or(|direction| direction != "asc") {
        all.reverse();
    }
    Ok(call.page(all.into_iter().map(|pull| objects.pull(repo, pull, call.who())).collect(), "per_page", 30, 100))
}

fn open(state: &mut State, at: usize, call: &Call) -> Done {
    let owner = state.repos[at].owner.clone();
    let head = call.text("head").unwrap_or_default();
    // Another owner's branch would be one of a fork, and there are no forks here.
    let head = match head.split_once(':') {
        Some((of, branch)) if of == owner => branch.to_owned(),
        Some(_) => return Err(Refusal::NoBranch { field: "head", name: head }),
        None => head,
    };
    let wish = Opening {
        title: call.text("title").unwrap_or_default(),
        body: call.text("body").unwrap_or_default(),
        head,
        base: call.text("base").unwrap_or_default(),
        draft: call.flag("draft").unwrap_or(false),
        must_have_commits: true,
        ..Opening::default()
    };
    let number = state.open(at, call.who(), wish)?;
    whole(state, at, call, number, 201)
}

fn whole(state: &State, at: usize, call: &Call, number: u64, status: u16) -> Done {
    let repo = &state.repos[at];
    let objects = Objects { state, base: &call.base };
    Ok(Answer::json(status, objects.whole_pull(repo, repo.pull(number)?, call.who())))
}

fn one(state: &mut State, at: usize, call: &Call, kind: &str, number: u64, path: &[&str]) -> Done {
    let who = call.who();
    state.repos[at].pull(number)?;
    match (call.method.as_str(), kind, path) {
        ("GET", "pulls", []) if call.accept.contains("diff") => {
            let (repo, pull) = (&state.repos[at], state.repos[at].pull(number)?);
            Ok(Answer::text(repo.bare.diff(&pull.base_sha, &pull.head_sha)))
        }
        ("GET", "pulls", []) => whole(state, at, call, number, 200),
        ("PATCH", _, []) => {
            let open = call.text("state").map(|wanted| wanted == "open");
            let labels = if kind == "issues" { call.words("labels") } else { None };
            let (title, body, base) = (call.text("title"), call.text("body"), call.text("base"));
            state.edit(at, who, number, Edit { title, body, base, open, labels, draft: None })?;
            if kind == "pulls" {
                return whole(state, at, call, number, 200);
            }
            issue(state, at, call, number)
        }
        ("GET", "issues", []) => issue(state, at, call, number),
        ("GET", _, _) => look(state, at, call, kind, number, path),
        ("PUT", "pulls", ["merge"]) => merge(state, at, call, number),
        ("POST", "issues", ["comments"]) => {
            let comment = state.comment(at, who, number, &call.text("body").unwrap_or_default())?;
            Ok(Answer::json(201, Objects { state, base: &call.base }.comment(&state.repos[at], number, &comment)))
        }
        ("POST" | "PUT", "issues", ["labels"]) => {
            let named = |labels: &Vec<Value>| labels.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let given: Vec<String> = call.words("labels").or(call.body.as_array().map(named)).unwrap_or_default();
            let kept =
                if call.method == "POST" { state.repos[at].pull(number)?.labels.clone() } else { Default::default() };
            let labels = Some(kept.into_iter().chain(given).collect());
            state.edit(at, who, number, Edit { labels, ..Edit::default() })?;
            labels_of(state, at, call, number)
        }
        ("DELETE", "issues", ["labels", name]) => {
            let mut labels = state.repos[at].pull(number)?.labels.clone();
            if !labels.remove(*name) {
                return Err(Refusal::NotFound);
            }
            state.edit(at, who, number, Edit { labels: Some(labels.into_iter().collect()), ..Edit::default() })?;
            labels_of(state, at, call, number)
        }
        ("POST", "pulls", ["reviews"]) => {
            let verdict = match call.text("event").as_deref() {
                Some("APPROVE") => Verdict::Approved,
                Some("REQUEST_CHANGES") => Verdict::ChangesRequested,
                Some("COMMENT") => Verdict::Commented,
                _ => return Err(Refusal::Invalid { field: "event", why: "is missing".to_owned() }),
            };
            let review = state.review(at, who, number, verdict, &call.text("body").unwrap_or_default())?;
            Ok(Answer::json(200, Objects { state, base: &call.base }.review(&state.repos[at], number, &review)))
        }
        ("POST" | "DELETE", "pulls", ["requested_reviewers"]) => {
            state.may(at, who, Permission::Write)?;
            let asked = call.words("reviewers").unwrap_or_default();
            let author = state.repos[at].pull(number)?.author.clone();
            let member = |login: &String| {
                state.repos[at].permission(Some(login)) > Permission::None && state.user(login).is_some()
            };
            if asked.contains(&author) {
                return Err(Refusal::Ref("Review cannot be requested from pull request author.".to_owned()));
            }
            if !asked.iter().all(member) {
                let why = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.";
                return Err(Refusal::Ref(why.to_owned()));
            }
            let pull = state.repos[at].pull_mut(number)?;
            for login in asked {
                if call.method == "POST" {
                    pull.reviewers.insert(login)
                } else {
                    pull.reviewers.remove(&login)
                };
            }
            let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
            let status = if call.method == "POST" { 201 } else { 200 };
            Ok(Answer::json(status, objects.pull(repo, repo.pull(number)?, who)))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn issue(state: &State, at: usize, call: &Call, number: u64) -> Done {
    let repo = &state.repos[at];
    Ok(Answer::json(200, Objects { state, base: &call.base }.issue(repo, repo.pull(number)?)))
}

fn labels_of(state: &State, at: usize, call: &Call, number: u64) -> Done {
    let repo = &state.repos[at];
    Ok(Answer::json(200, Objects { state, base: &call.base }.labels(repo, repo.pull(number)?)))
}

/// The lists that belong to a pull request.
fn look(state: &State, at: usize, call: &Call, kind: &str, number: u64, path: &[&str]) -> Done {
    let (repo, objects) = (&state.repos[at], Objects { state, base: &call.base });
    let pull = repo.pull(number)?;
    let items: Vec<Value> = match (kind, path) {
        ("pulls", ["merge"]) => {
            let merged = matches!(pull.stage, Stage::Merged { .. });
            return if merged { Ok(Answer::empty(204)) } else { Err(Refusal::NotFound) };
        }
        ("pulls", ["commits"]) => commits(repo, pull).iter().map(|commit| objects.commit(repo, commit)).collect(),
        ("pulls", ["files"]) => {
            let files = repo.bare.changed(&pull.base_sha, &pull.head_sha);
            files.iter().map(|file| objects.file(repo, &pull.head_sha, file)).collect()
        }
        ("pulls", ["reviews"]) => pull.reviews.iter().map(|review| objects.review(repo, number, review)).collect(),
        // Comments on lines are not kept.
        ("pulls", ["comments"]) => Vec::new(),
        ("pulls", ["requested_reviewers"]) => {
            let users: Vec<Value> = pull.reviewers.iter().map(|login| objects.user(login)).collect();
            return Ok(Answer::json(200, json!({ "users": users, "teams": [] })));
        }
        ("issues", ["comments"]) => pull.comments.iter().map(|it| objects.comment(repo, number, it)).collect(),
        ("issues", ["labels"]) => return labels_of(state, at, call, number),
        _ => return Err(Refusal::NotFound),
    };
    Ok(call.page(items, "per_page", 30, 100))
}

fn commits(repo: &Repo, pull: &Pull) -> Vec<crate::bare::Commit> {
    repo.bare.between(&pull.base_sha, &pull.head_sha)
}

fn merge(state: &mut State, at: usize, call: &Call, number: u64) -> Done {
    let method = match call.text("merge_method").as_deref() {
        None | Some("merge") => Method::Merge,
        Some("squash") => Method::Squash,
        Some("rebase") => Method::Rebase,
        Some(_) => {
            return Err(Refusal::Invalid { field: "merge_method", why: "is not included in the list".to_owned() });
        }
    };
    let title = call.text("commit_title");
    let text = call.text("commit_message").map(|text| format!("\n\n{text}")).unwrap_or_default();
    let message = title.map(|title| title + &text);
    let merging = Merging { method, guard: call.text("sha"), message, delete_branch: false };
    let sha = state.merge(at, call.who(), number, merging)?;
    Ok(Answer::json(200, json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" })))
}
