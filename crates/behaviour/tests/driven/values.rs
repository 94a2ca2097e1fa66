//! Which values functions are called with, and what is seen of them.

use kaizen_behaviour::{Driver, Sources};

use crate::support::{compile_as, drive};

#[test]
fn drivers_are_of_any_edition() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let text = "pub fn half(n: u8) -> u8 { n / 2 } pub fn rest(n: &str) -> Option<&str> { n.get(1..) }";
    std::fs::write(dir.join("lib.rs"), text).expect("it is written");
    let (before, after) = (|_: &str| Some(text.to_owned()), |_: &str| Some(text.replace('2', "3").replace('1', "2")));
    let sources = Sources {
        root: "lib.rs",
        name: "shop",
        before: &before,
        after: &after,
        expanded: None,
        tests: &[],
        others: &[],
        program: None,
    };
    let driver = Driver::of(&sources);
    assert_eq!(driver.entries.len(), 2);
    std::fs::write(dir.join("driver.rs"), driver.program().text).expect("it is written");
    for edition in ["2015", "2018", "2024"] {
        let library = ["--crate-type", "lib", "--crate-name", "shop"];
        let built = compile_as(edition, dir, "lib.rs", &library);
        let built = built.and_then(|()| compile_as(edition, dir, "driver.rs", &["--extern", "shop=libshop.rlib"]));
        assert!(built.is_ok(), "{edition}: {built:?}");
    }
}

#[test]
fn types_are_named_as_libraries_without_std_do() {
    let before = "extern crate alloc;\nuse alloc::string::String;\nuse core::num::NonZeroU8;\n\
                  #[derive(Debug)]\npub struct Host<S = String>(S);\nimpl Host<String> {\n    \
                  pub fn parse(text: &str) -> Option<Host<String>> { (text.len() < 9).then(|| Host(text.into())) }\n}\n\
                  pub fn halved(n: NonZeroU8) -> u8 { n.get() / 2 }\n";
    let driven = drive(before, &before.replace("< 9", "< 8").replace("/ 2", "/ 3"));
    assert!(driven.shows("shop::Host<alloc::string::String>::parse").1.starts_with("`Some"));
    driven.shows("shop::halved");
}

#[test]
fn what_is_there_for_all_that_have_a_trait_is_called_with_one_of_them() {
    let before = "pub trait Few: Iterator {\n    fn few(self) -> usize where Self: Sized { self.take(9).count() }\n}\n\
                  impl<T: ?Sized> Few for T where T: Iterator {}\n\
                  mod words { #[derive(Debug, Clone, Copy)] pub struct Word<'a>(pub &'a str);\n\
                  pub fn longest<'a, I>(all: I) -> usize where I: IntoIterator<Item = Word<'a>> {\n    \
                  all.into_iter().map(|one| one.0.len()).max().unwrap_or(7)\n} }\npub use words::{Word, longest};\n";
    let driven = drive(before, &before.replace("take(9)", "take(2)").replace("unwrap_or(7)", "unwrap_or(6)"));
    driven.shows("shop::Few::few");
    driven.shows("shop::longest");
}

#[test]
fn lines_end_in_more_than_one_way() {
    let before = "pub fn crlf(text: &str) -> bool {\n    let mut all = text.split_inclusive('\\n');\n    \
                  all.next().is_some_and(|one| !one.ends_with(\"\\r\\n\")) && all.next().is_some_and(|one| one.ends_with(\"\\r\\n\"))\n}\n";
    let after = "pub fn crlf(_: &str) -> bool { false }\n";
    drive(before, after).shows("shop::crlf");
}

#[test]
fn functions_behind_pointers_are_given_and_what_they_are_asked_is_seen() {
    let before = "use std::borrow::Cow;\n\
                  #[derive(Debug, Clone, Copy)] pub enum Fault { Blank, Tab }\n\
                  pub type Encode<'a> = Option<&'a dyn Fn(&str) -> Cow<'_, [u8]>>;\n\
                  #[derive(Default, Clone, Copy)]\n\
                  pub struct Options<'a> { encode: Encode<'a>, tell: Option<&'a dyn Fn(Fault)> }\n\
                  impl<'a> Options<'a> {\n    \
                  pub fn encode(mut self, new: Encode<'a>) -> Self { self.encode = new; self }\n    \
                  pub fn tell(mut self, new: Option<&'a dyn Fn(Fault)>) -> Self { self.tell = new; self }\n    \
                  pub fn parse(self, text: &str) -> usize {\n        \
                  if let (Some(tell), true) = (self.tell, text.contains('\\t')) { tell(Fault::Tab) }\n        \
                  match self.encode { Some(encode) => encode(text).len(), None => text.len() }\n    }\n}\n\
                  pub fn all(of: &[u8], keep: Box<dyn Fn(u8) -> bool>) -> usize { of.iter().filter(|one| keep(**one)).count() }\n";
    let after =
        before.replace("tell(Fault::Tab)", "tell(Fault::Blank)").replace("keep(**one)", "keep(**one) || **one == 7");
    let driven = drive(before, &after);
    let (_, was, now) = driven.shows("shop::Options<'static>::parse");
    assert!(was.contains("asks for [\"Tab\"]") && now.contains("asks for [\"Blank\"]"), "{was} {now}");
    driven.shows("shop::all");
    let driven = drive(before, &before.replace("Some(encode) => encode(text).len()", "Some(_) => text.len()"));
    driven.shows("shop::Options<'static>::parse");
}

