//! In which order what a change reaches is taken up: first the tests that are most likely to fail, and what those need.

use super::Work;
use super::calls::{DocCall, Kind, Unit, made_with, needs};

/// What is taken up at a time.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    Unit(usize, &'a Unit),
    Doc(usize, &'a DocCall),
}

/// Everything in the order in which it is taken, each behind what it needs: tests first, those before others that caught
/// more, then what only has to be built, then tests in docs that have to be compiled, which takes longest.
pub(super) fn in_turn<'a>(work: &'a Work<'_>, caught: &dyn Fn(&str) -> u32) -> Vec<Piece<'a>> {
    let units = work.reach.units.iter().filter_map(|at| Some(Piece::Unit(*at, work.calls.units.get(*at)?)));
    let docs = work.reach.docs.iter().filter_map(|at| Some(Piece::Doc(*at, work.calls.docs.get(*at)?)));
    let rank = |piece: &Piece<'_>| match piece {
        // Those of a library wait for nothing, so that one worker takes them while the other makes what the rest needs.
        Piece::Unit(_, unit) => match &unit.tests {
            Some(target) => (0, u32::MAX - caught(target), u8::from(!target.ends_with("/lib"))),
            None => (1, 0, 0),
        },
        Piece::Doc(at, doc) if work.docs.contains_key(at) => (0, u32::MAX - caught(&doc.target), 2),
        Piece::Doc(..) => (2, 0, 0),
    };
    let mut wanted: Vec<Piece<'a>> = units.chain(docs).collect();
    wanted.sort_by_key(rank);
    let mut taken: Vec<Piece<'a>> = Vec::new();
    for piece in &wanted {
        take(work, *piece, &mut taken);
    }
    taken
}

/// Takes a piece behind those that it needs.
fn take<'a>(work: &'a Work<'_>, piece: Piece<'a>, taken: &mut Vec<Piece<'a>>) {
    if let Piece::Unit(at, _) = piece
        && taken.iter().any(|other| matches!(other, Piece::Unit(other, _) if *other == at))
    {
        return;
    }
    for at in &work.reach.units {
        let Some(other) = work.calls.units.get(*at) else { continue };
        if waits_for(work, piece, *at, other) {
            take(work, Piece::Unit(*at, other), taken);
        }
    }
    taken.push(piece);
}

/// Whether a piece is taken only when a unit is there. A program of the base may start programs and examples in ways that
/// nobody can know.
pub(super) fn waits_for(work: &Work<'_>, piece: Piece<'_>, before: usize, other: &Unit) -> bool {
    let (at, unit) = match piece {
        Piece::Doc(_, doc) => return made_with(&doc.externs, other),
        Piece::Unit(at, unit) => (at, unit),
    };
    let started = matches!(other.kind, Kind::Program | Kind::Example) && other.package_dir() == unit.package_dir();
    at != before && (needs(unit, other) || (started && unit.tests.is_some() && work.kept.contains(&at)))
}
