//! Which lines differ between two texts, in bounded time.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Lines on both sides, after what is the same at the ends, up to which a minimal diff is looked for.
const MINIMAL: usize = 12_000;

/// The operations that turn one list of lines into the other.
///
/// Beyond a size the middle part is given as replaced whole: right, only not minimal.
pub(super) fn line_ops(old: &[&[u8]], new: &[&[u8]]) -> Vec<DiffOp> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (old_len, new_len) = (old.len() - head - tail, new.len() - head - tail);
    if old_len + new_len <= MINIMAL {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    let mut ops = Vec::new();
    if head > 0 {
        ops.push(DiffOp::Equal { old_index: 0, new_index: 0, len: head });
    }
    ops.push(match (old_len, new_len) {
        (0, _) => DiffOp::Insert { old_index: head, new_index: head, new_len },
        (_, 0) => DiffOp::Delete { old_index: head, old_len, new_index: head },
        _ => DiffOp::Replace { old_index: head, old_len, new_index: head, new_len },
    });
    if tail > 0 {
        ops.push(DiffOp::Equal { old_index: old.len() - tail, new_index: new.len() - tail, len: tail });
    }
    ops
}

/// Lines added and removed.
pub(crate) fn changed_lines(old: &[u8], new: &[u8]) -> (usize, usize) {
    let (old, new) = (crate::lines::byte_lines(old), crate::lines::byte_lines(new));
    line_ops(&old, &new).iter().fold((0, 0), |(added, removed), op| match op {
        DiffOp::Equal { .. } => (added, removed),
        DiffOp::Insert { new_len, .. } => (added + new_len, removed),
        DiffOp::Delete { old_len, .. } => (added, removed + old_len),
        DiffOp::Replace { old_len, new_len, .. } => (added + new_len, removed + old_len),
    })
}
