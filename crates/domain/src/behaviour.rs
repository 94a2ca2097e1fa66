//! Behaviour: what functions gave before and after a change, for inputs that were made up for them. Tests ask about the inputs
//! that somebody thought of; these are the others.

use serde::{Deserialize, Serialize};

use crate::coverage::LinesRun;
use crate::noticed::Mutants;
use crate::path::RelPath;
use crate::trial::TestId;

/// How much of an input, or of what came of it, stands in a sentence, characters.
const SENTENCE: usize = 160;
/// So much of what is the same is shown before what differs.
const BEFORE: usize = 40;

/// What was found out about the functions that a patch changes, or that lead to what it changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Behaviour {
    /// The patch is of a kind that keeps behaviour: a clean-up, or what is only to be faster.
    #[serde(default)]
    pub claimed: bool,
    /// Each function that was driven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub driven: Vec<Driven>,
    /// Inputs for which something else comes back than before, the smallest that was found for a function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Differs>,
    /// Tests that fail before the change and pass after it, new ones included: the difference is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told_apart: Vec<TestId>,
    /// Tests that were there before, and fail with the change as they were: they ask for something else now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewritten: Vec<TestId>,
    /// Of the differences those that are there because of lines which these tests do not need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Differs>,
    /// Which lines that change the inputs run, in functions of which tests do not run all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<LinesRun>,
    /// Whether the made-up inputs would show it if functions were wrong, where tests would not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticedByInputs>,
    /// Where the code compares with what tests give since the change: it may know these inputs and no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knows: Vec<String>,
    /// What could not be driven, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_data: Vec<String>,
}

/// What made-up inputs, or else a test, make of the mutants of a function that tests do not notice enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedByInputs {
    /// The file.
    pub path: RelPath,
    /// The function.
    pub function: String,
    /// Those on lines that change, or all where none is.
    pub mutants: Mutants,
}

impl NoticedByInputs {
    /// Whether all are noticed, but for one in ten, or one of a few: it may be another way to say the same.
    fn is_enough(&self) -> bool {
        self.mutants.tried > 0 && self.mutants.are_noticed()
    }
}

/// A function that was driven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driven {
    /// Its path, as others call it.
    pub function: String,
    /// For how many inputs something could be said.
    pub inputs: u64,
    /// Whether it changes itself, or only leads to what does.
    pub changes: bool,
}

/// An input for which something else comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differs {
    /// The function.
    pub function: String,
    /// The call, such as `shop::fee(5000)`.
    pub input: String,
    /// What came of it before.
    pub before: String,
    /// What comes of it now.
    pub after: String,
    /// Of how many inputs something else comes.
    pub of: u64,
    /// There was an answer before, and is a panic, no end or the end of the process now: no test asks for that by asking for
    /// something else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worse: bool,
    /// The input is no call, but something that the compiler promised and promises no longer, such as `shop::Cart: Send`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub promise: bool,
}

impl Differs {
    /// In one sentence.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.promise {
            return format!("`{}` held, by what it is made of, and does not any more", cut(&self.input));
        }
        let [before, after] = around_what_differs(&self.before, &self.after);
        format!("`{}` gave {before} and now gives {after}", cut(&self.input))
    }
}

/// Two texts as far as a sentence can hold them: what differs is among that.
fn around_what_differs(before: &str, after: &str) -> [String; 2] {
    let same = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let skipped = if same + BEFORE > SENTENCE { same - BEFORE } else { 0 };
    let from = |text: &str| -> String {
        let rest: String = text.chars().skip(skipped).collect();
        if skipped == 0 { cut(&rest) } else { format!("`…{}", cut(&rest)) }
    };
    [from(before), from(after)]
}

/// A text as far as a sentence can hold it.
fn cut(text: &str) -> String {
    if text.chars().count() <= SENTENCE {
        return text.to_owned();
    }
    text.chars().take(SENTENCE).chain(['…']).collect()
}

/// A path without what stands between angle brackets; of what a type does for a trait, `<A as B>::f`, the type's: `A::f`.
fn without_parameters(path: &str) -> String {
    let of_trait =
        path.strip_prefix('<').and_then(|path| Some((path.split_once(" as ")?.0, path.rsplit_once(">::")?.1)));
    let path = of_trait.map_or_else(|| path.to_owned(), |(ty, name)| format!("{ty}::{name}"));
    let mut depth = 0_u32;
    let outside = path.chars().filter(|one| {
        depth += u32::from(*one == '<');
        let kept = depth == 0;
        depth = depth.saturating_sub(u32::from(*one == '>'));
        kept
    });
    outside.collect()
}

