//! Calls and locks that guard against what no usual test plays: fewer of them, or others, ask a person.

use kaizen_patch::Policy;

use crate::support::{change, changed, rules, with_policy};

const RULE: &str = "unseen-by-tests";

/// Whether it is asked about that the body of a function is another.
fn asks(before: &str, after: &str) -> bool {
    let function = |body: &str| format!("fn work(&self) -> R {{\n    {body}\n}}\n\nfn other() {{}}\n");
    rules(&changed("src/lib.rs", &function(before), &function(after))).contains(&RULE)
}

#[test]
fn what_guards_against_others_is_missed_when_it_is_gone_or_weaker() {
    for (before, after) in [
        ("s.set_read_timeout(Some(D))?; s.ask()", "s.ask()"),
        ("s.set_read_timeout(Some(Duration::from_secs(1)))", "s.set_read_timeout(Some(Duration::from_secs(60)))"),
        ("s.set_read_timeout(Some(Duration::from_secs(1)))", "s.set_read_timeout(Some(Duration::from_mins(1)))"),
        ("thread::sleep(PAUSE); again()", "again()"),
        ("open.write(true).create_new(true).open(p)", "open.write(true).create(true).truncate(true).open(p)"),
        ("open.write(true).mode(0o600).open(p)", "open.write(true).mode(0o644).open(p)"),
        ("fs::write(&new, text)?; fs::rename(&new, &path)", "fs::write(&path, text)"),
        ("file.take(MOST).read_to_string(&mut text)", "file.read_to_string(&mut text)"),
        ("sync_channel(8)", "channel()"),
        ("sync_channel(8)", "sync_channel(8_000_000)"),
        (
            "self.n.fetch_add(1, Ordering::SeqCst)",
            "let n = self.n.load(Ordering::SeqCst); self.n.store(n + 1, Ordering::SeqCst); n",
        ),
        ("self.ready.store(true, Ordering::Release)", "self.ready.store(true, Ordering::Relaxed)"),
        ("OsRng.next_u64()", "StdRng::seed_from_u64(7).next_u64()"),
        ("warn!(\"refused {name}\"); no()", "no()"),
        ("client.build()", "client.danger_accept_invalid_certs(true).build()"),
        ("drop(v); done()", "mem::forget(v); done()"),
        ("work(v)", "thread::spawn(move || work(v))"),
        ("Vec::with_capacity(n)", "Vec::with_capacity(64 << 20)"),
        ("queue.lock()?.pop()", "queue.try_lock().ok()?.pop()"),
    ] {
        assert!(asks(before, after), "{before} -> {after}");
    }
}

#[test]
fn what_guards_as_before_asks_nobody() {
    for (before, after) in [
        ("s.set_read_timeout(Some(D))?; s.ask()", "let s = s; s.set_read_timeout(Some(D))?; s.ask()"),
        (
            "thread::sleep(Duration::from_millis(5));",
            "const PAUSE: D = Duration::from_millis(5); thread::sleep(PAUSE);",
        ),
        ("recv_timeout(D)", "recv_deadline(now() + D)"),
        ("fs::rename(&new, &path)", "fs::rename(&half, &whole)"),
        ("v.iter().take(3).sum()", "v[..3].iter().sum()"),
        ("a.compare_exchange(x, y, AcqRel, Acquire)", "a.fetch_update(AcqRel, Acquire, f)"),
        ("warn!(\"refused {name}\"); no()", "error!(\"refused {name}\"); no()"),
        ("work(v)", "s.set_read_timeout(Some(D))?; work(v)"),
        ("a.load(Ordering::Acquire)", "a.load(Ordering::SeqCst)"),
        ("Vec::new()", "Vec::with_capacity(64 * 1024)"),
        ("let error = 1; error", "let fault = 1; fault"),
        ("text.lines().take(3).count()", "text.lines().count().min(3)"),
        ("world.add(x)", "world.spawn(x); cache.forget(x)"),
    ] {
        assert!(!asks(before, after), "{before} -> {after}");
    }
}

