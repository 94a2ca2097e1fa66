//! Who may do what at the till.

use crate::money::Cents;
use stall_derive::Named;

/// A person at the till. The number is what the till stores.
#[derive(Clone, Copy, Debug, Eq, Named, PartialEq)]
#[repr(u8)]
pub enum Role {
    Guest = 0,
    Clerk = 1,
    Manager = 2,
    Owner = 3,
}

/// The largest amount a clerk pays back alone.
pub const CLERK_REFUND: Cents = 2_000;

/// Wrong tries before a till locks.
const TRIES: u32 = 3;

impl Role {
    /// The role a till stored.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Guest),
            1 => Some(Self::Clerk),
            2 => Some(Self::Manager),
            3 => Some(Self::Owner),
            _ => None,
        }
    }
}

/// May this person pay this amount back?
pub fn may_refund(role: Role, amount: Cents) -> bool {
    if amount <= 0 {
        return false;
    }
    match role {
        Role::Guest => false,
        Role::Clerk => amount <= CLERK_REFUND,
        Role::Manager | Role::Owner => true,
    }
}

/// May this person change prices?
pub fn may_reprice(role: Role) -> bool {
    matches!(role, Role::Manager | Role::Owner)
}

/// Is the till locked after this many wrong tries?
pub fn is_locked(wrong_tries: u32) -> bool {
    wrong_tries >= TRIES
}

/// Compares two PINs without stopping at the first difference.
pub fn same_pin(stored: &str, given: &str) -> bool {
    if stored.is_empty() || stored.len() != given.len() {
        return false;
    }
    stored.bytes().zip(given.bytes()).fold(0, |all, (left, right)| all | (left ^ right)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known() {
        let roles = [Role::Guest, Role::Clerk, Role::Manager, Role::Owner];
        for (code, role) in (0..).zip(roles) {
            assert_eq!(Role::from_code(code), Some(role));
        }
        assert_eq!(Role::from_code(4), None);
        assert_eq!(Role::NAME, "Role");
    }

    #[test]
    fn pins_are_compared_whole() {
        assert!(same_pin("1234", "1234"));
        assert!(!same_pin("1234", "1235"));
        assert!(!same_pin("1234", "2234"));
        assert!(!same_pin("1212", "2121"));
        assert!(!same_pin("1234", "123"));
        assert!(!same_pin("", ""));
    }
}
