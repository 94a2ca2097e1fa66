//! A flag that ends running jobs: setting it wakes every job that was given it.
//!
//! It stays set. It owns one descriptor, which jobs poll beside their pipes.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A cloneable flag; all clones are the same flag.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    set: AtomicBool,
    event: File,
    /// What cancels this one as well.
    above: Option<Cancel>,
}

impl Cancel {
    /// A flag that is not set.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Self::made(None)
    }

    /// A flag that is set when this one is, and can be set alone. A job notices the former within one look at it.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn below(&self) -> io::Result<Self> {
        Self::made(Some(self.clone()))
    }

    fn made(above: Option<Self>) -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and ours alone.
        let event = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        Ok(Self(Arc::new(Inner { set: AtomicBool::new(false), event, above })))
    }

    /// Sets the flag. Jobs that watch it are ended at once, with every process of theirs.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::SeqCst);
        // The counter is never read, so one write keeps the descriptor readable for good. It can only fail when the
        // counter is full, which means that it is readable already.
        let _ = (&self.0.event).write(&1u64.to_ne_bytes());
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::SeqCst) || self.0.above.as_ref().is_some_and(Self::is_cancelled)
    }

    /// Readable once the flag is set.
    pub(super) fn event(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}
