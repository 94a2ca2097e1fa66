//! Noticed: how far the tests notice what changed functions do, shown by mutants of them. A test that passes says nothing
//! about code that it would not miss.

use serde::{Deserialize, Serialize};

use crate::behaviour::Behaviour;
use crate::coverage::{Coverage, shown_lines};
use crate::path::RelPath;

/// How far the share of mutants that are caught may fall, percent: other code has other mutants.
const FALL: u64 = 10;
/// How many more may survive: one may be another way to say the same.
const MORE: u64 = 1;
/// How many mutants that nothing notices are named in a report.
const NAMED: usize = 3;
/// Of so many mutants one may survive.
const FEW: u64 = 4;

/// What was found out about the functions that a patch changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Noticed {
    /// The compiler makes the same of the code before and after: whatever tests notice, nothing changed.
    #[serde(default)]
    pub same_code: bool,
    /// Each function or value that changed, where wrong versions of it were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<FunctionNoticed>,
    /// Which of the lines that the change takes away tests ran, where some that it brings in are run by none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Coverage>,
    /// What else changes, and nothing can show what that does: macros, types, the order of things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// Why nothing can be said about some of them, or about all; empty when it can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_data: Vec<String>,
}

/// What tests make of the mutants of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionNoticed {
    /// The file.
    pub path: RelPath,
    /// The function, such as `Tax::apply`, or the value.
    pub function: String,
    /// The line where it begins.
    pub line: u32,
    /// Whether there was none of its name before.
    #[serde(default)]
    pub is_new: bool,
    /// Its mutants.
    pub now: Mutants,
    /// Those of them that stand on lines that change, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Mutants>,
    /// Those of the function as it was, when there was one and they were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Mutants>,
    /// Which of its lines that change tests run, where that could be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Coverage>,
    /// What tests make of the lines that change alone, where made-up inputs do not come to it and tests are all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_tests_alone: Option<ByTestsAlone>,
}

/// Wrong versions of lines that change, in a function that made-up inputs do not come to. What survives on both sides alike is
/// left out: that stays as it was, whether tests look at it or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ByTestsAlone {
    /// Those of what the change brings in.
    pub brought: Mutants,
    /// Those of what it takes away.
    pub taken: Mutants,
}

/// Mutants of a function, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mutants {
    /// How many were tried.
    pub tried: u64,
    /// How many of them stand where a test comes by.
    pub reached: u64,
    /// How many made a test fail.
    pub caught: u64,
    /// Some that did not, each with its line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survivors: Vec<String>,
}

impl Mutants {
    /// Counts one more; the first that nothing notices are named.
    pub fn count(&mut self, reached: bool, caught: bool, line: u32, what: &str) {
        self.tried += 1;
        self.reached += u64::from(reached);
        self.caught += u64::from(caught);
        if !caught && self.survivors.len() < NAMED {
            self.survivors.push(format!("line {line}: {what}"));
        }
    }

    fn survived(&self) -> u64 {
        self.tried.saturating_sub(self.caught)
    }

    /// Whether all are caught, but for one in ten, or one of a few: it may be another way to say the same.
    #[must_use]
    pub fn are_noticed(&self) -> bool {
        self.survived() <= (self.tried / 10).max(u64::from(self.tried >= FEW))
    }

    /// Whether fewer than a third of them are caught.
    fn is_hardly_noticed(&self) -> bool {
        self.caught * 3 < self.tried
    }

    /// Whether clearly fewer are caught, and more survive, than of another one.
    fn is_less_noticed_than(&self, other: &Self) -> bool {
        let share = |of: &Self| (of.caught * 100).checked_div(of.tried).unwrap_or(100);
        self.survived() > other.survived() + MORE && share(self) + FALL < share(other)
    }
}

impl FunctionNoticed {
    /// A function that was there before, its mutants, and nothing else known of it.
    #[must_use]
    pub fn new(path: RelPath, function: &str, line: u32, now: Mutants) -> Self {
        let function = function.to_owned();
        Self {
            path,
            function,
            line,
            is_new: false,
            now,
            changed: None,
            before: None,
            lines: None,
            by_tests_alone: None,
        }
    }

