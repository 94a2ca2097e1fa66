//! The stand of one repository: a small crate with findings that the fixers mend, the texts with its rules, and a forge
//! that it is proposed to. The forge is ours and scripted, in three dialects; the git behind it is real, and so is the
//! program.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use kaizen_forgestand::bare::Bare;
use kaizen_forgestand::scripted::{Dialect, Permission};
use kaizen_forgestand::{GitHttp, ScriptedForge, http};
use serde_json::Value;

use super::fixtures::Fixture;
use crate::measure::program::{Place, Program};
use crate::measure::scratch::Scratch;
use crate::measure::{git, tiny};

const NAME: &str = "acme/tiny";
const TOKEN: &str = "kz-measure-token";
/// Branches that are there besides the usual one, for those whose rules name one.
const OTHERS: &[&str] = &["develop"];

/// What a run of the program left behind.
pub struct Run {
    pub code: Option<i32>,
    /// All that it printed, each run of blanks as one, as its lines are broken to fit.
    pub said: String,
    /// Its last lines as they were.
    pub last: String,
    pub pulls: Vec<Pull>,
    /// Branches that are on the forge now and were not before, or are elsewhere.
    pub pushed: Vec<String>,
    /// Requests to the forge that would change something.
    pub changes: usize,
}

/// A pull request as the forge holds it.
pub struct Pull {
    pub title: String,
    pub body: String,
    pub draft: bool,
    pub base: String,
    pub branch: String,
    pub labels: Vec<String>,
    /// Whole messages of its commits.
    pub messages: Vec<String>,
    /// What it changes, with the lines.
    pub files: Vec<String>,
    pub lines: u64,
}

/// The dialect that a repository's forge is spoken to in: each has its turn.
pub fn dialect(index: usize) -> (Dialect, &'static str) {
    match index % 3 {
        0 => (Dialect::GitHub, "github"),
        1 => (Dialect::GitLab, "gitlab"),
        _ => (Dialect::Forgejo, "forgejo"),
    }
}

/// Makes the repository and its forge, and runs the program on it.
///
/// # Errors
/// When one of them cannot be made, or the forge does not say what it holds.
pub fn run(fixture: &Fixture, index: usize, program: &Program, scratch: &Scratch) -> Result<Run> {
    let folder = scratch.join(fixture.name);
    let place = Place { repo: folder.join("work"), state: folder.join("state") };
    let (dialect, kind) = dialect(index);
    let served = folder.join("served");
    std::fs::create_dir_all(&served)?;
    let server = GitHttp::start(&served);
    server.token(TOKEN, true);
    let bare = server.create("acme", "tiny", "main");
    begin(fixture, &place, &folder.join("mark"), &bare, &server.url("acme", "tiny"))?;
    let forge = ScriptedForge::start();
    forge.repository("acme", "tiny", bare.path(), "main");
    for (login, token) in [("kaizen-bot", TOKEN), ("maria", "maria-token")] {
        forge.user(login, token);
        forge.permit(NAME, login, Permission::Write);
    }
    let token = folder.join("token");
    std::fs::write(&token, TOKEN)?;
    let own = folder.join("own.toml");
    let settings = format!(
        "[forge]\npause_ms = 0\nkind = \"{kind}\"\napi_url = \"{}\"\ntoken_file = \"{}\"\n[landing]\nmode = \"pull-request\"\n",
        forge.api(dialect),
        token.display()
    );
    std::fs::write(&own, settings)?;
    let before = bare.branches();
    let ended = program.run(&place, &["run-cycle", "--settings", &own.to_string_lossy()]).end()?;
    let now = bare.branches();
    let printed = format!("{}\n{}", ended.stdout, ended.stderr);
    // Asked before the forge is asked what it holds, and nothing but those of the program.
    let changes = forge.requests().iter().filter(|seen| seen.method != "GET").count();
    Ok(Run {
        code: ended.status.code(),
        said: printed.split_whitespace().collect::<Vec<_>>().join(" "),
        last: crate::measure::run::tail(&printed),
        pulls: pulls(&forge, &bare)?,
        pushed: now.iter().filter(|(name, tip)| before.get(*name) != Some(tip)).map(|(name, _)| name.clone()).collect(),
        changes,
    })
}

/// The crate with the texts, on the forge and in a clone.
fn begin(fixture: &Fixture, place: &Place, mark: &std::path::Path, bare: &Bare, url: &str) -> Result<()> {
    std::fs::create_dir_all(&place.repo)?;
    for (path, text) in fixture.files {
        let file = place.repo.join(path);
        std::fs::create_dir_all(file.parent().context("a file has a folder")?)?;
        std::fs::write(file, text)?;
    }
    tiny::repository(&place.repo, mark)?;
    let to = bare.path().to_string_lossy().into_owned();
    git::say(&place.repo, &["push", "--quiet", &to, "HEAD:refs/heads/main"])?;
    for branch in OTHERS {
        git::say(&place.repo, &["push", "--quiet", &to, &format!("HEAD:refs/heads/{branch}")])?;
        // Elsewhere than the usual branch: what is based on the wrong one is seen.
        bare.write(branch, None, "Go on", &[("NOTES", "what comes next\n")]);
    }
    git::say(&place.repo, &["remote", "add", "origin", url])?;
    Ok(())
}

/// What the forge holds, as somebody else who may read it is told.
fn pulls(forge: &ScriptedForge, bare: &Bare) -> Result<Vec<Pull>> {
    let listed = ask(forge, &format!("/repos/{NAME}/pulls?state=all&per_page=100"))?;
    let Value::Array(listed) = listed else { bail!("the forge lists no pull requests: {listed}") };
    ensure!(listed.len() == forge.pulls(NAME), "the forge lists {} of {}", listed.len(), forge.pulls(NAME));
    listed.iter().map(|pull| held(pull, bare)).collect()
}

fn held(pull: &Value, bare: &Bare) -> Result<Pull> {
    let text = |at: &str| {
        let text = pull.pointer(at).and_then(Value::as_str).map(str::to_owned);
        text.with_context(|| format!("a pull request without {at}: {pull}"))
    };
    let (base, head) = (text("/base/ref")?, text("/head/sha")?);
    let labels = pull.pointer("/labels").and_then(Value::as_array).into_iter().flatten();
    let changed = bare.changed(&base, &head);
    Ok(Pull {
        title: text("/title")?,
        body: text("/body")?,
        draft: pull.pointer("/draft").and_then(Value::as_bool).unwrap_or(false),
        branch: text("/head/ref")?,
        labels: labels.filter_map(|label| label.get("name")?.as_str()).map(str::to_owned).collect(),
        messages: bare.between(&base, &head).into_iter().map(|commit| commit.message).collect(),
        lines: changed.iter().map(|file| file.additions + file.deletions).sum(),
        files: changed.into_iter().map(|file| file.path).collect(),
        base,
    })
}

fn ask(forge: &ScriptedForge, path: &str) -> Result<Value> {
    let url = format!("{}{path}", forge.api(Dialect::GitHub));
    let answer = http::call("GET", &url, &[("authorization", "Bearer maria-token")], None)?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
    Ok(answer.json())
}

/// The texts of a repository, by path.
pub fn texts(fixture: &Fixture) -> BTreeMap<String, String> {
    let files = fixture.files.iter().filter(|(path, _)| kaizen_contributing::candidate(path));
    files.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
