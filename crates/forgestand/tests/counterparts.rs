//! Counterparts that are written for Node: the emulator, and the contracts. Runs with `KAIZEN_TEST_ALL=1`.

use std::path::Path;

use kaizen_forgestand::bare::Bare;
use kaizen_forgestand::http::{self, Response};
use kaizen_forgestand::install::{all_tests, usual_cache};
use kaizen_forgestand::scripted::{Check, CheckState, Dialect};
use kaizen_forgestand::{ContractProxy, Emulate, ScriptedForge};
use serde_json::{Value, json};

fn repository(folder: &Path) -> Bare {
    let bare = Bare::init(folder, "main");
    bare.write("main", None, "begin", &[("a.txt", "one\n"), ("src/lib.rs", "fn one() {}\n")]);
    bare.write("kaizen/c7", Some("main"), "better", &[("a.txt", "two\n")]);
    bare
}

fn ask(token: &str, method: &str, url: &str, body: &Value) -> Response {
    let bearer = format!("Bearer {token}");
    let body = (!body.is_null()).then(|| body.to_string().into_bytes());
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("accept", "application/json")];
    let headers = if body.is_some() { &headers[..] } else { &headers[..1] };
    http::call(method, url, headers, body.as_deref()).expect("the server answers")
}

#[test]
fn the_emulator_has_the_commits_that_were_pushed() {
    if !all_tests() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bare = repository(&folder.path().join("ledger.git"));
    let emulate = Emulate::start(&usual_cache(), &folder.path().join("emulate"), &[("t-acme", "acme")], "ledger");
    let mirror = emulate.mirror(&bare, "acme/ledger");
    assert_eq!((mirror.branches, mirror.other.len()), (2, 0), "{mirror:?}");
    let pulls = format!("{}/repos/acme/ledger/pulls", emulate.api());
    let opened = ask("t-acme", "POST", &pulls, &json!({ "title": "Better", "head": "kaizen/c7", "base": "main" }));
    assert_eq!(opened.status, 201, "{}", opened.text());
    assert_eq!(opened.json()["head"]["sha"], json!(bare.tip("kaizen/c7").unwrap()));

    // A push after that, and a branch that went.
    let next = bare.write("kaizen/c7", None, "more", &[("b.txt", "x\n")]);
    assert_eq!(emulate.mirror(&bare, "acme/ledger").other.len(), 0);
    let found =
        ask("t-acme", "GET", &format!("{}/repos/acme/ledger/git/ref/heads/kaizen/c7", emulate.api()), &Value::Null);
    assert_eq!(found.json()["object"]["sha"], json!(next), "{}", found.text());
    let merge = ask("t-acme", "PUT", &format!("{pulls}/1/merge"), &json!({ "sha": bare.tip("main").unwrap() }));
    // GitHub itself says 409.
    assert_eq!(merge.status, 422, "the head is guarded: {}", merge.text());
}

/// A forge of ours, with what it takes to ask for everything.
fn scripted(folder: &Path) -> (ScriptedForge, Bare) {
    let bare = repository(folder);
    let forge = ScriptedForge::start();
    forge.user("acme", "t-acme");
    forge.user("bob", "t-bob");
    forge.repository("acme", "ledger", bare.path(), "main");
    forge.permit("acme/ledger", "bob", kaizen_forgestand::scripted::Permission::Write);
    let tip = bare.tip("kaizen/c7").expect("the branch is there");
    forge.check("acme/ledger", &tip, Check::run("test", CheckState::Success));
    forge.check("acme/ledger", &tip, Check::status("lint", CheckState::Pending));
    (forge, bare)
}