    /// Why a person should look at the change of this function; none when tests would notice one that is wrong. Where one wrong
    /// version is all there is, it is no reason where the change was `shown` otherwise: the function was seen to do the same for
    /// made-up inputs, or tests told the change from what was there; and none at all is no reason where tests run what changes, or
    /// those inputs do: the lines that they `run`.
    #[must_use]
    pub fn reason(&self, shown: bool, run: &[u32]) -> Option<String> {
        if shown && self.is_thin() {
            return None;
        }
        let (name, now) = (format!("`{}` ({}:{})", self.function, self.path, self.line), &self.now);
        if now.tried == 0 {
            let are_run = |lines: &Coverage| {
                (lines.run > 0 || !run.is_empty()) && lines.not_run.iter().all(|line| run.contains(line))
            };
            let is_run = self.lines.as_ref().is_some_and(are_run);
            let why = || format!("nothing shows what the change does: no wrong version of {name} could be tried");
            // What was not there before is called by nobody but by what changes as well.
            return (!((shown || self.is_new) && is_run)).then(why);
        }
        if now.reached == 0 {
            return Some(format!("no test reaches {name}, which changes"));
        }
        let survivors = now.survivors.join("; ");
        if now.caught == 0 {
            let all = now.tried;
            return Some(format!("no test notices what {name} does: all {all} wrong versions of it pass: {survivors}"));
        }
        if self.before.is_none() && self.is_new && now.is_hardly_noticed() {
            return Some(format!(
                "tests notice little of {name}, which is new: {} of {} wrong versions fail: {survivors}",
                now.caught, now.tried
            ));
        }
        if let Some(changed) = self.changed.as_ref().filter(|changed| changed.tried > 0 && changed.caught == 0) {
            let (all, survivors) = (changed.tried, changed.survivors.join("; "));
            return Some(format!(
                "no test notices what changes in {name}: all {all} wrong versions of it pass: {survivors}"
            ));
        }
        if let Some(before) = self.before.as_ref().filter(|before| now.is_less_noticed_than(before)) {
            return Some(format!(
                "tests notice less of {name} than of what it was: {} of {} wrong versions fail, {} of {} did: {survivors}",
                now.caught, now.tried, before.caught, before.tried
            ));
        }
        let ByTestsAlone { brought, taken } = self.by_tests_alone.as_ref()?;
        let (what, mutants) = match () {
            () if !taken.are_noticed() => ("takes away from", taken),
            () if !brought.are_noticed() => ("brings into", brought),
            () => return None,
        };
        Some(format!(
            "made-up inputs do not come to {name}, and tests do not notice enough of what the change {what} it: {} of {} wrong \
             versions fail: {}",
            mutants.caught,
            mutants.tried,
            mutants.survivors.join("; ")
        ))
    }

    /// Whether all that could be tried is one wrong version: that may be another way to say the same.
    fn is_thin(&self) -> bool {
        self.now.tried == 1 || (self.now.caught > 0 && self.changed.as_ref().is_some_and(|changed| changed.tried == 1))
    }
}

