//! The repositories: their texts by path, and what a person reads in them. The words are our own; the kinds of rules, and
//! the places they stand in, are those of real projects.

/// A repository with rules.
pub struct Fixture {
    pub name: &'static str,
    /// What may be done: `open`, `forbidden`, `needs agreement`, `needs a person`.
    pub verdict: &'static str,
    /// What is asked of a pull request; compared where one may be opened.
    pub conditions: &'static [&'static str],
    /// The condition that no patch of the fixers keeps, so that nothing may be opened.
    pub unkept: Option<&'static str>,
    pub files: &'static [(&'static str, &'static str)],
}

const fn no(name: &'static str, verdict: &'static str, files: &'static [(&'static str, &'static str)]) -> Fixture {
    Fixture { name, verdict, conditions: &[], unkept: None, files }
}

const fn yes(
    name: &'static str,
    conditions: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
) -> Fixture {
    Fixture { name, verdict: "open", conditions, unkept: None, files }
}

impl Fixture {
    const fn but(self, unkept: &'static str) -> Self {
        Self { unkept: Some(unkept), ..self }
    }

    /// Whether pull requests may be opened, and can be.
    pub fn opens(&self) -> bool {
        self.verdict == "open" && self.unkept.is_none()
    }
}

/// Those of a quick run.
pub const QUICK: [&str; 6] = ["ban-in-guide", "issue-first", "sign-off", "label", "branch", "form"];

/// Ten that forbid or ask first, ten that allow.
pub const REPOSITORIES: &[Fixture] = &[
    no(
        "ban-in-guide",
        "forbidden",
        &[
            ("README.md", "# anvil\n\nA parser for ledgers. Contributions are welcome.\n"),
            (
                "CONTRIBUTING.md",
                "# Contributing\n\nFork, branch, test.\n\n## Tools\n\nWe do not take code that was written by an LLM,\nno matter how small the patch is.\n",
            ),
        ],
    ),
    no(
        "ban-in-policy",
        "forbidden",
        &[(
            "docs/ai-policy.md",
            "# Generative tools\n\nThis page is about what you send us.\n\nContributions made in whole or in part with machine learning are not permitted.\nQuestions go to the forum.\n",
        )],
    ),
    no(
        "ban-on-agents",
        "forbidden",
        &[
            (
                "AI_POLICY.md",
                "# AI\n\nTools that help you type are welcome here. You answer for what you send.\n\nAutonomous agents may not be used, and their pull requests are closed.\n",
            ),
            ("CONTRIBUTING.md", "Thanks for helping!\n"),
        ],
    ),
    no(
        "ban-in-form",
        "forbidden",
        &[(
            ".github/PULL_REQUEST_TEMPLATE.md",
            "<!-- Pull requests made by bots or with ChatGPT will be closed. -->\n\n## What\n\n## Why\n",
        )],
    ),
    no(
        "ban-in-conduct",
        "forbidden",
        &[(
            "CODE_OF_CONDUCT.md",
            "# Conduct\n\nBe kind.\n\n## Contributions\n\nThe use of AI to write patches is prohibited in this project.\n",
        )],
    ),
    no(
        "ban-in-german",
        "forbidden",
        &[("CONTRIBUTING", "Mitmachen\n=========\n\nDanke! KI-generierte Beiträge werden nicht angenommen.\n")],
    ),
    no(
        "issue-first",
        "needs agreement",
        &[(
            "docs/contributing.rst",
            "Contributing\n============\n\nOpen an issue first and wait for approval\nbefore you send a pull request.\n",
        )],
    ),
    no(
        "bots-ask",
        "needs agreement",
        &[(
            ".github/bots.md",
            "# Automation\n\nBots must be approved by the maintainers before they open pull requests.\n",
        )],
    ),
    no(
        "sign-off",
        "needs a person",
        &[("README.md", "# tin\n\nA small library.\n"), (".github/dco.yml", "require:\n  members: false\n")],
    ),
    no(
        "human-in-the-loop",
        "needs a person",
        &[(
            "CONTRIBUTING.md",
            "# Contributing\n\n## AI\n\nYou may use assistants, but a human must review every line before it is submitted.\n",
        )],
    ),
    yes(
        "plain",
        &[],
        &[
            (
                "README.md",
                "# roof\n\nAn inference library: it runs large language models. It does not accept models above 4 GB.\n\n## Contributing\n\nPull requests are welcome.\n",
            ),
            ("CONTRIBUTING.md", "Run the tests. Search the existing issues before opening a new one.\n"),
        ],
    ),
    yes(
        "disclosure",
        &["disclosure"],
        &[(
            "CONTRIBUTING.md",
            "# Contributing\n\nAI-assisted changes are welcome as long as you disclose it in the description.\n",
        )],
    ),
    yes(
        "label",
        &["disclosure", "label ai-assisted"],
        &[(
            "docs/ai.md",
            "# Use of AI\n\nGenerated pull requests must carry the label `ai-assisted`, and the description must state that AI was used.\n",
        )],
    ),
    yes(
        "branch",
        &["branch develop", "conventional commits"],
        &[(
            ".github/CONTRIBUTING.md",
            "# Guide\n\nPlease open pull requests against the `develop` branch.\n\nCommit messages follow Conventional Commits.\n",
        )],
    ),
    yes(
        "draft",
        &["disclosure", "draft"],
        &[(
            "AI_POLICY.md",
            "# AI policy\n\nPull requests made with AI must be opened as a draft. Say clearly in it that you used AI, and disclose which tool.\n",
        )],
    ),
    yes(
        "trailer",
        &["trailer Assisted-by"],
        &[("CONTRIBUTING.md", "Commits that were made with an LLM carry an `Assisted-by:` trailer.\n")],
    ),
    yes(
        "changelog",
        &["changelog", "small"],
        &[(
            "CONTRIBUTING.md",
            "# Contributing\n\nAdd an entry to `CHANGELOG.md` with every pull request.\n\nFor large changes, please open an issue first to discuss them.\n",
        )],
    )
    .but("changelog"),
    yes(
        "form",
        &["checkbox"],
        &[(
            ".github/pull_request_template.md",
            "<!-- Thank you! -->\n## Description\n\nDescribe it here\n\n## Testing\n\n- [ ] All tests pass\n- [ ] AI was used for this change\n- [ ] No AI was used for this change\n",
        )],
    ),
    yes(
        "other-things",
        &[],
        &[
            ("SECURITY.md", "Do not send reports made by AI.\n"),
            (
                "CONTRIBUTING.md",
                "# Contributing\n\nAI-generated issues will be closed. Do not edit generated code by hand.\n\nNo Contributor License Agreement is needed.\n",
            ),
        ],
    ),
    yes(
        "for-agents",
        &["title [AI]"],
        &[(
            "AGENTS.md",
            "# Instructions for AI agents\n\nNever run cargo directly. Do not commit build output.\n\n## Pull requests\n\nPrefix the title of AI pull requests with [AI].\n",
        )],
    ),
];
