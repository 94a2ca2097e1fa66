//! The npm package `emulate` as GitHub: somebody else's idea of GitHub's interface, with state.
//!
//! It computes ids of blobs, trees and commits as git does, so [`Emulate::mirror`] gives it the very commits of a bare
//! repository. What cannot be mirrored, and what it does otherwise than GitHub: a commit that is signed, has headers
//! of its own or a message that does not end with a line gets another id there ([`Mirror::other`] says which); submodules are left out; of a history, the newest
//! thousand commits; a merge there does not reach the bare repository; a branch that it does not know is made up when
//! a pull request names it; unknown tokens and a second pull request for the same branch are accepted; the files of a
//! pull request may be empty; a merge whose `sha` is not the head is
//! 422 rather than 409; there is no commit status and no GraphQL.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::bare::Bare;
use crate::base64;
use crate::http::{self, Response};
use crate::install::{Cache, EMULATE};
use crate::node;
use crate::process::{Server, free_port};

/// The emulator. It runs until it is dropped.
#[derive(Debug)]
pub struct Emulate {
    port: u16,
    token: String,
    sent: std::sync::Mutex<BTreeMap<String, String>>,
    server: Server,
}

/// What became of a bare repository in the emulator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    /// How many branches it has there.
    pub branches: usize,
    /// Commits that have another id there, with that id.
    pub other: BTreeMap<String, String>,
}

impl Emulate {
    /// Starts an emulator with its state in `folder`, and an empty repository. `users` are tokens with logins; the
    /// first is the repository's owner.
    ///
    /// # Panics
    /// When it cannot be installed or started, or there is no user.
    #[must_use]
    pub fn start(cache: &Cache, folder: &Path, users: &[(&str, &str)], repository: &str) -> Self {
        let script = cache.npm("emulate", &[EMULATE]).join("node_modules/emulate/dist/index.js");
        std::fs::create_dir_all(folder).expect("the emulator's folder can be made");
        let folder = folder.canonicalize().expect("the emulator's folder is there");
        let (token, owner) = users.first().expect("an emulator needs an owner");
        let scopes = json!(["repo", "user", "admin:org", "admin:repo_hook"]);
        let tokens =
            users.iter().map(|(token, login)| ((*token).to_owned(), json!({ "login": login, "scopes": scopes })));
        let seed = json!({
            "tokens": tokens.collect::<serde_json::Map<String, Value>>(),
            "github": {
                "users": users.iter().map(|(_, login)| json!({ "login": login })).collect::<Vec<_>>(),
                "repos": [{ "owner": owner, "name": repository, "default_branch": "main", "auto_init": false }],
            },
        });
        let seed_file = folder.join("seed.json");
        std::fs::write(&seed_file, seed.to_string()).expect("a seed can be written");
        let port = free_port();
        let mut command = node::command(cache, &script, &folder);
        command.args(["start", "--service", "github", "--port", &port.to_string(), "--seed"]).arg(seed_file);
        command.args(["--base-url", &format!("http://127.0.0.1:{port}")]);
        let mut server = Server::start(&mut command, &folder.join("emulate.log"));
        server.listens(port);
        Self { port, token: (*token).to_owned(), sent: Default::default(), server }
    }

    /// The base URL of its API.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it printed.
    #[must_use]
    pub fn said(&self) -> String {
        self.server.said()
    }

