//! The driver: a program in which functions of a library are called with inputs that follow from numbers. The same text is
//! built against the library before and after a change; what the two write down is compared by others, outside.
//!
//! It is made of units: a function that is driven, a way to make a value of a type, a way to look at one. Each stands under a
//! condition of its own, so that what the compiler refuses can be left out of the same text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::calls::{self, WAIT};
use crate::changed::{Target, meant, targets, values};
use crate::constants::path_of;
use crate::focus::Focus;
use crate::items::Constant;
use crate::library::{Library, NAME};
use crate::literals::Literals;
use crate::lookers::lookers;
use crate::makers::{self, Maker};
use crate::program::{Program, Unit, Writer, left_out, unless};
use crate::promises;
use crate::seen_types::seen_types;

const PRELUDE: &str = include_str!("driver_prelude.rs.txt");
/// What waits for asynchronous functions, and what runs them, on tokio and without it.
const WAITING: &str = include_str!("driver_waiting.rs.txt");
const ON_TOKIO: &str = include_str!("driver_on_tokio.rs.txt");
const ALONE: &str = include_str!("driver_alone.rs.txt");
/// More functions are not driven for one change.
const ENTRIES: usize = 24;
/// Where ways are chosen by chance, so many inputs for each come to all of them.
const ENOUGH: u64 = 12;
/// A text that may be what stands between things, characters.
const SHORT: usize = 24;

/// The sources that a driver is made of.
pub struct Sources<'s> {
    /// The first file of the library.
    pub root: &'s str,
    /// The library's name, as code calls it.
    pub name: &'s str,
    /// Reads a file before the change.
    pub before: &'s dyn Fn(&str) -> Option<String>,
    /// Reads one after it.
    pub after: &'s dyn Fn(&str) -> Option<String>,
    /// The library before and after the change as one text each, with what its macros make; none where that is not known.
    pub expanded: Option<&'s [String; 2]>,
    /// Texts whose literals inputs are made of, besides the library's own: tests.
    pub tests: &'s [String],
    /// Libraries of the same workspace that it uses: the name, and the first file before the change.
    pub others: &'s [(String, String)],
    /// Of a program, whose sources are given as [`crate::opened`] makes them, the first file as the driver's own names it.
    pub program: Option<String>,
}

/// A function that is driven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As people write it, such as `stall::money::cash`.
    pub name: String,
    /// Whether it is what changes, and not only on the way there.
    pub changes: bool,
    /// What it is in the sources: one function can be driven in more than one way.
    pub function: String,
    /// It is no function, but what the compiler promises of types: what holds before the change must hold after it.
    pub promises: bool,
    /// It is no function, but a value that stands in the library under a name.
    is_value: bool,
    /// The functions of the program that call it, with one type or another in place of its parameters: all that are not refused
    /// are.
    ways: Vec<String>,
}

impl Entry {
    fn of_promises(library: &str, ways: Vec<String>) -> Self {
        let name = format!("{library}::what the compiler promises");
        Self { name, changes: false, function: String::new(), promises: true, is_value: false, ways }
    }

    fn of_value(library: &str, one: &Constant, path: &str) -> Self {
        let name = path.replacen(NAME, library, 1);
        let lent = if one.ty.starts_with('&') { path.to_owned() } else { format!("&{path}") };
        let way = format!("    s.value({name:?});\n    s.tell({});", calls::say(&lent));
        Self { name, changes: true, function: one.name.clone(), promises: false, is_value: true, ways: vec![way] }
    }

    /// How many inputs are enough to have tried all there are; none where there is no end to them.
    #[must_use]
    pub fn inputs(&self) -> Option<u64> {
        if self.is_value {
            return Some(1);
        }
        self.promises.then(|| u64::try_from(self.ways.len()).unwrap_or(u64::MAX).saturating_mul(ENOUGH))
    }
}

/// A driver of a change.
#[derive(Debug, Clone)]
pub struct Driver {
    library: String,
    /// Of a program, its first file.
    program: Option<String>,
    /// What it drives; numbers in plans count from the first.
    pub entries: Vec<Entry>,
    /// What changes and cannot be driven, and why.
    pub no_data: Vec<String>,
    makers: Vec<Maker>,
    lookers: Vec<Maker>,
    /// The library speaks of tokio.
    tokio: bool,
    literals: Literals,
    focus: Focus,
    /// Private fields that are called otherwise since the change: now, and before. What is printed of them is no difference.
    renamed: BTreeSet<(String, String)>,
}

