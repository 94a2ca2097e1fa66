//! Properties of the verdict that hold for any data.

use kaizen_watch::{
    Control, Direction, Look, MetricTerms, Missing, Rule, Series, greater, ratio, verdict, verdict_of, verdict_within,
};
use proptest::prelude::*;

const LOOK: usize = 8;
const BASELINE: usize = 16;

/// Terms of a small plan, as it takes few samples to walk through.
fn terms() -> impl Strategy<Value = MetricTerms> {
    let direction = prop_oneof![Just(Direction::HigherIsWorse), Just(Direction::LowerIsWorse)];
    let missing = prop_oneof![Just(Missing::Inconclusive), Just(Missing::Worse), Just(Missing::Ignore)];
    let rule = prop_oneof![4 => Just(Rule::Sequential), 1 => Just(Rule::Plain { percent: 10.0 })];
    (direction, missing, rule, 2..=3_usize, 0.0..0.3).prop_map(|(direction, missing, rule, looks, tolerance)| {
        let usual = MetricTerms::new("m", direction);
        let (samples_per_look, baseline, alpha) = (LOOK, BASELINE, 0.05);
        MetricTerms { missing, rule, looks, tolerance, samples_per_look, baseline, alpha, ..usual }
    })
}

fn measured(samples: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(prop_oneof![4 => 0.5..2.0, 1 => (1..4_u8).prop_map(f64::from)], samples)
}

fn any_floats(samples: usize) -> impl Strategy<Value = Vec<f64>> {
    let float = prop_oneof![
        4 => 0.5..2.0,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX, 5e-324, -1.0]),
    ];
    prop_oneof![
        proptest::collection::vec(float, 0..=samples),
        proptest::collection::vec(any::<f64>(), 0..=samples),
        proptest::collection::vec(0.0..f64::MAX, 0..=samples),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_every_number_can_be_written_down(
        terms in terms(),
        baseline in any_floats(40),
        after in any_floats(40),
        control in proptest::option::of((any_floats(40), any_floats(40))),
        finished in any::<bool>(),
    ) {
        let control = control.as_ref().map(|(baseline, after)| Control { baseline, after });
        let look = verdict_of(&terms, &Series { baseline: &baseline, after: &after, control }, finished);
        let shown = serde_json::to_string(&look).unwrap();
        let read = serde_json::from_str::<Look>(&shown);
        prop_assert!(read.as_ref().is_ok_and(|read| alike(read, &look)), "{} was read as {:?}", shown, read);
        prop_assert!(!(finished && look.is_open()), "{:?}", look);
    }

    #[test]
    fn another_unit_on_both_sides_changes_nothing(
        terms in terms(),
        baseline in measured(BASELINE..=24),
        after in measured(0..=40_usize),
        unit in prop::sample::select(vec![1e-9, 1e-3, 0.7, 60.0, 1e6, 1e12]),
    ) {
        let scaled = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<f64>>();
        let plain = verdict(&terms, &baseline, &after, true);
        let other = verdict(&terms, &scaled(&baseline), &scaled(&after), true);
        prop_assert!(alike(&plain, &other), "{:?} became {:?}", plain, other);
    }

    #[test]
    fn the_order_inside_a_look_changes_nothing(
        terms in terms(),
        baseline in any_floats(24),
        after in any_floats(40),
        by in 0..LOOK,
    ) {
        let mut turned = after.clone();
        turned.chunks_exact_mut(LOOK).for_each(|look| look.rotate_left(by));
        let mut reversed = baseline.clone();
        reversed.reverse();
        let plain = verdict(&terms, &baseline, &after, true);
        let other = verdict(&terms, &reversed, &turned, true);
        prop_assert!(alike(&plain, &other), "{:?} became {:?}", plain, other);
    }

    #[test]
    fn identical_data_are_never_rolled_back(terms in terms(), look in measured(LOOK), finished in any::<bool>()) {
        let same: Vec<f64> = look.iter().copied().cycle().take(LOOK * 6).collect();
        let found = verdict(&terms, &same, &same, finished);
        prop_assert!(!matches!(found, Look::Worse { .. } | Look::Silent | Look::Suspect { .. }), "{:?}", found);
    }

    #[test]
    fn once_decided_later_samples_change_nothing(
        terms in terms(),
        baseline in measured(BASELINE),
        after in measured(40),
        factor in 0.5..3.0_f64,
    ) {
        let after: Vec<f64> = after.iter().map(|value| value * factor).collect();
        let boundaries = terms.boundaries(baseline.len());
        let mut decided: Option<Look> = None;
        for samples in 0..=after.len() {
            let series = Series { baseline: &baseline, after: &after[..samples], control: None };
            let look = verdict_within(&terms, &boundaries, &series, false);
            match &decided {
                Some(decided) => prop_assert_eq!(&look, decided),
                None if !look.is_open() => decided = Some(look),
                None => {}
            }
        }
        prop_assert!(decided.is_some(), "the plan came to no end");
    }

    #[test]
    fn few_samples_are_never_a_reason_to_keep_or_to_roll_back(
        terms in terms(),
        baseline in measured(0..BASELINE),
        after in measured(0..LOOK),
        enough in measured(BASELINE),
        full in measured(LOOK * 4),
    ) {
        for (baseline, after) in [(&baseline, &full), (&enough, &after)] {
            let look = verdict(&terms, baseline, after, true);
            prop_assert!(matches!(look, Look::NoData { .. } | Look::Silent), "{:?}", look);
        }
    }

    #[test]
    fn both_directions_are_mirror_images(before in measured(1..30_usize), after in measured(1..30_usize)) {
        let (up, down) = (greater(&before, &after), greater(&after, &before));
        prop_assert!((up.u + down.u - (before.len() * after.len()) as f64).abs() < 1e-9);
        let (there, back) = (ratio(&before, &after).unwrap(), ratio(&after, &before).unwrap());
        prop_assert!((there * back - 1.0).abs() < 1e-9, "{} and {}", there, back);
    }
}

/// The same verdict, with numbers that differ by no more than rounding.
fn alike(a: &Look, b: &Look) -> bool {
    let close = |a: f64, b: f64| a == b || (a / b - 1.0).abs() < 1e-6;
    match (a, b) {
        (Look::Worse { ratio: ra, p: pa, look: la }, Look::Worse { ratio: rb, p: pb, look: lb }) => {
            close(*ra, *rb) && la == lb && close(pa.unwrap_or(1.0), pb.unwrap_or(1.0))
        }
        (Look::Fine { ratio: a }, Look::Fine { ratio: b }) => close(*a, *b),
        (Look::Inconclusive { .. }, Look::Inconclusive { .. }) => {
            std::mem::discriminant(a) == std::mem::discriminant(b)
        }
        (a, b) => a == b,
    }
}
