//! A forge of our own that really keeps state: branches are those of real bare repositories, and a merge is made by
//! git. It speaks the REST dialects of GitHub, GitLab and Forgejo from one state, so that one scenario runs in three.
//!
//! **It is no real counterpart.** What it answers was written by us from the forges' public documentation, so a test
//! against it shows that a client keeps its promises through a whole story, not that it understands the real forge.
//! For that there are [`crate::ContractProxy`], which holds both sides to the published contract, and
//! [`crate::Emulate`].
//!
//! One set of rules serves all dialects where the forges differ in small things: a pull request whose head branch is
//! removed closes (GitLab leaves it open), one whose commits reach the base by a push counts as merged.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

mod forgejo;
mod forgejo_objects;
mod github;
mod github_objects;
mod github_pulls;
mod gitlab;
mod gitlab_objects;
mod hooks;
mod pulls;
mod server;
mod state;

pub use hooks::{Delivery, hmac};
pub use state::{Check, CheckState, Dialect, Permission, Protection, Seen};

use crate::bare::Bare;
use server::lock;
use state::{Repo, State, Verdict, now};

/// How often pushes are looked for and webhooks are sent.
const BEAT: Duration = Duration::from_millis(50);

/// What a forge knows at a moment.
#[derive(Debug, Clone)]
pub struct Memory(State);

/// The forge. It listens from the moment it is made until it is dropped.
pub struct ScriptedForge {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for ScriptedForge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ScriptedForge").field("address", &self.address).finish_non_exhaustive()
    }
}

