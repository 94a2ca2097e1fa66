//! Groups signals that one change would answer: one lint, one failing test, one dependency, one goal.

use std::collections::BTreeMap;

use kaizen_domain::{OpportunityKind, RelPath, Signal, SignalId, SignalKind, Tool};

/// Signals that one change would answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The kind of work.
    pub kind: OpportunityKind,
    /// A name that is the same in every cycle.
    pub topic: String,
    /// One line for a person, imperative.
    pub title: String,
    /// The signals.
    pub evidence: Vec<SignalId>,
    /// The files they point at.
    pub files: Vec<RelPath>,
    /// Whether a fixer can answer all of it.
    pub mechanical: bool,
    /// The lint, when it is about one.
    pub lint: Option<String>,
    /// Days it has waited, when that is known.
    pub age_days: Option<u32>,
}

/// Groups signals, in the order of their first appearance by topic.
#[must_use]
pub fn group(signals: &[Signal]) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for signal in signals {
        let Some(new) = one(signal) else { continue };
        let path = signal.place.as_ref().map(|place| place.path.clone());
        let group = groups.entry(new.topic.clone()).or_insert(new);
        group.evidence.push(signal.id);
        if let Some(path) = path
            && !group.files.contains(&path)
        {
            group.files.push(path);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    for group in &mut groups {
        group.files.sort();
        finish_title(group);
    }
    groups
}

fn one(signal: &Signal) -> Option<Group> {
    let path = signal.place.as_ref().map_or("", |place| place.path.as_str());
    let line = signal.place.as_ref().map_or(0, |place| place.line);
    let (kind, topic, title, mechanical, lint) = match &signal.kind {
        SignalKind::Diagnostic { tool, lint, fixable, .. } => {
            let kind = if is_performance(lint) { OpportunityKind::Performance } else { OpportunityKind::Cleanup };
            let topic = if *fixable { format!("lint:{lint}") } else { format!("lint-by-hand:{lint}") };
            let shown = if *tool == Tool::Rustc { format!("rustc's {lint}") } else { lint.clone() };
            (kind, topic, shown, *fixable, Some(lint.clone()))
        }
        SignalKind::BuildFailure { errors } => {
            let first = errors.first().map_or("the build fails", |error| error.message.as_str());
            let fixable = !errors.is_empty() && errors.iter().all(|error| error.fixable);
            (OpportunityKind::Repair, "build".to_owned(), format!("repair the build: {first}"), fixable, None)
        }
        SignalKind::FailingTest { test, .. } => {
            (OpportunityKind::Repair, format!("test:{test}"), format!("repair failing test {test}"), false, None)
        }
        SignalKind::FlakyTest { test } => {
            (OpportunityKind::Repair, format!("flaky:{test}"), format!("make test {test} reliable"), false, None)
        }
        SignalKind::UnusedDependency { package, dependency, table } => {
            let title = format!("drop unused dependency {dependency}");
            (OpportunityKind::Dependency, format!("unused:{package}/{table}/{dependency}"), title, true, None)
        }
        SignalKind::DuplicateDependency { name, versions } => {
            let title = format!("bring {name} down to one version (there are {})", versions.join(", "));
            (OpportunityKind::Dependency, format!("duplicate:{name}"), title, false, None)
        }
        SignalKind::Todo { text, .. } => (
            OpportunityKind::Debt,
            format!("todo:{path}:{text}"),
            format!("settle the note in {path}:{line}: {text}"),
            false,
            None,
        ),
        SignalKind::Goal { text } => (OpportunityKind::Goal, format!("goal:{text}"), text.clone(), false, None),
        SignalKind::RedCheck { checks, .. } => {
            let names = checks.join(", ");
            (OpportunityKind::Repair, format!("check:{names}"), format!("repair what fails in {names}"), false, None)
        }
        SignalKind::Proposal { title } => {
            (OpportunityKind::Proposal, format!("proposal:{title}"), title.clone(), true, None)
        }
    };
    let age_days = if let SignalKind::Todo { age_days, .. } = &signal.kind { *age_days } else { None };
    Some(Group { kind, topic, title, evidence: Vec::new(), files: Vec::new(), mechanical, lint, age_days })
}

/// A lint's title says how many findings there are, which is known only at the end.
fn finish_title(group: &mut Group) {
    if group.lint.is_none() {
        return;
    }
    let count = group.evidence.len();
    let noun = if count == 1 { "finding" } else { "findings" };
    let verb = if group.mechanical { "clear" } else { "work out" };
    group.title = format!("{verb} {count} {noun} of {}", group.title);
}

/// Lints of clippy's `perf` group, and the compiler's and clippy's others that are about work done in vain.
fn is_performance(lint: &str) -> bool {
    const PERFORMANCE: &[&str] = &[
        "box_collection",
        "boxed_local",
        "cmp_owned",
        "collapsible_str_replace",
        "drain_collect",
        "expect_fun_call",
        "extend_with_drain",
        "format_collect",
        "format_in_format_args",
        "iter_overeager_cloned",
        "large_const_arrays",
        "large_enum_variant",
        "manual_memcpy",
        "manual_retain",
        "manual_str_repeat",
        "map_entry",
        "missing_spin_loop",
        "needless_collect",
        "or_fun_call",
        "readonly_write_lock",
        "redundant_allocation",
        "redundant_clone",
        "regex_creation_in_loops",
        "result_large_err",
        "single_char_pattern",
        "slow_vector_initialization",
        "to_string_in_format_args",
        "unbuffered_bytes",
        "unnecessary_to_owned",
        "useless_vec",
        "vec_init_then_push",
        "waker_clone_wake",
        "inefficient_to_string",
        "trivially_copy_pass_by_ref",
        "large_types_passed_by_value",
        "naive_bytecount",
        "stable_sort_primitive",
        "cloned_instead_of_copied",
        "implicit_clone",
    ];
    lint.strip_prefix("clippy::").is_some_and(|name| PERFORMANCE.contains(&name))
}
