//! A real Prometheus from the machine's Debian release, on loopback with a data folder of its own, that scrapes one target
//! as often as is wanted.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::http;
use crate::install::Cache;
use crate::process::{Server, free_port};

/// A Prometheus that runs.
#[derive(Debug)]
pub struct PrometheusServer {
    server: Server,
    port: u16,
}

impl PrometheusServer {
    /// Starts one that scrapes `/metrics` of a target, or itself where none is given, and waits until it has done so once.
    /// `folder` holds its data.
    ///
    /// # Panics
    /// When it cannot be installed or started: with what it printed.
    #[must_use]
    pub fn start(cache: &Cache, folder: &Path, target: Option<SocketAddr>, every: Duration) -> Self {
        let program = cache.prometheus().join("usr/bin/prometheus");
        let port = free_port();
        let target = target.map_or(format!("127.0.0.1:{port}"), |target| target.to_string());
        let every = every.as_millis();
        let settings = format!(
            "global:\n  scrape_interval: {every}ms\n  scrape_timeout: {every}ms\nscrape_configs:\n  - job_name: watched\n    \
             static_configs:\n      - targets: ['{target}']\n"
        );
        std::fs::create_dir_all(folder).expect("a folder can be made");
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, settings).expect("settings can be written");
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--log.level=warn").current_dir(folder);
        let mut server = Server::start(&mut command, &folder.join("prometheus.log"));
        // It looks for its targets some seconds after it is ready.
        let scraped = format!("http://127.0.0.1:{port}/api/v1/query?query=up");
        let is_up = |text: String| text.contains("\"value\":[") && text.contains(",\"1\"]");
        server.until(|| http::call("GET", &scraped, &[], None).is_ok_and(|answer| is_up(answer.text())));
        Self { server, port }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process, which leads a group of its own.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// What it printed so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.server.said()
    }
}
