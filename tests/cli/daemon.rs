//! The daemon as a process: it goes on with what was cut off, follows pull requests, hears webhooks, keeps its settings when
//! new ones are bad, and parks when it is asked to end.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kaizen_forgestand::http;
use kaizen_forgestand::scripted::{Dialect, hmac};
use serde_json::Value;

use crate::cli::forge::{Forge, NAME};
use crate::cli::support::{Room, Said};

/// A daemon that runs until it is dropped.
pub struct Daemon {
    child: Child,
    url: String,
}

impl Daemon {
    pub fn start(mut command: Command, listen: &str) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).env("KAIZEN_LOG", "info");
        let daemon = Self { child: command.spawn().expect("it starts"), url: format!("http://{listen}") };
        daemon.until("it answers", || daemon.get("/healthz").is_some_and(|(status, _)| status == 200));
        daemon
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = http::call("GET", &format!("{}{path}", self.url), &[], None).ok()?;
        Some((answer.status, answer.text()))
    }

    pub fn status(&self) -> Value {
        let (_, text) = self.get("/v1/status").expect("an answer");
        serde_json::from_str(&text).expect("JSON")
    }

    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(90);
        while !holds() {
            assert!(Instant::now() < end, "never: {what}; {:?}", self.get("/v1/status"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end, and says how long that took.
    pub fn terminate(mut self) -> (Duration, Said) {
        let began = Instant::now();
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: a signal for a process that this test started and has not waited for.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        let status = self.child.wait().expect("it ends");
        let read = |from: Option<Box<dyn std::io::Read>>| {
            let mut text = String::new();
            if let Some(mut from) = from {
                let _ = from.read_to_string(&mut text);
            }
            text
        };
        let out = read(out.map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>));
        let err = read(err.map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>));
        (began.elapsed(), Said { code: status.code().unwrap_or(-1), out, err })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens on.
pub fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// Settings for a daemon that works for a room.
fn settings(room: &Room, listen: &str, more: &str) -> String {
    let path = room.repo.display();
    format!(
        "[daemon]\nlisten = \"{listen}\"\n{more}\n[[repository]]\npath = \"{path}\"\n[[repository.schedule]]\ncron = \"0 3 29 2 *\"\n"
    )
}

#[test]
fn it_goes_on_with_what_was_cut_off_and_parks_when_asked_to_end() {
    let room = Room::tiny();
    // Killed after the base was tried.
    let mut command = room.program(&["run-cycle"]);
    command.env("KAIZEN_CRASH_AFTER", "2").stderr(Stdio::null());
    assert!(!command.output().expect("it runs").status.success());
    let listen = free();
    let file = room.beside("daemon.toml", settings(&room, &listen, ""));
    let daemon = Daemon::start(room.program(&["daemon", "--settings", &file]), &listen);
    daemon
        .until("the cycle is over", || room.records().iter().any(|record| record.to_string().contains("\"finished\"")));
    assert!(!room.own_branches().is_empty());
    let cycles = |query: &str| -> Value {
        let (status, text) = daemon.get(&format!("/v1/cycles{query}")).expect("an answer");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    };
    assert_eq!(cycles("")["cycles"][0]["attempts"][0]["word"], "landed");
    assert_eq!(cycles("?limit=3&repository=elsewhere")["cycles"].as_array().map(Vec::len), Some(0));
    let said = room.kaizen(&["status", "--settings", &file]).expect(0);
    assert!(said.out.contains("daemon  process") && said.out.contains("landed 2"), "{}", said.out);
    let (took, said) = daemon.terminate();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn bad_settings_are_refused_with_the_reason_and_the_old_ones_stay() {
    let room = Room::tiny();
    let listen = free();
    let good = settings(&room, &listen, "");
    let file = room.beside("daemon.toml", &good);
    let daemon = Daemon::start(room.program(&["daemon", "--settings", &file]), &listen);
    std::fs::write(&file, good.replace("0 3 29 2 *", "0 3 30 2 *")).expect("written");
    let refused = || daemon.status()["settings_refused"].as_str().map(str::to_owned);
    daemon.until("the file is refused", || refused().is_some_and(|why| why.contains("never fires")));
    // Half a file is a bad file.
    for end in [good.len() / 4, good.len() / 2, good.len() - 9] {
        std::fs::write(&file, &good[..end]).expect("written");
        daemon.until("half of it is refused", || refused().is_some_and(|why| !why.contains("never fires")));
        assert_eq!(daemon.status()["repositories"].as_array().map(Vec::len), Some(1));
    }
    std::fs::write(&file, &good).expect("written");
    daemon.until("the good file is taken", || refused().is_none());
    assert_eq!(daemon.get("/readyz").map(|(status, _)| status), Some(200));
}

/// A settings file that cannot be opened without waiting holds the main loop up, as a call that blocks would.
#[test]
fn a_main_loop_that_stands_still_is_ended_with_what_every_thread_is_at() {
    let room = Room::tiny();
    let listen = free();
    let file = room.beside("daemon.toml", settings(&room, &listen, ""));
    let mut daemon = Daemon::start(room.program(&["daemon", "--settings", &file]), &listen);
    let pipe = room.at("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    std::fs::rename(&pipe, &file).expect("renamed");
    let began = Instant::now();
    let err = daemon.child.stderr.take().expect("a pipe");
    let status = loop {
        if let Some(status) = daemon.child.try_wait().expect("it can be waited for") {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it still stands");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(status.code(), Some(70));
    let said = std::io::read_to_string(err).expect("text");
    assert!(said.contains("error: the main loop stands still for") && said.contains("nothing is lost"), "{said}");
    assert!(said.contains("  thread ") && said.contains("watchdog: state"), "{said}");
}

#[test]
fn it_does_not_start_with_settings_that_cannot_work() {
    let room = Room::tiny();
    let (path, listen) = (room.repo.display().to_string(), free());
    let one =
        |schedule: &str| format!("[daemon]\nlisten = \"{listen}\"\n[[repository]]\npath = \"{path}\"\n{schedule}");
    let with = |cron: &str| format!("[[repository.schedule]]\ncron = \"{cron}\"\n");
    for (text, why) in [
        (String::new(), "names no repository"),
        (one("landing = \"sideways\"\n"), "unknown variant `sideways`"),
        (one(&with("61 * * * *")), "is no cron line"),
        (one(&with("0 0 31 4 *")), "never fires"),
        (one(&format!("{}time_zone = \"Europe/Berln\"\n", with("0 3 * * *"))), "no time zone `Europe/Berln`"),
        (one(&format!("{}{}", with("0 3 * * *"), with("0 */3 * * *"))), "both fire at"),
        (one(&with("0 3 * * *")).replace(&path, "/nowhere"), "there is no /nowhere"),
        (format!("{}[[repository]]\npath = \"{path}/src\"\n", one("")), "are the same repository"),
        (one("landing = \"pull-request\"\n"), "no remote `origin`"),
        (one("").replace(&listen, "0.0.0.0:1"), "no token is set"),
    ] {
        let file = room.beside("bad.toml", &text);
        let said = room.kaizen(&["daemon", "--settings", &file]);
        assert!(said.code == 10 && said.err.contains(why) && said.err.contains("help: "), "{why}: {said:?}");
    }
}

#[test]
fn open_pull_requests_are_followed_also_when_the_forge_calls() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    let listen = free();
    let secret = forge.room.beside("secret", "hush");
    forge.set(&settings(&forge.room, &listen, &format!("poll_secs = 3600\nwebhook_secret_file = \"{secret}\"")));
    let file = forge.room.at("own.toml").display().to_string();
    let daemon = Daemon::start(forge.room.program(&["daemon", "--settings", &file]), &listen);
    let runs = || daemon.status()["repositories"][0]["runs"].as_u64().unwrap_or(0);
    daemon.until("a first round", || runs() == 1);
    forge.merge(1);
    let call = |secret: &str, id: &str| {
        let body = format!("{{\"repository\":{{\"full_name\":\"{NAME}\"}}}}");
        let tag: String = hmac(secret.as_bytes(), body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let tag = format!("sha256={tag}");
        let headers =
            [("x-hub-signature-256", tag.as_str()), ("x-github-delivery", id), ("x-github-event", "pull_request")];
        http::call("POST", &format!("http://{listen}/webhook/github"), &headers, Some(body.as_bytes()))
            .expect("an answer")
            .status
    };
    assert_eq!((call("guess", "1"), runs()), (401, 1), "a forged call is not heard");
    assert_eq!(call("hush", "2"), 202);
    daemon.until("the merge is in the journal", || {
        forge.room.records().iter().any(|record| record.to_string().contains("\"did\":\"merged\""))
    });
    daemon.until("the round is over", || runs() == 2);
    assert_eq!((call("hush", "2"), runs()), (200, 2), "a call that was heard is not heard again");
}

#[test]
fn a_unit_of_systemd_is_written_where_it_belongs() {
    let room = Room::tiny();
    let file = room.beside("daemon.toml", settings(&room, &free(), ""));
    let said = room.kaizen(&["daemon", "install", "--print", "--settings", &file]).expect(0);
    for part in ["Type=notify", "WatchdogSec=", "NoNewPrivileges=yes", "ProtectSystem=strict", "ExecReload="] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    room.kaizen(&["daemon", "install", "--settings", &file]).expect(0);
    assert!(room.at("config/systemd/user/kaizen.service").exists());
}
