//! "Did you mean": the known name that a misspelt one is nearest to.

/// The name of `known` that differs least from `word`, when it differs little enough to be meant. A last part alone
/// (`Berlin`) stands for the whole (`Europe/Berlin`).
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let most = (word.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|name| {
            let lower = name.to_ascii_lowercase();
            let last = lower.rsplit('/').next().unwrap_or(&lower);
            // Of two that are equally near, the one that was written out.
            (distance(&word, &lower) * 2, distance(&word, last) * 2 + 1, name)
        })
        .map(|(whole, last, name)| (whole.min(last), name))
        .filter(|(distance, _)| *distance <= most * 2 + 1)
        .min()
        .map(|(_, name)| name)
}

/// The edit distance of Levenshtein (1965): insertions, deletions and replacements, one each.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut beside = i + 1;
        next.push(beside);
        for (pair, right) in row.windows(2).zip(&b) {
            let [diagonal, above] = pair else { continue };
            beside = (diagonal + usize::from(left != *right)).min(above + 1).min(beside + 1);
            next.push(beside);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found_and_nonsense_is_not() {
        let known = ["Europe/Berlin", "Europe/Dublin", "America/New_York", "UTC"];
        assert_eq!(nearest("Europe/Berln", known), Some("Europe/Berlin"));
        assert_eq!(nearest("berlin", known), Some("Europe/Berlin"));
        assert_eq!(nearest("America/NewYork", known), Some("America/New_York"));
        assert_eq!(nearest("Middle-earth/Bree", known), None);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc")), (3, 3));
    }
}
