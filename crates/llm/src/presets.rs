//! Presets: what is the same for everybody who uses a provider: its address, where its key usually lies, and what it can
//! be asked for. Prices and models are not here: they change, and a stale price would make every budget wrong.

use crate::provider::{Auth, Structured};

/// What is known of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Its name in settings.
    pub name: &'static str,
    /// Where it answers; empty when every account has an address of its own.
    pub base_url: &'static str,
    /// The environment variable that its key usually lies in; empty for servers that want none.
    pub key_env: &'static str,
    /// In which header the key goes.
    pub auth: Auth,
    /// How the form of an answer is asked for.
    pub structured: Structured,
    /// Whether it can stream.
    pub streaming: bool,
    /// Whether it runs on a machine of one's own: then nothing is billed, and answers may take their time.
    pub own: bool,
}

const HOSTED: Preset = Preset {
    name: "",
    base_url: "",
    key_env: "",
    auth: Auth::Bearer,
    structured: Structured::JsonSchema,
    streaming: true,
    own: false,
};

const OWN: Preset = Preset { own: true, ..HOSTED };

/// Every preset, by name.
pub const PRESETS: &[Preset] = &[
    Preset { name: "openai", base_url: "https://api.openai.com/v1", key_env: "OPENAI_API_KEY", ..HOSTED },
    Preset { name: "azure", key_env: "AZURE_OPENAI_API_KEY", auth: Auth::ApiKey, ..HOSTED },
    Preset { name: "openrouter", base_url: "https://openrouter.ai/api/v1", key_env: "OPENROUTER_API_KEY", ..HOSTED },
    // Its compatible endpoint takes tools, and passes over the form of an answer.
    Preset {
        name: "anthropic",
        base_url: "https://api.anthropic.com/v1",
        key_env: "ANTHROPIC_API_KEY",
        structured: Structured::Tool,
        ..HOSTED
    },
    Preset {
        name: "gemini",
        base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
        key_env: "GEMINI_API_KEY",
        ..HOSTED
    },
    Preset {
        name: "deepseek",
        base_url: "https://api.deepseek.com",
        key_env: "DEEPSEEK_API_KEY",
        structured: Structured::JsonObject,
        ..HOSTED
    },
    Preset {
        name: "groq",
        base_url: "https://api.groq.com/openai/v1",
        key_env: "GROQ_API_KEY",
        structured: Structured::JsonObject,
        ..HOSTED
    },
    Preset { name: "mistral", base_url: "https://api.mistral.ai/v1", key_env: "MISTRAL_API_KEY", ..HOSTED },
    Preset { name: "ollama", base_url: "http://127.0.0.1:11434/v1", ..OWN },
    Preset { name: "llama-cpp", base_url: "http://127.0.0.1:8080/v1", ..OWN },
    Preset { name: "vllm", base_url: "http://127.0.0.1:8000/v1", ..OWN },
    Preset { name: "lm-studio", base_url: "http://127.0.0.1:1234/v1", ..OWN },
    // What stands behind a gateway may well be billed.
    Preset { name: "litellm", base_url: "http://127.0.0.1:4000/v1", key_env: "LITELLM_API_KEY", ..HOSTED },
];

/// The preset of this name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    #[test]
    fn every_preset_is_a_provider_that_can_be_used_once_a_model_is_named() {
        for preset in PRESETS {
            let base_url = if preset.base_url.is_empty() { "https://me.example/openai/v1" } else { preset.base_url };
            let provider = Provider { base_url: base_url.to_owned(), model: "m".to_owned(), ..Provider::default() };
            provider.check().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            let keyed = Provider { key: Some("k".into()), ..provider };
            assert!(keyed.check().is_ok(), "{}: the key would go in the clear", preset.name);
            assert_eq!(preset.own, preset.key_env.is_empty(), "{}", preset.name);
        }
    }
}
