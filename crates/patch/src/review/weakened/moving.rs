//! Tests that move from one file to another, word for word: they are not removed. What they call besides must come with them from
//! the same file, and nothing in the patch may stand in for what tests are written with.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::{MovedTest, RelPath};

use super::{ADDED, MOVED, RULE, is_test};
use crate::review::Findings;
use crate::review::code::CodeFile;
use crate::review::code::unit::Unit;
use crate::syntax::lex::{Kind, Lexeme};

/// What tests are written with: macros, named without their mark only by what brings in others.
const MACROS: &[&str] =
    &["assert", "assert_eq", "assert_ne", "panic", "matches", "unreachable", "todo", "vec", "format"];
/// What stands before the name of something that is declared.
const DECLARES: &[&str] = &["struct", "enum", "union", "trait", "type", "fn", "const", "static"];
/// Stands between two words; no code has it.
const BETWEEN: char = '\u{1f}';

/// The tests of one file that are not the same before and after, and what was found in it alone.
pub(in crate::review) struct Tests {
    path: RelPath,
    pub(super) findings: Findings,
    gone: Vec<Gone>,
    come: Vec<Come>,
    /// All words of the file before, where something goes.
    before: String,
    /// It names macros of tests as others would that bring in their own.
    stands_in: bool,
    /// Names that stand in it more often than before.
    more: BTreeSet<String>,
}

/// A piece of test code that is no longer there.
struct Gone {
    label: String,
    is_test: bool,
    words: String,
    /// What that means; nothing when it held nothing.
    why: Option<String>,
}

/// A piece of test code that is new.
struct Come {
    label: String,
    is_test: bool,
    words: String,
}

impl Tests {
    pub(super) fn new(file: &CodeFile<'_>) -> Self {
        let has_tests = file.old.iter().any(Unit::is_test_code);
        Self {
            path: file.path.clone(),
            findings: Findings::default(),
            gone: Vec::new(),
            come: Vec::new(),
            before: if has_tests { words(&file.before.lexemes) } else { String::new() },
            stands_in: brought_in(&file.after.lexemes) > brought_in(&file.before.lexemes),
            more: more(&file.before.lexemes, &file.after.lexemes),
        }
    }

    pub(super) fn goes(&mut self, unit: &Unit<'_>, why: Option<String>) {
        self.gone.push(Gone { label: unit.label(), is_test: is_test(unit), words: words(unit.lexemes()), why });
    }

    pub(super) fn comes(&mut self, unit: &Unit<'_>) {
        self.come.push(Come { label: unit.label(), is_test: is_test(unit), words: words(unit.lexemes()) });
    }
}

/// Takes out what stands in another file now.
pub(in crate::review) fn settle_moves(all: &mut [Tests]) -> Vec<MovedTest> {
    if all.iter().any(|file| file.stands_in) {
        return Vec::new();
    }
    let mut moved = Vec::new();
    for to in 0..all.len() {
        let Some(file) = all.get_mut(to) else { continue };
        let (path, come) = (file.path.clone(), std::mem::take(&mut file.come));
        // Each new piece with the files that it may come from.
        let sources: Vec<usize> = (0..all.len()).filter(|from| *from != to && is_source(all, *from, &come)).collect();
        let helps = |one: &&Come| !one.is_test;
        let before = || sources.iter().filter_map(|from| all.get(*from)).map(|file| file.before.as_str());
        // What was at hand where the test stood may be brought in by its name, where nothing else can have that name now.
        let is_at_hand = |name: &&str| {
            let declared = |words: &str| DECLARES.iter().any(|word| words.contains(&of_words(&[word, name])));
            before().any(declared) && all.iter().all(|file| file.path == path || !file.more.contains(*name))
        };
        let known = |one: &Come| {
            before().any(|words| words.contains(&one.words))
                || imported(&one.words).is_some_and(|names| names.iter().all(is_at_hand))
        };
        if !sources.is_empty() && come.iter().filter(helps).all(known) {
            for from in sources {
                let Some(file) = all.get_mut(from) else { continue };
                for one in &come {
                    let same = |gone: &Gone| (gone.is_test, &gone.words) == (one.is_test, &one.words);
                    let Some(at) = file.gone.iter().position(same) else { continue };
                    let gone = file.gone.remove(at);
                    moved.extend(gone.is_test.then(|| MovedTest {
                        from: file.path.clone(),
                        was: gone.label,
                        to: path.clone(),
                        now: one.label.clone(),
                        is_doc: false,
                    }));
                }
            }
        }
        if let Some(file) = all.get_mut(to) {
            file.come = come;
        }
    }
    moved
}

