//! Names that a patch puts into test code and that stand in for what the tests meant: a helper or an import that hides
//! the function under test.

use std::collections::HashSet;

use syn::{Item, UseTree};

use crate::review::code::CodeFile;
use crate::review::code::unit::{Node, Unit};
use crate::syntax::lex::Kind;

/// Names that are new in test code that was there before, and that the file used already.
pub(super) fn shadowed(file: &CodeFile<'_>) -> Vec<String> {
    let there = |unit: &&Unit<'_>| unit.home.test && file.test_homes.contains(unit.home_key());
    let known: HashSet<(String, String)> = file.old.iter().flat_map(names).collect();
    let added: Vec<(String, String)> =
        file.new.iter().filter(there).flat_map(names).filter(|name| !known.contains(name)).collect();
    if added.is_empty() {
        return Vec::new();
    }
    // What the file brought in by the same path is what the tests meant.
    let meant: HashSet<Import> = file.old.iter().flat_map(imports).filter(Import::is_absolute).collect();
    let again = |unit: &Unit<'_>| {
        let home = unit.home_key().to_owned();
        let again = imports(unit).into_iter().filter(|import| meant.contains(import));
        again.map(|import| (home.clone(), import.name)).collect::<Vec<_>>()
    };
    let again: HashSet<(String, String)> = file.new.iter().filter(there).flat_map(again).collect();
    let added: Vec<(String, String)> = added.into_iter().filter(|name| !again.contains(name)).collect();
    let used: HashSet<&str> =
        file.before.lexemes.iter().filter(|lexeme| lexeme.kind == Kind::Ident).map(|lexeme| lexeme.text).collect();
    added.into_iter().map(|(_, name)| name).filter(|name| name == "*" || used.contains(name.as_str())).collect()
}

/// The names that a unit brings into the place where it stands, with that place.
fn names(unit: &Unit<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    match unit.node {
        // What is above a test module is what its tests mean.
        Node::Item(Item::Use(_)) => {
            found.extend(
                imports(unit).into_iter().filter(|one| !one.path.ends_with("super::*")).map(|import| import.name),
            );
        }
        Node::Item(Item::Impl(_) | Item::ForeignMod(_)) => {}
        // Members of an impl block are reached through their type.
        Node::Item(_) | Node::Head(_) if !unit.name.is_empty() && unit.kind != "macro call" => {
            found.push(unit.name.clone())
        }
        _ => {}
    }
    found.into_iter().map(|name| (unit.home_key().to_owned(), name)).collect()
}

/// A name that is brought in from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Import {
    /// Where it stands, such as `crate::item::Item`, or `super::*` for all that is there.
    path: String,
    /// What it is called here; `*` for all.
    name: String,
}

impl Import {
    /// Whether the path means the same wherever it stands in a file.
    fn is_absolute(&self) -> bool {
        self.name != "*" && matches!(self.path.split("::").next(), Some("crate" | "std" | "core" | "alloc"))
    }
}

/// What a unit brings in.
pub(super) fn imports(unit: &Unit<'_>) -> Vec<Import> {
    fn walk(tree: &UseTree, above: &str, found: &mut Vec<Import>) {
        let mut push = |path: String, name: String| found.push(Import { path, name });
        match tree {
            UseTree::Path(path) => walk(&path.tree, &format!("{above}{}::", path.ident), found),
            UseTree::Name(name) if name.ident == "self" => {
                let path = above.trim_end_matches("::");
                push(path.to_owned(), path.rsplit("::").next().unwrap_or(path).to_owned());
            }
            UseTree::Name(name) => push(format!("{above}{}", name.ident), name.ident.to_string()),
            UseTree::Rename(rename) => push(format!("{above}{}", rename.ident), rename.rename.to_string()),
            UseTree::Glob(_) => push(format!("{above}*"), "*".to_owned()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, above, found)),
        }
    }
    let mut found = Vec::new();
    if let Node::Item(Item::Use(item)) = unit.node {
        walk(&item.tree, "", &mut found);
    }
    found
}
