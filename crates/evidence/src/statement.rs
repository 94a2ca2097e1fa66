//! The statement: an in-toto statement (v1) about one commit, whose predicate is the decision and everything that it rests
//! on.

use std::collections::BTreeMap;

use kaizen_domain::trial::Speed;
use kaizen_domain::{
    Authorship, Behaviour, Check, CommitId, CycleId, Decision, Layer, Millis, Noticed, OpportunityId, OpportunityKind,
    PatchId, Review, Spend, TestOutcome, TreeId, TrialReport,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The kind of statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The kind of predicate.
const PREDICATE: &str = "urn:kaizen:decision:1";

/// A statement about a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The kind of statement.
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// The kind of predicate.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said about it.
    pub predicate: Evidence,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The patch, in words.
    pub name: String,
    /// The commit and its tree.
    pub digest: SubjectDigest,
}

/// A commit by its digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectDigest {
    /// The commit.
    pub git_commit: CommitId,
    /// Its tree.
    pub git_tree: TreeId,
}

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of Kaizen.
    pub kaizen: String,
    /// The cycle.
    pub cycle: CycleId,
    /// The patch.
    pub patch: PatchId,
    /// What it is for.
    pub opportunity: OpportunityId,
    /// What kind of change that is.
    pub kind: OpportunityKind,
    /// Who wrote it.
    pub author: Authorship,
    /// The commit that it was written and tried on.
    pub base: CommitId,
    /// The SHA-256 digest of the change as a unified diff, as `kaizen diff` prints it.
    pub diff_sha256: String,
    /// What had to be shown.
    pub check: Check,
    /// What the review found.
    pub review: Review,
    /// The trial of the base.
    pub before: TestsTried,
    /// The trial of the patch.
    pub after: TestsTried,
    /// How far tests would notice a wrong version of what changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Noticed>,
    /// Whether functions do the same before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<Behaviour>,
    /// What a benchmark said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    /// What was decided.
    pub decision: Decision,
    /// Whether a person had agreed to what needs one.
    pub approved: bool,
    /// What writing it cost.
    pub spend: Spend,
}

/// A trial, without what tests printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsTried {
    /// The commit whose tree was tried.
    pub commit: CommitId,
    /// The compiler.
    pub toolchain: String,
    /// The layers of the sandbox.
    pub layers: Vec<Layer>,
    /// Every test.
    pub tests: BTreeMap<String, TestOutcome>,
    /// Tests that gave different outcomes on the same tree.
    pub flaky: Vec<String>,
    /// The digests of the programs of tests.
    pub artefacts: BTreeMap<String, String>,
    /// Targets whose tests were not run, because the change cannot reach them.
    pub unreached: Vec<String>,
    /// Tests that stood in another file of the base, word for word, each with the id that it had there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, String>,
    /// The same with more features on, where what changes is behind some that are off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_features: Option<Box<TriedWithFeatures>>,
    /// Wall time, milliseconds.
    pub wall: Millis,
}

/// Trials with features on that are off otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedWithFeatures {
    /// The features.
    pub features: Vec<String>,
    /// Before the change.
    pub before: TestsTried,
    /// After it.
    pub after: TestsTried,
    /// How far tests notice what changes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Noticed>,
    /// Whether functions do the same as before there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<Behaviour>,
}

impl TestsTried {
    /// What of a report is kept.
    #[must_use]
    pub fn of(report: &TrialReport) -> Self {
        Self {
            commit: report.commit.clone(),
            toolchain: report.toolchain.clone(),
            layers: report.layers.clone(),
            tests: report.tests.iter().map(|(id, test)| (id.0.clone(), test.outcome)).collect(),
            flaky: report.flaky.iter().map(|id| id.0.clone()).collect(),
            artefacts: report.artefacts.clone(),
            unreached: report.unreached.clone(),
            moved: report.moved.iter().map(|(now, was)| (now.0.clone(), was.0.clone())).collect(),
            with_features: report.with_features.as_deref().map(|more| {
                Box::new(TriedWithFeatures {
                    features: more.features.clone(),
                    before: Self::of(&more.base),
                    after: Self::of(&more.candidate),
                    noticed: more.candidate.noticed.as_deref().cloned(),
                    behaviour: more.candidate.behaviour.as_deref().cloned(),
                })
            }),
            wall: report.wall,
        }
    }
}

impl Statement {
    /// A statement about a commit with this tree.
    #[must_use]
    pub fn new(name: &str, commit: CommitId, tree: TreeId, evidence: Evidence) -> Self {
        Self {
            kind: STATEMENT.to_owned(),
            subject: vec![Subject {
                name: name.to_owned(),
                digest: SubjectDigest { git_commit: commit, git_tree: tree },
            }],
            predicate_type: PREDICATE.to_owned(),
            predicate: evidence,
        }
    }

    /// The commit and tree that it is about, when it is a statement of this kind about one commit.
    #[must_use]
    pub fn about(&self) -> Option<&SubjectDigest> {
        let [subject] = self.subject.as_slice() else { return None };
        (self.kind == STATEMENT && self.predicate_type == PREDICATE).then_some(&subject.digest)
    }
}

/// The SHA-256 digest of a text, in hexadecimal digits.
#[must_use]
pub fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
