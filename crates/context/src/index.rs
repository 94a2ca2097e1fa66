//! Index: the items of every Rust file, where they stand, and which names they use. A file that has not changed is taken
//! over from an earlier index without being read again.

use std::collections::HashMap;
use std::sync::Arc;

use kaizen_domain::RelPath;
use proc_macro2::Span;
use syn::spanned::Spanned as _;

use crate::scan::names;

/// Files are parsed on threads that end afterwards: what the parser keeps of every text to find its places goes with them.
const FILES_A_THREAD: usize = 64;
/// Uses of a name in one item that are told apart.
const USES: usize = 6;
/// A file with more is generated, and shown by its name alone.
const MAX_FILE: usize = 2 << 20;

/// A Rust file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Where it is.
    pub path: RelPath,
    /// What it holds, in words that are the same exactly when the content is: a hash, an object id.
    pub key: String,
    /// The text.
    pub text: Arc<str>,
}

/// What kind of item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A function or method.
    Function,
    /// A struct, enum, union or type alias.
    Type,
    /// A trait.
    Trait,
    /// A constant or static.
    Value,
    /// A macro.
    Macro,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// The type or trait that it belongs to.
    pub owner: Option<String>,
    /// The modules of the file around it.
    pub modules: Vec<String>,
    /// What it is.
    pub kind: ItemKind,
    /// Its first line with docs and attributes, from 1.
    pub first: usize,
    /// The line of its own first word, from 1.
    pub head: usize,
    /// Its last line.
    pub last: usize,
    /// Its signature in one line.
    pub signature: String,
    /// Whether it is a test, or a helper of tests.
    pub test: Test,
    /// The names that it uses.
    pub(crate) uses: Vec<Used>,
}

/// How an item has to do with tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Test {
    /// Not at all.
    No,
    /// It is one.
    Is,
    /// It stands beside some.
    Helps,
}

impl Item {
    /// Its name with its owner, as a person would say it.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}::{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A name that is used in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    pub name: String,
    pub qualifier: Option<String>,
    pub dotted: bool,
    /// The lines of its uses, from 1, the first few.
    pub lines: Vec<usize>,
    /// Whether it stands in an example of the docs.
    pub doc: bool,
}

/// A file with its items.
#[derive(Debug, Clone)]
pub(crate) struct FileIndex {
    pub file: SourceFile,
    pub items: Vec<Item>,
    /// Whether the parser could read it.
    pub parsed: bool,
}

/// The items of a repository.
#[derive(Debug, Clone, Default)]
pub struct Index {
    pub(crate) files: Vec<Arc<FileIndex>>,
}

impl Index {
    /// Reads these files, on as many threads as the machine has processors. What `before` knows of a file with the same
    /// key is taken over.
    #[must_use]
    pub fn of(files: Vec<SourceFile>, before: Option<&Self>) -> Self {
        let known: HashMap<(&RelPath, &str), &Arc<FileIndex>> = before
            .into_iter()
            .flat_map(|index| &index.files)
            .map(|file| ((&file.file.path, file.file.key.as_str()), file))
            .collect();
        let mut done: Vec<Arc<FileIndex>> = Vec::with_capacity(files.len());
        let mut fresh: Vec<SourceFile> = Vec::new();
        for file in files {
            match known.get(&(&file.path, file.key.as_str())) {
                Some(found) => done.push(Arc::clone(found)),
                None => fresh.push(file),
            }
        }
        // Large files first, so that no thread is left with one at the end.
        fresh.sort_by_key(|file| std::cmp::Reverse(file.text.len()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for batch in fresh.chunks(FILES_A_THREAD * threads) {
            let parts: Vec<Vec<FileIndex>> = std::thread::scope(|scope| {
                let workers: Vec<_> = (0..threads)
                    .map(|thread| {
                        let read = move || batch.iter().skip(thread).step_by(threads).map(read_file).collect();
                        // Deeply nested code needs more than a thread usually has.
                        std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, read)
                    })
                    .collect();
                workers
                    .into_iter()
                    .map(|worker| worker.ok().and_then(|worker| worker.join().ok()).unwrap_or_default())
                    .collect()
            });
            done.extend(parts.into_iter().flatten().map(Arc::new));
        }
        done.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        Self { files: done }
    }

    /// How many items there are.
    #[must_use]
    pub fn items(&self) -> usize {
        self.files.iter().map(|file| file.items.len()).sum()
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.files.iter().map(|file| file.file.text.lines().count()).sum()
    }

    /// Files that the parser could not read.
    pub fn unparsed(&self) -> impl Iterator<Item = &RelPath> {
        self.files.iter().filter(|file| !file.parsed).map(|file| &file.file.path)
    }
}

fn read_file(file: &SourceFile) -> FileIndex {
    let mut index = FileIndex { file: file.clone(), items: Vec::new(), parsed: false };
    if file.text.len() > MAX_FILE || nests_too_deeply(&file.text) {
        return index;
    }
    let Ok(syntax) = syn::parse_file(&file.text) else { return index };
    index.parsed = true;
    let in_tests = file.path.parts().any(|part| matches!(part, "tests" | "benches"));
    let mut lines = vec![0];
    lines.extend(file.text.match_indices('\n').map(|(at, _)| at + 1));
    let mut reader = Reader { text: &file.text, lines, items: Vec::new() };
    reader.items_of(&syntax.items, &Place { modules: Vec::new(), owner: None, test: in_tests });
    index.items = reader.items;
    index
}

/// Whether brackets nest so deeply that a parser that calls itself would run out of stack.
fn nests_too_deeply(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_i64, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest > 500
}

struct Reader<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    items: Vec<Item>,
}

