//! A library as its sources declare it: all of its modules, what a name in them stands for, and the path under which
//! others see it. Names are followed through imports, as far as sources alone tell; what macros make comes from elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kaizen_source::with_files;

use crate::items::{Import, Module, Owner, Type, modules};
use crate::signatures::Function;

/// More files are not read.
const FILES: usize = 2_000;
/// The types that the language itself has names for.
pub(crate) const PRIMITIVE: [&str; 17] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f32", "f64",
];
/// How far imports are followed.
const STEPS: usize = 12;
/// The name of the library in what is written for it.
pub(crate) const NAME: &str = "krate";

/// A place of the library: a module's path and a name in it.
pub(crate) type Place = (Vec<String>, String);

/// A library.
#[derive(Debug, Clone, Default)]
pub(crate) struct Library {
    pub modules: BTreeMap<Vec<String>, Module>,
    /// The file of each module.
    pub files: BTreeSet<String>,
    /// What others may name, and how.
    public: BTreeMap<Place, String>,
    /// Files that are a part of it and cannot be read.
    pub unread: Vec<String>,
    /// By the names of its own traits, types that tests and docs put where one with the trait is asked for.
    pub seen: BTreeMap<String, Vec<String>>,
}

/// The files of a crate, from its first one on.
#[must_use]
pub fn files(root: &str, read: &dyn Fn(&str) -> Option<String>) -> BTreeSet<String> {
    Library::read(root, read).files
}

impl Library {
    /// Reads a library from its first file on.
    pub fn read(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        Self::read_with(root, read, None)
    }

    /// The same, with what macros make of it: its text behind them.
    pub fn read_with(root: &str, read: &dyn Fn(&str) -> Option<String>, expanded: Option<&str>) -> Self {
        let mut library = Self::default();
        let mut due: VecDeque<(String, Vec<String>, bool)> = VecDeque::from([(root.to_owned(), Vec::new(), true)]);
        while let Some((path, module, is_root)) = due.pop_front() {
            if library.files.len() >= FILES || !library.files.insert(path.clone()) {
                continue;
            }
            let found = read(&path).map(|text| {
                with_files(&[&text], |files| files.first().map(modules).unwrap_or_default()).unwrap_or_default()
            });
            let Some(found) = found.filter(|found| !found.is_empty()) else {
                library.unread.push(path);
                continue;
            };
            let (folder, stem) = match path.rsplit_once('/') {
                Some((folder, name)) => (format!("{folder}/"), name),
                None => (String::new(), path.as_str()),
            };
            let stem = stem.strip_suffix(".rs").unwrap_or(stem);
            let own = if is_root || stem == "mod" { folder.clone() } else { format!("{folder}{stem}/") };
            for mut part in found {
                let mut at = module.clone();
                at.append(&mut part.path.clone());
                let inner: String = part.path.iter().map(|name| format!("{name}/")).collect();
                for (name, written) in &part.files {
                    let file = match written {
                        Some(written) if part.path.is_empty() => Some(format!("{folder}{written}")),
                        Some(written) => Some(format!("{own}{inner}{written}")),
                        None => [format!("{own}{inner}{name}.rs"), format!("{own}{inner}{name}/mod.rs")]
                            .into_iter()
                            .find(|file| read(file).is_some()),
                    };
                    let mut below = at.clone();
                    below.push(name.clone());
                    due.extend(file.map(|file| (file, below, false)));
                }
                part.path.clone_from(&at);
                library.modules.insert(at, part);
            }
        }
        if let Some(expanded) = expanded {
            library.take_made(expanded);
        }
        library.find_public();
        library
    }

    /// All functions with the modules they stand in.
    pub fn functions(&self) -> impl Iterator<Item = (&Module, &Function)> {
        self.modules.values().flat_map(|module| module.functions.iter().map(move |function| (module, function)))
    }

    /// All types with their modules.
    pub fn types(&self) -> impl Iterator<Item = (&Module, &Type)> {
        self.modules.values().flat_map(|module| module.types.iter().map(move |ty| (module, ty)))
    }

    /// All impls of traits with their modules.
    pub fn impls(&self) -> impl Iterator<Item = (&Module, &Owner)> {
        self.modules.values().flat_map(|module| module.impls.iter().map(move |owner| (module, owner)))
    }

    /// How others name what stands at a place; none when they cannot.
    pub fn public(&self, place: &Place) -> Option<&str> {
        self.public.get(place).map(String::as_str)
    }

