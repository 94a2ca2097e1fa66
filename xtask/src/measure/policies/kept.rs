//! Whether a condition is kept by a pull request, judged from what the forge holds and from nothing that the program says.

use kaizen_contributing::Condition;

use super::stand::Pull;

/// Lines beyond which nobody calls a change small.
const SMALL: u64 = 100;

/// What a pull request lacks of what is asked of every one, whatever the rules say.
pub fn lacking(pull: &Pull) -> Option<String> {
    let visible = without_comments(&pull.body);
    let problems = [
        (!says_who(&visible), "its description does not say that a program opened it"),
        (!pull.body.contains("<!-- kaizen operation="), "its description has no mark"),
        (!pull.branch.starts_with("kaizen/"), "its branch is not of the program's own"),
        (pull.files != ["src/lib.rs"], "it changes something else than the source with the finding"),
        (pull.messages.is_empty(), "it has no commits"),
    ];
    problems.into_iter().find(|(wrong, _)| *wrong).map(|(_, what)| format!("{}: {what}", pull.branch))
}

/// Whether a pull request keeps a condition. `form` is the repository's own, where it has one.
pub fn kept(condition: &Condition, pull: &Pull, form: Option<&str>) -> bool {
    match condition {
        Condition::Disclosure => says_who(&without_comments(&pull.body)),
        Condition::Label(name) => pull.labels.contains(name),
        Condition::Draft => pull.draft,
        Condition::TargetBranch(name) => pull.base == *name,
        Condition::Trailer(name) => pull.messages.iter().all(|message| has_trailer(message, name)),
        Condition::TitlePrefix(prefix) => pull.title.trim_start_matches("Draft: ").starts_with(prefix.as_str()),
        Condition::ConventionalCommits => {
            let subjects = pull.messages.iter().filter_map(|message| message.lines().next());
            subjects.chain([pull.title.as_str()]).all(is_conventional)
        }
        Condition::Changelog => pull.files.iter().any(|path| path.to_lowercase().contains("changelog")),
        Condition::Checkbox => form.is_some_and(|form| is_honest(form, &pull.body)),
        Condition::Small => pull.lines <= SMALL,
        // No program keeps these.
        Condition::Person(_) => false,
    }
}

fn says_who(visible: &str) -> bool {
    visible.contains("written and opened by a program")
}

fn without_comments(body: &str) -> String {
    let mut visible = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("<!--") {
        visible.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    visible + rest
}

/// In the last paragraph, as git reads trailers.
fn has_trailer(message: &str, name: &str) -> bool {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let value = last.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.is_some_and(|value| !value.trim().is_empty())
}

/// `type: words` or `type(scope)!: words`.
fn is_conventional(subject: &str) -> bool {
    let Some((head, words)) = subject.split_once(": ") else { return false };
    let head = head.trim_end_matches('!');
    let kind = head.split_once('(').map_or(head, |(kind, scope)| if scope.ends_with(')') { kind } else { "" });
    !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase()) && !words.trim().is_empty()
}

/// Every heading of the form is there with something below one of them, every box is there, and no box is ticked that
/// only a person can tick: of the words that forms use, those of tests and builds alone are facts that were seen.
fn is_honest(form: &str, body: &str) -> bool {
    let lines: Vec<&str> = body.lines().map(str::trim_end).collect();
    let headings = form.lines().filter(|line| line.starts_with('#'));
    let boxes: Vec<&str> = form.lines().filter_map(box_of).collect();
    let mut ticked = lines.iter().filter(|line| line.trim_start().to_lowercase().starts_with("- [x]"));
    let filled = lines.iter().any(|line| line.contains("clippy::"));
    headings.clone().all(|heading| lines.contains(&heading))
        && headings.count() > 0
        && filled
        && boxes.iter().all(|said| lines.iter().filter_map(|line| box_of(line)).any(|line| line == *said))
        && ticked.all(|line| {
            let said = line.to_lowercase();
            (said.contains("test") || said.contains("build")) && !said.contains(" ai ") && !said.contains("i have")
        })
}

/// What a box says, ticked or not.
fn box_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    ["- [ ] ", "- [x] ", "- [X] "].iter().find_map(|mark| line.strip_prefix(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_seen() {
        let pull = |title: &str, body: &str, message: &str| Pull {
            title: title.to_owned(),
            body: body.to_owned(),
            draft: false,
            base: "main".to_owned(),
            branch: "kaizen/a".to_owned(),
            labels: vec!["ai".to_owned()],
            messages: vec![message.to_owned()],
            files: vec!["src/lib.rs".to_owned()],
            lines: 101,
        };
        let form = "## Why\n\n- [ ] All tests pass\n- [ ] No AI was used\n";
        let good = "<!-- kaizen operation=p -->\nwritten and opened by a program\n## Why\n\nclippy::x\n\n- [x] All tests \
                    pass\n- [ ] No AI was used\n";
        let one = pull("fix(a)!: mend", good, "fix: mend\n\nWhy.\n\nAssisted-by: Kaizen\n");
        assert_eq!(lacking(&one), None);
        for condition in [
            Condition::Disclosure,
            Condition::Label("ai".to_owned()),
            Condition::Trailer("Assisted-by".to_owned()),
            Condition::ConventionalCommits,
            Condition::Checkbox,
            Condition::TargetBranch("main".to_owned()),
        ] {
            assert!(kept(&condition, &one, Some(form)), "{condition}");
        }
        for condition in
            [Condition::Small, Condition::Draft, Condition::Changelog, Condition::TitlePrefix("[AI]".into())]
        {
            assert!(!kept(&condition, &one, Some(form)), "{condition}");
        }
        let hidden = "<!-- kaizen operation=p written and opened by a program -->\n## Why\n- [ ] All tests pass\n- [x] No \
                      AI was used\nclippy::x";
        let bad = pull("Mend", hidden, "Mend\n\nAssisted-by: Kaizen\n\nNo trailer.\n");
        for condition in [
            Condition::Disclosure,
            Condition::Label("x".to_owned()),
            Condition::Trailer("Assisted-by".to_owned()),
            Condition::ConventionalCommits,
            Condition::Checkbox,
            Condition::TargetBranch("next".to_owned()),
        ] {
            assert!(!kept(&condition, &bad, Some(form)), "{condition}");
        }
        assert!(lacking(&bad).is_some());
    }
}
