//! Where docs, comments and manifests send their readers.

use kaizen_domain::review::Verdict;

use super::support::{changed, rules};

const README: &str = "# Shop\n\nSee <https://github.com/shop/shop> and [the book](https://book.shop.example.com/).\n";

/// Why a person is asked about the README with another text in it.
fn why(before: &str, after: &str) -> Vec<String> {
    let review = changed("README.md", README, &README.replace(before, after));
    assert!(rules(&review).iter().all(|rule| *rule == "reader-misled"), "{review:#?}");
    review.findings.into_iter().map(|finding| finding.detail).collect()
}

#[test]
fn readers_are_sent_nowhere_without_a_person() {
    assert_eq!(
        why("https://github.com/shop/shop", "https://githud.com/shop/shop"),
        ["sends readers to `githud.com`, which looks like `github.com`"]
    );
    assert_eq!(
        why("https://github.com/shop/shop", "https://github.com/sh0p/shop"),
        Vec::<String>::new(),
        "short names are near to many others"
    );
    assert_eq!(
        why("https://book.shop.example.com/", "https://shop-book.example.dev/"),
        ["sends readers to `shop-book.example.dev`, which nothing named before"]
    );
    assert_eq!(
        why("https://book.", "https://github.com@book."),
        ["sends readers to `book.shop.example.com`, which stands behind a name that is none"]
    );
    assert_eq!(
        why("https://book.shop", "https://bооk.shop"),
        ["sends readers to `bооk.shop.example.com`, whose name is not what it looks like"]
    );
}

#[test]
fn what_leads_where_others_led_or_to_known_places_needs_nobody() {
    for after in [
        "https://github.com/shop/shop/issues/7",
        "https://www.github.com/shop/shop",
        "https://docs.rs/shop",
        "https://doc.rust-lang.org/std/",
        "https://de.wikipedia.org/wiki/Laden",
        "https://github.com/someone/else",
    ] {
        assert_eq!(why("https://github.com/shop/shop", after), Vec::<String>::new(), "{after}");
    }
    let code = "/// See <https://one.dev>.\npub fn a() {}\n";
    let verdict = |after: &str| changed("src/lib.rs", code, after).verdict;
    assert_eq!(verdict("/// See <https://one.dev/more>.\npub fn a() {}\n"), Verdict::Pass);
    assert_ne!(verdict("/// See <https://two.dev>.\npub fn a() {}\n"), Verdict::Pass);
}

#[test]
fn what_docs_promise_about_secrets_asks_a_person() {
    let code = "/// Reads digits.\npub fn a() {}\n";
    let with = |line: &str| changed("src/lib.rs", code, &code.replace("Reads digits.", line));
    let asked = with("Reads digits.\n///\n/// Good for keys and other secrets.");
    assert_eq!(rules(&asked), ["reader-misled"], "{asked:#?}");
    assert_eq!(with("Reads all digits.").verdict, Verdict::Pass);
    let known = "/// Compares secrets.\npub fn a() {}\n";
    let verdict = changed("src/lib.rs", known, &known.replace("secrets", "two secrets")).verdict;
    assert_eq!(verdict, Verdict::Pass, "that is what it speaks of anyway");
}
