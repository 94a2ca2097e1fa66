//! Replaces one item, named by its path, and leaves every other byte of its file as it is.
//!
//! The file is found by following modules from the roots of the crates, as rustc does. The new text must be one item
//! of the same kind and name.

mod content;
mod lookup;
mod path;
mod roots;

use kaizen_domain::RelPath;

use crate::draft::Draft;
use crate::error::ApplyError;
use crate::lines::{line_at, line_end, with_line_ends};
use crate::shown::shown;
use crate::syntax::on_big_stack;
use content::{Content, Named};
use lookup::{Home, Place};
use path::ItemPath;
use roots::{Root, candidates, modules_of, roots};

/// Files that one search may parse.
const MAX_FILES: usize = 400;

/// What the search has seen.
#[derive(Default)]
struct Search {
    places: Vec<(RelPath, Place)>,
    looked_in: Vec<RelPath>,
    names: Vec<String>,
    fault: Option<ApplyError>,
}

/// Replaces the item with this path by new text.
pub(crate) fn replace(draft: &mut Draft<'_>, item: &str, new_text: &str) -> Result<(), ApplyError> {
    let path = ItemPath::parse(item)?;
    let item = shown(item, 200);
    let new_text = new_text.trim_matches(['\r', '\n']).trim_end();
    let bad = |why: String| ApplyError::ItemContent { item: item.clone(), why };
    let content = on_big_stack(|| content::read(new_text)).map_err(|fault| bad(fault.to_string()))?;

    let files = draft.rust_files()?;
    let named = |root: &Root| path.package.as_deref().is_none_or(|package| root.is_package(package));
    let (main, others): (Vec<Root>, Vec<Root>) = roots(&files).into_iter().filter(named).partition(|root| root.main);
    if main.is_empty() && others.is_empty() {
        let why = "names no package: no `src/lib.rs` or `src/main.rs` of that folder or crate name; begin it with \
                   `crate::` or with the package's folder";
        return Err(ApplyError::ItemPath { item, why: why.to_owned() });
    }
    let mut search = Search::default();
    for roots in [main, others] {
        for root in &roots {
            look_from(draft, root, &path, &mut search)?;
        }
        if !search.places.is_empty() {
            break;
        }
    }
    let (file, place) = the_one(draft, &item, &content, search)?;
    check(&content, &place).map_err(bad)?;
    put(draft, &file, &place, new_text, &content)
}

/// Follows the modules from a root.
fn look_from(draft: &Draft<'_>, root: &Root, path: &ItemPath, search: &mut Search) -> Result<(), ApplyError> {
    let mut waiting = vec![(root.file.clone(), modules_of(&root.file, true), path.segments.as_slice())];
    while let Some((file, folder, segments)) = waiting.pop() {
        if search.looked_in.contains(&file) || search.looked_in.len() >= MAX_FILES {
            continue;
        }
        search.looked_in.push(file.clone());
        let Ok(text) = draft.text(&file) else { continue };
        let found = match on_big_stack(|| lookup::look(&text, segments)) {
            Ok(Ok(found)) => found,
            Ok(Err(fault)) => {
                let (line, column, why) = (fault.line, fault.column, fault.why);
                search.fault.get_or_insert(ApplyError::Unparsable { path: file, line, column, why });
                continue;
            }
            Err(fault) => {
                let why = fault.to_string();
                search.fault.get_or_insert(ApplyError::Unparsable { path: file, line: 1, column: 1, why });
                continue;
            }
        };
        search.names.extend(found.names);
        search.places.extend(found.places.into_iter().map(|place| (file.clone(), place)));
        for (inside, left) in found.modules {
            let Some((name, inline)) = inside.split_last() else { continue };
            let folder = inline.iter().fold(folder.clone(), |folder, part| format!("{folder}/{part}"));
            let rest = segments.get(segments.len() - left..).unwrap_or(&[]);
            for candidate in candidates(&folder, name).into_iter().flatten() {
                if draft.state(&candidate)?.is_some() {
                    let below = modules_of(&candidate, false);
                    waiting.push((candidate, below, rest));
                }
            }
        }
    }
    Ok(())
}

/// The one place that is meant: of the kind that the new text has, rather in the type itself than in a trait's impl.
fn the_one(draft: &Draft<'_>, item: &str, content: &Content, search: Search) -> Result<(RelPath, Place), ApplyError> {
    let Search { mut places, looked_in, mut names, fault } = search;
    let same_kind = |place: &Place| as_at(content, place.home).as_ref().is_ok_and(|new| new.kind == place.named.kind);
    if places.iter().any(|(_, place)| same_kind(place)) {
        places.retain(|(_, place)| same_kind(place));
    }
    if places.iter().any(|(_, place)| !place.of_trait) && places.iter().all(|(_, place)| place.home != Home::Module) {
        places.retain(|(_, place)| !place.of_trait);
    }
    if places.len() == 1
        && let Some(only) = places.pop()
    {
        return Ok(only);
    }
    if places.is_empty() {
        if let Some(fault) = fault {
            return Err(fault);
        }
        names.sort();
        names.dedup();
        let files: Vec<&str> = looked_in.iter().map(RelPath::as_str).take(8).collect();
        let names: Vec<String> = names.iter().take(24).map(|name| shown(name, 80)).collect();
        let there = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let hint = format!("; looked in {}, where the path stops there is: {there}", files.join(", "));
        return Err(ApplyError::ItemNotFound { item: item.to_owned(), hint });
    }
    let at = |(file, place): &(RelPath, Place)| {
        let line = draft.text(file).map_or(0, |text| line_at(&text, place.range.start));
        format!("{file}:{line}")
    };
    Err(ApplyError::ItemAmbiguous {
        item: item.to_owned(),
        places: places.iter().take(12).map(at).collect(),
        hint: "name the package's folder first (`crates/x::module::item`), write `<Type as Trait>::method`, or edit by \
               search and replace",
    })
}

fn as_at(content: &Content, home: Home) -> &Result<Named, String> {
    match home {
        Home::Module => &content.as_item,
        Home::Impl => &content.as_impl_item,
        Home::Trait => &content.as_trait_item,
    }
}

fn check(content: &Content, place: &Place) -> Result<(), String> {
    let new = as_at(content, place.home).as_ref().map_err(String::clone)?;
    if *new == place.named {
        return Ok(());
    }
    Err(format!(
        "is the {} `{}`, but the path names the {} `{}`; give that item, whole, or edit by search and replace",
        new.kind,
        shown(&new.name, 100),
        place.named.kind,
        shown(&place.named.name, 100)
    ))
}

fn put(
    draft: &mut Draft<'_>,
    file: &RelPath,
    place: &Place,
    new_text: &str,
    content: &Content,
) -> Result<(), ApplyError> {
    let text = draft.text(file)?;
    let before = text.get(..place.range.start).unwrap_or("");
    let after = text.get(place.range.end..).unwrap_or("");
    let line = before.rfind('\n').map_or(before, |at| before.get(at + 1..).unwrap_or(""));
    let indent = if line.chars().all(|c| matches!(c, ' ' | '\t')) { line } else { "" };
    let placed = content::at_indent(&new_text.replace("\r\n", "\n"), indent, &content.fixed_lines);
    let placed = with_line_ends(&placed, line_end(&text));
    draft.write(file, format!("{before}{placed}{after}").into_bytes())
}
