//! A cache of prices that never grows over its bound.

use crate::money::Cents;
use std::collections::VecDeque;

/// How a [`Cache`] is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub bound: usize,
    pub keep_zero: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bound: 64, keep_zero: false }
    }
}

/// Keeps the prices last put in; the oldest leaves first.
#[derive(Debug)]
pub struct Cache {
    entries: VecDeque<(String, Cents)>,
    settings: Settings,
}

impl Cache {
    pub fn new(settings: Settings) -> Self {
        Self { entries: VecDeque::new(), settings }
    }

    /// Puts a price in and drops what is over the bound.
    pub fn put(&mut self, name: &str, price: Cents) {
        if price == 0 && !self.settings.keep_zero {
            return;
        }
        self.entries.retain(|(old, _)| old != name);
        self.entries.push_back((name.to_owned(), price));
        while self.entries.len() > self.settings.bound {
            self.entries.pop_front();
        }
    }

    pub fn get(&self, name: &str) -> Option<Cents> {
        self.entries.iter().find(|(old, _)| old == name).map(|(_, price)| *price)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Cache {
        Cache::new(Settings { bound: 2, keep_zero: false })
    }

    #[test]
    fn the_oldest_leaves_first() {
        let mut cache = small();
        assert!(cache.is_empty());
        cache.put("a", 1);
        cache.put("b", 2);
        cache.put("c", 3);
        assert_eq!(cache.get("a"), None);
        assert_eq!(cache.get("b"), Some(2));
        assert_eq!(cache.get("c"), Some(3));
        assert_eq!(cache.len(), 2);
        assert!(!cache.is_empty());
    }

    #[test]
    fn a_new_price_replaces_the_old_one() {
        let mut cache = small();
        cache.put("a", 1);
        cache.put("a", 5);
        assert_eq!(cache.get("a"), Some(5));
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn zero_is_kept_only_on_request() {
        let mut cache = small();
        cache.put("free", 0);
        assert_eq!(cache.get("free"), None);
        let mut cache = Cache::new(Settings { bound: 1, keep_zero: true });
        cache.put("free", 0);
        assert_eq!(cache.get("free"), Some(0));
    }

    #[test]
    fn clear_runs() {
        let mut cache = Cache::new(Settings::default());
        cache.put("a", 1);
        cache.clear();
    }
}
