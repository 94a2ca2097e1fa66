use stall::access::{may_refund, may_reprice, Role, CLERK_REFUND};

#[test]
fn refunds_follow_the_role() {
    assert!(!may_refund(Role::Guest, 1));
    assert!(may_refund(Role::Clerk, CLERK_REFUND));
    assert!(!may_refund(Role::Clerk, CLERK_REFUND + 1));
    assert!(may_refund(Role::Manager, 50_000));
    assert!(may_refund(Role::Owner, 50_000));
    assert!(!may_refund(Role::Owner, 0));
}

#[test]
fn clerks_do_not_reprice() {
    assert!(!may_reprice(Role::Guest));
    assert!(!may_reprice(Role::Clerk));
    assert!(may_reprice(Role::Manager));
}

#[test]
#[should_panic(expected = "no such role")]
fn an_unknown_code_has_no_role() {
    Role::from_code(9).expect("no such role");
}
