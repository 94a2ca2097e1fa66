//! A forge's published contract between a client and a server: prism checks each request and each answer against it
//! and lets both through, and a [`Recorder`] in front collects what prism says. GitHub's contract is
//! `@octokit/openapi`, Forgejo's the Swagger document of the crate `forgejo-api`. GitLab publishes none that is used
//! here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::install::{Cache, GITHUB_OPENAPI, PRISM};
use crate::node;
use crate::process::{Server, free_port};
use crate::recorder::{Fault, Recorded, Recorder};

/// The parts of GitHub's contract that a maintainer's client uses; what lies below is meant too.
const GITHUB_PATHS: &[&str] = &[
    "/user",
    "/rate_limit",
    "/app/installations/{installation_id}/access_tokens",
    "/repos/{owner}/{repo}",
    "/repos/{owner}/{repo}/pulls",
    "/repos/{owner}/{repo}/issues",
    "/repos/{owner}/{repo}/labels",
    "/repos/{owner}/{repo}/git/ref",
    "/repos/{owner}/{repo}/git/refs",
    "/repos/{owner}/{repo}/git/matching-refs",
    "/repos/{owner}/{repo}/git/commits",
    "/repos/{owner}/{repo}/commits",
    "/repos/{owner}/{repo}/check-runs",
    "/repos/{owner}/{repo}/statuses",
    "/repos/{owner}/{repo}/branches",
    "/repos/{owner}/{repo}/rules/branches",
    "/repos/{owner}/{repo}/collaborators",
    "/repos/{owner}/{repo}/contents",
    "/repos/{owner}/{repo}/compare",
    "/repos/{owner}/{repo}/hooks",
];
/// Of those, the ones that are meant alone: below them is nearly everything.
const ALONE: &[&str] = &["/user", "/repos/{owner}/{repo}"];

/// A checking proxy. It runs until it is dropped.
#[derive(Debug)]
pub struct ContractProxy {
    recorder: Recorder,
    prefix: &'static str,
    server: Server,
}

impl ContractProxy {
    /// Checks against GitHub's contract what passes to a server such as `http://127.0.0.1:4242`.
    ///
    /// # Panics
    /// When prism cannot be installed or started.
    #[must_use]
    pub fn github(cache: &Cache, folder: &Path, upstream: &str) -> Self {
        Self::start(cache, folder, &github_contract(cache), &["proxy"], Some(upstream), "")
    }

    /// Checks against Forgejo's contract what passes to a server such as `http://127.0.0.1:4242/api/v1`.
    ///
    /// # Panics
    /// When prism cannot be installed or started.
    #[must_use]
    pub fn forgejo(cache: &Cache, folder: &Path, upstream: &str) -> Self {
        Self::start(cache, folder, &forgejo_contract(cache), &["proxy"], Some(upstream), "/api/v1")
    }

    /// Forgejo's contract alone: prism makes up answers that it allows, without any state. The header
    /// `Prefer: code=409` asks for a certain one.
    ///
    /// # Panics
    /// When prism cannot be installed or started.
    #[must_use]
    pub fn forgejo_mock(cache: &Cache, folder: &Path) -> Self {
        Self::start(cache, folder, &forgejo_contract(cache), &["mock"], None, "/api/v1")
    }

    fn start(
        cache: &Cache,
        folder: &Path,
        contract: &Path,
        kind: &[&str],
        upstream: Option<&str>,
        prefix: &'static str,
    ) -> Self {
        let prism = prism(cache).join("node_modules/@stoplight/prism-cli/dist/index.js");
        std::fs::create_dir_all(folder).expect("the proxy's folder can be made");
        let folder = folder.canonicalize().expect("the proxy's folder is there");
        let port = free_port();
        let mut command = node::command(cache, &prism, &folder);
        command.args(kind).arg(contract).args(upstream).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        let mut server = Server::start(&mut command, &folder.join("prism.log"));
        server.listens(port);
        let recorder = Recorder::before_checks(&format!("http://127.0.0.1:{port}"), templated);
        Self { recorder, prefix, server }
    }

    /// The base URL to give a client.
    #[must_use]
    pub fn api(&self) -> String {
        self.recorder.url() + self.prefix
    }

    /// What was against the contract so far, each with the request that it is about.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.recorder.violations()
    }

    /// The requests so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        self.recorder.calls()
    }

    /// Does this to the n-th request from now on; 1 is the next.
    pub fn fault(&self, nth: usize, fault: Fault) {
        self.recorder.fault(nth, fault);
    }

    /// What prism printed.
    #[must_use]
    pub fn said(&self) -> String {
        self.server.said()
    }
}

/// A path as prism expects it: without the base path, which it does not match, and with what stands for one parameter
/// in one part, since forges take the slashes in the names of branches and files as they are.
fn templated(target: &str) -> String {
    let target = target.strip_prefix("/api/v1").unwrap_or(target);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let parts: Vec<&str> = path.split('/').collect();
    let (kept, rest) = match parts.get(4..).unwrap_or_default() {
        ["git", "ref" | "refs" | "matching-refs", _, ..] => parts.split_at(6),
        ["contents" | "compare" | "branches" | "commits" | "raw", _, ..] => parts.split_at(5),
        _ => (&parts[..], &[][..]),
    };
    // What may follow the name of a branch.
    let tail = match rest {
        [_, .., "protection" | "status" | "statuses" | "check-runs" | "pulls"] if parts.get(4) != Some(&"contents") => {
            1
        }
        _ => 0,
    };
    let (name, tail) = rest.split_at(rest.len() - tail);
    let name = (!name.is_empty()).then(|| name.join("%2F"));
    let path: Vec<&str> = kept.iter().copied().chain(name.as_deref()).chain(tail.iter().copied()).collect();
    path.join("/") + &query.map(|query| format!("?{query}")).unwrap_or_default()
}

