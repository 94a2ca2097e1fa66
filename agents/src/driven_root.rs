//! What of a package is driven: its library, as others call it, and programs, whose functions nobody calls from outside:
//! their sources are taken in as a module of the driver, with everything in them public.

use std::collections::BTreeSet;

use kaizen_behaviour::{files, has_made, opened, opened_inside};
use kaizen_domain::RelPath;
use kaizen_sandbox::{CrateRoot, Package, TreeChange, TrialError};

use crate::behaving::Behaving;
use crate::noticing::Noticing;

/// More programs of a package are not driven.
const PROGRAMS: usize = 2;

/// A library or a program.
pub(crate) struct Root {
    /// Its first file.
    pub path: String,
    pub name: String,
    /// Of a program, its files before and after the change.
    program: Option<BTreeSet<String>>,
}

impl Root {
    /// A file as the driver is made of it.
    pub fn text(&self, text: String) -> Option<String> {
        if self.program.is_some() { opened(&text) } else { Some(text) }
    }

    /// Of a program, its first file as a file among the examples of the package names it.
    pub fn module(&self, package: &Package) -> Option<String> {
        let below = self.path.strip_prefix(package.folder())?;
        self.program.as_ref().map(|_| format!("../{below}"))
    }

    /// The edition that the driver is in: a program's sources are a part of it.
    pub fn edition(&self, package: &Package) -> &'static str {
        if self.program.is_some() && package.edition == "2024" { "2024" } else { "2021" }
    }
}

impl Behaving<'_> {
    /// What of a package is driven.
    pub(crate) fn roots(&self, package: &Package) -> Vec<Root> {
        let both = |root: &CrateRoot| -> BTreeSet<String> {
            let after = |path: &str| self.after(path);
            files(&root.path, self.of.read).union(&files(&root.path, &after)).cloned().collect()
        };
        let library = package.roots.iter().find(|root| root.program.is_none());
        let of_library = library.map(both).unwrap_or_default();
        let changed = || self.of.changes.iter().map(|change| change.path.as_str());
        let mut roots: Vec<Root> = library
            .map(|root| Root { path: root.path.clone(), name: root.name.clone(), program: None })
            .into_iter()
            .collect();
        let programs = package.roots.iter().filter(|root| root.program.is_some()).map(|root| (root, both(root)));
        let touched = programs
            .filter(|(_, files)| changed().any(|path| files.contains(path) && !of_library.contains(path)))
            .take(PROGRAMS);
        roots.extend(touched.map(|(root, files)| Root {
            path: root.path.clone(),
            name: root.name.clone(),
            program: Some(files),
        }));
        roots
    }

    /// The libraries of the workspace that a root uses, by their names, each with its first file.
    pub(crate) fn libraries(&self, package: &Package, root: &Root) -> Result<Vec<(String, String)>, TrialError> {
        let library_of = |package: &Package| {
            let library = package.roots.iter().find(|root| root.program.is_none())?;
            Some((library.name.replace('-', "_"), library.path.clone()))
        };
        let used = |other: &&Package| package.uses.iter().any(|folder| folder == other.folder());
        let packages = self.of.metadata()?.packages.iter().filter(used);
        let own = root.program.as_ref().map(|_| package);
        Ok(packages.chain(own).filter_map(library_of).collect())
    }

    /// A library before and after the change, with what its macros make; none where they make nothing, or it is not known of both.
    pub(crate) fn expanded(&self, package: &Package, root: &Root) -> Result<Option<[String; 2]>, TrialError> {
        let after = |path: &str| self.after(path);
        if root.program.is_some() || !(has_made(&root.path, self.of.read) || has_made(&root.path, &after)) {
            return Ok(None);
        }
        let Noticing { runner, warm, cancel, trees, .. } = *self.of;
        let [before, after] = std::thread::scope(|scope| {
            let before = scope.spawn(|| runner.expanded(warm, package, trees.0, cancel));
            let after = runner.expanded(warm, package, trees.1, cancel);
            [before.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), after]
        });
        Ok(before?.zip(after?).map(<[String; 2]>::from))
    }

    /// A tree in which a root can be driven.
    pub(crate) fn tree(&self, root: &Root, tree: &[TreeChange]) -> Vec<TreeChange> {
        let mut tree = tree.to_vec();
        for path in root.program.iter().flatten() {
            let here = tree.iter().rev().find_map(|change| match change {
                TreeChange::Write { path: at, bytes, .. } if at.as_str() == path => {
                    Some(String::from_utf8(bytes.clone()).ok())
                }
                TreeChange::Remove { path: at } if at.as_str() == path => Some(None),
                _ => None,
            });
            let text = here.unwrap_or_else(|| (self.of.read)(path)).and_then(|text| opened_inside(&text));
            if let (Some(text), Ok(path)) = (text, RelPath::new(path.clone())) {
                tree.push(TreeChange::Write { path, bytes: text.into_bytes(), executable: false });
            }
        }
        tree
    }
}