#[test]
fn the_scripted_github_keeps_the_contract_and_a_wrong_request_is_told() {
    if !all_tests() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (forge, bare) = scripted(&folder.path().join("ledger.git"));
    let tip = bare.tip("kaizen/c7").unwrap();
    let proxy = ContractProxy::github(&usual_cache(), &folder.path().join("prism"), &forge.api(Dialect::GitHub));
    let at = |tail: &str| format!("{}/repos/acme/ledger{tail}", proxy.api());
    let send = |method: &str, tail: &str, body: Value| {
        let response = ask("t-acme", method, &at(tail), &body);
        assert!(response.status < 300, "{method} {tail}: {} {}\n{}", response.status, response.text(), proxy.said());
    };
    send("POST", "/pulls", json!({ "title": "Better", "head": "kaizen/c7", "base": "main", "body": "why" }));
    send("POST", "/issues/1/comments", json!({ "body": "hello" }));
    send("POST", "/issues/1/labels", json!({ "labels": ["kaizen"] }));
    send("POST", "/pulls/1/requested_reviewers", json!({ "reviewers": ["bob"] }));
    send("PATCH", "/pulls/1", json!({ "title": "Better still" }));
    forge.review("acme/ledger", 1, "bob", true, "fine");
    for tail in [
        "",
        "/pulls",
        "/pulls/1",
        "/pulls/1/commits",
        "/pulls/1/files",
        "/pulls/1/reviews",
        "/issues/1/comments",
        "/pulls/1/requested_reviewers",
        "/labels",
        "/branches",
        "/branches/main",
        "/git/ref/heads%2Fmain",
        "/collaborators/bob/permission",
        "/contents/a.txt",
        "/compare/main...kaizen%2Fc7",
        "/commits",
        "/issues/1",
    ] {
        send("GET", tail, Value::Null);
    }
    for tail in ["", "/status", "/statuses", "/check-runs", "/pulls"] {
        send("GET", &format!("/commits/{tip}{tail}"), Value::Null);
    }
    send("PUT", "/pulls/1/merge", json!({ "sha": tip }));
    assert_eq!(proxy.violations(), Vec::<String>::new());

    // A branch's name is taken with its slashes too.
    send("GET", "/git/ref/heads/kaizen/c7", Value::Null);
    assert_eq!(proxy.violations(), Vec::<String>::new());

    // A body that GitHub does not allow is passed on and told.
    ask("t-acme", "POST", &at("/pulls"), &json!({ "title": 7, "head": "kaizen/c7" }));
    let told = proxy.violations().join("\n");
    assert!(told.contains("base"), "{told}\n{}", proxy.said());
}

#[test]
fn the_scripted_forgejo_keeps_the_contract() {
    if !all_tests() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (forge, bare) = scripted(&folder.path().join("ledger.git"));
    let tip = bare.tip("kaizen/c7").unwrap();
    let proxy = ContractProxy::forgejo(&usual_cache(), &folder.path().join("prism"), &forge.api(Dialect::Forgejo));
    let send = |method: &str, tail: &str, body: Value| {
        let url = format!("{}/repos/acme/ledger{tail}", proxy.api());
        let bearer = ask("t-acme", method, &url, &body);
        assert!(bearer.status < 300, "{method} {tail}: {} {}\n{}", bearer.status, bearer.text(), proxy.said());
    };
    send("POST", "/pulls", json!({ "title": "Better", "head": "kaizen/c7", "base": "main", "body": "why" }));
    send("POST", "/issues/1/comments", json!({ "body": "hello" }));
    send("POST", "/labels", json!({ "name": "kaizen", "color": "#00ff00" }));
    send("POST", "/issues/1/labels", json!({ "labels": ["kaizen"] }));
    send("POST", "/pulls/1/requested_reviewers", json!({ "reviewers": ["bob"] }));
    send("PATCH", "/pulls/1", json!({ "title": "Better still" }));
    forge.review("acme/ledger", 1, "bob", true, "fine");
    for tail in [
        "",
        "/pulls",
        "/pulls/1",
        "/pulls/1/commits",
        "/pulls/1/files",
        "/pulls/1/reviews",
        "/issues/1/comments",
        "/labels",
        "/branches",
        "/branches/main",
        "/collaborators/bob/permission",
        "/contents/a.txt",
    ] {
        send("GET", tail, Value::Null);
    }
    for tail in ["/status", "/statuses"] {
        send("GET", &format!("/commits/{tip}{tail}"), Value::Null);
    }
    send("POST", "/pulls/1/merge", json!({ "Do": "merge", "head_commit_id": tip }));
    assert_eq!(proxy.violations(), Vec::<String>::new());

    // A request that the contract does not know is told.
    let url = format!("{}/repos/acme/ledger/no/such", proxy.api());
    ask("t-acme", "GET", &url, &Value::Null);
    assert_eq!(proxy.violations().len(), 1, "{:?}", proxy.violations());

    // The contract alone, which answers with what it is asked for.
    let mock = ContractProxy::forgejo_mock(&usual_cache(), &folder.path().join("mock"));
    let url = format!("{}/repos/acme/ledger/pulls", mock.api());
    let auth = ("authorization", "token t-acme");
    assert_eq!(http::call("GET", &url, &[auth], None).unwrap().status, 200, "{}", mock.said());
    let body = json!({ "title": "x", "head": "a", "base": "main" });
    assert_eq!(http::call_json("POST", &url, &[auth, ("prefer", "code=409")], &body).unwrap().status, 409);
}
