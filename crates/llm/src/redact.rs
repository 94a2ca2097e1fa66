//! Redaction: takes what looks like a secret out of a text before it leaves the machine or gets into an error, and
//! finds secrets in what comes in. Names stay, values go, so that a reader still understands the text.
//!
//! A plain scanner without memory: linear in the text. It errs on the side of taking out too much.

use std::sync::{PoisonError, RwLock};

use kaizen_domain::path::is_invisible;

/// What stands in the place of a secret begins like this.
pub const PLACEHOLDER: &str = "[redacted by kaizen: ";

/// Tokens with a fixed beginning: the beginning, how many characters of a token must follow at least, and its kind.
const PREFIXES: &[(&str, usize, &str)] = &[
    ("AKIA", 16, "aws access key"),
    ("ASIA", 16, "aws access key"),
    ("ghp_", 20, "github token"),
    ("gho_", 20, "github token"),
    ("ghu_", 20, "github token"),
    ("ghs_", 20, "github token"),
    ("ghr_", 20, "github token"),
    ("github_pat_", 20, "github token"),
    ("glpat-", 16, "gitlab token"),
    ("sk-", 16, "model key"),
    ("xoxa-", 10, "slack token"),
    ("xoxb-", 10, "slack token"),
    ("xoxp-", 10, "slack token"),
    ("xoxr-", 10, "slack token"),
    ("xoxs-", 10, "slack token"),
    ("npm_", 30, "npm token"),
    ("AIza", 30, "google key"),
    ("eyJ", 40, "web token"),
];

/// Parts of a name that say that its value is secret.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "private_key",
    "credential",
];

/// Secrets that this program holds itself. No scanner knows what they look like, but here they are known.
static OWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Makes a secret of this program's own known, so that it is taken out of every text. One so short that it would occur by
/// chance is left to the scanner.
pub fn remember(secret: &str) {
    let mut own = OWN.write().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= 8 && !own.iter().any(|known| known == secret) {
        own.push(secret.to_owned());
        // A key may be the beginning of another one.
        own.sort_by_key(|known| std::cmp::Reverse(known.len()));
    }
}

/// A text without secrets.
#[must_use]
pub fn redact(text: &str) -> String {
    let own = OWN.read().unwrap_or_else(PoisonError::into_inner);
    let known = own.iter().filter(|secret| text.contains(secret.as_str()));
    let mut without: Option<String> = None;
    for secret in known {
        let hidden = format!("{PLACEHOLDER}model key]");
        without = Some(without.as_deref().unwrap_or(text).replace(secret.as_str(), &hidden));
    }
    drop(own);
    scan(without.as_deref().unwrap_or(text))
}

fn scan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(next) = rest.chars().next() {
        let starts_word = !before.is_some_and(is_word);
        let found = if starts_word || next == '-' { find(rest, before) } else { None };
        match found {
            Some(Found { keep, hide, kind }) => {
                out.push_str(rest.get(..keep).unwrap_or_default());
                out.push_str(PLACEHOLDER);
                out.push_str(kind);
                out.push(']');
                let taken = rest.get(..keep + hide).unwrap_or(rest);
                before = taken.chars().next_back();
                rest = rest.get(keep + hide..).unwrap_or_default();
            }
            None => {
                out.push(next);
                before = Some(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}

/// The kind of the first token or private key in a text, when there is one. Values that are secret only by the name
/// beside them do not count: code that handles passwords is not a password.
#[must_use]
pub fn find_token(text: &str) -> Option<&'static str> {
    let mut before = None;
    for (at, next) in text.char_indices() {
        if !before.is_some_and(is_word) || next == '-' {
            let rest = text.get(at..).unwrap_or_default();
            if let Some(found) = private_key(rest).or_else(|| token(rest)) {
                return Some(found.kind);
            }
        }
        before = Some(next);
    }
    None
}

/// The beginning of a text for an error: redacted, in one line, without characters that cannot be seen.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut out = String::new();
    for word in redact(head(text, 64 * 1024))
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !is_invisible(*c)));
        if out.chars().count() > LONGEST {
            out = out.chars().take(LONGEST).collect();
            out.push('…');
            break;
        }
    }
    out
}

/// A secret at the beginning of a text: bytes to keep, then bytes to hide.
struct Found {
    keep: usize,
    hide: usize,
    kind: &'static str,
}

