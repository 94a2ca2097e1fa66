//! What differs, and what does not.

use kaizen_behaviour::Status;

use crate::support::drive;

const SHOP: &str = r#"
    //! A shop. `parse("3x apple")` gives a line.
    use std::collections::BTreeMap;
    use std::fmt;

    /// A line.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Line { pieces: u32, name: String }

    impl Line {
        pub fn parse(text: &str) -> Option<Line> {
            let (pieces, name) = text.split_once("x ")?;
            let pieces = pieces.parse().ok()?;
            Some(Line { pieces, name: name.trim().to_owned() })
        }
        pub fn pieces(&self) -> u32 { self.pieces }
    }

    impl fmt::Display for Line {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}x {}", self.pieces, self.name) }
    }

    fn rate(amount: i64) -> i64 { if amount > 5_000 { 7 } else { 3 } }

    pub fn fee(amount: i64) -> i64 { rate(amount) + 1 }

    pub fn twice(amount: i64) -> i64 { amount.wrapping_mul(2) + rate(amount) }

    /// Cannot be printed.
    pub struct Till { entries: BTreeMap<String, i64>, open: bool }

    impl Till {
        pub fn new() -> Till { Till { entries: BTreeMap::new(), open: true } }
        pub fn put(&mut self, name: &str, amount: i64) { if self.open { self.entries.insert(name.to_owned(), amount); } }
        pub fn close(&mut self) { self.open = false; }
        pub fn sum(&self) -> i64 { self.entries.values().fold(0, |all, one| all.wrapping_add(*one)) }
        pub fn names(&self) -> impl Iterator<Item = &String> + '_ { self.entries.keys() }
    }

    pub fn largest<T: Ord + Clone>(all: &[T]) -> Option<T> { all.iter().max().cloned() }

    pub fn kept<F: FnMut(&i32) -> bool>(all: Vec<i32>, mut f: F) -> Vec<i32> { all.into_iter().filter(|one| f(one)).collect() }

    pub fn same_pin(stored: &str, given: &str) -> bool {
        stored.len() == given.len() && stored.bytes().zip(given.bytes()).all(|(one, other)| one == other)
    }

    pub fn sorted(all: &mut Vec<u8>) { all.sort(); }
"#;

#[test]
fn what_stays_the_same_raises_no_alarm() {
    let after = SHOP
        .replace("self.entries.values().fold(0, |all, one| all.wrapping_add(*one))", "{ let mut all = 0_i64; for one in self.entries.values() { all = all.wrapping_add(*one); } all }")
        .replace("all.iter().max().cloned()", "{ let mut best: Option<&T> = None; for one in all { if best.is_none_or(|b| one >= b) { best = Some(one); } } best.cloned() }")
        .replace("text.split_once(\"x \")?", "match text.split_once(\"x \") { Some(both) => both, None => return None }")
        // Where there was no room for the sum there may be some now.
        .replace("amount.wrapping_mul(2) + rate(amount)", "amount.wrapping_mul(2).wrapping_add(rate(amount))")
        .replace("if amount > 5_000 { 7 } else { 3 }", "match amount { ..=5_000 => 3, _ => 7 }")
        .replace(".all(|(one, other)| one == other)", ".filter(|(one, other)| one != other).count() == 0")
        .replace("all.sort()", "all.sort_unstable()")
        .replace(".filter(|one| f(one)).collect()", ".filter(&mut f).collect()");
    let driven = drive(SHOP, &after);
    let names: Vec<&str> = driven.found.keys().map(String::as_str).collect();
    for name in [
        "shop::Line::parse",
        "shop::fee",
        "shop::twice",
        "shop::Till::sum",
        "shop::largest",
        "shop::kept",
        "shop::same_pin",
        "shop::sorted",
    ] {
        let (seen, shown) = driven.of(name);
        assert!(*seen > 300, "{name} saw {seen} inputs only, of {names:?}");
        assert_eq!(*shown, None, "{name}");
    }
    assert_eq!(driven.driver.no_data, Vec::<String>::new());
}