impl Noticed {
    /// The functions of which a wrong version might go unnoticed, with why a person should look at each.
    pub fn unnoticed<'n>(
        &'n self,
        behaviour: Option<&'n Behaviour>,
    ) -> impl Iterator<Item = (&'n FunctionNoticed, String)> {
        let noticed =
            move |one: &&FunctionNoticed| behaviour.is_some_and(|seen| seen.notices(&one.path, &one.function));
        let open = self.functions.iter().filter(move |one| !noticed(one));
        let shown = move |one: &FunctionNoticed| {
            // Of what no wrong version can be made, what leads to it says enough.
            let reached = |seen: &Behaviour| one.now.tried == 0 && seen.keeps_all_but(&one.function);
            behaviour.is_some_and(|seen| seen.keeps(&one.function) || seen.is_told() || reached(seen))
        };
        let run = move |one: &FunctionNoticed| behaviour.and_then(|seen| seen.runs_of(&one.path, &one.function));
        open.filter_map(move |one| Some((one, one.reason(shown(one), run(one).unwrap_or_default())?)))
    }

    /// Why a person should look at the change.
    pub fn reasons<'n>(&'n self, behaviour: Option<&'n Behaviour>) -> impl Iterator<Item = String> + 'n {
        let unseen = self.unseen.iter().map(|what| format!("nothing shows what it does to change {what}"));
        let no_data = self.no_data.iter().map(|why| format!("nothing shows what the change does: {why}"));
        let functions = self.unnoticed(behaviour).map(|(_, why)| why);
        let reasons = functions.chain(behaviour.and_then(|seen| self.not_run(seen))).chain(unseen).chain(no_data);
        reasons.filter(|_| !self.same_code)
    }

    /// The lines that neither tests nor made-up inputs run, in functions that these inputs come to, where there are more of them
    /// than of what they replace: what is there for what nobody thought of may be there for somebody.
    fn not_run(&self, seen: &Behaviour) -> Option<String> {
        let missing = |one: &FunctionNoticed| -> Vec<u32> {
            let Some((run, lines)) = seen.runs_of(&one.path, &one.function).zip(one.lines.as_ref()) else {
                return Vec::new();
            };
            lines.not_run.iter().copied().filter(|line| !run.contains(line)).collect()
        };
        let all: Vec<(&FunctionNoticed, Vec<u32>)> = self.functions.iter().map(|one| (one, missing(one))).collect();
        let count: usize = all.iter().map(|(_, lines)| lines.len()).sum();
        if count <= self.gone.as_ref().map_or(0, |gone| gone.not_run.len()) {
            return None;
        }
        let (one, lines) = all.iter().find(|(_, lines)| !lines.is_empty())?;
        let lines = shown_lines(lines);
        Some(format!(
            "neither tests nor made-up inputs run {lines} of `{}` ({}), which the change brings in",
            one.function, one.path
        ))
    }

    /// In a few words, for a report.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.same_code {
            return "the compiler makes the same of it".to_owned();
        }
        let sum = |count: fn(&Mutants) -> u64| self.functions.iter().map(|function| count(&function.now)).sum::<u64>();
        let tried = sum(|mutants| mutants.tried);
        let mut parts = Vec::new();
        if tried > 0 {
            let functions = self.functions.len();
            let plural = if functions == 1 { "" } else { "s" };
            let caught = sum(|mutants| mutants.caught);
            parts.push(format!("{caught} of {tried} wrong versions of {functions} function{plural} fail a test"));
        } else if !self.functions.is_empty() {
            parts.push("no wrong version could be tried".to_owned());
        }
        let lines = || self.functions.iter().filter_map(|function| function.lines.as_ref());
        let run = lines().map(|lines| lines.run).sum::<u64>();
        let all = run + lines().map(|lines| lines.not_run.len() as u64).sum::<u64>();
        if all > 0 {
            let plural = if all == 1 { " that changes is" } else { "s that change are" };
            parts.push(format!("{run} of {all} line{plural} run by tests"));
        }
        parts.extend(self.no_data.iter().map(|why| format!("no data: {why}")));
        if parts.is_empty() { "no function changes".to_owned() } else { parts.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(now: (u64, u64, u64), before: Option<(u64, u64, u64)>) -> FunctionNoticed {
        let mutants = |(tried, reached, caught)| Mutants { tried, reached, caught, survivors: vec!["x".to_owned()] };
        let path = RelPath::new("src/lib.rs").expect("it is a path");
        FunctionNoticed { before: before.map(mutants), ..FunctionNoticed::new(path, "f", 3, mutants(now)) }
    }

    #[test]
    fn what_no_test_would_miss_asks_a_person() {
        let reason = |now, before| function(now, before).reason(false, &[]);
        // Nothing could be made of it: where it was seen to do the same, it is enough that tests run what changes.
        assert!(reason((0, 0, 0), None).is_some_and(|why| why.contains("no wrong version of `f`")));
        let run =
            |run, not_run| FunctionNoticed { lines: Some(Coverage { run, not_run }), ..function((0, 0, 0), None) };
        assert_eq!(run(2, Vec::new()).reason(true, &[]), None);
        assert!(run(2, Vec::new()).reason(false, &[]).is_some() && run(2, vec![7]).reason(true, &[]).is_some());
        assert!(run(0, vec![7]).reason(true, &[7]).is_none() && run(0, vec![7]).reason(true, &[8]).is_some());
        assert!(reason((5, 0, 0), None).is_some_and(|why| why.starts_with("no test reaches `f` (src/lib.rs:3)")));
        assert!(reason((5, 5, 0), None).is_some_and(|why| why.contains("all 5 wrong versions")));
        assert_eq!(reason((5, 5, 1), None), None);
        // The rest of the function is noticed, what changes is not.
        let changed = Mutants { tried: 2, reached: 2, caught: 0, survivors: vec!["line 4: x".to_owned()] };
        let part = FunctionNoticed { changed: Some(changed), ..function((9, 9, 7), Some((9, 9, 7))) };
        assert!(
            part.reason(true, &[]).is_some_and(|why| why.contains("what changes in `f`") && why.contains("line 4"))
        );
        // Fewer tests notice it than before.
        assert!(reason((10, 10, 5), Some((10, 10, 9))).is_some());
        assert!(function((10, 10, 5), Some((10, 10, 9))).reason(true, &[]).is_some(), "inputs may miss it as well");
        assert_eq!(reason((3, 3, 2), Some((3, 3, 3))), None, "one may be another way to say the same");
        assert_eq!(reason((10, 10, 8), Some((10, 10, 9))), None, "other code has other mutants");
        assert_eq!(reason((2, 2, 1), Some((9, 9, 8))), None, "no more survive than before");
    }

    #[test]
    fn what_inputs_do_not_come_to_must_be_noticed_where_it_changes() {
        let mutants =
            |tried, caught| Mutants { tried, reached: tried, caught, survivors: vec!["line 4: x".to_owned()] };
        let alone = |brought, taken| {
            let by_tests_alone = Some(ByTestsAlone { brought, taken });
            FunctionNoticed { by_tests_alone, ..function((9, 9, 8), None) }.reason(true, &[])
        };
        assert_eq!(alone(mutants(0, 0), mutants(0, 0)), None);
        assert_eq!(alone(mutants(4, 3), mutants(3, 3)), None, "one may be another way to say the same");
        assert!(alone(mutants(3, 3), mutants(1, 0)).is_some_and(|why| why.contains("takes away from it: 0 of 1")));
        assert!(alone(mutants(3, 2), mutants(1, 1)).is_some_and(|why| why.contains("brings into it: 2 of 3")));
    }

    #[test]
    fn the_same_code_needs_no_test() {
        let mut noticed = Noticed { functions: vec![function((5, 0, 0), None)], ..Noticed::default() };
        assert_eq!(noticed.reasons(None).count(), 1);
        noticed.same_code = true;
        assert_eq!(noticed.reasons(None).count(), 0);
    }
}
