//! Wrong versions, compiled in all at once behind a switch: which tests come by, and which of them fail. Tests in docs are
//! built again and again, so they are asked only about functions that no other test notices enough.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kaizen_domain::edit::Change;
use kaizen_domain::{Coverage, Diagnostic, FunctionNoticed, Mutants, Noticed, RelPath, TestOutcome};
use kaizen_mutants::{CANARY, Instrumented, Place, instrument, switch};
use kaizen_sandbox::{Switched, SwitchedOutcome, SwitchedRun, TreeChange, TrialError, nonce};

use super::{Noticing, Source, no_data};

/// How often what the compiler refuses is left out before nothing is said: types are checked before borrows, and each may
/// hide more.
const BUILDS: usize = 5;
/// How long tests in docs are run for wrong versions that no other test notices, seconds.
const DOCS: u64 = 10;

/// The wrong versions of what changes as they were compiled in, for whoever has another way to notice them.
pub(crate) struct WrongVersions {
    /// What leads from the warm base to the tree with all of them.
    pub tree: Vec<TreeChange>,
    /// The variable of the environment that holds the number of the one that is on.
    pub on: String,
    /// The one that names a file to which reached places are noted.
    pub seen: String,
    pub all: Vec<WrongVersion>,
    /// Where it is noted what is run, in functions of which tests do not run all that changes.
    pub places: Vec<NotedPlace>,
}

/// A place where it is noted what is run.
pub(crate) struct NotedPlace {
    pub path: RelPath,
    pub place: Place,
    /// A test comes by.
    pub tested: bool,
}

/// One of them.
pub(crate) struct WrongVersion {
    pub number: usize,
    pub path: RelPath,
    pub function: String,
    pub line: u32,
    pub what: String,
    /// It stands on a line that changes.
    pub changed: bool,
    /// A test fails of it.
    pub caught: bool,
}

/// Files with functions, and the mutants of these.
pub(crate) type Counts = Vec<(RelPath, String, Counted)>;

/// The mutants of a function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counted {
    pub(super) all: Mutants,
    /// Those on lines that change: that the change brings in, or takes away.
    pub(super) changed: Mutants,
    /// What no test notices of these, each with its line.
    pub(super) open: Vec<(u32, String)>,
    pub(super) lines: Coverage,
}

