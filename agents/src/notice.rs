//! Notices: what a cycle tells whoever listens. Records are facts from the journal; progress is for the eye only.

use kaizen_domain::{OpportunityId, Record};
use tokio::sync::mpsc;

/// Something worth telling a listener.
#[derive(Debug, Clone)]
pub enum Notice {
    /// It is in the journal.
    Recorded(Box<Record>),
    /// Work goes on in the sandbox.
    Progress {
        /// The opportunity that is worked on; none while the base is.
        opportunity: Option<OpportunityId>,
        /// What is being done, such as `compiling serde (31)`.
        what: String,
    },
    /// An actor failed and is started again.
    Restarted {
        /// Which.
        actor: String,
        /// Why it failed.
        reason: String,
    },
}

/// Who listens.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    listeners: std::sync::Arc<std::sync::Mutex<Vec<mpsc::UnboundedSender<Notice>>>>,
}

impl Notices {
    /// A new listener; it gets every notice from now on.
    #[must_use]
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Notice> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sender);
        receiver
    }

    /// Tells all listeners; those that are gone are forgotten.
    pub fn tell(&self, notice: &Notice) {
        let mut listeners = self.listeners.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        listeners.retain(|listener| listener.send(notice.clone()).is_ok());
    }
}
