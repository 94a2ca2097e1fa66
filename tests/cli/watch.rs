//! The watch over what has landed: metrics of a scripted Prometheus, of a command and of a bench before and after, and the
//! tests. What hurts is taken back under whatever came on top, what does not is kept, and where it does not go a person is
//! asked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kaizen_forgestand::scripted::Dialect;

use crate::cli::daemon::{Daemon, free};
use crate::cli::forge::{Forge, NAME};
use crate::cli::support::Room;

/// Answers range queries: one value before a moment, another after it, both a little noisy.
struct Prometheus {
    address: String,
    /// The moment, milliseconds since the epoch.
    landed: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Prometheus {
    fn start(factor: f64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (landed, ended) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicBool::new(false)));
        let (at, over) = (landed.clone(), ended.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let mut bytes = [0_u8; 4096];
                let read = stream.read(&mut bytes).unwrap_or(0);
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let query = text.split_whitespace().nth(1).unwrap_or("").to_owned();
                let of = |name: &str| {
                    let value = query.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
                    value.and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0)
                };
                let body = answer((of("start"), of("end"), of("step")), at.load(Ordering::SeqCst), factor);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, landed, ended }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = std::net::TcpStream::connect(&self.address);
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times of today"
)]
fn answer((start, end, step): (f64, f64, f64), landed: u64, factor: f64) -> String {
    let mut values = Vec::new();
    let mut at = start;
    while at <= end && values.len() < 5000 {
        // Always the same noise for the same moment, and never the same value twice.
        let seed = ((at * 1000.0) as u64).wrapping_mul(6_364_136_223_846_793_005).rotate_left(17);
        let noise = (seed % 1000) as f64 / 5000.0;
        let value = if at * 1000.0 <= landed as f64 { 1.0 } else { factor } * (0.9 + noise);
        values.push(format!("[{at:.3},\"{value:.6}\"]"));
        at += step.max(0.001);
    }
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{}},\"values\":[{}]}}]}}}}",
        values.join(",")
    )
}

/// A patch that landed on `main`, and a daemon that watches it, with a window of so many seconds.
fn watched(room: &Room, factor: f64, window: u64) -> (Daemon, Prometheus) {
    room.kaizen(&["run-cycle", "--landing", "merge", "--update-worktree", "--max-landings", "1"]).expect(0);
    let prometheus = Prometheus::start(factor);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    prometheus.landed.store(u64::try_from(now).expect("before the year 584 million"), Ordering::SeqCst);
    (watch(room, &prometheus, window), prometheus)
}

fn watch(room: &Room, prometheus: &Prometheus, window: u64) -> Daemon {
    let (listen, path) = (free(), room.repo.display().to_string());
    let text = format!(
        "[daemon]\nlisten = \"{listen}\"\n[[repository]]\npath = \"{path}\"\nlanding = \"merge\"\nupdate_worktree = true\n\
         [repository.watch]\nwindow_secs = {window}\nlook_secs = 1\n\
         [[repository.watch.metric]]\nname = \"latency\"\nprometheus = \"http://{}\"\nquery = \"latency\"\nevery_secs = 1\n\
         samples_per_look = 6\nlooks = 2\nbaseline = 20\n",
        prometheus.address
    );
    let file = room.beside("watch.toml", text);
    Daemon::start(room.program(&["daemon", "--settings", &file]), &listen)
}

/// A daemon that watches with what a piece of settings asks for.
fn watch_by(room: &Room, more: &str) -> Daemon {
    let (listen, path) = (free(), room.repo.display().to_string());
    let text = format!(
        "[daemon]\nlisten = \"{listen}\"\n[[repository]]\npath = \"{path}\"\nlanding = \"merge\"\nupdate_worktree = true\n\
         [repository.watch]\nlook_secs = 1\n{more}"
    );
    let file = room.beside("watch.toml", text);
    Daemon::start(room.program(&["daemon", "--settings", &file]), &listen)
}

fn land(room: &Room) {
    room.kaizen(&["run-cycle", "--landing", "merge", "--update-worktree", "--max-landings", "1"]).expect(0);
}

fn has(room: &Room, text: &str) -> bool {
    room.records().iter().any(|record| record.to_string().contains(text))
}

