//! What came of the probes: one line each, and in the end one line that says it all.

use crate::play::{End, Played, play};
use crate::scene::{Scene, clear};
use crate::support::{Arrangement, is_root};
use crate::table::{Probe, Shown, Witness, known};

/// What an attempt inside came to.
pub enum Inside {
    Refused(String),
    Limited(String),
    Succeeded,
    /// It was not really tried, so nothing is shown.
    Broken(String),
}

/// What the same attempt came to outside.
pub enum Outside {
    Succeeds(&'static str),
    /// Only root can witness it.
    AsRootOnly,
    Fails(String),
}

pub struct Report {
    arrangement: Arrangement,
    probes: u32,
    succeeded: u32,
    excepted: u32,
    broken: u32,
    as_root_only: u32,
    without_witness: u32,
}

impl Report {
    pub fn new(arrangement: Arrangement) -> Self {
        let (probes, succeeded, excepted, broken, as_root_only, without_witness) = (0, 0, 0, 0, 0, 0);
        Self { arrangement, probes, succeeded, excepted, broken, as_root_only, without_witness }
    }

    pub fn arrangement(&self) -> Arrangement {
        self.arrangement
    }

    /// Plays a probe inside, and outside as its witness.
    pub fn play(&mut self, probe: &Probe) {
        let (shown, inside) = play_once(probe, Some(self.arrangement));
        let verdict = match (shown, inside.end.clone()) {
            (true, _) => Inside::Succeeded,
            (false, End::Refused(why)) => Inside::Refused(why),
            (false, End::Limit(limit)) => Inside::Limited(limit),
            (false, End::GotThrough) => Inside::Refused("it harms only itself".to_owned()),
            // The caller was meant to end, and nothing shows that the act outlived it.
            (false, End::CallerEnded(libc::SIGKILL)) => Inside::Refused("it ended with its caller".to_owned()),
            (false, end) => Inside::Broken(format!("{end:?}")),
        };
        let witness = match probe.witness {
            Witness::Root if !is_root() => Outside::AsRootOnly,
            witness => {
                // Once is enough to show that it can be done; a machine that is busy may spoil a single attempt.
                let (mut shown, mut outside) = play_once(probe, None);
                for _ in 0..3 {
                    if shown {
                        break;
                    }
                    (shown, outside) = play_once(probe, None);
                }
                match (shown, witness, outside.end) {
                    (true, Witness::Namespaces, _) => Outside::Succeeds(" in namespaces of its own"),
                    (true, Witness::Root, _) => Outside::Succeeds(" as root"),
                    (true, ..) => Outside::Succeeds(""),
                    (false, Witness::Answer, ref outside @ End::Refused(_)) if *outside != inside.end => {
                        Outside::Succeeds(" in getting another answer")
                    }
                    (false, _, end) => Outside::Fails(format!("{end:?}")),
                }
            }
        };
        self.line(&probe.name, verdict, witness);
    }

    /// Counts and prints one probe.
    pub fn line(&mut self, name: &str, inside: Inside, outside: Outside) {
        self.probes += 1;
        let inside = match (inside, known(self.arrangement, name)) {
            (Inside::Refused(why), _) => format!("refused: {why}"),
            (Inside::Limited(limit), _) => format!("limited: {limit}"),
            (Inside::Succeeded, Some(why)) => {
                self.excepted += 1;
                format!("SUCCEEDED, known: {why}")
            }
            (Inside::Succeeded, None) => {
                self.succeeded += 1;
                "SUCCEEDED".to_owned()
            }
            (Inside::Broken(why), _) => {
                self.broken += 1;
                format!("NOT TRIED: {why}")
            }
        };
        let outside = match outside {
            Outside::Succeeds(how) => format!("succeeds{how}"),
            Outside::AsRootOnly => {
                self.as_root_only += 1;
                "as root only".to_owned()
            }
            Outside::Fails(why) => {
                self.without_witness += 1;
                format!("FAILS: {why}")
            }
        };
        let width = 54usize.saturating_sub(name.chars().count());
        let at = self.arrangement.name();
        println!("{name}{} {at}  inside: {inside}  witness: {outside}", " ".repeat(width));
    }

    /// Prints the sum; whether nothing succeeded and every witness did.
    pub fn finish(&self) -> bool {
        let user = if is_root() { "root" } else { "ordinary" };
        println!(
            "escape: arrangement={} user={user} probes={} succeeded={} excepted={} not_tried={} as_root_only={} \
             without_witness={}",
            self.arrangement.name(),
            self.probes,
            self.succeeded,
            self.excepted,
            self.broken,
            self.as_root_only,
            self.without_witness
        );
        self.succeeded + self.broken + self.without_witness == 0
    }
}

/// Plays once in a scene of its own: whether it is shown to have succeeded, and how it ended.
fn play_once(probe: &Probe, arrangement: Option<Arrangement>) -> (bool, Played) {
    let mut scene = Scene::new();
    let mut shown = (probe.prepare)(&mut scene);
    let played = play(probe, &mut scene, arrangement);
    let did = match &mut shown {
        Shown::Said => played.end == End::GotThrough,
        Shown::Secret => played.output.contains(&scene.secret),
        Shown::Host(look) => look(),
        Shown::CallerEnded(signal) => played.end == End::CallerEnded(*signal),
    };
    clear(&scene.token);
    (did, played)
}
