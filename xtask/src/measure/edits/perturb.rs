//! The generator: takes lines of a file, means a change, writes it down as a model would, and gets something wrong on the
//! way. It knows the file before and after, and whether the answer still says which place is meant.

use super::super::dice::Dice;

/// What is got wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing.
    Exact,
    /// White space at the ends of lines.
    LineEnds,
    /// The answer has carriage returns.
    ReturnsInAnswer,
    /// The file has.
    ReturnsInFile,
    /// All lines are indented less.
    IndentedLess,
    /// All lines are indented more.
    IndentedMore,
    /// Tabs in place of spaces.
    Tabs,
    /// The first line has lost its indentation, and only that.
    FirstLineBare,
    /// White space inside of lines.
    InnerSpace,
    /// A comment in other words.
    CommentReworded,
    /// A comment that is left out.
    CommentLeftOut,
    /// Blank lines that come or go.
    BlankLines,
    /// A comma or semicolon at the end of a line.
    TrailingComma,
    /// A slip of the pen in a name.
    Slip,
    /// A line in the middle that is left out.
    LineLeftOut,
    /// Two lines that changed places.
    LinesSwapped,
    /// The file went on: lines were put in above.
    Moved,
    /// A diff with wrong numbers.
    DiffNumbers,
    /// A diff whose blank lines have lost their space.
    DiffBlank,
    /// Blocks whose marks have a sign too many.
    Marks,
    /// A fence that is never closed.
    OpenFence,
    /// JSON with raw line ends in its texts.
    RawJson,
    /// The lines stand there twice.
    Twice,
    /// The lines are gone.
    Gone,
    /// The lines are gone, and others differ from them in one name.
    TwinName,
    /// The lines are gone, and others differ from them in one number or sign.
    TwinNumber,
    /// The answer ends in the middle.
    CutOff,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::Exact,
        Self::LineEnds,
        Self::ReturnsInAnswer,
        Self::ReturnsInFile,
        Self::IndentedLess,
        Self::IndentedMore,
        Self::Tabs,
        Self::FirstLineBare,
        Self::InnerSpace,
        Self::CommentReworded,
        Self::CommentLeftOut,
        Self::BlankLines,
        Self::TrailingComma,
        Self::Slip,
        Self::LineLeftOut,
        Self::LinesSwapped,
        Self::Moved,
        Self::DiffNumbers,
        Self::DiffBlank,
        Self::Marks,
        Self::OpenFence,
        Self::RawJson,
        Self::Twice,
        Self::Gone,
        Self::TwinName,
        Self::TwinNumber,
        Self::CutOff,
    ];

    /// Whether the answer still says which place is meant.
    pub fn is_recoverable(self) -> bool {
        !matches!(self, Self::Twice | Self::Gone | Self::TwinName | Self::TwinNumber | Self::CutOff)
    }

    /// In words.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Exact => "to the letter",
            Self::LineEnds => "white space at line ends",
            Self::ReturnsInAnswer => "CRLF in the answer",
            Self::ReturnsInFile => "CRLF in the file",
            Self::IndentedLess => "indented less",
            Self::IndentedMore => "indented more",
            Self::Tabs => "tabs for spaces",
            Self::FirstLineBare => "first line without indentation",
            Self::InnerSpace => "white space inside of lines",
            Self::CommentReworded => "a comment in other words",
            Self::CommentLeftOut => "a comment left out",
            Self::BlankLines => "blank lines more or less",
            Self::TrailingComma => "a comma at a line end",
            Self::Slip => "a slip of the pen in a name",
            Self::LineLeftOut => "a line left out",
            Self::LinesSwapped => "two lines swapped",
            Self::Moved => "moved in the file",
            Self::DiffNumbers => "a diff with wrong numbers",
            Self::DiffBlank => "a diff with bare blank lines",
            Self::Marks => "marks with a sign too many",
            Self::OpenFence => "a fence that is not closed",
            Self::RawJson => "raw line ends in JSON",
            Self::Twice => "stands there twice",
            Self::Gone => "is gone",
            Self::TwinName => "gone, and a twin with another name",
            Self::TwinNumber => "gone, and a twin with another number",
            Self::CutOff => "the answer is cut off",
        }
    }
}

