//! Settings files, as a test needs them: one trial of the base, tight limits, and perhaps a scripted model.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The text of a settings file that is being put together. Values are written in TOML.
#[derive(Debug, Clone)]
pub struct SettingsText(BTreeMap<&'static str, BTreeMap<&'static str, String>>);

impl Default for SettingsText {
    fn default() -> Self {
        Self(BTreeMap::new()).set("base", "runs", 1).set("trial", "wall_secs", 120)
    }
}

impl SettingsText {
    /// Sets a number or a truth.
    #[must_use]
    pub fn set(self, section: &'static str, key: &'static str, value: impl ToString) -> Self {
        self.raw(section, key, value.to_string())
    }

    /// Sets a text.
    #[must_use]
    pub fn text(self, section: &'static str, key: &'static str, value: &str) -> Self {
        self.raw(section, key, format!("{value:?}"))
    }

    /// A model at an address, with deadlines that suit a server on this machine. It reads no patches unless it is set again.
    #[must_use]
    pub fn model(self, base_url: &str) -> Self {
        self.text("model", "base_url", base_url)
            .text("model", "name", "scripted")
            .set("security", "second_reader", false)
            .set("model", "connect_secs", 5)
            .set("model", "first_byte_secs", 30)
            .set("model", "idle_secs", 30)
            .set("model", "total_secs", 60)
    }

    /// What a million tokens cost, in dollars.
    #[must_use]
    pub fn prices(self, input: &str, output: &str) -> Self {
        self.text("model", "price_input", input).text("model", "price_output", output)
    }

    /// The file.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.0 {
            let _ = writeln!(text, "[{section}]");
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }

    fn raw(mut self, section: &'static str, key: &'static str, value: String) -> Self {
        self.0.entry(section).or_default().insert(key, value);
        self
    }
}