#[test]
fn what_hurts_is_taken_back_under_what_came_on_top() {
    let room = Room::tiny();
    let before = room.show("HEAD", "src/lib.rs");
    room.kaizen(&["run-cycle", "--landing", "merge", "--update-worktree", "--max-landings", "1"]).expect(0);
    assert_ne!(room.show("HEAD", "src/lib.rs"), before);
    room.write("NOTES.md", "Somebody else's.\n");
    room.commit("Add notes");
    let prometheus = Prometheus::start(3.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    prometheus.landed.store(u64::try_from(now).expect("a time"), Ordering::SeqCst);
    let daemon = watch(&room, &prometheus, 600);
    daemon.until("it is taken back", || has(&room, "\"did\":\"rolled_back\""));
    daemon.until("the job is over", || daemon.status()["repositories"][0]["running"].is_null());
    assert_eq!(room.show("HEAD", "src/lib.rs"), before);
    assert_eq!(room.show("HEAD", "NOTES.md"), "Somebody else's.\n");
    let message = room.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("Revert \"") && message.contains("x of before, p = "), "{message}");
    let (_, said) = daemon.terminate();
    assert!(said.err.contains("ROLLED-BACK"), "{}", said.err);
    // What was taken back is not proposed again as it was.
    let title = message.split('"').nth(1).expect("a title").to_owned();
    let said = room.kaizen(&["run-cycle"]).expect(0);
    assert!(said.out.contains("chosen    1 of 1") && !said.out.contains(&title), "{title}: {}", said.out);
}

#[test]
fn what_does_not_hurt_is_kept() {
    let room = Room::tiny();
    let (daemon, _prometheus) = watched(&room, 1.0, 22);
    daemon.until("it is judged", || has(&room, "\"did\":\"judged\""));
    assert!(has(&room, "\"verdict\":\"kept\""), "{:?}", daemon.status());
    assert!(!has(&room, "rolled_back"));
}

#[test]
fn where_later_changes_stand_in_the_way_a_person_is_asked() {
    let room = Room::tiny();
    let (daemon, prometheus) = watched(&room, 3.0, 600);
    drop(daemon);
    let lib = room.show("HEAD", "src/lib.rs");
    room.write(
        "src/lib.rs",
        lib.replace("a + b", "b + a")
            .replace("list.is_empty()", "list.first().is_none()")
            .replace("list.len() == 0", "list.first().is_none()"),
    );
    room.commit("Change the same lines");
    let daemon = watch(&room, &prometheus, 600);
    let tip = room.rev("main");
    daemon.until("a person is asked", || has(&room, "\"did\":\"rollback_failed\""));
    assert!(has(&room, "later changes stand in the way in src/lib.rs"));
    daemon.until("the job is over", || daemon.status()["repositories"][0]["running"].is_null());
    assert_eq!(room.rev("main"), tip, "nothing was forced");
    std::thread::sleep(Duration::from_millis(10));
    let (_, said) = daemon.terminate();
    assert!(said.err.contains("git revert"), "{}", said.err);
}

/// A line for a shell that prints a number which is three times as large when a file says so, with some noise.
fn noisy(when: &str) -> String {
    format!(
        "n=$(( $(od -An -N2 -tu2 /dev/urandom) )); if {when}; then f=3; else f=1; fi; awk -v n=$n -v f=$f 'BEGIN {{ print f * (0.9 + n / 327680) }}'"
    )
}

#[test]
fn a_bench_of_the_repository_is_run_on_both_sides_and_takes_back() {
    let room = Room::tiny();
    let before = room.show("HEAD", "src/lib.rs");
    room.write("old.rs", &before);
    room.commit("Keep what there was");
    land(&room);
    let bench = noisy("! cmp -s src/lib.rs old.rs");
    let more = format!(
        "[[repository.watch.metric]]\nname = \"speed\"\nbench = '''{bench} '''\nbaseline = 12\nsamples_per_look = 6\nlooks = 2\n"
    );
    let daemon = watch_by(&room, &more);
    daemon.until("it is taken back", || has(&room, "\"did\":\"rolled_back\""));
    assert!(has(&room, "\"did\":\"measured\""));
    daemon.until("the job is over", || daemon.status()["repositories"][0]["running"].is_null());
    assert_eq!(room.show("HEAD", "src/lib.rs"), before);
    assert!(room.git(&["log", "-1", "--format=%B"]).contains("speed: "));
}

#[test]
fn a_bench_that_prints_nothing_decides_nothing_and_the_reason_is_kept() {
    let room = Room::tiny();
    land(&room);
    let daemon = watch_by(
        &room,
        "window_secs = 3600\n[[repository.watch.metric]]\nname = \"speed\"\nbench = \"echo fine\"\nbaseline = 12\n\
         samples_per_look = 6\nlooks = 2\n[[repository.watch.metric]]\nname = \"size\"\nbench = \"exit 7\"\n",
    );
    daemon.until("both were measured", || {
        room.records().iter().filter(|record| record.to_string().contains("\"did\":\"measured\"")).count() == 2
    });
    assert!(has(&room, "the last one is `fine`") && has(&room, "it ended by exit code 7 in run 1"));
    assert!(!has(&room, "rolled_back"));
}

