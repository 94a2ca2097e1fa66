//! Behaving: whether the libraries that a change touches do the same as before, for inputs that are made up from signatures
//! and literals. The driver is built against the tree before and the one after; where they differ, it is asked whether any test
//! tells the two apart.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kaizen_behaviour::{
    Difference, Driver, Entry, LongDifference, Plan, Program, Said, Sources, Unit, differences, differences_of_long,
    known_inputs,
};
use kaizen_domain::edit::Change;
use kaizen_domain::{Behaviour, Differs, Driven, Noticed, TestId, TrialReport};
use kaizen_sandbox::{DriverBuilt, DriverSource, Metadata, Package, TreeChange, TrialError};

use crate::carried::leaner;
use crate::driven_root::Root;
use crate::noticing::{Noticing, is_code, is_test_file, left_to_tests};
use crate::smallest_input::Shown;
use crate::told_apart::told_apart;

/// How often a driver is built because one side refuses more than the other.
const BUILDS: usize = 4;
/// For how many functions a difference is made smaller and told.
const TOLD: usize = 3;
/// How many inputs that show a difference are looked at for the smallest to begin with.
const FIRST: usize = 24;
/// With how many long inputs each function is called.
const LARGE: u64 = 12;
/// How many times fewer inputs there are for functions that only lead to what changes.
const LESS: u64 = 4;
/// How many times more inputs there are where neither tests nor the usual ones run all that changes.
pub(crate) const MORE: u64 = 4;
/// Files of tests whose literals are taken.
const TESTS: usize = 60;

/// A change, and what else has to be known of it.
pub(crate) struct Behaving<'a> {
    /// The trees, and how they are tried.
    pub of: &'a Noticing<'a>,
    /// The report of the tree before the change.
    pub against: &'a TrialReport,
    /// The patch is of a kind that keeps behaviour.
    pub claimed: bool,
    /// How far tests notice what changes.
    pub noticed: &'a Noticed,
}