#[derive(Clone)]
struct Place {
    modules: Vec<String>,
    owner: Option<String>,
    test: bool,
}

/// What of an item is the same for every kind.
struct Head<'s> {
    kind: ItemKind,
    name: String,
    attrs: &'s [syn::Attribute],
    whole: Span,
    /// Where its body begins, when it has one.
    body: Option<Span>,
}

impl Reader<'_> {
    fn items_of(&mut self, items: &[syn::Item], place: &Place) {
        use ItemKind as K;
        for item in items {
            let whole = item.span();
            let of = |kind, name: &syn::Ident, attrs, body| Head { kind, name: name.to_string(), attrs, whole, body };
            match item {
                syn::Item::Fn(it) => {
                    let body = Some(it.block.brace_token.span.open());
                    self.push(of(K::Function, &it.sig.ident, &it.attrs, body), place);
                }
                syn::Item::Struct(it) => self.push(of(K::Type, &it.ident, &it.attrs, None), place),
                syn::Item::Enum(it) => {
                    self.push(of(K::Type, &it.ident, &it.attrs, Some(it.brace_token.span.open())), place);
                }
                syn::Item::Union(it) => self.push(of(K::Type, &it.ident, &it.attrs, None), place),
                syn::Item::Type(it) => self.push(of(K::Type, &it.ident, &it.attrs, None), place),
                syn::Item::Const(it) => self.push(of(K::Value, &it.ident, &it.attrs, None), place),
                syn::Item::Static(it) => self.push(of(K::Value, &it.ident, &it.attrs, None), place),
                syn::Item::Trait(it) => {
                    self.push(of(K::Trait, &it.ident, &it.attrs, Some(it.brace_token.span.open())), place);
                    let inside = Place { owner: Some(it.ident.to_string()), ..place.clone() };
                    for member in &it.items {
                        if let syn::TraitItem::Fn(it) = member
                            && let Some(block) = &it.default
                        {
                            let body = Some(block.brace_token.span.open());
                            let whole = member.span();
                            let name = it.sig.ident.to_string();
                            self.push(Head { kind: K::Function, name, attrs: &it.attrs, whole, body }, &inside);
                        }
                    }
                }
                syn::Item::Impl(it) => {
                    let inside = Place { owner: type_name(&it.self_ty), ..place.clone() };
                    for member in &it.items {
                        let whole = member.span();
                        match member {
                            syn::ImplItem::Fn(it) => {
                                let body = Some(it.block.brace_token.span.open());
                                let name = it.sig.ident.to_string();
                                self.push(Head { kind: K::Function, name, attrs: &it.attrs, whole, body }, &inside);
                            }
                            syn::ImplItem::Const(it) => {
                                let name = it.ident.to_string();
                                self.push(Head { kind: K::Value, name, attrs: &it.attrs, whole, body: None }, &inside);
                            }
                            _ => {}
                        }
                    }
                }
                syn::Item::Macro(it) => {
                    if let Some(ident) = &it.ident {
                        self.push(of(K::Macro, ident, &it.attrs, Some(it.mac.delimiter.span().open())), place);
                    }
                }
                syn::Item::Mod(it) => {
                    if let Some((_, items)) = &it.content {
                        let mut inside = place.clone();
                        inside.modules.push(it.ident.to_string());
                        inside.test |= is_for_tests(&it.attrs) || it.ident == "tests" || it.ident == "test";
                        self.items_of(items, &inside);
                    }
                }
                _ => {}
            }
        }
    }

    fn push(&mut self, head: Head<'_>, place: &Place) {
        let Head { kind, name, attrs, whole, body } = head;
        let first = attrs.iter().map(|attr| attr.span().start().line).chain([whole.start().line]).min().unwrap_or(1);
        let last = whole.end().line.max(first);
        let after_attrs = attrs.iter().map(|attr| attr.span().end().line + 1).max().unwrap_or(first);
        let own = (first..=last).find(|line| *line >= after_attrs || !self.is_attr(*line)).unwrap_or(first);
        let test = match (is_test(attrs), place.test || is_for_tests(attrs)) {
            (true, _) => Test::Is,
            (false, true) => Test::Helps,
            (false, false) => Test::No,
        };
        let signature_end = body.map_or_else(|| self.end_of(whole), |open| self.offset(open.start()));
        let signature = self.text.get(self.line_start(own)..signature_end).unwrap_or_default();
        let signature = signature.split_whitespace().collect::<Vec<_>>().join(" ");
        let item = Item {
            uses: self.uses(first, own, last, &name),
            owner: place.owner.clone(),
            modules: place.modules.clone(),
            name,
            kind,
            first,
            head: own,
            last,
            signature: signature.chars().take(300).collect(),
            test,
        };
        self.items.push(item);
    }

    fn is_attr(&self, line: usize) -> bool {
        let text = self.text.get(self.line_start(line)..self.line_start(line + 1)).unwrap_or_default().trim_start();
        text.starts_with('#') || text.starts_with("//") || text.is_empty()
    }

    /// The names in an item, each once, and those in the examples of its docs.
    fn uses(&self, first: usize, own: usize, last: usize, name: &str) -> Vec<Used> {
        let mut seen: HashMap<(&str, Option<&str>, bool, bool), usize> = HashMap::new();
        let mut uses: Vec<Used> = Vec::new();
        let start = self.line_start(own);
        let code = self.text.get(start..self.line_start(last + 1)).unwrap_or_default();
        let doc = self.text.get(self.line_start(first)..start).unwrap_or_default();
        let examples: Vec<(usize, &str)> = examples(doc);
        let parts =
            std::iter::once((own, code, false)).chain(examples.iter().map(|(line, text)| (first + line, *text, true)));
        for (from, text, in_doc) in parts {
            let (mut line, mut at) = (from, 0);
            for used in names(text) {
                line += text.get(at..used.at).unwrap_or_default().matches('\n').count();
                at = used.at;
                if used.name == name && used.qualifier.is_none() && !used.dotted && !in_doc {
                    continue;
                }
                let key = (used.name, used.qualifier, used.dotted, in_doc);
                let place = *seen.entry(key).or_insert_with(|| {
                    uses.push(Used {
                        name: used.name.to_owned(),
                        qualifier: used.qualifier.map(str::to_owned),
                        dotted: used.dotted,
                        lines: Vec::new(),
                        doc: in_doc,
                    });
                    uses.len() - 1
                });
                if let Some(known) = uses.get_mut(place)
                    && known.lines.len() < USES
                    && known.lines.last() != Some(&line)
                {
                    known.lines.push(line);
                }
            }
        }
        uses
    }

    fn line_start(&self, line: usize) -> usize {
        self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// The byte of a place that the parser counts in characters.
    fn offset(&self, place: proc_macro2::LineColumn) -> usize {
        let start = self.line_start(place.line);
        let rest = self.text.get(start..).unwrap_or_default();
        start + rest.char_indices().nth(place.column).map_or(rest.len(), |(at, _)| at)
    }

    fn end_of(&self, span: Span) -> usize {
        self.offset(span.end())
    }
}

/// The lines of code in doc comments, with the number of each from the beginning.
fn examples(doc: &str) -> Vec<(usize, &str)> {
    let (mut found, mut inside) = (Vec::new(), false);
    for (number, line) in doc.lines().enumerate() {
        let Some(text) = line.trim_start().strip_prefix("///") else { continue };
        if text.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            found.push((number, text));
        }
    }
    found
}

fn type_name(of: &syn::Type) -> Option<String> {
    match of {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        syn::Type::Reference(inner) => type_name(&inner.elem),
        syn::Type::Paren(inner) => type_name(&inner.elem),
        syn::Type::Group(inner) => type_name(&inner.elem),
        syn::Type::Slice(inner) => type_name(&inner.elem),
        _ => None,
    }
}

/// `#[test]`, and what other harnesses call it: the last word of the path is or ends with `test`.
fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let last = attr.path().segments.last().map(|segment| segment.ident.to_string());
        last.is_some_and(|last| last == "test" || last == "rstest" || last == "test_case" || last == "bench")
    })
}

fn is_for_tests(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("cfg")
            && matches!(&attr.meta, syn::Meta::List(list) if names(&list.tokens.to_string()).iter().any(|name| name.name == "test"))
    })
}
