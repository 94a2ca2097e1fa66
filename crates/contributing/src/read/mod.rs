//! Reading: sentence by sentence, what the texts of a repository forbid and ask for, and what all of it comes to.

mod agree;
mod ban;
mod condition;
mod foreign;
mod person;
mod text;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::bounds;
use crate::candidate::{Kind, kind};
use crate::rules::{Condition, Need, Quote, Rules, Verdict};
use text::Sentence;
pub(crate) use text::checkbox;
pub(crate) use words::pattern;

/// What one sentence comes to, the gravest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Finding {
    Forbidden,
    Agreement,
    Asked(Condition),
}

/// The rules in the texts of a commit.
pub(crate) fn rules(files: &BTreeMap<String, String>) -> Rules {
    let mut found: Vec<(Finding, Quote)> = Vec::new();
    let mut left = bounds::ALL;
    let texts = files.iter().filter_map(|(path, text)| kind(path).map(|kind| (kind, path, text)));
    for (index, (kind, path, text)) in texts.enumerate() {
        let read = bounds::cut(text, bounds::FILE.min(left));
        left -= read.len();
        if index >= bounds::FILES || read.len() < text.len() {
            let quote = quote(path, 1, "the rules are too long to be read whole");
            found.push((Finding::Asked(Condition::Person(Need::Unclear)), quote));
            continue;
        }
        found.extend(in_file(kind, read).into_iter().map(|(finding, line, raw)| (finding, quote(path, line, &raw))));
    }
    sum_up(found)
}

fn quote(path: &str, line: usize, text: &str) -> Quote {
    Quote { path: bounds::clean(path, bounds::PATH), line, text: bounds::clean(text, bounds::QUOTE) }
}

/// The gravest finding is the verdict; the conditions are all that is asked for.
fn sum_up(mut found: Vec<(Finding, Quote)>) -> Rules {
    settle_branches(&mut found);
    let first = |wanted: &dyn Fn(&Finding) -> bool| {
        found.iter().find(|(finding, _)| wanted(finding)).map(|(_, quote)| quote.clone())
    };
    let need = found.iter().find_map(|(finding, quote)| match finding {
        Finding::Asked(Condition::Person(need)) => Some((*need, quote.clone())),
        _ => None,
    });
    let verdict = if let Some(quote) = first(&|finding| *finding == Finding::Forbidden) {
        Verdict::Forbidden { quote }
    } else if let Some(quote) = first(&|finding| *finding == Finding::Agreement) {
        Verdict::NeedsAgreement { quote }
    } else if let Some((need, quote)) = need {
        Verdict::NeedsPerson { need, quote }
    } else {
        Verdict::Open
    };
    let mut grounds: BTreeMap<Condition, Quote> = BTreeMap::new();
    for (finding, quote) in &found {
        if let Finding::Asked(condition) = finding {
            grounds.entry(condition.clone()).or_insert_with(|| quote.clone());
        }
    }
    let mut evidence: Vec<Quote> = Vec::new();
    // What the verdict stands on is kept even when there is more evidence than is kept.
    found.sort_by(|one, other| one.0.cmp(&other.0));
    for (_, quote) in found {
        if evidence.len() < bounds::QUOTES && !evidence.contains(&quote) {
            evidence.push(quote);
        }
    }
    evidence.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    Rules { verdict, conditions: grounds.keys().cloned().collect(), evidence, grounds }
}

/// Several branches are a question for a person.
fn settle_branches(found: &mut [(Finding, Quote)]) {
    let names: BTreeSet<String> = found
        .iter()
        .filter_map(|(finding, _)| match finding {
            Finding::Asked(Condition::TargetBranch(name)) => Some(name.clone()),
            _ => None,
        })
        .collect();
    if names.len() > 1 {
        for (finding, _) in found {
            if matches!(finding, Finding::Asked(Condition::TargetBranch(_))) {
                *finding = Finding::Asked(Condition::Person(Need::Unclear));
            }
        }
    }
}

/// What one file says.
fn in_file(kind: Kind, text: &str) -> Vec<(Finding, usize, String)> {
    match kind {
        Kind::Owners => return Vec::new(),
        Kind::Dco | Kind::DcoSettings => {
            let first = text.lines().enumerate().find(|(_, line)| !line.trim().is_empty());
            let (line, raw) = first.map_or((1, "asks for sign-offs"), |(index, line)| (index + 1, line));
            return vec![(Finding::Asked(Condition::Person(Need::SignOff)), line, raw.to_owned())];
        }
        _ => {}
    }
    let sentences = text::sentences(text);
    let alternative = has_alternative(&sentences);
    let mut found = Vec::new();
    let mut before: Option<&Sentence> = None;
    for (index, sentence) in sentences.iter().enumerate() {
        let nearby = before.map_or("", |before| before.normal.as_str());
        let next = sentences.get(index + 1).filter(|next| next.goes_on).map_or("", |next| next.normal.as_str());
        for finding in in_sentence(kind, sentence, (nearby, next), alternative) {
            found.push((finding, sentence.line, sentence.raw.clone()));
        }
        before = Some(sentence);
    }
    found
}