/// One edit.
pub struct Case {
    /// The file.
    pub file: String,
    /// What a model answers.
    pub answer: String,
    /// The file afterwards, when it can be known which place is meant.
    pub recovered: Option<String>,
}

/// The form in which it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Blocks,
    Diff,
}

impl Case {
    /// An edit of this kind of a file; none when the lines that were drawn do not allow it.
    pub fn make(kind: Kind, text: &str, dice: &mut Dice) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let count = usize::try_from(dice.between(5, 14)).ok()?;
        let start = usize::try_from(dice.below(lines.len().checked_sub(count)? as u64)).ok()?;
        let block: Vec<String> = lines.get(start..start + count)?.iter().map(|line| (*line).to_owned()).collect();
        if block.first()?.trim().is_empty() || block.last()?.trim().is_empty() || is_text(&lines, start) {
            return None;
        }
        // Lines that say something: brackets and comments alone name no place.
        if block.iter().filter(|line| code(line).len() > 8).count() < 4 || places(&lines, &block) != 1 {
            return None;
        }
        let (edited, touched) = mean(&block, dice)?;
        let mut file = text.to_owned();
        let mut right = replaced(&lines, start, count, &edited);
        let (mut search, mut replace) = (block.clone(), edited.clone());
        let mut form = *dice.one(&[Form::Json, Form::Blocks, Form::Diff]);
        perturb(kind, (&mut search, &mut replace), &touched, text, dice)?;
        match kind {
            Kind::ReturnsInFile => {
                file = file.replace('\n', "\r\n");
                right = right.replace('\n', "\r\n");
            }
            Kind::Moved => {
                let above = "// Put in above, since the answer was written.\n".repeat(30);
                (file, right) = (format!("{above}{file}"), format!("{above}{right}"));
            }
            Kind::Twice => file = format!("{file}\nmod again {{\n{}\n}}\n", block.join("\n")),
            Kind::Gone => file = replaced(&lines, start, count, &[]),
            Kind::TwinName | Kind::TwinNumber => {
                let twin = twin(&block, kind == Kind::TwinName, text)?;
                file = replaced(&lines, start, count, &twin);
            }
            Kind::DiffNumbers | Kind::DiffBlank => form = Form::Diff,
            Kind::Marks | Kind::OpenFence => form = Form::Blocks,
            Kind::RawJson => form = Form::Json,
            _ => {}
        }
        // A diff shows one text with marks: what is got wrong in lines that stay is wrong on both sides.
        let in_diff = matches!(kind, Kind::LineLeftOut | Kind::LinesSwapped) && form == Form::Diff;
        if in_diff {
            form = Form::Blocks;
        }
        // What does not parse with the right change is no fair edit, and what does not without it no fair file.
        if kaizen_patch::parse_error(&file).is_some() || kaizen_patch::parse_error(&right).is_some() {
            return None;
        }
        let answer = write(kind, form, &search, &replace, dice);
        let recovered = (kind.is_recoverable()).then_some(right);
        Some(Self { file, answer, recovered })
    }
}

