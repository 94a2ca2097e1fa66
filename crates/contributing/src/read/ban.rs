//! Bans: sentences by which generated contributions, or any contributions at all, are not taken.
//!
//! A ban has an object, and often a way out. What follows the object decides what it is: a ban without a word of approval
//! asks for approval, one without disclosure asks for disclosure, and a ban with any other way out asks for a person.

use std::sync::LazyLock;

use regex::Regex;

use super::words::{AI, GAP, NEAR, WORK, pattern};

/// What a ban comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ban {
    /// Not taken.
    Total,
    /// Not taken without agreement.
    Agreement,
    /// Not taken without a word about how it was made.
    Disclosure,
    /// Not taken unless a person has read it.
    Human,
    /// Not taken in some cases.
    Partial,
}

/// Verbs of taking and sending, after a word that denies them.
const TAKE: &str = "(?:accept|accepting|allow|allowing|permit|want|welcome|take|taking|tolerate|consider|use|using|submit|submitting|send|sending|open|opening|\
    post|contribute|contributing|rely on|include|add|commit|paste|employ|support|merge|look at|contain|containing|interested in|have|let|utilize|utilise|leverage|\
    bring|push|produce|generate|write|create|make|made with|used|be (?:written|generated|produced|created|authored|made|opened|submitted|used)|\
    (?:written|generated|produced|created|authored|made|built|drafted|prepared) (?:\\S+ ){0,4}?(?:by|with|using|via|from|through))";
/// The same as participles.
const TAKEN: &str = "(?:accepted|allowed|permitted|welcome|welcomed|merged|considered|tolerated|reviewed|wanted|used|submitted|desired|acceptable|ok|okay|appropriate|allowable|contributed|contribute|submit|open|create|make|approved|included)";
const DENY: &str = "(?:not|never|no longer|nor|neither)";
const CLOSED: &str = "(?:forbidden|prohibited|banned|disallowed|rejected|refused|declined|unwelcome|unacceptable|off limits|deleted|discarded|removed|closed|blocked|ignored|spam|reverted|verboten)";

/// Patterns in which generated work is what is not taken. The last word of each that matters is its object.
static GENERATED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        format!(" {DENY} (?:\\S+ ){{0,2}}?{TAKE} (?:\\S+ ){{0,14}}?{AI} "),
        format!(" {AI} {GAP}{NEAR}{DENY} (?:be |been |being |currently |generally |at all |to be |a |an ){{0,3}}{TAKEN} "),
        format!(" {AI} {GAP}{NEAR}(?:is|are|be|being|was|were|get|strictly|gets|stay|remain|,) (?:\\S+ ){{0,3}}?{CLOSED} "),
        format!(" (?:forbids?|prohibits?|bans?|disallows?|rejects?|close|closes|closing|refuse|refuses|decline|declines|refrain from|abstain from|avoid|zero tolerance|free of|free from|keep out|opposes?|forbidden|prohibited|banned|disallowed) {GAP}{NEAR}{NEAR}{AI} "),
        format!(" no (?:use of |usage of |form of |kind of |amount of |code or |more |fully |purely |issues or |unsupervised |using |written ){{0,3}}{AI} (?:use|usage|code|contributions?|pull requests?|prs?|patches|commits|slop|tools?|tooling|please|policy|allowed|output|text|content|whatsoever|is|of|generated|assisted|written|authored|created|produced|models?|agents?|assistance|in|for|,|$)"),
        format!(" {DENY} (?:\\S+ ){{0,3}}?(?:contain|include|comprise|incorporate) {GAP}{AI} "),
        format!(" {AI} {GAP}(?:has|have) no place "),
        format!(" {AI} {GAP}(?:presumed|considered|regarded as) (?:\\S+ )?tainted "),
        format!(" keep (?:your )?{AI} {GAP}(?:out of|away from|off) "),
        format!(" no (?:part|parts|line|lines|portion|code|contributions?|pull requests?|prs?|patches|text|commits?|changes?) {GAP}(?:written|generated|produced|created|authored|made|come|comes|from|assisted|by|using|with) {NEAR}{AI} "),
        " no (?:bots|robots|machines|unsupervised agentic|autonomous agents) ".to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Work that only people may do.
static HUMANS_ONLY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:must|only|should|shall|all|every|require|requires|needs?|has|have) (?:\\S+ ){0,9}?(?:(?:written|authored|made|created|produced|crafted|prepared|submitted|opened|come|comes|typed) (?:\\S+ ){0,2}?(?:by|from) (?:\\S+ ){0,2}?(?:humans?|human beings?|people|persons?|hand)|human (?:written|authored|made|created)|hand written|handwritten) | humans only | only humans ",
    )
});

