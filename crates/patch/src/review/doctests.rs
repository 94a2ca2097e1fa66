//! Rule `tests-weakened` for examples in docs: a code block that ran as a test still does, and asserts what it did.

use kaizen_domain::{MovedTest, RelPath};

use super::Findings;
use super::code::CodeFile;
use super::code::unit::Unit;
use super::weakened::RULE;

/// A fenced block in the docs of some units.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    /// The item that it belongs to.
    item: String,
    info: String,
    lines: Vec<String>,
}

/// How much of a block is tested.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tested {
    Not,
    Compiled,
    Run,
}

/// The examples of one file that are not the same before and after.
pub(super) struct Examples {
    path: RelPath,
    gone: Vec<Block>,
    come: Vec<Block>,
}

/// Those of a file.
pub(super) fn of(file: &CodeFile<'_>) -> Examples {
    let (mut gone, mut come) = (blocks(&file.old), blocks(&file.new));
    gone.retain(|block| match come.iter().position(|other| other.says() == block.says()) {
        Some(at) => {
            come.remove(at);
            false
        }
        None => block.tested() != Tested::Not,
    });
    Examples { path: file.path.clone(), gone, come }
}

/// Takes out what stands in another file now, of an item with the same name.
pub(super) fn settle_moves(all: &mut [Examples]) -> Vec<MovedTest> {
    let mut moved = Vec::new();
    for at in 0..all.len() {
        let Some(file) = all.get_mut(at) else { continue };
        let (from, gone) = (file.path.clone(), std::mem::take(&mut file.gone));
        let mut left = Vec::new();
        for block in gone {
            let others = all.iter_mut().enumerate().filter(|(other, _)| *other != at).map(|(_, file)| file);
            let place = others.into_iter().find_map(|file| {
                let place = file.come.iter().position(|other| *other == block)?;
                file.come.remove(place);
                Some(file.path.clone())
            });
            match place {
                Some(to) => moved.push(MovedTest {
                    from: from.clone(),
                    was: block.item.clone(),
                    to,
                    now: block.item,
                    is_doc: true,
                }),
                None => left.push(block),
            }
        }
        if let Some(file) = all.get_mut(at) {
            file.gone = left;
        }
    }
    moved.dedup();
    moved
}

pub(super) fn check(all: Vec<Examples>, findings: &mut Findings) {
    all.into_iter().for_each(|file| check_file(file, findings));
}

fn check_file(file: Examples, findings: &mut Findings) {
    let Examples { path, gone, mut come } = file;
    let mut ask = |reason: String| findings.ask(RULE, &path, reason);
    for block in gone {
        let by_code = come.iter().position(|other| other.lines == block.lines);
        let at = by_code.or_else(|| most_alike(&block, &come));
        let Some(other) = at.map(|at| come.remove(at)) else {
            ask(format!("removes a doc test ({})", block.head()));
            continue;
        };
        if other.tested() < block.tested() {
            ask(format!("a doc test no longer runs: its fence says `{}` now ({})", other.info, block.head()));
        } else if other.info != block.info
            && (other.info.contains("should_panic") != block.info.contains("should_panic"))
        {
            ask(format!("a doc test expects another end: its fence says `{}` now ({})", other.info, block.head()));
        }
        if let Some(gone) = block.assertions().find(|line| !other.lines.contains(line)) {
            ask(format!("a doc test no longer has the line `{gone}`"));
        }
    }
}

/// The block that shares most lines, when there is any left.
fn most_alike(block: &Block, others: &[Block]) -> Option<usize> {
    let shared = |other: &Block| other.lines.iter().filter(|line| block.lines.contains(line)).count();
    others.iter().enumerate().max_by_key(|(at, other)| (shared(other), std::cmp::Reverse(*at))).map(|(at, _)| at)
}

impl Block {
    fn says(&self) -> (&str, &[String]) {
        (&self.info, &self.lines)
    }

    fn tested(&self) -> Tested {
        let mut tested = Tested::Run;
        for word in self.info.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
            tested = match word {
                "rust" | "should_panic" | "test_harness" => tested,
                word if word.starts_with("edition") => tested,
                "no_run" | "compile_fail" => tested.min(Tested::Compiled),
                _ => return Tested::Not,
            };
        }
        tested
    }

    fn assertions(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().filter(|line| line.contains("assert") || line.contains("unwrap") || line.contains("panic"))
    }

    fn head(&self) -> String {
        let line = self.lines.iter().find(|line| !line.is_empty()).map_or("", String::as_str);
        format!("`{}`", crate::shown::shown(line, 60))
    }
}

/// The fenced blocks in the doc comments of units.
fn blocks(units: &[Unit<'_>]) -> Vec<Block> {
    let mut found = Vec::new();
    for unit in units.iter().filter(|unit| unit.text.contains("```") || unit.text.contains("~~~")) {
        let mut open: Option<(Block, &str)> = None;
        let mut in_comment = false;
        for line in unit.text.lines() {
            let Some(doc) = doc_line(line.trim(), &mut in_comment) else {
                // A block ends with the comment that it stands in, unless only an attribute comes between.
                if !line.trim().starts_with("#[") {
                    found.extend(open.take().map(|(block, _)| block));
                }
                continue;
            };
            let fence = ["```", "~~~"].into_iter().find(|fence| doc.starts_with(fence));
            match (&mut open, fence) {
                (Some((_, mark)), Some(fence)) if *mark == fence => found.extend(open.take().map(|(block, _)| block)),
                (Some((block, _)), _) => block.lines.push(doc.to_owned()),
                (None, Some(fence)) => {
                    let info = doc.trim_start_matches(['`', '~']).trim().to_owned();
                    open = Some((Block { item: unit.label(), info, lines: Vec::new() }, fence));
                }
                (None, None) => {}
            }
        }
        found.extend(open.map(|(block, _)| block));
    }
    found
}

/// The text of a line when it belongs to a doc comment.
fn doc_line<'l>(line: &'l str, in_comment: &mut bool) -> Option<&'l str> {
    if *in_comment {
        *in_comment = !line.ends_with("*/");
        return Some(line.trim_end_matches("*/").trim_start_matches('*').trim());
    }
    if let Some(rest) = line.strip_prefix("/**").or_else(|| line.strip_prefix("/*!")) {
        *in_comment = !line.ends_with("*/");
        return Some(rest.trim_end_matches("*/").trim());
    }
    line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim)
}
