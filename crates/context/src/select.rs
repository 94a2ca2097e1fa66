//! Select: the pieces that a task is shown, the most needed first, until the tokens are used up.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::RelPath;

use crate::graph::Graph;
use crate::index::{Index, Item, ItemKind, Test};
use crate::map::map;

/// The share of the room that a file in reach may take to be shown whole.
const WHOLE_FILE: f64 = 0.4;
/// The share of the room that the map may take.
const MAP: f64 = 0.15;
/// Lines around a call that is shown in place of the whole caller.
const AROUND: usize = 4;
/// A function with more lines is shown around the call only.
const LONG: usize = 60;

/// What a task is about.
#[derive(Debug, Clone, Default)]
pub struct Focus {
    /// The files that may change.
    pub reach: Vec<RelPath>,
    /// Places that the evidence names: a file and a line.
    pub places: Vec<(RelPath, usize)>,
    /// Texts that name items: failing tests, messages, a request.
    pub words: Vec<String>,
    /// Files that changed of late.
    pub recent: Vec<RelPath>,
}

/// Why a piece is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It is to be changed, or holds what is.
    Change,
    /// It tests what is to be changed.
    Test,
    /// It uses what is to be changed.
    Caller,
    /// It is a type or trait of what is to be changed.
    Type,
    /// It is used by what is to be changed.
    Callee,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The file.
    pub path: RelPath,
    /// Its first and last line, from 1; none: the whole file.
    pub lines: Option<(usize, usize)>,
    /// Why it is shown.
    pub role: Role,
    /// What it is, such as `calls Tax::apply`.
    pub about: String,
    /// The text.
    pub text: String,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Signatures of what is central besides.
    pub map: String,
    /// The pieces, by file and line.
    pub pieces: Vec<Piece>,
    /// What there was no room for, in words.
    pub left_out: Vec<String>,
    /// Tokens of map and pieces.
    pub tokens: u64,
}

/// A piece that might be shown.
struct Wanted {
    item: usize,
    role: Role,
    /// The lines of the uses that make it wanted.
    at: Vec<usize>,
    weight: f64,
    of: String,
}

/// Picks what a task is shown, in at most `room` tokens as `count` counts them.
#[must_use]
pub fn select(index: &Index, focus: &Focus, room: u64, count: &dyn Fn(&str) -> u64) -> Selection {
    let graph = Graph::of(index);
    let targets = targets(&graph, focus);
    let mut seeds: Vec<(usize, f64)> = targets.iter().map(|at| (*at, 1.0)).collect();
    seeds.extend(named(&graph, focus).into_iter().map(|at| (at, 0.3)));
    for (file, found) in graph.index.files.iter().enumerate() {
        let weight = if focus.recent.contains(&found.file.path) { 0.05 } else { 0.0 }
            + if focus.reach.contains(&found.file.path) { 0.1 } else { 0.0 };
        if weight > 0.0 {
            seeds.extend(graph.of_file(file).map(|at| (at, weight)));
        }
    }
    let ranks = graph.ranks(&seeds);
    let mut picked = Picked { graph: &graph, count, left: room, shown: BTreeMap::new(), left_out: Vec::new() };
    let whole = picked.whole_files(focus, (room as f64 * WHOLE_FILE) as u64);
    for at in &targets {
        let of = graph.item(*at).map(Item::shown).unwrap_or_default();
        picked.add(&Wanted { item: *at, role: Role::Change, at: Vec::new(), weight: 1.0, of });
    }
    let mut wanted = neighbours(&graph, &targets, &ranks);
    wanted.sort_by(|a, b| a.role.cmp(&b.role).then(b.weight.total_cmp(&a.weight)).then(a.item.cmp(&b.item)));
    // The map is what is left after the pieces that matter most, but never nothing.
    let for_map = (room as f64 * MAP) as u64;
    picked.left = picked.left.saturating_sub(for_map);
    for one in &wanted {
        picked.add(one);
    }
    let shown: BTreeSet<usize> = picked.shown.keys().copied().collect();
    picked.left += for_map;
    let map = map(&graph, &ranks, &shown, picked.left.min(for_map), count);
    let (pieces, left_out) = picked.finish(focus, &whole);
    let tokens = count(&map) + pieces.iter().map(|piece| count(&piece.text)).sum::<u64>();
    Selection { map, pieces, left_out, tokens }
}

/// The items that the places point at; for a place between items, nothing.
fn targets(graph: &Graph<'_>, focus: &Focus) -> Vec<usize> {
    let mut found = Vec::new();
    for (path, line) in &focus.places {
        let file = graph.index.files.iter().position(|file| file.file.path == *path);
        let Some(file) = file else { continue };
        let inside = graph
            .of_file(file)
            .filter(|at| graph.item(*at).is_some_and(|item| (item.first..=item.last).contains(line)));
        // The innermost: a method and not the trait around it.
        let innermost = inside.min_by_key(|at| graph.item(*at).map_or(usize::MAX, |item| item.last - item.first));
        if let Some(at) = innermost.filter(|at| !found.contains(at)) {
            found.push(at);
        }
    }
    found
}

