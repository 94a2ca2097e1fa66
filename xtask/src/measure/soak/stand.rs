//! The stand: repositories that land on branches, by merging and by pull requests, the forge of the latter, a person who
//! commits findings and takes pull requests, and the troubles of the forge.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use kaizen_forgestand::scripted::{Dialect, Permission};
use kaizen_forgestand::{Fault, GitHttp, Recorder, ScriptedForge, http};

use crate::measure::dice::Dice;
use crate::measure::git;
use crate::measure::scratch::Scratch;

const TOKEN: &str = "kz-soak-token";
/// Files that findings are put into, in each repository.
const PARTS: u64 = 3;

/// How a repository's patches land.
const LANDINGS: [&str; 3] = ["branch", "merge", "pull-request"];

/// A repository of the soak.
pub struct Place {
    /// Its name.
    pub name: String,
    /// Where the daemon sees it.
    pub path: PathBuf,
    /// How its patches land.
    pub landing: &'static str,
    /// Where a person's commits go.
    upstream: PathBuf,
}

/// All of it.
pub struct Stand {
    /// The repositories.
    pub places: Vec<Place>,
    /// The forge.
    pub api: ScriptedForge,
    recorder: Recorder,
    git: GitHttp,
    folder: PathBuf,
    findings: u64,
}

impl Stand {
    /// Sets it up with so many repositories.
    ///
    /// # Errors
    /// When git fails.
    pub fn set(scratch: &Scratch, count: usize) -> Result<Self> {
        let served = GitHttp::start(&scratch.join("served"));
        served.token(TOKEN, true);
        let api = ScriptedForge::start();
        api.user("kaizen-bot", TOKEN);
        api.user("maria", "maria-token");
        let recorder = Recorder::start(&api.api(Dialect::GitHub));
        std::fs::write(scratch.join("token"), TOKEN)?;
        let mut places = Vec::new();
        for at in 0..count {
            let (name, path) = (format!("soak-{at}"), scratch.join(format!("soak-{at}")));
            repository(&path, &name)?;
            let landing = LANDINGS[at % LANDINGS.len()];
            let mut upstream = path.clone();
            if landing == "pull-request" {
                let bare = served.create("acme", &name, "main");
                git::say(&path, &["push", "--quiet", &bare.path().display().to_string(), "main"])?;
                git::say(&path, &["remote", "add", "origin", &served.url("acme", &name)])?;
                api.repository("acme", &name, bare.path(), "main");
                for login in ["kaizen-bot", "maria"] {
                    api.permit(&format!("acme/{name}"), login, Permission::Write);
                }
                upstream = bare.path().to_path_buf();
            }
            // The person works on another branch, so that `main` may move.
            git::say(&path, &["checkout", "--quiet", "-b", "desk"])?;
            places.push(Place { name, path, landing, upstream });
        }
        Ok(Self { places, api, recorder, git: served, folder: scratch.path().to_path_buf(), findings: 0 })
    }

    /// The settings of the daemon, with this schedule for all repositories.
    #[must_use]
    pub fn settings(&self, listen: &str, schedule: &str) -> String {
        let mut text = format!(
            "[daemon]\nlisten = \"{listen}\"\nat_once = 2\npoll_secs = 5\n[forge]\npause_ms = 0\nkind = \"github\"\napi_url = \"{}\"\n\
             token_file = \"{}\"\n[cycle]\nmax_landings = 2\nmax_opportunities = 3\n[pacing]\nmax_open = 1000\n\
             max_landings = 1000\nwindow_secs = 60\npause_secs = 1\nmax_pause_secs = 1\n",
            self.recorder.url(),
            self.folder.join("token").display()
        );
        for place in &self.places {
            text.push_str(&format!(
                "[[repository]]\npath = \"{}\"\nbase = \"main\"\nlanding = \"{}\"\n[[repository.schedule]]\n{schedule}\n",
                place.path.display(),
                place.landing
            ));
        }
        text
    }