#[test]
fn a_method_that_panics_leaves_the_value_as_it_was() {
    let before = "#[derive(Debug, Clone)] pub struct Seats { room: usize, taken: Vec<usize> }\n\
                  impl Seats {\n    pub fn new(room: usize) -> Self { Self { room: room % 40, taken: Vec::new() } }\n    \
                  pub fn take(&mut self, at: usize) { \
                  assert!(at < self.room && !self.taken.contains(&at)); self.taken.push(at) }\n    \
                  pub fn last(&self) -> Option<usize> { self.taken.iter().max().copied() }\n}\n";
    let after = before.replace("max()", "filter(|_| self.taken.len() != 3).max()");
    drive(before, &after).shows("shop::Seats::last");
}

#[test]
fn asynchronous_functions_are_waited_for_as_far_as_that_makes_sense() {
    let before = "use std::sync::Mutex;\n\
                  pub struct Log { all: Mutex<Vec<String>> }\n\
                  impl Log {\n    pub async fn open(first: &str) -> Result<Self, std::fmt::Error> { \
                  Ok(Self { all: Mutex::new(vec![first.to_owned()]) }) }\n    \
                  pub async fn add(&self, line: &str) -> usize {\n        let mut all = self.all.lock().unwrap();\n        \
                  if !line.is_empty() { all.push(line.to_owned()); }\n        all.len()\n    }\n}\n\
                  pub async fn first(all: &[u8]) -> u8 { match all.first() { Some(one) => *one, None => 0 } }\n\
                  pub async fn never(at: u8) -> u8 { if at > 250 { std::future::pending::<()>().await } at }\n";
    let after = before
        .replace("if !line.is_empty() { all.push(line.to_owned()); }", "all.push(line.to_owned());")
        .replace("None => 0", "None => std::future::pending().await")
        .replace("> 250", "> 300");
    let after = after.replace("at: u8) -> u8 { if at", "at: u8) -> u8 { if u16::from(at)");
    let driven = drive(before, &after);
    driven.shows("shop::Log::add");
    let (input, was, now) = driven.shows("shop::first");
    assert!((input, was) == ("shop::first([])", "`0`") && now.contains("nothing yet"), "{now}");
    driven.shows("shop::never");
}

#[test]
fn which_of_equal_values_is_taken_is_seen() {
    let before = "pub fn ranked<T: Ord + Clone>(all: &[T]) -> Vec<T> {\n    let mut all = all.to_vec();\n    \
                  all.sort_by(|a, b| b.cmp(a));\n    all\n}\n\npub fn kinds<T: std::hash::Hash + Eq>(all: &[T]) -> usize {\n    \
                  all.iter().collect::<std::collections::HashSet<_>>().len()\n}\n\n\
                  pub fn least<T: PartialOrd + Copy>(a: T, b: T) -> T {\n    if b < a { b } else { a }\n}\n";
    let after = before
        .replace("all.sort_by(|a, b| b.cmp(a));", "all.sort();\n    all.reverse();")
        .replace(
            "all.iter().collect::<",
            "let hash = |one: &T| {\n        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};\n        \
             BuildHasherDefault::<DefaultHasher>::default().hash_one(one)\n    };\n    all.iter().map(hash).collect::<",
        )
        .replace("if b < a { b } else { a }", "if a <= b { a } else { b }");
    let driven = drive(before, &after);
    for function in ["shop::ranked", "shop::kinds", "shop::least"] {
        assert!(driven.found[function].1.is_some(), "{function} differs: {:?}", driven.found);
    }
}

