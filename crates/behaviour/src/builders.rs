//! Types that are there to make others of: what is made depends on all that was set before.

use std::collections::{BTreeMap, BTreeSet};

use crate::items::Module;
use crate::library::{Library, Place, bare};
use crate::signatures::Function;

/// So many methods that set something make a builder.
const SETTERS: usize = 2;

/// The type that a function belongs to.
pub(crate) fn owner_of(library: &Library, module: &Module, function: &Function) -> Option<Place> {
    let owner = function.owner.as_ref().filter(|owner| !owner.default)?;
    library.declared(&module.path, bare(&owner.of), 8)
}

/// Whether what a method gives back is of the type of that name, to which it belongs.
pub(crate) fn is_itself(output: &str, name: &str) -> bool {
    [name, "Self"].contains(&bare(output))
}

/// Types with some methods that set something and give the value back, to be called in a row: what they make then depends on all
/// that was set.
pub(crate) fn builders(library: &Library) -> BTreeSet<Place> {
    let mut setters: BTreeMap<Place, usize> = BTreeMap::new();
    for (module, function) in library.functions().filter(|(_, function)| function.public) {
        let Some(receiver) = function.inputs.first().filter(|input| input.receiver) else { continue };
        let sets = receiver.by_mut || !receiver.ty.starts_with('&');
        let output = function.output.trim_start_matches("& mut ");
        let Some(place) = owner_of(library, module, function) else { continue };
        if sets
            && is_itself(output, &place.1)
            && function.inputs.len() > 1
            && receiver.by_mut == (output.len() < function.output.len())
        {
            *setters.entry(place).or_default() += 1;
        }
    }
    setters.into_iter().filter_map(|(place, count)| (count >= SETTERS).then_some(place)).collect()
}
