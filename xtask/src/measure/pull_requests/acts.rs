//! What people do on a forge, and what they see there: the other side of every step.

use anyhow::{Context, Result, ensure};
use kaizen_forgestand::bare::Method;
use kaizen_forgestand::http;
use kaizen_forgestand::scripted::{Check, CheckState, Dialect};
use serde_json::{Value, json};

use super::stand::{Behind, LIB, NAME, PERSONS, Stand};

/// A pull request as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `open`, `merged` or `closed`.
    pub state: String,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// Its branch.
    pub branch: String,
    /// The commit that the forge says is its head.
    pub head: String,
}

impl Stand {
    /// Asks the forge something as the person who owns the repository, past the proxies.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let api = match &self.behind {
            Behind::Scripted(forge) => forge.api(self.kind.dialect),
            Behind::Emulate(emulate) => emulate.api(),
        };
        let shown = format!("{} {PERSONS}", if self.kind.dialect == Dialect::Forgejo { "token" } else { "Bearer" });
        let headers = [("authorization", shown.as_str()), ("content-type", "application/json")];
        let text = body.to_string();
        let sent = (!body.is_null()).then_some(text.as_bytes());
        let answer = http::call(method, &format!("{api}{path}"), &headers, sent)?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        Ok(if answer.text().is_empty() { Value::Null } else { answer.json() })
    }

    fn path(&self, number: u64, below: &str) -> String {
        match self.kind.dialect {
            Dialect::GitLab => format!("/projects/acme%2Ftiny/merge_requests/{number}{below}"),
            _ => format!("/repos/{NAME}/pulls/{number}{below}"),
        }
    }

    /// All pull requests, by number.
    pub fn pulls(&self) -> Result<Vec<Seen>> {
        let path = match self.kind.dialect {
            Dialect::GitLab => "/projects/acme%2Ftiny/merge_requests?state=all&per_page=100".to_owned(),
            Dialect::GitHub => format!("/repos/{NAME}/pulls?state=all&per_page=100"),
            Dialect::Forgejo => format!("/repos/{NAME}/pulls?state=all&limit=50"),
        };
        let all = self.ask("GET", &path, &Value::Null)?;
        let count = all.as_array().context("pull requests are no list")?.len() as u64;
        (1..=count).map(|number| self.pull(number)).collect()
    }

    /// One of them.
    pub fn pull(&self, number: u64) -> Result<Seen> {
        let pull = self.ask("GET", &self.path(number, ""), &Value::Null)?;
        let text = |at: &str| pull.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        let gitlab = self.kind.dialect == Dialect::GitLab;
        let pick = |here: &str, there: &str| text(if gitlab { here } else { there });
        let state = match text("/state").as_str() {
            _ if pull["merged"] == true => "merged".to_owned(),
            "opened" => "open".to_owned(),
            other => other.to_owned(),
        };
        Ok(Seen {
            state,
            title: text("/title"),
            body: pick("/description", "/body"),
            branch: pick("/source_branch", "/head/ref"),
            head: pick("/sha", "/head/sha"),
        })
    }

    /// What was said below it, with who said it.
    pub fn said(&self, number: u64) -> Result<Vec<(String, String)>> {
        let path = match self.kind.dialect {
            Dialect::GitLab => self.path(number, "/notes?sort=asc&per_page=100"),
            Dialect::GitHub => format!("/repos/{NAME}/issues/{number}/comments?per_page=100"),
            Dialect::Forgejo => format!("/repos/{NAME}/issues/{number}/comments"),
        };
        let all = self.ask("GET", &path, &Value::Null)?;
        let one = |said: &Value| {
            let author = said.pointer("/user/login").or(said.pointer("/author/username"));
            let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
            (text(author), text(said.get("body")))
        };
        Ok(all.as_array().context("comments are no list")?.iter().map(one).collect())
    }

    /// Says something as the owner.
    pub fn say(&self, number: u64, text: &str) -> Result<()> {
        match &self.behind {
            Behind::Scripted(forge) => forge.comment(NAME, number, "acme", text),
            Behind::Emulate(..) => {
                let path = format!("/repos/{NAME}/issues/{number}/comments");
                self.ask("POST", &path, &json!({ "body": text }))?;
            }
        }
        Ok(())
    }

    /// A check of a commit fails.
    pub fn fail(&self, commit: &str, name: &str, log: &str) -> Result<()> {
        match &self.behind {
            Behind::Scripted(forge) => {
                let run = self.kind.dialect == Dialect::GitHub;
                let (context, description) = (name.to_owned(), log.to_owned());
                let check = Check { context, state: CheckState::Failure, description, url: String::new(), run };
                forge.check(NAME, commit, check);
            }
            Behind::Emulate(..) => {
                let output = json!({ "title": name, "summary": log });
                let run = json!({ "name": name, "head_sha": commit, "status": "completed", "conclusion": "failure",
                    "output": output });
                self.ask("POST", &format!("/repos/{NAME}/check-runs"), &run)?;
            }
        }
        Ok(())
    }

    /// Somebody pushes a commit to the branch that pull requests go to; its id.
    pub fn upstream(&self, message: &str, lib: &str) -> String {
        let tip = self.bare.write("main", None, message, &[(LIB, lib)]);
        self.mirror();
        tip
    }

    /// Merges one as the owner. The emulator's merge does not reach the repository, so git makes it as well.
    pub fn merge(&self, number: u64) -> Result<()> {
        let body = if self.kind.dialect == Dialect::Forgejo { json!({ "Do": "merge" }) } else { json!({}) };
        let method = if self.kind.dialect == Dialect::Forgejo { "POST" } else { "PUT" };
        let branch = self.pull(number)?.branch;
        self.ask(method, &self.path(number, "/merge"), &body)?;
        if self.kind.emulated {
            let head = self.bare.tip(&branch).context("the branch is gone")?;
            let merged = self.bare.merge("main", &head, Method::Merge, "Merge a pull request");
            merged.map_err(|error| anyhow::anyhow!("{error}"))?;
            self.mirror();
        }
        Ok(())
    }

    fn mirror(&self) {
        if let Behind::Emulate(emulate) = &self.behind {
            emulate.mirror(&self.bare, NAME);
        }
    }

    /// The source as a commit there has it.
    pub fn source(&self, commit: &str) -> String {
        let file = self.bare.file(commit, LIB).map(|(_, bytes)| bytes).unwrap_or_default();
        String::from_utf8_lossy(&file).into_owned()
    }

    /// Files that the branch of a pull request changes beyond the one that it should.
    pub fn stray(&self, pull: &Seen) -> Vec<String> {
        let (main, head) = (self.bare.tip("main").unwrap_or_default(), self.bare.tip(&pull.branch).unwrap_or_default());
        let changed = self.bare.changed(&main, &head).into_iter().map(|file| file.path);
        changed.filter(|path| path != LIB).collect()
    }
}
