//! What the processes of the sandbox's own tell Kaizen, over one socket, in records of a fixed size.
//!
//! The command never has this socket. A record is short enough for the kernel to keep it in one piece.

use std::fs::File;
use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::sys::{Errno, REPORT_FD, open_at, write_all};

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// With it comes a hold on the mounts of the sandbox.
    Mounts,
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
        let _ = write_all(REPORT_FD, &self.bytes());
    }

    fn bytes(self) -> [u8; Self::SIZE] {
        let (kind, a, b) = match self {
            Self::Failed { step, errno } => (1, step, errno.cast_unsigned()),
            Self::Ready => (2, 0, 0),
            Self::Started => (4, 0, 0),
            Self::Mounts => (5, 0, 0),
            Self::Ended { status, tree_full, tmp_full, network } => {
                let full = u32::from(tree_full) | u32::from(tmp_full) << 1;
                (3, status.cast_unsigned(), full | network.min(u32::MAX >> 2) << 2)
            }
        };
        let mut bytes = [0u8; Self::SIZE];
        for (to, word) in bytes.chunks_exact_mut(4).zip([kind, a, b]) {
            to.copy_from_slice(&u32::to_ne_bytes(word));
        }
        bytes
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
            5 => Some(Self::Mounts),
            3 => {
                let (tree_full, tmp_full, network) = (b & 1 != 0, b & 2 != 0, b >> 2);
                Some(Self::Ended { status: a.cast_signed(), tree_full, tmp_full, network })
            }
            _ => None,
        }
    }
}

/// Room for one descriptor beside a record.
const BESIDE: usize = 64;

/// A message of one record, and a descriptor beside it.
struct Message<'a> {
    part: libc::iovec,
    beside: MaybeUninit<[u64; BESIDE / 8]>,
    _bytes: std::marker::PhantomData<&'a mut [u8]>,
}

impl<'a> Message<'a> {
    fn of(bytes: &'a mut [u8; Record::SIZE]) -> Self {
        let part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        Self { part, beside: MaybeUninit::zeroed(), _bytes: std::marker::PhantomData }
    }

    /// As the kernel takes it; it points into this value.
    fn header(&mut self) -> libc::msghdr {
        // SAFETY: all zeroes are a valid value of this plain structure.
        let mut header: libc::msghdr = unsafe { zeroed() };
        header.msg_iov = &raw mut self.part;
        header.msg_iovlen = 1;
        header.msg_control = self.beside.as_mut_ptr().cast();
        header.msg_controllen = BESIDE as _;
        header
    }
}

/// Gives Kaizen a hold on this process's mounts, so that it can let go of them beside whatever comes next: that takes
/// longer than everything else at the end of a sandbox. Without it, they go with the last process.
///
/// Runs in the forked child: nothing here allocates.
pub(super) fn hand_over_mounts() {
    const ONE: u32 = size_of::<libc::c_int>() as u32;
    let Ok(mounts) = open_at(libc::AT_FDCWD, c"/proc/self/ns/mnt", libc::O_RDONLY, 0) else { return };
    let mut bytes = Record::Mounts.bytes();
    let mut message = Message::of(&mut bytes);
    let mut header = message.header();
    // SAFETY: the structure is valid, and there is room beside the record for one descriptor.
    unsafe {
        header.msg_controllen = libc::CMSG_SPACE(ONE) as _;
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        if first.is_null() {
            return;
        }
        (*first).cmsg_level = libc::SOL_SOCKET;
        (*first).cmsg_type = libc::SCM_RIGHTS;
        (*first).cmsg_len = libc::CMSG_LEN(ONE) as _;
        libc::CMSG_DATA(first).cast::<libc::c_int>().write_unaligned(mounts.0);
        libc::sendmsg(REPORT_FD, &raw const header, 0);
    }
}

/// Waits for a record; how many bytes came, and what came beside them.
pub(super) fn receive(socket: &File, bytes: &mut [u8; Record::SIZE]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut message = Message::of(bytes);
    let mut header = message.header();
    let read = loop {
        // SAFETY: the structure is valid, and what it points to lives as long.
        let read = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_CMSG_CLOEXEC) };
        match usize::try_from(read) {
            Ok(read) => break read,
            Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: the kernel filled the structure in; a descriptor in it is new and ours alone.
    let beside = unsafe {
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        let is_one = !first.is_null()
            && (*first).cmsg_level == libc::SOL_SOCKET
            && (*first).cmsg_type == libc::SCM_RIGHTS
            && (*first).cmsg_len as usize == libc::CMSG_LEN(size_of::<libc::c_int>() as u32) as usize;
        is_one.then(|| OwnedFd::from_raw_fd(libc::CMSG_DATA(first).cast::<libc::c_int>().read_unaligned()))
    };
    Ok((read, beside))
}
