//! Pull requests as a person reads about them: one line each, the reason below it when there is one.

use kaizen_agents::pull_requests::told::Told;
use kaizen_domain::{PatchId, Word};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::story::lines::shown;
use crate::story::outcome::{below, fitted};
use crate::story::paint::Paint;
use crate::story::wrap::wrap;

/// Columns that a reason has.
const REASON: usize = 95;
/// Columns that a title has.
const TITLE: usize = 52;

/// What became of a pull request, as lines.
#[must_use]
pub fn lines(paint: &Paint, told: &Told) -> Vec<String> {
    let head = |word: Word, patch: &PatchId, title: &str, rest: &str| {
        format!("    {} {:<7} {} {}", paint.word(word), patch.short(), fitted(&shown(title), TITLE), shown(rest))
            .trim_end()
            .to_owned()
    };
    let number = |number: &u64| format!("#{number}");
    match told {
        Told::Opened { patch, title, url, number } => {
            let place = if url.is_empty() { format!("#{number}") } else { url.clone() };
            vec![head(Word::Opened, patch, title, &place)]
        }
        Told::Waits { patch, title, why } => with_reason(head(Word::Queued, patch, title, ""), why),
        Told::Withheld { patch, title, why } => with_reason(head(Word::Asked, patch, title, "not opened"), why),
        Told::Changed { patch, number: n, how } => vec![head(Word::Opened, patch, &number(n), how)],
        Told::Over { patch, number: n, how } => {
            let word = if how == "merged" { Word::Landed } else { Word::Rejected };
            vec![head(word, patch, &number(n), how)]
        }
        Told::Stuck { patch, number: n, why } => {
            with_reason(head(Word::Asked, patch, &number(n), "needs a person"), why)
        }
        Told::Trouble { patch, error } => {
            let failure = Failure::from(error.clone());
            let of = patch.map(|patch| format!("{}: ", patch.short())).unwrap_or_default();
            let mut lines = vec![format!("  forge     {of}{}", shown(&failure.message))];
            lines.extend(failure.help.iter().map(|help| format!("            help: {}", shown(help))));
            lines
        }
    }
}

fn with_reason(head: String, why: &str) -> Vec<String> {
    let mut lines = vec![head];
    lines.extend(wrap(&shown(why), REASON).iter().map(|line| below(line)));
    lines
}

/// The same for a program.
#[must_use]
pub fn json(told: &Told) -> Value {
    match told {
        Told::Opened { patch, title, number, url } => {
            json!({"of": "opened", "patch": patch, "title": title, "number": number, "url": url})
        }
        Told::Waits { patch, title, why } => json!({"of": "queued", "patch": patch, "title": title, "why": why}),
        Told::Withheld { patch, title, why } => json!({"of": "withheld", "patch": patch, "title": title, "why": why}),
        Told::Changed { patch, number, how } => json!({"of": "changed", "patch": patch, "number": number, "how": how}),
        Told::Over { patch, number, how } => json!({"of": "over", "patch": patch, "number": number, "how": how}),
        Told::Stuck { patch, number, why } => json!({"of": "stuck", "patch": patch, "number": number, "why": why}),
        Told::Trouble { patch, error } => json!({"of": "trouble", "patch": patch, "error": error.to_string()}),
    }
}