fn prism(cache: &Cache) -> PathBuf {
    cache.npm("prism", &[PRISM, GITHUB_OPENAPI])
}

/// GitHub's contract, cut down to what is used: the whole one takes prism a minute to read.
fn github_contract(cache: &Cache) -> PathBuf {
    let whole = prism(cache).join("node_modules/@octokit/openapi/generated/api.github.com.json");
    let folder = cache.once("github-contract", &format!("{GITHUB_OPENAPI} {GITHUB_PATHS:?}"), |folder| {
        let text = std::fs::read(&whole).expect("GitHub's contract can be read");
        let whole: Value = serde_json::from_slice(&text).expect("GitHub's contract is JSON");
        std::fs::write(folder.join("github.json"), cut(&whole).to_string()).expect("a contract can be written");
    });
    folder.join("github.json")
}

/// Forgejo's contract, with what its description leaves out or prism takes too strictly: the real Forgejo sends `null`
/// for whatever is not there, and addresses that are empty or of this machine.
fn forgejo_contract(cache: &Cache) -> PathBuf {
    let shipped = cache.forgejo_swagger();
    let folder = cache.once("forgejo-contract", &format!("{} null, url", crate::install::FORGEJO_API.1), |folder| {
        let text = std::fs::read(&shipped).expect("Forgejo's contract can be read");
        let mut contract: Value = serde_json::from_slice(&text).expect("Forgejo's contract is JSON");
        for definition in contract["definitions"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            loosen(definition);
        }
        std::fs::write(folder.join("forgejo.json"), contract.to_string()).expect("a contract can be written");
    });
    folder.join("forgejo.json")
}

/// Lets a schema and its parts be null, and their addresses be any text.
fn loosen(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    if fields.get("format").is_some_and(|format| format == "url") {
        fields.remove("format");
    }
    if fields.contains_key("type") {
        fields.insert("x-nullable".to_owned(), json!(true));
    }
    let properties = fields.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut).for_each(loosen);
    fields.get_mut("items").into_iter().for_each(loosen);
}

fn is_used(path: &str) -> bool {
    let below = |used: &str| path == used || (path.starts_with(&format!("{used}/")) && !ALONE.contains(&used));
    GITHUB_PATHS.iter().any(|used| below(used))
}

/// The used paths, with the components that they refer to.
fn cut(whole: &Value) -> Value {
    let paths: Map<String, Value> = whole["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(path, _)| is_used(path))
        .map(|(path, value)| (path.clone(), value.clone()))
        .collect();
    let mut contract = json!({ "openapi": whole["openapi"], "info": whole["info"], "servers": whole["servers"] });
    let (mut found, mut open) = (BTreeSet::new(), Vec::new());
    for path in paths.values() {
        references(path, &mut open);
    }
    let mut components = Map::new();
    while let Some(reference) = open.pop() {
        let Some(pointer) = reference.strip_prefix('#').filter(|_| found.insert(reference.clone())) else { continue };
        let mut parts = pointer.split('/').skip(2);
        let (Some(kind), Some(name), Some(value)) = (parts.next(), parts.next(), whole.pointer(pointer)) else {
            continue;
        };
        references(value, &mut open);
        if let Value::Object(of_kind) = components.entry(kind).or_insert_with(|| json!({})) {
            of_kind.insert(name.to_owned(), value.clone());
        }
    }
    contract["paths"] = Value::Object(paths);
    contract["components"] = Value::Object(components);
    contract
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_slashes_become_one_part() {
        for (plain, wanted) in [
            ("/repos/a/b/git/ref/heads/k/1?x=/", "/repos/a/b/git/ref/heads%2Fk%2F1?x=/"),
            ("/repos/a/b/git/refs", "/repos/a/b/git/refs"),
            ("/api/v1/repos/a/b/branches/k/1", "/repos/a/b/branches/k%2F1"),
            ("/repos/a/b/branches/k/1/protection", "/repos/a/b/branches/k%2F1/protection"),
            ("/repos/a/b/commits/main/status", "/repos/a/b/commits/main/status"),
            ("/repos/a/b/contents/src/status", "/repos/a/b/contents/src%2Fstatus"),
            ("/repos/a/b/pulls/1/merge", "/repos/a/b/pulls/1/merge"),
            ("/user", "/user"),
        ] {
            assert_eq!(templated(plain), wanted);
        }
    }

    #[test]
    fn a_cut_contract_keeps_what_is_referred_to() {
        let whole = json!({
            "paths": {
                "/user": { "get": { "$ref": "#/components/schemas/a" } }, "/user/keys": { "$ref": "#/components/schemas/c" },
                "/repos/{owner}/{repo}/pulls/{n}": {},
            },
            "components": { "schemas": { "a": { "x": [{ "$ref": "#/components/schemas/b" }] }, "b": { "$ref": "#/components/schemas/a" }, "c": {} } },
        });
        let cut = cut(&whole);
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&cut["paths"]), ["/repos/{owner}/{repo}/pulls/{n}", "/user"]);
        assert_eq!(keys(&cut["components"]["schemas"]), ["a", "b"]);
    }
}
