//! The graph: who uses whom, as far as names tell, and how central each item is for a focus (PageRank with restarts at the
//! focus: Page, Brin, Motwani and Winograd 1999; personalised as in Haveliwala 2002).

use std::collections::HashMap;

use crate::index::{Index, Item, ItemKind, Test, Used};

/// An item, by file and place in it.
pub(crate) type ItemAt = (usize, usize);

/// Names that so many items have say nothing about which one is meant, unless a qualifier does.
const COMMON: usize = 12;
/// Steps of the walk; the ranks hardly move after that.
const STEPS: usize = 24;
/// How often the walk goes on instead of starting again at the focus.
const DAMPING: f64 = 0.8;

/// A use of an item in another one.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub to: usize,
    pub weight: f64,
    /// The lines of the uses.
    pub lines: Vec<usize>,
    /// Whether it is in an example of the docs.
    pub doc: bool,
}

/// Every item, whom it uses and who uses it.
pub(crate) struct Graph<'i> {
    pub index: &'i Index,
    pub items: Vec<ItemAt>,
    /// The first number of each file's items.
    first: Vec<usize>,
    pub uses: Vec<Vec<Edge>>,
    pub used_by: Vec<Vec<Edge>>,
}

impl<'i> Graph<'i> {
    pub(crate) fn of(index: &'i Index) -> Self {
        let mut items: Vec<ItemAt> = Vec::with_capacity(index.items());
        let mut first = Vec::with_capacity(index.files.len());
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (file, in_file) in index.files.iter().enumerate() {
            first.push(items.len());
            for (at, item) in in_file.items.iter().enumerate() {
                by_name.entry(&item.name).or_default().push(items.len());
                items.push((file, at));
            }
        }
        let mut graph = Self { index, first, uses: vec![Vec::new(); items.len()], used_by: Vec::new(), items };
        graph.used_by = vec![Vec::new(); graph.items.len()];
        for from in 0..graph.items.len() {
            let Some(item) = graph.item(from) else { continue };
            let mut edges: Vec<Edge> = Vec::new();
            for used in &item.uses {
                let Some(named) = by_name.get(used.name.as_str()) else { continue };
                graph.resolve(from, used, named, &mut edges);
            }
            edges.sort_by(|a, b| a.to.cmp(&b.to).then(b.weight.total_cmp(&a.weight)));
            edges.dedup_by(|later, first| {
                let same = later.to == first.to;
                if same {
                    first.lines.append(&mut later.lines);
                    first.lines.sort_unstable();
                    first.lines.dedup();
                }
                same
            });
            for edge in &edges {
                if let Some(users) = graph.used_by.get_mut(edge.to) {
                    users.push(Edge { to: from, ..edge.clone() });
                }
            }
            if let Some(place) = graph.uses.get_mut(from) {
                *place = edges;
            }
        }
        graph
    }