#[test]
fn what_moves_to_another_file_is_not_gone() {
    let function = "fn save(p: &Path) -> R {\n    open().create_new(true).mode(0o600).open(p)?.sync_all()\n}\n";
    let asks = |after: &str| {
        let changes = [
            change("src/lib.rs", Some(&format!("fn a() {{}}\n{function}")), Some("mod save;\nfn a() {}\n")),
            change("src/save.rs", None, Some(after)),
        ];
        rules(&with_policy(&Policy::default(), &changes)).contains(&RULE)
    };
    assert!(!asks(function));
    assert!(asks(&function.replace(".sync_all()", "")));
}

#[test]
fn tests_may_do_without_what_guards() {
    let test =
        |body: &str| format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn t() {{ {body} }}\n}}\n");
    let review = changed("src/lib.rs", &test("sleep(A); x()"), &test("thread::spawn(x)"));
    assert!(!rules(&review).contains(&RULE), "{review:#?}");
}

#[test]
fn a_function_takes_its_locks_as_often_as_before() {
    let file = |pay: &str| {
        format!(
            "impl Ledger {{\n    fn amount(&self) -> u64 {{ *self.all.lock().unwrap() }}\n    fn has(&self) -> bool {{ self.amount() > 0 }}\n    \
             fn pay(&self) -> bool {{ {pay} }}\n}}\n"
        )
    };
    let asks = |before: &str, after: &str| rules(&changed("src/lib.rs", &file(before), &file(after))).contains(&RULE);
    let once = "let mut all = self.all.lock().unwrap(); *all -= 1; true";
    for after in [
        "let all = *self.all.lock().unwrap(); *self.all.lock().unwrap() = all - 1; true",
        "if self.has() { *self.all.lock().unwrap() -= 1; } true",
        "let all = self.all.lock().unwrap().clone(); drop(all); true",
        "*self.all.get_mut() -= 1; true",
    ] {
        assert!(asks(once, after), "{after}");
    }
    for after in ["let mut left = self.all.lock().unwrap(); *left -= 1; true", "*self.all.lock().unwrap() -= 1; true"] {
        assert!(!asks(once, after), "{after}");
    }
    // One that is asked for in a function of the same file is still one.
    assert!(!asks("*self.all.lock().unwrap() > 0", "self.amount() > 0"));
    assert!(!asks("self.amount() > 0", "self.has()"));
}

#[test]
fn nothing_is_waited_for_under_a_lock_where_it_was_not() {
    let file =
        |body: &str| format!("impl Relay {{\n    async fn send(&self, m: M) -> R {{\n        {body}\n    }}\n}}\n");
    let asks = |before: &str, after: &str| rules(&changed("src/lib.rs", &file(before), &file(after))).contains(&RULE);
    let short = "let to = { let all = self.all.lock().await; all.get(&m.to)? }; to.send(m).await?; Ok(())";
    let long = "let all = self.all.lock().await; let to = all.get(&m.to)?; to.send(m).await?; Ok(())";
    let given = "let all = self.all.lock().await; let to = all.get(&m.to)?; drop(all); to.send(m).await?; Ok(())";
    let taken = "let to = self.all.lock().await.get(&m.to)?; to.send(m).await?; Ok(())";
    assert!(asks(short, long));
    assert!(asks(given, long) && asks(taken, long));
    for (before, after) in [(short, taken), (long, short), (long, long)] {
        assert!(!asks(before, &after.replace("Ok(())", "Ok(Default::default())")), "{after}");
    }
    assert!(asks(
        "{ let n = self.n.lock().unwrap(); *n += 1; } sleep(LONG); Ok(())",
        "let n = self.n.lock().unwrap(); *n += 1; sleep(LONG); Ok(())"
    ));
}
