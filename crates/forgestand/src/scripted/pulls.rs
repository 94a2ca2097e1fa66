//! What can be done with pull requests, whatever the dialect: the rules stand here once, and the bare repository says
//! what is true about branches.

use super::hooks::Event;
use super::state::{Check, Label};
use super::state::{Comment, Permission, Pull, Refusal, Reported, Review, Stage, State, Verdict, now};
use crate::bare::Method;

/// What a pull request is opened with.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub title: String,
    pub body: String,
    pub head: String,
    pub base: String,
    pub draft: bool,
    pub labels: Vec<String>,
    pub reviewers: Vec<String>,
    /// Whether the dialect refuses a head that has nothing new.
    pub must_have_commits: bool,
}

/// What changes in a pull request; `None` stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Edit {
    pub title: Option<String>,
    pub body: Option<String>,
    pub base: Option<String>,
    pub draft: Option<bool>,
    pub open: Option<bool>,
    pub labels: Option<Vec<String>>,
}

/// How a pull request is merged.
#[derive(Debug)]
pub(crate) struct Merging {
    pub method: Method,
    /// The head that the caller has seen.
    pub guard: Option<String>,
    pub message: Option<String>,
    pub delete_branch: bool,
}

impl State {
    pub fn may(&self, at: usize, login: Option<&str>, wanted: Permission) -> Result<String, Refusal> {
        let login = login.ok_or(Refusal::Unauthorized)?;
        if self.repos[at].permission(Some(login)) >= wanted { Ok(login.to_owned()) } else { Err(Refusal::Forbidden) }
    }

    pub fn open(&mut self, at: usize, login: Option<&str>, wish: Opening) -> Result<u64, Refusal> {
        let author = self.may(at, login, Permission::Write)?;
        let repo = &self.repos[at];
        let head_sha = repo.bare.tip(&wish.head);
        let head_sha = head_sha.ok_or(Refusal::NoBranch { field: "head", name: wish.head.clone() })?;
        let base_sha = repo.bare.tip(&wish.base);
        let base_sha = base_sha.ok_or(Refusal::NoBranch { field: "base", name: wish.base.clone() })?;
        if wish.head == wish.base {
            return Err(Refusal::SameBranch);
        }
        let twin = |pull: &&Pull| pull.is_open() && pull.head == wish.head && pull.base == wish.base;
        if let Some(twin) = repo.pulls.iter().find(twin) {
            return Err(Refusal::Duplicate(twin.number));
        }
        let had_commits = !repo.bare.is_ancestor(&head_sha, &base_sha);
        if !had_commits && wish.must_have_commits {
            return Err(Refusal::NothingBetween { base: wish.base, head: wish.head });
        }
        if wish.title.trim().is_empty() {
            return Err(Refusal::Invalid { field: "title", why: "can't be blank".to_owned() });
        }
        let number = repo.pulls.iter().map(|pull| pull.number).max().unwrap_or(0) + 1;
        for label in &wish.labels {
            self.label(at, label);
        }
        let pull = Pull {
            id: self.next_id(),
            number,
            title: wish.title,
            body: wish.body,
            author,
            head: wish.head,
            base: wish.base,
            head_sha,
            base_sha,
            draft: wish.draft,
            stage: Stage::Open,
            labels: wish.labels.into_iter().collect(),
            reviewers: wish.reviewers.into_iter().collect(),
            comments: Vec::new(),
            reviews: Vec::new(),
            created: now(),
            updated: now(),
            ended: None,
            had_commits,
            auto_merge: false,
        };
        self.repos[at].pulls.push(pull);
        let sha = self.repos[at].pull(number)?.head_sha.clone();
        let _ = self.repos[at].bare.update(&format!("refs/pull/{number}/head"), &sha, None);
        self.happened(at, Event::Pull { number, action: "opened" });
        Ok(number)
    }