    pub(crate) fn item(&self, number: usize) -> Option<&'i Item> {
        let (file, at) = self.items.get(number)?;
        self.index.files.get(*file)?.items.get(*at)
    }

    /// The items of a file, by number.
    pub(crate) fn of_file(&self, file: usize) -> std::ops::Range<usize> {
        let start = self.first.get(file).copied().unwrap_or(self.items.len());
        start..self.first.get(file + 1).copied().unwrap_or(self.items.len())
    }

    /// Which of the items of a name are meant.
    fn resolve(&self, from: usize, used: &Used, named: &[usize], edges: &mut Vec<Edge>) {
        let user = self.item(from);
        let owner_of = |number: &usize| self.item(*number).and_then(|item| item.owner.as_deref());
        let mut meant: Vec<usize> = named.iter().copied().filter(|number| *number != from).collect();
        if let Some(qualifier) = &used.qualifier {
            let qualifier = match qualifier.as_str() {
                "Self" => user.and_then(|user| user.owner.as_deref()).unwrap_or("Self"),
                other => other,
            };
            let owned: Vec<usize> = meant.iter().copied().filter(|at| owner_of(at) == Some(qualifier)).collect();
            let in_module: Vec<usize> = meant.iter().copied().filter(|at| self.is_in_module(*at, qualifier)).collect();
            if !owned.is_empty() {
                meant = owned;
            } else if !in_module.is_empty() {
                meant = in_module;
            } else if qualifier.chars().next().is_some_and(char::is_uppercase) {
                // A type from elsewhere with a function of the same name.
                meant.retain(|at| {
                    owner_of(at).is_none() && self.item(*at).is_some_and(|item| item.kind == ItemKind::Type)
                });
            } else {
                meant.retain(|at| owner_of(at).is_none());
            }
        } else if used.dotted {
            meant.retain(|at| owner_of(at).is_some());
            // On `self` most calls stay in the type, which the name alone does not tell; the same file comes close.
            let here: Vec<usize> = meant.iter().copied().filter(|at| self.same_file(*at, from)).collect();
            if meant.len() > COMMON && !here.is_empty() {
                meant = here;
            }
        } else {
            meant.retain(|at| owner_of(at).is_none());
            let here: Vec<usize> = meant.iter().copied().filter(|at| self.same_file(*at, from)).collect();
            if meant.len() > 1 && !here.is_empty() {
                meant = here;
            }
        }
        if meant.is_empty() || meant.len() > COMMON {
            return;
        }
        let weight = if used.doc { 0.5 } else { 1.0 } / meant.len() as f64;
        edges.extend(meant.into_iter().map(|to| Edge { to, weight, lines: used.lines.clone(), doc: used.doc }));
    }

    fn same_file(&self, a: usize, b: usize) -> bool {
        self.items.get(a).map(|at| at.0) == self.items.get(b).map(|at| at.0)
    }

    fn is_in_module(&self, number: usize, module: &str) -> bool {
        let (Some(item), Some((file, _))) = (self.item(number), self.items.get(number)) else { return false };
        if item.owner.is_some() {
            return false;
        }
        if let Some(last) = item.modules.last() {
            return last == module;
        }
        let Some(file) = self.index.files.get(*file) else { return false };
        let path = file.file.path.as_str();
        let stem = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
        stem.rsplit('/').next() == Some(module)
    }

    /// How central each item is, seen from these with their weights.
    pub(crate) fn ranks(&self, seeds: &[(usize, f64)]) -> Vec<f64> {
        let count = self.items.len();
        let mut restart = vec![0.0; count];
        let total: f64 = seeds.iter().map(|(_, weight)| weight).sum();
        if total > 0.0 {
            for (at, weight) in seeds {
                if let Some(place) = restart.get_mut(*at) {
                    *place += 0.8 * weight / total;
                }
            }
        }
        // A little everywhere, so that what the whole repository leans on is seen too.
        let spread = if total > 0.0 { 0.2 } else { 1.0 } / count.max(1) as f64;
        restart.iter_mut().for_each(|place| *place += spread);
        // Whom an item uses matters for it, and who uses it shows what it is for: both ways, the first a little more.
        let outflow: Vec<f64> = (0..count)
            .map(|at| {
                let sum = |edges: Option<&Vec<Edge>>| edges.into_iter().flatten().map(|edge| edge.weight).sum::<f64>();
                sum(self.uses.get(at)) + 0.6 * sum(self.used_by.get(at))
            })
            .collect();
        let mut ranks = restart.clone();
        for _ in 0..STEPS {
            let mut next: Vec<f64> = restart.iter().map(|place| (1.0 - DAMPING) * place).collect();
            for (at, rank) in ranks.iter().enumerate() {
                let Some(flow) = outflow.get(at).filter(|flow| **flow > 0.0) else { continue };
                let share = DAMPING * rank / flow;
                for (edges, factor) in [(self.uses.get(at), 1.0), (self.used_by.get(at), 0.6)] {
                    for edge in edges.into_iter().flatten() {
                        if let Some(place) = next.get_mut(edge.to) {
                            *place += share * edge.weight * factor;
                        }
                    }
                }
            }
            ranks = next;
        }
        ranks
    }

    /// Whether an item is a test or helps one.
    pub(crate) fn is_test(&self, number: usize) -> bool {
        self.item(number).is_some_and(|item| item.test != Test::No)
    }
}