/// Whether a form has a box for generated work beside the one against it.
fn has_alternative(sentences: &[Sentence]) -> bool {
    sentences
        .iter()
        .any(|one| one.checkbox && words::speaks_of_ai(&one.normal) && ban::of_generated(&one.normal, false).is_none())
}

fn in_sentence(kind: Kind, sentence: &Sentence, (nearby, next): (&str, &str), alternative: bool) -> Vec<Finding> {
    let text = sentence.normal.as_str();
    if sentence.raw.trim_end().ends_with('?') && !sentence.checkbox {
        return Vec::new();
    }
    // Instructions for agents speak of them all the time; only what is said of contributions counts there.
    let here = match kind {
        Kind::Agents => sentence.under_contributing || words::speaks_of_pulls(text),
        Kind::Readme | Kind::Other => {
            sentence.under_contributing || sentence.under_ai || words::speaks_of_pulls(text) || is_plain(text)
        }
        _ => true,
    };
    let context = (sentence.under_ai && (kind != Kind::Agents || here))
        || (kind == Kind::Policy)
        || (sentence.goes_on && words::speaks_of_ai(nearby) && refers_back(text));
    let mut found = Vec::new();
    if here {
        found.extend(banned(kind, sentence, context, alternative));
    }
    if here && !matches!(kind, Kind::Agents) {
        match agree::asked(sentence, nearby, next) {
            Some(agree::Asked::Agreement) => found.push(Finding::Agreement),
            Some(agree::Asked::ForLarge) => found.push(Finding::Asked(Condition::Small)),
            Some(agree::Asked::Issue) => found.push(Finding::Asked(Condition::Person(Need::Issue))),
            None => {}
        }
    }
    if here && agree::asked_of_generated(text) {
        found.push(Finding::Agreement);
    }
    match foreign::says(text) {
        Some(foreign::Foreign::Ban) => found.push(Finding::Forbidden),
        Some(foreign::Foreign::Agreement) => found.push(Finding::Agreement),
        None => {}
    }
    let needed = person::needed(sentence, kind, context);
    found.extend(needed.filter(|_| here).map(|need| Finding::Asked(Condition::Person(need))));
    if here {
        found.extend(condition::asked(sentence, context).into_iter().map(Finding::Asked));
    }
    if kind == Kind::Template
        && sentence.checkbox
        && words::speaks_of_ai(text)
        && (alternative || ban::of_generated(text, false).is_none())
    {
        found.push(Finding::Asked(Condition::Checkbox));
    }
    found
}

/// What a sentence forbids.
fn banned(kind: Kind, sentence: &Sentence, context: bool, alternative: bool) -> Option<Finding> {
    let text = ban::without_curtness(&sentence.normal);
    let text = text.as_str();
    if ban::of_everything(text) && (kind != Kind::Agents) {
        return Some(Finding::Forbidden);
    }
    let person = |need| Some(Finding::Asked(Condition::Person(need)));
    if sentence.checkbox && ban::of_generated(text, context).is_some() {
        // The box says that a person made it. Beside one that says how a program did, it is only left alone.
        return if alternative { None } else { person(Need::Human) };
    }
    let found = ban::of_generated(text, context)?;
    // A text that is no policy forbids by speaking of what is offered; everything else there is about the program.
    if !context && matches!(kind, Kind::Readme | Kind::Other | Kind::Agents) && !ban::speaks_of_work(text) {
        return None;
    }
    match (ban::object(text), found) {
        (ban::Object::Elsewhere, _) => None,
        (_, ban::Ban::Disclosure) => Some(Finding::Asked(Condition::Disclosure)),
        (ban::Object::Said, _) | (_, ban::Ban::Human) => person(Need::Human),
        (_, ban::Ban::Total) => Some(Finding::Forbidden),
        (_, ban::Ban::Agreement) => Some(Finding::Agreement),
        (_, ban::Ban::Partial) => person(Need::Unclear),
    }
}

/// Whether a sentence speaks of what the one before it named.
fn refers_back(text: &str) -> bool {
    text.split(' ').any(|word| matches!(word, "such" | "these" | "those" | "this" | "they" | "it" | "them"))
}

/// Whether a sentence speaks of sign-offs and agreements in words that mean nothing else.
fn is_plain(text: &str) -> bool {
    text.contains(" signed off by ") || text.contains(" generated code ") || text.contains(" conventional commits ")
}