/// Whether a test of a file is among new ones.
fn is_source(all: &[Tests], from: usize, come: &[Come]) -> bool {
    let is_there = |gone: &Gone| gone.is_test && come.iter().any(|one| one.is_test && one.words == gone.words);
    all.get(from).is_some_and(|file| file.gone.iter().any(is_there))
}

/// Says what is gone for good, and what is new.
pub(in crate::review) fn check(all: Vec<Tests>, moved: &[MovedTest], findings: &mut Findings) {
    for file in all {
        findings.merge(file.findings);
        let reasons = file.gone.iter().filter_map(|gone| gone.why.as_ref());
        reasons.for_each(|why| findings.ask(RULE, &file.path, why));
        for new in file.come.iter().filter(|new| new.is_test) {
            let from = moved.iter().find(|test| !test.is_doc && test.to == file.path && test.now == new.label);
            match from {
                Some(test) => {
                    let detail = format!("takes the test `{}` over from {} as it is", new.label, test.from);
                    findings.note(MOVED, &file.path, detail);
                }
                None => findings.note(ADDED, &file.path, format!("adds the test `{}`", new.label)),
            }
        }
    }
}

/// The code of it, in a form in which a part of it can be found.
fn words(lexemes: &[Lexeme<'_>]) -> String {
    let mut text = String::from(BETWEEN);
    for lexeme in lexemes {
        text.push_str(lexeme.text);
        text.push(BETWEEN);
    }
    text
}

fn of_words(words: &[&str]) -> String {
    words.iter().fold(String::from(BETWEEN), |all, word| all + word + &String::from(BETWEEN))
}

/// The names that a `use` of the crate's own brings in as they are; none of anything else.
fn imported(words: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = words.split(BETWEEN).filter(|word| !word.is_empty()).collect();
    let (start, rest) = words.split_at_checked(2)?;
    if start != ["use", "crate"] || rest.iter().any(|word| matches!(*word, "*" | "as" | "self")) {
        return None;
    }
    let leaves = rest.windows(2).filter_map(|pair| match pair {
        [name, end]
            if matches!(*end, "," | ";" | "}") && name.starts_with(|one: char| one.is_alphabetic() || one == '_') =>
        {
            Some(*name)
        }
        _ => None,
    });
    Some(leaves.collect::<Vec<_>>()).filter(|leaves| !leaves.is_empty())
}

/// Names that stand more often on the second side than on the first.
fn more(before: &[Lexeme<'_>], after: &[Lexeme<'_>]) -> BTreeSet<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (lexemes, by) in [(before, -1), (after, 1)] {
        for name in lexemes.iter().filter(|lexeme| lexeme.kind == Kind::Ident) {
            *counts.entry(name.text).or_default() += by;
        }
    }
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, _)| name.to_owned()).collect()
}

/// How often a macro of tests is named without its mark, or `test` is as a name that is brought in.
fn brought_in(lexemes: &[Lexeme<'_>]) -> usize {
    let pairs = lexemes.iter().zip(lexemes.iter().skip(1));
    let stands_in = |(word, next): &(&Lexeme<'_>, &Lexeme<'_>)| {
        word.kind == Kind::Ident
            && (MACROS.contains(&word.text) && next.text != "!"
                || word.text == "test" && matches!(next.text, ";" | "," | "}" | "as"))
    };
    pairs.filter(stands_in).count()
}