#[test]
fn the_number_of_a_command_is_taken_before_and_after() {
    let room = Room::tiny();
    let before = room.show("HEAD", "src/lib.rs");
    let switch = room.beside("slow", "");
    std::fs::remove_file(&switch).expect("it is there");
    let command = noisy(&format!("[ -e {switch} ]"));
    let more = format!(
        "[[repository.watch.metric]]\nname = \"queue\"\ncommand = '''{command} '''\nevery_secs = 1\nbaseline = 10\n\
         samples_per_look = 5\nlooks = 2\n"
    );
    let daemon = watch_by(&room, &more);
    std::thread::sleep(Duration::from_secs(12));
    land(&room);
    std::fs::write(&switch, "").expect("it can be written");
    daemon.until("it is taken back", || has(&room, "\"did\":\"rolled_back\""));
    daemon.until("the job is over", || daemon.status()["repositories"][0]["running"].is_null());
    assert_eq!(room.show("HEAD", "src/lib.rs"), before);
}

#[test]
fn tests_that_hold_on_what_landed_keep_it() {
    let room = Room::tiny();
    land(&room);
    let daemon = watch_by(&room, "tests = true\n");
    daemon.until("it is judged", || has(&room, "\"did\":\"judged\""));
    assert!(has(&room, "\"verdict\":\"kept\"") && has(&room, "all that passed before pass on"));
    assert!(room.kaizen(&["log"]).expect(0).out.contains("all that passed before pass on"));
}

/// A daemon that follows pull requests, and watches what was merged of them.
fn watch_merged(forge: &Forge, what: &str) -> Daemon {
    let (listen, path) = (free(), forge.room.repo.display().to_string());
    forge.set(&format!(
        "[daemon]\nlisten = \"{listen}\"\npoll_secs = 2\n[[repository]]\npath = \"{path}\"\nlanding = \"pull-request\"\n\
         [repository.watch]\nlook_secs = 1\n{what}\n"
    ));
    let file = forge.room.at("own.toml").display().to_string();
    Daemon::start(forge.room.program(&["daemon", "--settings", &file]), &listen)
}

#[test]
fn a_check_that_fails_after_a_merge_and_not_before_counts_when_it_is_seen_twice() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    let before = forge.room.rev("main");
    forge.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0);
    forge.merge(1);
    let merged = forge.bare.tip("main").expect("a branch");
    for (commit, name) in [(&before, "audit"), (&merged, "audit"), (&merged, "ci")] {
        forge.check(commit, name, false, "exit code 1");
    }
    let daemon = watch_merged(&forge, "checks = true");
    daemon.until("it is proposed to be taken back", || forge.api.pulls(NAME) == 2);
    assert!(
        has(&forge.room, "\"checks\":[\"ci\"],\"did\":\"seen_red\"")
            || has(&forge.room, "\"did\":\"seen_red\",\"checks\":[\"ci\"]")
    );
    let body = forge.body(2);
    assert!(body.contains("fail: ci") && !body.contains("audit"), "{body}");
    // What it takes back is all of what was merged.
    let files: Vec<_> = forge.bare.changed(&before, &forge.head(2)).iter().map(|file| file.path.clone()).collect();
    assert_eq!(files, Vec::<String>::new());
}

/// Two changes that fit together as text and not in what they do: only the tests on the merged commit show it.
#[test]
fn tests_that_fail_on_what_was_merged_propose_to_take_it_back() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0);
    let keeps = "#[test]\nfn keeps() {\n    let lib = include_str!(\"../src/lib.rs\");\n    \
                 assert!(lib.contains(\"return a + b\") && lib.contains(\"list.len() == 0\"));\n}\n";
    forge.upstream("Hold on to the old ways", &[("tests/keeps.rs", keeps)]);
    forge.merge(1);
    let daemon = watch_merged(&forge, "tests = true");
    daemon.until("it is proposed to be taken back", || forge.api.pulls(NAME) == 2);
    assert!(has(&forge.room, "\"verdict\":\"harmful\""));
    let body = forge.body(2);
    assert!(body.contains("Revert") || forge.pull(2)["title"].as_str().is_some_and(|title| title.contains("Revert")));
    assert!(body.contains("keeps"), "{body}");
}

#[test]
fn a_metric_with_no_source_or_two_is_refused_with_the_way_out() {
    let room = Room::tiny();
    for source in
        ["", "command = \"echo 1\"\nbench = \"echo 1\"\n", "prometheus = \"http://127.0.0.1:9\"\n", "command = \" \"\n"]
    {
        let path = room.repo.display().to_string();
        let text =
            format!("[[repository]]\npath = \"{path}\"\n[[repository.watch.metric]]\nname = \"speed\"\n{source}");
        let file = room.beside("watch.toml", text);
        let said = room.kaizen(&["daemon", "--settings", &file]).expect(10);
        assert!(said.err.contains("metric `speed` does not have one source"), "{}", said.err);
        assert!(said.err.contains("help: give it `prometheus` and `query`"), "{}", said.err);
    }
}
