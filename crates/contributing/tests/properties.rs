//! Properties: no text makes the readers panic or take long, and a body always says what it must.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kaizen_contributing::{BodyParts, Codeowners, Facts, Rules, Template, default_body};
use proptest::prelude::*;

const WORDS: &str = "(no|not|AI|LLM|code|pull request|before|an issue|open|unless|accepted|`develop`|- \\[ \\]|## |<!--|-->|```|\n|, |\\. |é|。|禁止|must|by|a human|\\[|\\]\\(|Signed-off-by){0,60}";

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>(), words in WORDS) {
        for text in [&text, &words] {
            let paths = ["CONTRIBUTING.md", "AI_POLICY.md", "AGENTS.md", ".github/pull_request_template.md", "README.md", "CODEOWNERS"];
            let files: BTreeMap<String, String> = paths.iter().map(|path| ((*path).to_owned(), text.clone())).collect();
            let rules = Rules::read(&files);
            prop_assert_eq!(rules.verdict.is_open(), rules.verdict.reason().is_none());
            for quote in &rules.evidence {
                prop_assert!(quote.text.chars().count() <= 240 && !quote.text.chars().any(char::is_control));
                prop_assert!(quote.line <= text.lines().count().max(1));
            }
            let _ = Codeowners::find(&files).map(|owners| owners.owners(["src/lib.rs"]));
        }
    }

    #[test]
    fn a_ban_stays_one_whatever_stands_around_it(before in WORDS, after in WORDS) {
        // A fence or a comment before it could make it an example.
        let before = before.replace("```", "");
        let text = format!("{before}\n\n# Rules\n\nWe do not accept AI-generated contributions.\n\n{}", after.replace("```", ""));
        let rules = Rules::read(&BTreeMap::from([("CONTRIBUTING.md".to_owned(), text)]));
        prop_assert_eq!(rules.verdict.to_string(), "forbidden");
    }

    #[test]
    fn a_body_says_what_it_must(form in any::<String>(), words in WORDS, said in any::<String>(), operation in any::<String>()) {
        for text in [form, words] {
            let parts = BodyParts { wrong: said.clone(), tried: said.clone(), disclosure: said.clone(), operation: operation.clone(), ..BodyParts::default() };
            let template = Template { path: "PULL_REQUEST_TEMPLATE.md".to_owned(), text };
            for body in [template.fill(&parts), default_body(&parts)] {
                let opening = format!("{}\n\n{}\n", parts.marker(), parts.disclosure());
                prop_assert!(body.starts_with(&opening));
                prop_assert!(parts.disclosure().chars().any(char::is_alphanumeric));
                prop_assert_eq!(body.matches("<!--").count(), 1);
                prop_assert!(body.chars().count() < 65_536);
            }
        }
    }

    #[test]
    fn nothing_is_ticked_that_nobody_looked_at(words in "[a-z ]{0,30}(tests|clippy|fmt|breaking|pass){0,3}[a-z ]{0,10}") {
        let template = Template { path: "x".to_owned(), text: format!("- [x] {words}\n- [X] tests pass\n") };
        let body = template.fill(&BodyParts::default());
        prop_assert!(!body.contains("[x]"));
    }
}

#[test]
fn long_texts_take_no_long_time() {
    let begun = Instant::now();
    for piece in [
        "no ai ",
        "not ",
        "a",
        "before opening a pull request open an issue ",
        "- [ ] x\n",
        "<!--",
        "](",
        "`",
        "**",
        "[a",
        "\n#",
        ". ",
        "AI must ",
    ] {
        let text = piece.repeat(250_000 / piece.len());
        let files =
            BTreeMap::from([("CONTRIBUTING.md".to_owned(), text.clone()), ("AGENTS.md".to_owned(), text.clone())]);
        let _ = Rules::read(&files);
        let _ = Template { path: String::new(), text: text.clone() }
            .fill(&BodyParts { wrong: text, ..BodyParts::default() });
    }
    // Seconds each in a debug build would be a blow-up: it is linear in the text.
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[test]
fn a_form_is_filled_below_its_own_headings() {
    let form = "---\nname: x\n---\n<!-- Say what you did. -->\n## Description\n\nDescribe your changes here\n\nFixes #123\n\n## How has this been tested?\n\n/label ~bug\n- [ ] All tests pass\n- [x] I have reviewed this myself\n\n## AI disclosure\n\nTell us\n\n## Screenshots\n";
    let facts = Facts { tests_pass: Some(true), ..Facts::default() };
    let text = |text: &str| text.to_owned();
    let parts = BodyParts {
        wrong: text("`a` was cloned, see #7 and @someone"),
        changed: text("It is borrowed."),
        tried: text("41 of 41 tests."),
        not_tried: text("Windows."),
        undo: text("git revert"),
        disclosure: text("Written by a program."),
        operation: text("op-1--> <!--"),
        facts,
    };
    let body = Template { path: text("x"), text: text(form) }.fill(&parts);
    let wanted = "<!-- kaizen operation=op-1 -->\n\nWritten by a program.\n\n## Description\n\n`a` was cloned, see #\u{200b}7 and @\u{200b}someone\n\nIt is borrowed.\n\n## How has this been tested?\n\n41 of 41 tests.\n\n- [x] All tests pass\n- [ ] I have reviewed this myself\n\n## AI disclosure\n\nWritten by a program.\n\n## Screenshots\n\n### What was not tried\n\nWindows.\n\n### How to undo it\n\ngit revert\n";
    assert_eq!(body, wanted);
}
