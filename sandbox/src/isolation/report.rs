//! What the processes of the sandbox's own tell Kaizen, over one pipe, in records of a fixed size.
//!
//! The command never has this pipe. A record is short enough for the kernel to keep it in one piece.

use super::sys::{Errno, REPORT_FD, write_all};

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// A step of the setup failed: its index over all steps, and the kernel's answer.
    Failed { step: u32, errno: Errno },
    /// Everything is set up; only in a dry run.
    Ready,
    /// The command has started its program, or has ended before it could.
    Started,
    /// The command has ended, with its wait status, which of the file systems in memory were full then, and how often
    /// something tried to reach a network.
    Ended { status: i32, tree_full: bool, tmp_full: bool, network: u32 },
}

impl Record {
    pub(super) const SIZE: usize = 12;

    /// Sends the record. When nobody listens any more, nobody needs it.
    pub(super) fn send(self) {
        let (kind, a, b) = match self {
            Self::Failed { step, errno } => (1, step, errno.cast_unsigned()),
            Self::Ready => (2, 0, 0),
            Self::Started => (4, 0, 0),
            Self::Ended { status, tree_full, tmp_full, network } => {
                let full = u32::from(tree_full) | u32::from(tmp_full) << 1;
                (3, status.cast_unsigned(), full | network.min(u32::MAX >> 2) << 2)
            }
        };
        let mut bytes = [0u8; Self::SIZE];
        for (to, word) in bytes.chunks_exact_mut(4).zip([kind, a, b]) {
            to.copy_from_slice(&u32::to_ne_bytes(word));
        }
        let _ = write_all(REPORT_FD, &bytes);
    }

    /// Reads a record; none when it is not one.
    pub(super) fn read(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let [k0, k1, k2, k3, a0, a1, a2, a3, b0, b1, b2, b3] = *bytes;
        let (kind, a, b) = (
            u32::from_ne_bytes([k0, k1, k2, k3]),
            u32::from_ne_bytes([a0, a1, a2, a3]),
            u32::from_ne_bytes([b0, b1, b2, b3]),
        );
        match kind {
            1 => Some(Self::Failed { step: a, errno: b.cast_signed() }),
            2 => Some(Self::Ready),
            4 => Some(Self::Started),
            3 => {
                let (tree_full, tmp_full, network) = (b & 1 != 0, b & 2 != 0, b >> 2);
                Some(Self::Ended { status: a.cast_signed(), tree_full, tmp_full, network })
            }
            _ => None,
        }
    }
}