/// Whether a path is that of a function as it is called where it stands, such as `Tax::apply`.
fn is_path_of(path: &str, function: &str) -> bool {
    let path = without_parameters(path);
    path.strip_suffix(function).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

impl Behaviour {
    /// Why the patch is refused; empty when it is not: one that claims to keep behaviour must.
    pub fn refusals(&self) -> impl Iterator<Item = String> {
        let all = self.differences.iter().filter(|_| self.claimed);
        all.map(|one| format!("it is to keep behaviour, and does not: {}", one.shown()))
    }

    /// Why a person should look at the change: something differs, and no test says that it should.
    pub fn reasons(&self) -> impl Iterator<Item = String> {
        let told = !self.told_apart.is_empty();
        let all = self.differences.iter().filter(move |_| !told);
        let worse = self.differences.iter().filter(move |one| told && one.worse);
        let worse = worse.map(|one| format!("{}, whatever else tests ask for", one.shown()));
        let carried = self.carried.iter();
        let carried = carried.map(|one| format!("{}, which no test asks for: they all pass without it", one.shown()));
        let rewritten = self.rewritten.iter();
        let rewritten = rewritten.map(|test| format!("test `{test}` fails as it was: it asks for something else now"));
        let carried = carried.chain(rewritten);
        let knows =
            self.knows.iter().map(|what| format!("it may know the inputs of the tests: {what}, which they give"));
        all.map(|one| format!("{}, and no test tells the two apart", one.shown()))
            .chain(worse)
            .chain(carried)
            .chain(knows)
    }

    /// Whether a function was called itself, and nothing at all differs.
    #[must_use]
    pub fn keeps(&self, function: &str) -> bool {
        let seen = |driven: &Driven| driven.changes && driven.inputs > 0 && is_path_of(&driven.function, function);
        self.differences.is_empty() && self.driven.iter().any(seen)
    }

    /// Whether something was called, nothing at all differs, and it is not this function that could not be called.
    #[must_use]
    pub fn keeps_all_but(&self, function: &str) -> bool {
        self.differences.is_empty() && self.may_come_to(function)
    }

    /// Whether made-up inputs may come to a function: something was called, and it is not this one that could not be.
    #[must_use]
    pub fn may_come_to(&self, function: &str) -> bool {
        let seen = self.driven.iter().any(|driven| driven.inputs > 0);
        let missed = |why: &String| why.split('`').skip(1).step_by(2).any(|path| is_path_of(path, function));
        seen && !self.no_data.iter().any(missed)
    }

    /// Whether tests fail without any of the lines that change, as far as these were put back.
    #[must_use]
    pub fn is_told(&self) -> bool {
        !self.told_apart.is_empty() && self.carried.is_empty()
    }

    /// The lines of a function that change and that made-up inputs run; none when they do not come to it, or nobody looked.
    #[must_use]
    pub fn runs_of(&self, path: &RelPath, function: &str) -> Option<&[u32]> {
        let found = self.runs.iter().find(|run| run.path == *path && run.function == function);
        found.map(|run| run.lines.as_slice()).filter(|lines| !lines.is_empty())
    }

    /// Notes that made-up inputs run these lines of a function.
    pub fn run(&mut self, path: &RelPath, function: &str, lines: &[u32]) {
        match self.runs.iter_mut().find(|run| run.path == *path && run.function == function) {
            Some(run) => run.lines.extend(lines),
            None => {
                let (path, function) = (path.clone(), function.to_owned());
                self.runs.push(LinesRun { path, function, lines: lines.to_vec() });
            }
        }
    }

    /// Whether made-up inputs would show it if a function were wrong, and nothing at all differs.
    #[must_use]
    pub fn notices(&self, path: &RelPath, function: &str) -> bool {
        let of = |one: &&NoticedByInputs| one.path == *path && one.function == function;
        self.differences.is_empty() && self.notices.iter().find(of).is_some_and(NoticedByInputs::is_enough)
    }

    /// In a few words, for a report.
    #[must_use]
    pub fn shown(&self) -> String {
        let inputs: u64 = self.driven.iter().map(|driven| driven.inputs).sum();
        let functions = self.driven.iter().filter(|driven| driven.inputs > 0).count();
        let plural = if functions == 1 { "" } else { "s" };
        if inputs == 0 {
            let why = self.no_data.first().map_or("nothing that others call changes", String::as_str);
            return format!("no data: {why}");
        }
        match self.differences.first() {
            None => format!("the same for {inputs} made-up inputs to {functions} function{plural}"),
            Some(first) => format!("another one: {}", first.shown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs() -> Behaviour {
        let difference = Differs {
            function: "shop::fee".to_owned(),
            input: "shop::fee(5000)".to_owned(),
            before: "`4`".to_owned(),
            after: "`8`".to_owned(),
            of: 12,
            worse: false,
            promise: false,
        };
        let driven = Driven { function: "shop::fee".to_owned(), inputs: 3000, changes: true };
        Behaviour { driven: vec![driven], differences: vec![difference], ..Behaviour::default() }
    }

    #[test]
    fn of_long_answers_what_differs_is_shown() {
        let mut behaviour = differs();
        let of = |end: &str| format!("`Reader {{ {}eof: {end}, seeked: true }}`", "field: 0, ".repeat(40));
        behaviour.differences.iter_mut().for_each(|one| (one.before, one.after) = (of("No"), of("Yes")));
        let shown = behaviour.differences[0].shown();
        let around = "field: 0, field: 0, field: 0, ";
        for text in
            [format!("gave `…: 0, {around}eof: No, seeked"), format!("gives `…: 0, {around}eof: Yes, seeked: true }}`")]
        {
            assert!(shown.contains(&text), "{shown}");
        }
    }

    #[test]
    fn a_difference_that_no_test_asks_for_needs_a_person() {
        let reasons: Vec<String> = differs().reasons().collect();
        assert_eq!(reasons, ["`shop::fee(5000)` gave `4` and now gives `8`, and no test tells the two apart"]);
        let meant = Behaviour { told_apart: vec![TestId("shop/lib::fee".to_owned())], ..differs() };
        assert_eq!((meant.reasons().count(), meant.refusals().count()), (0, 0));
        let mut panics = meant.clone();
        panics.differences.iter_mut().for_each(|one| one.worse = true);
        assert_eq!(panics.reasons().count(), 1);
        let carried = Behaviour { carried: meant.differences.clone(), ..meant };
        let reasons: Vec<String> = carried.reasons().collect();
        assert_eq!(
            reasons,
            ["`shop::fee(5000)` gave `4` and now gives `8`, which no test asks for: they all pass without it"]
        );
    }

    #[test]
    fn inputs_notice_enough_where_they_show_nearly_every_wrong_version() {
        let path = RelPath::new("src/lib.rs").expect("it is a path");
        let notices = |tried, caught| {
            let mutants = Mutants { tried, caught, ..Mutants::default() };
            let one = NoticedByInputs { path: path.clone(), function: "fee".to_owned(), mutants };
            Behaviour { notices: vec![one], ..Behaviour::default() }.notices(&path, "fee")
        };
        assert!(notices(1, 1) && notices(4, 3) && notices(20, 18));
        assert!(!notices(0, 0) && !notices(3, 2) && !notices(4, 2) && !notices(20, 17));
        assert!(!differs().notices(&path, "fee"));
    }

    #[test]
    fn a_function_is_known_without_the_parameters_of_its_type() {
        let driven = Driven { function: "shop::Till<T>::new".to_owned(), inputs: 9, changes: true };
        let same = Behaviour { driven: vec![driven], ..Behaviour::default() };
        assert!(same.keeps("Till::new") && !same.keeps("Box::new") && !same.keeps("ill::new"));
        let function = "<shop::Till<T> as std::cmp::PartialEq<U>>::eq".to_owned();
        let driven = Driven { function, inputs: 9, changes: true };
        assert!(Behaviour { driven: vec![driven], ..Behaviour::default() }.keeps("Till::eq"));
    }

    #[test]
    fn what_leads_to_a_function_speaks_for_it_unless_it_could_not_be_called_itself() {
        let same = Behaviour { differences: Vec::new(), ..differs() };
        assert!(same.keeps_all_but("Till::role") && !differs().keeps_all_but("Till::role"));
        let no_data = vec!["`shop::Till<T>::role` cannot be driven: no values".to_owned()];
        assert!(!Behaviour { no_data, ..same }.keeps_all_but("Till::role"));
        assert!(!Behaviour::default().keeps_all_but("Till::role"));
    }

    #[test]
    fn what_claims_to_keep_behaviour_is_refused_when_it_does_not() {
        let claimed = Behaviour { claimed: true, told_apart: vec![TestId("t".to_owned())], ..differs() };
        assert_eq!(claimed.refusals().count(), 1);
        let same = Behaviour { differences: Vec::new(), ..claimed };
        assert_eq!((same.refusals().count(), same.reasons().count()), (0, 0));
        assert_eq!(same.shown(), "the same for 3000 made-up inputs to 1 function");
    }
}
