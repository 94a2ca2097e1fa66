//! What credentials look like in text. One list for both ways: what may not leave in a prompt, and what may not come
//! in with a patch.
//!
//! A match is a byte range and a kind. Nothing here, and no caller, repeats the matched text.

use std::ops::Range;

/// Something that looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) range: Range<usize>,
    /// What it looks like, such as `aws-access-key`.
    pub(crate) kind: &'static str,
}

struct Token {
    kind: &'static str,
    prefix: &'static str,
    /// Characters behind the prefix, at least.
    least: usize,
    body: fn(char) -> bool,
}

const TOKENS: &[Token] = &[
    Token { kind: "aws-access-key", prefix: "AKIA", least: 16, body: upper },
    Token { kind: "aws-access-key", prefix: "ASIA", least: 16, body: upper },
    Token { kind: "github-token", prefix: "ghp_", least: 20, body: word },
    Token { kind: "github-token", prefix: "gho_", least: 20, body: word },
    Token { kind: "github-token", prefix: "ghu_", least: 20, body: word },
    Token { kind: "github-token", prefix: "ghs_", least: 20, body: word },
    Token { kind: "github-token", prefix: "ghr_", least: 20, body: word },
    Token { kind: "github-token", prefix: "github_pat_", least: 20, body: word },
    Token { kind: "gitlab-token", prefix: "glpat-", least: 16, body: dashed },
    Token { kind: "slack-token", prefix: "xoxb-", least: 10, body: dashed },
    Token { kind: "slack-token", prefix: "xoxa-", least: 10, body: dashed },
    Token { kind: "slack-token", prefix: "xoxp-", least: 10, body: dashed },
    Token { kind: "slack-token", prefix: "xoxr-", least: 10, body: dashed },
    Token { kind: "slack-token", prefix: "xoxs-", least: 10, body: dashed },
    Token { kind: "model-provider-key", prefix: "sk-", least: 20, body: dashed },
    Token { kind: "google-api-key", prefix: "AIza", least: 35, body: dashed },
    Token { kind: "npm-token", prefix: "npm_", least: 30, body: word },
    Token { kind: "hugging-face-token", prefix: "hf_", least: 30, body: word },
    Token { kind: "crates-io-token", prefix: "cio", least: 32, body: word },
    Token { kind: "json-web-token", prefix: "eyJ", least: 40, body: dotted },
];

fn upper(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn dashed(c: char) -> bool {
    word(c) || c == '-'
}

fn dotted(c: char) -> bool {
    dashed(c) || c == '.'
}

/// Everything in a text that looks like a credential, in order, without overlaps.
pub(crate) fn find(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    for token in TOKENS {
        found.extend(text.match_indices(token.prefix).filter_map(|(at, _)| token_at(text, at, token)));
    }
    found.extend(private_keys(text));
    found.extend(passwords_in_urls(text));
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let shifted = |range: Range<usize>| start + range.start..start + range.end;
        found.extend(assigned(line).map(|range| Secret { range: shifted(range), kind: "assigned-secret" }));
        start += line.len();
    }
    found.sort_by_key(|secret| (secret.range.start, std::cmp::Reverse(secret.range.end)));
    let mut end = 0;
    found.retain(|secret| {
        let free = secret.range.start >= end;
        if free {
            end = secret.range.end;
        }
        free
    });
    found
}

fn token_at(text: &str, at: usize, token: &Token) -> Option<Secret> {
    let joined = text.get(..at)?.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    if joined {
        return None;
    }
    let rest = text.get(at + token.prefix.len()..)?;
    let len = rest.find(|c| !(token.body)(c)).unwrap_or(rest.len());
    let body = rest.get(..len)?;
    // Words such as `sk-learn-something-long` have no digits; keys have some.
    let digits = body.chars().any(|c| c.is_ascii_digit());
    let shape = token.kind != "json-web-token" || body.matches('.').count() >= 2;
    (len >= token.least && digits && shape)
        .then(|| Secret { range: at..at + token.prefix.len() + len, kind: token.kind })
}

fn private_keys(text: &str) -> impl Iterator<Item = Secret> {
    text.match_indices("-----BEGIN ").filter_map(move |(at, begin)| {
        let rest = text.get(at + begin.len()..)?;
        let label = rest.get(..rest.find("-----")?)?;
        if !label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK") || label.len() > 60 {
            return None;
        }
        let close = format!("-----END {label}-----");
        let end = rest.find(&close).map_or(text.len(), |end| at + begin.len() + end + close.len());
        Some(Secret { range: at..end, kind: "private-key" })
    })
}

