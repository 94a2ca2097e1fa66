//! What can be changed behind a shared reference, and what may wait there for ever.

use crate::library::{Library, Place, words};
use crate::signatures::Function;

/// What can be changed through a shared reference.
const CELLS: &[&str] = &["Mutex", "RwLock", "Cell", "RefCell", "OnceCell", "OnceLock", "DashMap"];
/// What waits for others.
const BLOCKS: &[&str] = &[
    "accept",
    "block_on",
    "join",
    "park",
    "read_line",
    "recv",
    "sleep",
    "spin_loop",
    "wait",
    "wait_timeout",
    "wait_while",
];
/// How far it is looked for that in what a type is made of.
const SHARED_INSIDE: usize = 3;

/// Whether a function waits for something that nobody else does here.
pub(crate) fn may_block(function: &Function) -> bool {
    !function.is_async && BLOCKS.iter().any(|name| function.mentions.contains(*name))
}

/// Whether a type holds something that can be changed through a shared reference, itself or in what it is made of.
pub(crate) fn changes_when_shared(library: &Library, place: &Place) -> bool {
    holds_a_cell(library, place, SHARED_INSIDE)
}

fn holds_a_cell(library: &Library, (module, name): &Place, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let Some(found) = library.modules.get(module) else { return false };
    let Some((_, text)) = found.others.iter().find(|(other, _)| other == name) else { return false };
    let cell = |word: &str| word.starts_with("Atomic") || CELLS.contains(&word);
    words(text).into_iter().any(|word| {
        cell(word)
            || (word != name
                && library
                    .declared(module, word, SHARED_INSIDE)
                    .is_some_and(|place| holds_a_cell(library, &place, depth)))
    })
}
