//! Words: the plain form of a sentence, and the groups of words that the patterns are made of.
//!
//! In the plain form every word has a space before and after it, hyphens are spaces, and commas are words. So a pattern
//! can count the words between two others.

use std::sync::LazyLock;

use regex::Regex;

/// Generated work and what makes it.
pub(super) const AI: &str = "(?:ai|a\\.i\\.|llms?|large language models?|language models?|genai|generative (?:models?|tools?)|chatgpt|copilots?|claude|codex|\
    artificial intelligence|machine learning|vibe (?:coded|coding)|chatbots?|coding assistants?|coding agents?|autonomous agents?|\
    agentic|openclaw|slop|machine generated|computer generated|bots|bot accounts?|robots|\
    (?:automated|autonomous|automatic|automatically|unattended|bot|robot|mass|scripted|tool) (?:generated |created |opened |submitted |authored |produced |drive by )*\
    (?:pull requests?|prs?|mrs?|merge requests?|contributions?|patches|submissions|contributors?|accounts?))";
/// What is contributed, and doing so.
pub(super) const WORK: &str = "(?:contribut\\w*|pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|code|coding|commits?|submi\\w+|changes?|change|implement\\w*|\
    work|working|works)";
/// A change that is offered.
pub(super) const PULL: &str =
    "(?:pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|contributions?|contributing|submissions?|changes?)";
/// Up to eight other words.
pub(super) const GAP: &str = "(?:\\S+ ){0,8}?";
/// Up to three other words.
pub(super) const NEAR: &str = "(?:\\S+ ){0,3}?";

/// A pattern for plain forms. All patterns are written in this crate, and its tests make each of them.
pub(crate) fn pattern(text: &str) -> Regex {
    #[expect(clippy::panic, reason = "the text is a constant of this crate")]
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Short forms, written out.
const SHORT: [(&str, &str); 14] = [
    ("can't", "can not"),
    ("cannot", "can not"),
    ("won't", "will not"),
    ("shan't", "shall not"),
    (" dont ", " do not "),
    ("n't ", " not "),
    ("'re ", " are "),
    ("'ll ", " will "),
    ("'ve ", " have "),
    ("'d ", " would "),
    ("it's ", "it is "),
    ("let's", "let us"),
    ("j'ai", "j ai-fr"),
    ("'s ", " "),
];

/// Words that turn a ban around: no ban, not forbidden.
static NO_BAN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:no|not|nor|never|neither|without) (?:(?:be|been|being|generally|currently|outright|strictly|explicitly|explicit|blanket|a|an|any|\
         automatically|formally|yet|general|ai|llm|policy|rule|in|principle|per|se|categorically|necessarily) )*\
         (?:bans?|banned|banning|prohibit\\w*|forbid\\w*|disallow\\w*|reject\\w*|against|discourag\\w*|objections?|opposed|hostile|restrict\\w*|anti) \
         (?:(?:on|to|against) )?",
    )
});
/// Words that only look like generated work: parts of a program whose topic it is.
static TOPIC: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:(by|using|use|uses|with|via|from|through|employ|employing|of|the) (?:an? |any |the )?)?(?:ai|llms?|machine learning|language models?|copilot|claude|codex|chatgpt|chatbots?|artificial intelligence) \
         (?:(?:or|and) )?((?:providers?|backends?|models?|inference|apis?|clients?|integrations?|features?|sdks?|frameworks?|engines?|runtimes?|kernels?|servers?|plugins?|librar(?:y|ies)|crates?|examples?|\
         benchmarks?|applications?|apps?|responses?|endpoints?|keys?|tokens?|prompts?|training|datasets?|weights|algorithms?|pipelines?|workloads?|research|systems?) )",
    )
});

