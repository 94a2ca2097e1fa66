//! Rule `unseen-by-tests`, for what guards: calls that protect from what no usual test plays, such as other threads and other
//! processes, peers that are slow or send without end, a crash in the middle, somebody who guesses. Where a patch has fewer of
//! them than before, or one with another number, or something that guards less in its place, a person is asked.
//!
//! They are known by their names, those of the standard library and of what most others use, and counted over the whole patch,
//! so that what only moves is not gone.

use std::collections::BTreeMap;

use kaizen_domain::RelPath;
use syn::Item;

use super::Findings;
use super::code::CodeFile;
use super::code::scan::closing;
use super::code::unit::{Node, Unit};
use super::unseen::RULE;
use crate::syntax::lex::{Kind, Lexeme};

/// Calls that guard against the same.
struct Group {
    names: &'static [&'static str],
    /// One may stand in for another one.
    alike: bool,
    /// What it means that there are fewer.
    gone: &'static str,
    /// The numbers that they are called with matter.
    numbers: bool,
}

const GROUPS: &[Group] = &[
    Group {
        names: &["flush", "sync_all", "sync_data", "zeroize"],
        alike: false,
        gone: "what is left undone then, no usual test sees",
        numbers: false,
    },
    Group {
        names: &[
            "timeout",
            "timeout_at",
            "set_read_timeout",
            "set_write_timeout",
            "read_timeout",
            "write_timeout",
            "connect_timeout",
            "recv_timeout",
            "recv_deadline",
            "wait_timeout",
            "wait_timeout_while",
            "park_timeout",
        ],
        alike: true,
        gone: "it may wait for ever",
        numbers: true,
    },
    Group {
        names: &["sleep", "sleep_until", "yield_now", "spin_loop"],
        alike: true,
        gone: "what it waited for may get no time",
        numbers: true,
    },
    Group {
        names: &[
            "create_new",
            "rename",
            "persist",
            "persist_noclobber",
            "lock_exclusive",
            "lock_shared",
            "canonicalize",
        ],
        alike: false,
        gone: "others may come in between, or find half of a file",
        numbers: false,
    },
    Group {
        names: &["mode", "set_mode", "set_permissions", "custom_flags"],
        alike: false,
        gone: "others may get at the file",
        numbers: true,
    },
    Group {
        names: &["sync_channel", "bounded", "acquire", "acquire_owned", "try_acquire"],
        alike: true,
        gone: "nothing may hold it back",
        numbers: true,
    },
    Group {
        names: &[
            "compare_exchange",
            "compare_exchange_weak",
            "fetch_add",
            "fetch_sub",
            "fetch_and",
            "fetch_or",
            "fetch_xor",
            "fetch_max",
            "fetch_min",
            "fetch_update",
        ],
        alike: true,
        gone: "other threads may come in between",
        numbers: false,
    },
    Group {
        names: &[
            "OsRng",
            "SysRng",
            "thread_rng",
            "getrandom",
            "from_entropy",
            "from_os_rng",
            "fill_bytes",
            "try_fill_bytes",
        ],
        alike: true,
        gone: "what comes of it may be guessed",
        numbers: false,
    },
    Group { names: &["catch_unwind"], alike: true, gone: "a panic may go further", numbers: false },
    Group { names: &["error", "warn", "eprintln"], alike: true, gone: "nobody may be told", numbers: false },
    Group { names: &["must_use"], alike: true, gone: "nobody is warned who forgets it", numbers: false },
    Group { names: &[LIMIT], alike: true, gone: "it may read without end", numbers: true },
];
/// A limit on what is read. Of iterators, which have it too, inputs show what it does.
const LIMIT: &str = "take";
/// What reads for as long as something comes, and what it reads from.
const READS: &[&str] = &[
    "read_to_end",
    "read_to_string",
    "read_until",
    "read_line",
    "Read",
    "BufRead",
    "BufReader",
    "File",
    "TcpStream",
    "UnixStream",
    "stdin",
];
/// Macros among the names, and an attribute. All others are calls or paths.
const MACROS: &[&str] = &["error", "warn", "eprintln"];
const ATTRIBUTES: &[&str] = &["must_use"];
/// What guards less than what usually stands there.
const LESS: &[(&str, &str)] = &[
    ("forget", "keeps what nobody gives back"),
    ("leak", "keeps what nobody gives back"),
    ("ManuallyDrop", "keeps what nobody gives back"),
    ("into_raw", "keeps what nobody gives back"),
    ("danger_accept_invalid_certs", "may take anybody for the peer"),
    ("danger_accept_invalid_hostnames", "may take anybody for the peer"),
    ("dangerous", "may take anybody for the peer"),
    ("set_verify", "may take anybody for the peer"),
    ("with_custom_certificate_verifier", "may take anybody for the peer"),
    ("unbounded", "holds nothing back"),
    ("unbounded_channel", "holds nothing back"),
    ("seed_from_u64", "can be guessed"),
    ("from_seed", "can be guessed"),
    ("try_lock", "gives up where it could wait"),
    ("try_read", "gives up where it could wait"),
    ("try_write", "gives up where it could wait"),
    ("spawn", "goes on beside everything else"),
    ("spawn_blocking", "goes on beside everything else"),
];
/// The orderings of atomic operations, the weakest first (the Rust reference, `std::sync::atomic::Ordering`).
const ORDERINGS: &[(&str, u8)] = &[("Relaxed", 0), ("Acquire", 1), ("Release", 1), ("AcqRel", 2), ("SeqCst", 3)];
/// Calls that ask for room, and how much of it at once is asked about.
const ROOM: &[&str] = &["with_capacity", "reserve", "reserve_exact", "with_capacity_and_hasher"];
const MUCH: u128 = 1 << 20;
/// What such calls are counted as.
const MUCH_ROOM: &str = "much room";

