//! Data as they come from a service that has troubles of its own: none of it may lead to a verdict that it does not bear.

use std::collections::BTreeMap;

use kaizen_watch::{
    Absent, Control, Direction, InvalidTerms, Look, MetricTerms, Missing, Open, Outcome, Rule, Series, Why, judge,
    verdict, verdict_of,
};

const TERMS: fn() -> MetricTerms = || MetricTerms::new("latency", Direction::HigherIsWorse);

/// So many values that spread like a duration, around `middle`, the same on every run. The order has no trend.
fn spread(count: usize, middle: f64) -> Vec<f64> {
    let place = |index: usize| ((index * 37) % 101) as f64 / 101.0;
    (0..count).map(|index| middle * (0.6 * (place(index) - 0.5)).exp()).collect()
}

fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|value| value * factor).collect()
}

#[test]
fn a_slowdown_is_suspect_first_and_worse_when_confirmed() {
    let (before, after) = (spread(200, 10.0), spread(250, 15.0));
    let terms = TERMS();
    assert_eq!(verdict(&terms, &before, &after[..49], false), Look::NeedMore { have: 49, need: 50 });
    let first = verdict(&terms, &before, &after[..99], false);
    assert!(matches!(first, Look::Suspect { look: 1, need: 100, .. }), "{first:?}");
    let Look::Worse { ratio, p: Some(p), look } = verdict(&terms, &before, &after[..100], false) else { panic!() };
    assert!((ratio - 1.5).abs() < 0.05 && p < 0.001 && look == 2, "{ratio} {p} {look}");
    // Throughput that falls by as much is the same harm.
    let lower = MetricTerms::new("rate", Direction::LowerIsWorse);
    let look = verdict(&lower, &after, &before[..100], false);
    assert!(matches!(look, Look::Worse { ratio, .. } if (ratio - 1.0 / 1.5).abs() < 0.05), "{look:?}");
    assert!(matches!(verdict(&lower, &before, &after[..200], false), Look::Fine { .. }));
}

#[test]
fn what_was_worse_for_one_look_only_is_not_rolled_back() {
    let before = spread(200, 10.0);
    let mut after = spread(50, 20.0);
    after.extend(spread(200, 10.0));
    for samples in [100, 150, 200, 250] {
        let look = verdict(&TERMS(), &before, &after[..samples], false);
        assert!(!matches!(look, Look::Worse { .. }), "{samples}: {look:?}");
    }
    // At the last look it has no time to prove itself, and what cannot be confirmed is not claimed either way.
    let mut late = spread(150, 11.4);
    late.extend(spread(50, 30.0));
    let crossed = verdict(&TERMS(), &before, &late, false);
    assert!(matches!(crossed, Look::Suspect { look: 4, need: 250, .. }), "{crossed:?}");
    let ended = verdict(&TERMS(), &before, &late, true);
    assert!(matches!(ended, Look::Inconclusive { why: Why::Unconfirmed { .. } }), "{ended:?}");
    late.extend(spread(50, 10.0));
    let refuted = verdict(&TERMS(), &before, &late, false);
    assert!(matches!(refuted, Look::Inconclusive { why: Why::Unconfirmed { .. } }), "{refuted:?}");
}

#[test]
fn what_is_tolerated_is_fine_and_what_seems_worse_is_not() {
    let before = spread(200, 10.0);
    assert!(matches!(verdict(&TERMS(), &before, &spread(200, 10.5), true), Look::Fine { ratio } if ratio > 1.03));
    let look = verdict(&TERMS(), &before, &spread(200, 11.2), true);
    assert!(matches!(look, Look::Inconclusive { why: Why::Undecided { .. } }), "{look:?}");
}

