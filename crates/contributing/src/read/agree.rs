//! Agreement: sentences by which a pull request may come only after the maintainers have been asked.
//!
//! Most guides ask that of large changes, or advise it. Both leave a small fix free, so each such sentence is weighed by
//! its words of scope and of strength.

use std::sync::LazyLock;

use regex::Regex;

use super::text::Sentence;
use super::words::{AI, GAP, PULL, pattern};

/// What a sentence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Agreement, for every change.
    Agreement,
    /// Agreement, for large changes.
    ForLarge,
    /// An issue that the change names.
    Issue,
}

const TALK: &str = "(?:issues?|tickets?|discussions?|threads?|proposals?|rfcs?|feature requests?)";
const BEGIN: &str = "(?:open|file|create|raise|submit|start|post|make|write|add|opening|filing|creating|raising|submitting|starting|opened|filed|created|raised|have|log|via|using|be|with)";
/// What a talk comes before.
const OFFER: &str = "(?:pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|work|working|coding|contribut\\w*|changes?|implement\\w*|code|start|starting|begin|beginning|submit|submitting|sending|investing|spending|writing|doing|you do|any)";

/// Sentences that ask for a talk before a change.
static TALKS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // An issue before a change, in either order.
        format!(" {BEGIN} {GAP}{TALK} {GAP}(?:before|prior to|ahead of|until) (?:\\S+ ){{0,7}}?{OFFER} "),
        format!(" (?:before|prior to|ahead of) (?:\\S+ ){{0,7}}?{OFFER} (?:[^ ]+ ){{0,10}}?{BEGIN} (?:\\S+ ){{0,5}}?{TALK} "),
        format!(" {BEGIN} (?:\\S+ ){{0,5}}?{TALK} (?:\\S+ ){{0,6}}?(?:first|beforehand|in advance|to discuss) "),
        format!(" first (?:\\S+ ){{0,2}}?{BEGIN} (?:\\S+ ){{0,5}}?{TALK} "),
        format!(" (?:like|want|wish) to (?:contribute|help|submit|send|work on) (?:\\S+ ){{0,5}}?(?:open|file|create|raise|start) (?:off |with |up )?(?:a |an |the )(?:new |github )?{TALK} "),
        // Words with the maintainers before a change, in either order.
        format!(" (?:discuss\\w*|talk|speak|coordinate|consult|contact|ask|reach out|get in touch|chat|check with|clear|clarify|agree|agreed|propose|announce|let us know) (?:\\S+ ){{0,16}}?(?:before|prior to|ahead of) (?:\\S+ ){{0,7}}?{OFFER} "),
        format!(" (?:before|prior to|ahead of) (?:\\S+ ){{0,7}}?{OFFER} (?:[^ ]+ ){{0,10}}?(?:discuss|talk to|talk with|speak|coordinate|consult|contact|ask|reach out|get in touch|check with|propose|let us know) "),
        " (?:discuss|discussed|talk|speak|coordinate|consult|contact|ask|reach out|get in touch|check with) (?:\\S+ ){0,8}?(?:maintainers?|us|team|core|owners?|developers?|me|author|authors|issue|issues|discord|matrix|mailing list|zulip) (?:\\S+ ){0,5}?(?:first|beforehand|in advance) ".to_owned(),
        " (?:first|always) (?:discuss|talk to|talk with|consult|contact|ask|coordinate with|propose) ".to_owned(),
        // Waiting.
        format!(" (?:wait|waiting) (?:\\S+ ){{0,8}}?(?:approv\\w*|maintainers?|response|feedback|green light|go ahead|confirm\\w*|assigned|assignment|accepted|agree\\w*|consensus|reply|answer|triaged?) (?:\\S+ ){{0,5}}?(?:before|prior|until) (?:\\S+ ){{0,5}}?{OFFER} "),
        " (?:wait|waiting) (?:for|until) (?:\\S+ ){0,6}?(?:approv\\w*|go ahead|green light|assigned|assignment|agreement|accepted) (?:from (?:a |the )?maintainers? )?$".to_owned(),
        " not (?:open|submit|send|create|start|begin|make|raise) (?:\\S+ ){0,6}?(?:pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|work|working|coding|implement\\w*) (?:\\S+ ){0,4}?(?:unless|until|before|without) (?:\\S+ ){0,9}?(?:issue|discuss\\w*|approv\\w*|agree\\w*|permission|consent|assigned|accepted|invit\\w*|vouch\\w*|asked|asking|maintainers?) ".to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Sentences that turn a change away that came without a talk.