/// What follows that gives a way out.
static AGREEMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:unless|without|until|before|except|prior|only (?:with|after|if|when|by)|if not) (?:\\S+ ){0,10}?(?:approv\\w*|permission|permitted|agree\\w*|discuss\\w*|consent|maintainers? (?:has|have|asked|said)|asked|asking|invit\\w*|authori[sz]\\w*|request\\w*|consult\\w*|coordinat\\w*|clear\\w*|arrange\\w*) ",
    )
});
static DISCLOSURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:undisclosed|unlabell?ed|unmarked|unattributed|(?:unless|without|not|fail\\w*|if|that do not|lack\\w*|except) (?:\\S+ ){0,6}?(?:disclos\\w*|label\\w*|declar\\w*|mark\\w*|attribut\\w*|acknowledg\\w*|identif\\w*|stat(?:e|es|ed|ing)|mention\\w*|saying|say|said)) ",
    )
});
static HUMAN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:unreviewed|unverified|untested|unedited|blindly|(?:unless|without|if|until|not|except|lack\\w*|fail\\w*) (?:\\S+ ){0,9}?(?:review\\w*|understand\\w*|understood|human|humans|person|explain\\w*|verif\\w*|oversight|supervis\\w*|own words|read|checked|edit\\w*|responsib\\w*)) ",
    )
});
/// Words of quality or exception that leave room for other generated work.
static PARTIAL_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(" (?:low quality|low effort|lazy|spammy|unsolicited|poor|bad|mass|sloppy|obvious|obviously) ")
});
static PARTIAL_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:unless|except|excepting|until|if (?:it|they|you|the)|low quality|low effort|(?:that|which|who) (?:do|does|have|has|are|were|can|fail|violate|break|lack)|violat\\w*|without) ",
    )
});

/// Work whose ban is none of a patch: issues, reports, pictures.
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:issues?|bug reports?|reports?|reporting|security|vulnerabilit\\w+|translations?|translate|artwork|art|logos?|icons?|images?|assets|discussions?|questions?|forum|discord|chat|support|advisor\\w+|tickets?|feature requests?|blog|music) ",
    )
});
/// What a patch is made of, in words that leave no doubt.
static PATCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|code|codebase|contributions?|contribute|contributing|commits?|submissions?|changes?|repository|project|anything|everything) ",
    )
});
/// What is said around a patch.
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:comments?|commenting|descriptions?|repl(?:y|ies|ying)|respond|responses?|communicat\\w+|conversations?|messages?|answers?|text|texts|bodies|body|titles?|documentation|docs) ",
    )
});
/// What a ban on what is said spares.
static ITSELF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:code|contributions?|contribute|contributing|patch(?:es)?|submissions?|pull requests? (?:or|and|,)|prs? (?:or|and|,)|commits?) ",
    )
});

/// A sentence without the words that say how curtly something is closed: they are no way out, and nothing that is banned.
pub(super) fn without_curtness(text: &str) -> String {
    static CURTLY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " without (?:any |further |prior |a |an )*(?:comments?|notice|warning|review|reviews|discussion|explanations?|exceptions?|ado|being reviewed) ",
        )
    });
    CURTLY.replace_all(text, " ").into_owned()
}

/// What a sentence bans of generated work, if anything. `context` is true when the text around it is about that.
pub(super) fn of_generated(text: &str, context: bool) -> Option<Ban> {
    let found = GENERATED
        .iter()
        .find_map(|pattern| pattern.find(text))
        .or_else(|| HUMANS_ONLY.find(text).filter(|_| is_about_authors(text, context)));
    let Some(found) = found else {
        return (context && is_bare_ban(text)).then_some(Ban::Total);
    };
    let before = text.get(..found.end()).unwrap_or_default();
    // The last word of what was found may begin what follows.
    let after = text.get(found.start()..).unwrap_or_default();
    Some(if DISCLOSURE.is_match(text) {
        Ban::Disclosure
    } else if AGREEMENT.is_match(after) {
        Ban::Agreement
    } else if HUMAN.is_match(after) || HUMAN.is_match(before) && !has_ban_in(before) {
        Ban::Human
    } else if PARTIAL_BEFORE.is_match(before)
        || PARTIAL_AFTER.is_match(text.get(found.end().saturating_sub(1)..).unwrap_or_default())
    {
        Ban::Partial
    } else {
        Ban::Total
    })
}

/// Whether the words of a human's review are part of the ban and not its condition.
fn has_ban_in(before: &str) -> bool {
    HUMANS_ONLY.is_match(before)
}

