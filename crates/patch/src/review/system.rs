//! Rule `system-access`: new or changed code that reaches out of the program asks a person: processes, network, files, the
//! environment, foreign code, and files that are read at compile time; and code that asks where and when it runs, which may
//! do one thing for tests and another one for everybody else.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::Findings;
use super::code::scan::{Known, PathUse, paths};
use super::code::unit::Unit;
use super::code::{CodeFile, Side};
use crate::syntax;
use crate::syntax::lex::{Kind, Lexeme};
use syn::Item;

pub(super) const RULE: &str = "system-access";

const FILES: &str = "writes or removes files";
const READS: &str = "reads files";
const ASKS: &str = "may ask the file system";

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    if file.new.is_empty() {
        return;
    }
    let before = if file.old.is_empty() { Imports::default() } else { Imports::of(file.before) };
    let after = Imports::of(file.after);
    let mut known = Known::default();
    for unit in &file.old {
        uses(unit, &before).into_iter().for_each(|found| known.add(found.key));
    }
    let everywhere = OnceCell::new();
    for unit in &file.new {
        for found in uses(unit, &after).into_iter().filter(|found| known.is_new(&found.key)) {
            // A new test may use files as code of the file does already, in the same words, if it names no place itself.
            let is_usual = || everywhere.get_or_init(|| in_all_of(file.before)).contains(&found.key);
            if unit.is_test_code() && found.is_of_files() && !names_a_place(unit) && is_usual() {
                continue;
            }
            let line = unit.line(found.at);
            let detail = format!("line {line}: `{}` in `{}` {}", found.path, unit.label(), found.what);
            findings.ask(RULE, file.path, detail);
        }
    }
}

struct Use {
    key: String,
    path: String,
    what: &'static str,
    at: usize,
}

/// What all code of a side reaches, units that do not change too.
fn in_all_of(side: &Side<'_>) -> HashSet<String> {
    uses_of(&paths(&side.lexemes), &side.lexemes, &Imports::of(side)).into_iter().map(|found| found.key).collect()
}

/// Whether a text in it may be a place in the file system.
fn names_a_place(unit: &Unit<'_>) -> bool {
    let mut texts = unit.lexemes().iter().filter(|lexeme| lexeme.kind == Kind::Literal && lexeme.text.contains('"'));
    texts.any(|text| text.text.contains(['/', '\\', '~']) || text.text.contains(".."))
}

impl Use {
    /// Whether it uses files, or what names of temporary ones are made of.
    fn is_of_files(&self) -> bool {
        matches!(self.what, FILES | READS | ASKS)
            || matches!(self.path.as_str(), "std::env::temp_dir" | "std::process::id")
    }
}

fn uses(unit: &Unit<'_>, imports: &Imports) -> Vec<Use> {
    uses_of(unit.paths(), unit.lexemes(), imports)
}

fn uses_of(paths: &[PathUse<'_>], lexemes: &[Lexeme<'_>], imports: &Imports) -> Vec<Use> {
    let found = paths.iter().filter_map(|path| {
        if !path.is_macro && !imports.may_reach(path) {
            return None;
        }
        let full = imports.resolve(path);
        let parts: Vec<&str> = full.iter().map(String::as_str).collect();
        // A plain import does nothing yet; what it brings in is found where it is used.
        if path.imported && parts.last() != Some(&"*") {
            return None;
        }
        let what = if path.is_macro { macro_reach(path) } else { reach(&parts) }?;
        let full = full.join("::");
        Some(Use { key: format!("{full} {}", path.arguments(lexemes)), path: full, what, at: path.at })
    });
    found.chain(asked_of_the_file_system(lexemes)).collect()
}

