//! Rule `public-item`, across files: a public item that goes from a file into a module below it is still there for others when
//! the file names it again. Nothing else takes the promise over.

use kaizen_domain::RelPath;
use syn::{UseTree, Visibility};

use super::Findings;
use super::code::CodeFile;
use super::code::unit::Node;
use super::items::RULE;

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

/// The public items that go from a file and come to it, and what it newly names for others.
#[derive(Debug)]
pub(super) struct Promises {
    path: RelPath,
    pub gone: Vec<Promise>,
    pub come: Vec<Promise>,
    /// Modules below it, each with a name in it, or with none where all of them are meant.
    named: Vec<(String, Option<String>)>,
}

impl Promises {
    /// Those of a file, as far as what it names tells.
    pub fn of(file: &CodeFile<'_>) -> Self {
        let mut named = Vec::new();
        for unit in file.new.iter().filter(|unit| unit.home.label.is_empty()) {
            if let Node::Item(syn::Item::Use(item)) = unit.node
                && matches!(item.vis, Visibility::Public(_))
            {
                names(&item.tree, None, &mut named);
            }
        }
        Self { path: file.path.clone(), gone: Vec::new(), come: Vec::new(), named }
    }

    /// Whether a file is that of the module with this name below this one.
    fn is_below(&self, module: &str, path: &RelPath) -> bool {
        let (folder, name) = self.path.as_str().rsplit_once('/').unwrap_or(("", self.path.as_str()));
        let stem = name.strip_suffix(".rs").unwrap_or(name);
        let inside = if matches!(stem, "lib" | "mod") { String::new() } else { format!("{stem}/") };
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let module = format!("{folder}{inside}{module}");
        [format!("{module}.rs"), format!("{module}/mod.rs")].iter().any(|file| file == path.as_str())
    }

    /// Whether a promise is kept in another file.
    fn is_kept(&self, gone: &Promise, by: &Self) -> bool {
        if !by.come.iter().any(|come| gone.is_kept_by(come)) {
            return false;
        }
        let is_named = |label: &str| {
            let names = |name: &Option<String>| name.as_deref().is_none_or(|name| name == label);
            self.named.iter().any(|(module, name)| names(name) && self.is_below(module, &by.path))
        };
        match &gone.of {
            None => is_named(&gone.label),
            // Another type may have the same name there.
            Some(of) => {
                let is_other = by.come.iter().any(|come| come.of.is_none() && come.label == *of);
                !is_other || self.gone.iter().any(|one| one.label == *of && self.is_kept(one, by))
            }
        }
    }
}

/// Asks about each public item that goes and is not kept by another file.
pub(super) fn check(all: &[Promises], findings: &mut Findings) {
    for file in all {
        for gone in &file.gone {
            let kept = all.iter().any(|other| other.path != file.path && file.is_kept(gone, other));
            if !kept {
                findings.ask(RULE, &file.path, format!("removes the public item `{}`", gone.label));
            }
        }
    }
}

/// The names of a `pub use` that lead into a module below this one, under the names that they have there.
fn names(tree: &UseTree, module: Option<&str>, found: &mut Vec<(String, Option<String>)>) {
    match (tree, module) {
        (UseTree::Path(path), None) if path.ident == "self" => names(&path.tree, None, found),
        (UseTree::Path(path), None) => names(&path.tree, Some(&path.ident.to_string()), found),
        (UseTree::Group(group), module) => group.items.iter().for_each(|tree| names(tree, module, found)),
        (UseTree::Name(name), Some(module)) => found.push((module.to_owned(), Some(name.ident.to_string()))),
        (UseTree::Glob(_), Some(module)) => found.push((module.to_owned(), None)),
        _ => {}
    }
}