/// The driver of a package, built on both sides.
pub(crate) struct Ready {
    pub driver: Driver,
    pub program: Program,
    /// What is left out of it, by number and by what it is.
    pub left_out: BTreeSet<usize>,
    pub refused: BTreeSet<Unit>,
    pub root: Root,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

impl Behaving<'_> {
    /// Looks at the change; none when it touches no library.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn look(&self) -> Result<Option<Behaviour>, TrialError> {
        let Some(mut behaviour) = self.driven()? else { return Ok(None) };
        behaviour.knows = self.knows();
        // Where nothing differs, that matters only for what no input comes to.
        if !behaviour.differences.is_empty() || !left_to_tests(self.noticed, &behaviour).is_empty() {
            let told = told_apart(self.of, self.against)?;
            (behaviour.told_apart, behaviour.rewritten) = (told.apart, told.rewritten);
        }
        if !self.claimed && !behaviour.told_apart.is_empty() {
            behaviour.carried = self.carried(&behaviour.told_apart)?;
        }
        Ok(Some(behaviour))
    }

    /// What functions give on both sides; none when no library is touched.
    fn driven(&self) -> Result<Option<Behaviour>, TrialError> {
        let metadata = self.of.metadata()?;
        let mut behaviour = Behaviour { claimed: self.claimed, ..Behaviour::default() };
        let packages = self.packages(metadata);
        if packages.is_empty() {
            return Ok(None);
        }
        for package in packages {
            for root in self.roots(package) {
                match self.ready(package, root)? {
                    Ok(ready) => {
                        let before = (behaviour.driven.len(), behaviour.no_data.len());
                        self.drive(&ready, self.plan(&ready, 1), &mut behaviour)?;
                        if self.look_inside(&ready, package, &mut behaviour)? {
                            behaviour.driven.truncate(before.0);
                            behaviour.no_data.truncate(before.1);
                            self.drive(&ready, self.plan(&ready, MORE), &mut behaviour)?;
                        }
                    }
                    Err(why) => behaviour.no_data.extend(why),
                }
            }
        }
        Ok(Some(behaviour))
    }

    /// What does something else because of lines that the tests which tell the two sides apart do not need.
    fn carried(&self, told: &[TestId]) -> Result<Vec<Differs>, TrialError> {
        let Some(leaner) = leaner(self.of, told)? else { return Ok(Vec::new()) };
        let read = |path: &str| match leaner.rest.iter().find(|change| change.path.as_str() == path) {
            Some(change) => Some(change.texts()?.0.to_owned()),
            None => self.after(path),
        };
        let noticing = Noticing {
            trees: (&leaner.tree, self.of.trees.1),
            changes: &leaner.rest,
            read: &read,
            metadata: OnceCell::from(self.of.metadata()?.clone()),
            wrong: OnceCell::new(),
            counts: OnceCell::new(),
            ..*self.of
        };
        let rest = Behaving { of: &noticing, against: self.of.report, claimed: false, noticed: &Noticed::default() }
            .driven()?;
        Ok(rest.map(|rest| rest.differences).unwrap_or_default())
    }

    /// Where code compares with what tests give.
    fn knows(&self) -> Vec<String> {
        let tests = self.of.files.iter().filter(|path| path.ends_with(".rs") && is_test_file(path, "", "")).take(TESTS);
        let mut tests: Vec<String> = tests.filter_map(|path| (self.of.read)(path)).collect();
        let changes = || self.of.changes.iter().filter(|change| is_code(change));
        let texts = |change: &&Change| {
            change.texts().is_some_and(|(before, after)| is_test_file(change.path.as_str(), before, after))
        };
        tests.extend(changes().filter(texts).filter_map(|change| Some(change.texts()?.1.to_owned())));
        let mut all = Vec::new();
        let code: Vec<(&Change, (&str, &str))> =
            changes().filter(|change| !texts(change)).filter_map(|change| Some((change, change.texts()?))).collect();
        for (at, (change, (before, after))) in code.iter().enumerate() {
            let others = code.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (_, texts))| *texts);
            let others: Vec<(&str, &str)> = others.collect();
            let known = known_inputs(before, after, &others, &tests).into_iter().take(TOLD);
            all.extend(known.map(|literal| format!("{} compares with {literal}", change.path)));
        }
        all
    }

    /// The packages whose code changes.
    fn packages<'m>(&self, metadata: &'m Metadata) -> Vec<&'m Package> {
        let mut packages: Vec<&Package> = Vec::new();
        for change in self.of.changes.iter().filter(|change| change.path.is_rust()) {
            let Some(package) = metadata.package_of(change.path.as_str()) else { continue };
            let (before, after) = change.texts().unwrap_or_default();
            let below = change.path.as_str().strip_prefix(package.folder()).unwrap_or_default();
            if !is_test_file(below, before, after) && packages.iter().all(|known| known.name != package.name) {
                packages.push(package);
            }
        }
        packages
    }

    /// The text of a file after the change.
    pub(crate) fn after(&self, path: &str) -> Option<String> {
        match self.of.changes.iter().find(|change| change.path.as_str() == path) {
            Some(change) => Some(change.after.as_ref().and(change.texts())?.1.to_owned()),
            None => (self.of.read)(path),
        }
    }

    /// Builds the driver of a package on both sides; the reasons when there is nothing to be driven.
    fn ready(&self, package: &Package, root: Root) -> Result<Result<Ready, Vec<String>>, TrialError> {
        let others = self.libraries(package, &root)?;
        let tests = |path: &&String| {
            let below = path.strip_prefix(package.folder()).unwrap_or_default();
            below.ends_with(".rs") && below != "build.rs" && is_test_file(below, "", "")
        };
        let tests: Vec<String> =
            self.of.files.iter().filter(tests).take(TESTS).filter_map(|path| (self.of.read)(path)).collect();
        let name = root.name.replace('-', "_");
        let expanded = self.expanded(package, &root)?;
        let driver = Driver::of(&Sources {
            root: &root.path,
            name: &name,
            before: &|path| root.text((self.of.read)(path)?),
            after: &|path| root.text(self.after(path)?),
            expanded: expanded.as_ref(),
            tests: &tests,
            others: &others,
            program: root.module(package),
        });
        let trees = [self.of.trees.0, self.of.trees.1].map(|tree| self.tree(&root, tree));
        if driver.driven(&BTreeSet::new()).next().is_none() {
            let why = [driver.no_data.clone(), not_driven(&driver, &BTreeSet::new())].concat();
            return Ok(Err(why));
        }
        let program = driver.program();
        let mut left_out = BTreeSet::new();
        for _ in 0..BUILDS {
            let (before, after) = match self.built(package, (&program, root.edition(package)), &left_out, &trees)? {
                [DriverBuilt::Program(before, refused), DriverBuilt::Program(after, refused_now)] => {
                    // What one side refuses is left out on both.
                    left_out = &refused | &refused_now;
                    if refused != refused_now {
                        continue;
                    }
                    (before, after)
                }
                [DriverBuilt::Unclear(why), _] | [_, DriverBuilt::Unclear(why)] => {
                    return Ok(Err(vec![format!("`{name}` cannot be driven: {why}")]));
                }
            };
            let refused = program.units(&left_out);
            if driver.driven(&refused).next().is_none() {
                let why = [driver.no_data.clone(), not_driven(&driver, &refused)].concat();
                return Ok(Err(why));
            }
            return Ok(Ok(Ready { driver, program, left_out, refused, root, before, after }));
        }
        Ok(Err(vec![format!("`{name}` cannot be driven: what can be called of it is not the same after the change")]))
    }

    /// A driver built on both sides at once: most of it is one thread of the compiler's.
    fn built(
        &self,
        package: &Package,
        (program, edition): (&Program, &str),
        left_out: &BTreeSet<usize>,
        trees: &[Vec<TreeChange>; 2],
    ) -> Result<[DriverBuilt; 2], TrialError> {
        let Noticing { runner, warm, cancel, .. } = *self.of;
        let [before, after] = trees;
        let parts = program.parts();
        let source = DriverSource { text: &program.text, edition, parts: &parts, left_out };
        std::thread::scope(|scope| {
            let before = scope.spawn(|| runner.build_driver(warm, package, source, before, cancel));
            let after = runner.build_driver(warm, package, source, after, cancel);
            let before = before.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok([before?, after?])
        })
    }

    /// How often each function is called, and for how long; what changes so many times more often than usual.
    pub(crate) fn plan(&self, ready: &Ready, more: u64) -> Plan {
        let settings = self.of.settings;
        let entries: Vec<(usize, &Entry)> = ready.driver.driven(&ready.refused).collect();
        // What only leads to what changes is called less often, where that can be called itself.
        let direct = entries.iter().any(|(_, entry)| entry.changes && entry.inputs().is_none());
        let near = |entry: &Entry| (entry.changes || !direct) && entry.inputs().is_none();
        let inputs = |entry: &Entry| match (entry.inputs(), near(entry)) {
            (Some(enough), _) => enough,
            (None, true) => u64::from(settings.inputs) * more,
            (None, false) => u64::from(settings.inputs) / LESS,
        };
        let large: Vec<(usize, u64)> =
            entries.iter().filter(|(_, entry)| near(entry)).map(|(number, _)| (*number, LARGE)).collect();
        // What changes comes last, so that it has the time which the others leave.
        let mut many: Vec<(usize, u64)> = entries.iter().map(|(number, entry)| (*number, inputs(entry))).collect();
        let is_near = |number: usize| entries.iter().any(|(other, entry)| *other == number && near(entry));
        many.sort_by_key(|(number, inputs)| (is_near(*number), *inputs));
        let millis = settings.inputs_secs.saturating_mul(1000);
        Plan {
            seed: self.seed(),
            time: millis / 3 * if more > 1 { 4 } else { 2 },
            long: millis / 3 / u64::try_from(large.len()).unwrap_or(u64::MAX).max(1),
            many,
            last: entries.iter().filter(|(_, entry)| near(entry)).count(),
            large,
            ..Plan::default()
        }
    }

    fn drive(&self, ready: &Ready, plan: Plan, behaviour: &mut Behaviour) -> Result<(), TrialError> {
        let entries: Vec<(usize, &Entry)> = ready.driver.driven(&ready.refused).collect();
        let [first, now] = self.run(&plan, [&ready.before, &ready.after])?;
        if !first.cases.is_empty() && now.cases.is_empty() {
            let library =
                ready.driver.entries.first().map_or("", |entry| entry.name.split("::").next().unwrap_or_default());
            behaviour.differences.push(Differs {
                function: library.to_owned(),
                input: format!("use {library};"),
                before: "a program that runs".to_owned(),
                after: "one that ends before anything is called".to_owned(),
                of: 1,
                worse: true,
                promise: false,
            });
            return Ok(());
        }
        // What is the same on both sides is the same twice. Only where something differs must it be known what never is.
        let alone = differences([&first, &first], &now);
        let differs = alone.values().any(|(_, differ)| !differ.is_empty());
        let (compared, long) = if differs || !differences_of_long([&first, &first], &now).is_empty() {
            // What did not come back is not called again.
            let large = plan.large.iter().map(|(entry, _)| (*entry, first.long_answers(*entry))).collect();
            let plan = Plan { ends: first.ends().collect(), large, ..plan };
            let [second] = self.run(&plan, [&ready.before])?;
            (differences([&first, &second], &now), differences_of_long([&first, &second], &now))
        } else {
            (alone, BTreeMap::new())
        };
        let mut told = 0;
        for (number, entry) in entries {
            let (inputs, differ) = compared.get(&number).cloned().unwrap_or_default();
            if !entry.promises {
                behaviour.driven.push(Driven { function: entry.name.clone(), inputs, changes: entry.changes });
            }
            if inputs == 0 && entry.changes {
                behaviour.no_data.push(format!("no input of `{}` shows what it does", entry.name));
            }
            if told == TOLD {
                continue;
            }
            if differ.is_empty() {
                if let Some(LongDifference { input, before, after, worse }) = long.get(&number).cloned() {
                    told += 1;
                    let function = entry.name.clone();
                    behaviour.differences.push(Differs {
                        function,
                        input,
                        before,
                        after,
                        of: 1,
                        worse,
                        promise: false,
                    });
                }
                continue;
            }
            // An answer that is gone says more than another one.
            let of = |said: &Said, one: &Difference| said.cases.get(&(one.entry, one.case)).cloned();
            let is_worse = |one: &&Difference| {
                of(&now, one).zip(of(&first, one)).is_some_and(|(now, was)| now.is_worse_than(&was))
            };
            let (gone, others): (Vec<&Difference>, Vec<&Difference>) = differ.iter().partition(is_worse);
            let first = |some: Vec<&Difference>| -> Vec<(usize, u64)> {
                some.into_iter().take(FIRST).map(|one| (one.entry, one.case)).collect()
            };
            let mut found = match gone.is_empty() {
                true => None,
                false => self.smallest(ready, number, first(gone), true)?,
            };
            // What was late once on a busy machine hides nothing.
            if found.is_none() && !others.is_empty() {
                found = self.smallest(ready, number, first(others), false)?;
            }
            if let Some(shown) = found {
                told += 1;
                let (function, of) = (entry.name.clone(), u64::try_from(differ.len()).unwrap_or(u64::MAX));
                let Shown { input, before, after, worse, .. } = shown;
                let (worse, promise) = (worse || entry.promises, entry.promises);
                behaviour.differences.push(Differs { function, input, before, after, of, worse, promise });
            }
        }
        behaviour.no_data.extend(ready.driver.no_data.iter().cloned());
        behaviour.no_data.extend(not_driven(&ready.driver, &ready.refused));
        Ok(())
    }

    /// What programs say to a plan.
    pub(crate) fn run<const N: usize>(&self, plan: &Plan, programs: [&Vec<u8>; N]) -> Result<[Said; N], TrialError> {
        let programs = programs.map(Vec::as_slice);
        let said = self.of.runner.run_drivers(self.of.warm, programs, &plan.text(), self.of.cancel)?;
        Ok(said.map(|text| Said::read(plan, text.trim_start())))
    }

    /// Another one for each trial, so that no patch can know it, and the same when the trial is looked at again.
    pub(crate) fn seed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.of.report.id.to_string().hash(&mut hasher);
        hasher.finish()
    }
}

/// What changes and was left out, because the compiler refuses every way to call it.
fn not_driven(driver: &Driver, refused: &BTreeSet<Unit>) -> Vec<String> {
    let driven: BTreeMap<usize, &Entry> = driver.driven(refused).collect();
    let left =
        driver.entries.iter().enumerate().filter(|(number, entry)| entry.changes && !driven.contains_key(number));
    left.map(|(_, entry)| format!("`{}` cannot be driven: no values for its arguments are known", entry.name)).collect()
}
