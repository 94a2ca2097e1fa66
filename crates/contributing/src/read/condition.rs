//! Conditions: sentences that ask for something a program can honestly give. Names are taken over only in a narrow form.

use std::sync::LazyLock;

use regex::Regex;

use super::text::Sentence;
use super::words::{pattern, speaks_of_ai};
use crate::bounds;
use crate::rules::Condition;

/// The longest name that is taken over, in characters.
const NAME: usize = 50;
/// Trailers that say something about people; none of them is ever written.
const PEOPLES: [&str; 8] = [
    "signed-off-by",
    "reviewed-by",
    "acked-by",
    "tested-by",
    "reported-by",
    "suggested-by",
    "approved-by",
    "requested-by",
];

/// What a sentence asks for. `context` is true when the text around it is about generated work.
pub(super) fn asked(sentence: &Sentence, context: bool) -> Vec<Condition> {
    let text = sentence.normal.as_str();
    let mut found = Vec::new();
    if context || speaks_of_ai(text) {
        if is_disclosure(text) {
            found.push(Condition::Disclosure);
        }
        found.extend(trailer(&sentence.raw, text).map(Condition::Trailer));
        found.extend(title_prefix(&sentence.raw, text).map(Condition::TitlePrefix));
        found.extend(label(&sentence.raw, text).map(Condition::Label));
    }
    if is_draft(text, context) {
        found.push(Condition::Draft);
    }
    if is_conventional(text) {
        found.push(Condition::ConventionalCommits);
    }
    if is_changelog(text) && !sentence.is_heading {
        found.push(Condition::Changelog);
    }
    found.extend(branch(&sentence.raw, text).map(Condition::TargetBranch));
    found
}

fn is_disclosure(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:disclos\\w*|undisclosed|declare|declared|declaring|transparent|transparency|acknowledge|acknowledged|attribution|attributed|(?:must|should|please|need to|has to|have to|to be|required to|be|clearly|always|and|if|,|you) (?:\\S+ ){0,4}?(?:mention|mentioned|state|stated|indicate|indicated|note|noted|specify|specified|tell us|say so|say which|flag|flagged|mark|marked|labell?ed|identify|identified|let us know|list|include (?:\\S+ ){0,4}?(?:tool|model|statement|note))) ",
        )
    });
    static NOT_ASKED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(" (?:not (?:\\S+ ){0,2}?(?:need|require|required|have|necessary)|no need|vulnerabilit\\w*|security) ")
    });
    FOUND.is_match(text) && !NOT_ASKED.is_match(text)
}

/// What stands in marks of code or quotes.
fn quoted(raw: &str) -> impl Iterator<Item = &str> {
    static FOUND: LazyLock<Regex> =
        LazyLock::new(|| pattern("`([^`\n]{1,60})`|\"([^\"\n]{1,60})\"|“([^”\n]{1,60})”|\\*\\*([^*\n]{1,60})\\*\\*"));
    FOUND
        .captures_iter(raw)
        .filter_map(|found| (1..=4).find_map(|group| found.get(group)).map(|name| name.as_str().trim()))
}

fn label(raw: &str, text: &str) -> Option<String> {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| pattern(" (?:labels?|labell?ed|tag|tagged) "));
    static NOT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:not (?:\\S+ )?(?:add|use|label|tag)|issues? (?:\\S+ ){0,2}?(?:labell?ed|tagged|with)|maintainers? (?:will|may|can)) ",
        )
    });
    if !FOUND.is_match(text) || NOT.is_match(text) {
        return None;
    }
    let plain =
        |name: &str| name.chars().all(|c| c.is_alphanumeric() || " -_:/.".contains(c)) && name.chars().count() <= NAME;
    quoted(raw).find(|name| plain(name) && !name.to_lowercase().ends_with("-by:")).map(str::to_owned)
}

fn trailer(raw: &str, text: &str) -> Option<String> {
    static FOUND: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b([A-Z][A-Za-z]{1,20}(?:-[A-Za-z]{1,20}){0,3}-[Bb]y)\b"));
    static NOT: LazyLock<Regex> = LazyLock::new(|| pattern(" (?:not|no|never|without|avoid|remove|omit) "));
    if NOT.is_match(text) {
        return None;
    }
    FOUND
        .captures_iter(raw)
        .filter_map(|found| found.get(1))
        .map(|name| name.as_str())
        .find(|name| !PEOPLES.contains(&name.to_lowercase().as_str()))
        .map(str::to_owned)
}

