//! The switch: a module at the root of a crate that says which mutant is on, and notes which places are reached by which
//! test.

/// The name of the module, which no crate has.
pub const MODULE: &str = "__kaizen_switch";

/// The number of the canary: a test of the module's own, which passes, but for when this one is on. A harness that does not say
/// then that a test fails would not say it of any other.
pub const CANARY: usize = usize::MAX >> 8;

/// The text of the module, to be put behind the last line of a crate's root. Two variables of the environment turn it: the one
/// called `on` holds the number of the mutant that is on (with a star behind it, however long that takes; with no number,
/// none), and the one called `seen` names a file to which the numbers of
/// reached places are appended, each with the name of the thread, which is that of the test.
///
/// Only the crate's own language and `std` are used, also where the crate itself does without.
#[must_use]
pub fn switch(on: &str, seen: &str) -> String {
    TEXT.replace("{module}", MODULE)
        .replace("{on}", on)
        .replace("{seen}", seen)
        .replace("{most}", &MOST.to_string())
        .replace("{canary}", &CANARY.to_string())
}

/// How many places a run with a mutant on may come by, where a run without one comes by fewer.
const MOST: usize = 20_000_000;

const TEXT: &str = r##"

#[doc(hidden)]
#[allow(missing_docs, dead_code, unused, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
pub mod {module} {
    extern crate std;
    use self::std::prelude::v1::*;
    use self::std::sync::atomic::{AtomicUsize, Ordering};

    /// One more than the mutant that is on; 0 before it is known.
    static ON: AtomicUsize = AtomicUsize::new(0);
    const NONE: usize = usize::MAX;
    const OFF: usize = usize::MAX - 1;
    /// No mutant is on, but everything else is as if one were.
    const CONTROL: usize = usize::MAX - 2;
    /// How many places a run may still come by: what goes round and round ends here and not only when its time is over.
    static LEFT: AtomicUsize = AtomicUsize::new({most});

    self::std::thread_local! {
        static SEEN: self::std::cell::RefCell<self::std::collections::HashSet<usize>> = self::std::default::Default::default();
    }

    pub fn on(number: usize) -> bool {
        let on = match ON.load(Ordering::Relaxed) {
            0 => first(),
            on => on,
        };
        match on {
            OFF => return false,
            NONE => seen(number),
            _ => {
                let left = LEFT.load(Ordering::Relaxed);
                if left == 0 {
                    self::std::process::abort();
                }
                LEFT.store(left - 1, Ordering::Relaxed);
            }
        }
        on == number + 1
    }

    fn first() -> usize {
        let on = match self::std::env::var("{on}") {
            Ok(text) => {
                let number = text.trim_end_matches('*');
                if number.len() < text.len() {
                    LEFT.store(usize::MAX, Ordering::Relaxed);
                }
                number.parse::<usize>().map_or(CONTROL, |number| number + 1)
            }
            Err(_) if self::std::env::var_os("{seen}").is_some() => NONE,
            Err(_) => OFF,
        };
        ON.store(on, Ordering::Relaxed);
        on
    }

    fn seen(number: usize) {
        let new = SEEN.try_with(|seen| seen.try_borrow_mut().map_or(false, |mut seen| seen.insert(number)));
        if !new.unwrap_or(true) {
            return;
        }
        let Some(path) = self::std::env::var_os("{seen}") else { return };
        let thread = self::std::thread::current();
        let line = self::std::format!("{} {}\n", number, thread.name().unwrap_or(""));
        if let Ok(mut file) = self::std::fs::OpenOptions::new().append(true).create(true).open(path) {
            let _ = self::std::io::Write::write_all(&mut file, line.as_bytes());
        }
    }
}

#[cfg(test)]
#[allow(missing_docs, unused, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
mod {module}_canary {
    #[test]
    fn canary() {
        if super::{module}::on({canary}) {
            panic!();
        }
    }
}
"##;