impl Driver {
    /// A driver for what changes between two versions of a library.
    #[must_use]
    pub fn of(sources: &Sources<'_>) -> Self {
        let [made_before, made_after] = match sources.expanded {
            Some([before, after]) => [Some(before.as_str()), Some(after.as_str())],
            None => [None, None],
        };
        let mut before = Library::read_with(sources.root, sources.before, made_before);
        let after = Library::read_with(sources.root, sources.after, made_after);
        let own = before.files.iter().filter_map(|path| (sources.before)(path)).map(Cow::from);
        before.seen = seen_types(&before, sources.tests.iter().map(Cow::from).chain(own));
        let mut literals = Literals::default();
        // Those of files that change come first: they tell where the change bends.
        let changed = |path: &&String| (sources.before)(path) != (sources.after)(path);
        let (first, then): (Vec<&String>, Vec<&String>) =
            before.files.union(&after.files).partition(|path| changed(path));
        for path in first.iter().copied().chain(then) {
            for text in [(sources.before)(path), (sources.after)(path)].into_iter().flatten() {
                literals.take(&text);
            }
        }
        for text in sources.tests {
            literals.take(text);
        }
        let uses_tokio = |path: &String| (sources.before)(path).is_some_and(|text| text.contains("tokio"));
        let mut driver = Self {
            library: sources.name.to_owned(),
            program: sources.program.clone(),
            entries: Vec::new(),
            no_data: before.unread.iter().map(|path| format!("{path} cannot be read")).collect(),
            makers: makers::makers(&before),
            lookers: lookers(&before),
            tokio: before.files.iter().any(uses_tokio),
            literals,
            focus: Focus::default(),
            renamed: renamed(&before, &after),
        };
        let values = values(&before, &after);
        let targets = targets(&before, &after, &values, ENTRIES);
        for target in &targets {
            driver.take(&before, target);
        }
        for path in first {
            let [before, after] = [(sources.before)(path), (sources.after)(path)].map(Option::unwrap_or_default);
            driver.focus.take_changed(&before, &after, &driver.literals);
        }
        for (module, one) in values {
            driver.entries.extend(path_of(&before, module, one).map(|path| Entry::of_value(sources.name, one, &path)));
        }
        let names = meant(&targets);
        let own = before.files.union(&after.files).filter_map(|path| (sources.after)(path));
        for text in sources.tests.iter().map(Cow::from).chain(own.map(Cow::from)) {
            driver.focus.take(&text, &names, &driver.literals);
        }
        if sources.program.is_none() {
            let ways = promises::promises(&before, &after, &targets, sources.name);
            driver.entries.extend((!ways.is_empty()).then(|| Entry::of_promises(sources.name, ways)));
        }
        let speaks_of = |name: &String| {
            before.files.iter().any(|path| (sources.before)(path).is_some_and(|text| text.contains(name)))
        };
        for (name, root) in sources.others.iter().filter(|(name, _)| speaks_of(name)) {
            let other = Library::read(root, sources.before);
            driver.makers.extend(makers::makers(&other).into_iter().map(|maker| maker.of_other(name)));
            driver.lookers.extend(lookers(&other).into_iter().map(|looker| looker.of_other(name)));
        }
        driver.makers = driver.makers.into_iter().filter_map(|maker| maker.readable(false)).collect();
        driver.lookers = driver.lookers.into_iter().filter_map(|looker| looker.readable(true)).collect();
        for entry in &mut driver.entries {
            entry.ways.retain(|body| syn::parse_str::<syn::Block>(&format!("{{\n{body}\n}}")).is_ok());
        }
        driver
    }

    fn take(&mut self, library: &Library, target: &Target<'_>) {
        let name = calls::shown(library, target.module, target.function, &self.library);
        // What begins a program ends it as well.
        if self.program.is_some() && target.module.path.is_empty() && target.function.name == "main" {
            return;
        }
        let ways = calls::entries(library, target.module, target.function, &name);
        match ways {
            Ok(ways) => self.entries.push(Entry {
                name,
                changes: target.distance == 0,
                function: target.function.name.clone(),
                promises: false,
                is_value: false,
                ways,
            }),
            Err(why) if target.distance == 0 => self.no_data.push(format!("`{name}` cannot be driven: {why}")),
            Err(_) => {}
        }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> Program {
        let mut out = Writer::new(PRELUDE);
        let _ = match &self.program {
            None => writeln!(out.text, "extern crate {} as {NAME};", self.library),
            Some(path) => writeln!(out.text, "#[path = {path:?}]\npub mod {NAME};"),
        };
        self.write_literals(&mut out.text);
        let ways = self.entries.iter().flat_map(|entry| &entry.ways);
        if self.makers.iter().chain(&self.lookers).any(Maker::waits) || ways.into_iter().any(|way| way.contains(WAIT)) {
            out.text.push_str(WAITING);
            if self.tokio {
                let left_out = left_out(out.next());
                out.unit(Unit::Tokio, ON_TOKIO);
                let _ = write!(out.text, "#[cfg({left_out})] ");
            }
            out.text.push_str(ALONE);
        }
        for (number, maker) in self.makers.iter().enumerate() {
            maker.write_maker(number, &mut out);
        }
        for (number, looker) in self.lookers.iter().enumerate() {
            looker.write_looker(number, &mut out);
        }
        let mut table = String::new();
        for (number, entry) in self.entries.iter().enumerate() {
            let mut ways = Vec::new();
            for (way, body) in entry.ways.iter().enumerate() {
                let name = format!("case_{number}_{way}");
                ways.push(format!("{}{name}", unless(out.next())));
                let text = format!("fn {name}(c: &mut Choices, s: &mut Seen) {{\n{body}\n}}\n");
                out.unit(Unit::Entry(number, way), &text);
            }
            let _ = writeln!(table, "    ({:?}, &[{}]),", entry.name, ways.join(", "));
        }
        let _ = writeln!(out.text, "fn main() {{ drive::main(&[\n{table}]); }}");
        out.program()
    }

    /// The entries of which a way is left.
    pub fn driven<'d>(&'d self, refused: &'d BTreeSet<Unit>) -> impl Iterator<Item = (usize, &'d Entry)> {
        self.entries
            .iter()
            .enumerate()
            .filter(|(number, entry)| (0..entry.ways.len()).any(|way| !refused.contains(&Unit::Entry(*number, way))))
    }