#[test]
fn what_changes_is_shown_by_a_small_input() {
    let change = |from: &str, to: &str| {
        assert!(SHOP.contains(from), "{from}");
        drive(SHOP, &SHOP.replace(from, to))
    };
    // A bound, seen through the function that others call.
    assert_eq!(change("amount > 5_000", "amount >= 5_000").shows("shop::fee"), ("shop::fee(5000)", "`4`", "`8`"));
    // A special case that no other input comes near to.
    let special = change("rate(amount) + 1", "if amount == 918_273 { 0 } else { rate(amount) + 1 }");
    assert_eq!(special.shows("shop::fee"), ("shop::fee(918273)", "`8`", "`0`"));
    // A panic.
    let driven = change("rate(amount) + 1", "rate(amount) + 1 + amount - amount");
    assert_eq!(driven.shows("shop::fee").2, "an overflow");
    let driven = change("rate(amount) + 1", "rate(amount) + [1, 1, 1, 1][amount.clamp(0, 4) as usize]");
    assert_eq!(driven.shows("shop::fee"), ("shop::fee(4)", "`4`", "a panic"));
    // An early end of a comparison.
    let driven = change("stored.len() == given.len() && ", "");
    assert!(driven.of("shop::same_pin").1.is_some());
    // What a method leaves behind in a type that cannot be printed is seen by the next one.
    let driven = change("self.open = false;", "");
    let (input, was, now) = driven.shows("shop::Till::put");
    assert!(input.starts_with("shop::Till::put(Till {") && was != now, "{input}");
    // The order of an iterator, and of what is sorted in place.
    let driven = change("self.entries.keys()", "self.entries.keys().rev()");
    assert!(driven.of("shop::Till::names").1.is_some());
    let driven = change("all.sort();", "all.sort_by(|a, b| b.cmp(a));");
    assert_eq!(driven.shows("shop::sorted"), ("shop::sorted([0, 1])", "`(); then [0, 1]`", "`(); then [1, 0]`"));
    // What is printed.
    let driven = change("{}x {}", "{}x  {}");
    assert!(driven.of("<shop::Line as std::fmt::Display>::fmt").1.is_some());
    // Generic functions, and ones that take functions.
    let driven = change(".max()", ".min()");
    assert!(driven.of("shop::largest").1.is_some());
    let driven = change("filter(|one| f(one))", "filter(|one| !f(one))");
    assert!(driven.of("shop::kept").1.is_some());
}

#[test]
fn what_does_not_come_back_differs_and_takes_nobody_along() {
    let driven =
        drive(SHOP, &SHOP.replace("rate(amount) + 1", "if amount == 5_001 { loop {} } else { rate(amount) + 1 }"));
    assert_eq!(driven.shows("shop::fee").2, "no end");
    let driven = drive(
        SHOP,
        &SHOP.replace("rate(amount) + 1", "if amount == 5_001 { std::process::exit(0) } else { rate(amount) + 1 }"),
    );
    assert_eq!(driven.shows("shop::fee").2, "the end of the process");
}

#[test]
fn what_is_never_twice_the_same_is_no_difference() {
    let random =
        "pub fn id() -> u64 { use std::hash::BuildHasher; std::collections::hash_map::RandomState::new().hash_one(1) }";
    let driven = drive(random, &random.replace("hash_one(1)", "hash_one(2)"));
    assert_eq!(driven.of("shop::id"), &(0, None));
}

#[test]
fn what_cannot_be_driven_is_said() {
    let text =
        "pub unsafe fn f() -> u8 { 1 } pub struct Handle(u8); pub fn g(h: Handle) -> u8 { h.0 } pub fn h() -> u8 { 1 }";
    let driven = drive(text, &text.replace("{ 1 }", "{ 2 }").replace("h.0", "h.0 + 1"));
    assert_eq!(driven.driver.no_data, ["`shop::f` cannot be driven: it is unsafe"]);
    let left: Vec<&str> = driven.driver.driven(&driven.refused).map(|(_, entry)| entry.name.as_str()).collect();
    assert_eq!(left, ["shop::h"]);
    assert_eq!(Status::Late.is_seen(), driven.found.contains_key("shop::g"));
}