    /// Shortest paths first, so that each place gets the one that people write.
    fn find_public(&mut self) {
        let mut public: BTreeMap<Place, String> = BTreeMap::new();
        let mut due: VecDeque<(Vec<String>, String, usize)> = VecDeque::from([(Vec::new(), NAME.to_owned(), 0)]);
        let mut seen = BTreeSet::new();
        while let Some((at, prefix, depth)) = due.pop_front() {
            let Some(module) = self.modules.get(&at).filter(|_| seen.insert((at.clone(), prefix.clone()))) else {
                continue;
            };
            if depth > STEPS {
                continue;
            }
            let path = |name: &str| format!("{prefix}::{name}");
            let mut add = |place: Place, path: String| {
                public.entry(place).or_insert(path);
            };
            let functions =
                module.functions.iter().filter(|function| function.owner.is_none() && function.public).map(|f| &f.name);
            let types = module.types.iter().filter(|ty| ty.public).map(|ty| &ty.name);
            let traits = module.traits.iter().filter(|(_, public)| *public).map(|(name, _)| name);
            let constants = module.constants.iter().filter(|one| one.of.is_none()).map(|one| &one.name);
            for name in functions.chain(types).chain(traits).chain(constants) {
                add((at.clone(), name.clone()), path(name));
            }
            for (name, _) in module.modules.iter().filter(|(_, public)| *public) {
                let mut below = at.clone();
                below.push(name.clone());
                due.push_back((below, path(name), depth + 1));
            }
            for import in module.imports.iter().filter(|import| import.public) {
                let target = self.absolute(&at, &import.path);
                match (import.name.as_str(), target) {
                    ("*", Some(target)) => due.push_back((target, prefix.clone(), depth + 1)),
                    (name, Some(target)) if self.modules.contains_key(&target) => {
                        due.push_back((target, path(name), depth + 1));
                    }
                    (name, Some(mut target)) => {
                        let Some(last) = target.pop() else { continue };
                        if let Some(place) = self.declared(&target, &last, STEPS) {
                            add(place, path(name));
                        }
                    }
                    (_, None) => {}
                }
            }
        }
        self.public = public;
    }

    /// The path of a module or name, from the top of the library; none when it leads out of it.
    fn absolute(&self, at: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut here = at.to_vec();
        let mut rest = path.iter().peekable();
        match rest.peek().map(|first| first.as_str())? {
            "crate" | NAME => {
                here.clear();
                rest.next();
            }
            "self" => drop(rest.next()),
            "super" => {}
            first => {
                let module = self.modules.get(at)?;
                let is_here = module.modules.iter().any(|(name, _)| name == first)
                    || module.types.iter().any(|ty| ty.name == first);
                if !is_here {
                    // The name of something that is imported here, or of another crate.
                    let import = module.imports.iter().find(|import| import.name == first && import.path != path)?;
                    here = self.absolute(at, &import.path)?;
                    rest.next();
                }
            }
        }
        for name in rest {
            if name == "super" {
                here.pop()?;
            } else {
                here.push(name.clone());
            }
        }
        Some(here)
    }

    /// Where what is called `name` in a module is declared.
    pub fn declared(&self, at: &[String], name: &str, left: usize) -> Option<Place> {
        let module = self.modules.get(at).filter(|_| left > 0)?;
        let is_here = module.types.iter().any(|ty| ty.name == name)
            || module.traits.iter().any(|(found, _)| found == name)
            || module.functions.iter().any(|function| function.owner.is_none() && function.name == name)
            || module.constants.iter().any(|one| one.of.is_none() && one.name == name);
        if is_here {
            return Some((at.to_vec(), name.to_owned()));
        }
        let by_name = module.imports.iter().filter(|import| import.name == name);
        let all = module.imports.iter().filter(|import| import.name == "*");
        let through = |import: &Import| {
            let mut target = self.absolute(at, &import.path)?;
            if import.name == "*" {
                return if target == at { None } else { self.declared(&target, name, left - 1) };
            }
            let last = target.pop()?;
            self.declared(&target, &last, left - 1)
        };
        by_name.chain(all).find_map(through)
    }

    /// Code of a module as it is written outside of the library: `known` stands for parameters, and every lifetime is the
    /// longest.
    pub fn outside(&self, at: &[String], code: &str, known: &BTreeMap<String, String>) -> String {
        let words = words(code);
        let mut out: Vec<String> = Vec::new();
        let mut index = 0;
        while let Some(word) = words.get(index).copied() {
            index += 1;
            let after_path = out.last().is_some_and(|last| last == "::");
            if word.starts_with('\'') {
                out.push("'static".to_owned());
                continue;
            }
            if !is_name(word) || after_path {
                out.push(word.to_owned());
                continue;
            }
            let mut path = vec![word.to_owned()];
            while words.get(index) == Some(&"::") && words.get(index + 1).is_some_and(|next| is_name(next)) {
                path.extend(words.get(index + 1).map(|next| (*next).to_owned()));
                index += 2;
            }
            out.push(self.path_outside(at, &path, known));
        }
        out.join(" ")
    }