    fn write_literals(&self, out: &mut String) {
        let Literals { integers, floats, texts, order, characters, .. } = &self.literals;
        // The first text is the empty one.
        let order: Vec<String> = order.iter().map(|at| (at + 1).to_string()).collect();
        let integers: Vec<String> = [0, 1].iter().chain(integers).map(i128::to_string).collect();
        let texts: Vec<String> =
            std::iter::once("").chain(texts.iter().map(String::as_str)).map(|t| format!("{t:?}")).collect();
        // Signs in short texts separate things, so they are worth as much as characters that stand alone.
        let short =
            self.literals.texts.iter().filter(|text| text.chars().count() <= SHORT).flat_map(|text| text.chars());
        let signs = short.filter(|one| !one.is_alphanumeric());
        // Those of the code, in its order.
        let alone =
            texts.iter().filter_map(|text| Some(text.chars().next()?).filter(|one| one.len_utf8() == text.len()));
        let mut in_order: Vec<char> = Vec::new();
        for sign in characters.iter().copied().chain(alone).filter(|one| !one.is_alphanumeric()) {
            if !in_order.contains(&sign) {
                in_order.push(sign);
            }
        }
        let in_order: Vec<String> = in_order.iter().map(|one| format!("{one:?}")).collect();
        let characters: BTreeSet<char> = characters.iter().copied().chain(signs).collect();
        let characters: Vec<String> = characters.iter().map(|one| format!("{one:?}")).collect();
        let renamed: Vec<String> = self.renamed.iter().map(|pair| format!("{pair:?}")).collect();
        let _ = writeln!(out, "const RENAMED: &[(&str, &str)] = &[{}];", renamed.join(", "));
        let _ = writeln!(out, "const INTEGERS: &[i128] = &[{}];", integers.join(", "));
        let _ = writeln!(out, "const FLOATS: &[f64] = &[{}];", floats.join(", "));
        let _ = writeln!(out, "const TEXTS: &[&str] = &[{}];", texts.join(", "));
        let _ = writeln!(out, "const ORDER: &[usize] = &[{}];", order.join(", "));
        // The first text is the empty one, as above.
        let focus: Vec<String> = self.focus.texts.iter().map(|at| (at + 1).to_string()).collect();
        let [numbers, turning] = [&self.focus.integers, &self.focus.turning]
            .map(|all| all.iter().map(i128::to_string).collect::<Vec<_>>().join(", "));
        let _ = writeln!(out, "const FOCUS: &[usize] = &[{}];", focus.join(", "));
        let _ = writeln!(out, "const FOCUS_INTEGERS: &[i128] = &[{numbers}];");
        let _ = writeln!(out, "const TURNING: &[i128] = &[{turning}];");
        let _ = writeln!(out, "const TURNING_CHARACTERS: &[char] = &{:?};", self.focus.turning_characters);
        let _ = writeln!(out, "const CHARACTERS: &[char] = &[{}];", characters.join(", "));
        let _ = writeln!(out, "const SIGNS: &[char] = &[{}];", in_order.join(", "));
    }
}

/// Private fields of which nothing but the name is another one.
fn renamed(before: &Library, after: &Library) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (module, old) in before.types() {
        let now = after.types().find(|(other, new)| other.path == module.path && new.name == old.name);
        let Some((_, new)) = now.filter(|(_, new)| new.fields.len() == old.fields.len()) else { continue };
        let pairs = || new.fields.iter().zip(&old.fields);
        if pairs().all(|(new, old)| new.1 == old.1 && new.2 == old.2 && (new.0 == old.0 || !new.2)) {
            all.extend(pairs().filter(|(new, old)| new.0 != old.0).map(|(new, old)| (new.0.clone(), old.0.clone())));
        }
    }
    all
}