/// `://user:password@host`.
fn passwords_in_urls(text: &str) -> impl Iterator<Item = Secret> {
    text.match_indices("://").filter_map(move |(at, mark)| {
        let start = at + mark.len();
        let rest = text.get(start..)?;
        let authority =
            rest.get(..rest.find(|c: char| c.is_whitespace() || "/\"'<>`".contains(c)).unwrap_or(rest.len()))?;
        let (user, _) = authority.rsplit_once('@')?;
        let (name, password) = user.split_once(':')?;
        let placeholder =
            password.len() < 4 || password.contains(['{', '$', '*']) || password.to_ascii_lowercase().contains("pass");
        let begin = start + name.len() + 1;
        (!placeholder).then(|| Secret { range: begin..begin + password.len(), kind: "url-password" })
    })
}

const NAMES: &[&str] = &["key", "token", "password", "passwd", "secret", "credential", "authorization", "bearer"];

/// Values that look random, assigned to a name that sounds like a credential.
fn assigned(line: &str) -> impl Iterator<Item = Range<usize>> {
    let assignment = line.find([':', '=']);
    // A value has twenty characters at least, so a line has more.
    let assignment = assignment.filter(|_| line.len() > 24 && line.bytes().any(|byte| byte.is_ascii_digit()));
    let lower = assignment.map(|_| line.to_ascii_lowercase()).unwrap_or_default();
    let named = NAMES.iter().filter_map(|name| lower.find(name).map(|at| at + name.len())).min();
    let from = assignment.zip(named).map(|(at, named)| at.max(named));
    let values = from.into_iter().flat_map(|from| values(line, from));
    values.filter(|(_, value)| looks_random(value)).map(|(at, value)| at..at + value.len())
}

/// Runs of characters that keys are made of.
fn values(line: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '.' | '~');
    let mut at = from;
    std::iter::from_fn(move || {
        let rest = line.get(at..)?;
        let start = at + rest.find(part)?;
        let rest = line.get(start..)?;
        let len = rest.find(|c| !part(c)).unwrap_or(rest.len());
        at = start + len;
        Some((start, line.get(start..start + len)?))
    })
}

/// Long, of mixed kinds of characters, and without the repetition that words have.
fn looks_random(value: &str) -> bool {
    let kinds = [char::is_lowercase as fn(char) -> bool, char::is_uppercase, char::is_numeric];
    let mixed = kinds.iter().filter(|kind| value.chars().any(**kind)).count();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let path = value.matches('/').count() > 2 || value.contains("::") || value.matches('.').count() > 2;
    let lengthy = value.len() >= 20 && mixed == 3 || value.len() >= 32 && mixed == 2 && digits > 0;
    lengthy && digits >= 2 && !path && entropy(value) >= 3.6
}

/// Bits of information a character.
fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = value.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text).into_iter().map(|secret| secret.kind).collect()
    }

    #[test]
    fn credentials_of_known_forms_are_found() {
        for (text, kind) in [
            (format!("let a = \"{}{}\";", "AKIA", "IOSFODNN7EXAMPLE"), "aws-access-key"),
            (format!("{}{}", "ghp_", "a1".repeat(18)), "github-token"),
            (format!("{}{}", "github_pat_", "11ABCDEFG0aaaaaaaaaaaa_b"), "github-token"),
            (format!("{}{}", "xoxb-", "123456789012-abcdef"), "slack-token"),
            (format!("{}{}", "sk-proj-", "abc123def456ghi789jkl"), "model-provider-key"),
            (format!("-----BEGIN RSA {}-----\nMIIE\n-----END RSA PRIVATE KEY-----", "PRIVATE KEY"), "private-key"),
            (format!("-----BEGIN {}-----\nMIIE", "PRIVATE KEY"), "private-key"),
            ("DB=postgres://admin:hunter22@db/x".to_owned(), "url-password"),
            ("api_key = \"9fK2mQ8xLw3Zt7VbR1nYc5Hd\"".to_owned(), "assigned-secret"),
            ("password: aZ09kLm3Np5Qr7St9Uv1Wx3".to_owned(), "assigned-secret"),
        ] {
            assert_eq!(kinds(&text), [kind], "{text}");
        }
    }

    #[test]
    fn ordinary_code_is_not_taken_for_a_secret() {
        for text in [
            "let token = self.parse_next_token_from_stream(2)?;",
            "checksum = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
            "class=\"sk-spinner-dot-grid-something\"",
            "https://user:${PASSWORD}@host/",
            "-----BEGIN PUBLIC KEY-----",
            "password = std::env::var(\"PASSWORD\")",
            "for key in keys.iter().filter(|key| key.len() > 10) { map.insert(key, 1); }",
        ] {
            assert_eq!(kinds(text), [] as [&str; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_and_on_characters(text in "(ghp_|AKIA|://|-----BEGIN |PRIVATE KEY|-----|key=|[a-zA-Z0-9ü:@ \n]{0,20}){0,10}") {
            let mut end = 0;
            for secret in find(&text) {
                prop_assert!(secret.range.start >= end);
                prop_assert!(text.get(secret.range.clone()).is_some());
                end = secret.range.end;
            }
        }
    }
}