/// What stands in one file before and after.
pub(super) struct Guards {
    path: RelPath,
    before: Counts,
    after: Counts,
}

#[derive(Default)]
struct Counts {
    calls: BTreeMap<&'static str, i64>,
    /// The numbers of each call that has some.
    numbers: BTreeMap<&'static str, Vec<String>>,
}

/// Counts in a file.
pub(super) fn of(file: &CodeFile<'_>) -> Guards {
    Guards { path: file.path.clone(), before: Counts::of(&file.old), after: Counts::of(&file.new) }
}

/// Looks at what was counted in all files.
pub(super) fn check(all: &[Guards], findings: &mut Findings) {
    let patch = Patch(all);
    for group in GROUPS {
        let together = if group.alike { group.names.len() } else { 1 };
        for names in group.names.chunks(together).filter(|names| patch.more(names) < 0) {
            let name = names.iter().find(|name| patch.more(&[name]) < 0).unwrap_or(&"");
            patch.ask(names, format!("`{name}` is no longer there where it was: {}", group.gone), findings);
        }
        for name in group.names.iter().filter(|_| group.numbers) {
            let [before, after] = patch.numbers(name);
            if let (Some(was), Some(now)) = (first_without(&before, &after), first_without(&after, &before)) {
                let detail =
                    format!("`{name}` has another number, `{now}` in place of `{was}`, which no usual test sees");
                patch.ask(&[name], detail, findings);
            }
        }
    }
    for (name, what) in LESS.iter().filter(|(name, _)| patch.more(&[name]) > 0) {
        patch.ask(&[name], format!("`{name}` {what}"), findings);
    }
    let gone = ORDERINGS.iter().filter(|(name, _)| patch.more(&[name]) < 0).max_by_key(|(_, strength)| *strength);
    let come = ORDERINGS.iter().find(|(name, _)| patch.more(&[name]) > 0);
    if let (Some((strong, _)), Some((weak, _))) = (gone, come.filter(|come| gone.is_some_and(|gone| come.1 < gone.1))) {
        let detail = format!("`{weak}` stands in place of `{strong}`: other threads may see things in another order");
        patch.ask(&[weak], detail, findings);
    }
    if patch.more(&[MUCH_ROOM]) > 0 {
        patch.ask(&[MUCH_ROOM], "room for a million and more is asked for at once".to_owned(), findings);
    }
}

/// All files of a patch.
struct Patch<'g>(&'g [Guards]);

impl Patch<'_> {
    /// How many more there are than before.
    fn more(&self, names: &[&str]) -> i64 {
        self.0.iter().map(|one| one.more(names)).sum()
    }

    /// The numbers that it is called with, before and after.
    fn numbers(&self, name: &str) -> [Vec<&str>; 2] {
        let of = |counts: fn(&Guards) -> &Counts| -> Vec<&str> {
            let all = self.0.iter().filter_map(|one| counts(one).numbers.get(name));
            all.flatten().map(String::as_str).collect()
        };
        [of(|one| &one.before), of(|one| &one.after)]
    }

    /// Asks a person, about the file in which it shows.
    fn ask(&self, names: &[&str], detail: String, findings: &mut Findings) {
        let in_numbers =
            |one: &&Guards| names.iter().any(|name| one.before.numbers.get(*name) != one.after.numbers.get(*name));
        let shows = self.0.iter().find(|one| one.more(names) != 0).or_else(|| self.0.iter().find(in_numbers));
        if let Some(one) = shows {
            findings.ask(RULE, &one.path, detail);
        }
    }
}

