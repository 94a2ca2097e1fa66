//! Listener: whoever hears what happens while a cycle or a round runs: the story in a terminal, the daemon's board.

use kaizen_agents::Notice;
use kaizen_agents::pull_requests::told::Told;
use kaizen_domain::CycleId;

use crate::story::Story;

/// Somebody who hears.
pub(crate) trait Listener {
    /// Something happened.
    fn hear(&mut self, notice: &Notice);
    /// A cycle that was cut off goes on.
    fn goes_on(&mut self, id: CycleId);
    /// Something became of a pull request.
    fn pull_request(&mut self, told: &Told);
    /// It is over.
    fn end(&mut self) {}
}

impl Listener for Story {
    fn hear(&mut self, notice: &Notice) {
        Self::hear(self, notice);
    }

    fn goes_on(&mut self, id: CycleId) {
        Self::goes_on(self, id);
    }

    fn pull_request(&mut self, told: &Told) {
        Self::pull_request(self, told);
    }

    fn end(&mut self) {
        Self::end(self);
    }
}
