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
    let used: HashSet<&str> =
        file.before.lexemes.iter().filter(|lexeme| lexeme.kind == Kind::Ident).map(|lexeme| lexeme.text).collect();
    added.into_iter().map(|(_, name)| name).filter(|name| name == "*" || used.contains(name.as_str())).collect()
}

/// The names that a unit brings into the place where it stands, with that place.
fn names(unit: &Unit<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    match unit.node {
        Node::Item(Item::Use(item)) => leaves(&item.tree, "", &mut found),
        Node::Item(Item::Impl(_) | Item::ForeignMod(_)) => {}
        // Members of an impl block are reached through their type.
        Node::Item(_) | Node::Head(_) if !unit.name.is_empty() && unit.kind != "macro call" => {
            found.push(unit.name.clone())
        }
        _ => {}
    }
    found.into_iter().map(|name| (unit.home_key().to_owned(), name)).collect()
}

fn leaves(tree: &UseTree, above: &str, found: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &path.ident.to_string(), found),
        UseTree::Name(name) if name.ident == "self" => found.push(above.to_owned()),
        UseTree::Name(name) => found.push(name.ident.to_string()),
        UseTree::Rename(rename) => found.push(rename.rename.to_string()),
        // What is above a test module is what its tests mean.
        UseTree::Glob(_) if above == "super" => {}
        UseTree::Glob(_) => found.push("*".to_owned()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, above, found)),
    }
}