#[test]
fn a_few_bad_samples_are_left_out_and_many_are_a_reason_to_say_nothing() {
    let before = spread(220, 10.0);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -3.0] {
        let spoil = |every: usize| -> Vec<f64> {
            spread(250, 15.0).iter().enumerate().map(|(i, v)| if i % every == 0 { bad } else { *v }).collect()
        };
        assert!(matches!(verdict(&TERMS(), &before, &spoil(12), true), Look::Worse { .. }), "{bad}");
        let look = verdict(&TERMS(), &before, &spoil(5), true);
        assert!(matches!(look, Look::Inconclusive { why: Why::Unusable { .. } }), "{bad}: {look:?}");
        let look = verdict(&TERMS(), &spoil(5), &before, true);
        assert!(matches!(look, Look::Inconclusive { why: Why::Unusable { .. } }), "{bad}: {look:?}");
    }
}

#[test]
fn what_never_moves_was_not_measured() {
    let moves = spread(250, 10.0);
    for stuck in [0.0, 10.0, 30.0] {
        let still = [stuck; 250];
        for (before, after) in [(&still[..], &moves[..]), (&moves, &still), (&still, &still)] {
            assert_eq!(verdict(&TERMS(), before, after, true), Look::NoData { what: Absent::Movement });
        }
    }
}

#[test]
fn another_unit_is_no_regression_and_no_improvement() {
    let before = spread(200, 10.0);
    for unit in [1e3, 1e-3, 1e6] {
        let look = verdict(&TERMS(), &before, &scaled(&spread(200, 10.0), unit), true);
        assert!(matches!(look, Look::Inconclusive { why: Why::Absurd { ratio: Some(_), look: 1 } }), "{look:?}");
        let mut midway = spread(60, 10.0);
        midway.extend(scaled(&spread(140, 10.0), unit));
        let look = verdict(&TERMS(), &before, &midway, true);
        assert!(matches!(look, Look::Inconclusive { why: Why::Absurd { .. } }), "{look:?}");
    }
    let wide = MetricTerms { absurd: 1e4, ..TERMS() };
    assert!(matches!(verdict(&wide, &before, &spread(100, 1e4), true), Look::Worse { .. }));
    // There is no ratio to zero: errors that were never there before cannot be so many times more.
    let rare: Vec<f64> = (0..200).map(|index| if index % 50 == 0 { 1.0 } else { 0.0 }).collect();
    let look = verdict(&TERMS(), &rare, &spread(250, 5.0), true);
    assert!(matches!(look, Look::Inconclusive { why: Why::Absurd { ratio: None, .. } }), "{look:?}");
}

#[test]
fn when_the_control_moved_as_well_nothing_is_concluded() {
    let (before, after) = (spread(200, 10.0), spread(250, 15.0));
    let with = |baseline: &[f64], control: &[f64]| {
        let control = Some(Control { baseline, after: control });
        verdict_of(&TERMS(), &Series { baseline: &before, after: &after, control }, true)
    };
    let (still, moved) = (spread(250, 3.0), spread(250, 4.0));
    assert!(matches!(with(&spread(200, 3.0), &still), Look::Worse { .. }));
    assert!(matches!(with(&spread(200, 3.0), &moved), Look::Inconclusive { why: Why::Control { ratio: Some(_) } }));
    assert!(matches!(with(&[], &still), Look::Inconclusive { why: Why::NoControl }));
    assert!(matches!(with(&spread(200, 3.0), &[]), Look::Inconclusive { why: Why::NoControl }));
    // On a machine that became faster, the same duration may be harm.
    let control = Some(Control { baseline: &moved, after: &still });
    let hidden = verdict_of(&TERMS(), &Series { baseline: &before, after: &spread(200, 10.0), control }, true);
    assert!(matches!(hidden, Look::Inconclusive { why: Why::Control { .. } }), "{hidden:?}");
}

