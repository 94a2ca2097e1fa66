//! Filling: our text below the headings of a form.

use super::body::{BodyParts, Slot, append, close_fence, finish};
use super::checkbox::settled;
use super::sections::{Asks, Section, sections, slot};
use crate::bounds;

/// Bytes of a form that is filled; a longer one is none that people fill.
const LONGEST: usize = 64 * 1024;

/// A form, filled.
pub(super) fn fill(template: &str, parts: &BodyParts) -> String {
    let form = sections(bounds::cut(template, LONGEST));
    let asked: Vec<Option<Asks>> = form.iter().map(|section| slot(&section.heading)).collect();
    let has = |wanted: Slot| asked.contains(&Some(Asks::Part(wanted)));
    let mut left = Slot::ALL.to_vec();
    let mut body = parts.opening();
    for (section, asks) in form.iter().zip(&asked) {
        let mut text = String::new();
        let mut ours = false;
        match asks {
            Some(Asks::Disclosure) => {
                text = parts.disclosure();
                ours = true;
            }
            Some(Asks::Part(slot)) if left.contains(slot) => {
                // A form with one heading for both is told what was wrong before what changed.
                let both = match slot {
                    Slot::Changed if !has(Slot::Wrong) => vec![Slot::Wrong, Slot::Changed],
                    Slot::Wrong if !has(Slot::Changed) => vec![Slot::Wrong, Slot::Changed],
                    slot => vec![*slot],
                };
                text = both
                    .iter()
                    .map(|slot| parts.part(*slot))
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("\n\n");
                left.retain(|slot| !both.contains(slot));
                ours = !text.is_empty();
            }
            _ => {}
        }
        body.push_str(&shown(section, &text, ours, parts));
    }
    append(&mut body, parts, &left);
    finish(body)
}

/// A section of the form with our text in it. Its boxes stay; what it says otherwise gives way to us.
fn shown(section: &Section, ours: &str, filled: bool, parts: &BodyParts) -> String {
    let mut text = String::new();
    if !section.heading.is_empty() {
        text.push_str(&format!("\n{}\n", section.heading));
    }
    if filled {
        text.push_str(&format!("\n{ours}\n"));
    }
    let mut kept = String::new();
    for line in &section.lines {
        match settled(line, &parts.facts) {
            Some(line) => kept.push_str(&format!("{line}\n")),
            None if filled => {}
            None => kept.push_str(&format!("{line}\n")),
        }
    }
    close_fence(&mut kept);
    let kept = kept.trim_matches('\n');
    if !kept.is_empty() {
        text.push_str(&format!("\n{kept}\n"));
    }
    text
}