/// A sentence in its plain form.
pub(super) fn normal(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len() + 16);
    text.push(' ');
    let mut chars = without_targets(raw).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '’' | '‘' | 'ʼ' => text.push('\''),
            '*' | '_' | '`' | '"' | '“' | '”' | '(' | ')' | '[' | ']' | '{' | '}' | '#' | '-' | '–' | '—' | '/'
            | '|' | '<' | '>' | '~' => {
                // Two hyphens, dashes and brackets part clauses as a comma does.
                if matches!(c, '(' | ')' | '–' | '—') || (c == '-' && chars.peek() == Some(&'-')) {
                    text.push_str(" ,");
                }
                text.push(' ');
            }
            ',' | ';' | ':' => text.push_str(" , "),
            '.' if chars.peek().is_some_and(|next| next.is_alphanumeric()) => text.push('.'),
            '.' | '!' | '?' => text.push(' '),
            c if crate::bounds::is_hidden(c) => {}
            c if c.is_control() => text.push(' '),
            c => text.extend(c.to_lowercase()),
        }
    }
    text.push(' ');
    for (short, long) in SHORT {
        if text.contains(short) {
            text = text.replace(short, long);
        }
    }
    let mut plain = String::with_capacity(text.len());
    plain.push(' ');
    for word in text.split_whitespace() {
        let word = word.trim_matches('\'');
        if !word.is_empty() {
            plain.push_str(word);
            plain.push(' ');
        }
    }
    let plain = plain.replace(" code of conduct ", " conduct ");
    let plain = NO_BAN.replace_all(&plain, " allowed ");
    TOPIC
        .replace_all(&plain, |found: &regex::Captures<'_>| match found.get(1) {
            Some(_) => found.get(0).map_or("", |all| all.as_str()).to_owned(),
            None => " topic ".to_owned(),
        })
        .into_owned()
}

/// A text without the targets of its links and without tags.
fn without_targets(raw: &str) -> String {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\]\([^()\s]{0,400}(?:\s[^()]{0,200})?\)|\]\[[^\]\[]{0,100}\]|<!--+|--+>|</?[a-zA-Z][^<>]{0,300}>|https?://[^\s<>)\]]{1,400}",
        )
    });
    LINK.replace_all(
        raw,
        |found: &regex::Captures<'_>| {
            if found.get(0).is_some_and(|all| all.as_str().starts_with(']')) { "]" } else { " " }
        },
    )
    .into_owned()
}

/// Whether a sentence speaks of generated work.
pub(super) fn speaks_of_ai(normal: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(" {AI} ")));
    FOUND.is_match(normal)
}

/// Whether a sentence speaks of a change that is offered, in words that mean nothing else.
pub(super) fn speaks_of_pulls(normal: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:contribut\\w*|pull requests?|prs?|mrs?|merge requests?|patches|submissions?|submit|submitted|submitting) ",
        )
    });
    FOUND.is_match(normal)
}

/// Whether a heading introduces what is said about generated contributions.
pub(super) fn is_heading_about_ai(normal: &str) -> bool {
    static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:polic(?:y|ies)|contribut\\w*|usage|use|using|used|generated|assisted|tools?|tooling|assistance|pull requests?|prs|code|coding|rules|guidelines|\
             disclosure|statement|about|on|and|or|generative|vibe|authored|written|slop|bots|no) ",
        )
    });
    static ALONE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^ (?:{AI} )+$")));
    static FOR_AGENTS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:instructions?|guidance|guide|context|notes|rules|guidelines) for (?:\\S+ ){0,3}?(?:ai|agents?|claude|copilot|llms?|assistants?|codex) ",
        )
    });
    speaks_of_ai(normal) && (ABOUT.is_match(normal) || ALONE.is_match(normal)) && !FOR_AGENTS.is_match(normal)
}

/// Whether a heading introduces what is said about contributions.
pub(super) fn is_heading_about_contributing(normal: &str) -> bool {
    static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:contribut\\w*|pull requests?|prs|merge requests?|patches|submitting|developing|development|helping) ",
        )
    });
    ABOUT.is_match(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_form_is_words_between_spaces() {
        for (raw, wanted) in [
            ("We **don't** accept [AI-generated](https://x.y/z) code.", " we do not accept ai generated code "),
            ("Can’t, won't: isn't!", " can not , will not , is not "),
            ("There is no ban on AI.", " there is allowed ai "),
            ("AI is not forbidden", " ai is allowed "),
            ("new LLM providers", " new topic "),
            ("generated by AI models", " generated by ai models "),
            ("See <b>this</b> `x`", " see this x "),
        ] {
            assert_eq!(normal(raw), wanted);
        }
    }
}
