//! Rule `lint-silenced`: a patch repairs what a lint finds and does not hide it, nor compiles code away.

use super::Findings;
use super::code::CodeFile;
use super::code::scan::{AttrUse, Known};
use super::code::unit::Unit;
use crate::shown::shown;

pub(super) const RULE: &str = "lint-silenced";

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    silenced(file, findings);
    compiled_away(file, findings);
    if file.is_whole() {
        newly_conditional(file, findings);
    }
}

fn with_attrs<'u, 't>(units: &'u [Unit<'t>]) -> impl Iterator<Item = (&'u Unit<'t>, &'u AttrUse)> {
    units.iter().flat_map(|unit| unit.attribute_uses().iter().map(move |attr| (unit, attr)))
}

/// Why an attribute hides something from the tools.
fn hides(attr: &AttrUse) -> Option<&'static str> {
    let has = |word: &str| attr.words.iter().any(|known| known == word);
    match attr.name.as_str() {
        "allow" | "expect" => Some("silences a lint"),
        "cfg_attr" if has("allow") || has("expect") || has("ignore") || has("coverage") => {
            Some("silences a lint or a test")
        }
        "coverage" | "no_coverage" | "automatically_derived" | "mutants::skip" => Some("hides code from the tools"),
        _ => None,
    }
}

fn silenced(file: &CodeFile<'_>, findings: &mut Findings) {
    let mut known = Known::default();
    with_attrs(&file.old).filter(|(_, attr)| hides(attr).is_some()).for_each(|(_, attr)| known.add(attr.text.clone()));
    for (unit, attr) in with_attrs(&file.new) {
        let Some(why) = hides(attr) else { continue };
        if known.is_new(&attr.text) {
            let mark = if attr.inner { "#!" } else { "#" };
            let (line, text) = (unit.line(attr.at), shown(&attr.text, 100));
            findings.ask(RULE, file.path, format!("line {line}: `{mark}[{text}]` in `{}` {why}", unit.label()));
        }
    }
    let strict = |attr: &AttrUse| {
        matches!(attr.name.as_str(), "forbid" | "deny" | "warn")
            && !attr.words.iter().any(|word| word.contains("unsafe"))
    };
    let mut left = Known::default();
    with_attrs(&file.new).filter(|(_, attr)| strict(attr)).for_each(|(_, attr)| left.add(attr.text.clone()));
    for (unit, attr) in with_attrs(&file.old).filter(|(_, attr)| strict(attr)) {
        if left.is_new(&attr.text) {
            findings.ask(RULE, file.path, format!("takes away `{}` of `{}`", shown(&attr.text, 100), unit.label()));
        }
    }
}

/// Conditions that never hold, and code that behaves otherwise when it is tested.
fn compiled_away(file: &CodeFile<'_>, findings: &mut Findings) {
    let never = |attr: &AttrUse| {
        let text = &attr.text;
        attr.name == "cfg"
            && (text.contains("any()") || text.contains("not(all())") || text.eq_ignore_ascii_case("cfg(false)"))
    };
    let mut known = Known::default();
    with_attrs(&file.old).filter(|(_, attr)| never(attr)).for_each(|(_, attr)| known.add(attr.text.clone()));
    for (unit, attr) in with_attrs(&file.new).filter(|(_, attr)| never(attr)) {
        if known.is_new(&attr.text) {
            let line = unit.line(attr.at);
            findings.ask(
                RULE,
                file.path,
                format!("line {line}: `{}` compiles code of `{}` away", shown(&attr.text, 100), unit.label()),
            );
        }
    }
    let asks = |unit: &Unit<'_>| {
        let asked = unit.paths().iter().filter(|path| path.is_macro && path.parts == ["cfg"]);
        asked.map(|path| (path.arguments(unit.lexemes()), path.at)).collect::<Vec<_>>()
    };
    let mut known = Known::default();
    file.old.iter().flat_map(asks).for_each(|(condition, _)| known.add(condition));
    for unit in &file.new {
        for (condition, at) in asks(unit) {
            if known.is_new(&condition) {
                let line = unit.line(at);
                findings.ask(
                    RULE,
                    file.path,
                    format!(
                        "line {line}: `cfg!{}` makes `{}` depend on how it is compiled",
                        shown(&condition, 100),
                        unit.label()
                    ),
                );
            }
        }
    }
}

/// A condition on an item that had none, so that it is no longer compiled everywhere.
fn newly_conditional(file: &CodeFile<'_>, findings: &mut Findings) {
    for unit in &file.new {
        let Some(old) = file.old.iter().find(|old| old.key() == unit.key()) else { continue };
        let conditions = |unit: &Unit<'_>| {
            unit.attribute_uses()
                .iter()
                .filter(|attr| attr.name == "cfg")
                .map(|attr| attr.text.clone())
                .collect::<Vec<_>>()
        };
        let mut known = Known::default();
        conditions(old).into_iter().for_each(|condition| known.add(condition));
        for condition in conditions(unit).into_iter().filter(|condition| known.is_new(condition)) {
            findings.ask(
                RULE,
                file.path,
                format!("puts `{}` on `{}`, which was compiled before", shown(&condition, 100), unit.label()),
            );
        }
    }
}
