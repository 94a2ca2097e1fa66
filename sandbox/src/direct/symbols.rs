//! Whether a program may hold a copy of a function of a library, by the names of what it defines.
//!
//! A name is written with its length before it, in the old way to mangle names and in the new one. What cannot be read is
//! taken to hold a copy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object::{Object as _, ObjectSymbol as _};

/// The names of what programs define, by the paths of the programs: of those of one base, which never change.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownSymbols(Arc<Mutex<BTreeMap<String, Arc<Symbols>>>>);

impl KnownSymbols {
    /// What the program at `path` defines that has the name of one of `crates` in it; `read` gives the program.
    pub(super) fn of(&self, path: &str, crates: &[String], read: impl FnOnce() -> Option<Vec<u8>>) -> Arc<Symbols> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(symbols) = known().get(path) {
            return Arc::clone(symbols);
        }
        let symbols = Arc::new(read().map_or(Symbols(None), |program| Symbols::of(&program, crates)));
        known().insert(path.to_owned(), Arc::clone(&symbols));
        symbols
    }
}

/// The names of what a program defines, as far as they have to do with some crates; none where they are not known.
#[derive(Debug)]
pub(super) struct Symbols(Option<Vec<Box<str>>>);

impl Symbols {
    fn of(program: &[u8], crates: &[String]) -> Self {
        let Ok(file) = object::File::parse(program) else { return Self(None) };
        let mut all = file.symbols().peekable();
        if all.peek().is_none() {
            return Self(None);
        }
        let mut names = Vec::new();
        for symbol in all.filter(|symbol| !symbol.is_undefined()) {
            let Ok(name) = symbol.name() else { return Self(None) };
            if crates.iter().any(|krate| name.contains(krate.as_str())) {
                names.push(name.into());
            }
        }
        Self(Some(names))
    }

    /// Whether something that is defined has the name of one of the functions, and the name of the crate somewhere.
    pub(super) fn may_define(&self, krate: &str, functions: &[&str]) -> bool {
        let Some(names) = &self.0 else { return true };
        if functions.iter().any(|name| !name.is_ascii()) {
            return true;
        }
        let marks: Vec<String> = functions.iter().map(|name| format!("{}{name}", name.len())).collect();
        names.iter().any(|name| name.contains(krate) && marks.iter().any(|mark| name.contains(mark.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::Symbols;

    fn may_define(program: &[u8], krate: &str, functions: &[&str]) -> bool {
        Symbols::of(program, &[krate.to_owned()]).may_define(krate, functions)
    }

    #[test]
    fn a_copy_is_found_and_a_call_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let rustc = |args: &[&str]| {
            let mut rustc = std::process::Command::new("rustc");
            // The way to mangle names can only be chosen behind this switch.
            let done = rustc.args(args).current_dir(dir.path()).env("RUSTC_BOOTSTRAP", "1").output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        std::fs::write(
            dir.path().join("lent.rs"),
            "pub trait Named { fn by_default(&self) -> u8 { 4 } }\npub fn called() -> u8 { 1 }\n\
             pub fn generic<T: Copy>(x: T) -> (T, T) { (x, x) }\n#[inline] pub fn inlined() -> u8 { 2 }\n\
             pub struct Held<T>(pub T);\nimpl<T> Drop for Held<T> { fn drop(&mut self) { called(); } }\n\
             impl<T> From<Held<T>> for String { fn from(_: Held<T>) -> String { String::new() } }\n",
        )
        .unwrap();
        std::fs::write(
            dir.path().join("user.rs"),
            "extern crate lent;\nstruct Own;\nimpl lent::Named for Own {}\nfn main() { use lent::Named as _; Own.by_default(); lent::called();\n\
             lent::generic(1.5f32); lent::inlined(); drop(lent::Held(3u16)); let _: String = lent::Held(4i8).into(); }\n",
        )
        .unwrap();
        for mangling in ["legacy", "v0"] {
            let mangling = format!("-Csymbol-mangling-version={mangling}");
            let dylib = ["--crate-type=dylib", "-Cprefer-dynamic", "-Zunstable-options", &mangling, "lent.rs"];
            let user = ["-Cprefer-dynamic", "-L.", "-Zunstable-options", &mangling, "user.rs"];
            rustc(&dylib);
            rustc(&user);
            let program = std::fs::read(dir.path().join("user")).unwrap();
            for copied in ["generic", "inlined", "by_default", "drop", "from"] {
                assert!(may_define(&program, "lent", &[copied]), "{mangling}: {copied}");
            }
            assert!(!may_define(&program, "lent", &["called"]), "{mangling}");
            assert!(!may_define(&program, "borrowed", &["generic"]), "{mangling}");
        }
        rustc(&["-Cprefer-dynamic", "-L.", "-Cstrip=symbols", "user.rs"]);
        let bare = std::fs::read(dir.path().join("user")).unwrap();
        assert!(may_define(&bare, "lent", &["called"]), "nothing is known of one without names");
        assert!(may_define(b"no program", "lent", &["called"]));
    }
}