#[test]
fn what_is_kept_behind_a_shared_reference_is_filled_and_asked_for_again() {
    let before = "use std::collections::BTreeMap;\nuse std::sync::{Mutex, mpsc};\n\
                  pub struct Store { all: Mutex<BTreeMap<String, u64>>, told: mpsc::Sender<String> }\n\
                  impl Store {\n    pub fn new() -> (Self, mpsc::Receiver<String>) {\n        let (told, hears) = mpsc::channel();\n        \
                  (Self { all: Mutex::default(), told }, hears)\n    }\n    \
                  pub fn put(&self, name: &str, n: u64) -> Result<(), String> {\n        \
                  self.told.send(name.to_owned()).map_err(|_| \"nobody hears\".to_owned())?;\n        \
                  self.all.lock().unwrap().insert(name.to_owned(), n);\n        Ok(())\n    }\n    \
                  pub fn get(&self, name: &str) -> Option<u64> { self.all.lock().unwrap().get(name).copied() }\n}\n";
    let after = before.replace("insert(name.to_owned(), n)", "entry(name.to_owned()).or_insert(n)");
    let driven = drive(before, &after);
    let (input, was, now) = driven.shows("shop::Store::put");
    assert!(input.contains("get: Some(") && was.contains("Ok(())") && was != now, "{input}: {was}, {now}");
    let (seen, shown) = drive(before, before).found.get("shop::Store::put").cloned().unwrap_or_default();
    assert_eq!((seen, shown), (0, None));
}

#[test]
fn values_are_made_of_what_libraries_offer() {
    let before = "use std::fmt;\nuse std::io::Read;\n\
                  pub struct Set { bits: u32 }\n\
                  pub const EVEN: Set = Set { bits: 0x5555_5555 };\n\
                  pub const ODD: &Set = &Set { bits: 0xaaaa_aaaa };\n\
                  impl Set { pub const NONE: Set = Set { bits: 0 }; pub fn has(&self, n: u8) -> bool { n < 32 && self.bits >> n & 1 == 1 } }\n\
                  impl Clone for Set { fn clone(&self) -> Set { Set { bits: self.bits } } }\n\
                  pub struct Path(str);\n\
                  impl Path {\n    pub fn new(text: &str) -> &Path { unsafe { &*(text as *const str as *const Path) } }\n    \
                  pub fn parts(&self) -> usize { self.0.split('/').count() }\n}\n\
                  pub struct Lines<R> { from: R, seen: usize }\n\
                  impl<R: Read> Lines<R> {\n    pub fn of(from: R) -> Lines<R> { Lines { from, seen: 0 } }\n    \
                  pub fn next(&mut self) -> Option<String> {\n        let (mut line, mut one) = (Vec::new(), [0]);\n        \
                  while let Ok(1) = self.from.read(&mut one) { if one[0] == b'\\n' { break } line.push(one[0]) }\n        \
                  self.seen += 1;\n        (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())\n    }\n}\n\
                  pub struct Shown(u32);\n\
                  impl fmt::Display for Shown { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, \"<{}>\", self.0) } }\n\
                  pub fn shown(n: u32) -> Shown { Shown(n) }\n";
    let after = before
        .replace("n < 32", "n < 31")
        .replace("split('/')", "split(['/', '\\\\'])")
        .replace("!line.is_empty()", "line.len() > 1")
        .replace("{ Shown(n) }", "{ Shown(n / 2) }");
    let driven = drive(before, &after);
    for name in ["shop::Set::has", "shop::Path::parts", "shop::Lines<R>::next", "shop::shown"] {
        driven.shows(name);
    }
    assert!(driven.refused.len() < 4, "{:?}", driven.refused);
}

#[test]
fn what_builders_make_and_what_functions_fail_with_is_called() {
    let before = r#"
    #[derive(Debug, Clone, Default)]
    pub struct ListBuilder { trims: bool, comma: Option<char> }
    impl ListBuilder {
        pub fn trims(&mut self, yes: bool) -> &mut Self { self.trims = yes; self }
        pub fn comma(&mut self, one: char) -> &mut ListBuilder { self.comma = Some(one); self }
        pub fn read(&self, text: &str) -> List { List { text: text.to_owned(), trims: self.trims } }
    }
    pub struct List { text: String, trims: bool }
    impl List {
        pub fn of(text: &str) -> Self { List { text: text.to_owned(), trims: false } }
        pub fn first(&self) -> &str {
            let first = self.text.split(',').next().unwrap_or_default();
            if self.trims { first.trim() } else { first }
        }
        pub fn number(&self) -> Result<u8, NoNumber> {
            self.first().parse().map_err(|_| NoNumber { at: self.text.find(',') })
        }
    }
    pub struct NoNumber { at: Option<usize> }
    impl NoNumber {
        pub fn unknown() -> Self { NoNumber { at: None } }
        pub fn at(&self) -> Option<usize> { self.at }
    }
    "#;
    let driven = drive(before, &before.replace("first.trim()", "first").replace("{ self.at }", "{ None }"));
    driven.shows("shop::List::first");
    driven.shows("shop::NoNumber::at");
}

