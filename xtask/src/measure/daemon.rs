//! A daemon under measurement: started, killed as `kill -9` does, started again, asked to end, and looked at from outside.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kaizen_forgestand::http;
use serde_json::Value;

use super::program::{Place, Program};
use super::{os, scratch};

/// How long it may take to answer for the first time.
const START: Duration = Duration::from_secs(60);
/// How long it may take to park and end.
const END: Duration = Duration::from_secs(60);

/// A daemon that runs, killed when it is dropped.
pub struct Daemon {
    child: Child,
    url: String,
    ended: Option<ExitStatus>,
}

impl Daemon {
    /// Starts it; what it says goes to a file of the scratch folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        program: &Program,
        place: &Place,
        settings: &Path,
        listen: &str,
        more: &[(&str, String)],
    ) -> Result<Self> {
        let log = File::options().create(true).append(true).open(settings.with_extension("log"))?;
        let mut command = Command::new(program.path());
        program.surround(&mut command, place);
        command.args(["daemon", "--settings"]).arg(settings).env("KAIZEN_LOG", "info").stdin(Stdio::null());
        command.envs(more.iter().map(|(name, value)| (name, value)));
        command.stdout(log.try_clone()?).stderr(log);
        let child = scratch::start(&mut command)?;
        Ok(Self { child, url: format!("http://{listen}"), ended: None })
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
            if self.ended.is_some() {
                scratch::ended(self.child.id());
            }
        }
        self.ended
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// When it ends before, or never does.
    pub fn answers(&mut self) -> Result<()> {
        let began = Instant::now();
        while self.status().is_none() {
            if let Some(status) = self.has_ended() {
                bail!("the daemon ended with {status} before it answered");
            }
            anyhow::ensure!(began.elapsed() < START, "the daemon did not answer within {START:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What it says about itself.
    #[must_use]
    pub fn status(&self) -> Option<Value> {
        let answer = http::call("GET", &format!("{}/v1/status", self.url), &[], None).ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    /// Kills it at once, alone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if self.has_ended().is_none() {
            os::kill(self.child.id());
            self.ended = Some(self.child.wait()?);
            scratch::ended(self.child.id());
        }
        Ok(())
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// When it does not, or ends badly.
    pub fn terminate(mut self) -> Result<()> {
        let began = Instant::now();
        os::terminate(self.child.id());
        while self.has_ended().is_none() {
            anyhow::ensure!(began.elapsed() < END, "the daemon did not end within {END:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = self.ended.context("it has ended")?;
        anyhow::ensure!(status.success(), "asked to end, the daemon ended with {status}");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// An address that nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