#[test]
fn silence_means_what_the_terms_say() {
    let before = spread(200, 10.0);
    let judged = |missing: Missing, baseline: &[f64], after: &[f64]| {
        let series = Series { baseline, after, control: None };
        judge(&[MetricTerms { missing, ..TERMS() }], &BTreeMap::from([("latency".to_owned(), series)]), true)
            .unwrap()
            .outcome
    };
    assert_eq!(judged(Missing::Worse, &before, &[]), Outcome::RolledBack);
    assert_eq!(judged(Missing::Worse, &[], &[]), Outcome::Inconclusive);
    assert_eq!(judged(Missing::Worse, &before, &before[..60]), Outcome::Inconclusive);
    assert_eq!(judged(Missing::Inconclusive, &before, &[]), Outcome::Inconclusive);
    // When nothing is left that counts, nothing speaks for keeping it.
    assert_eq!(judged(Missing::Ignore, &before, &[]), Outcome::Inconclusive);
    assert_eq!(judged(Missing::Worse, &before, &before), Outcome::Kept);
}

#[test]
fn one_metric_that_is_worse_rolls_back_and_all_must_be_fine_to_keep() {
    let (before, same, slow) = (spread(200, 10.0), spread(250, 10.0), spread(250, 15.0));
    let named = |name: &str, missing| MetricTerms { missing, ..MetricTerms::new(name, Direction::HigherIsWorse) };
    let terms = [named("a", Missing::Inconclusive), named("b", Missing::Inconclusive), named("c", Missing::Ignore)];
    let judged = |a: &[f64], b: &[f64], finished| {
        let of = |after| Series { baseline: &before, after, control: None };
        let series = BTreeMap::from([("a".to_owned(), of(a)), ("b".to_owned(), of(b))]);
        judge(&terms, &series, finished).unwrap().outcome
    };
    assert_eq!(judged(&same, &same, true), Outcome::Kept);
    assert_eq!(judged(&same, &slow, true), Outcome::RolledBack);
    assert_eq!(judged(&[], &slow, false), Outcome::RolledBack);
    assert_eq!(judged(&same, &[], true), Outcome::Inconclusive);
    assert_eq!(judged(&same, &slow[..60], false), Outcome::Open(Open::Suspect));
    assert_eq!(judged(&same, &same[..60], false), Outcome::Open(Open::Quiet));
    assert_eq!(judge(&[], &BTreeMap::new(), true).unwrap().outcome, Outcome::Inconclusive);
    let twice = judge(&[TERMS(), TERMS()], &BTreeMap::new(), true);
    assert_eq!(twice, Err(InvalidTerms::Twice { metric: "latency".to_owned() }));
}

#[test]
fn alpha_is_shared_out_among_the_metrics() {
    // Few samples can show 5 %, but not the part of one metric among thousands.
    let small = |index: usize| MetricTerms {
        name: format!("m{index}"),
        samples_per_look: 5,
        looks: 2,
        baseline: 5,
        alpha: 0.1,
        ..TERMS()
    };
    let of = |count: usize| judge(&(0..count).map(small).collect::<Vec<_>>(), &BTreeMap::new(), true);
    assert!(of(2).is_ok());
    assert!(matches!(of(2000), Err(InvalidTerms::Powerless { .. })));
}

#[test]
fn the_plain_rule_is_there_for_those_who_choose_it() {
    let plain = MetricTerms { rule: Rule::Plain { percent: 10.0 }, ..TERMS() };
    let before = spread(200, 10.0);
    assert!(matches!(verdict(&plain, &before, &spread(199, 12.0), false), Look::NeedMore { have: 199, need: 200 }));
    assert!(matches!(verdict(&plain, &before, &spread(200, 12.0), false), Look::Worse { p: None, look: 4, .. }));
    assert!(matches!(verdict(&plain, &before, &spread(200, 10.5), true), Look::Fine { .. }));
    let invalid = MetricTerms { looks: 0, ..TERMS() };
    let look = verdict(&invalid, &before, &before, true);
    assert!(matches!(look, Look::Inconclusive { why: Why::Terms { error } } if error.contains("`looks`")));
}