static TURNED_AWAY: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const NEEDED: &str = "(?:issues?|tickets?|discussions?|discussed|approval|pre approval|approved|agreement|agreed|permission|consent|prior|accepted|assigned|assignment|invit\\w*|vouched|blessing)";
    const AWAY: &str =
        "(?:closed|rejected|ignored|declined|refused|not (?:be )?(?:accepted|considered|reviewed|looked at|welcome))";
    [
        format!(" {PULL} {GAP}(?:without|lacking|not linked|unless|until|not preceded|that (?:have|are|were|do|has) not|with no) {GAP}{NEEDED} {GAP}(?:will|may|can|are|is|get|shall|would|should) {GAP}{AWAY} "),
        format!(" {PULL} {GAP}{AWAY} {GAP}(?:without|unless|until|if) {GAP}{NEEDED} "),
        format!(" (?:close|reject|ignore|decline|refuse|not (?:accept|consider|review|look at)) {GAP}{PULL} {GAP}(?:without|lacking|unless|until|that (?:have|are|were|do|has) not|with no|not linked) {GAP}{NEEDED} "),
        format!(" only (?:\\S+ )?(?:accept|accepting|accepted|consider|considered|review|reviewed|take|open|submit|send|work on|create) {GAP}(?:{PULL} {GAP})?(?:for|from|that|with|after|if|once|when|by) {GAP}(?:{NEEDED}|collaborators|members|vouched|known|maintainers) "),
        format!(" {PULL} {GAP}(?:can|may|must|should|shall) only (?:be )?(?:\\S+ ){{0,4}}?{NEEDED} "),
        format!(" {PULL} (?:are |is )?(?:by invitation|invitation only|invite only|only by invitation|accepted only (?:for|after|from|if|once|when|with) {GAP}{NEEDED}) "),
        format!(" (?:unsolicited|uninvited|drive by|unannounced|unapproved) {GAP}{PULL} {GAP}(?:{AWAY}|discouraged|unwelcome) "),
        format!(" (?:close|closes|reject|ignore|decline|not (?:accept|want|take|welcome|consider)) (?:\\S+ ){{0,3}}?(?:unsolicited|uninvited|drive by|unannounced|unapproved) {GAP}{PULL} "),
        format!(" {PULL} (?:\\S+ ){{0,3}}?(?:must|need to|have to|has to|needs to|require|requires|should) (?:\\S+ ){{0,6}}?(?:(?:approved|accepted|assigned) (?:\\S+ )?(?:issue|ticket|proposal)|(?:prior|previous) (?:\\S+ ){{0,3}}?(?:approval|agreement|discussion|consent)|be (?:agreed|discussed|pre approved|preapproved|approved) (?:\\S+ ){{0,8}}?(?:before|beforehand|first|in advance|prior)) "),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Generated work that has to be agreed on.
static GENERATED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const NEEDED: &str = "(?:approv\\w*|pre approved|permission|consent|agreement|agreed|authori[sz]\\w*|allow ?list\\w*|registered|register|vetted|discussed|discuss|cleared|ask|contact)";
    [
        format!(" {AI} {GAP}(?:must|need|needs|require|requires|required|only|has to|have to|should|subject to|prior|first|beforehand) {GAP}{NEEDED} {GAP}(?:maintainers?|us|team|core|owners?|issue|first|before|beforehand|prior|in advance|advance|by) "),
        format!(" {AI} {GAP}(?:need|needs|require|requires|subject to) (?:\\S+ ){{0,4}}?(?:approval|permission|consent|agreement|authori[sz]ation) "),
        format!(" (?:ask|asking|contact|discuss|talk|approval|permission|consent|agreement) {GAP}(?:before|prior to|to) {GAP}(?:use|using|submit|submitting|send|sending|open|opening|run|running|contribut\\w*|point|pointing) {GAP}{AI} "),
        format!(" (?:before|prior to) {GAP}(?:using|submitting|sending|opening|running|pointing|setting up) {GAP}{AI} {GAP}(?:ask|contact|discuss|talk|approval|permission|consent|agreement|open) "),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Words of scope: what is asked for large changes only.
static LARGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:large|larger|largest|big|bigger|major|significant|significantly|substantial|substantive|nontrivial|non trivial|not trivial|(?:new |big |large |a |implement\\w* |add\\w* |any )?features?|breaking|public api|api changes?|architectur\\w*|refactor\\w*|\
         redesign|rewrite|rewriting|complex|complicated|new (?:functionality|dependenc\\w*|commands?|apis?|lints?|options?|macros?|modules?|platforms?|targets?|backends?|functions?|methods?|algorithms?|crates?|rules?|checks?|things?|types?|traits?|stuff)|adding|add (?:a|an|new|something|support|functionality)|enhancements?|improvements? that|extensive|\
         sweeping|invasive|ambitious|large scale|functionality|behaviou?r(?:al)? changes?|semver|support for|have (?:an|a new|any|some) (?:new )?ideas?|fundamental|lots? of|a lot|considerable|time consuming|much time|too much|huge|massive|translation|experimental|controversial|deprecat\\w*|msrv|port|porting|bump\\w*|drastic\\w*) ",
    )
});
/// Words that leave nothing but the very smallest changes free.
static ALL_BUT_TINY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:beyond|other than|more than|except|except for|apart from|besides|bar|outside of) (?:\\S+ ){0,4}?(?:typos?|trivial|spelling|obvious|one line|one liners?|documentation|docs|minor|tiny|small) ",
    )
});
/// Words of advice.
static SOFT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:consider|considering|good idea|great idea|recommend\\w*|encourag\\w*|feel free|you may|might|suggest\\w*|helpful|advis\\w*|advice|prefer\\w*|ideally|optional\\w*|worth|wise|nice|would help|best to|best if|better to|\
         if you (?:are|feel) (?:unsure|not sure|uncertain|in doubt)|when in doubt|if in doubt|unsure|not sure|not (?:strictly )?(?:necessary|required|need|have to|mandatory|needed)|no need|need not|can also|you can|welcome to|not hesitate|appreciated|appreciate|useful|usually|typically|sometimes|if (?:you (?:have|need|get|run|think)|there|possible|necessary|needed)|questions?|easiest|could|chance|likely|beneficial) ",
    )
});
/// Words that make it a demand all the same.
static STRONG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:must|required|requires|mandatory|will be closed|be rejected|not accept\\w*|not (?:open|submit|send|create)|always|only after|every|no exceptions|all pull requests|wait) ",
    )
});
/// The talk is about an issue that is reported, or about what happens after a pull request is there.
static ABOUT_ELSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " help wanted | good first issues? | (?:before|prior to) (?:opening|filing|creating|submitting|reporting|raising|posting|you (?:open|file|create|submit|report))? ?(?:a |an |any |the |your |new |bug |github |another |security ){0,4}(?:issues?|bugs?|tickets?|reports?|discussions?|vulnerabilit\\w+|questions?)|(?:issue|ticket) (?:or|and or) (?:\\S+ ){0,4}(?:pull request|pr|patch|merge request|submit|send|make)|(?:search|check|look|browse|scan|read|see|verify) (?:\\S+ ){0,6}?(?:existing|already|open|similar|duplicate|current|closed|through) (?:\\S+ ){0,3}?(?:issues?|tickets?|pull requests?|prs)|before (?:\\S+ ){0,5}?merg\\w+|release|releases|disclos\\w+ (?:\\S+ )?public\\w*|vulnerabilit\\w+ ",
    )
});

