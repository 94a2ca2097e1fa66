//! A stand: a small repository, the forge that it came from, the git behind that, a model, and the program's settings for
//! all of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_forgestand::bare::Bare;
use kaizen_forgestand::git_remote::Credential;
use kaizen_forgestand::recorder::Recorded;
use kaizen_forgestand::scripted::{Dialect, Permission};
use kaizen_forgestand::{Cache, ContractProxy, Emulate, GitHttp, GitRemote, Recorder, ScriptedForge, http};
use kaizen_testkit::{Reply, ScriptedModel, SettingsText, not_worth, patch, plan};
use serde_json::json;

use super::super::git;
use super::super::program::Place;
use super::super::scratch::Scratch;

/// The repository's name there.
pub const NAME: &str = "acme/tiny";
/// The program's token. It looks like no token that a scanner knows.
pub const TOKEN: &str = "canary/pull/71c4";
/// The key of the model, likewise.
pub const KEY: &str = "canary/model/93e0";
/// The token of the person, who owns the repository.
pub const PERSONS: &str = "acme-token";
/// The only source file.
pub const LIB: &str = "src/lib.rs";
/// Says that a push is there, and waits until the emulator has it.
const HOOK: &str = "#!/bin/sh\ntouch pushed\nleft=600\nwhile [ -e pushed ] && [ $left -gt 0 ]; do\n    sleep 0.05\n    \
                    left=$((left - 1))\ndone\n";

/// Four findings that clippy can mend, a function that a check complains about, and one that somebody wants renamed.
pub const SOURCE: &str = r#"//! Sums.

/// Adds two numbers.
pub fn add(a: i32, b: i32) -> i32 {
    return a + b;
}

/// Whether a list is empty.
pub fn empty(list: &[i32]) -> bool {
    list.len() == 0
}

/// Twice a number.
pub fn twice(n: i32) -> i32 {
    let mut sum = n;
    sum = sum + n;
    sum
}

/// The other one.
pub fn other(flag: bool) -> bool {
    flag == false
}

/// What ends a line.
pub fn ending() -> &'static str {
    "\n"
}

/// What stands between two words.
pub fn space() -> &'static str {
    " "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!((add(1, 2), twice(2)), (3, 4));
        assert!(empty(&[]) && other(false));
    }

    #[test]
    fn texts() {
        assert!(ending().ends_with('\n') && space().len() == 1);
    }
}
"#;
/// What the failing check is about, and what the model makes of it.
pub const ENDING: (&str, &str) = ("    \"\\n\"\n", "    \"\\r\\n\"\n");
/// What is asked for in a comment, and what the model makes of it.
pub const SPACE: (&str, &str) = ("    \" \"\n", "    \"\\u{20}\"\n");

/// What stands behind the interface.
pub enum Behind {
    /// The forge of ours.
    Scripted(ScriptedForge),
    /// Somebody else's GitHub.
    Emulate(Arc<Emulate>),
}

/// Looks at each request on its way.
enum Front {
    Contract(ContractProxy),
    Plain(Recorder),
}

/// What is pushed to.
pub enum Git {
    /// Git's own backend behind nginx.
    Nginx(GitRemote),
    /// Git's own backend behind a door of ours, and a proxy that can drop connections.
    Plain(GitHttp, Recorder),
}

/// Which forge, and how it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The interface's dialect.
    pub dialect: Dialect,
    /// Whether the emulator stands behind it.
    pub emulated: bool,
    /// Whether the published contract is held to.
    pub contract: bool,
    /// Whether git is behind nginx.
    pub nginx: bool,
}

/// Everything together. It ends when it is dropped.
pub struct Stand {
    /// Which forge it is.
    pub kind: Kind,
    /// What is behind its interface.
    pub behind: Behind,
    /// What keeps the branches of an emulator where git's are.
    _mirrored: Option<Mirrored>,
    front: Front,
    /// What is pushed to.
    pub git: Git,
    /// The repository there.
    pub bare: Bare,
    /// The repository here, and the program's state.
    pub place: Place,
    settings: PathBuf,
    /// The model.
    pub model: ScriptedModel,
}

impl Stand {
    /// Sets one up in a folder of the scratch folder. `cache` is what counterparts are installed in.
    ///
    /// # Errors
    /// When the repository cannot be made, or a counterpart does not do what it should.
    pub fn set(scratch: &Scratch, name: &str, kind: Kind, cache: &Cache) -> Result<Self> {
        let at = |part: &str| scratch.join(name).join(part);
        let place = Place { repo: at("repo"), state: at("state") };
        repository(&place.repo)?;
        let (git, bare, address) = served(&at("served"), kind, cache);
        let path = bare.path().display().to_string();
        git::say(&place.repo, &["push", "--quiet", &path, "main"])?;
        git::say(&place.repo, &["remote", "add", "origin", &address])?;
        let (behind, _mirrored) =
            if kind.emulated { emulated(&at("emulate"), cache, &bare)? } else { (scripted(&bare), None) };
        let upstream = match &behind {
            Behind::Scripted(forge) => forge.api(kind.dialect),
            Behind::Emulate(emulate) => emulate.api(),
        };
        let front = match (kind.contract, kind.dialect) {
            (true, Dialect::Forgejo) => Front::Contract(ContractProxy::forgejo(cache, &at("prism"), &upstream)),
            (true, _) => Front::Contract(ContractProxy::github(cache, &at("prism"), &upstream)),
            (false, _) => Front::Plain(Recorder::start(&upstream)),
        };
        let api = match &front {
            Front::Contract(proxy) => proxy.api(),
            Front::Plain(recorder) => {
                let below = upstream.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
                recorder.url() + &below
            }
        };
        let model = model();
        let (token, key, settings) = (at("token"), at("key"), at("own.toml"));
        std::fs::write(&token, TOKEN)?;
        std::fs::write(&key, KEY)?;
        let word = match kind.dialect {
            Dialect::GitHub => "github",
            Dialect::GitLab => "gitlab",
            Dialect::Forgejo => "forgejo",
        };
        let text = SettingsText::default()
            .model(&model.base_url())
            .prices("3", "15")
            .text("model", "key_file", &key.display().to_string())
            .text("forge", "kind", word)
            .text("forge", "api_url", &api)
            .set("forge", "pause_ms", 0)
            .text("forge", "token_file", &token.display().to_string())
            .text("landing", "mode", "pull-request")
            .set("pacing", "max_open", 5);
        std::fs::write(&settings, text.toml())?;
        Ok(Self { kind, behind, _mirrored, front, git, bare, place, settings, model })
    }

