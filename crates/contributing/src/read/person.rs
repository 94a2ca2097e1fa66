//! Person: sentences that ask for what a program cannot honestly give: a sign-off, an agreement, the word of a person.

use std::sync::LazyLock;

use regex::Regex;

use super::text::Sentence;
use super::words::{pattern, speaks_of_ai};
use crate::candidate::Kind;
use crate::rules::Need;

/// That it is not asked for.
static NOT_ASKED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:no (?:\\S+ ){0,2}?(?:cla|clas|dco|contributors? license|contributors? licence|contributor agreement|formal|copyright assignment|sign off|signed off)|not (?:\\S+ ){0,3}?(?:require|need|have|ask|use|mandatory|necessary|required|needed|necessary to|yet)|without (?:\\S+ ){0,4}?(?:cla|dco|contributors?|licen[sc]e agreements?)|optional|instead of (?:a |an )?cla|allowed|encourage\\w*|never (?:ask|require)) ",
    )
});

/// What a sentence asks of a person. `context` is true when the text around it is about generated work.
pub(super) fn needed(sentence: &Sentence, kind: Kind, context: bool) -> Option<Need> {
    let text = sentence.normal.as_str();
    if !NOT_ASKED.is_match(text) {
        if is_sign_off(text) {
            return Some(Need::SignOff);
        }
        if is_agreement(text) && !sentence.is_heading {
            return Some(Need::Agreement);
        }
        if is_signed_commit(text) {
            return Some(Need::SignedCommits);
        }
    }
    if kind == Kind::Template && !sentence.checkbox && is_assurance(text) {
        return Some(Need::Assurance);
    }
    ((context || speaks_of_ai(text)) && is_human(text)).then_some(Need::Human)
}

fn is_sign_off(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:signed off by|signed off , by|signoffs?|commit s|commit , s|dco|developers? certificate of origin|sign(?:ed|ing)? off (?:on )?(?:all |your |each |every |the |their |our |of )*(?:git )?(?:commits?|patch(?:es)?|work|contributions?)|(?:commits?|patch(?:es)?|contributions?) (?:\\S+ ){0,3}?(?:signed off|sign off|sign offs|signoff)) ",
        )
    });
    static AGENT: LazyLock<Regex> = LazyLock::new(|| pattern(" (?:example|history|kernel) "));
    FOUND.is_match(text) && !AGENT.is_match(text)
}

fn is_agreement(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:clas?|i?cla|ccla|easycla|cla assistant|contributors? licen[sc](?:e|ing) agreements?|contributors? agreements?|contribution agreements?|copyright (?:assignments?|transfer)|assign (?:your |the )?copyright) ",
        )
    });
    FOUND.is_match(text)
}

fn is_signed_commit(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:commits?) (?:\\S+ ){0,2}?(?:must|need to|have to|should|are required to|required to) (?:all )?be (?:\\S+ ){0,2}?(?:signed|verified)(?: with| using| by| cryptographically| and|,|$| )(?:\\S+ )*?$| (?:require|requires|enforce|enforces|must have|must use) (?:\\S+ ){0,3}?(?:signed commits|commit signing|commit signatures|verified signatures|gpg signed commits)",
        )
    });
    FOUND.is_match(text) && !text.contains(" signed off ")
}

/// A legal or personal word that the form gives in the name of whoever sends it.
fn is_assurance(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:by (?:submitting|opening|creating|making|sending|contributing) (?:\\S+ ){0,8}?|^ )(?:i|you|we) (?:hereby |also |here |acknowledge and |understand and )?(?:confirm|certify|agree|assert|attest|declare|affirm|warrant|guarantee|promise|represent) ",
        )
    });
    FOUND.is_match(text)
}

/// A person who has written, read or understood it.
fn is_human(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| {
        [
            " humans? in the loop ",
            " (?:must|should|need|needs|required|requires|require|expect|expected|has to|have to|only|always|every|all|ensure|shall|make sure|provided|as long as|if|fully|unless|without|certain|responsible|please|never) (?:\\S+ ){0,14}?(?:(?:reviewed|checked|read|verified|tested|understood|approved|edited|submitted|opened|backed|supervised|owned|driven|directed|vetted|validated|led) (?:\\S+ ){0,3}?by (?:\\S+ ){0,4}?(?:humans?|persons?|people|you|yourself|the author|the contributor|contributors|someone|developers?)|(?:human|manual|manually|personal|personally) (?:\\S+ ){0,2}?(?:review\\w*|oversight|author\\w*|verif\\w*|understanding|checked|tested|supervision|accountab\\w*|responsib\\w*|judge?ment|contributors?|owner\\w*)|understand|understood|understanding|be able to (?:\\S+ )?(?:explain|justify|defend|answer|describe|discuss)|can (?:\\S+ )?(?:explain|justify|defend)|explain (?:\\S+ )?(?:your|the|every|how|why|what|it)|own words|(?:review|read|verify|check|test) (?:\\S+ ){0,2}?(?:every|each|all|it|them|any|the|your|what|and understand)) ",
            " humans? (?:\\S+ ){0,3}?(?:must|should|has to|have to|need to|is required|are required|takes?|remains?|responsible|accountable) ",
            " (?:human|author|contributor|you) (?:\\S+ ){0,2}?(?:reviews?|reviewed|verif\\w+|understands?|understood) (?:\\S+ ){0,3}?(?:every|each|all|it|them|any|the|your|what|line|code) ",
        ]
        .map(pattern)
        .into_iter()
        .reduce(|one, other| pattern(&format!("(?:{})|(?:{})", one.as_str(), other.as_str())))
        .unwrap_or_else(|| pattern("$^"))
    });
    FOUND.is_match(text)
}