/// Words by which small changes are let off, in the sentence itself or the one after it.
static SMALL_ARE_FREE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        " (?:small|smaller|trivial|minor|simple|tiny|straightforward|obvious) (?:\\S+ ){0,12}?(?:fine|ok|okay|skip|directly|straight|not (?:need|necessary|required)|no need|without|right away|exempt|welcome) ",
    )
});

/// What a sentence asks for before a change. `nearby` is the plain form of what stands just before it, `next` of what
/// follows.
pub(super) fn asked(sentence: &Sentence, nearby: &str, next: &str) -> Option<Asked> {
    let asked = asked_of_all(sentence, nearby)?;
    let free = SMALL_ARE_FREE.is_match(&sentence.normal) || SMALL_ARE_FREE.is_match(next);
    Some(if asked == Asked::Agreement && free { Asked::ForLarge } else { asked })
}

fn asked_of_all(sentence: &Sentence, nearby: &str) -> Option<Asked> {
    let text = sentence.normal.as_str();
    let large =
        || LARGE.is_match(text) || LARGE.is_match(&sentence.heading) || (sentence.goes_on && LARGE.is_match(nearby));
    if TURNED_AWAY.iter().any(|pattern| pattern.is_match(text)) && !is_about_review(text) {
        return Some(if large() && !ALL_BUT_TINY.is_match(text) { Asked::ForLarge } else { Asked::Agreement });
    }
    if TALKS.iter().any(|pattern| pattern.is_match(text)) && !ABOUT_ELSE.is_match(text) && offers(sentence, nearby) {
        if ALL_BUT_TINY.is_match(text) {
            return Some(Asked::Agreement);
        }
        if large() {
            return Some(Asked::ForLarge);
        }
        if !SOFT.is_match(text) || STRONG.is_match(text) {
            return Some(Asked::Agreement);
        }
    }
    is_bound_to_an_issue(text).then_some(Asked::Issue)
}

