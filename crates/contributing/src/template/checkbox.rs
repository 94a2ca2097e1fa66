//! Checkboxes: which boxes of a form a program may tick. A box is ticked only when each of its words is known: it names
//! one or more facts, all of them hold, and nothing else is said in it.

use std::sync::LazyLock;

use regex::Regex;

use crate::bounds;
use crate::read::{checkbox, pattern};

/// What is known about a change. `None` means that nobody looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// All tests passed with the change.
    pub tests_pass: Option<bool>,
    /// The code is formatted by rustfmt.
    pub formatted: Option<bool>,
    /// Clippy has nothing to say about the change.
    pub lints_pass: Option<bool>,
    /// It builds.
    pub builds: Option<bool>,
    /// It changes what other code relies on.
    pub breaking: Option<bool>,
    /// A test was added.
    pub tests_added: Option<bool>,
    /// The changelog has an entry.
    pub changelog_updated: Option<bool>,
}

/// A fact, the words that name it, and the words that may stand with it and are no claim of their own.
type Known = (Fact, Regex);
/// What is known of one thing.
type Fact = fn(&Facts) -> Option<bool>;

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let known: [(Fact, &str); 7] = [
        (
            |facts| facts.breaking.map(|breaking| !breaking),
            r"^(?:(?:this|it|the|pr|pull|request|change|changes) )*(?:(?:is|are|does|has|have|introduces?|contains?|includes?|there) )*(?:no breaking(?: api)? changes?|not (?:a )?breaking(?: change)?|not introduce (?:any )?breaking changes?|backwards? compatible|not break (?:the )?(?:public )?api)$",
        ),
        (
            |facts| facts.tests_added,
            r"^(?:i |we )?(?:have )?(?:added|new|wrote|add)? ?(?:(?:a|unit|regression|new|some) )*tests? (?:(?:have been|has been|was|were|are|is) )?(?:added|(?:for|covering) (?:the|this|my) (?:changes?|fix)|that covers? (?:the|this|my) (?:changes?|fix))(?: for (?:the|this|my) (?:changes?|fix))?$",
        ),
        (
            |facts| facts.changelog_updated,
            r"^(?:i |we )?(?:have |ve )?(?:updated? |added? (?:an )?(?:entry )?(?:to |in )?)?(?:the )?changelog(?:\.md)?(?: (?:is|was|has been|entry|updated|added|entry added))*$",
        ),
        (
            |facts| facts.formatted,
            r"^(?:i |we )?(?:have |ve )?(?:run |ran )?(?:all |the |my )*(?:code |source )?(?:(?:is|was|has been|have been) )?(?:formatted|cargo fmt|rustfmt|cargo fmt (?:all )?check)(?: (?:with|using|by|all|run|passes|has been run|was run|is clean|cargo fmt|rustfmt))*$",
        ),
        (
            |facts| facts.lints_pass,
            r"^(?:i |we )?(?:have |ve )?(?:run |ran )?(?:no (?:new )?)?(?:cargo )?clippy(?: (?:passes|is clean|warnings?|lints?|has been run|was run|reports no warnings|shows no warnings|gives no warnings|without warnings|clean))*$",
        ),
        (
            |facts| facts.builds,
            r"^(?:(?:it|the|code|project|my|this|crate|cargo) )*(?:builds?|compiles?)(?: (?:successfully|locally|passes|succeeds|without errors))*$",
        ),
        (
            |facts| facts.tests_pass,
            r"^(?:i |we )?(?:have |ve )?(?:run |ran )?(?:(?:all|the|new|and|existing|unit|integration|my|of|current) )*(?:tests?|test suite|cargo test)(?: (?:all|still|locally|pass|passes|passing|passed|succeed|succeeds|are green|with (?:my|this|the|these) changes?|have been run|has been run|was run|is green|are passing|are ok))*$",
        ),
    ];
    known.map(|(fact, text)| (fact, pattern(text))).into()
});

/// A line of a form with its box as it should be; `None` for a line without one.
pub(super) fn settled(line: &str, facts: &Facts) -> Option<String> {
    let text = line.trim_start();
    let indent = line.get(..line.len() - text.len())?;
    let rest = ["- ", "* ", "+ "].iter().find_map(|mark| text.strip_prefix(mark)).or_else(|| numbered(text))?;
    let mark = text.get(..text.len() - rest.len())?;
    let said = checkbox(rest.trim_start())?;
    let tick = if holds(said, facts) { "[x]" } else { "[ ]" };
    Some(format!("{indent}{mark}{tick}{said}"))
}

fn numbered(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == text.len() {
        return None;
    }
    rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "))
}

/// Whether all that a box says is known to hold.
fn holds(said: &str, facts: &Facts) -> bool {
    static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\]\([^()]{0,400}\)"));
    let said = LINK.replace_all(bounds::cut(said, 600), "]").to_lowercase();
    let said =
        said.replace("doesn't", "does not").replace("don't", "do not").replace("isn't", "is not").replace('\'', " ");
    let plain: String =
        said.chars().map(|c| if c.is_alphanumeric() || c == '.' || c == ',' || c == '&' { c } else { ' ' }).collect();
    let claims: Vec<String> = parts(&plain);
    let one = |claim: &String| KNOWN.iter().any(|(fact, words)| fact(facts) == Some(true) && words.is_match(claim));
    !claims.is_empty() && claims.iter().all(one)
}

/// The claims that are put together in one line. `New and existing tests` is one, so it is looked at whole first.
fn parts(plain: &str) -> Vec<String> {
    let tidy = |text: &str| {
        text.split_whitespace()
            .map(|word| word.trim_matches('.'))
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let whole = tidy(&plain.replace([',', '&'], " "));
    if KNOWN.iter().any(|(_, words)| words.is_match(&whole)) {
        return vec![whole];
    }
    plain.replace([',', '&'], " and ").split(" and ").map(tidy).filter(|claim| !claim.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_ticked() {
        let facts = Facts {
            tests_pass: Some(true),
            formatted: Some(true),
            lints_pass: Some(true),
            breaking: Some(false),
            ..Facts::default()
        };
        for said in [
            "All tests pass",
            "`cargo test` passes",
            "I have run `cargo fmt`",
            "New and existing unit tests pass locally with my changes",
            "cargo fmt and cargo clippy",
            "Code is formatted with `rustfmt`",
            "No breaking changes",
            "This PR does not introduce breaking changes",
            "Tests pass, clippy is clean",
        ] {
            assert_eq!(settled(&format!("- [ ] {said}"), &facts), Some(format!("- [x] {said}")), "{said}");
            assert_eq!(settled(&format!("- [x] {said}"), &Facts::default()), Some(format!("- [ ] {said}")), "{said}");
        }
        for said in [
            "I have read the contributing guide",
            "I wrote this code myself and all tests pass",
            "All tests pass and I have reviewed every line",
            "I have added tests that prove my fix is effective",
            "Breaking change",
            "Breaking changes are documented",
            "I agree to the CLA",
            "Tests are not needed",
            "",
            "Ticked by a person: tests pass",
            "Documentation updated",
        ] {
            assert_eq!(settled(&format!("  * [x] {said}"), &facts), Some(format!("  * [ ] {said}")), "{said}");
        }
        assert_eq!(settled("- plain", &facts), None);
    }
}