    fn path_outside(&self, at: &[String], path: &[String], known: &BTreeMap<String, String>) -> String {
        let written = path.join(" :: ");
        let Some((first, rest)) = path.split_first() else { return written };
        if let Some(found) = known.get(first) {
            return match rest {
                [] => found.clone(),
                // What belongs to it follows from the rest; by which trait, the path does not say.
                _ => "_".to_owned(),
            };
        }
        // The longest beginning of the path that is declared somewhere; what follows belongs to that.
        for end in (1..=path.len()).rev() {
            let (head, tail) = path.split_at(end);
            let place = match head {
                [name] => self.declared(at, name, STEPS),
                head => self.absolute(at, head).and_then(|mut whole| {
                    let last = whole.pop()?;
                    self.declared(&whole, &last, STEPS)
                }),
            };
            // A function may have the name of a type of the language.
            let is_function = |(at, name): &Place| {
                PRIMITIVE.contains(&name.as_str())
                    && self.modules.get(at).is_some_and(|module| module.types.iter().all(|ty| ty.name != *name))
            };
            if let Some(public) =
                place.filter(|place| !is_function(place)).and_then(|place| self.public(&place).map(str::to_owned))
            {
                return [&[public], tail].concat().join(" :: ");
            }
        }
        // A module of that name may be imported too, such as `core::str`: alone it still means the type.
        if rest.is_empty() && PRIMITIVE.contains(&first.as_str()) {
            return written;
        }
        // What is imported from other crates keeps its whole path.
        let module = self.modules.get(at);
        let import = module.and_then(|module| module.imports.iter().find(|import| import.name == *first));
        match import {
            Some(import) if self.absolute(at, &import.path).is_none() => [&import.path, rest].concat().join(" :: "),
            _ => written,
        }
    }
}

/// A type or a path without what stands between its angle brackets.
pub(crate) fn bare(of: &str) -> &str {
    of.split('<').next().unwrap_or(of).trim()
}

/// Code in words: names, lifetimes, `::`, and signs.
pub(crate) fn words(code: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let in_name = |one: char| one.is_alphanumeric() || one == '_';
        let length = match first {
            '\'' => 1 + rest.chars().skip(1).take_while(|one| in_name(*one)).map(char::len_utf8).sum::<usize>(),
            one if in_name(one) => rest.chars().take_while(|one| in_name(*one)).map(char::len_utf8).sum(),
            _ => ["..=", "::", "->", ".."]
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .map_or(first.len_utf8(), |s| s.len()),
        };
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        all.push(word);
        rest = after.trim_start();
    }
    all
}

fn is_name(word: &str) -> bool {
    word.chars().all(|one| one.is_alphanumeric() || one == '_') && !word.starts_with(|one: char| one.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(files: &[(&str, &str)]) -> Library {
        let files: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Library::read("src/lib.rs", &|path| files.get(path).cloned())
    }

    #[test]
    fn what_others_see_is_found_through_imports_and_files() {
        let library = library(&[
            ("src/lib.rs", "mod inner; pub mod open { pub use super::inner::deep::*; } pub use inner::Thing as Other;"),
            ("src/inner/mod.rs", "pub mod deep; pub struct Thing; pub struct Unseen; pub(crate) fn hidden() {}"),
            ("src/inner/deep.rs", "pub fn f() {} fn g() {} #[cfg(test)] pub fn t() {}"),
        ]);
        let place = |path: &[&str], name: &str| (path.iter().map(|one| (*one).to_owned()).collect(), name.to_owned());
        assert_eq!(library.public(&place(&["inner", "deep"], "f")), Some("krate::open::f"));
        assert_eq!(library.public(&place(&["inner"], "Thing")), Some("krate::Other"));
        for (path, name) in [(&["inner", "deep"][..], "g"), (&["inner"], "Unseen"), (&["inner"], "hidden")] {
            assert_eq!(library.public(&place(path, name)), None, "{name}");
        }
        assert_eq!(library.files.len(), 3);
    }

    #[test]
    fn code_is_written_as_others_write_it() {
        let library = library(&[
            ("src/lib.rs", "pub mod a; pub mod b;"),
            ("src/a.rs", "use crate::b::{self, Of}; use std::fmt; use core::str; pub struct Here; pub fn u8() {}"),
            ("src/b.rs", "pub struct Of<T>(T); pub enum Kind { One }"),
        ]);
        let at = ["a".to_owned()];
        let known = BTreeMap::from([("T".to_owned(), "i64".to_owned())]);
        let outside = |code: &str| library.outside(&at, code, &known).replace(' ', "");
        assert_eq!(outside("Of < T >"), "krate::b::Of<i64>");
        assert_eq!(outside("& 'a b :: Kind :: One"), "&'static krate::b::Kind::One".replace(' ', ""));
        assert_eq!(outside("fmt :: Error"), "std::fmt::Error");
        assert_eq!([outside("& str"), outside("Vec < u8 >")], ["&str", "Vec<u8>"]);
        assert_eq!(outside("str :: Chars"), "core::str::Chars");
        assert_eq!(outside("Option < Here >"), "Option<krate::a::Here>");
        assert_eq!(outside("Extend < T :: Item >"), "Extend<_>");
        assert_eq!(outside("(Here , [T ; 4]) -> Vec<Vec<Here>>"), "(krate::a::Here,[i64;4])->Vec<Vec<krate::a::Here>>");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let library = library(&[("src/lib.rs", "mod a;"), ("src/a.rs", "fn (")]);
        assert_eq!(library.unread, ["src/a.rs"]);
    }
}
