//! The smallest input that shows a difference: what differs is run again and again on both sides until chance is ruled out, and
//! then made smaller as long as it differs.

use kaizen_behaviour::{Case, Plan, Said, Shrinking, Status, always_differ, wavers};
use kaizen_sandbox::TrialError;

use crate::behaving::{Behaving, Ready};

/// How often a case is run on each side before a difference counts.
const AGAIN: usize = 10;
/// How often what was always the same and is not any more is run on the side where it was.
const LONGER: usize = 24;
/// In how many rounds an input is made smaller.
const ROUNDS: usize = 16;

/// A case that differs.
pub(crate) struct Shown {
    choices: Vec<u64>,
    pub input: String,
    pub before: String,
    pub after: String,
    hangs: bool,
    /// There is no answer any more.
    pub worse: bool,
}

impl Behaving<'_> {
    /// The smallest input found that shows a difference, or that there is no answer any more where only that is looked for, with
    /// what comes of it before and after; none when what comes of it is another one each time.
    pub(crate) fn smallest(
        &self,
        ready: &Ready,
        entry: usize,
        again: Vec<(usize, u64)>,
        gone: bool,
    ) -> Result<Option<Shown>, TrialError> {
        let cases = again.len();
        let shown = self.always(ready, &Plan { seed: self.seed(), again, ..Plan::default() }, cases)?;
        let Some(mut best) = shown.into_iter().min_by(|one, other| one.choices.cmp(&other.choices)) else {
            return Ok(None);
        };
        // One that does not come back costs its time with every try.
        let mut shrinking = Shrinking::of(best.choices.clone());
        let rounds = if best.hangs { 0 } else { ROUNDS };
        for _ in 0..rounds {
            let with = shrinking.propose().iter().map(|choices| (entry, choices.clone())).collect();
            let plan = Plan { with, ..Plan::default() };
            let [was, again, mut now] = self.run(&plan, [&ready.before, &ready.before, &ready.after])?;
            for (now, was) in now.whole.iter_mut().zip(&was.whole).filter(|(now, was)| gone && !now.is_worse_than(was))
            {
                now.clone_from(was);
            }
            if shrinking.take([&was.whole, &again.whole], &now.whole).is_none() {
                break;
            }
        }
        if shrinking.best() != best.choices {
            let plan = Plan { with: vec![(entry, shrinking.best().to_vec())], ..Plan::default() };
            best = self.always(ready, &plan, 1)?.into_iter().next().unwrap_or(best);
        }
        Ok(Some(best))
    }

    /// The cases of a plan that differ however often they are run.
    fn always(&self, ready: &Ready, plan: &Plan, cases: usize) -> Result<Vec<Shown>, TrialError> {
        let before: [Said; AGAIN] = self.run(plan, [&ready.before; AGAIN])?;
        let after: [Said; AGAIN] = self.run(plan, [&ready.after; AGAIN])?;
        fn of<'s>(all: impl IntoIterator<Item = &'s Said>, at: usize) -> Vec<&'s Case> {
            all.into_iter().filter_map(|said| said.whole.get(at)).collect()
        }
        let differ = |at: &usize| always_differ(&of(&before, *at), &of(&after, *at));
        let all: Vec<usize> =
            (0..cases).filter(|at| of(&before, *at).len() == AGAIN && of(&after, *at).len() == AGAIN).collect();
        let mut shown: Vec<Shown> = all
            .iter()
            .filter(|at| differ(at))
            .filter_map(|at| shown(&of(&before, *at), &of(&after, *at), None))
            .collect();
        // What is always the same and then not always: that it was the same may be chance, so it is looked at longer.
        if shown.is_empty() && all.iter().any(|at| wavers(&of(&before, *at), &of(&after, *at)).is_some()) {
            let longer: [Said; LONGER] = self.run(plan, [&ready.before; LONGER])?;
            let wavering = all.iter().filter_map(|at| {
                let (before, after) = (of(before.iter().chain(&longer), *at), of(&after, *at));
                let other = wavers(&before, &after)?;
                self::shown(&before, &after, Some(other))
            });
            shown.extend(wavering);
        }
        Ok(shown)
    }
}

/// A case that differs, with another answer after the change where there are several.
fn shown(before: &[&Case], after: &[&Case], other: Option<&Case>) -> Option<Shown> {
    let (was, now) = (before.first()?, after.first()?);
    let (choices, input, _) = was.told.clone()?;
    let (hangs, worse) = (now.status == Status::Hung, now.is_worse_than(was));
    let after = match other {
        None => now.shown(),
        Some(other) => format!("{} or {}, as it comes", now.shown(), other.shown()),
    };
    Some(Shown { choices, input, before: was.shown(), after, hangs, worse })
}