/// Items that the words name: each word that is the name of few items.
fn named(graph: &Graph<'_>, focus: &Focus) -> Vec<usize> {
    let words: BTreeSet<&str> = focus
        .words
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| word.len() > 2)
        .collect();
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in 0..graph.items.len() {
        let Some(item) = graph.item(at) else { continue };
        if words.contains(item.name.as_str()) {
            found.entry(&item.name).or_default().push(at);
        }
    }
    found.into_values().filter(|items| items.len() <= 4).flatten().collect()
}

/// What stands beside the targets in the graph, each with why.
fn neighbours(graph: &Graph<'_>, targets: &[usize], ranks: &[f64]) -> Vec<Wanted> {
    let mut wanted: BTreeMap<usize, Wanted> = BTreeMap::new();
    let mut want = |one: Wanted| {
        if targets.contains(&one.item) {
            return;
        }
        let better = wanted.get(&one.item).is_none_or(|known| (one.role, -one.weight) < (known.role, -known.weight));
        if better {
            wanted.insert(one.item, one);
        }
    };
    let rank = |at: usize| ranks.get(at).copied().unwrap_or(0.0);
    for target in targets {
        let Some(item) = graph.item(*target) else { continue };
        let of = item.shown();
        for edge in graph.used_by.get(*target).into_iter().flatten() {
            // An example in docs is run as a test.
            let role = if graph.is_test(edge.to) || edge.doc { Role::Test } else { Role::Caller };
            let is_test = graph.item(edge.to).is_some_and(|item| item.test == Test::Is);
            // A certain use counts more than one that shares its name with others; a test more than its helper.
            let weight = edge.weight * 10.0 + if is_test { 1.0 } else { 0.0 } + rank(edge.to);
            want(Wanted { item: edge.to, role, at: edge.lines.clone(), weight, of: of.clone() });
            // Who calls a private helper is often called by the test, and not the helper.
            if role == Role::Caller && edge.weight > 0.3 {
                for further in
                    graph.used_by.get(edge.to).into_iter().flatten().filter(|further| graph.is_test(further.to))
                {
                    let via = graph.item(edge.to).map(Item::shown).unwrap_or_default();
                    let weight = edge.weight * further.weight * 2.0 + rank(further.to);
                    want(Wanted { item: further.to, role: Role::Test, at: further.lines.clone(), weight, of: via });
                }
            }
        }
        for edge in graph.uses.get(*target).into_iter().flatten() {
            let kind = graph.item(edge.to).map(|item| item.kind);
            let role = if matches!(kind, Some(ItemKind::Type | ItemKind::Trait)) { Role::Type } else { Role::Callee };
            let weight = edge.weight + rank(edge.to);
            want(Wanted { item: edge.to, role, at: Vec::new(), weight, of: of.clone() });
        }
        // The type that a method belongs to is not named in it.
        if let Some(owner) = &item.owner {
            let place = graph.items.get(*target).map(|at| at.0);
            for at in place.map(|file| graph.of_file(file)).unwrap_or_default() {
                if graph.item(at).is_some_and(|other| other.name == *owner && other.owner.is_none()) {
                    want(Wanted { item: at, role: Role::Type, at: Vec::new(), weight: 2.0, of: of.clone() });
                }
            }
        }
    }
    wanted.into_values().collect()
}

/// Lines of an item that are shown, and why; an item of a file that is shown whole has none of its own.
type Shown = (Vec<(usize, usize)>, Role, String);

struct Picked<'g, 'i> {
    graph: &'g Graph<'i>,
    count: &'g dyn Fn(&str) -> u64,
    left: u64,
    /// Items, and what of each is shown.
    shown: BTreeMap<usize, Shown>,
    left_out: Vec<String>,
}

impl Picked<'_, '_> {
    /// Files in reach that are small enough are shown whole: nothing is easier to edit. The smallest first.
    fn whole_files(&mut self, focus: &Focus, most: u64) -> Vec<usize> {
        let mut files: Vec<(u64, usize)> = Vec::new();
        for (number, file) in self.graph.index.files.iter().enumerate() {
            if focus.reach.contains(&file.file.path) && file.file.text.len() as u64 <= most.saturating_mul(8) {
                files.push(((self.count)(&file.file.text), number));
            }
        }
        files.sort_unstable();
        let mut whole = Vec::new();
        let mut room = most;
        for (tokens, file) in files {
            if tokens <= room {
                room -= tokens;
                self.left = self.left.saturating_sub(tokens);
                whole.push(file);
                for at in self.graph.of_file(file) {
                    self.shown.insert(at, (Vec::new(), Role::Change, String::new()));
                }
            }
        }
        whole
    }