#[test]
fn what_long_inputs_make_slow_or_end_is_shown() {
    let text = "pub fn sum(all: &[i64]) -> i64 { let mut all = all.to_vec(); all.sort(); all.iter().fold(0, |s, n| s.wrapping_add(*n)) } \
                pub fn lines(text: &str) -> usize { text.lines().filter(|line| !line.is_empty()).count() }";
    let bubble =
        "for end in (1..all.len()).rev() { for at in 0..end { if all[at] > all[at + 1] { all.swap(at, at + 1); } } }";
    let driven = drive(text, &text.replace("all.sort();", bubble));
    assert_eq!(driven.of("shop::sum").1, None, "short inputs show nothing");
    assert!(
        driven.slow.get("shop::sum").is_some_and(|long| long.after.contains("one after") || long.after == "no end"),
        "{:?}",
        driven.slow
    );
    let deep = "let (line, rest) = text.split_once('\\n').unwrap_or((text, \"\")); usize::from(!line.is_empty()) + \
                if rest.is_empty() { 0 } else { lines(rest) }";
    let driven = drive(text, &text.replace("text.lines().filter(|line| !line.is_empty()).count()", deep));
    assert!(
        driven.slow.get("shop::lines").is_some_and(|long| long.after == "the end of the process" && long.worse),
        "{:?}",
        driven.slow
    );
    // Only where nothing comes twice it takes long.
    let unique = "pub fn unique(all: Vec<i64>) -> bool { let mut seen = std::collections::HashSet::new(); \
                  all.into_iter().all(|one| seen.insert(one)) }";
    let slow = unique.replace("std::collections::HashSet::new()", "Vec::new()");
    let slow = slow.replace("seen.insert(one)", "{ let new = !seen.contains(&one); seen.push(one); new }");
    let driven = drive(unique, &slow);
    assert!(
        driven.slow.get("shop::unique").is_some_and(|long| !long.worse || long.after == "no end"),
        "{:?}",
        driven.slow
    );
    let same = drive(text, &text.replace("s.wrapping_add(*n)", "n.wrapping_add(s)"));
    assert!(same.slow.is_empty(), "{:?}", same.slow);
}

#[test]
fn what_a_private_field_is_called_is_no_difference() {
    let text = "#[derive(Debug, Clone)] pub struct Till { coins: Vec<u32>, pub open: bool } \
                impl Till { pub fn new() -> Till { Till { coins: Vec::new(), open: true } } \
                pub fn put(&mut self, coin: u32) { self.coins.push(coin); } pub fn copy(&self) -> Till { self.clone() } }";
    let renamed = text.replace("coins", "pieces");
    let driven = drive(text, &renamed);
    assert!(driven.of("shop::Till::put").0 > 300);
    assert!(driven.found.values().all(|(_, shown)| shown.is_none()), "{:?}", driven.found);
    let other = drive(text, &renamed.replace("push(coin)", "insert(0, coin)"));
    assert!(other.of("shop::Till::put").1.is_some());
}

#[test]
fn what_stands_in_for_what_a_trait_does_by_default_is_seen() {
    let before = "#[derive(Debug)]\npub struct Few(u8);\nimpl Few {\n    pub fn new(to: u8) -> Few {\n        Few(to)\n    }\n}\n\
                  impl Iterator for Few {\n    type Item = u8;\n    fn next(&mut self) -> Option<u8> {\n        \
                  self.0 = self.0.checked_sub(1)?;\n        Some(self.0)\n    }\n}\n\
                  #[derive(Debug, PartialOrd, Clone)]\npub struct Sum(pub u8);\nimpl PartialEq for Sum {\n    fn eq(&self, other: &Sum) -> bool {\n        \
                  self.0 == other.0\n    }\n}\n";
    let with = |more: &str| before.replace("type Item = u8;", &format!("type Item = u8;\n    {more}"));
    let shows = |after: &str, of: &str| {
        drive(before, after).found.iter().any(|(name, found)| name.contains(of) && found.1.is_some())
    };
    assert!(shows(
        &with("fn nth(&mut self, n: usize) -> Option<u8> { self.0 = self.0.saturating_sub(n as u8 * 2); self.next() }"),
        "next"
    ));
    assert!(shows(
        &with("fn size_hint(&self) -> (usize, Option<usize>) { (0, Some(usize::from(self.0) / 2)) }"),
        "next"
    ));
    let sound = "fn size_hint(&self) -> (usize, Option<usize>) { (usize::from(self.0), Some(usize::from(self.0))) }";
    assert!(!shows(&with(sound), "next"), "a hint that holds is none");
    let unequal = before.replace(
        "self.0 == other.0\n    }",
        "self.0 == other.0\n    }\n    fn ne(&self, other: &Sum) -> bool {\n        self.0 > other.0\n    }",
    );
    assert!(shows(&unequal, "PartialEq"));
}