    /// Gives a repository there (`owner/name`) the branches and commits of a bare repository. It can be called again
    /// after a push; branches that are gone go.
    ///
    /// # Panics
    /// When the emulator refuses something.
    pub fn mirror(&self, bare: &Bare, repository: &str) -> Mirror {
        let at = format!("{}/repos/{repository}/git", self.api());
        let mut sent = self.sent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let branches = bare.branches();
        for tip in branches.values() {
            for commit in bare.history(tip).into_iter().rev() {
                if sent.contains_key(&commit.sha) {
                    continue;
                }
                let tree = self.tree(bare, &at, &commit.sha);
                let parent = |sha: &String| sent.get(sha).cloned().unwrap_or_else(|| sha.clone());
                let raw = bare.git(&["cat-file", "commit", &commit.sha], b"").expect("a commit can be read");
                let raw = String::from_utf8_lossy(&raw).into_owned();
                let (head, message) = raw.split_once("\n\n").expect("a commit has a message");
                let made = self.send("POST", &format!("{at}/commits"), &json!({
                    "message": message, "tree": tree, "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
                    "author": person(head, "author "), "committer": person(head, "committer "),
                }));
                let there = made.json()["sha"].as_str().unwrap_or_default().to_owned();
                sent.insert(commit.sha, there);
            }
        }
        let known = self.send("GET", &format!("{at}/matching-refs/heads?per_page=100"), &Value::Null).json();
        let known: BTreeMap<String, String> = known.as_array().into_iter().flatten().filter_map(reference).collect();
        for (name, tip) in &branches {
            let sha = sent.get(tip).unwrap_or(tip);
            match known.get(name) {
                None => drop(self.send(
                    "POST",
                    &format!("{at}/refs"),
                    &json!({ "ref": format!("refs/heads/{name}"), "sha": sha }),
                )),
                Some(there) if there != sha => {
                    self.send("PATCH", &format!("{at}/refs/heads/{name}"), &json!({ "sha": sha, "force": true }));
                }
                Some(_) => {}
            }
        }
        for name in known.keys().filter(|name| !branches.contains_key(*name)) {
            self.send("DELETE", &format!("{at}/refs/heads/{name}"), &Value::Null);
        }
        let other = sent.iter().filter(|(here, there)| here != there).map(|(a, b)| (a.clone(), b.clone())).collect();
        Mirror { branches: branches.len(), other }
    }

    /// Makes the tree of a commit there; its id.
    fn tree(&self, bare: &Bare, at: &str, commit: &str) -> String {
        let listed = bare.git(&["ls-tree", "-r", "-z", commit], b"").expect("a tree can be listed");
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let mut entries = Vec::new();
        for line in listed.split('\0') {
            let Some((kind, path)) = line.split_once('\t') else { continue };
            let mut words = kind.split(' ');
            let (Some(mode), Some("blob"), Some(blob)) = (words.next(), words.next(), words.next()) else { continue };
            let bytes = bare.git(&["cat-file", "blob", blob], b"").expect("a blob can be read");
            let body = json!({ "content": base64::encode(&bytes), "encoding": "base64" });
            let made = self.send("POST", &format!("{at}/blobs"), &body).json();
            entries.push(json!({ "path": path, "mode": mode, "type": "blob", "sha": made["sha"] }));
        }
        let made = self.send("POST", &format!("{at}/trees"), &json!({ "tree": entries })).json();
        made["sha"].as_str().unwrap_or_default().to_owned()
    }

    fn send(&self, method: &str, url: &str, body: &Value) -> Response {
        let bearer = format!("Bearer {}", self.token);
        let response = http::call_json(method, url, &[("authorization", &bearer)], body);
        let response = response.unwrap_or_else(|error| panic!("{method} {url}: {error}\n{}", self.said()));
        assert!(response.status < 300, "{method} {url} {body}: {} {}", response.status, response.text());
        response
    }
}

fn reference(value: &Value) -> Option<(String, String)> {
    let name = value["ref"].as_str()?.strip_prefix("refs/heads/")?;
    Some((name.to_owned(), value["object"]["sha"].as_str()?.to_owned()))
}

/// Name, address and time of a line of a commit such as `author A <a@example.invalid> 1577836800 +0000`.
fn person(head: &str, role: &str) -> Value {
    let line = head.lines().find_map(|line| line.strip_prefix(role)).unwrap_or_default();
    let (name, rest) = line.split_once(" <").unwrap_or_default();
    let (email, time) = rest.split_once("> ").unwrap_or_default();
    let (seconds, zone) = time.split_once(' ').unwrap_or_default();
    let at = jiff::Timestamp::from_second(seconds.parse().unwrap_or(0)).unwrap_or_default();
    let zone: i32 = zone.parse().unwrap_or(0);
    let offset = jiff::tz::Offset::from_seconds((zone / 100 * 60 + zone % 100) * 60).unwrap_or(jiff::tz::Offset::UTC);
    let date = at.display_with_offset(offset).to_string();
    json!({ "name": name, "email": email, "date": date })
}
