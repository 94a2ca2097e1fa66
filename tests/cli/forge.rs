//! A forge with the repository of a room: what pull requests are opened on. The forge is ours and scripted, the git behind
//! it is real.

use kaizen_forgestand::bare::Bare;
use kaizen_forgestand::scripted::{Check, CheckState, Dialect, Permission};
use kaizen_forgestand::{GitHttp, ScriptedForge, http};
use serde_json::Value;

use crate::cli::support::{Room, Said};

/// The repository's name there.
pub const NAME: &str = "acme/tiny";
const TOKEN: &str = "kz-test-token";

/// A room, and the forge that its `origin` leads to.
pub struct Forge {
    pub room: Room,
    pub api: ScriptedForge,
    pub git: GitHttp,
    pub bare: Bare,
    settings: String,
    dialect: Dialect,
}

impl Forge {
    /// A forge that knows the room's repository, with an account that may push.
    pub fn of(room: Room, dialect: Dialect) -> Self {
        let git = GitHttp::start(&room.at("served"));
        git.token(TOKEN, true);
        let bare = git.create("acme", "tiny", "main");
        let path = bare.path().display().to_string();
        room.git(&["push", "-q", &path, "main"]);
        room.git(&["remote", "add", "origin", &git.url("acme", "tiny")]);
        let api = ScriptedForge::start();
        api.repository("acme", "tiny", bare.path(), "main");
        api.user("kaizen-bot", TOKEN);
        api.permit(NAME, "kaizen-bot", Permission::Write);
        api.user("maria", "maria-token");
        api.permit(NAME, "maria", Permission::Write);
        api.user("guest", "guest-token");
        api.permit(NAME, "guest", Permission::Read);
        let kind = match dialect {
            Dialect::GitHub => "github",
            Dialect::GitLab => "gitlab",
            Dialect::Forgejo => "forgejo",
        };
        let token = room.beside("token", TOKEN);
        let text = format!(
            "[forge]\npause_ms = 0\nkind = \"{kind}\"\napi_url = \"{}\"\ntoken_file = \"{token}\"\n[landing]\nmode = \"pull-request\"\n",
            api.api(dialect)
        );
        let settings = room.beside("own.toml", text);
        Self { room, api, git, bare, settings, dialect }
    }

    /// More of the person's own settings.
    pub fn set(&self, more: &str) {
        let text = std::fs::read_to_string(&self.settings).expect("the settings");
        std::fs::write(&self.settings, format!("{text}{more}")).expect("the settings");
    }

    /// Runs the program with the settings.
    pub fn kaizen(&self, args: &[&str]) -> Said {
        self.room.kaizen(&[args, &["--settings", &self.settings]].concat())
    }

    /// Runs the program again and again, each time killed after its first record, until it has nothing more to record.
    pub fn kaizen_step_by_step(&self, args: &[&str]) -> usize {
        for killed in 0..100 {
            let mut program = self.room.program(&[args, &["--settings", &self.settings]].concat());
            let output = program.env("KAIZEN_CRASH_AFTER", "1").output().expect("the program runs");
            match output.status.code() {
                Some(0) => return killed,
                Some(code) => panic!("it ends with {code}: {}", String::from_utf8_lossy(&output.stderr)),
                None => {}
            }
        }
        panic!("it comes to no end")
    }

    /// Asks the forge something as maria, who may push.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.api.api(self.dialect));
        let scheme = if self.dialect == Dialect::Forgejo { "token" } else { "Bearer" };
        let shown = format!("{scheme} maria-token");
        let headers = [("authorization", shown.as_str()), ("content-type", "application/json")];
        let bytes = body.to_string();
        let body = (!body.is_null()).then_some(bytes.as_bytes());
        let answer = http::call(method, &url, &headers, body).expect("an answer");
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        if answer.text().is_empty() { Value::Null } else { answer.json() }
    }

    /// The address of a pull request below the interface.
    pub fn path(&self, number: u64, below: &str) -> String {
        match self.dialect {
            Dialect::GitLab => format!("/projects/acme%2Ftiny/merge_requests/{number}{below}"),
            _ => format!("/repos/acme/tiny/pulls/{number}{below}"),
        }
    }

    /// A pull request as the forge has it.
    pub fn pull(&self, number: u64) -> Value {
        self.ask("GET", &self.path(number, ""), &Value::Null)
    }

    /// The commit that a pull request proposes.
    pub fn head(&self, number: u64) -> String {
        let pull = self.pull(number);
        let at = if self.dialect == Dialect::GitLab { "/sha" } else { "/head/sha" };
        pull.pointer(at).and_then(Value::as_str).expect("a head").to_owned()
    }

    /// Its body.
    pub fn body(&self, number: u64) -> String {
        let pull = self.pull(number);
        let at = if self.dialect == Dialect::GitLab { "/description" } else { "/body" };
        pull.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// What was said below it.
    pub fn comments(&self, number: u64) -> Vec<String> {
        let path = match self.dialect {
            Dialect::GitLab => self.path(number, "/notes?sort=asc"),
            _ => format!("/repos/acme/tiny/issues/{number}/comments"),
        };
        let all = self.ask("GET", &path, &Value::Null);
        let all = all.as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one.get("body").and_then(Value::as_str)).map(str::to_owned).collect()
    }

    /// Merges it as maria.
    pub fn merge(&self, number: u64) {
        let (method, body) = match self.dialect {
            Dialect::GitHub => ("PUT", serde_json::json!({})),
            Dialect::GitLab => ("PUT", serde_json::json!({})),
            Dialect::Forgejo => ("POST", serde_json::json!({"Do": "merge"})),
        };
        self.ask(method, &self.path(number, "/merge"), &body);
    }

    /// Closes it as maria.
    pub fn close(&self, number: u64) {
        let (method, body) = match self.dialect {
            Dialect::GitLab => ("PUT", serde_json::json!({"state_event": "close"})),
            _ => ("PATCH", serde_json::json!({"state": "closed"})),
        };
        self.ask(method, &self.path(number, ""), &body);
    }

    /// Reports how a check of a commit ended.
    pub fn check(&self, commit: &str, name: &str, passed: bool, said: &str) {
        let state = if passed { CheckState::Success } else { CheckState::Failure };
        let check = Check {
            context: name.to_owned(),
            state,
            description: said.to_owned(),
            url: String::new(),
            run: self.dialect == Dialect::GitHub,
        };
        self.api.check(NAME, commit, check);
    }

    /// A commit on the branch there, as somebody else pushes one.
    pub fn upstream(&self, message: &str, files: &[(&str, &str)]) -> String {
        self.bare.write("main", None, message, files)
    }
}
