//! Paths through the garden.

use std::collections::HashMap;

/// Places joined by ways, each with a length. A way can be used in both
/// directions.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    ways: HashMap<String, Vec<(String, u32)>>,
}

impl Graph {
    /// A garden without places.
    pub fn new() -> Graph {
        Graph {
            ways: HashMap::new(),
        }
    }

    /// Joins two places.
    pub fn join(&mut self, a: &str, b: &str, length: u32) {
        self.ways
            .entry(a.to_string())
            .or_insert_with(Vec::new)
            .push((b.to_string(), length));
        self.ways
            .entry(b.to_string())
            .or_insert_with(Vec::new)
            .push((a.to_string(), length));
    }

    /// The places next to `place`, sorted.
    pub fn neighbours(&self, place: &str) -> Vec<String> {
        let mut names: Vec<String> = match self.ways.get(place) {
            Some(ways) => ways.iter().map(|way| way.0.clone()).collect(),
            None => Vec::new(),
        };
        names.sort();
        names.dedup();
        names
    }

    /// How many places can be reached from `start`, itself included.
    pub fn reachable(&self, start: &str) -> usize {
        if !self.ways.contains_key(start) {
            return 0;
        }
        let mut seen: Vec<String> = vec![start.to_string()];
        let mut todo: Vec<String> = vec![start.to_string()];
        while !todo.is_empty() {
            let place = todo.pop().unwrap();
            for next in self.neighbours(&place) {
                if !seen.contains(&next) {
                    seen.push(next.clone());
                    todo.push(next.clone());
                }
            }
        }
        seen.len()
    }

    /// The shortest path and its length, or `None` if there is no path or if
    /// one of the places is unknown.
    pub fn shortest_path(&self, from: &str, to: &str) -> Option<(Vec<String>, u32)> {
        let mut dist: HashMap<String, u32> = HashMap::new();
        let mut before: HashMap<String, String> = HashMap::new();
        let mut done: Vec<String> = Vec::new();
        dist.insert(from.to_string(), 0);
        loop {
            let mut nearest: Option<(String, u32)> = None;
            for (place, d) in &dist {
                if done.contains(place) {
                    continue;
                }
                let better = match &nearest {
                    Some((_, best)) => d < best,
                    None => true,
                };
                if better {
                    nearest = Some((place.clone(), *d));
                }
            }
            let (place, d) = match nearest {
                Some(found) => found,
                None => return None,
            };
            if place == to {
                let mut path = vec![place.clone()];
                let mut at = place.clone();
                while let Some(previous) = before.get(&at) {
                    path.push(previous.clone());
                    at = previous.clone();
                }
                path.reverse();
                return Some((path, d));
            }
            done.push(place.clone());
            if let Some(ways) = self.ways.get(&place) {
                for (next, length) in ways {
                    let candidate = d + length;
                    let shorter = match dist.get(next) {
                        Some(known) => candidate < *known,
                        None => true,
                    };
                    if shorter {
                        dist.insert(next.clone(), candidate);
                        before.insert(next.clone(), place.clone());
                    }
                }
            }
        }
    }

    /// The sum of the lengths of all ways.
    pub fn total_length(&self) -> u64 {
        let mut sum: u64 = 0;
        for (_, ways) in &self.ways {
            for (_, length) in ways {
                sum += u64::from(*length);
            }
        }
        // Each way is stored twice.
        sum / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn garden() -> Graph {
        let mut graph = Graph::new();
        graph.join("gate", "pond", 4);
        graph.join("gate", "shed", 1);
        graph.join("shed", "pond", 2);
        graph.join("pond", "tree", 5);
        graph.join("well", "rock", 3);
        graph
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn knows_neighbours() {
        assert_eq!(
            garden().neighbours("pond"),
            names(&["gate", "shed", "tree"])
        );
        assert!(garden().neighbours("moon").is_empty());
        let mut twice = garden();
        twice.join("well", "rock", 9);
        assert_eq!(twice.neighbours("well"), names(&["rock"]));
    }

    #[test]
    fn counts_what_can_be_reached() {
        assert_eq!(garden().reachable("gate"), 4);
        assert_eq!(garden().reachable("rock"), 2);
        assert_eq!(garden().reachable("moon"), 0);
    }

    #[test]
    fn takes_the_shorter_way() {
        assert_eq!(
            garden().shortest_path("gate", "tree"),
            Some((names(&["gate", "shed", "pond", "tree"]), 8))
        );
        assert_eq!(
            garden().shortest_path("tree", "pond"),
            Some((names(&["tree", "pond"]), 5))
        );
    }

    #[test]
    fn stays_where_it_is() {
        assert_eq!(
            garden().shortest_path("gate", "gate"),
            Some((names(&["gate"]), 0))
        );
    }

    #[test]
    fn finds_no_path_where_there_is_none() {
        assert_eq!(garden().shortest_path("gate", "well"), None);
        assert_eq!(garden().shortest_path("gate", "moon"), None);
    }

    #[test]
    fn a_later_shorter_way_counts() {
        let mut graph = Graph::new();
        graph.join("a", "b", 9);
        graph.join("a", "b", 3);
        assert_eq!(graph.shortest_path("a", "b"), Some((names(&["a", "b"]), 3)));
    }

    #[test]
    fn adds_lengths() {
        assert_eq!(garden().total_length(), 15);
        assert_eq!(Graph::new().total_length(), 0);
    }
}
