//! Records of models: what became of what they wrote, by the kind of work, and which forms of edits they managed. All of
//! it is a fold over the journal; nothing is kept besides.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{
    AttemptEvent, CycleId, Decision, EngineName, Event, ModelUse, OpportunityId, OpportunityKind, Spend,
};
use kaizen_llm::Format;
use kaizen_llm::record::Record;

/// What is known of all models.
#[derive(Debug, Clone, Default)]
pub struct ModelRecords {
    /// By route and kind of work: was what it wrote accepted?
    accepted: BTreeMap<(String, OpportunityKind), Record>,
    /// By route and form: could its edits be used?
    usable: BTreeMap<(String, String), Record>,
    /// By route: what its patches cost.
    spent: BTreeMap<String, Spend>,
    kinds: BTreeMap<OpportunityId, OpportunityKind>,
    /// The model whose patch is being judged.
    judged: BTreeMap<(CycleId, OpportunityId), String>,
    replays: BTreeSet<CycleId>,
}

impl ModelRecords {
    /// Takes in what happened, each record once and in order.
    pub fn take<'r>(&mut self, records: impl IntoIterator<Item = &'r kaizen_domain::Record>) {
        for record in records {
            let Event::Cycle { cycle, event } = &record.event else { continue };
            match event {
                // A replay says again what is known.
                CycleEvent::Started { request } if request.replays.is_some() => {
                    self.replays.insert(*cycle);
                }
                _ if self.replays.contains(cycle) => {}
                CycleEvent::Ranked { opportunities, .. } => {
                    self.kinds.extend(opportunities.iter().map(|one| (one.id, one.kind)));
                }
                CycleEvent::Attempt { opportunity, what } => self.attempt(*cycle, *opportunity, what),
                _ => {}
            }
        }
    }

    /// How a model did on a kind of work.
    #[must_use]
    pub fn accepted(&self, route: &str, kind: OpportunityKind) -> Record {
        self.accepted.get(&(route.to_owned(), kind)).cloned().unwrap_or_default()
    }

    /// How a model did with a form of edits.
    #[must_use]
    pub fn usable(&self, route: &str, format: Format) -> Record {
        self.usable.get(&(route.to_owned(), format.word().to_owned())).cloned().unwrap_or_default()
    }

    /// Every record of a model: the kind of work and how it did.
    pub fn kinds(&self, route: &str) -> impl Iterator<Item = (OpportunityKind, &Record)> {
        self.accepted.iter().filter(move |((of, _), _)| of == route).map(|((_, kind), record)| (*kind, record))
    }

    /// What a model's patches cost, and how much of what was sent the provider had in its cache.
    #[must_use]
    pub fn spent(&self, route: &str) -> Spend {
        self.spent.get(route).copied().unwrap_or_default()
    }

    fn attempt(&mut self, cycle: CycleId, opportunity: OpportunityId, what: &AttemptEvent) {
        let at = (cycle, opportunity);
        match what {
            AttemptEvent::Written { patch } if patch.author.engine == EngineName::Model => {
                self.used(&patch.author.uses);
                if let Some(last) = patch.author.uses.last() {
                    let spent = self.spent.entry(last.route.clone()).or_default();
                    *spent = spent.plus(patch.spend);
                    self.judged.insert(at, last.route.clone());
                }
            }
            AttemptEvent::GaveUp { uses, .. } => {
                self.used(uses);
                self.judged.remove(&at);
                // Whoever answered last and could not be used has failed at this work.
                if let Some(last) = uses.last().filter(|last| !last.usable) {
                    self.outcome(last.route.clone(), opportunity, false);
                }
            }
            AttemptEvent::Reworked { .. } => self.judge(at, Some(false)),
            AttemptEvent::Decided { decision } => self.judge(
                at,
                match decision {
                    Decision::Land | Decision::Ask { .. } => Some(true),
                    Decision::Reject { .. } => Some(false),
                    Decision::Inconclusive { .. } => None,
                },
            ),
            _ => {}
        }
    }

    fn used(&mut self, uses: &[ModelUse]) {
        for one in uses {
            self.usable.entry((one.route.clone(), one.format.clone())).or_default().push(one.usable);
        }
    }

    fn judge(&mut self, at: (CycleId, OpportunityId), accepted: Option<bool>) {
        if let (Some(route), Some(accepted)) = (self.judged.remove(&at), accepted) {
            self.outcome(route, at.1, accepted);
        }
    }

    fn outcome(&mut self, route: String, opportunity: OpportunityId, accepted: bool) {
        let Some(kind) = self.kinds.get(&opportunity).copied() else { return };
        let record = self.accepted.entry((route.clone(), kind)).or_default();
        let before = record.worse;
        record.push(accepted);
        if record.worse && !before {
            let (held, all) = record.counts();
            tracing::warn!(
                %route, ?kind, accepted = held, of = all,
                "what this model writes is accepted less often than before; what is known of it begins anew"
            );
        }
    }
}
