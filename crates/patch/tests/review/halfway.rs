//! What was done whole or not at all, and may now end with half of it done, asks a person.

use crate::support::{changed, rules};

const RULE: &str = "unseen-by-tests";

/// Whether it is asked about that the body of a method is another.
fn asks(before: &str, after: &str) -> bool {
    let file = |body: &str| {
        format!(
            "impl Store {{\n    fn advance(&mut self) {{ self.at += 1; }}\n\n    fn put(&mut self, out: &mut Vec<u8>, all: Vec<Entry>) -> Result<u64, E> {{\n        \
             {body}\n    }}\n}}\n"
        )
    };
    let review = changed("src/lib.rs", &file(before), &file(after));
    let halfway = |detail: &str| detail.contains("half of it");
    rules(&review).contains(&RULE) && review.findings.iter().any(|finding| halfway(&finding.detail))
}

#[test]
fn what_was_checked_first_is_checked_first() {
    for (before, after) in [
        ("check(&all)?; self.all.extend(all); Ok(1)", "self.all.extend(all); check(&self.all)?; Ok(1)"),
        (
            "for e in &all { e.check()?; } for e in all { self.all.push(e); } Ok(1)",
            "for e in all { e.check()?; self.all.push(e); } Ok(1)",
        ),
        (
            "if all.is_empty() { return Err(E::Empty); } self.puts += 1; self.keep(all); Ok(self.puts)",
            "self.puts += 1; if all.is_empty() { return Err(E::Empty); } self.keep(all); Ok(self.puts)",
        ),
        (
            "let n = self.parse(&all)?; let slot = self.map.get_mut(&n).ok_or(E::No)?; slot.left -= n; Ok(n)",
            "let slot = self.map.get_mut(&all).ok_or(E::No)?; slot.left -= 1; let n = self.parse(&all)?; Ok(n)",
        ),
        ("let n = parse(all)?; out.clear(); Ok(n)", "out.clear(); let n = parse(all)?; Ok(n)"),
        ("let n = parse(all)?; self.advance(); Ok(n)", "self.advance(); let n = parse(all)?; Ok(n)"),
        ("assert!(self.has(&all)); self.all = all; Ok(1)", "self.all = all; assert!(self.has(&self.all)); Ok(1)"),
        (
            "ensure!(all.len() < 8); *self = Self::of(all); Ok(1)",
            "*self = Self::of(all); ensure!(self.all.len() < 8); Ok(1)",
        ),
        (
            "match parse(all) { Ok(n) => { self.n = n; Ok(n) } Err(e) => Err(e) }",
            "self.n = 0; match parse(all) { Ok(n) => { self.n = n; Ok(n) } Err(e) => Err(e) }",
        ),
    ] {
        assert!(asks(before, after), "{before} -> {after}");
    }
}

#[test]
fn a_copy_that_was_put_back_still_is() {
    let before = "let mut next = slot.value.clone(); for e in all { next.post(e)?; } slot.value = next; Ok(1)";
    let after = "for e in all { slot.value.post(e)?; } slot.n += 1; Ok(1)";
    let slot = "let slot = self.map.get_mut(&1).ok_or(E::No)?; ";
    let [before, after] = [before, after].map(|body| format!("{slot}{body}"));
    assert!(asks(&before, &after));
    assert!(asks(
        "let mut next = self.clone(); next.post(all)?; *self = next; Ok(1)",
        "self.post(all)?; self.n += 1; Ok(1)"
    ));
    assert!(!asks(&before, &before.replace("next", "changed")));
}

#[test]
fn what_is_as_whole_as_before_asks_nobody() {
    for (before, after) in [
        ("check(&all)?; self.all.extend(all); Ok(1)", "check(&all)?; self.n = 0; self.all.extend(all); Ok(1)"),
        ("check(&all)?; self.all.extend(all); Ok(1)", "check(&all)?; more(&all)?; self.all.extend(all); Ok(1)"),
        // It fed itself bit by bit before.
        ("self.advance(); self.expect(1)?; Ok(1)", "self.advance(); self.expect(1)?; self.expect(2)?; Ok(1)"),
        // It could not fail before, or changed nothing.
        ("self.n += 1; Ok(self.n)", "self.n += 1; all.first().ok_or(E::No)?; Ok(self.n)"),
        ("check(all)?; Ok(1)", "self.asked += 1; check(all)?; Ok(1)"),
        // What is changed on the way to another end is not left behind.
        (
            "if all.is_empty() { return Err(E::No); } self.n = 1; Ok(1)",
            "if all.len() == 1 { self.n = 1; return Ok(1); } check(&all)?; self.n = 2; Ok(1)",
        ),
        ("check(&all)?; self.n = 1; Ok(1)", "let mut own = Vec::new(); own.push(1); check(&all)?; self.n = 1; Ok(1)"),
        ("check(&all)?; self.n = 1; Ok(1)", "let n = self.all.iter().skip(1).next(); check(n)?; self.n = 1; Ok(1)"),
        ("check(&all)?; self.n = 1; Ok(1)", "let mut n = self.n; n += 1; check(n)?; self.n = n; Ok(1)"),
        (
            "let n = self.take(all)?; self.n = n; Ok(n)",
            "let n = match self.take(all) { Ok(n) => n, Err(e) => return Err(e) }; self.n = n; Ok(n)",
        ),
    ] {
        assert!(!asks(before, after), "{before} -> {after}");
    }
}

#[test]
fn what_is_written_out_bit_by_bit_is_never_whole() {
    let file = |body: &str| format!("fn show(f: &mut fmt::Formatter<'_>, t: &T) -> fmt::Result {{\n    {body}\n}}\n");
    let (before, after) = ("let n = t.name()?; f.push(n); Ok(())", "f.push(1); let n = t.name()?; f.push(n); Ok(())");
    assert!(!rules(&changed("src/lib.rs", &file(before), &file(after))).contains(&RULE));
}
