//! What macros make of a library: what stands in its text behind them and not in its files. It is taken in where it would stand
//! if people had written it.

use kaizen_source::with_files;

use crate::items::{Constant, Module, Owner, modules};
use crate::library::{Library, bare};
use crate::signatures::Function;

/// Whether macros make some of a library, from its first file on.
#[must_use]
pub fn has_made(root: &str, read: &dyn Fn(&str) -> Option<String>) -> bool {
    Library::read(root, read).modules.values().any(|module| module.is_made)
}

impl Library {
    /// Takes in what a text of the whole library holds besides what its files say.
    pub(crate) fn take_made(&mut self, expanded: &str) {
        let parts = with_files(&[expanded], |files| files.first().map(modules).unwrap_or_default());
        for part in parts.unwrap_or_default() {
            match self.modules.get_mut(&part.path) {
                Some(known) => known.take_made(part),
                // The one around it comes first, and says whether others see it.
                None => drop(self.modules.insert(part.path.clone(), part)),
            }
        }
    }
}

impl Module {
    fn take_made(&mut self, made: Self) {
        fn add<T, K: PartialEq>(to: &mut Vec<T>, made: Vec<T>, key: impl Fn(&T) -> K) {
            let known: Vec<K> = to.iter().map(&key).collect();
            to.extend(made.into_iter().filter(|one| !known.contains(&key(one))));
        }
        add(&mut self.modules, made.modules, |(name, _)| name.clone());
        add(&mut self.functions, made.functions, |one: &Function| (one.owner.as_ref().map(key_of), one.name.clone()));
        add(&mut self.types, made.types, |one| one.name.clone());
        add(&mut self.traits, made.traits, |(name, _)| name.clone());
        add(&mut self.imports, made.imports, |one| (one.path.clone(), one.name.clone()));
        let of = |one: &Constant| (one.of.as_deref().map(|of| bare(of).to_owned()), one.name.clone());
        add(&mut self.constants, made.constants, of);
        add(&mut self.others, made.others, |(name, _)| name.clone());
        add(&mut self.impls, made.impls, key_of);
    }
}

/// What tells an owner from others, however it is written.
fn key_of(owner: &Owner) -> (String, Option<String>) {
    let last = |path: &str| path.rsplit("::").next().unwrap_or(path).trim().to_owned();
    (last(bare(&owner.of)), owner.trait_.as_deref().map(|path| last(bare(path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_macros_make_stands_where_they_were_called() {
        let file = "pub struct A; impl A { pub fn a(&self) {} } sums! { u8 u16 } mod n { m! {} }";
        let expanded = "pub struct A; impl A { pub fn a(&self) {} pub fn b(&self) -> u8 { helper() } } \
                        impl crate::Sum for u8 { fn sum(&self) {} } mod n { pub struct B; } pub mod o { pub fn f() {} } \
                        #[automatically_derived] impl Clone for A { fn clone(&self) -> A { A } }";
        let read = |path: &str| (path == "src/lib.rs").then(|| file.to_owned());
        assert!(has_made("src/lib.rs", &read));
        let library = Library::read_with("src/lib.rs", &read, Some(expanded));
        let names: Vec<&str> = library.functions().map(|(_, function)| function.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "sum", "f"]);
        assert_eq!(library.types().count(), 2);
        let place = |path: &str, name: &str| (vec![path.to_owned()], name.to_owned());
        assert_eq!(library.public(&place("o", "f")), Some("krate::o::f"));
        assert_eq!(library.public(&place("n", "B")), None);
        let plain = |_: &str| Some("#[derive(Clone)] pub struct A; impl A { fn a() { println!(); } }".to_owned());
        assert!(!has_made("src/lib.rs", &plain));
    }
}