/// Whether work by people means work that no program wrote: with such a program near, or of what is contributed.
fn is_about_authors(text: &str, context: bool) -> bool {
    static OFFERED: LazyLock<Regex> =
        LazyLock::new(|| pattern(" (?:code|contributions?|pull requests?|prs?|patches|commits|submissions?|changes) "));
    context || OFFERED.is_match(text) || super::words::speaks_of_ai(text)
}

/// What a ban is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// Patches.
    Patch,
    /// The words around a patch.
    Said,
    /// Neither.
    Elsewhere,
}

/// What the ban in a sentence is about.
pub(super) fn object(text: &str) -> Object {
    if ELSEWHERE.is_match(text) && !PATCH.is_match(text) {
        Object::Elsewhere
    } else if SAID.is_match(text) && !ITSELF.is_match(text) {
        Object::Said
    } else {
        Object::Patch
    }
}

/// A ban that names nothing, below a heading or after a sentence that does. What has a reason of its own to be closed is
/// no such ban.
fn is_bare_ban(text: &str) -> bool {
    static SHORT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            "^ (?:please )?(?:no|nope|never|do not|do not do (?:this|that|it)|not (?:accepted|allowed|permitted|welcome|here)|forbidden|prohibited|banned|strictly (?:forbidden|prohibited)|no thanks|no thank you)(?: (?:please|here|thanks|,))? $",
        )
    });
    static BAN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            "(?: (?:such|these|those|this|they|it|them|any|all) {GAP}(?:{DENY} (?:be |currently |generally ){{0,2}}{TAKEN}|(?:is|are|be) (?:\\S+ ){{0,2}}?{CLOSED}) | {DENY} (?:\\S+ )?(?:accept|allow|permit|welcome|tolerate|want|merge) (?:such|these|those|this|them|it) |^ (?:these|those|such|they|this|it) {NEAR}(?:is|are) {CLOSED} )"
        ))
    });
    static REASON: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:violat\\w*|follow\\w*|compl(?:y|ies|iance)|meet|meets|fail\\w*|low|undisclosed|without|if|that|which|who|unless|spam|license[ds]?|copyright\\w*|credentials?|secrets?|appear|warranty|rules?) ",
        )
    });
    SHORT.is_match(text) || (BAN.is_match(text) && !REASON.is_match(text))
}

/// Whether a sentence says that no changes are taken at all.
pub(super) fn of_everything(text: &str) -> bool {
    const OFFERED: &str = "(?:pull requests?|prs?|contributions?|patches|merge requests?|code contributions?)";
    const END: &str = "(?: (?:or|and|/) (?:pull requests?|prs?|contributions?|patches|issues|bug reports))?(?: (?:at (?:this|the) (?:time|moment)|currently|right now|from (?:the public|outside|external|anyone|non|third)|here|on github|via github|through github|on this mirror|in this repository|to this (?:repository|repo|project|crate)|,|for now|anymore|any more|any longer|as|because|since|so|but)(?: .*)?)? $";
    static REFUSED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            " (?:(?:do|does|are|is|am|can|could|will) (?:currently |presently )?not|no longer|not currently) (?:currently |presently |yet |actively |really |generally |able to |be |going to |in a position to ){{0,3}}(?:accept|accepting|take|taking|merge|merging|open to|seek|seeking|want|welcome) (?:any |external |outside |public |third party |unsolicited |community |direct |further |more |new |github |code |your ){{0,4}}{OFFERED}{END}"
        ))
    });
    static CLOSED_ALL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            "^ (?:please |note |that |, |all |any |external |github |community |outside |the |and |so |however |however , |currently |currently , ){{0,5}}{OFFERED} (?:on github |here |from outside |to this \\S+ |on this mirror )?(?:is|are|will be|will|be)? ?(?:currently |always |automatically |generally |being |all |immediately ){{0,2}}(?:(?:not|no longer) (?:be |currently |being ){{0,2}}(?:accepted|monitored|considered|welcome|allowed|accepting|merged|looked at)|closed|disabled|ignored|rejected){END}"
        ))
    });
    static SHUT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:closed to (?:all |any |outside |external |public |new |code |outside code ){0,3}contributions?|not open (?:to|for) (?:outside |external |public |code ){0,2}contributions?|open source , not open contribution|open source , but not open contribution|no (?:pull requests|prs|contributions)(?: please)?|do not (?:open|send|submit|make|create) (?:any )?(?:pull requests|prs|patches)(?: here| to this repository| on github| against this repository| to this mirror)?) $",
        )
    });
    REFUSED.is_match(text) || CLOSED_ALL.is_match(text) || SHUT.is_match(text)
}

/// Whether a sentence speaks of what is contributed at all.
pub(super) fn speaks_of_work(text: &str) -> bool {
    static FOUND: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(" {WORK} ")));
    FOUND.is_match(text)
}