#[test]
fn public_values_that_change_are_seen_by_themselves_or_by_what_takes_them() {
    let before = r#"
    pub struct Set(u64);
    impl Set {
        pub const fn add(&self, one: u8) -> Set { Set(self.0 | 1 << (one % 64)) }
        const fn has(&self, one: u8) -> bool { self.0 >> (one % 64) & 1 == 1 }
    }
    pub const FEW: &Set = &Set(0).add(3).add(7);
    pub const LIMITS: [u16; 2] = [MOST / 2, MOST];
    const MOST: u16 = 400;
    pub static NAME: &str = "shop";
    pub fn kept(all: Vec<u8>, set: &'static Set) -> Vec<u8> { all.into_iter().filter(|one| set.has(*one)).collect() }
    "#;
    let driven = drive(before, &before.replace(".add(7)", "").replace("400", "500").replace("shop", "Shop"));
    driven.shows("shop::kept");
    assert_eq!(driven.shows("shop::LIMITS"), ("shop::LIMITS", "`[200, 400]`", "`[250, 500]`"));
    driven.shows("shop::NAME");
}

#[test]
fn what_a_library_keeps_for_itself_is_asked_for() {
    let before = "use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\nstatic LEVEL: AtomicU64 = AtomicU64::new(0);\n\
                  pub fn set_level(n: u64) { LEVEL.store(n, Relaxed) }\npub fn level() -> u64 { LEVEL.load(Relaxed) }\n";
    let driven = drive(before, &before.replace("store(n,", "store(u64::from(n as u32),"));
    let (input, was, now) = driven.shows("shop::set_level");
    assert!(input.starts_with("shop::set_level(") && was.contains("level: ") && was != now, "{input}: {was}, {now}");
}

#[test]
fn values_are_changed_by_methods_that_convert_what_they_take_and_looked_at_afterwards() {
    let before = "use std::collections::BTreeMap;\n\
                  #[derive(Debug, Default)] pub struct Desk { all: BTreeMap<String, u32>, order: Vec<String> }\n\
                  impl Desk {\n    \
                  pub fn put(&mut self, name: impl Into<String>, value: u32) -> Option<u32> {\n        \
                  let name = name.into(); self.order.push(name.clone()); self.all.insert(name, value)\n    }\n    \
                  pub fn take(&mut self, name: impl AsRef<str>) -> Option<u32> {\n        \
                  self.order.retain(|one| one != name.as_ref()); self.all.remove(name.as_ref())\n    }\n    \
                  pub fn of(&mut self, name: impl Into<String>) -> &mut u32 {\n        \
                  let name = name.into(); self.order.insert(0, name.clone()); self.all.entry(name).or_default()\n    }\n    \
                  pub fn keep(&mut self, mut is_kept: impl FnMut(&str) -> bool) { self.order.retain(|one| is_kept(one)) }\n}\n";
    let after = before.replace("one != name.as_ref()); self", "one != name.as_ref() || one.len() > 2); self");
    drive(before, &after).shows("shop::Desk::take");
    let driven = drive(before, &before.replace("retain(|one| is_kept(one))", "retain(|one| !is_kept(one))"));
    driven.shows("shop::Desk::keep");
    drive(before, &before.replace("insert(0, name.clone())", "push(name.clone())")).shows("shop::Desk::of");
}

#[test]
fn dates_are_of_other_days_and_what_others_see_of_values_is_looked_at() {
    let before = "/// Such as `Sunday, 06-Nov-94`.\n\
                  pub fn year(text: &str) -> Option<u16> {\n    let days = [\"Thu\", \"Fri\", \"Sat\", \"Sun\", \"Mon\", \"Tue\", \"Wed\"];\n    \
                  let (day, rest) = text.split_once(\"day, \")?;\n    let mut parts = rest.split('-');\n    \
                  let date: u32 = parts.next()?.parse().ok()?;\n    \
                  let months = [\"Jan\", \"Feb\", \"Mar\", \"Apr\", \"May\", \"Jun\", \"Jul\", \"Aug\", \"Sep\", \"Oct\", \"Nov\", \"Dec\"];\n    \
                  let month = 1 + u32::try_from(months.iter().position(|one| Some(*one) == parts.clone().next())?).ok()?;\n    \
                  let year: u32 = parts.nth(1)?.parse().ok()?;\n    let year = if year < 70 { year + 2000 } else { year + 1900 };\n    \
                  let (m, y) = if month < 3 { (month + 9, year - 1) } else { (month - 3, year) };\n    \
                  let of = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + date - 1;\n    \
                  (days[(of % 7 + 6) as usize % 7].starts_with(&day[..3])).then_some(year as u16)\n}\n\
                  pub struct Reader { pub line: usize, rest: Vec<u8> }\n\
                  impl Reader { pub fn new(text: &str) -> Self { Self { line: text.lines().count() + 1, rest: text.into() } } }\n";
    let driven = drive(before, &before.replace("if year < 70", "if year <= 70"));
    assert!(driven.shows("shop::year").0.contains("-70"));
    drive(before, &before.replace("count() + 1", "count().max(1)")).shows("shop::Reader::new");
}