/// One side of the change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Noticing<'_> {
    /// The mutants of functions on one side, with what tests made of them; none when that could not be seen.
    pub(super) fn counted(
        &self,
        side: Side,
        sources: &[Source<'_>],
        wanted: &dyn Fn(&Source<'_>) -> BTreeSet<String>,
        noticed: &mut Noticed,
    ) -> Result<Option<Counts>, TrialError> {
        let tag = nonce().to_uppercase();
        let (on, seen) = (format!("K{tag}"), format!("S{tag}"));
        let tree = if side == Side::Before { self.trees.0 } else { self.trees.1 };
        let mut without = match self.left_out(side, sources, wanted) {
            Ok(without) => without,
            Err(why) => return Ok(no_data(noticed, why)),
        };
        for _ in 0..BUILDS {
            let made = match all_of(side, sources, wanted, &without) {
                Ok(made) => made,
                Err(why) => return Ok(no_data(noticed, why)),
            };
            let mut numbers: BTreeSet<usize> =
                made.iter().flat_map(|(_, made)| made.mutants.iter().map(|mutant| mutant.number)).collect();
            let places: BTreeSet<usize> =
                made.iter().flat_map(|(_, made)| made.places.iter().map(|place| place.number)).collect();
            if numbers.is_empty() && places.is_empty() {
                return Ok(Some(Vec::new()));
            }
            numbers.insert(CANARY);
            let mut changes = tree.to_vec();
            changes.extend(self.with_switch(side, &made, &switch(&on, &seen)));
            let budget = Duration::from_secs(self.settings.mutants_secs);
            let switched = Switched {
                changes: &changes,
                numbers: &numbers,
                places: &places,
                on: &on,
                seen: &seen,
                docs: false,
                budget,
            };
            match self.runner.try_switched(self.warm, &switched, self.cancel)? {
                SwitchedOutcome::Ran(run) if run.reached.contains(&CANARY) && !run.caught.contains(&CANARY) => {
                    return Ok(no_data(noticed, "a test that must fail does not".to_owned()));
                }
                SwitchedOutcome::Ran(mut run) => {
                    let first = counts(sources, side, wanted, &made, &run);
                    let unclear = unclear(&first, &made, &run);
                    if side == Side::After && !unclear.is_empty() && self.has_tests_in_docs() {
                        let budget = budget.min(Duration::from_secs(DOCS));
                        let switched = Switched { numbers: &unclear, docs: true, budget, ..switched };
                        if let SwitchedOutcome::Ran(more) =
                            self.runner.try_switched(self.warm, &switched, self.cancel)?
                        {
                            run.reached.extend(more.reached);
                            run.caught.extend(more.caught);
                            run.late.extend(more.late);
                        }
                    }
                    let counted = counts(sources, side, wanted, &made, &run);
                    if side == Side::After {
                        let all = wrong_versions(&made, &run);
                        let places = noted(&made, &run);
                        let _ = self.wrong.set(WrongVersions { tree: changes, on, seen, all, places });
                    }
                    return Ok(Some(counted));
                }
                SwitchedOutcome::Refused(errors) => {
                    let blamed: BTreeSet<usize> = errors.iter().flat_map(|error| blamed(error, &made)).collect();
                    if blamed.is_empty() {
                        let first = errors.first().map(|error| error.message.clone()).unwrap_or_default();
                        return Ok(no_data(noticed, format!("wrong versions do not build: {first}")));
                    }
                    without.extend(blamed);
                }
                SwitchedOutcome::Unclear(why) => return Ok(no_data(noticed, why)),
            }
        }
        Ok(no_data(noticed, "the compiler refuses too many wrong versions".to_owned()))
    }

    fn has_tests_in_docs(&self) -> bool {
        self.report.tests.iter().any(|(id, test)| {
            test.outcome == TestOutcome::Passed
                && id.0.split("::").next().is_some_and(|target| target.ends_with("/doc"))
        })
    }

    /// The numbers that are too many: what is left is spread over all functions.
    fn left_out(
        &self,
        side: Side,
        sources: &[Source<'_>],
        wanted: &dyn Fn(&Source<'_>) -> BTreeSet<String>,
    ) -> Result<BTreeSet<usize>, String> {
        let made = all_of(side, sources, wanted, &BTreeSet::new())?;
        // Those on lines that change come first, then one of each function, then the rest in turn.
        let mut all: Vec<(usize, usize, usize)> = Vec::new();
        for (source, made) in &made {
            let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
            for mutant in &made.mutants {
                let turn = seen.entry(mutant.function.as_str()).or_default();
                *turn += 1;
                let rank = if *turn == 1 { 0 } else { 1 + usize::from(!source.changes(side, mutant)) };
                all.push((rank, mutant.number.wrapping_mul(2_654_435_761) % 65_537, mutant.number));
            }
        }
        all.sort_unstable();
        Ok(all.into_iter().skip(self.settings.mutants as usize).map(|(_, _, number)| number).collect())
    }

    /// The sources with wrong versions, and the roots of their crates with the switch.
    fn with_switch(&self, side: Side, made: &[(&Source<'_>, Instrumented)], switch: &str) -> Vec<TreeChange> {
        let mut files: Vec<(String, String)> =
            made.iter().map(|(source, made)| (source.path.to_string(), made.text.clone())).collect();
        let roots: BTreeSet<&str> =
            made.iter().flat_map(|(source, _)| &source.package.roots).map(|root| root.path.as_str()).collect();
        for root in roots {
            match files.iter_mut().find(|(path, _)| path == root) {
                Some((_, text)) => text.push_str(switch),
                None => {
                    let changed =
                        self.changes.iter().find(|change| change.path.as_str() == root && side == Side::After);
                    let text = changed.and_then(Change::texts).map(|(_, after)| after.to_owned());
                    if let Some(text) = text.or_else(|| (self.read)(root)) {
                        files.push((root.to_owned(), text + switch));
                    }
                }
            }
        }
        let write = |(path, text): (String, String)| {
            let path = RelPath::new(path).ok()?;
            Some(TreeChange::Write { path, bytes: text.into_bytes(), executable: false })
        };
        files.into_iter().filter_map(write).collect()
    }
}

/// The sources with the mutants of the functions that are wanted, numbered through.
fn all_of<'s, 'a>(
    side: Side,
    sources: &'s [Source<'a>],
    wanted: &dyn Fn(&Source<'_>) -> BTreeSet<String>,
    without: &BTreeSet<usize>,
) -> Result<Vec<(&'s Source<'a>, Instrumented)>, String> {
    // Numbers stay the same when some are left out.
    const ROOM: usize = 1 << 20;
    let mut made = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let text = if side == Side::Before { source.before } else { source.after };
        let functions = wanted(source);
        if functions.is_empty() || source.package.roots.is_empty() {
            continue;
        }
        let lines = if side == Side::After { &source.lines } else { &source.gone };
        let instrumented = instrument(text, &functions, lines, at * ROOM, without);
        made.push((source, instrumented.map_err(|why| format!("{}: {why}", source.path))?));
    }
    Ok(made)
}

/// Those that no test fails of, in functions that tests do not notice enough.
fn unclear(counts: &Counts, made: &[(&Source<'_>, Instrumented)], run: &SwitchedRun) -> BTreeSet<usize> {
    let is_open = |path: &RelPath, name: &str| {
        counts.iter().filter(|(of, function, _)| of == path && function == name).any(|(_, _, counted)| {
            let changed = Some(counted.changed.clone()).filter(|changed| changed.tried > 0);
            let of = FunctionNoticed::new(path.clone(), name, 0, counted.all.clone());
            FunctionNoticed { changed, ..of }.reason(false, &[]).is_some()
        })
    };
    let all = made.iter().flat_map(|(source, made)| made.mutants.iter().map(move |mutant| (source.path, mutant)));
    all.filter(|(path, mutant)| !run.caught.contains(&mutant.number) && is_open(path, &mutant.function))
        .map(|(_, mutant)| mutant.number)
        .collect()
}

/// Those that tests were run with.
fn wrong_versions(made: &[(&Source<'_>, Instrumented)], run: &SwitchedRun) -> Vec<WrongVersion> {
    let all = made.iter().flat_map(|(source, made)| made.mutants.iter().map(move |mutant| (source, mutant)));
    all.filter(|(_, mutant)| !run.late.contains(&mutant.number))
        .map(|(source, mutant)| WrongVersion {
            number: mutant.number,
            path: source.path.clone(),
            function: mutant.function.clone(),
            line: mutant.line,
            what: mutant.what.clone(),
            changed: source.changes(Side::After, mutant),
            caught: run.caught.contains(&mutant.number),
        })
        .collect()
}

/// The places in functions of which tests do not run all that changes.
fn noted(made: &[(&Source<'_>, Instrumented)], run: &SwitchedRun) -> Vec<NotedPlace> {
    let mut all = Vec::new();
    for (source, made) in made {
        let tested = |place: &Place| run.reached.contains(&place.number);
        let open: BTreeSet<&str> =
            made.places.iter().filter(|place| !tested(place)).map(|place| place.function.as_str()).collect();
        let here = made.places.iter().filter(|place| open.contains(place.function.as_str()));
        all.extend(here.map(|place| NotedPlace {
            path: source.path.clone(),
            place: place.clone(),
            tested: tested(place),
        }));
    }
    all
}

/// Those that the compiler means with an error: the one that is there, or else all in the function around it, for what is left
/// out in one place is missed in another.
fn blamed(error: &Diagnostic, made: &[(&Source<'_>, Instrumented)]) -> Vec<usize> {
    let Some((_, made)) = made.iter().find(|(source, _)| Some(source.path) == error.path.as_ref()) else {
        return Vec::new();
    };
    match made.refused(error.bytes.0 as usize..error.bytes.1 as usize) {
        Some(number) => vec![number],
        None => made.in_function(error.line).collect(),
    }
}

/// What tests made of the mutants, function by function.
fn counts(
    sources: &[Source<'_>],
    side: Side,
    wanted: &dyn Fn(&Source<'_>) -> BTreeSet<String>,
    made: &[(&Source<'_>, Instrumented)],
    run: &SwitchedRun,
) -> Counts {
    let mut counts = Counts::new();
    for source in sources {
        let Some((_, made)) = made.iter().find(|(one, _)| one.path == source.path) else { continue };
        for function in wanted(source) {
            let mut counted = Counted { lines: coverage(&function, made, run), ..Counted::default() };
            for mutant in made.mutants.iter().filter(|mutant| mutant.function == function) {
                if run.late.contains(&mutant.number) {
                    continue;
                }
                let (reached, caught) = (run.reached.contains(&mutant.number), run.caught.contains(&mutant.number));
                let count = |mutants: &mut Mutants| mutants.count(reached, caught, mutant.line, &mutant.what);
                count(&mut counted.all);
                if source.changes(side, mutant) {
                    count(&mut counted.changed);
                    counted.open.extend((!caught).then(|| (mutant.line, mutant.what.clone())));
                }
            }
            counts.push((source.path.clone(), function, counted));
        }
    }
    counts
}

/// Which lines of a function that change tests run.
fn coverage(function: &str, made: &Instrumented, run: &SwitchedRun) -> Coverage {
    let mut coverage = Coverage::default();
    for place in made.places.iter().filter(|place| place.function == function) {
        if run.reached.contains(&place.number) {
            coverage.run += place.lines.len() as u64;
        } else {
            coverage.not_run.extend(&place.lines);
        }
    }
    coverage.not_run.sort_unstable();
    coverage
}