/// A line without white space and comment.
fn code(line: &str) -> String {
    line.split("//").next().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether the lines may stand inside of a text or comment that goes over several lines, where white space counts.
fn is_text(lines: &[&str], start: usize) -> bool {
    let before = lines.get(..start).unwrap_or_default().join("\n");
    let quotes = before.replace("\\\"", "").replace("'\"'", "").matches('"').count();
    let here = lines.get(start..start + 14).unwrap_or_default();
    quotes % 2 == 1
        || here.iter().any(|line| line.contains("/*") || line.contains("*/") || line.trim_end().ends_with('\\'))
}

/// In how many places the code of these lines stands, whatever is idle in between.
fn places(lines: &[&str], block: &[String]) -> usize {
    let bare = |line: &str| Some(code(line)).filter(|code| !code.is_empty());
    let all: Vec<String> = lines.iter().filter_map(|line| bare(line)).collect();
    let wanted: Vec<String> = block.iter().filter_map(|line| bare(line)).collect();
    all.windows(wanted.len().max(1)).filter(|window| *window == wanted).count()
}

/// The change that is meant: one or two lines of the block, and which those are.
fn mean(block: &[String], dice: &mut Dice) -> Option<(Vec<String>, Vec<usize>)> {
    let at = usize::try_from(dice.below(block.len() as u64)).ok()?;
    let line = block.get(at)?;
    if line.trim().is_empty() || code(line).len() < 3 {
        return None;
    }
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let mut edited = block.to_vec();
    match dice.below(4) {
        0 => edited.insert(at, format!("{indent}// Changed by an edit, number {}.", dice.below(1_000))),
        1 => *edited.get_mut(at)? = format!("{line} // changed, number {}", dice.below(1_000)),
        2 if line.trim_end().ends_with(';') => {
            *edited.get_mut(at)? = format!("{indent}{{ {} }}", line.trim());
        }
        _ => {
            // A name in the line gets another ending.
            let word = words(line)
                .into_iter()
                .find(|word| word.len() > 4 && word.starts_with(|c: char| c.is_lowercase()) && !is_keyword(word))?;
            *edited.get_mut(at)? = line.replacen(&word, &format!("{word}_changed"), 1);
        }
    }
    (edited != block).then_some((edited, vec![at]))
}

fn words(line: &str) -> Vec<String> {
    code_text(line)
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn code_text(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn replaced(lines: &[&str], start: usize, count: usize, with: &[String]) -> String {
    let before = lines.iter().take(start).map(|line| (*line).to_owned());
    let after = lines.iter().skip(start + count).map(|line| (*line).to_owned());
    before.chain(with.iter().cloned()).chain(after).map(|line| format!("{line}\n")).collect()
}

/// Gets something wrong. Lines that stay are wrong on both sides, as a model that remembers them wrong writes them twice.
fn perturb(
    kind: Kind,
    (search, replace): (&mut Vec<String>, &mut Vec<String>),
    touched: &[usize],
    text: &str,
    dice: &mut Dice,
) -> Option<()> {
    let mut both = |change: &dyn Fn(&str) -> String| {
        for line in search.iter_mut().chain(replace.iter_mut()) {
            *line = change(line);
        }
    };
    match kind {
        Kind::LineEnds => both(&|line| format!("{line}  ")),
        Kind::IndentedLess => {
            let least = search
                .iter()
                .filter(|line| !line.trim().is_empty())
                .map(|line| line.len() - line.trim_start().len())
                .min()?;
            (least > 0).then_some(())?;
            let less = |line: &str| line.get(least..).unwrap_or_default().to_owned();
            for line in search.iter_mut().chain(replace.iter_mut()) {
                *line = less(line);
            }
        }
        Kind::IndentedMore => both(&|line| if line.is_empty() { String::new() } else { format!("    {line}") }),
        Kind::Tabs => {
            search.iter().any(|line| line.starts_with("    ")).then_some(())?;
            let tabbed = |line: &str| {
                let indent = line.len() - line.trim_start().len();
                format!("{}{}", "\t".repeat(indent / 4), line.trim_start())
            };
            for line in search.iter_mut().chain(replace.iter_mut()) {
                *line = tabbed(line);
            }
        }
        Kind::FirstLineBare => {
            let first = search.first()?.clone();
            (first.starts_with(' ') && first != first.trim_start() && !touched.contains(&0)).then_some(())?;
            for lines in [search, replace] {
                let line = lines.first_mut()?;
                *line = line.trim_start().to_owned();
            }
        }
        Kind::InnerSpace => {
            let plain = |line: &str| !line.contains('"') && !line.contains('\'');
            let at = search.iter().position(|line| plain(line) && (line.contains(", ") || line.contains(" = ")))?;
            let line = search.get(at)?.clone();
            let spaced = line.replace(", ", ",").replace(" = ", "  =  ");
            again(search, replace, &line, Some(&spaced))?;
        }
        Kind::CommentReworded | Kind::CommentLeftOut => {
            let at = search.iter().position(|line| line.trim_start().starts_with("//"))?;
            // Whether a line that is put in beside a comment stands before or after it, nobody can tell.
            let beside = touched.iter().any(|other| other.abs_diff(at) < 2);
            (at > 0 && at + 1 < search.len() && !beside).then_some(())?;
            let line = search.get(at)?.clone();
            let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
            let slashes: String = line.trim_start().chars().take_while(|c| *c == '/' || *c == '!').collect();
            let reworded = format!("{indent}{slashes} As far as anybody remembers.");
            again(search, replace, &line, (kind == Kind::CommentReworded).then_some(reworded.as_str()))?;
        }
        Kind::BlankLines => {
            if let Some(at) = search.iter().position(|line| line.trim().is_empty()) {
                let line = search.get(at)?.clone();
                again(search, replace, &line, None)?;
            } else {
                let (first, second) = (search.first()?.clone(), replace.first()?.clone());
                (first == second).then_some(())?;
                search.insert(1, String::new());
                replace.insert(1, String::new());
            }
        }
        Kind::TrailingComma => {
            let ends = |line: &&String| line.trim_end().ends_with([',', ';']) && code(line).len() > 4;
            let line = search.iter().enumerate().find(|(at, line)| !touched.contains(at) && ends(line))?.1.clone();
            let without = line.trim_end().trim_end_matches([',', ';']).to_owned();
            again(search, replace, &line, Some(&without))?;
        }
        Kind::Slip => {
            let (line, word) =
                search.iter().enumerate().filter(|(at, _)| !touched.contains(at)).find_map(|(_, line)| {
                    (words(line).len() > 2).then_some(())?;
                    let word = words(line)
                        .into_iter()
                        .find(|word| word.len() > 6 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))?;
                    Some((line.clone(), word))
                })?;
            let at = word.len() / 2;
            let mut letters: Vec<char> = word.chars().collect();
            letters.swap(at, at + 1);
            let slip: String = letters.into_iter().collect();
            (slip != word && !text.contains(&slip)).then_some(())?;
            again(search, replace, &line, Some(&line.replacen(&word, &slip, 1)))?;
        }
        Kind::LineLeftOut => {
            // With less it could be another place as well: functions that are made alike share most of their lines.
            (search.iter().filter(|line| code(line).len() > 2).count() > 7 && alone(search, text) > 4).then_some(())?;
            let inside = 2..search.len().checked_sub(2)?;
            let far = |at: &usize| touched.iter().all(|other| other.abs_diff(*at) > 1);
            let at = inside.filter(far).find(|at| search.get(*at).is_some_and(|line| code(line).len() > 8))?;
            let line = search.get(at)?.clone();
            again(search, replace, &line, None)?;
        }
        Kind::LinesSwapped => {
            let inside = 1..search.len().checked_sub(2)?;
            let far = |at: &usize| touched.iter().all(|other| *other < *at || *other > *at + 1);
            let plain = |at: &usize| {
                let (one, other) = (search.get(*at).map(String::as_str), search.get(at + 1).map(String::as_str));
                one.is_some_and(|line| code(line).len() > 4)
                    && other.is_some_and(|line| code(line).len() > 4)
                    && one != other
            };
            let at = inside.filter(far).find(plain)?;
            (search.iter().filter(|line| code(line).len() > 2).count() > 7 && alone(search, text) > 3).then_some(())?;
            let shift = usize::from(replace.len() > search.len() && touched.iter().any(|other| *other <= at));
            search.swap(at, at + 1);
            replace.swap(at + shift, at + shift + 1);
        }
        _ => {
            let _ = dice;
        }
    }
    Some(())
}

/// How many of the lines stand nowhere else in the file.
fn alone(lines: &[String], text: &str) -> usize {
    let once = |line: &&String| text.lines().filter(|other| code(other) == code(line)).count() == 1;
    lines.iter().filter(|line| code(line).len() > 2).filter(once).count()
}

/// Writes a line that stays otherwise, or leaves it out, on both sides. None when it does not stay, or is not the only one.
fn again(search: &mut Vec<String>, replace: &mut Vec<String>, line: &str, with: Option<&str>) -> Option<()> {
    for lines in [search, replace] {
        let mut found = lines.iter().enumerate().filter(|(_, other)| *other == line).map(|(at, _)| at);
        let (at, None) = (found.next()?, found.next()) else { return None };
        match with {
            Some(with) => *lines.get_mut(at)? = with.to_owned(),
            None => drop(lines.remove(at)),
        }
    }
    Some(())
}

/// The lines with one name or number exchanged: what stands there is something else.
fn twin(block: &[String], name: bool, text: &str) -> Option<Vec<String>> {
    let mut twin = block.to_vec();
    let at = twin.iter().position(|line| {
        if name {
            words(line)
                .iter()
                .any(|word| word.len() > 3 && text.matches(word.as_str()).count() > 1 && !is_keyword(word))
        } else {
            code_text(line).contains(|c: char| c.is_ascii_digit())
                || code_text(line).contains(" + ")
                || code_text(line).contains(" == ")
        }
    })?;
    let line = twin.get(at)?.clone();
    // Beside its like, the line that is another one now would only be one more.
    (text.lines().filter(|other| code(other) == code(&line)).count() == 1).then_some(())?;
    let changed = if name {
        let word = words(&line)
            .into_iter()
            .find(|word| word.len() > 3 && text.matches(word.as_str()).count() > 1 && !is_keyword(word))?;
        // The name is still used elsewhere: it was no slip.
        line.replacen(&word, "something_else", 1)
    } else if let Some(digit) = code_text(&line).chars().find(char::is_ascii_digit) {
        let other = if digit == '7' { '8' } else { '7' };
        line.replacen(digit, &other.to_string(), 1)
    } else {
        line.replacen(" + ", " - ", 1).replacen(" == ", " != ", 1)
    };
    *twin.get_mut(at)? = changed;
    let remains = |word: &str| twin.iter().any(|line| line.contains(word));
    let still = !name
        || words(&line).iter().any(|word| !remains(word) && text.matches(word.as_str()).count() > 1)
        || text.lines().count() > 60;
    (twin != block && still).then_some(twin)
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "self"
            | "match"
            | "impl"
            | "where"
            | "pub"
            | "return"
            | "else"
            | "loop"
            | "while"
            | "struct"
            | "enum"
            | "trait"
            | "const"
            | "true"
            | "false"
            | "crate"
            | "super"
            | "Self"
            | "String"
            | "Option"
            | "Some"
            | "None"
            | "usize"
    )
}

fn write(kind: Kind, form: Form, search: &[String], replace: &[String], dice: &mut Dice) -> String {
    let end = if kind == Kind::ReturnsInAnswer { "\r\n" } else { "\n" };
    let joined = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let head = "TITLE: change a line\nRATIONALE: it was asked for\n\n";
    let text = match form {
        Form::Json => {
            let (search, replace) = (joined(search), joined(replace));
            let edit = serde_json::json!({ "edit": "replace", "path": "src/lib.rs", "item": null, "search": search, "replace": replace, "content": null });
            let answer = serde_json::json!({ "title": "change a line", "rationale": "it was asked for", "edits": [edit], "benchmark": null, "give_up": null });
            let text = answer.to_string();
            if kind == Kind::RawJson { text.replace("\\n", "\n") } else { text }
        }
        Form::Blocks => {
            let extra = if kind == Kind::Marks { ["<", "=", ">"] } else { ["", "", ""] };
            let fence = if kind == Kind::OpenFence { "```rust\n" } else { "" };
            format!(
                "{head}src/lib.rs\n{fence}<<<<<<<{} SEARCH\n{}======={}\n{}>>>>>>>{} REPLACE\n\nEND OF ANSWER\n",
                extra[0],
                joined(search),
                extra[1],
                joined(replace),
                extra[2]
            )
        }
        Form::Diff => {
            let old: Vec<&str> = search.iter().map(String::as_str).collect();
            let new: Vec<&str> = replace.iter().map(String::as_str).collect();
            let mut hunk = String::new();
            for change in similar::TextDiff::from_slices(&old, &new).iter_all_changes() {
                let sign = match change.tag() {
                    similar::ChangeTag::Delete => "-",
                    similar::ChangeTag::Insert => "+",
                    similar::ChangeTag::Equal if kind == Kind::DiffBlank && change.value().trim().is_empty() => "",
                    similar::ChangeTag::Equal => " ",
                };
                hunk.push_str(&format!("{sign}{}\n", change.value()));
            }
            let at = dice.between(1, 900);
            format!(
                "{head}DIFF:\n```diff\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -{at},3 +{at},9 @@\n{hunk}```\n\nEND OF ANSWER\n"
            )
        }
    };
    let text = text.replace('\n', end);
    if kind == Kind::CutOff {
        let most = text.trim_end().len() as u64 - 4;
        let cut = usize::try_from(dice.between(most / 3, most)).unwrap_or(0);
        return text.get(..text.floor_char_boundary(cut)).unwrap_or_default().to_owned();
    }
    text
}
