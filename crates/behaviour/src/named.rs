//! The types that others can name, with types in place of their parameters.

use crate::calls::WAYS;
use crate::concrete::{assignments, types as types_of};
use crate::items::{Module, Owner, Type};
use crate::library::{Library, Place, bare};
use crate::signatures::Param;
use crate::unwrapping::parts;

/// More types are not made.
const TYPES: usize = 140;

/// A type that others can name, with types in place of its parameters.
pub(crate) struct Named<'l> {
    pub place: Place,
    pub ty: &'l Type,
    pub name: String,
    pub path: String,
}

/// All types that others can name, each with a few types in place of its parameters.
pub(crate) fn named(library: &Library) -> Vec<Named<'_>> {
    let mut all: Vec<Named<'_>> = Vec::new();
    let types: Vec<_> = library
        .types()
        .filter_map(|(module, ty)| {
            let place = (module.path.clone(), ty.name.clone());
            let path = library.public(&place)?.to_owned();
            Some((module, ty, path, asked(library, &place, ty), place))
        })
        .collect();
    for level in 0..LEVELS {
        for (module, ty, path, params, place) in &types {
            let Some(params) = params.get(level) else { continue };
            for assignment in assignments(library, &module.path, params, WAYS) {
                let known = types_of(&assignment);
                let lifetimes = std::iter::repeat_n("'static".to_owned(), ty.lifetimes);
                // What follows from the rest elsewhere has to be named where a type stands by itself.
                let filled = ty.params.iter().filter_map(|param| Some(known.get(&param.name)?.replace("<_>", "<i64>")));
                let inner: Vec<String> = lifetimes.chain(filled).collect();
                let name = if inner.is_empty() { path.clone() } else { format!("{path}<{}>", inner.join(", ")) };
                if all.iter().all(|other| other.name != name) {
                    all.push(Named { place: place.clone(), ty, name, path: path.clone() });
                }
            }
        }
    }
    // Some functions are there for some parameters only, such as references.
    for (module, owner) in library.functions().filter_map(|(module, function)| Some((module, function.owner.as_ref()?)))
    {
        let arguments = owner.of.split_once('<').map(|(_, rest)| parts(rest)).unwrap_or_default();
        let is_plain = |argument: &String| !argument.contains([' ', '<']) || argument.starts_with('\'');
        let place = library.declared(&module.path, bare(&owner.of), 8);
        let of = types.iter().find(|(.., place_of)| Some(place_of) == place.as_ref());
        let Some((_, ty, path, ..)) = of.filter(|_| owner.trait_.is_none() && !arguments.iter().all(is_plain)) else {
            continue;
        };
        let Some(assignment) = assignments(library, &module.path, &owner.params, 1).into_iter().next() else {
            continue;
        };
        // Where a type stands by itself, references have their lifetimes.
        let name = library.outside(&module.path, &owner.of, &types_of(&assignment));
        let name = name.replace("& 'static", "&").replace("& ", "&'static ");
        if all.iter().all(|other| other.name != name) {
            let (place, path) = (place.unwrap_or_default(), path.clone());
            all.push(Named { place, ty, name, path });
        }
    }
    all.truncate(TYPES);
    all
}

/// How many sets of bounds there are for the parameters of a type: its own, those of its impls, those of what else it can do.
const LEVELS: usize = 3;

/// The parameters of a type as they are, unless none of its functions is there for them; with what its impls ask of them; and
/// with what traits ask by which it is used.
fn asked(library: &Library, place: &Place, ty: &Type) -> Vec<Vec<Param>> {
    let of =
        |owner: &Owner| !owner.default && bare(&owner.of).rsplit("::").next().unwrap_or_default().trim() == ty.name;
    let is_it = |(module, owner): &(&Module, &Owner)| {
        of(owner) && library.declared(&module.path, &ty.name, 8).as_ref() == Some(place)
    };
    let inherent = library.functions().filter_map(|(module, function)| Some((module, function.owner.as_ref()?)));
    let inherent: Vec<&Owner> = {
        let mut all: Vec<&Owner> = Vec::new();
        for (_, owner) in inherent.filter(|(_, owner)| owner.trait_.is_none()).filter(is_it) {
            if all.iter().all(|other| *other != owner) {
                all.push(owner);
            }
        }
        all
    };
    // What else is there for the type, such as going on as an iterator, is a reason to have it.
    let used = |owner: &&Owner| {
        let name = owner.trait_.as_deref().map(bare).and_then(|path| path.rsplit("::").next()).unwrap_or_default();
        matches!(name.trim(), "Iterator" | "Read" | "Write" | "Display" | "Extend")
    };
    let traits: Vec<&Owner> = library.impls().filter(is_it).map(|(_, owner)| owner).filter(used).collect();
    let own = ty.params.clone();
    let by_impls = with_bounds_of(own.clone(), &inherent);
    let by_traits = with_bounds_of(by_impls.clone(), &traits);
    let all_ask = |owner: &&Owner| with_bounds_of(own.clone(), &[owner]) != own;
    let is_idle = !inherent.is_empty() && inherent.iter().all(all_ask);
    let mut levels = vec![own, by_impls, by_traits];
    if is_idle {
        levels.remove(0);
    }
    levels.dedup();
    levels
}

/// Parameters with what impls ask of them too. Names stand there as where the impls are; what is imported there only is not known.
fn with_bounds_of(mut params: Vec<Param>, owners: &[&Owner]) -> Vec<Param> {
    for owner in owners {
        let arguments = owner.of.split_once('<').map_or("", |(_, rest)| rest);
        let arguments = parts(arguments).into_iter().filter(|argument| !argument.starts_with('\''));
        for (param, argument) in params.iter_mut().zip(arguments) {
            let asked = owner.params.iter().find(|asked| asked.name == argument && asked.constant.is_none());
            if let Some(asked) = asked.filter(|asked| !asked.bounds.trim_matches([' ', '+']).is_empty()) {
                param.bounds = format!("{} + {}", param.bounds, asked.bounds);
                param.items = param.items.take().or_else(|| asked.items.clone());
            }
        }
    }
    params
}