    /// Arguments with the settings.
    pub fn args<'a>(&'a self, args: &[&'a str]) -> Result<Vec<&'a str>> {
        let settings = self.settings.to_str().context("a path is no text")?;
        Ok([args, &["--settings", settings]].concat())
    }

    /// What the interface was asked so far.
    pub fn calls(&self) -> Vec<Recorded> {
        match &self.front {
            Front::Contract(proxy) => proxy.calls(),
            Front::Plain(recorder) => recorder.calls(),
        }
    }

    /// What git was asked so far.
    pub fn git_log(&self) -> Vec<String> {
        match &self.git {
            Git::Nginx(remote) => remote.log(),
            Git::Plain(git, _) => git.log(),
        }
    }

    /// The proxies that can drop connections: the interface's and git's.
    pub fn recorders(&self) -> Option<[&Recorder; 2]> {
        match (&self.front, &self.git) {
            (Front::Plain(api), Git::Plain(_, git)) => Some([api, git]),
            _ => None,
        }
    }
}

/// Writes the repository.
fn repository(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    let package = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\n";
    std::fs::write(folder.join("Cargo.toml"), format!("{package}edition = \"2024\"\n"))?;
    std::fs::write(folder.join("Cargo.lock"), "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n")?;
    std::fs::write(folder.join(LIB), SOURCE)?;
    std::fs::write(folder.join(".gitignore"), "/target\n")?;
    git::begin(folder)
}

fn served(folder: &Path, kind: Kind, cache: &Cache) -> (Git, Bare, String) {
    if kind.nginx {
        let user = "x-access-token".to_owned();
        let remote =
            GitRemote::start(cache, folder, &[Credential { user, password: TOKEN.to_owned(), may_push: true }]);
        let repository = remote.create("acme", "tiny");
        return (Git::Nginx(remote), repository.bare, repository.url);
    }
    let git = GitHttp::start(folder);
    git.token(TOKEN, true);
    let bare = git.create("acme", "tiny", "main");
    let url = git.url("acme", "tiny");
    let recorder = Recorder::start(&url);
    let address = format!("{}/acme/tiny.git", recorder.url());
    (Git::Plain(git, recorder), bare, address)
}

fn scripted(bare: &Bare) -> Behind {
    let forge = ScriptedForge::start();
    forge.user("acme", PERSONS);
    forge.repository("acme", "tiny", bare.path(), "main");
    forge.user("kaizen-bot", TOKEN);
    forge.permit(NAME, "kaizen-bot", Permission::Write);
    Behind::Scripted(forge)
}

/// The emulator with the repository. It does not see pushes, so a hook waits after each until it was told.
fn emulated(folder: &Path, cache: &Cache, bare: &Bare) -> Result<(Behind, Option<Mirrored>)> {
    use std::os::unix::fs::PermissionsExt as _;
    let users = [(PERSONS, "acme"), (TOKEN, "kaizen-bot")];
    let emulate = Arc::new(Emulate::start(cache, folder, &users, "tiny"));
    emulate.mirror(bare, NAME);
    let url = format!("{}/repos/{NAME}/collaborators/kaizen-bot", emulate.api());
    let bearer = format!("Bearer {PERSONS}");
    let invited = http::call_json("PUT", &url, &[("authorization", &bearer)], &json!({ "permission": "push" }))?;
    ensure!(invited.status < 300, "the emulator takes no collaborator: {}", invited.text());
    let hook = bare.path().join("hooks/post-receive");
    std::fs::create_dir_all(bare.path().join("hooks"))?;
    std::fs::write(&hook, HOOK)?;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755))?;
    let mirrored = Mirrored::start(emulate.clone(), bare.clone());
    Ok((Behind::Emulate(emulate), Some(mirrored)))
}

/// Tells the emulator of pushes while it lives.
struct Mirrored {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Mirrored {
    fn start(emulate: Arc<Emulate>, bare: Bare) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let thread = std::thread::spawn(move || {
            let pushed = bare.path().join("pushed");
            while !seen.load(Ordering::SeqCst) {
                if pushed.exists() {
                    emulate.mirror(&bare, NAME);
                    let _ = std::fs::remove_file(&pushed);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Mirrored {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Knows two things: what to do about the failing check, and about the comment. Anything else is not worth it.
fn model() -> ScriptedModel {
    ScriptedModel::start_with(|request| {
        let asked = request.message("user");
        let known = [("ci / windows", ENDING), ("U+0020", SPACE)];
        let Some((_, (search, replace))) = known.into_iter().find(|(word, _)| asked.contains(word)) else {
            return Reply::text(not_worth("nobody asked for it"));
        };
        match request.body["response_format"]["json_schema"]["name"].as_str() {
            Some("plan") => Reply::text(plan(&[LIB], "change the one expression")),
            _ => Reply::text(patch("Spell the text another way").replace(LIB, search, replace).json()),
        }
    })
}
