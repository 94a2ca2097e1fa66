//! A child that borrows its parent's memory while the parent stands still, until it starts a program or ends.
//!
//! Copying a large parent's page tables costs up to 0.1 ms a mebibyte. Only the first process of a sandbox is such a
//! copy of Kaizen; those after it are made this way.

use std::ptr;

use super::sys::{Errno, check};

/// A stack for such a child, with a page below it that ends an overflow.
#[derive(Debug)]
pub(super) struct Stack {
    bottom: *mut libc::c_void,
}

// SAFETY: the memory belongs to the value alone, and only the child that it is lent to uses it.
unsafe impl Send for Stack {}
// SAFETY: as above; the parent stands still meanwhile, and every sandbox has its own copy of the memory.
unsafe impl Sync for Stack {}

impl Stack {
    const SIZE: usize = 256 << 10;
    const GUARD: usize = 64 << 10;

    /// A new stack; its pages are only taken up when they are used.
    pub(super) fn new() -> std::io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE;
        // SAFETY: asks for new memory.
        let bottom = unsafe {
            libc::mmap(ptr::null_mut(), Self::SIZE + Self::GUARD, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if bottom == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        let stack = Self { bottom };
        // SAFETY: the pages are ours, and nothing is in them.
        if unsafe { libc::mprotect(bottom, Self::GUARD, libc::PROT_NONE) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(stack)
    }

    /// Starts a child at `entry` with `argument`, and comes back when it has started a program or ended.
    ///
    /// # Safety
    /// `entry` must take `argument`, must not return into or unwind through other code, and must leave the memory that
    /// it shares as it was, but for its own stack. At most one child may use the stack.
    pub(super) unsafe fn run(
        &self,
        entry: extern "C" fn(*mut libc::c_void) -> libc::c_int,
        argument: *mut libc::c_void,
    ) -> Result<libc::pid_t, Errno> {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the top is one past the end of memory that is ours, and aligned to a page; the rest is the caller's.
        check(unsafe { libc::clone(entry, self.bottom.byte_add(Self::SIZE + Self::GUARD), flags, argument) })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the memory is ours and nobody uses it any more.
        unsafe { libc::munmap(self.bottom, Self::SIZE + Self::GUARD) };
    }
}
