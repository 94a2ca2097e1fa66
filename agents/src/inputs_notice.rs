//! Made-up inputs that notice: whether what functions are driven with would show it if the change were wrong, and which of the
//! lines that change it runs. The driver is built once more, against the library with all its wrong versions behind their
//! switch, and run with one after the other on: those that no test fails of, in functions that tests do not notice enough.

use kaizen_behaviour::{Plan, Said, differences};
use kaizen_domain::{Behaviour, FunctionNoticed, Mutants, NoticedByInputs, RelPath};
use kaizen_sandbox::{DriverBuilt, DriverSource, Package, TrialError};

use crate::behaving::{Behaving, MORE, Ready};
use crate::noticing::{NotedPlace, WrongVersion, WrongVersions};

/// Functions that are called for each wrong version, and inputs for each of them.
const FUNCTIONS: usize = 8;
const INPUTS: u64 = 3_000;
/// How long all calls of one of them may take, milliseconds.
const EACH: u64 = 500;
/// Wrong versions that the program is run with before what it wrote down is looked at: that is large.
const AT_ONCE: usize = 8;
/// No number: nothing is on, and everything else is as if it were. The star is for as long as it takes.
const NONE: &str = "none*";

impl Behaving<'_> {
    /// Lets made-up inputs come by the wrong versions and the places that are compiled in: which lines that change they run, where
    /// tests do not run all, and whether they notice wrong versions of functions that tests do not notice enough. It says whether
    /// only more inputs than usual came to some of those lines: what they do there is not known then.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn look_inside(
        &self,
        ready: &Ready,
        package: &Package,
        behaviour: &mut Behaviour,
    ) -> Result<bool, TrialError> {
        let of = self.of;
        let Some(wrong) = of.wrong.get() else { return Ok(false) };
        let open = if behaviour.differences.is_empty() { self.open(package, wrong) } else { Vec::new() };
        let within = |path: &RelPath| path.as_str().starts_with(package.folder());
        let places: Vec<&NotedPlace> = wrong.places.iter().filter(|one| within(&one.path)).collect();
        if open.is_empty() && places.is_empty() {
            return Ok(false);
        }
        let source = DriverSource {
            text: &ready.program.text,
            edition: ready.root.edition(package),
            parts: &ready.program.parts(),
            left_out: &ready.left_out,
        };
        let tree = self.tree(&ready.root, &wrong.tree);
        let built = of.runner.build_driver(of.warm, package, source, &tree, of.cancel)?;
        let DriverBuilt::Program(program, left_out) = built else { return Ok(false) };
        if left_out != ready.left_out {
            return Ok(false);
        }
        let mut is_far = false;
        if !places.is_empty() {
            let noted = |more: u64| {
                let plan = self.plan(ready, more).text();
                of.runner.run_driver_noting(of.warm, &program, &plan, &wrong.seen, of.cancel)
            };
            let mut seen = noted(1)?;
            if !seen.is_empty() && places.iter().any(|one| !one.tested && !seen.contains(&one.place.number)) {
                let more = noted(MORE)?;
                is_far = !more.is_subset(&seen);
                seen.extend(more);
            }
            for NotedPlace { path, place, .. } in places.into_iter().filter(|one| seen.contains(&one.place.number)) {
                behaviour.run(path, &place.function, &place.lines);
            }
        }
        if !open.is_empty() {
            behaviour.notices.extend(self.notices(ready, wrong, &program, &open)?);
        }
        Ok(is_far && behaviour.differences.is_empty())
    }

    /// What made-up inputs make of wrong versions of these functions.
    fn notices(
        &self,
        ready: &Ready,
        wrong: &WrongVersions,
        program: &[u8],
        open: &[(&RelPath, &str)],
    ) -> Result<Vec<NoticedByInputs>, TrialError> {
        let of = self.of;
        let entries = ready.driver.driven(&ready.refused).take(FUNCTIONS);
        let many: Vec<(usize, u64)> = entries.map(|(number, _)| (number, INPUTS)).collect();
        let time = EACH.saturating_mul(u64::try_from(many.len()).unwrap_or(1));
        let plan = Plan { seed: self.seed(), time, many, ..Plan::default() };
        let run = |numbers: &[String]| -> Result<Vec<Said>, TrialError> {
            let variables: Vec<String> = numbers.iter().map(|number| format!("{}={number}", wrong.on)).collect();
            let said = of.runner.run_driver_with(of.warm, program, &plan.text(), &variables, of.cancel)?;
            Ok(said.iter().map(|text| Said::read(&plan, text.trim_start())).collect())
        };
        let none = run(&[NONE.to_owned(), NONE.to_owned()])?;
        let [first, second] = none.as_slice() else { return Ok(Vec::new()) };
        let shows = |said: &Said| {
            (said.cases.is_empty() && !first.cases.is_empty())
                || differences([first, second], said).values().any(|(_, differ)| !differ.is_empty())
        };
        let mut all: Vec<NoticedByInputs> = Vec::new();
        for &(path, function) in open {
            let here: Vec<&WrongVersion> =
                wrong.all.iter().filter(|one| one.path == *path && one.function == function).collect();
            let changed: Vec<&WrongVersion> = here.iter().filter(|one| one.changed).copied().collect();
            let asked = if changed.is_empty() { here } else { changed };
            let mut mutants = Mutants::default();
            for some in asked.chunks(AT_ONCE) {
                let left: Vec<String> =
                    some.iter().filter(|one| !one.caught).map(|one| format!("{}*", one.number)).collect();
                let mut said = run(&left)?.into_iter();
                for one in some {
                    let caught = one.caught || said.next().is_some_and(|said| shows(&said));
                    mutants.count(caught, caught, one.line, &one.what);
                }
            }
            all.push(NoticedByInputs { path: path.clone(), function: function.to_owned(), mutants });
        }
        Ok(all)
    }

    /// The functions of a package that tests do not notice enough, and of which there are wrong versions.
    fn open(&self, package: &Package, wrong: &WrongVersions) -> Vec<(&RelPath, &str)> {
        let within = |path: &RelPath| path.as_str().starts_with(package.folder());
        let is_there = |one: &FunctionNoticed| {
            wrong.all.iter().any(|wrong| wrong.path == one.path && wrong.function == one.function)
        };
        let functions = self
            .noticed
            .functions
            .iter()
            .filter(|one| within(&one.path) && one.reason(false, &[]).is_some() && is_there(one));
        functions.map(|one| (&one.path, one.function.as_str())).collect()
    }
}
