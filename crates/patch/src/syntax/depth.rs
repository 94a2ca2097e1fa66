//! Bounds how deep a parser would recurse, before it sees the text.
//!
//! Each token that can open a level of the syntax tree (a bracket, an operator, a keyword) counts one, at the bracket
//! level it stands in, until something ends the expression there. The sum over all open levels is never smaller
//! than the depth of the tree. Linear, without recursion, and it holds on text that is not Rust as well.

use super::lex::{Kind, Lexeme, lex};

/// Brackets inside each other.
pub(crate) const MAX_BRACKETS: usize = 160;
/// Tokens that can nest, summed over the open levels.
pub(crate) const MAX_NESTING: usize = 4_000;

/// The text nests deeper than any code that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooDeep {
    /// Where the limit is passed, as a byte offset.
    pub(crate) at: usize,
    /// Which limit.
    pub(crate) what: &'static str,
}

#[derive(Default)]
struct Level {
    count: usize,
    /// Generic argument lists that are open at this level: a comma inside them ends nothing.
    angles: usize,
    /// Closure parameter lists begun at this level: likewise.
    pipes: usize,
}

/// Refuses a text that could exhaust the stack of a parser or of what walks over its tree.
pub(crate) fn check(text: &str) -> Result<(), TooDeep> {
    let mut levels = vec![Level::default()];
    let mut total = 0usize;
    let mut last: Option<Lexeme<'_>> = None;
    let mut after_brace = false;
    for lexeme in lex(text) {
        let starts_next = matches!(lexeme.kind, Kind::Ident) && !matches!(lexeme.text, "else" | "as" | "in" | "where");
        if after_brace && (starts_next || lexeme.text == "#") {
            reset(&mut levels, &mut total);
        }
        after_brace = lexeme.kind == Kind::Close && lexeme.text == "}";
        match lexeme.kind {
            Kind::Open => {
                count(&mut levels, &mut total);
                levels.push(Level::default());
                if levels.len() > MAX_BRACKETS {
                    return Err(TooDeep { at: lexeme.at, what: "brackets stand more than 160 deep" });
                }
            }
            Kind::Close if levels.len() > 1 => {
                total -= levels.pop().map_or(0, |level| level.count);
            }
            Kind::Close | Kind::Literal => {}
            Kind::Lifetime => count(&mut levels, &mut total),
            Kind::Ident => {
                if is_keyword(lexeme.text) {
                    count(&mut levels, &mut total);
                }
            }
            Kind::Punct => punct(&mut levels, &mut total, lexeme, last),
        }
        if total > MAX_NESTING {
            return Err(TooDeep { at: lexeme.at, what: "one expression or type nests more than 4000 operators deep" });
        }
        last = Some(lexeme);
    }
    Ok(())
}

fn punct(levels: &mut [Level], total: &mut usize, lexeme: Lexeme<'_>, last: Option<Lexeme<'_>>) {
    let joint = |text: &str| last.is_some_and(|last| last.text == text && last.at + 1 == lexeme.at);
    match lexeme.text {
        ";" => return reset(levels, total),
        "," => {
            let ended = levels.last().is_some_and(|level| level.angles == 0 && level.pipes == 0);
            return if ended { reset(levels, total) } else { count(levels, total) };
        }
        ">" if joint("=") => return reset(levels, total),
        ">" if joint("-") => {}
        ">" => with_level(levels, |level| level.angles = level.angles.saturating_sub(1)),
        "<" => with_level(levels, |level| level.angles += 1),
        "|" if last.is_none_or(|last| matches!(last.kind, Kind::Open | Kind::Punct) || is_keyword(last.text)) => {
            with_level(levels, |level| level.pipes += 1);
        }
        _ => {}
    }
    count(levels, total);
}

fn with_level(levels: &mut [Level], change: impl FnOnce(&mut Level)) {
    if let Some(level) = levels.last_mut() {
        change(level);
    }
}

fn count(levels: &mut [Level], total: &mut usize) {
    with_level(levels, |level| level.count += 1);
    *total += 1;
}

fn reset(levels: &mut [Level], total: &mut usize) {
    with_level(levels, |level| {
        *total -= level.count;
        *level = Level::default();
    });
}

fn is_keyword(text: &str) -> bool {
    matches!(
        text,
        "as" | "async"
            | "auto"
            | "await"
            | "become"
            | "box"
            | "break"
            | "const"
            | "continue"
            | "crate"
            | "do"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "final"
            | "fn"
            | "for"
            | "gen"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "macro"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "pub"
            | "raw"
            | "ref"
            | "return"
            | "static"
            | "struct"
            | "super"
            | "trait"
            | "try"
            | "type"
            | "union"
            | "unsafe"
            | "use"
            | "where"
            | "while"
            | "yield"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_of_every_kind_is_bounded() {
        let n = 50_000;
        for (what, text) in [
            ("parentheses", format!("const X: u8 = {}1{};", "(".repeat(n), ")".repeat(n))),
            ("unclosed", "[{(".repeat(n)),
            ("not", format!("const X: bool = {}true;", "!".repeat(n))),
            ("minus", format!("const X: i8 = {}1;", "- ".repeat(n))),
            ("references", format!("type X = {}u8;", "&".repeat(n))),
            ("sum", format!("const X: u64 = 1{};", "+1".repeat(n))),
            ("calls", format!("fn f() {{ f{}; }}", "()".repeat(n))),
            ("methods", format!("fn f() {{ x{}; }}", ".a()".repeat(n))),
            ("fields", format!("fn f() {{ x{}; }}", ".0 .a".repeat(n))),
            ("tries", format!("fn f() {{ x{}; }}", "?".repeat(n))),
            ("casts", format!("fn f() {{ 1{}; }}", " as u8".repeat(n))),
            ("else if", format!("fn f() {{ if a {{}} {} }}", "else if a {}".repeat(n))),
            ("closures", format!("fn f() {{ {} 1; }}", "|a, b| ".repeat(n))),
            ("closures with operators", format!("fn f() {{ {} 1; }}", "- |a, b| !".repeat(n))),
            ("generics", format!("type X = {}u8{};", "A<B, ".repeat(n), ">".repeat(n))),
            ("use", format!("use {}a;", "a::".repeat(n))),
            ("function pointers", format!("type X = {}u8;", "fn() -> ".repeat(n))),
            ("patterns", format!("fn f() {{ let {}x = 1; }}", "a @ ".repeat(n))),
            ("keywords", format!("fn f() {{ {}1; }}", "return ".repeat(n))),
            ("for patterns", format!("fn f() {{ {} }}", "for S {} in ".repeat(n))),
            ("ranges", format!("fn f() {{ {}1; }}", "..".repeat(n))),
        ] {
            assert!(check(&text).is_err(), "{what}");
        }
    }

    #[test]
    fn long_flat_code_is_not_deep() {
        let n = 20_000;
        for text in [
            "fn f() { if a < b { c(|x, y| x + y); } }\n".repeat(n),
            format!("fn f() {{ {} }}", "x.y(1)?; if a < b {} let z = -1;".repeat(n)),
            format!("fn f() {{ match x {{ {} }} }}", "A | B if a < b => f(1), ".repeat(n)),
            format!("const X: &[i32] = &[{}];", "-1, ".repeat(n)),
            "#[derive(A)] pub struct S { a: Vec<B<C, D>>, }\n".repeat(n),
        ] {
            assert_eq!(check(&text), Ok(()));
        }
    }
}