#[test]
fn what_the_compiler_promised_of_types_must_still_hold() {
    let before = "use std::sync::Arc;\nuse std::cell::Cell;\n\
                  type Text = Arc<str>;\n\
                  struct Place { row: u32, text: Option<Text> }\n\
                  pub struct Shelf { place: Place }\n\
                  pub struct Free<T> { cell: Cell<u8>, rc: std::rc::Rc<u8>, kept: Option<T> }\n\
                  impl Shelf {\n    pub fn new() -> Self { Self { place: Place { row: 0, text: None } } }\n    \
                  pub fn rows(&self) -> impl Iterator<Item = u32> + '_ { let n = Arc::new(self.place.row); (0..*n).map(move |row| row + *n) }\n    \
                  pub async fn put(&mut self, text: &str) -> u32 { let kept = Arc::new(1); step().await; self.place.row += *kept; \
                  text.len() as u32 }\n}\n\
                  impl<T> Free<T> { pub fn new() -> Self { Self { cell: Cell::new(0), rc: std::rc::Rc::new(1), kept: None } } }\n\
                  async fn step() {}\n";
    let promises = "shop::what the compiler promises";
    let broken = |after: &str| drive(before, after).of(promises).1.clone();
    let of = |input: &str| Some((input.to_owned(), "`kept`".to_owned(), "``".to_owned()));
    assert_eq!(broken(&before.replace("type Text = Arc", "type Text = std::rc::Rc")), of("shop::Shelf: Send"));
    let shared = before.replace("row: u32", "row: Cell<u32>").replace("row: 0", "row: Cell::new(0)");
    let shared = shared.replace("self.place.row)", "self.place.row.get())");
    assert_eq!(
        broken(&shared.replace("self.place.row += *kept", "self.place.row.set(*kept)")),
        of("shop::Shelf: Sync")
    );
    let held = before.replace("Arc::new(self.place.row)", "std::rc::Rc::new(self.place.row)");
    assert_eq!(broken(&held), of("shop::Shelf::rows(..): Send"));
    let waits = before.replace("Arc::new(1)", "std::rc::Rc::new(1)");
    assert_eq!(broken(&waits), of("shop::Shelf::put(..): Send"));
    // More than was promised breaks nobody's code.
    let more = before.replace("cell: Cell<u8>, rc: std::rc::Rc<u8>", "cell: std::sync::Mutex<u8>, rc: Arc<u8>");
    let more = more.replace("Cell::new(0), rc: std::rc::Rc::new", "std::sync::Mutex::new(0), rc: Arc::new");
    let driven = drive(before, &more);
    let (seen, shown) = driven.of(promises);
    assert!(*seen > 0 && shown.is_none(), "{shown:?}");
}

#[test]
fn what_was_lent_and_is_copied_differs_and_the_other_way_round_does_not() {
    let before = r#"
    use std::borrow::Cow;
    pub fn plain(text: &str) -> Cow<'_, str> { if text.contains(' ') { text.replace(' ', "").into() } else { text.into() } }
    pub fn known(text: &[u8]) -> Result<Cow<'_, str>, std::str::Utf8Error> { std::str::from_utf8(text).map(Cow::Borrowed) }
    pub fn first(text: &str) -> Option<Cow<'_, str>> { text.get(..1).map(|one| Cow::Owned(one.to_owned())) }
    "#;
    let after = before
        .replace("else { text.into() }", "else { text.to_owned().into() }")
        .replace("map(Cow::Borrowed)", "map(|text| text.to_owned().into())")
        .replace("|one| Cow::Owned(one.to_owned())", "Cow::Borrowed");
    let driven = drive(before, &after);
    assert_eq!(driven.shows("shop::plain"), ("shop::plain(\"\")", "`\"\"`", "`\"\"`, copied"));
    driven.shows("shop::known");
    assert_eq!(driven.of("shop::first").1, None);
}

#[test]
fn much_more_memory_for_the_same_is_a_difference() {
    let before = "pub fn pair(a: u8) -> Vec<u8> { let mut all = Vec::new(); all.extend([a, a]); all }\n\
                  pub fn table(a: u8) -> u64 { let all = vec![u64::from(a); 100_000]; all[7] }\n";
    let after = before.replace("Vec::new()", "Vec::with_capacity(4 << 20)").replace("100_000", "200_000");
    let driven = drive(before, &after);
    assert_eq!(driven.shows("shop::pair"), ("shop::pair(0)", "`[0, 0]`", "`[0, 0]`, with 4 MiB of memory"));
    assert_eq!(driven.of("shop::table").1, None);
}