fn find(rest: &str, before: Option<char>) -> Option<Found> {
    private_key(rest).or_else(|| token(rest)).or_else(|| bearer(rest)).or_else(|| url_password(rest)).or_else(|| {
        let starts_name = !matches!(before, Some('-' | '.'));
        if starts_name { assignment(rest, before) } else { None }
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// The bytes of the longest beginning whose characters all pass.
fn span(text: &str, pass: impl Fn(char) -> bool) -> usize {
    text.find(|c| !pass(c)).unwrap_or(text.len())
}

fn private_key(rest: &str) -> Option<Found> {
    const KIND: &str = "private key";
    let header = rest.strip_prefix("-----BEGIN ")?;
    let label = header.get(..span(header, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' '))?;
    if !label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK") {
        return None;
    }
    let end = format!("-----END {label}-----");
    // Without its end the key may go on to the end of the text.
    let hide = rest.find(&end).map_or(rest.len(), |at| at + end.len());
    Some(Found { keep: 0, hide, kind: KIND })
}

fn token(rest: &str) -> Option<Found> {
    PREFIXES.iter().find_map(|(prefix, least, kind)| {
        let tail = rest.strip_prefix(prefix)?;
        let pass = |c: char| is_token_char(c) || (c == '.' && *prefix == "eyJ");
        // Long names in code may begin like a key, but hold no digit. Only the start is looked at to find out.
        let start = head(tail, 64);
        let start = start.get(..span(start, pass))?;
        let plausible = start.len() >= *least && start.bytes().any(|byte| byte.is_ascii_digit());
        plausible.then(|| Found { keep: 0, hide: prefix.len() + span(tail, pass), kind })
    })
}

/// At most the first bytes of a text: what keeps the scan linear where a pattern may begin at every character.
fn head(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn bearer(rest: &str) -> Option<Found> {
    let prefix = rest.get(..7).filter(|prefix| prefix.eq_ignore_ascii_case("bearer "))?;
    let tail = rest.get(prefix.len()..)?;
    let hide = span(tail, |c| is_token_char(c) || matches!(c, '.' | '~' | '+' | '/' | '='));
    let digits = tail.get(..hide)?.bytes().any(|byte| byte.is_ascii_digit());
    (hide >= 16 && digits).then_some(Found { keep: prefix.len(), hide, kind: "bearer token" })
}

fn url_password(rest: &str) -> Option<Found> {
    let scheme = span(head(rest, 16), |c| c.is_ascii_alphanumeric() || c == '+');
    let after = rest.get(scheme..)?.strip_prefix("://")?;
    let user = span(head(after, 256), |c| is_token_char(c) || matches!(c, '.' | '%'));
    let password = head(after.get(user..)?.strip_prefix(':')?, 1024);
    let hide = span(password, |c| c.is_ascii_graphic() && !matches!(c, '@' | '/' | '"' | '\'' | '<' | '>' | '{'));
    let closed = hide > 0 && password.get(hide..)?.starts_with('@');
    closed.then_some(Found { keep: scheme + 3 + user + 1, hide, kind: "password" })
}

/// `name = "value"`, `"name": "value"`, and `NAME=value` alone on its line.
fn assignment(rest: &str, before: Option<char>) -> Option<Found> {
    let near = head(rest, 128);
    let name_len = span(near, |c| is_token_char(c) || c == '.');
    let name = rest.get(..name_len).filter(|name| (3..=100).contains(&name.len()))?.to_ascii_lowercase();
    if !SECRET_NAMES.iter().any(|part| name.contains(part)) {
        return None;
    }
    let mut at = name_len;
    let mut skip = |pass: fn(char) -> bool| {
        let len = near.get(at..).map_or(0, |tail| span(tail, pass));
        at += len;
        len
    };
    let quotes = skip(|c| matches!(c, '"' | '\''));
    let space = skip(|c| matches!(c, ' ' | '\t'));
    let equals = skip(|c| matches!(c, '=' | ':' | '>'));
    let space = space + skip(|c| matches!(c, ' ' | '\t'));
    if !(1..=2).contains(&equals) || quotes > 1 {
        return None;
    }
    let value = rest.get(at..)?;
    match value.chars().next() {
        Some(open @ ('"' | '\'')) => quoted(value.get(1..)?, open, &name).map(|hide| (at + 1, hide)),
        _ if matches!(before, None | Some('\n' | ' ' | '\t')) => {
            bare(value, space == 0 && equals == 1).map(|hide| (at, hide))
        }
        _ => None,
    }
    .map(|(keep, hide)| Found { keep, hide, kind: "value of a secret name" })
}

/// The length of a quoted value that looks secret. Names such as `token` also stand for harmless words in code, so
/// their values must look like more than a word.
fn quoted(inner: &str, close: char, name: &str) -> Option<usize> {
    let inner = head(inner, 4096);
    let hide = span(inner, |c| c != close && c != '\n');
    let value = inner.get(..hide)?;
    let closed = inner.get(hide..)?.starts_with(close);
    let telling = ["password", "passwd", "secret"].iter().any(|part| name.contains(part));
    let unlike_a_word = value.len() >= 20 || (value.len() >= 8 && value.bytes().any(|byte| byte.is_ascii_digit()));
    let secret = closed && value.len() >= 6 && !value.contains(char::is_whitespace) && (telling || unlike_a_word);
    secret.then_some(hide)
}

/// The length of a value without quotes, alone on the rest of its line, that mixes letters and digits.
fn bare(value: &str, like_shell: bool) -> Option<usize> {
    let value = head(value, 4096);
    let hide = span(value, |c| c.is_ascii_graphic() && !matches!(c, ',' | ';' | '"' | '\''));
    let text = value.get(..hide)?;
    let after = head(value.get(hide..)?, 64).trim_start_matches([' ', '\t', '\r']);
    let alone = after.is_empty() || after.starts_with('\n');
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-.!@#$%^&*~".contains(&byte));
    let mixed = text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let long_enough = text.len() >= if like_shell { 8 } else { 12 };
    (alone && plain && mixed && long_enough).then_some(hide)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made up from parts, so that no scanner takes this file for a leak.
    fn tokens() -> Vec<String> {
        let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let upper = body.to_ascii_uppercase();
        vec![
            format!("AKIA{}", &upper[..16]),
            format!("ghp_{body}"),
            format!("github_pat_{body}"),
            format!("sk-{body}"),
            format!("sk-proj-{body}"),
            format!("xoxb-{body}"),
            format!("eyJ{body}.{body}.{body}"),
            format!("-----BEGIN RSA {0}-----\n{body}\n{body}\n-----END RSA {0}-----", "PRIVATE KEY"),
        ]
    }

    #[test]
    fn every_kind_of_token_is_taken_out_wherever_it_stands() {
        for token in tokens() {
            for text in [
                token.clone(),
                format!("x = {token};"),
                format!("(\"{token}\")"),
                format!("é{token}\n"),
                format!("-{token}"),
            ] {
                if text.starts_with('é') {
                    continue; // glued to a word it is part of that word
                }
                let clean = redact(&text);
                assert!(!clean.contains("D4e5F6") && !clean.contains("D4E5F6"), "{clean}");
                assert!(clean.contains(PLACEHOLDER), "{clean}");
                assert!(find_token(&text).is_some(), "{text}");
                assert_eq!(redact(&clean), clean, "a redacted text has nothing left to redact");
            }
        }
    }

    #[test]
    fn values_of_secret_names_go_and_their_names_stay() {
        for (text, secret) in [
            ("let api_key = \"abcd1234efgh\";", "abcd1234efgh"),
            ("password: 'correcthorse'", "correcthorse"),
            ("{\"client_secret\": \"abcdefgh\"}", "abcdefgh"),
            ("\nAUTH_TOKEN=abc12345\n", "abc12345"),
            ("export DB_PASSWORD=abc12345", "abc12345"),
            ("auth-token: abcd1234efgh", "abcd1234efgh"),
            ("postgres://app:pa55word@db/x", "pa55word"),
            ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ] {
            let clean = redact(text);
            assert!(!clean.contains(secret), "{clean}");
            assert!(clean.contains(PLACEHOLDER), "{clean}");
        }
        assert!(redact("let api_key = \"abcd1234efgh\";").starts_with("let api_key = \""));
    }

    #[test]
    fn ordinary_code_stays_as_it_is() {
        for text in [
            "let token = self.next_token();",
            "max_tokens: 8192,",
            "fn password(&self) -> &str { &self.password }",
            "token = \"struct\"",
            "class=\"sk-some-long-css-class-name\"",
            "https://example.com/a:b@c",
            "std::env::var(\"API_KEY\")",
            "secret: Secret<String>,",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "crate::token::Kind::Ident",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn a_private_key_without_its_end_is_hidden_to_the_end() {
        let text = format!("a\n-----BEGIN {}-----\nMIIEvQ\nabc", "PRIVATE KEY");
        assert_eq!(redact(&text), format!("a\n{PLACEHOLDER}private key]"));
    }

    #[test]
    fn an_excerpt_is_one_short_line_without_secrets_or_tricks() {
        let long = "ab ".repeat(1_000);
        assert!(excerpt(&long).chars().count() <= 301);
        assert_eq!(excerpt(" a\n\tb\u{202e}c\u{1b}[31m "), "a bc [31m");
        assert!(!excerpt(&tokens().join("\n")).contains("D4e5"));
    }

    #[test]
    fn a_long_line_made_to_slow_the_scan_down_is_scanned_in_one_go() {
        // With a scan that looks ahead without bounds, each of these would take minutes.
        for pattern in ["a-a.", "sk-", "token=", "token=a ", "eyJ.", "a://", "-----BEGIN A", "bearer ", "password: 'a"]
        {
            let text = pattern.repeat(100_000 / pattern.len());
            assert!(redact(&text).len() >= text.len() / 2);
            assert_eq!(find_token(&text), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_scanned_and_text_without_secrets_is_kept(text in "[\\PC\n]{0,200}") {
            let clean = redact(&text);
            if !clean.contains(PLACEHOLDER) {
                prop_assert_eq!(&clean, &text);
            }
        }

        #[test]
        fn a_token_between_any_other_words_is_found(before in "[a-z .=\n]{0,40}", after in "[ \n][a-z .=\n]{0,40}") {
            let text = format!("{before} {}{after}", tokens()[1]);
            prop_assert!(!redact(&text).contains("D4e5F6"));
        }
    }
}
