//! Tests in docs whose programs rustdoc left behind: they are run again without rustdoc, as it ran them.
//!
//! Most of them are one program, which runs each test as a process of its own. The others are a program each. Those that
//! must not compile and those that are only compiled are not run: they keep what they gave on the base, for a change in
//! bodies of functions alone changes nothing of what is seen when others are compiled. What such a change could show
//! there (the value of a constant, what an `impl Trait` really is) never comes this way.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::calls::{DocCall, value_of};
use super::shell::{command, quoted};
use crate::harness::result_line;
use kaizen_domain::TestOutcome;

/// Where the one program finds itself, to start a process for each test.
const ITSELF: &str = "RUSTDOC_DOCTEST_BIN_PATH";

/// The programs of one call of rustdoc.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptDoc {
    /// Programs that hold many tests.
    together: Vec<String>,
    alone: Vec<Alone>,
}

/// A test that is a program of its own, or is not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Alone {
    /// As the harness says it.
    name: String,
    /// What it gives when it is not run.
    said: String,
    program: Option<String>,
}

impl KeptDoc {
    /// What is kept of a run of rustdoc that printed `said`: the programs that it left, and what those of them printed
    /// that hold many tests. `None` when it cannot be told which program is which test.
    pub(super) fn of(said: &[String], programs: &[String], together: &BTreeMap<String, Vec<String>>) -> Option<Self> {
        let mut in_common: BTreeSet<String> = BTreeSet::new();
        for line in together.values().flatten() {
            in_common.extend(test(line).map(|(name, _)| name.to_owned()));
        }
        let mut alone = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, outcome) in said.iter().filter_map(|line| test(line)) {
            if !seen.insert(name) {
                return None;
            }
            if in_common.contains(name) {
                continue;
            }
            let not_run =
                [" - compile fail", " - compile"].iter().any(|how| name.ends_with(how)) || outcome == "ignored";
            let program = if not_run { None } else { Some(program_of(name, programs)?) };
            alone.push(Alone { name: name.to_owned(), said: outcome.to_owned(), program });
        }
        let all_there = in_common.iter().all(|name| seen.contains(name.as_str()));
        all_there.then(|| Self { together: together.keys().cloned().collect(), alone })
    }

    /// Its programs.
    pub(super) fn programs(&self) -> impl Iterator<Item = &str> {
        let alone = self.alone.iter().filter_map(|test| test.program.as_deref());
        self.together.iter().map(String::as_str).chain(alone)
    }

    /// Runs all of them as the call did. It ends with 127 where a program could not start.
    pub(super) fn script(&self, doc: &DocCall) -> String {
        use std::fmt::Write as _;
        let mut text = "missing=0\ncode=0\n".to_owned();
        for program in &self.together {
            let call = self::run_together(doc, program);
            let _ = writeln!(text, "{call}\nended=$?\n[ $ended = 127 ] && missing=1\n[ $ended = 0 ] || code=101");
        }
        const END: &str = "[ $missing = 0 ] || exit 127\nexit $code\n";
        if self.alone.is_empty() {
            return text + END;
        }
        let _ = writeln!(text, "passed=0\nfailed=0\nignored=0\necho\necho 'running {} tests'", self.alone.len());
        for test in &self.alone {
            let said = |outcome: &str| format!("echo {}", quoted(&format!("test {} ... {outcome}", test.name)));
            let ok = format!("{}\npassed=$((passed+1))", said("ok"));
            let failed = format!("{}\nfailed=$((failed+1))", said("FAILED"));
            let _ = match &test.program {
                Some(program) => {
                    let call = command(run_dir(doc), &doc.env, program, &[]);
                    let (zero, other) =
                        if test.name.ends_with(" - should panic") { (failed, ok) } else { (ok, failed) };
                    writeln!(
                        text,
                        "( {call} ) >/dev/null 2>&1\nended=$?\n[ $ended = 127 ] && missing=1\n\
                         if [ $ended = 0 ]; then\n{zero}\nelse\n{other}\nfi"
                    )
                }
                None if test.said == "ok" => writeln!(text, "{ok}"),
                None if test.said == "FAILED" => writeln!(text, "{failed}"),
                None => writeln!(text, "{}\nignored=$((ignored+1))", said(&test.said)),
            };
        }
        text.push_str(
            "result=ok\n[ $failed = 0 ] || { result=FAILED; code=101; }\n\
             echo \"test result: $result. $passed passed; $failed failed; $ignored ignored; 0 measured; 0 filtered out; finished in 0s\"\n",
        );
        text + END
    }
}

/// Runs a program that holds many tests.
pub(super) fn run_together(doc: &DocCall, program: &str) -> String {
    let mut env = doc.env.clone();
    env.insert(ITSELF.to_owned(), program.to_owned());
    command(run_dir(doc), &env, program, &[])
}

/// Where tests in docs run.
fn run_dir(doc: &DocCall) -> &str {
    value_of(&doc.args, "--test-run-directory").unwrap_or(&doc.cwd)
}

/// A line of the harness as the test's whole name and how it ended.
fn test(line: &str) -> Option<(&str, &str)> {
    let (_, outcome) = result_line(line)?;
    let (name, said) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    Some((name, if outcome == TestOutcome::Ignored { "ignored" } else { said }))
}

/// The program of a test: rustdoc names its folder after the file and the line.
fn program_of(name: &str, programs: &[String]) -> Option<String> {
    let (file, rest) = name.split_once(" - ")?;
    let line = rest.rsplit_once("(line ")?.1.split_once(')')?.0;
    let plain: String = file.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let folder = format!("{plain}_{line}_");
    let mut of_it = programs.iter().filter(|program| {
        let mut parts = program.rsplit('/').skip(1);
        let number = parts.next().and_then(|part| part.strip_prefix(folder.as_str()));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    });
    let program = of_it.next()?;
    of_it.next().is_none().then(|| program.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_test_is_found_where_it_is_kept() {
        let said = lines(
            "test src/lib.rs - a (line 3) ... ok\ntest src/lib.rs - b (line 9) - compile fail ... ok\n\
             test src/lib.rs - c (line 12) - compile ... ok\ntest src/lib.rs - d (line 20) ... ignored\n\
             test src/m-n.rs - m::e (line 30) - should panic ... ok\nnoise",
        );
        let programs =
            lines("/d/merged_doctest_2021_0/rust_out\n/d/src_lib_rs_12_0/rust_out\n/d/src_m_n_rs_30_0/rust_out");
        let one = programs[0].clone();
        let together = BTreeMap::from([(one.clone(), lines("test src/lib.rs - a (line 3) ... ok"))]);
        let kept = KeptDoc::of(&said, &programs, &together).unwrap();
        assert_eq!(kept.programs().collect::<Vec<_>>(), [one.as_str(), programs[2].as_str()]);
        assert_eq!(kept.alone.len(), 4);
        // A program that cannot be told, one that nobody knows of, and two that may be meant.
        assert_eq!(KeptDoc::of(&said, &programs[..2], &together), None);
        assert_eq!(KeptDoc::of(&said[1..], &programs, &together), None);
        let twice = [programs.as_slice(), &lines("/d/src_m_n_rs_30_1/rust_out")].concat();
        assert_eq!(KeptDoc::of(&said, &twice, &together), None);
        assert_eq!(KeptDoc::of(&[said.as_slice(), &said[..1]].concat(), &programs, &together), None);
    }
}
