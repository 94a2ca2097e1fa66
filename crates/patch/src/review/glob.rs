//! Patterns for paths: `*` and `?` within one part, `**` for any number of parts, `!` in front for an exception.

/// Whether a path matches one of the patterns and none of the exceptions among them. ASCII case does not matter, since
/// some file systems fold it.
pub(super) fn matches(patterns: &[String], path: &str) -> bool {
    let fits = |pattern: &str| fits(pattern, path);
    patterns.iter().any(|pattern| !pattern.starts_with('!') && fits(pattern))
        && !patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(fits)
}

fn fits(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    wild(&pattern, &path, |part| *part == "**", |pattern, part| part_fits(pattern, part))
}

fn part_fits(pattern: &str, part: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let part: Vec<char> = part.chars().collect();
    wild(&pattern, &part, |c| *c == '*', |pattern, c| *pattern == '?' || pattern.eq_ignore_ascii_case(c))
}

/// Matches a sequence against a pattern with a wildcard for any number of elements, in quadratic time at worst.
fn wild<P, T>(pattern: &[P], items: &[T], any: impl Fn(&P) -> bool, same: impl Fn(&P, &T) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(this) = items.get(item) {
        match pattern.get(at) {
            Some(wildcard) if any(wildcard) => {
                retry = Some((at, item));
                at += 1;
            }
            Some(literal) if same(literal, this) => {
                at += 1;
                item += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    at = star + 1;
                    item = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or(&[]).iter().all(any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_fit_by_parts() {
        for (pattern, path, wanted) in [
            ("**/tests/**", "tests/a.rs", true),
            ("**/tests/**", "crates/x/tests/a/b.rs", true),
            ("**/tests/**", "src/tests.rs", false),
            ("**/build.rs", "build.rs", true),
            (".github/**", ".GitHub/workflows/x.yml", true),
            ("**/*.snap", "a/b/c.snap", true),
            ("**/rust-toolchain*", "rust-toolchain.toml", true),
            ("src/*.rs", "src/a/b.rs", false),
            ("a?c", "abc", true),
            ("*a*b*", "xxaxxbxx", true),
        ] {
            assert_eq!(matches(&[pattern.to_owned()], path), wanted, "{pattern} {path}");
        }
        let patterns = ["**/tests/**".to_owned(), "!**/src/**".to_owned()];
        assert!(matches(&patterns, "tests/x.rs") && !matches(&patterns, "src/tests/x.rs"));
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic_and_a_path_fits_itself(pattern in "[a*?/!]{0,12}", path in "[a-c/]{1,12}") {
            let _ = matches(&[pattern], &path);
            prop_assert!(matches(std::slice::from_ref(&path), &path));
        }
    }
}
