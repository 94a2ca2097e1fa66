//! What moves from one file of a crate to another: it is neither gone nor new.

use std::collections::BTreeSet;

use crate::changed::Changed;

/// What a file loses or gains, by names that are the same in every file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Holdings {
    /// Impls of traits, their functions, and what is derived.
    pub kept: BTreeSet<String>,
    /// Functions, each with all that it says.
    pub functions: BTreeSet<(String, String)>,
    /// Values, each with what it is.
    pub values: BTreeSet<(String, String)>,
}

/// Takes what only moves between these files out of what changes in them: functions and values that say the same where they stand now, and
/// impls and derives of a type that is there again. What names mean in its new place, others look at.
pub fn settle_moves(files: &mut [&mut Changed]) {
    let here: Vec<(Holdings, Holdings)> = files.iter().map(|file| (file.gone.clone(), file.come.clone())).collect();
    for (at, file) in files.iter_mut().enumerate() {
        let others = || here.iter().enumerate().filter(move |(other, _)| *other != at).map(|(_, holdings)| holdings);
        let is_back = |what: &String| others().any(|(_, come)| come.kept.contains(what));
        let gone = file.gone.kept.iter().filter(|what| !is_back(what));
        file.opaque.extend(gone.map(|what| format!("{what}, which goes")));
        file.gone.kept.clear();
        let from_others = |of: fn(&Holdings) -> &BTreeSet<(String, String)>| -> BTreeSet<&String> {
            let moved = of(&file.come).iter().filter(|one| others().any(|(gone, _)| of(gone).contains(one)));
            moved.map(|(label, _)| label).collect()
        };
        let (functions, values) = (from_others(|all| &all.functions), from_others(|all| &all.values));
        file.functions.retain(|(label, _)| !functions.contains(label));
        file.values.retain(|(label, _)| !values.contains(label));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changed;

    #[test]
    fn what_moves_is_neither_gone_nor_new() {
        let item = "#[derive(Clone)] pub struct S; impl std::fmt::Debug for S { fn fmt(&self) -> u8 { 8 } } fn half(n: u8) -> u8 { n / TWO } const TWO: u8 = 2;";
        let of = |new: &str| {
            let mut old = changed(&format!("{item} fn stays() {{}}"), "fn stays() {}").expect("it parses");
            let mut new = changed("", new).expect("it parses");
            settle_moves(&mut [&mut old, &mut new]);
            let changed: Vec<String> = new.functions.into_iter().chain(new.values).map(|(label, _)| label).collect();
            (old.opaque, changed)
        };
        assert_eq!(of(item), (Vec::new(), Vec::new()));
        let (opaque, changed) =
            of(&item.replace("n / TWO", "n * TWO").replace("= 2", "= 3").replace("#[derive(Clone)] ", ""));
        assert_eq!(opaque, ["the derived `Clone` of `S`, which goes"]);
        assert_eq!(changed, ["half", "TWO"]);
    }
}
