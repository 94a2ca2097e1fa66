//! Values that stand in a library under a name of their own.

use crate::items::{Constant, Module};
use crate::library::{Library, bare};
use crate::named::Named;

/// More of them are not given.
const CONSTANTS: usize = 6;

/// Values that stand in the library under a name of their own: those that are lent, and how the others are written.
pub(crate) fn constants(library: &Library, named: &Named<'_>) -> (Vec<String>, Vec<String>) {
    let all = library.modules.values().flat_map(|module| module.constants.iter().map(move |one| (module, one)));
    let (mut lent, mut ways) = (Vec::new(), Vec::new());
    for (module, one) in all {
        let (ty, is_lent) = match one.ty.strip_prefix('&') {
            Some(ty) => (ty.trim_start().trim_start_matches("'static").trim_start(), true),
            None => (one.ty.as_str(), false),
        };
        let ty = if ty == "Self" { one.of.as_deref().map_or(ty, bare) } else { ty };
        if !named.ty.params.is_empty() || library.declared(&module.path, bare(ty), 8).as_ref() != Some(&named.place) {
            continue;
        }
        let Some(path) = path_of(library, module, one) else { continue };
        match (is_lent, one.is_static) {
            (true, _) => {
                ways.push(format!("Clone::clone({path})"));
                lent.push(path);
            }
            (false, true) => ways.push(format!("Clone::clone(&{path})")),
            (false, false) => ways.push(path),
        }
    }
    lent.truncate(CONSTANTS);
    ways.truncate(CONSTANTS);
    (lent, ways)
}

/// How others name a constant.
pub(crate) fn path_of(library: &Library, module: &Module, one: &Constant) -> Option<String> {
    Some(match one.of.as_deref().map(bare) {
        Some(of) => {
            let place = library.declared(&module.path, of, 8)?;
            format!("{}::{}", library.public(&place)?, one.name)
        }
        None => library.public(&(module.path.clone(), one.name.clone()))?.to_owned(),
    })
}
