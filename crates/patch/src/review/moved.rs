//! Rule `public-item`, across files: a public item that goes from a file into another one is still there for others when they
//! reach it by the same name: through the file that it left, or through the one that named it for others before.

use super::Findings;
use super::code::CodeFile;
use super::exports::{Export, exports, globs, public_modules};
use super::items::RULE;
use kaizen_domain::RelPath;
use kaizen_domain::review::{ItemChange, ItemChangeKind};

/// What a public item promises.
#[derive(Debug)]
pub(super) struct Promise {
    /// As a person names it.
    pub label: String,
    /// What it promises, as text that can be compared.
    pub signature: String,
    pub derives: Vec<String>,
    /// The type that it belongs to; none for what others reach by its own name.
    pub of: Option<String>,
}

impl Promise {
    fn is_kept_by(&self, other: &Self) -> bool {
        (&self.label, &self.signature, &self.of) == (&other.label, &other.signature, &other.of)
            && self.derives.iter().all(|name| other.derives.contains(name))
    }
}

/// The public items that go from a file and come to it, and what it names for others.
#[derive(Debug)]
pub(super) struct Promises {
    path: RelPath,
    pub gone: Vec<Promise>,
    pub come: Vec<Promise>,
    /// What it named for others before, and what it names now; of what did not change, only modules as a whole.
    before: Vec<Export>,
    after: Vec<Export>,
    /// What was named for others in the old way and no longer is.
    lost: Vec<Export>,
    /// Modules that others reach by their own names.
    public_modules: Vec<String>,
}

impl Promises {
    /// Those of a file, as far as what it names tells.
    pub fn of(file: &CodeFile<'_>) -> Self {
        let (before, after) = (exports(&file.old), exports(&file.new));
        let lost = before.iter().filter(|export| !after.contains(export)).cloned().collect();
        let with_globs = |mut own: Vec<Export>, globs: Vec<Export>| {
            own.extend(globs);
            own
        };
        Self {
            path: file.path.clone(),
            gone: Vec::new(),
            come: Vec::new(),
            before: with_globs(before, globs(file.before)),
            after: with_globs(after, globs(file.after)),
            lost,
            public_modules: public_modules(file.after).into_iter().map(str::to_owned).collect(),
        }
    }

    /// What changes of what the file names for others.
    pub fn renamed(&self) -> Vec<ItemChange> {
        let is_in = |list: &[Export], name: &str| list.iter().any(|export| export.name == name);
        let change =
            |export: &Export, what| ItemChange { path: self.path.clone(), item: export.shown(), public: true, what };
        let lost = self.lost.iter().map(|export| match is_in(&self.after, &export.name) {
            true => change(export, ItemChangeKind::Body),
            false => change(export, ItemChangeKind::Removed),
        });
        let come = self.after.iter().filter(|export| !is_in(&self.before, &export.name));
        lost.chain(come.map(|export| change(export, ItemChangeKind::Added))).collect()
    }

    fn has_come(&self, gone: &Promise) -> bool {
        self.come.iter().any(|come| gone.is_kept_by(come))
    }
}

/// All files of a patch.
struct Patch<'p>(&'p [Promises]);

impl Patch<'_> {
    /// Whether what goes from a file is there for others as before.
    fn is_kept(&self, gone: &Promise, from: &Promises) -> bool {
        self.0.iter().any(|to| to.path != from.path && to.has_come(gone) && self.is_reached(gone, from, to))
    }

    /// Whether others find in one file what they found in another one.
    fn is_reached(&self, gone: &Promise, from: &Promises, to: &Promises) -> bool {
        match &gone.of {
            None => {
                from.after
                    .iter()
                    .any(|export| export.name_is(&gone.label) && export.leads(&from.path, &to.path, &gone.label))
                    || self.0.iter().any(|above| above.names_again(gone, from, to))
            }
            // Another type may have the same name there.
            Some(of) => {
                let is_other = to.come.iter().any(|come| come.of.is_none() && come.label == *of);
                let moves = |one: &Promise| one.of.is_none() && one.label == *of;
                !is_other || from.gone.iter().any(|one| moves(one) && self.is_kept(one, from))
            }
        }
    }

    /// Whether what a file named for others is still there under the same name.
    fn is_named_again(&self, lost: &Export, by: &Promises) -> bool {
        let moves = |from: &Promises| {
            let names =
                from.gone.iter().filter(|gone| gone.of.is_none() && lost.leads(&by.path, &from.path, &gone.label));
            let mut names = names.peekable();
            names.peek().is_some()
                && names.all(|gone| {
                    let own = lost.name_is(&gone.label) && by.has_come(gone);
                    let through = |to: &Promises| {
                        let leads = |export: &&Export| export.leads(&by.path, &to.path, &gone.label);
                        to.has_come(gone) && by.after.iter().filter(leads).any(|export| export.stands_in_for(lost))
                    };
                    own || self.0.iter().any(through)
                })
        };
        self.0.iter().any(moves)
    }
}

impl Promises {
    /// Whether what went from one module to another was named here for others, and is named again; and others knew the module
    /// by nothing else.
    fn names_again(&self, gone: &Promise, from: &Promises, to: &Promises) -> bool {
        let old = self.before.iter().find(|export| export.leads(&self.path, &from.path, &gone.label));
        let Some(old) = old else { return false };
        let is_open = old.first_module().is_some_and(|module| self.public_modules.iter().any(|open| open == module));
        let again = |export: &&Export| {
            export.leads(&self.path, &to.path, &gone.label)
                && (export.stands_in_for(old) || (old.name_is(&gone.label) && export.name_is(&gone.label)))
        };
        !is_open && self.after.iter().any(|export| again(&export))
    }
}

/// Asks about each public item that goes and is not kept by another file, and about each name that others used and that leads
/// nowhere or elsewhere now.
pub(super) fn check(all: &[Promises], findings: &mut Findings) {
    let patch = Patch(all);
    for file in all {
        for gone in file.gone.iter().filter(|gone| !patch.is_kept(gone, file)) {
            findings.ask(RULE, &file.path, format!("removes the public item `{}`", gone.label));
        }
        for lost in file.lost.iter().filter(|lost| !patch.is_named_again(lost, file)) {
            let is_there = file.after.iter().any(|export| export.name == lost.name && export.name != "*");
            let name = lost.shown();
            let detail = match is_there {
                true => format!("names something else `{name}` for others than before"),
                false => format!("no longer names `{name}` for others"),
            };
            findings.ask(RULE, &file.path, detail);
        }
    }
}
