//! What a group of signals would bring, what it could break, and how sure that is.
//!
//! `performance gain` is the share in percent of somebody's time or attention that one meeting with the matter costs;
//! `affected users` counts the places that meet it; `frequency` is how often a day. They are estimates by kind, the
//! same for every repository, so that a person can argue with each of them; measurements replace them where they exist.

use kaizen_domain::{Impact, OpportunityKind, Risk};

use crate::group::Group;

/// The impact of a group.
#[must_use]
pub fn impact(group: &Group) -> Impact {
    let places = places(group);
    let (performance_gain, affected_users, frequency) = match group.kind {
        // Nobody can work on, or rely on, what does not build or fails its tests.
        OpportunityKind::Repair if group.topic == "build" => (100.0, 100.0, 10.0),
        OpportunityKind::Repair if group.topic.starts_with("flaky:") => (20.0, 10.0, 2.0),
        OpportunityKind::Repair => (50.0, 20.0, 5.0),
        // A person asked for it: that is the strongest sign there is, after a broken repository.
        OpportunityKind::Goal | OpportunityKind::Proposal => (50.0, 20.0, 4.0),
        OpportunityKind::Performance => (5.0, places, 4.0),
        // Every build of everybody compiles it.
        OpportunityKind::Dependency if group.topic.starts_with("unused:") => (10.0, 10.0, 4.0),
        OpportunityKind::Dependency => (3.0, 5.0, 2.0),
        OpportunityKind::Cleanup => (lint_gain(group.lint.as_deref()), places, 2.0),
        OpportunityKind::Debt => (1.0, 1.0, 1.0 + f64::from(group.age_days.unwrap_or(0).min(3650)) / 365.0),
    };
    Impact { performance_gain, affected_users, frequency }
}

/// Places that meet it; more than a hundred of one lint are a habit, and weigh no more than a hundred.
fn places(group: &Group) -> f64 {
    f64::from(u32::try_from(group.evidence.len().min(100)).unwrap_or(100))
}

fn lint_gain(lint: Option<&str>) -> f64 {
    match lint {
        // The compiler's own warnings are few and mostly right.
        Some(lint) if !lint.starts_with("clippy::") => 4.0,
        _ => 2.0,
    }
}

/// The risk of answering a group.
#[must_use]
pub fn risk(group: &Group) -> Risk {
    match group.kind {
        OpportunityKind::Cleanup | OpportunityKind::Performance | OpportunityKind::Repair if group.mechanical => {
            Risk::Low
        }
        OpportunityKind::Dependency if group.topic.starts_with("unused:") => Risk::Low,
        OpportunityKind::Repair | OpportunityKind::Cleanup | OpportunityKind::Proposal => Risk::Medium,
        OpportunityKind::Goal | OpportunityKind::Performance | OpportunityKind::Dependency | OpportunityKind::Debt => {
            Risk::Medium
        }
    }
}

/// How sure it is that a change is possible and wanted, before lessons.
#[must_use]
pub fn confidence(group: &Group) -> f64 {
    match group.kind {
        OpportunityKind::Goal | OpportunityKind::Proposal => 0.9,
        _ if group.mechanical => 0.9,
        OpportunityKind::Repair => 0.6,
        OpportunityKind::Performance | OpportunityKind::Cleanup => 0.3,
        OpportunityKind::Dependency => 0.1,
        OpportunityKind::Debt => 0.2,
    }
}
