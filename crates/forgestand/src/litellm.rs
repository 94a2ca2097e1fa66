//! LiteLLM's proxy: a gateway that many put between their programs and the providers of language models.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::http;
use crate::install::{Cache, LITELLM};
use crate::process::{Server, free_port};

/// The gateway. It runs until it is dropped.
#[derive(Debug)]
pub struct LiteLlm {
    port: u16,
    _server: Server,
}

impl LiteLlm {
    /// The one key that it takes.
    pub const KEY: &str = "sk-gateway";
    /// The one model that it knows.
    pub const MODEL: &str = "scripted";

    /// Starts it before a server that speaks the chat completions of OpenAI at a base URL. It retries nothing itself.
    ///
    /// # Panics
    /// When it cannot be installed or started.
    #[must_use]
    pub fn start(cache: &Cache, folder: &Path, upstream: &str) -> Self {
        let program = cache.pypi("litellm", LITELLM).join("bin/litellm");
        std::fs::create_dir_all(folder).expect("a folder can be made");
        let folder = folder.canonicalize().expect("the folder is there");
        let model = format!("openai/{}", Self::MODEL);
        let settings = json!({
            "model_list": [{
                "model_name": Self::MODEL,
                "litellm_params": { "model": model, "api_base": upstream, "api_key": "sk-upstream" },
            }],
            "litellm_settings": { "num_retries": 0 },
            "router_settings": { "num_retries": 0, "disable_cooldowns": true },
            "general_settings": { "master_key": Self::KEY },
        });
        // JSON is YAML.
        let file = folder.join("litellm.yaml");
        std::fs::write(&file, settings.to_string()).expect("settings can be written");
        let port = free_port();
        let mut command = Command::new(program);
        command.arg("--config").arg(file).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.current_dir(&folder).env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("NO_DOCS", "True");
        let mut server = Server::start(&mut command, &folder.join("litellm.log"));
        let alive = format!("http://127.0.0.1:{port}/health/liveliness");
        server.until(|| http::call("GET", &alive, &[], None).is_ok_and(|answer| answer.status == 200));
        Self { port, _server: server }
    }

    /// The base URL of its chat completions.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }
}
