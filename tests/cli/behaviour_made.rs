//! Functions that macros make are called as well: what changes behind them is not left to tests alone, and neither is what stands
//! under a condition that this build does not keep taken for what has its name.

use crate::cli::behaviour::says;
use crate::cli::shapes;
use crate::cli::support::{Room, diff_of};

const DICE: &str = r#"//! Dice.

/// A die.
#[derive(Debug, Clone)]
pub struct Die(u64);

impl Die {
    /// A die that begins with this number.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn mixed(&self, most: u64) -> u64 {
        (self.0 ^ (self.0 >> 7)).wrapping_mul(31) % most
    }
}

macro_rules! rolls {
    ($($ty:ident: $most:expr),*) => {
        impl Die {
            $(
                /// What it shows.
                pub fn $ty(&self) -> $ty {
                    self.mixed($most) as $ty
                }
            )*
        }
        $(
            /// What a die shows that begins with this number.
            pub fn $ty(seed: u64) -> $ty {
                Die::new(seed).$ty()
            }
        )*
    };
}

rolls! { u8: 6, u16: 600 }

/// What stands between two of them.
#[cfg(windows)]
pub const BETWEEN: &str = "; ";
/// What stands between two of them.
#[cfg(not(windows))]
pub const BETWEEN: &str = ", ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_show_what_they_can() {
        assert_eq!((Die::new(1).u8(), Die::new(100).u16(), u8(7)), (1, 100, 1));
        assert_eq!(BETWEEN.len(), 2);
    }
}
"#;

fn dice() -> Room {
    Room::with(&[("Cargo.toml", &shapes::manifest("dice", "2021", "")), ("src/lib.rs", DICE)])
}

#[test]
fn what_changes_behind_functions_that_macros_make_asks_a_person() {
    let room = dice();
    let said = room.try_diff(&diff_of("src/lib.rs", DICE, &DICE.replace(">> 7", ">> 9")), &[]).expect(3);
    says(&said, &["`dice::", "and now gives", "no test tells the two apart"]);
    let shown = room.kaizen(&["show", &said.patch("ASKED"), "--evidence"]).expect(0);
    says(&shown, &["dice::Die::u8: "]);
}

#[test]
fn what_this_build_does_not_hold_asks_a_person() {
    let said = dice().try_diff(&diff_of("src/lib.rs", DICE, &DICE.replace("\"; \"", "\" ;\"")), &[]).expect(3);
    says(&said, &["nothing shows what it does to change `BETWEEN` (src/lib.rs:41), which is no part of this build"]);
}