/// Calls of methods that paths have and that ask the file system.
fn asked_of_the_file_system(lexemes: &[Lexeme<'_>]) -> Vec<Use> {
    const METHODS: [&str; 10] = [
        "exists",
        "try_exists",
        "is_file",
        "is_dir",
        "is_symlink",
        "metadata",
        "symlink_metadata",
        "canonicalize",
        "read_dir",
        "read_link",
    ];
    let called = lexemes.windows(3).filter_map(|window| match window {
        [dot, name, open] if dot.text == "." && METHODS.contains(&name.text) && open.text == "(" => Some(name),
        _ => None,
    });
    called
        .map(|name| Use { key: format!(".{}", name.text), path: format!(".{}()", name.text), what: ASKS, at: name.at })
        .collect()
}

fn macro_reach(path: &PathUse<'_>) -> Option<&'static str> {
    match *path.parts.last()? {
        "include" | "include_str" | "include_bytes" => Some("reads a file at compile time"),
        "env" | "option_env" => Some("reads the environment at compile time"),
        "cfg" => Some("does one thing or another by how it is built"),
        _ => None,
    }
}

/// What a path reaches, when that is outside of the program.
fn reach(parts: &[&str]) -> Option<&'static str> {
    const PROCESS: &str = "starts or ends processes";
    const NETWORK: &str = "uses the network";
    const WHERE: &str = "asks where it is called from";
    const THREAD: &str = "asks which thread it runs in";
    const CLOCK: &str = "asks the clock";
    const ENVIRONMENT: &str = "uses the environment";
    const FOREIGN: &str = "calls foreign code";
    let (first, rest) = parts.split_first()?;
    match (*first, rest) {
        ("std" | "core", ["process", name, ..]) if !matches!(*name, "ExitCode" | "Termination") => Some(PROCESS),
        ("std" | "core", ["net", name, ..]) => {
            let plain = name.starts_with("Ip") || name.starts_with("SocketAddr") || *name == "AddrParseError";
            (!plain).then_some(NETWORK)
        }
        ("std", ["fs", rest @ ..]) if writes(rest) => Some(FILES),
        ("std", ["fs", _, ..]) => Some(READS),
        ("std" | "core", ["panic", "Location", ..]) | ("std", ["backtrace", _, ..]) => Some(WHERE),
        ("std", ["thread", "current", ..]) => Some(THREAD),
        ("std" | "core", ["time", "Instant" | "SystemTime", "now", ..]) => Some(CLOCK),
        ("std", ["env", name, ..]) if !matches!(*name, "VarError" | "consts" | "Args") => Some(ENVIRONMENT),
        ("std", ["os", _, "net", ..]) => Some(NETWORK),
        ("std", ["os", _, "process", ..]) => Some(PROCESS),
        ("std", ["os", _, "fs", name, ..])
            if name.starts_with("symlink") || name.contains("chown") || *name == "chroot" =>
        {
            Some(FILES)
        }
        ("std", ["os", .., "FromRawFd" | "FromRawHandle" | "FromRawSocket"]) => Some(FOREIGN),
        ("tokio" | "async_std" | "smol", ["process", ..]) => Some(PROCESS),
        ("tokio" | "async_std" | "smol", ["net", ..]) => Some(NETWORK),
        ("tokio" | "async_std" | "smol", ["fs", rest @ ..]) => writes(rest).then_some(FILES),
        ("libc" | "nix" | "rustix" | "winapi" | "windows_sys" | "windows" | "libloading" | "dlopen", [_, ..]) => {
            Some(FOREIGN)
        }
        ("reqwest" | "ureq" | "hyper" | "curl" | "isahc" | "attohttpc", [_, ..]) => Some(NETWORK),
        _ => None,
    }
}

fn writes(parts: &[&str]) -> bool {
    match parts {
        ["File", method, ..] => !matches!(*method, "open"),
        ["OpenOptions" | "DirBuilder" | "*", ..] => true,
        [name, ..] => {
            name.starts_with("write")
                || name.starts_with("remove_")
                || name.starts_with("create_dir")
                || name.starts_with("set_")
                || matches!(*name, "rename" | "copy" | "hard_link" | "soft_link")
        }
        [] => false,
    }
}

/// Words of which an import has one when it brings in something of the system, and with which a path to it begins.
const SYSTEM: [&str; 24] = [
    "std",
    "core",
    "process",
    "net",
    "fs",
    "env",
    "os",
    "libc",
    "nix",
    "rustix",
    "winapi",
    "windows",
    "windows_sys",
    "libloading",
    "dlopen",
    "tokio",
    "async_std",
    "smol",
    "reqwest",
    "ureq",
    "hyper",
    "curl",
    "isahc",
    "attohttpc",
];

/// What the names of a file stand for, from all its `use` declarations.
#[derive(Default)]
struct Imports {
    names: HashMap<String, Vec<String>>,
    /// Modules that are imported whole.
    globs: Vec<Vec<String>>,
}

impl Imports {
    /// From every import of a file, those inside of functions too, that could bring in something of the system.
    fn of(side: &Side<'_>) -> Self {
        let mut imports = Self::default();
        if side.is_broken() {
            return imports;
        }
        let lexemes = &side.lexemes;
        let mut at = 0;
        while let Some(lexeme) = lexemes.get(at) {
            let rest = lexemes.get(at..).unwrap_or(&[]);
            let is_crate = lexeme.text == "extern" && rest.get(1).is_some_and(|next| next.text == "crate");
            if lexeme.kind != Kind::Ident || (lexeme.text != "use" && !is_crate) {
                at += 1;
                continue;
            }
            let end = rest.iter().position(|lexeme| lexeme.text == ";").unwrap_or(rest.len());
            let words = rest.get(..=end).unwrap_or(rest);
            if is_crate || words.iter().any(|word| SYSTEM.contains(&word.text)) {
                let to = words.last().map_or(lexeme.at, |last| last.at + last.text.len());
                imports.read(side.text.get(lexeme.at..to).unwrap_or(""));
            }
            at += end.max(1);
        }
        imports
    }

    fn read(&mut self, text: &str) {
        match syntax::parse_as::<Item>(text) {
            Ok(Item::Use(item)) => self.tree(&item.tree, &mut Vec::new()),
            Ok(Item::ExternCrate(item)) => {
                let known_as = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                self.names.insert(known_as.to_string(), vec![item.ident.to_string()]);
            }
            _ => {}
        }
    }

    /// Whether a path could lead out of the program, from its first name alone.
    fn may_reach(&self, path: &PathUse<'_>) -> bool {
        let first = path.parts.first().copied().unwrap_or("");
        !self.globs.is_empty() || self.names.contains_key(first) || SYSTEM.contains(&first)
    }

    fn resolve(&self, path: &PathUse<'_>) -> Vec<String> {
        let parts: Vec<String> = path.parts.iter().map(|part| (*part).to_owned()).collect();
        let Some((first, rest)) = parts.split_first() else { return parts };
        if let Some(full) = self.names.get(first).filter(|_| !path.imported) {
            // `use std as s; use s::fs;` takes two steps.
            let mut full = full.clone();
            if let Some(again) = full.first().filter(|again| *again != first).and_then(|again| self.names.get(again)) {
                full.splice(..1, again.iter().cloned());
            }
            full.extend(rest.iter().cloned());
            return full;
        }
        for glob in &self.globs {
            let mut full = glob.clone();
            full.extend(parts.iter().cloned());
            if reach(&full.iter().map(String::as_str).collect::<Vec<_>>()).is_some() && is_known(&full) {
                return full;
            }
        }
        parts
    }

    fn tree(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix);
                prefix.pop();
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = prefix.last() {
                    self.names.insert(last.clone(), prefix.clone());
                }
            }
            syn::UseTree::Name(name) => self.name(prefix, &name.ident.to_string(), &name.ident.to_string()),
            syn::UseTree::Rename(rename) if rename.ident == "self" => {
                self.names.insert(rename.rename.to_string(), prefix.clone());
            }
            syn::UseTree::Rename(rename) => self.name(prefix, &rename.ident.to_string(), &rename.rename.to_string()),
            syn::UseTree::Glob(_) => self.globs.push(prefix.clone()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, prefix)),
        }
    }

    fn name(&mut self, prefix: &[String], name: &str, known_as: &str) {
        let mut full = prefix.to_vec();
        full.push(name.to_owned());
        if full.len() > 1 || name != known_as {
            self.names.insert(known_as.to_owned(), full);
        }
    }
}

/// Names that an import of a whole module brings in.
fn is_known(path: &[String]) -> bool {
    const NAMES: [&str; 17] = [
        "Command",
        "Stdio",
        "exit",
        "abort",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "UnixListener",
        "write",
        "OpenOptions",
        "File",
        "remove_file",
        "remove_dir_all",
        "set_var",
        "var",
        "var_os",
    ];
    path.iter().any(|part| NAMES.contains(&part.as_str()))
}
