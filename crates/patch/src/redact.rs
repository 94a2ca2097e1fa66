//! Takes credentials out of text that is about to leave, such as a prompt.

use crate::secret;

/// The text with everything that looks like a credential replaced by what it looked like.
///
/// It looks for known forms and for random values assigned to telling names; it cannot know a secret that looks like
/// an ordinary word.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut clean = once(text);
    // What was put in names what it stands for, and may make what is beside it a value of that name. Each round that
    // finds something leaves less of the text.
    while !secret::find(&clean).is_empty() {
        clean = once(&clean);
    }
    clean
}

fn once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secret::find(text) {
        out.push_str(text.get(done..secret.range.start).unwrap_or(""));
        out.push_str(&format!("[redacted {}]", secret.kind));
        done = secret.range.end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_credential_is_replaced_and_the_rest_stays() {
        let text = format!(
            "a {}{} b\n-----BEGIN {}-----\nxyz\n-----END PRIVATE KEY-----\nc",
            "ghp_",
            "x1".repeat(18),
            "PRIVATE KEY"
        );
        assert_eq!(redact(&text), "a [redacted github-token] b\n[redacted private-key]\nc");
    }

    proptest! {
        #[test]
        fn what_was_redacted_holds_no_secret(text in "(ghp_[a-z0-9]{20,30}|key=[A-Za-z0-9]{20,40}|[a-z =\n]{0,20}){0,6}") {
            let clean = redact(&text);
            prop_assert_eq!(redact(&clean), clean.clone());
        }

        #[test]
        fn text_without_secrets_stays_as_it_is(text in "[a-z \n]{0,80}") {
            prop_assert_eq!(redact(&text), text);
        }
    }
}
