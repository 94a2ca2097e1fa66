//! Rust text as a syntax tree, safely: text that nests too deep is refused before a parser sees it, and parsing and
//! all work on trees happen on a thread with a big stack.
//!
//! Trees and their spans are bound to the thread that made them, so whole analyses run inside [`on_big_stack`].

pub(crate) mod depth;
pub(crate) mod extent;
pub(crate) mod lex;
pub(crate) mod lifetimes;

use std::io;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use proc_macro2::TokenStream;
use thiserror::Error;

use crate::lines::line_column;
use crate::shown::shown;

/// The stack of the thread that parses; `depth` bounds what can be on it. Only what is used is ever backed by memory.
const STACK: usize = 256 << 20;

/// A Rust file as a tree.
pub(crate) struct Parsed {
    pub(crate) file: syn::File,
    /// Bytes before the part that was parsed: a byte order mark and a `#!` line.
    pub(crate) offset: usize,
}

/// Why a text is not Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in characters.
    pub(crate) column: usize,
    pub(crate) why: String,
    /// It may well be Rust, but it nests too deep to be looked at.
    pub(crate) too_deep: bool,
}

/// The thread for parsing could not do its work.
#[derive(Debug, Error)]
pub(crate) enum StackFault {
    #[error("no thread could be started for parsing: {0}")]
    Spawn(#[source] io::Error),
    #[error("the parser failed on this text")]
    Panicked,
}

/// Runs work on a thread of its own with a big stack; a panic in there is an error here.
pub(crate) fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, StackFault> {
    std::thread::scope(|scope| join(spawn(scope, work)?))
}

/// Does pieces of work beside each other, one thread with a big stack for each processor; what they give, in order.
pub(crate) fn on_big_stacks<T: Send, W: FnOnce() -> T + Send>(pieces: Vec<W>) -> Result<Vec<T>, StackFault> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from).min(pieces.len());
    let waiting = Mutex::new(pieces.into_iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut done = Vec::new();
        while let Some((at, piece)) = next() {
            done.push((at, piece()));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| spawn(scope, work)).collect();
        let done: Result<Vec<_>, StackFault> = threads.into_iter().map(|thread| join(thread?)).collect();
        Ok(done?.into_iter().flatten().collect::<Vec<_>>())
    })?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, what)| what).collect())
}

fn spawn<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    work: impl FnOnce() -> T + Send + 's,
) -> Result<ScopedJoinHandle<'s, T>, StackFault> {
    std::thread::Builder::new()
        .name("kaizen-parse".to_owned())
        .stack_size(STACK)
        .spawn_scoped(scope, work)
        .map_err(StackFault::Spawn)
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T, StackFault> {
    thread.join().map_err(|_| StackFault::Panicked)
}

/// Parses a file. Call it on a big stack only.
pub(crate) fn parse_file(text: &str) -> Result<Parsed, SyntaxFault> {
    let offset = preamble(text);
    let tokens = tokens_of(text, offset)?;
    let file = syn::parse2::<syn::File>(tokens).map_err(|error| fault(text, offset, &error))?;
    Ok(Parsed { file, offset })
}

/// Parses a text as something else than a file, such as a method. Call it on a big stack only.
pub(crate) fn parse_as<T: syn::parse::Parse>(text: &str) -> Result<T, SyntaxFault> {
    let tokens = tokens_of(text, 0)?;
    syn::parse2::<T>(tokens).map_err(|error| fault(text, 0, &error))
}

/// The tokens of a text, when it does not nest too deep.
pub(crate) fn tokens(text: &str) -> Result<TokenStream, SyntaxFault> {
    tokens_of(text, 0)
}

fn tokens_of(text: &str, offset: usize) -> Result<TokenStream, SyntaxFault> {
    let code = text.get(offset..).unwrap_or("");
    depth::check(code).map_err(|deep| {
        let (line, column) = line_column(text, offset + deep.at);
        SyntaxFault { line, column, why: deep.what.to_owned(), too_deep: true }
    })?;
    let unknown = "this is not a token of Rust, or its bracket is not closed";
    TokenStream::from_str(code).map_err(|error| fault(text, offset, &syn::Error::new(error.span(), unknown)))
}

fn fault(text: &str, offset: usize, error: &syn::Error) -> SyntaxFault {
    let at = error.span().start();
    let (line, column) = line_column(text, offset);
    // A preamble may end in the middle of a line.
    let column = if at.line == 1 { column + at.column } else { at.column + 1 };
    SyntaxFault { line: line + at.line - 1, column, why: shown(&error.to_string(), 200), too_deep: false }
}

/// Bytes of a byte order mark and a `#!` line, which are not Rust.
fn preamble(text: &str) -> usize {
    let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let rest = text.get(mark..).unwrap_or("");
    let attribute = || lex::lex(rest.get(2..).unwrap_or("")).next().is_some_and(|lexeme| lexeme.text == "[");
    if rest.starts_with("#!") && !attribute() { mark + rest.find('\n').unwrap_or(rest.len()) } else { mark }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<usize, SyntaxFault> {
        on_big_stack(|| parse_file(text).map(|parsed| parsed.file.items.len())).unwrap()
    }

    #[test]
    fn faults_carry_line_and_column() {
        assert_eq!(parse("fn f() {}\nfn g( {}\n").map_err(|fault| (fault.line, fault.column)), Err((2, 5)));
        assert_eq!(parse("#!/bin/x\nfn f() -> {}").map_err(|fault| fault.line), Err(2));
        assert_eq!(parse("\u{feff}#![allow(x)]\nfn f() {}"), Ok(1));
    }

    #[test]
    fn the_deepest_text_that_is_let_through_does_not_exhaust_the_stack() {
        let b = depth::MAX_BRACKETS - 4;
        let n = depth::MAX_NESTING - 20;
        for text in [
            format!("const X: u8 = {}1{};", "(".repeat(b), ")".repeat(b)),
            format!("fn f() {{ {}1{} }}", "if x { match y { _ => ".repeat(b / 2), "} }".repeat(b / 2)),
            format!("const X: bool = {}true;", "!".repeat(n)),
            format!("const X: u64 = 1{};", "+1".repeat(n)),
            format!("type X = {}u8;", "&".repeat(n)),
            format!("type X = {}u8{};", "A<".repeat(n / 2), ">".repeat(n / 2)),
            format!("fn f() {{ if a {{}} {} }}", "else if a {}".repeat(n / 3)),
            format!("fn f() {{ x{}; }}", ".a()".repeat(n / 2)),
            format!("fn f() {{ {} 1; }}", "|a, b| ".repeat(n / 4)),
            format!("fn f() {{ {} 1; }}", "return ".repeat(n - 10)),
            format!("use {}a;", "a::".repeat(n / 2 - 1)),
            format!("type X = {}u8;", "fn() -> ".repeat(n / 4)),
        ] {
            let walked = on_big_stack(|| {
                let parsed = parse_file(&text).map_err(|fault| format!("{fault:?}"))?;
                let copy = parsed.file.clone();
                let same = quote::ToTokens::to_token_stream(&copy).to_string()
                    == quote::ToTokens::to_token_stream(&parsed.file).to_string();
                Ok::<bool, String>(same && copy == parsed.file)
            });
            assert_eq!(walked.unwrap(), Ok(true), "{}", &text[..60]);
        }
    }
}