    fn add(&mut self, wanted: &Wanted) {
        if self.shown.contains_key(&wanted.item) {
            return;
        }
        let Some(item) = self.graph.item(wanted.item) else { return };
        let about = about(item, wanted);
        let whole = vec![(item.first, item.last)];
        let head = (item.first, (item.head.max(item.first) + 1).min(item.last));
        let mut around: Vec<(usize, usize)> = Vec::new();
        for at in &wanted.at {
            let (first, last) = (at.saturating_sub(AROUND).max(item.first), (at + AROUND).min(item.last));
            match around.last_mut() {
                Some(before) if first <= before.1 + 2 => before.1 = last,
                _ => around.push((first, last)),
            }
        }
        let long = item.last - item.first > LONG && wanted.role != Role::Change;
        let mut forms = if long { Vec::new() } else { vec![whole.clone()] };
        if !around.is_empty() {
            let first = around.iter().take(1).copied().collect();
            forms.extend([around, first]);
        } else if wanted.role != Role::Change {
            forms.push(vec![head]);
        } else if forms.is_empty() {
            forms.push(whole);
        }
        for lines in forms {
            let tokens: u64 = lines.iter().map(|lines| (self.count)(&self.text(wanted.item, *lines)) + 24).sum();
            if tokens <= self.left {
                self.left -= tokens;
                self.shown.insert(wanted.item, (lines, wanted.role, about));
                return;
            }
        }
        self.left_out.push(about);
    }

    fn text(&self, item: usize, (first, last): (usize, usize)) -> String {
        let file = self.graph.items.get(item).and_then(|(file, _)| self.graph.index.files.get(*file));
        file.map(|file| lines_of(&file.file.text, first, last)).unwrap_or_default()
    }

    fn finish(mut self, focus: &Focus, whole: &[usize]) -> (Vec<Piece>, Vec<String>) {
        let mut pieces = Vec::new();
        for file in whole {
            let Some(found) = self.graph.index.files.get(*file) else { continue };
            let (path, text) = (found.file.path.clone(), found.file.text.to_string());
            pieces.push(Piece { path, lines: None, role: Role::Change, about: "may change".to_owned(), text });
        }
        // What a file in reach begins with is needed to add a `use`.
        for (number, file) in self.graph.index.files.iter().enumerate() {
            if focus.reach.contains(&file.file.path) && !whole.contains(&number) {
                let first_item =
                    self.graph.of_file(number).filter_map(|at| self.graph.item(at)).map(|item| item.first).min();
                let last = first_item.unwrap_or(1).saturating_sub(1).min(40);
                let text = lines_of(&file.file.text, 1, last);
                let tokens = (self.count)(&text);
                if last > 0 && tokens <= self.left {
                    self.left -= tokens;
                    let path = file.file.path.clone();
                    let about = "how the file begins".to_owned();
                    pieces.push(Piece { path, lines: Some((1, last)), role: Role::Change, about, text });
                }
            }
        }
        let mut parts: Vec<(usize, usize, usize, Role, String)> = self
            .shown
            .iter()
            .filter_map(|(at, (lines, role, about))| Some((self.graph.items.get(*at)?.0, lines, *role, about)))
            .flat_map(|(file, lines, role, about)| {
                lines.iter().map(move |(first, last)| (file, *first, *last, role, about.clone()))
            })
            .collect();
        parts.sort();
        // Pieces that touch are one piece.
        let mut joined: Vec<(usize, usize, usize, Role, String)> = Vec::new();
        for part in parts {
            match joined.last_mut() {
                Some(last) if last.0 == part.0 && part.1 <= last.2 + 2 => {
                    last.2 = last.2.max(part.2);
                    last.3 = last.3.min(part.3);
                    last.4 = format!("{}; {}", last.4, part.4);
                }
                _ => joined.push(part),
            }
        }
        for (file, first, last, role, about) in joined {
            let Some(found) = self.graph.index.files.get(file) else { continue };
            let text = lines_of(&found.file.text, first, last);
            pieces.push(Piece { path: found.file.path.clone(), lines: Some((first, last)), role, about, text });
        }
        (pieces, self.left_out)
    }
}

fn about(item: &Item, wanted: &Wanted) -> String {
    let (shown, of) = (item.shown(), &wanted.of);
    match wanted.role {
        Role::Change => format!("{shown}, to be changed"),
        Role::Test => format!("{shown} tests {of}"),
        Role::Caller => format!("{shown} uses {of}"),
        Role::Type => format!("{shown}, a type of {of}"),
        Role::Callee => format!("{shown}, used by {of}"),
    }
}

fn lines_of(text: &str, first: usize, last: usize) -> String {
    text.split_inclusive('\n').skip(first.saturating_sub(1)).take((last + 1).saturating_sub(first)).collect()
}
