//! One bad suggestion among good ones is found by trials and left out; the good ones land.

use crate::cli::shapes;
use crate::cli::support::Room;

/// Lists whose length is compared with zero, and one type on which clippy's advice changes what happens.
const LIB: &str = r#"//! Lists.

/// A list that is empty in its own way: it counts as empty only when it is locked as well.
pub struct Odd {
    items: Vec<i32>,
    locked: bool,
}

impl Odd {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing in it and it is locked.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.locked
    }
}

/// Whether there is nothing in it.
pub fn nothing_in(odd: &Odd) -> bool {
    odd.len() == 0
}

/// Whether a list is empty.
pub fn first(list: &[i32]) -> bool {
    list.len() == 0
}

/// Whether another list is empty.
pub fn second(list: &[i64]) -> bool {
    list.len() == 0
}

/// Whether a text is empty.
pub fn third(text: &str) -> bool {
    text.len() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_list_without_items_has_nothing_in_it() {
        assert!(nothing_in(&Odd { items: Vec::new(), locked: false }));
        assert!(!nothing_in(&Odd { items: vec![1], locked: true }));
    }

    #[test]
    fn lists_and_texts_know_when_they_are_empty() {
        assert!(first(&[]) && second(&[]) && third(""));
        assert!(!first(&[1]) && !second(&[1]) && !third("a"));
    }
}
"#;

#[test]
fn one_bad_suggestion_does_not_cost_the_good_ones() {
    let room = Room::with(&[("Cargo.toml", shapes::MANIFEST), ("src/lib.rs", LIB)]);
    let said = room.kaizen(&["run-cycle"]).expect(0).says(&["Clear 3 findings of clippy::len_zero", "2/2 same"]);
    let landed = room.landed_branch();
    let expected = LIB.replace("list.len() == 0", "list.is_empty()").replace("text.len() == 0", "text.is_empty()");
    assert_eq!(room.show(&landed, "src/lib.rs"), expected, "{}", said.out);
    assert_eq!(room.own_branches().len(), 2, "one patch landed, and what failed on the way left nothing");

    // What was shown to be bad is remembered and not tried again.
    let trials = room.records().iter().filter(|record| record["event"]["did"] == "trial_finished").count();
    assert!(trials >= 3, "{trials}");
    room.git(&["merge", "-q", &landed]);
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 0"]);
    assert_eq!(room.show("main", "src/lib.rs"), expected);
}