/// Whether a sentence asks for agreement on generated work.
pub(super) fn asked_of_generated(text: &str) -> bool {
    GENERATED.iter().any(|pattern| pattern.is_match(text))
}

/// Whether a sentence, or the one before, speaks of a change: an issue alone is no gate to anything.
fn offers(sentence: &Sentence, nearby: &str) -> bool {
    static OFFERED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:pull requests?|prs?|mrs?|merge requests?|patch(?:es)?|contribut\\w*|changes?|change|implement\\w*|work|working|coding|code|submitting|feature|fix|fixing) ",
        )
    });
    OFFERED.is_match(&sentence.normal) || (sentence.goes_on && OFFERED.is_match(nearby))
}

/// Whether approval means that of a review, which every pull request waits for.
fn is_about_review(text: &str) -> bool {
    static REVIEW: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:stale|inactive|inactivity|activity|days|weeks|ci|tests?|approvals|reviewers?|conflicts?|duplicates?) ",
        )
    });
    REVIEW.is_match(text)
}

/// Whether every change has to name its issue.
fn is_bound_to_an_issue(text: &str) -> bool {
    static BOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:pull requests?|prs?|mrs?|merge requests?|contributions?|patch(?:es)?|changes?) (?:\\S+ ){0,2}?(?:must|need to|needs to|has to|have to|are required to|is required to|require|requires) (?:\\S+ ){0,4}?(?:reference|references|link|linked|refer|associated|tied|address|close|resolve|mention|corresponding|attached|connected|have|include) (?:\\S+ ){0,6}?(?:issue|issues|ticket|tickets) ",
        )
    });
    static IF_ANY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            " (?:relevant|proposals?|if (?:there|applicable|any|one|it|possible|relevant|exists|the|your|you|a|an)|when applicable|where applicable|any related|if|large|major|significant|features?|bigger|non trivial) ",
        )
    });
    BOUND.is_match(text) && !IF_ANY.is_match(text)
}