    /// A person commits a finding somewhere.
    ///
    /// # Errors
    /// When git fails.
    pub fn find(&mut self, dice: &mut Dice) -> Result<()> {
        self.findings += 1;
        let place = dice.one(&self.places);
        let part = dice.below(PARTS);
        let file = self.folder.join("finding.rs");
        std::fs::write(&file, finding(self.findings))?;
        let repo = &place.upstream;
        let index = self.folder.join("finding.index");
        let run = |args: &[&str]| -> Result<String> {
            let ended = git::git(repo, args).env("GIT_INDEX_FILE", &index).succeed()?;
            Ok(ended.stdout.trim().to_owned())
        };
        let tip = run(&["rev-parse", "refs/heads/main"])?;
        let blob = run(&["hash-object", "-w", &file.display().to_string()])?;
        run(&["read-tree", &tip])?;
        run(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},src/part_{part}.rs")])?;
        let tree = run(&["write-tree"])?;
        let message = format!("Write part {part} anew, {}", self.findings);
        let commit = run(&["commit-tree", &tree, "-p", &tip, "-m", &message])?;
        // Where the daemon was quicker, the person tries again another time.
        git::git(repo, &["update-ref", "refs/heads/main", &commit, &tip]).end()?;
        Ok(())
    }

    /// How many findings were committed.
    #[must_use]
    pub fn findings(&self) -> u64 {
        self.findings
    }

    /// Maria merges a pull request, or closes it.
    pub fn take(&self, dice: &mut Dice) {
        let proposing: Vec<&Place> = self.places.iter().filter(|place| place.landing == "pull-request").collect();
        if proposing.is_empty() {
            return;
        }
        let place = dice.one(&proposing);
        let pulls = self.api.pulls(&format!("acme/{}", place.name)) as u64;
        if pulls == 0 {
            return;
        }
        let url =
            format!("{}/repos/acme/{}/pulls/{}", self.api.api(Dialect::GitHub), place.name, 1 + dice.below(pulls));
        let headers = [("authorization", "Bearer maria-token"), ("content-type", "application/json")];
        let (method, url, body) = match dice.below(5) {
            0 => ("PATCH", url, "{\"state\":\"closed\"}"),
            _ => ("PUT", format!("{url}/merge"), "{}"),
        };
        // What is closed already, or cannot be merged, is refused.
        let _ = http::call(method, &url, &headers, Some(body.as_bytes()));
    }

    /// The forge gets into trouble for a few of the next requests, or for a few seconds.
    pub fn trouble(&self, dice: &mut Dice) {
        let nth = usize::try_from(1 + dice.below(8)).unwrap_or(1);
        let fault = match dice.below(6) {
            0 => Fault::DropBefore,
            1 => Fault::DropAfter,
            2 => Fault::too_many(1),
            3 => Fault::Answer { status: 500, headers: Vec::new(), message: "Oops".to_owned() },
            4 => Fault::slow_down(1),
            _ => {
                self.locked(true);
                std::thread::sleep(Duration::from_secs(3));
                self.locked(false);
                return;
            }
        };
        self.recorder.fault(nth, fault);
    }

    /// Whether the token is refused.
    fn locked(&self, locked: bool) {
        if locked {
            self.api.revoke(TOKEN);
            self.git.revoke(TOKEN);
        } else {
            self.api.user("kaizen-bot", TOKEN);
            self.git.token(TOKEN, true);
        }
    }

    /// How many requests the forge was asked through the proxy, and how many of them met a trouble.
    #[must_use]
    pub fn asked(&self) -> (usize, usize) {
        let calls = self.recorder.calls();
        let met = calls.iter().filter(|call| call.fault.is_some() || call.status == Some(401)).count();
        (calls.len(), met)
    }
}

fn repository(folder: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(
        folder.join("Cargo.lock"),
        format!("version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"),
    )?;
    let modules: String = (0..PARTS).map(|part| format!("pub mod part_{part};\n")).collect();
    let tests = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn nothing_is_empty() {\n        \
                 assert!(crate::part_0::empty(&[]));\n    }\n}\n";
    std::fs::write(folder.join("src/lib.rs"), format!("//! Parts.\n\n{modules}\n{tests}"))?;
    for part in 0..PARTS {
        std::fs::write(folder.join(format!("src/part_{part}.rs")), finding(part))?;
    }
    std::fs::write(folder.join(".gitignore"), "/target\n")?;
    git::begin(folder)
}

/// A file with something to find, another one for each number.
fn finding(number: u64) -> String {
    let (value, empty) = match number % 3 {
        0 => ("    return number + OFFSET;", "list.is_empty()"),
        1 => ("    number + OFFSET", "list.len() == 0"),
        _ => ("    let sum = number + OFFSET;\n    sum", "list.is_empty()"),
    };
    format!(
        "//! Part {number}.\n\nconst OFFSET: u64 = {number};\n\n/// The number, moved.\npub fn moved(number: u64) -> u64 {{\n\
         {value}\n}}\n\n/// Whether a list is empty.\npub fn empty(list: &[u64]) -> bool {{\n    {empty}\n}}\n"
    )
}
