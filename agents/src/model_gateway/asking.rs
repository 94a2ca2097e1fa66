//! Asking whoever can answer: the first choice, and when its provider is down the next. What was paid for before is found
//! whoever answered it then.

use std::time::Duration;

use kaizen_domain::{Cycle, Spend};
use kaizen_llm::Prompt;

use super::{Answered, GatewayHandle, Offer, Unanswered, Wish};
use crate::error::AgentError;

/// The longest pause of a provider that is waited for, when nobody else can be asked.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long the outcome of somebody else's probe is waited for before the next look.
const PROBE: Duration = Duration::from_secs(2);

/// An answer, and whom it came from.
pub struct Heard {
    /// The answer; what failed tries elsewhere cost is in its spend.
    pub answered: Answered,
    /// Who was asked.
    pub offer: Offer,
}

impl GatewayHandle {
    /// Asks about a matter. `write` makes the prompt for a model: each has its own room and its own form of edits.
    ///
    /// # Errors
    /// When the gateway itself fails or a prompt cannot be written. Models that give no answer are a value.
    pub async fn ask(
        &self,
        cycle: &Cycle,
        wish: &Wish,
        write: impl Fn(&Offer) -> Result<Prompt, AgentError>,
    ) -> Result<Result<Heard, Unanswered>, AgentError> {
        let offers = self.choose(wish).await?;
        // After a restart a provider may be up that was down: what another one was paid for then still counts.
        if offers.len() > 1 {
            for offer in &offers {
                let known = self.ask_one(cycle, &wish.task, &offer.route, (write(offer)?, true)).await?;
                if let Ok(answered) = known {
                    return Ok(Ok(Heard { answered, offer: offer.clone() }));
                }
            }
        }
        let mut spend = Spend::default();
        let mut last = Unanswered::unpaid("no model is configured");
        let mut waited = Duration::ZERO;
        loop {
            let mut shortest: Option<Duration> = None;
            for offer in &offers {
                match self.ask_one(cycle, &wish.task, &offer.route, (write(offer)?, false)).await? {
                    Ok(mut answered) => {
                        answered.spend = answered.spend.plus(spend);
                        return Ok(Ok(Heard { answered, offer: offer.clone() }));
                    }
                    Err(none) => {
                        spend = spend.plus(none.spend);
                        shortest = shortest.into_iter().chain(none.pause).min();
                        // A pause says less than what led to it.
                        let says_more = none.pause.is_none() || last.spend == Spend::default();
                        let elsewhere = none.elsewhere;
                        if says_more {
                            last = none;
                        }
                        if !elsewhere {
                            return Ok(Err(Unanswered { spend, ..last }));
                        }
                    }
                }
            }
            match shortest.filter(|pause| waited + *pause <= LONGEST_PAUSE && last.pause.is_some()) {
                Some(pause) => {
                    tracing::info!(?pause, "every model is left alone at present; waiting");
                    // None at all: somebody else's probe is under way.
                    let pause = pause.max(PROBE);
                    tokio::time::sleep(pause).await;
                    waited += pause;
                }
                None => return Ok(Err(Unanswered { spend, ..last })),
            }
        }
    }
}
