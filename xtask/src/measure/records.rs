//! Records: what the program journalled, read from its JSON lines, and what landed by them.

use std::collections::BTreeMap;

use serde_json::Value;

/// A patch that a ref was moved for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Landed {
    /// The opportunity it was written for.
    pub opportunity: String,
    /// What it says it does.
    pub title: String,
    /// Its commit.
    pub commit: String,
    /// The ref that was moved.
    pub target: String,
}

/// Records of one cycle, in order.
#[derive(Debug, Clone, Default)]
pub struct CycleRecords {
    /// The cycle's id.
    pub id: String,
    records: Vec<Value>,
}

impl CycleRecords {
    /// How many records there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.records.len()
    }

    /// Whether it came to its end.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.records.iter().any(|record| record["event"]["event"] == "finished")
    }

    /// What landed, in order. A patch whose landing is recorded twice is here twice.
    #[must_use]
    pub fn landed(&self) -> Vec<Landed> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut written: BTreeMap<String, Landed> = BTreeMap::new();
        let mut landed = Vec::new();
        for event in self.records.iter().map(|record| &record["event"]) {
            let opportunity = text(&event["opportunity"]);
            match event["did"].as_str() {
                Some("written") => {
                    let patch = &event["patch"];
                    let (title, commit) = (text(&patch["title"]), text(&patch["commit"]));
                    written.insert(opportunity.clone(), Landed { opportunity, title, commit, target: String::new() });
                }
                Some("landing_intended") => {
                    if let Some(patch) = written.get_mut(&opportunity) {
                        patch.target = text(&event["landing"]["target"]);
                    }
                }
                Some("landed") => landed.extend(written.get(&opportunity).cloned()),
                _ => {}
            }
        }
        landed
    }
}

/// Whether a line says that a patch landed.
#[must_use]
pub fn is_landing(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|record| record["event"]["did"] == "landed")
}

/// The cycles that some JSON lines tell of, the oldest first. Other lines are left out.
#[must_use]
pub fn cycles(lines: &str) -> Vec<CycleRecords> {
    let mut cycles: Vec<CycleRecords> = Vec::new();
    for record in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let Some(id) = record["event"]["cycle"].as_str().map(str::to_owned) else { continue };
        match cycles.iter_mut().find(|cycle| cycle.id == id) {
            Some(cycle) => cycle.records.push(record),
            None => cycles.push(CycleRecords { id, records: vec![record] }),
        }
    }
    cycles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_landed_is_read_from_the_lines() {
        let lines = r#"{"seq":1,"event":{"of":"cycle","cycle":"c1","event":"started"}}
not json
{"of":"restarted","actor":"architect"}
{"seq":2,"event":{"of":"cycle","cycle":"c1","event":"attempt","opportunity":"o1","did":"written","patch":{"title":"a","commit":"1"}}}
{"seq":3,"event":{"of":"cycle","cycle":"c1","event":"attempt","opportunity":"o1","did":"written","patch":{"title":"b","commit":"2"}}}
{"seq":4,"event":{"of":"cycle","cycle":"c1","event":"attempt","opportunity":"o1","did":"landing_intended","landing":{"target":"refs/heads/x"}}}
{"seq":5,"event":{"of":"cycle","cycle":"c1","event":"attempt","opportunity":"o1","did":"landed"}}
{"seq":6,"event":{"of":"cycle","cycle":"c2","event":"started"}}
{"seq":7,"event":{"of":"cycle","cycle":"c1","event":"finished"}}"#;
        let cycles = cycles(lines);
        let counts: Vec<_> = cycles.iter().map(|cycle| (cycle.id.as_str(), cycle.count(), cycle.finished())).collect();
        assert_eq!(counts, [("c1", 6, true), ("c2", 1, false)]);
        let landed = cycles[0].landed();
        assert_eq!(landed.len(), 1);
        assert_eq!(
            (landed[0].title.as_str(), landed[0].commit.as_str(), landed[0].target.as_str()),
            ("b", "2", "refs/heads/x")
        );
        assert_eq!(lines.lines().filter(|line| is_landing(line)).count(), 1);
    }
}
