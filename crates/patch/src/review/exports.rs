//! What a file names for others by `pub use`, and into which files that leads.

use kaizen_domain::RelPath;
use quote::ToTokens;
use syn::{Item, UseTree, Visibility};

use super::code::Side;
use super::code::unit::{Node, Unit};

/// A name that others reach through a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Export {
    /// What it is called here; `*` for all that is there.
    pub name: String,
    /// Where it comes from, as written, with what it is called there at the end.
    source: Vec<String>,
    /// The attributes of the `use`.
    attributes: String,
}

impl Export {
    /// Whether others reach something of this name by it.
    pub fn name_is(&self, label: &str) -> bool {
        self.name == label || self.name == "*"
    }

    /// The same but for where it comes from.
    pub fn stands_in_for(&self, other: &Self) -> bool {
        (self.name == other.name || self.name == "*") && self.attributes == other.attributes
    }

    /// Whether it leads from one file to what has this name in another.
    pub fn leads(&self, from: &RelPath, to: &RelPath, label: &str) -> bool {
        let Some((last, modules)) = self.source.split_last() else { return false };
        (last == label || last == "*") && files(from, modules).iter().any(|file| file == to.as_str())
    }

    /// The module below the file that it goes through first.
    pub fn first_module(&self) -> Option<&str> {
        self.source.first().map(String::as_str)
    }

    /// As a person writes it.
    pub fn shown(&self) -> String {
        if self.name == "*" { self.source.join("::") } else { self.name.clone() }
    }
}

/// The files that may hold a module, which is named in one of them.
fn files(from: &RelPath, modules: &[String]) -> Vec<String> {
    let path = from.as_str();
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    let mut here: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let top = here.iter().rposition(|part| *part == "src").map_or(0, |at| at + 1);
    if !matches!(stem, "lib" | "mod" | "main") {
        here.push(stem);
    }
    for module in modules {
        match module.as_str() {
            "crate" => here.truncate(top),
            "super" => drop(here.pop()),
            name => here.push(name),
        }
    }
    let inside = here.join("/");
    vec![format!("{inside}.rs"), format!("{inside}/mod.rs")]
}

/// What units name for others, at the top of their file.
pub(super) fn exports(units: &[Unit<'_>]) -> Vec<Export> {
    let mut found = Vec::new();
    for unit in units.iter().filter(|unit| is_export(unit)) {
        if let Node::Item(Item::Use(item)) = unit.node {
            let attributes: Vec<String> = item
                .attrs
                .iter()
                .filter(|attr| !attr.path().is_ident("doc") && !attr.path().is_ident("allow"))
                .map(|attr| attr.meta.to_token_stream().to_string())
                .collect();
            walk(&item.tree, &mut Vec::new(), &attributes.join(" "), &mut found);
        }
    }
    found
}

/// Whether a unit names something for others, at the top of its file.
pub(super) fn is_export(unit: &Unit<'_>) -> bool {
    let is_public = matches!(unit.node, Node::Item(Item::Use(item)) if matches!(item.vis, Visibility::Public(_)));
    is_public && unit.home.label.is_empty() && unit.home.public && !unit.is_test_code()
}

fn walk(tree: &UseTree, above: &mut Vec<String>, attributes: &str, found: &mut Vec<Export>) {
    let mut push = |last: String, name: String| {
        let mut source: Vec<String> = above.iter().filter(|name| *name != "self").cloned().collect();
        source.extend(Some(last).filter(|last| last != "self"));
        found.push(Export { name, source, attributes: attributes.to_owned() });
    };
    match tree {
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            walk(&path.tree, above, attributes, found);
            above.pop();
        }
        UseTree::Name(name) => {
            let last = name.ident.to_string();
            let called = if last == "self" { above.last().cloned().unwrap_or_default() } else { last.clone() };
            push(last, called);
        }
        UseTree::Rename(rename) => push(rename.ident.to_string(), rename.rename.to_string()),
        UseTree::Glob(_) => push("*".to_owned(), "*".to_owned()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, above, attributes, found)),
    }
}

/// The modules all of which a file names for others, without conditions: found in its lexemes, so in what did not change as well.
pub(super) fn globs(side: &Side<'_>) -> Vec<Export> {
    let text = |at: usize| side.lexemes.get(at).map_or("", |lexeme| lexeme.text);
    let begins = (0..side.lexemes.len()).filter(|at| text(*at) == "pub" && text(at + 1) == "use");
    let glob = |at: usize| {
        let mut source = Vec::new();
        let mut at = at + 2;
        while text(at + 1) == ":" && text(at + 2) == ":" {
            source.extend(Some(text(at).to_owned()).filter(|name| name != "self"));
            at += 3;
        }
        let source: Vec<String> = source.into_iter().chain(["*".to_owned()]).collect();
        (text(at) == "*").then(|| Export { name: "*".to_owned(), source, attributes: String::new() })
    };
    begins.filter(|at| at.checked_sub(1).is_none_or(|before| text(before) != "]")).filter_map(glob).collect()
}

/// The modules that a file declares for others.
pub(super) fn public_modules<'t>(side: &'t Side<'t>) -> Vec<&'t str> {
    let named = side.lexemes.windows(3).filter_map(|window| match window {
        [public, module, name] if public.text == "pub" && module.text == "mod" => Some(name.text),
        _ => None,
    });
    named.collect()
}
