//! The npm package `aimock` as a provider of language models: somebody else's idea of the wire format of OpenAI. It answers
//! from fixtures, the first that matches, and knows keys.

use std::path::Path;

use serde_json::{Value, json};

use crate::install::{AIMOCK, Cache};
use crate::node;
use crate::process::{Server, free_port};

/// The stand-in. It runs until it is dropped.
#[derive(Debug)]
pub struct AiMock {
    port: u16,
    _server: Server,
}

impl AiMock {
    /// The one key that it takes.
    pub const KEY: &str = "aimock-key";

    /// Starts it with fixtures in its own form: `{"match": {..}, "response": {..}}`.
    ///
    /// # Panics
    /// When it cannot be installed or started.
    #[must_use]
    pub fn start(cache: &Cache, folder: &Path, fixtures: &[Value]) -> Self {
        let script = cache.npm("aimock", &[AIMOCK]).join("node_modules/@copilotkit/aimock/dist/cli.js");
        std::fs::create_dir_all(folder).expect("a folder can be made");
        let folder = folder.canonicalize().expect("the folder is there");
        let file = folder.join("fixtures.json");
        std::fs::write(&file, json!({ "fixtures": fixtures }).to_string()).expect("fixtures can be written");
        let port = free_port();
        let mut command = node::command(cache, &script, &folder);
        command.args(["-p", &port.to_string(), "-h", "127.0.0.1", "--strict", "-f"]).arg(file);
        command.env("AIMOCK_API_KEYS", Self::KEY);
        let mut server = Server::start(&mut command, &folder.join("aimock.log"));
        server.listens(port);
        Self { port, _server: server }
    }

    /// The base URL of its chat completions.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }
}
