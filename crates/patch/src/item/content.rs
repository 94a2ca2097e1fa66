//! The new text of an item: it must be exactly one item, and it is moved to the indentation of the old one.

use proc_macro2::{TokenStream, TokenTree};
use syn::{ImplItem, Item, TraitItem};

use crate::lines::lines;
use crate::syntax::extent::{impl_item_name, item_name, trait_item_name};
use crate::syntax::{self, SyntaxFault};

/// What a text is when it stands in a module, in an impl block and in a trait.
pub(super) struct Content {
    pub(super) as_item: Result<Named, String>,
    pub(super) as_impl_item: Result<Named, String>,
    pub(super) as_trait_item: Result<Named, String>,
    /// Lines (from 0) that begin inside a literal, where indentation is content.
    pub(super) fixed_lines: Vec<usize>,
}

/// Kind and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) kind: &'static str,
    /// The name; of an impl block its type and trait.
    pub(super) name: String,
}

/// Parses the new text. Call it on a big stack only.
pub(super) fn read(text: &str) -> Content {
    let tokens = syntax::tokens(text);
    Content {
        as_item: one_item(text),
        as_impl_item: member::<ImplItem>(text, impl_item_name),
        as_trait_item: member::<TraitItem>(text, trait_item_name),
        fixed_lines: tokens.map(literal_lines).unwrap_or_default(),
    }
}

fn one_item(text: &str) -> Result<Named, String> {
    let file = syntax::parse_as::<syn::File>(text).map_err(said)?;
    match file.items.as_slice() {
        [_] if !file.attrs.is_empty() => {
            Err("begins with an inner attribute or `//!`, which belongs to a module".to_owned())
        }
        [item] => Ok(Named { kind: item_name(item).0, name: full_name(item) }),
        items => Err(format!("holds {} items, it must hold exactly one", items.len())),
    }
}

fn member<T: syn::parse::Parse>(
    text: &str,
    name: impl Fn(&T) -> (&'static str, Option<&proc_macro2::Ident>),
) -> Result<Named, String> {
    let item = syntax::parse_as::<T>(text).map_err(said)?;
    let (kind, name) = name(&item);
    Ok(Named { kind, name: name.map(ToString::to_string).unwrap_or_default() })
}

fn said(fault: SyntaxFault) -> String {
    format!("does not parse: line {} column {}: {}", fault.line, fault.column, fault.why)
}

/// The name by which an item is known in its module; of an impl block its type and trait.
pub(super) fn full_name(item: &Item) -> String {
    match item {
        Item::Impl(item) => {
            let (ty, trait_) = impl_names(item);
            trait_.map_or(ty.clone(), |trait_| format!("<{ty} as {trait_}>"))
        }
        other => item_name(other).1.map(ToString::to_string).unwrap_or_default(),
    }
}

/// The type and the trait of an impl block, without white space.
pub(super) fn impl_names(item: &syn::ItemImpl) -> (String, Option<String>) {
    use quote::ToTokens;
    let text = |tokens: TokenStream| super::path::squeezed(&tokens.to_string());
    (text(item.self_ty.to_token_stream()), item.trait_.as_ref().map(|(path, _)| text(path.to_token_stream())))
}

fn literal_lines(tokens: TokenStream) -> Vec<usize> {
    let mut found = Vec::new();
    let mut waiting = vec![tokens.into_iter()];
    while let Some(tokens) = waiting.last_mut() {
        match tokens.next() {
            None => {
                waiting.pop();
            }
            Some(TokenTree::Group(group)) => waiting.push(group.stream().into_iter()),
            Some(TokenTree::Literal(literal)) => {
                let span = literal.span();
                found.extend(span.start().line..span.end().line);
            }
            Some(_) => {}
        }
    }
    found
}

/// The text as it stands at an item that is indented by `indent`: from the second line on, each moved alike.
pub(super) fn at_indent(text: &str, indent: &str, fixed_lines: &[usize]) -> String {
    let all = lines(text);
    let movable = |number: usize, line: &str| !line.trim().is_empty() && !fixed_lines.contains(&number);
    let width = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let first = all.first().map_or(0, |line| width(line));
    let rest = all
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(number, line)| movable(*number, line))
        .map(|(_, line)| width(line))
        .min();
    // A first line that was cut out of its indentation, with the others where they belong.
    let in_place = first < indent.len() && rest.is_some_and(|rest| rest == indent.len());
    let take = rest.map_or(first, |rest| rest.min(first));
    let mut out = String::with_capacity(text.len());
    for (number, line) in all.iter().enumerate() {
        if number == 0 {
            out.push_str(line.trim_start_matches([' ', '\t']));
        } else if in_place || !movable(number, line) {
            out.push_str(line);
        } else {
            out.push_str(indent);
            out.push_str(line.get(take..).unwrap_or(line));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_moves_to_its_place_but_literals_stay() {
        let text = "fn f() {\n    let s = \"a\n  b\";\n}";
        assert_eq!(at_indent(text, "    ", &[2]), "fn f() {\n        let s = \"a\n  b\";\n    }");
        let cut_out = "fn f() {\n        1\n    }";
        assert_eq!(at_indent(cut_out, "    ", &[]), cut_out);
        assert_eq!(at_indent("    fn f() {\n        1\n    }", "", &[]), "fn f() {\n    1\n}");
    }

    #[test]
    fn lines_inside_literals_are_known() {
        let lines = syntax::on_big_stack(|| read("fn f() { \"a\nb\nc\"; }\n").fixed_lines).unwrap();
        assert_eq!(lines, [1, 2]);
    }
}
