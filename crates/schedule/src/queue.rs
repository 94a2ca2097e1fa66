//! Queue: in which order waiting changes go when there is room.

use kaizen_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A change that waits to be opened or to land.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting<Id> {
    /// Which.
    pub id: Id,
    /// Since when.
    pub since: Timestamp,
    /// Whether it closes a hole.
    pub security: bool,
}

/// Security fixes first, then the oldest; of the same age, by id, so that the order is always the same.
#[must_use]
pub fn next_in_queue<Id: Ord>(waiting: &[Waiting<Id>]) -> Vec<&Waiting<Id>> {
    let mut order: Vec<_> = waiting.iter().collect();
    order.sort_by(|a, b| (!a.security, a.since, &a.id).cmp(&(!b.security, b.since, &b.id)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_goes_first_then_the_oldest() {
        let of = |id, since, security| Waiting { id, since: Timestamp(since), security };
        let waiting = [of("d", 2, false), of("c", 1, false), of("b", 9, true), of("a", 2, false), of("e", 8, true)];
        let order: Vec<&str> = next_in_queue(&waiting).iter().map(|waiting| waiting.id).collect();
        assert_eq!(order, ["e", "b", "c", "a", "d"]);
    }
}
