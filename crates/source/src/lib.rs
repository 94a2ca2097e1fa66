//! Rust text as a syntax tree, on a stack that no text can exhaust.

mod features;

use std::borrow::Cow;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Meta};
use thiserror::Error;

pub use features::{Configured, Declared, Names, Off, configured, declared};

/// The largest file that is looked at, bytes.
const FILE: usize = 512 << 10;
/// Brackets inside each other.
const BRACKETS: usize = 160;
/// Room for what nests without brackets: two kibibytes for each byte of a file. It is taken up as it is used.
const STACK: usize = FILE * (2 << 10);

/// Why a text was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It is no Rust.
    #[error("it does not parse")]
    NotRust,
    /// It is larger, or nests deeper, than any code that people write.
    #[error("it is too large, or nests too deep, to be looked at")]
    TooMuch,
    /// The machine has no room for the thread that parses.
    #[error("no thread can be started to parse it")]
    NoThread,
}

/// Parses texts, and does with the trees what is to be done; both on a thread of their own.
///
/// # Errors
/// When one of them cannot be read.
pub fn with_files<T: Send>(texts: &[&str], work: impl FnOnce(Vec<syn::File>) -> T + Send) -> Result<T, Unreadable> {
    if texts.iter().any(|text| text.len() > FILE) {
        return Err(Unreadable::TooMuch);
    }
    let parse = move || {
        let files: Result<Vec<syn::File>, Unreadable> = texts.iter().map(|text| file(text)).collect();
        files.map(work)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("kaizen-source".to_owned()).stack_size(STACK);
        let running = thread.spawn_scoped(scope, parse).map_err(|_| Unreadable::NoThread)?;
        running.join().unwrap_or(Err(Unreadable::NotRust))
    })
}

/// Whether something with these attributes is a test, or is there only for tests.
#[must_use]
pub fn is_test_code(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().segments.last().is_some_and(|last| last.ident == "test" || last.ident == "bench"),
    })
}

fn file(text: &str) -> Result<syn::File, Unreadable> {
    let text = &without_preamble(text);
    let tokens: TokenStream = text.parse().map_err(|_| Unreadable::NotRust)?;
    if !is_shallow(&tokens, BRACKETS) {
        return Err(Unreadable::TooMuch);
    }
    syn::parse2(tokens).map_err(|_| Unreadable::NotRust)
}

/// The text with blanks in place of a byte order mark and a `#!` line, so that every place in it stays where it is.
fn without_preamble(text: &str) -> Cow<'_, str> {
    const MARK: &str = "\u{feff}";
    let start = if text.starts_with(MARK) { MARK.len() } else { 0 };
    let code = text.get(start..).unwrap_or_default();
    let attribute = code.get(2..).unwrap_or_default().trim_start().starts_with('[');
    let line = if code.starts_with("#!") && !attribute { code.find('\n').unwrap_or(code.len()) } else { 0 };
    match start + line {
        0 => Cow::Borrowed(text),
        end => Cow::Owned(" ".repeat(end) + text.get(end..).unwrap_or_default()),
    }
}

fn is_shallow(tokens: &TokenStream, left: usize) -> bool {
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Group(group) => left > 0 && is_shallow(&group.stream(), left - 1),
        _ => true,
    })
}