fn title_prefix(raw: &str, text: &str) -> Option<String> {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\[[A-Za-z][A-Za-z -]{0,20}\])(?:$|[^(\[])"));
    let titled = text.contains(" title ") || text.contains(" titles ") || text.contains(" prefix");
    if !titled || text.contains(" not ") {
        return None;
    }
    FOUND.captures(raw).and_then(|found| found.get(1)).map(|name| name.as_str().to_owned())
}

fn is_draft(text: &str, context: bool) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:(?:open\\w*|start\\w*|submit\\w*|create\\w*|sent|send|marked|begin|be|made) (?:\\S+ ){0,5}?(?:as|in|with) (?:a |an )?drafts?|(?:open|start with|create|submit) (?:a |an |your )?draft (?:pull request|pr|merge request|mr)s?|draft first) ",
        )
    });
    static DEMAND: LazyLock<Regex> =
        LazyLock::new(|| pattern(" (?:must|always|please|first|required|should|have to|need to|all|every) "));
    static IF_UNREADY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:if|when|while|early|unfinished|in progress|wip|you can|may|not ready|until it|feel free|feedback|release|releases|consider|issue) ",
        )
    });
    FOUND.is_match(text) && (context || DEMAND.is_match(text)) && !IF_UNREADY.is_match(text)
}

fn is_conventional(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:conventional commits?(?: messages?)?|conventionalcommits|conventionalcommits.org|angular (?:commit )?(?:convention|style|format)|semantic commit messages?) ",
        )
    });
    static NOT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(" (?:not (?:\\S+ ){0,2}?(?:require|use|follow|enforce|need|required)|no need|optional) ")
    });
    FOUND.is_match(text) && !NOT.is_match(text)
}

fn is_changelog(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:(?:add|update|updating|include|including|write|document|mention|describe|describing|note|needs?|requires?|must have|put|list|added|updated|modify|edit|extend|record) (?:\\S+ ){0,8}?(?:changelog|changelog.md|changes.md|change log|release notes|news fragment|newsfragment)|(?:changelog|changelog.md|change log|changes.md) (?:entry|entries|updated|fragment)) ",
        )
    });
    static NOT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:not|no|never|automatic\\w*|generated|release|releasing|releases|releaser|maintainers? (?:will|updates?)|if|breaking|features?|major|significant|user facing|notable|optional) ",
        )
    });
    FOUND.is_match(text) && !NOT.is_match(text)
}

/// The branch that changes go to.
fn branch(raw: &str, text: &str) -> Option<String> {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?i)\b(?:against|to|target|targets|targeting|targeted at|into|onto|towards|base(?:d)? (?:on|off|against)|base (?:them |it |your (?:work|changes|branch|pr|pull request) )?on)\s+(?:the\s+|our\s+|branch\s+)*(?:[`'"*]{1,3}([A-Za-z][A-Za-z0-9._/-]{1,39})[`'"*]{1,3}|(develop|dev|next|trunk|staging|devel|development|unstable|master|main))(?:[\s,.]|$)(?:branch\b)?"#,
        )
    });
    static OFFERED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|contributions?|changes|branch|submissions?) ",
        )
    });
    static ELSE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:not|never|backport\\w*|release|releases|released|releasing|hotfix\\w*|merged|we merge|maintainers? will|push|pushed|fork|docs|documentation|website|gh pages|if|rustc|nightly|upgrade|features?|experimental|clone|compare|rebase) ",
        )
    });
    static FILE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\.(?:md|rs|toml|txt|rst|yml|yaml|json|py|js|c|h)$"));
    if !OFFERED.is_match(text) || ELSE.is_match(text) {
        return None;
    }
    let found = FOUND.captures(raw)?;
    let plain = found.get(2);
    let name = found.get(1).or(plain)?.as_str().trim_end_matches(['.', '/']);
    // A word in marks is a branch only where the sentence says so; `develop` and the like speak for themselves.
    let says = text.contains(" branch ") || text.contains(" branches ");
    let usual = ["develop", "dev", "next", "trunk", "staging", "devel", "development", "unstable", "master", "main"];
    let plain_word = matches!(
        plain.map(|name| name.as_str()),
        Some("next" | "dev" | "staging" | "unstable" | "development" | "trunk")
    );
    if FILE.is_match(name) || name.contains("..") || !(says || (usual.contains(&name) && !plain_word)) {
        return None;
    }
    Some(bounds::clean(name, NAME))
}