impl ScriptedForge {
    /// Starts a forge with no users and no repositories.
    ///
    /// # Panics
    /// When the loopback address cannot be listened on.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address can be listened on");
        listener.set_nonblocking(true).expect("a listener can be asked not to block");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&state);
        let thread = std::thread::spawn(move || serve(listener, serving, stopped));
        Self { address, state, stop: Some(stop), thread: Some(thread) }
    }

    /// The base URL of a dialect's API: `http://127.0.0.1:PORT`, with `/api/v4` for GitLab, `/api/v1` for Forgejo.
    #[must_use]
    pub fn api(&self, dialect: Dialect) -> String {
        let address = self.address;
        match dialect {
            Dialect::GitHub => format!("http://{address}"),
            Dialect::GitLab => format!("http://{address}/api/v4"),
            Dialect::Forgejo => format!("http://{address}/api/v1"),
        }
    }

    /// Makes a user known, with a token that is accepted from then on. More tokens of one user may be added.
    pub fn user(&self, login: &str, token: &str) {
        let mut state = lock(&self.state);
        state.add_user(login, false);
        state.tokens.insert(token.to_owned(), login.to_owned());
    }

    /// Makes a GitHub App's installation known, which acts as `login`, such as `kaizen[bot]`. Whoever asks
    /// `POST /app/installations/{id}/access_tokens` with something of the form of a JWT gets a token; its signature is
    /// not looked at.
    pub fn installation(&self, id: u64, login: &str) {
        let mut state = lock(&self.state);
        state.add_user(login, true);
        state.installations.insert(id, login.to_owned());
    }

    /// Forgets a token: it is answered with 401 from then on.
    pub fn revoke(&self, token: &str) {
        lock(&self.state).tokens.remove(token);
    }

    /// Makes a repository known whose branches are those of a bare repository. Its owner is an administrator and is
    /// made a user when it is none.
    pub fn repository(&self, owner: &str, name: &str, bare: &Path, default_branch: &str) {
        let mut state = lock(&self.state);
        state.add_user(owner, false);
        let (id, bare) = (state.next_id(), Bare::at(bare));
        let seen = bare.branches();
        state.repos.push(Repo {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            bare,
            default_branch: default_branch.to_owned(),
            private: true,
            created: now(),
            members: Default::default(),
            labels: Vec::new(),
            protected: Default::default(),
            pulls: Vec::new(),
            checks: Default::default(),
            hooks: Vec::new(),
            seen,
        });
    }

    /// Says whether everybody may read a repository. At first nobody may but its members.
    ///
    /// # Panics
    /// When there is no such repository, as all that takes its full name, `owner/name`.
    pub fn public(&self, repository: &str, public: bool) {
        self.with(repository, |state, at| state.repos[at].private = !public);
    }

    /// Says what a user may do in a repository.
    pub fn permit(&self, repository: &str, login: &str, permission: Permission) {
        self.with(repository, |state, at| {
            state.add_user(login, false);
            state.repos[at].members.insert(login.to_owned(), permission);
        });
    }

    /// Says what must hold before something is merged into a branch; `None` unprotects it. Pushes are the remote's
    /// matter, see [`crate::GitRemote::protect`].
    pub fn protect(&self, repository: &str, branch: &str, protection: Option<Protection>) {
        self.with(repository, |state, at| match protection {
            Some(protection) => drop(state.repos[at].protected.insert(branch.to_owned(), protection)),
            None => drop(state.repos[at].protected.remove(branch)),
        });
    }

    /// Reports a check of a commit, as a CI does.
    ///
    /// # Panics
    /// When the repository has no such commit.
    pub fn check(&self, repository: &str, sha: &str, check: Check) {
        self.with(repository, |state, at| {
            state.report(at, "ci", sha, check).unwrap_or_else(|refusal| panic!("{sha}: {refusal:?}"));
        });
    }

    /// Approves a pull request, or asks for changes, as a person does.
    ///
    /// # Panics
    /// When there is no such pull request or that person may not.
    pub fn review(&self, repository: &str, number: u64, login: &str, approves: bool, body: &str) {
        let verdict = if approves { Verdict::Approved } else { Verdict::ChangesRequested };
        self.with(repository, |state, at| {
            let done = state.review(at, Some(login), number, verdict, body);
            done.unwrap_or_else(|refusal| panic!("!{number}: {refusal:?}"));
        });
    }

    /// Writes a comment on a pull request, as a person does.
    ///
    /// # Panics
    /// When there is no such pull request or that person may not.
    pub fn comment(&self, repository: &str, number: u64, login: &str, body: &str) {
        self.with(repository, |state, at| {
            let done = state.comment(at, Some(login), number, body);
            done.unwrap_or_else(|refusal| panic!("!{number}: {refusal:?}"));
        });
    }

    /// Gives each user this many requests in a window of so many seconds; `None` takes the limit away.
    pub fn rate_limit(&self, limit: Option<(u64, i64)>) {
        let mut state = lock(&self.state);
        state.limit = limit;
        state.rates.clear();
    }

    /// Sends the repository's events to a loopback address, in the words of a dialect.
    ///
    /// # Panics
    /// When the address is not on this machine.
    pub fn webhook(&self, repository: &str, dialect: Dialect, url: &str, secret: &str) {
        assert!(hooks::is_loopback(url), "{url} is not on this machine");
        self.with(repository, |state, at| {
            let id = state.next_id();
            let hook = hooks::Hook { id, dialect, url: url.to_owned(), secret: secret.to_owned() };
            state.repos[at].hooks.push(hook);
        });
    }

    /// The requests so far, in the order in which they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        lock(&self.state).requests.clone()
    }

    /// The webhooks that were sent so far.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.state).deliveries.clone()
    }

    /// How many pull requests there are in a repository, in whatever state.
    #[must_use]
    pub fn pulls(&self, repository: &str) -> usize {
        self.with(repository, |state, at| state.repos[at].pulls.len())
    }

    /// What it knows now, to be put back later.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let mut state = lock(&self.state);
        state.refresh();
        Memory(state.clone())
    }

    /// Puts back what it knew. Its repositories are put back by `files`, while it looks at none of them.
    pub fn put_back(&self, memory: &Memory, files: impl FnOnce()) {
        let mut state = lock(&self.state);
        files();
        *state = memory.0.clone();
    }

    fn with<T>(&self, repository: &str, act: impl FnOnce(&mut State, usize) -> T) -> T {
        let mut state = lock(&self.state);
        state.refresh();
        let at = state.repos.iter().position(|repo| repo.full_name() == repository);
        act(&mut state, at.unwrap_or_else(|| panic!("no repository {repository}")))
    }
}

impl Drop for ScriptedForge {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, state: Arc<Mutex<State>>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let base = listener.local_addr().map_or_else(|_| String::new(), |address| format!("http://{address}"));
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over");
        let telling = Arc::clone(&state);
        let beat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                let (state, base) = (Arc::clone(&telling), base.clone());
                let _ = tokio::task::spawn_blocking(move || tell(&state, &base)).await;
            }
        });
        let router = axum::Router::new().fallback(move |request| server::handle(Arc::clone(&state), request));
        tokio::select! {
            served = async { axum::serve(listener, router).await } => served.expect("the server runs"),
            _ = stopped => {}
        }
        beat.abort();
    });
    // A connection that is kept open by its client does not keep the forge from going.
    runtime.shutdown_timeout(Duration::from_secs(2));
}

/// Sends what is due. The state is not held meanwhile, since the receiver may well ask the forge something.
fn tell(state: &Mutex<State>, base: &str) {
    let due = {
        let mut state = lock(state);
        if state.repos.iter().all(|repo| repo.hooks.is_empty()) {
            state.events.clear();
            return;
        }
        state.refresh();
        hooks::due(&mut state, base)
    };
    for mut delivery in due {
        hooks::send(&mut delivery);
        lock(state).deliveries.push(delivery);
    }
}
