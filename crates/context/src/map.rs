//! The map: the signatures of what is central, file by file, as far as there is room. It tells a reader what else there is
//! without showing it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::graph::Graph;
use crate::index::Test;

/// A map of the best ranked items that are not shown otherwise, in at most `room` tokens.
pub(crate) fn map(
    graph: &Graph<'_>,
    ranks: &[f64],
    shown: &BTreeSet<usize>,
    room: u64,
    count: &dyn Fn(&str) -> u64,
) -> String {
    let mut order: Vec<usize> = (0..graph.items.len())
        .filter(|at| !shown.contains(at) && graph.item(*at).is_some_and(|item| item.test == Test::No))
        .collect();
    let rank = |at: &usize| ranks.get(*at).copied().unwrap_or(0.0);
    order.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.cmp(b)));
    // The tokens of a line are guessed while it is decided how many there is room for, and counted in the end.
    let guess = |lines: &[usize]| -> String {
        let mut files: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in lines {
            if let Some((file, _)) = graph.items.get(*at) {
                files.entry(*file).or_default().push(*at);
            }
        }
        let mut text = String::new();
        for (file, mut items) in files {
            let Some(path) = graph.index.files.get(file).map(|file| &file.file.path) else { continue };
            let _ = writeln!(text, "{path}");
            items.sort_unstable();
            for item in items.into_iter().filter_map(|at| graph.item(at)) {
                let owner = item.owner.as_ref().map(|owner| format!("{owner}: ")).unwrap_or_default();
                let _ = writeln!(text, "  {}: {owner}{}", item.head, item.signature);
            }
        }
        text
    };
    let (mut fits, mut over) = (0, order.len().min(400) + 1);
    while over - fits > 1 {
        let middle = fits + (over - fits) / 2;
        let text = guess(order.get(..middle).unwrap_or_default());
        if count(&text) <= room {
            fits = middle;
        } else {
            over = middle;
        }
    }
    guess(order.get(..fits).unwrap_or_default())
}