impl Guards {
    fn more(&self, names: &[&str]) -> i64 {
        let count = |counts: &Counts| names.iter().filter_map(|name| counts.calls.get(name)).sum::<i64>();
        count(&self.after) - count(&self.before)
    }
}

/// The first of a list that another one has less often.
fn first_without<'n>(of: &[&'n str], other: &[&str]) -> Option<&'n str> {
    let count = |list: &[&str], number: &str| list.iter().filter(|one| **one == number).count();
    of.iter().copied().find(|number| count(of, number) > count(other, number))
}

impl Counts {
    fn of(units: &[Unit<'_>]) -> Self {
        let mut counts = Self::default();
        for unit in units.iter().filter(|unit| !unit.is_test_code() && !matches!(unit.node, Node::Item(Item::Use(_)))) {
            counts.add(unit.lexemes());
        }
        counts
    }

    fn add(&mut self, lexemes: &[Lexeme<'_>]) {
        let text = |at: usize| lexemes.get(at).map_or("", |lexeme| lexeme.text);
        let mut reads = None;
        for (at, lexeme) in lexemes.iter().enumerate().filter(|(_, lexeme)| lexeme.kind == Kind::Ident) {
            let (before, next) = (at.checked_sub(1).map_or("", text), text(at + 1));
            if before == "fn" {
                continue;
            }
            if ROOM.contains(&lexeme.text) && next == "(" {
                if value(arguments(lexemes, at + 1)).is_some_and(|value| value >= MUCH) {
                    *self.calls.entry(MUCH_ROOM).or_default() += 1;
                }
                continue;
            }
            let Some(name) = known(lexeme.text) else { continue };
            let is_meant = match name {
                _ if MACROS.contains(&name) => next == "!",
                _ if ATTRIBUTES.contains(&name) => before == "[",
                LIMIT => {
                    before == "."
                        && next == "("
                        && *reads.get_or_insert_with(|| lexemes.iter().any(|one| READS.contains(&one.text)))
                }
                // As methods, many call something of their own so.
                "forget" | "spawn" => before != "." && next == "(",
                // What begins with a capital is a type or a variant, and no call.
                _ if name.starts_with(|first: char| first.is_uppercase()) => true,
                _ => next == "(" || (next == ":" && text(at + 3) == "<"),
            };
            if !is_meant {
                continue;
            }
            *self.calls.entry(name).or_default() += 1;
            if next == "(" {
                let numbers = numbers(arguments(lexemes, at + 1));
                if !numbers.is_empty() {
                    self.numbers.entry(name).or_default().push(numbers);
                }
            }
        }
    }
}

/// The name among all that are counted.
fn known(name: &str) -> Option<&'static str> {
    let grouped = GROUPS.iter().flat_map(|group| group.names).copied();
    let less = LESS.iter().map(|(name, _)| *name);
    let orderings = ORDERINGS.iter().map(|(name, _)| *name);
    grouped.chain(less).chain(orderings).find(|known| *known == name)
}

fn arguments<'l, 't>(lexemes: &'l [Lexeme<'t>], open: usize) -> &'l [Lexeme<'t>] {
    lexemes.get(open + 1..closing(lexemes, open)).unwrap_or(&[])
}

fn is_number(lexeme: &Lexeme<'_>) -> bool {
    lexeme.kind == Kind::Literal && lexeme.text.starts_with(|first: char| first.is_ascii_digit())
}

/// The numbers in code, each with the unit that it is of, such as in `from_millis(5)`.
fn numbers(lexemes: &[Lexeme<'_>]) -> String {
    if !lexemes.iter().any(is_number) {
        return String::new();
    }
    let counts = |one: &&Lexeme<'_>| is_number(one) || one.text.starts_with("from_");
    lexemes.iter().filter(counts).map(|one| one.text).collect::<Vec<_>>().join(" ")
}

/// What numbers give that are multiplied or shifted, from left to right; none of anything else.
fn value(lexemes: &[Lexeme<'_>]) -> Option<u128> {
    let number = |lexeme: &Lexeme<'_>| {
        let digits = lexeme.text.replace('_', "");
        let digits = digits.trim_end_matches("usize").trim_end_matches("u32").trim_end_matches("u64");
        match digits.strip_prefix("0x") {
            Some(hex) => u128::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        }
    };
    let (first, mut rest) = lexemes.split_first()?;
    let mut value: u128 = number(first)?;
    while !rest.is_empty() {
        (value, rest) = match rest {
            [times, by, rest @ ..] if times.text == "*" => (value.checked_mul(number(by)?)?, rest),
            [one, two, by, rest @ ..] if one.text == "<" && two.text == "<" => {
                (value.checked_shl(u32::try_from(number(by)?).ok()?)?, rest)
            }
            _ => return None,
        };
    }
    Some(value)
}
