//! Foreign: the plainest bans in German, French, Spanish, Chinese and Japanese. Anything less plain is left to a person,
//! when it speaks of generated work and denies something.

use std::sync::LazyLock;

use regex::Regex;

use super::words::pattern;

/// What such a sentence comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    /// A ban.
    Ban,
    /// A wish to be asked first.
    Agreement,
}

/// What a sentence in its plain form says, if it is one of these.
pub(super) fn says(text: &str) -> Option<Foreign> {
    static NEGATED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            "(?: nicht (?:verboten|untersagt|abgelehnt) | kein verbot | pas interdit| n'est pas interdit| no est[aá]n? prohibid|不禁止|没有禁止|並不禁止|禁止し(?:ない|ていません|ません)|禁止ではありません)",
        )
    });
    static LATIN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            " (?:ki|llms?|sprachmodelle?n?|maschinell|chatgpt|bots) (?:\\S+ ){0,8}?(?:nicht (?:\\S+ ){0,2}?(?:akzeptiert|erlaubt|erwünscht|angenommen|gestattet|zulässig|zugelassen|willkommen)|verboten|untersagt|abgelehnt|unerwünscht|geschlossen|zurückgewiesen) ",
            " (?:keine?n?|nicht) (?:\\S+ ){0,5}?(?:ki|llms?|sprachmodellen?|chatgpt|maschinell|bots) (?:\\S+ ){0,4}?(?:generiert\\w*|erzeugt\\w*|erstellt\\w*|geschrieben\\w*|beiträge|code|pull|verwenden|einreichen|an) ",
            " (?:ia|llms?|chatgpt|intelligence artificielle|bots|robots) (?:\\S+ ){0,8}?(?:(?:pas|jamais) (?:\\S+ ){0,2}?(?:accept\\w+|autoris\\w+|permis\\w*|admis\\w*|bienvenu\\w*)|interdit\\w*|refus\\w+|rejet\\w+|proscrit\\w*|ferm\\w+) ",
            " (?:n'accept\\w+|n'autoris\\w+|refus\\w+|interdi\\w+|ne (?:\\S+ )?accept\\w+) (?:\\S+ ){0,8}?(?:ia|llms?|chatgpt|intelligence artificielle) ",
            " (?:ia|llms?|chatgpt|inteligencia artificial|bots) (?:\\S+ ){0,8}?(?:no (?:\\S+ ){0,2}?(?:acept\\w+|permit\\w+|admit\\w+|bienvenid\\w+)|prohibid\\w+|rechazad\\w+|cerrad\\w+) ",
            " (?:no (?:\\S+ ){0,2}?(?:acept\\w+|permit\\w+|admit\\w+)|prohíb\\w+|prohib\\w+|rechaz\\w+) (?:\\S+ ){0,8}?(?:ia|llms?|chatgpt|inteligencia artificial) ",
        ]
        .map(pattern)
        .into()
    });
    static ASIAN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            "(?:ai|人工智能|人工智慧|大模型|大语言模型|llm|机器|機器|chatgpt|生成式)[^,。]{0,24}(?:禁止|不接受|不允许|不允許|不得|拒绝|拒絕|不予|不被接受|不欢迎|不会被?合并|将被关闭|將被關閉)",
            "(?:禁止|不接受|不允许|不允許|不得|拒绝|拒絕|请勿|請勿|不要|严禁|嚴禁|不欢迎)[^,。]{0,16}(?:ai|人工智能|人工智慧|大模型|大语言模型|llm|chatgpt|机器人|生成式)",
            "(?:ai|人工知能|llm|大規模言語モデル|chatgpt|機械生成)[^。]{0,40}(?:禁止|受け付け(?:ません|ない|ておりません|ていません)|受け入れ(?:ません|ない|ておりません)|認め(?:ません|ない|ておりません)|許可(?:しません|されません|していません)|お断り|ご遠慮|しないでください|使わないで|不可)",
        ]
        .map(pattern)
        .into()
    });
    static WORK: LazyLock<Regex> = LazyLock::new(|| {
        pattern("(?:贡献|貢獻|代码|代碼|提交|拉取|合并|补丁|pull|pr|コントリビュー|コード|プル|貢献|パッチ|投稿)")
    });
    static TALK: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            " (?:zuerst|vorher|zunächst|vorab) (?:\\S+ ){0,6}?(?:issue|ticket|absprechen|abstimmen) (?:\\S+ ){0,8}?(?:bevor|pull|dann) ",
            " (?:bevor|vor) (?:\\S+ ){0,6}?(?:pull|patch|beitrag) (?:\\S+ ){0,8}?(?:issue|ticket|absprache|abstimmung|absprechen) ",
        ]
        .map(pattern)
        .into()
    });
    if NEGATED.is_match(text) {
        return None;
    }
    if LATIN.iter().any(|pattern| pattern.is_match(text))
        || (WORK.is_match(text) && ASIAN.iter().any(|pattern| pattern.is_match(text)))
    {
        return Some(Foreign::Ban);
    }
    TALK.iter().any(|pattern| pattern.is_match(text)).then_some(Foreign::Agreement)
}