    pub fn edit(&mut self, at: usize, login: Option<&str>, number: u64, edit: Edit) -> Result<(), Refusal> {
        let who = self.may(at, login, Permission::Read)?;
        let pull = self.repos[at].pull(number)?.clone();
        let only_labels = edit.title.is_none() && edit.body.is_none() && edit.base.is_none() && edit.open.is_none();
        let wanted = if only_labels && edit.draft.is_none() { Permission::Triage } else { Permission::Write };
        if pull.author != who {
            self.may(at, login, wanted)?;
        }
        if let Some(base) = &edit.base
            && self.repos[at].bare.tip(base).is_none()
        {
            return Err(Refusal::NoBranch { field: "base", name: base.clone() });
        }
        if edit.open == Some(true) && pull.stage != Stage::Open {
            let gone = self.repos[at].bare.tip(&pull.head).is_none();
            if gone || matches!(pull.stage, Stage::Merged { .. }) {
                return Err(Refusal::Invalid { field: "state", why: "state cannot be changed".to_owned() });
            }
        }
        for label in edit.labels.iter().flatten() {
            self.label(at, label);
        }
        let mut events = Vec::new();
        let base_sha = edit.base.as_ref().and_then(|base| self.repos[at].bare.tip(base));
        let pull = self.repos[at].pull_mut(number)?;
        pull.base_sha = base_sha.unwrap_or_else(|| pull.base_sha.clone());
        let mut set = |target: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *target = value;
                events.push("edited");
            }
        };
        set(&mut pull.title, edit.title);
        set(&mut pull.body, edit.body);
        set(&mut pull.base, edit.base);
        events.dedup();
        if let Some(draft) = edit.draft.filter(|draft| *draft != pull.draft) {
            pull.draft = draft;
            events.push(if draft { "converted_to_draft" } else { "ready_for_review" });
        }
        if let Some(labels) = edit.labels {
            pull.labels = labels.into_iter().collect();
            events.push("labeled");
        }
        match edit.open {
            Some(false) if pull.is_open() => {
                (pull.stage, pull.ended) = (Stage::Closed, Some(now()));
                events.push("closed");
            }
            Some(true) if !pull.is_open() => {
                (pull.stage, pull.ended) = (Stage::Open, None);
                events.push("reopened");
            }
            _ => {}
        }
        pull.updated = now();
        for action in events {
            self.happened(at, Event::Pull { number, action });
        }
        self.refresh_one(at);
        Ok(())
    }

    pub fn merge(&mut self, at: usize, login: Option<&str>, number: u64, merging: Merging) -> Result<String, Refusal> {
        let by = self.may(at, login, Permission::Write)?;
        let repo = &self.repos[at];
        let pull = repo.pull(number)?.clone();
        if !pull.is_open() || pull.draft {
            let why = if pull.draft { "Pull Request is still a draft" } else { "Pull Request is not mergeable" };
            return Err(Refusal::NotMergeable(why.to_owned()));
        }
        if merging.guard.as_ref().is_some_and(|guard| *guard != pull.head_sha) {
            return Err(Refusal::HeadMoved);
        }
        if let Some(lacking) = repo.lacking(&pull) {
            return Err(Refusal::NotMergeable(lacking));
        }
        let from = format!("Merge pull request #{number} from {}/{}\n\n{}", repo.owner, pull.head, pull.title);
        let squash = format!("{} (#{number})", pull.title);
        let message = merging.message.unwrap_or(if merging.method == Method::Squash { squash } else { from });
        let merged = repo.bare.merge(&pull.base, &pull.head_sha, merging.method, &message);
        let sha = merged.map_err(|_| Refusal::Conflict)?;
        let pull = self.repos[at].pull_mut(number)?;
        pull.stage = Stage::Merged { sha: sha.clone(), by };
        (pull.updated, pull.ended) = (now(), Some(now()));
        if merging.delete_branch {
            let head = pull.head.clone();
            let _ = self.repos[at].bare.delete_branch(&head);
        }
        self.happened(at, Event::Pull { number, action: "closed" });
        self.refresh_one(at);
        Ok(sha)
    }

    pub fn comment(&mut self, at: usize, login: Option<&str>, number: u64, body: &str) -> Result<Comment, Refusal> {
        let author = self.may(at, login, Permission::Read)?;
        self.repos[at].pull(number)?;
        if body.trim().is_empty() {
            return Err(Refusal::Invalid { field: "body", why: "can't be blank".to_owned() });
        }
        let (id, body) = (self.next_id(), body.to_owned());
        let comment = Comment { id, author, body, created: now(), updated: now() };
        let pull = self.repos[at].pull_mut(number)?;
        pull.comments.push(comment.clone());
        pull.updated = now();
        self.happened(at, Event::Comment { number, id });
        Ok(comment)
    }

    /// Changes the text of a comment, or removes it when there is no new one.
    pub fn recomment(
        &mut self,
        at: usize,
        login: Option<&str>,
        id: u64,
        body: Option<&str>,
    ) -> Result<(u64, Comment), Refusal> {
        let who = self.may(at, login, Permission::Read)?;
        let writer = self.repos[at].permission(login) >= Permission::Write;
        for pull in &mut self.repos[at].pulls {
            let Some(place) = pull.comments.iter().position(|comment| comment.id == id) else { continue };
            if pull.comments[place].author != who && !writer {
                return Err(Refusal::Forbidden);
            }
            let Some(body) = body else { return Ok((pull.number, pull.comments.remove(place))) };
            let comment = &mut pull.comments[place];
            (comment.body, comment.updated) = (body.to_owned(), now());
            return Ok((pull.number, comment.clone()));
        }
        Err(Refusal::NotFound)
    }

    pub fn review(
        &mut self,
        at: usize,
        login: Option<&str>,
        number: u64,
        verdict: Verdict,
        body: &str,
    ) -> Result<Review, Refusal> {
        let author = self.may(at, login, Permission::Read)?;
        let pull = self.repos[at].pull(number)?;
        if pull.author == author && verdict != Verdict::Commented {
            let why = match verdict {
                Verdict::Approved => "Can not approve your own pull request",
                _ => "Can not request changes on your own pull request",
            };
            return Err(Refusal::Invalid { field: "event", why: why.to_owned() });
        }
        let (sha, id) = (pull.head_sha.clone(), self.next_id());
        let review = Review { id, author, verdict, body: body.to_owned(), sha, at: now() };
        let pull = self.repos[at].pull_mut(number)?;
        pull.reviewers.remove(&review.author);
        pull.reviews.push(review.clone());
        self.happened(at, Event::Review { number, id });
        Ok(review)
    }

    pub fn report(&mut self, at: usize, by: &str, sha: &str, check: Check) -> Result<Reported, Refusal> {
        let sha = self.repos[at].bare.resolve(sha).ok_or(Refusal::NotFound)?;
        let (context, run) = (check.context.clone(), check.run);
        let reported = Reported { id: self.next_id(), check, by: by.to_owned(), at: now() };
        self.repos[at].checks.entry(sha.clone()).or_default().push(reported.clone());
        self.happened(at, Event::Check { sha, context, run });
        self.merge_what_waits(at);
        Ok(reported)
    }

    /// The label of this name, made when there is none.
    pub fn label(&mut self, at: usize, name: &str) -> Label {
        if let Some(label) = self.repos[at].labels.iter().find(|label| label.name == name) {
            return label.clone();
        }
        let (id, name) = (self.next_id(), name.to_owned());
        let label = Label { id, name, color: "ededed".to_owned(), description: String::new() };
        self.repos[at].labels.push(label.clone());
        label
    }

    /// Merges what waits only for its checks.
    fn merge_what_waits(&mut self, at: usize) {
        let waiting = self.repos[at].pulls.iter().filter(|pull| pull.auto_merge && pull.is_open());
        for (number, author) in waiting.map(|pull| (pull.number, pull.author.clone())).collect::<Vec<_>>() {
            let merging = Merging { method: Method::Merge, guard: None, message: None, delete_branch: false };
            // What still lacks something goes on waiting.
            let _ = self.merge(at, Some(&author), number, merging);
        }
    }

    /// Looks at the branches of every repository, since they are pushed to behind the forge's back.
    pub fn refresh(&mut self) {
        for at in 0..self.repos.len() {
            self.refresh_one(at);
        }
    }

    fn refresh_one(&mut self, at: usize) {
        let branches = self.repos[at].bare.branches();
        if branches == self.repos[at].seen {
            return;
        }
        let before = std::mem::replace(&mut self.repos[at].seen, branches.clone());
        let names: std::collections::BTreeSet<&String> = before.keys().chain(branches.keys()).collect();
        for name in names {
            let (from, to) = (before.get(name).cloned(), branches.get(name).cloned());
            if from != to {
                self.happened(at, Event::Push { branch: name.clone(), from, to });
            }
        }
        let bare = self.repos[at].bare.clone();
        let mut events = Vec::new();
        for pull in self.repos[at].pulls.iter_mut().filter(|pull| pull.is_open()) {
            let number = pull.number;
            let Some(head) = branches.get(&pull.head) else {
                (pull.stage, pull.ended, pull.updated) = (Stage::Closed, Some(now()), now());
                events.push(Event::Pull { number, action: "closed" });
                continue;
            };
            if let Some(base) = branches.get(&pull.base) {
                pull.base_sha.clone_from(base);
            }
            if *head != pull.head_sha {
                (pull.head_sha, pull.updated) = (head.clone(), now());
                let _ = bare.update(&format!("refs/pull/{number}/head"), head, None);
                events.push(Event::Pull { number, action: "synchronize" });
            }
            let contained = bare.is_ancestor(&pull.head_sha, &pull.base_sha);
            pull.had_commits |= !contained;
            if contained && pull.had_commits {
                // Somebody brought it into the base by a push.
                pull.stage = Stage::Merged { sha: pull.head_sha.clone(), by: pull.author.clone() };
                (pull.ended, pull.updated) = (Some(now()), now());
                events.push(Event::Pull { number, action: "closed" });
            }
        }
        for event in events {
            self.happened(at, event);
        }
    }
}
