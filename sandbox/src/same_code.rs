//! Whether the compiler makes the same of two trees: then they do the same, whatever tests look at. Compared is rustc's
//! intermediate representation after its optimisations (MIR), in which every function of a crate stands, generic ones as
//! well; names of variables and places in the source say nothing in it.

use std::ffi::OsString;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::Package;
use crate::runner::{Call, Runner, TrialError};

/// How a target is compiled: with optimisations of this level, so that what means the same is likely to look the same.
const LEVEL: &str = "opt-level=2";

impl Runner {
    /// What the compiler makes of the libraries and programs of a package with `changes`; none when it cannot be seen.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn compiled(
        &self,
        base: &WarmBase,
        package: &Package,
        changes: &[TreeChange],
        cancel: &Cancel,
    ) -> Result<Option<String>, TrialError> {
        let mut all = String::new();
        for target in &package.roots {
            let file = base.places().tmp.join("code.mir");
            let mut script = OsString::from("\"$0\" rustc --offline --quiet \"$@\" && exec cat ");
            script.push(&file);
            let mut args: Vec<OsString> = vec!["-c".into(), script, self.toolchain().program("cargo").into()];
            args.extend(["-p".into(), package.name.clone().into()]);
            match &target.program {
                None => args.push("--lib".into()),
                Some(name) => args.extend(["--bin".into(), name.into()]),
            }
            let mut emit = OsString::from("--emit=mir=");
            emit.push(&file);
            args.extend(["--".into(), emit, "-C".into(), LEVEL.into()]);
            let wall = self.settings.limits.wall;
            let call = Call { program: "/bin/sh".into(), args, changes: changes.to_vec(), wall, ..Call::default() };
            let done = self.call(base, call, cancel, &mut |_| {})?;
            match (done.exit, String::from_utf8(done.stdout)) {
                (Exit::Code(0), Ok(text)) if !text.is_empty() => all.push_str(&without_places(&text)),
                _ => return Ok(None),
            }
        }
        Ok(Some(all).filter(|all| !all.is_empty()))
    }
}

/// Without comments, names of variables, and places in the source.
fn without_places(mir: &str) -> String {
    let says_something = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.starts_with("debug ") && !line.is_empty()
    };
    let mut text = String::with_capacity(mir.len());
    for line in mir.lines().filter(says_something) {
        let mut rest = line;
        // `{closure@src/lib.rs:3:5: 3:8}`
        while let Some((before, after)) = rest.split_once("@src/").or_else(|| rest.split_once("@/")) {
            text.push_str(before);
            rest = after.find(['}', '>', ' ', ','].as_slice()).map_or("", |end| after.get(end..).unwrap_or_default());
            rest = rest
                .strip_prefix(' ')
                .map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':'));
        }
        text.push_str(rest);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_names_say_nothing() {
        let one = "// MIR for `f`\nfn f(_1: u8) -> u8 {\n    debug n => _1;\n    _2 = {closure@src/lib.rs:3:5: 3:8} { x: _1 };\n}\n";
        let other =
            "fn f(_1: u8) -> u8 {\n    debug number => _1;\n\n    _2 = {closure@src/lib.rs:14:9: 15:2} { x: _1 };\n}\n";
        assert_eq!(without_places(one), without_places(other));
        assert_ne!(without_places(one), without_places(&one.replace("_2 = ", "_3 = ")));
    }
}
