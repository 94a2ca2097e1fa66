//! Reads settings files, checks them against the defaults and merges them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize as _;
use toml::{Table, Value};

use crate::DEFAULTS;
use crate::error::SettingsError;
use crate::nearest::nearest;
use crate::settings::Settings;
use crate::{providers, repositories};

/// Sections that a repository may not set: they decide what this machine does, and where secrets go.
const OWN_SECTIONS: [&str; 6] = ["sandbox", "security", "model", "router", "forge", "daemon"];

/// Keys for which none at all would be no limit but an end to all work.
const NOT_ZERO: [&str; 24] = [
    "pacing.max_open",
    "pacing.max_landings",
    "daemon.at_once",
    "daemon.poll_secs",
    "daemon.stuck_secs",
    "base.runs",
    "policy.max_files",
    "policy.max_changed_lines",
    "policy.max_file_kib",
    "trial.wall_secs",
    "trial.build_wall_secs",
    "trial.cpu_secs",
    "trial.memory_mib",
    "trial.processes",
    "trial.disk_mib",
    "trial.output_mib",
    "agents.candidates",
    "model.prompt_tokens",
    "model.context_tokens",
    "model.max_output_tokens",
    "model.connect_secs",
    "model.first_byte_secs",
    "model.idle_secs",
    "model.total_secs",
];

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the repository: anybody who can commit wrote it.
    Repository,
    /// From the person who runs Kaizen.
    Own,
}

/// One settings file.
#[derive(Debug, Clone)]
pub struct Layer {
    /// How errors name it.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// The defaults with the layers laid over them, later ones winning.
///
/// # Errors
/// At the first thing in a file that cannot be taken.
pub fn load(layers: &[Layer]) -> Result<Settings, SettingsError> {
    let defaults = parse(DEFAULTS, "the built-in settings")?;
    let mut merged = defaults.clone();
    let mut providers = BTreeMap::new();
    for layer in layers {
        let mut table = parse(&layer.text, &layer.file)?;
        // Whose repositories a daemon works for, a person says; it is read by itself.
        if layer.origin == Origin::Own && table.get(repositories::KEY).is_some_and(Value::is_array) {
            table.remove(repositories::KEY);
        }
        if layer.origin == Origin::Own {
            providers.extend(providers::take(&mut table, &layer.text, &layer.file)?);
        } else if table.contains_key(providers::KEY) {
            let line = line_of(&layer.text, providers::KEY, None);
            let key = providers::KEY.to_owned();
            return Err(SettingsError::NotYours { key, file: layer.file.clone(), line });
        }
        check(&table, &defaults, layer)?;
        merge(&mut merged, table);
    }
    let together = |error: toml::de::Error| SettingsError::Together(error.message().to_owned());
    let mut settings: Settings = merged.try_into().map_err(together)?;
    settings.providers = providers;
    Ok(settings)
}

fn parse(text: &str, file: &str) -> Result<Table, SettingsError> {
    text.parse::<Table>()
        .map_err(|error| SettingsError::NotToml { file: file.to_owned(), message: error.to_string().trim().to_owned() })
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn check(table: &Table, defaults: &Table, layer: &Layer) -> Result<(), SettingsError> {
    let file = || layer.file.clone();
    for (section, value) in table {
        let line = line_of(&layer.text, section, None);
        let (Some(known), Some(entries)) = (defaults.get(section).and_then(Value::as_table), value.as_table()) else {
            if defaults.contains_key(section) {
                let (key, found) = (section.clone(), kind(value));
                return Err(SettingsError::WrongType { key, file: file(), line, wanted: "a table", found });
            }
            let near = nearest(section, defaults.keys().map(String::as_str)).map(str::to_owned);
            return Err(SettingsError::UnknownKey { key: section.clone(), file: file(), line, near });
        };
        if layer.origin == Origin::Repository && OWN_SECTIONS.contains(&section.as_str()) {
            return Err(SettingsError::NotYours { key: section.clone(), file: file(), line });
        }
        for (key, value) in entries {
            let line = line_of(&layer.text, section, Some(key));
            let dotted = format!("{section}.{key}");
            let Some(default) = known.get(key) else {
                let near = nearest(key, known.keys().map(String::as_str)).map(|near| format!("{section}.{near}"));
                return Err(SettingsError::UnknownKey { key: dotted, file: file(), line, near });
            };
            if kind(default) != kind(value) {
                let (wanted, found) = (kind(default), kind(value));
                return Err(SettingsError::WrongType { key: dotted, file: file(), line, wanted, found });
            }
            if let Some(why) = fault(defaults, section, key, value) {
                return Err(SettingsError::Value { key: dotted, file: file(), line, why });
            }
        }
    }
    Ok(())
}

/// What is wrong with a value of the right type.
fn fault(defaults: &Table, section: &str, key: &str, value: &Value) -> Option<String> {
    let dotted = format!("{section}.{key}");
    let least = i64::from(NOT_ZERO.contains(&dotted.as_str()));
    if value.as_integer().is_some_and(|value| value < least) {
        return Some(format!("must be {least} or more"));
    }
    // Where the program is started says nothing about where a person keeps something.
    let relative = |path: &str| !path.is_empty() && !Path::new(path).is_absolute();
    if dotted == "security.advisories" && value.as_str().is_some_and(relative) {
        return Some("must be an absolute path, or empty".to_owned());
    }
    let is_feature = |name: &Value| {
        let part =
            |part: &str| !part.is_empty() && part.chars().all(|one| one.is_alphanumeric() || "_-+.".contains(one));
        name.as_str().is_none_or(|name| name.split('/').count() < 3 && name.split('/').all(part))
    };
    if dotted == "trial.features"
        && let Some(name) = value.as_array().and_then(|names| names.iter().find(|name| !is_feature(name)))
    {
        return Some(format!("{name} is no name of a feature, such as `serde` or `shop/serde`"));
    }
    // What somebody else proposes is judged when they ask for it; it is no work to look for.
    let proposal = Value::String("proposal".to_owned());
    if dotted == "cycle.only" && value.as_array().is_some_and(|kinds| kinds.contains(&proposal)) {
        return Some("`proposal` is no kind of work to look for".to_owned());
    }
    let mut alone = defaults.clone();
    merge(
        &mut alone,
        Table::from_iter([(section.to_owned(), Table::from_iter([(key.to_owned(), value.clone())]).into())]),
    );
    let error = Settings::deserialize(alone).err()?;
    Some(error.message().trim().replace(", `proposal`", ""))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text in quotes",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// The line, from 1, of a section or of a key in it; 0 when it is written in a way that cannot be told (dotted).
fn line_of(text: &str, section: &str, key: Option<&str>) -> usize {
    let Ok(document) = toml_edit::Document::parse(text) else { return 0 };
    let span = match (document.get(section), key) {
        (Some(item), None) => document.get_key_value(section).and_then(|(key, _)| key.span()).or_else(|| item.span()),
        (Some(item), Some(key)) => item
            .as_table_like()
            .and_then(|table| table.get_key_value(key).and_then(|(key, item)| key.span().or_else(|| item.span()))),
        (None, _) => None,
    };
    span.and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count() + 1)
}

/// The part of the defaults that explains a section; all of it when no section of that name exists.
#[must_use]
pub fn explain(section: Option<&str>) -> String {
    let Some(section) = section else { return DEFAULTS.to_owned() };
    if section == providers::KEY {
        // It has no defaults: the example says it all.
        let lines = DEFAULTS
            .lines()
            .skip_while(|line| !line.starts_with("# Several models"))
            .take_while(|line| line.starts_with('#'));
        return lines.map(|line| format!("{line}\n")).collect();
    }
    let head = format!("[{}]", section.split('.').next().unwrap_or(section));
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    let Some(start) = lines.iter().position(|line| *line == head) else { return DEFAULTS.to_owned() };
    let length = lines.iter().skip(start + 1).position(|line| line.starts_with('[')).unwrap_or(lines.len());
    let text: String = lines.iter().skip(start).take(length + 1).map(|line| format!("{line}\n")).collect();
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, origin: Origin) -> String {
        let layer = Layer { file: "kaizen.toml".to_owned(), text: text.to_owned(), origin };
        let error = load(&[layer]).unwrap_err();
        format!("error: {error}\nhelp: {}", error.help())
    }

    #[test]
    fn the_defaults_load_and_later_layers_win() {
        assert_eq!(Settings::default().cycle.max_landings, 5);
        let layer = |text: &str| Layer { file: "f".to_owned(), text: text.to_owned(), origin: Origin::Own };
        let settings = load(&[layer("[cycle]\nmax_landings = 1"), layer("[cycle]\nmax_landings = 9")]).unwrap();
        assert_eq!((settings.cycle.max_landings, settings.cycle.max_opportunities), (9, 8));
    }

    /// Whatever is left of a file that is cut off is refused with a line, or is a smaller file.
    #[test]
    fn a_file_that_is_cut_off_anywhere_is_refused_or_read_and_nothing_panics() {
        let text = "[cycle]\nmax_landings = 3\nonly = [\"cleanup\", \"repair\"]\n[landing]\nmode = \"merge\"\n\
                    [[repository]]\npath = \"/srv/ä\"\n[repository.watch]\nlook_secs = 1\n[[repository.watch.metric]]\n\
                    name = \"p95\"\ncommand = \"echo 1\"\n[[repository.schedule]]\ncron = \"0 3 * * *\"\n";
        let mut refused = 0;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let half = &text[..end];
            let layer = Layer { file: "f".to_owned(), text: half.to_owned(), origin: Origin::Own };
            let (one, other) = (load(&[layer]), crate::repositories(half, "f"));
            if let Err(error) = &one {
                assert!(error.to_string().contains("line "), "{half}: {error}");
            }
            refused += usize::from(one.is_err() || other.is_err());
        }
        assert!(refused > text.len() / 2, "{refused}");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_what_was_meant() {
        insta::assert_snapshot!(refused("[cycle]\n\n[landing]\n# x\nmod = \"merge\"\n", Origin::Own), @r"
        error: unknown key `landing.mod` in kaizen.toml, line 5
        help: did you mean `landing.mode`?  `kaizen init --explain landing` lists the keys
        ");
        insta::assert_snapshot!(refused("[landin]\n", Origin::Own), @r"
        error: unknown key `landin` in kaizen.toml, line 1
        help: did you mean `landing`?  `kaizen init --explain landing` lists the keys
        ");
    }

    #[test]
    fn a_wrong_type_and_a_wrong_value_are_named() {
        insta::assert_snapshot!(refused("[cycle]\nmax_landings = \"many\"\n", Origin::Own), @r"
        error: `cycle.max_landings` in kaizen.toml, line 2, must be a whole number, not a text in quotes
        help: `kaizen init --explain cycle` shows each key with its default
        ");
        insta::assert_snapshot!(refused("[landing]\nmode = \"push\"\n", Origin::Own), @r"
        error: `landing.mode` in kaizen.toml, line 2: unknown variant `push`, expected one of `branch`, `merge`, `pull-request`
        help: `kaizen init --explain landing` shows each key with its default
        ");
        insta::assert_snapshot!(refused("[cycle]\nonly = [\"cleanups\"]\n", Origin::Own), @r"
        error: `cycle.only` in kaizen.toml, line 2: unknown variant `cleanups`, expected one of `repair`, `goal`, `performance`, `dependency`, `cleanup`, `debt`
        help: `kaizen init --explain cycle` shows each key with its default
        ");
        insta::assert_snapshot!(refused("[cycle]\nonly = [\"proposal\"]\n", Origin::Own), @r"
        error: `cycle.only` in kaizen.toml, line 2: `proposal` is no kind of work to look for
        help: `kaizen init --explain cycle` shows each key with its default
        ");
        insta::assert_snapshot!(refused("[trial]\nwall_secs = 0\n", Origin::Own), @r"
        error: `trial.wall_secs` in kaizen.toml, line 2: must be 1 or more
        help: `kaizen init --explain trial` shows each key with its default
        ");
        insta::assert_snapshot!(refused("[trial]\nwall_secs = -1\n", Origin::Own), @r"
        error: `trial.wall_secs` in kaizen.toml, line 2: must be 1 or more
        help: `kaizen init --explain trial` shows each key with its default
        ");
    }

    #[test]
    fn features_have_names_that_cargo_takes() {
        insta::assert_snapshot!(refused("[trial]\nfeatures = [\"serde\", \"std, alloc\"]\n", Origin::Repository), @r#"
        error: `trial.features` in kaizen.toml, line 2: "std, alloc" is no name of a feature, such as `serde` or `shop/serde`
        help: `kaizen init --explain trial` shows each key with its default
        "#);
        let text = "[trial]\nfeatures = [\"serde\", \"my-shop/c++_2.0\"]\nall_features = true\n".to_owned();
        let settings = load(&[Layer { file: "f".to_owned(), text, origin: Origin::Repository }]).unwrap();
        assert_eq!(settings.trial.features, ["serde", "my-shop/c++_2.0"]);
        assert!(settings.trial.all_features && !Settings::default().trial.all_features);
    }

    #[test]
    fn a_repository_cannot_decide_what_this_machine_does() {
        insta::assert_snapshot!(refused("[sandbox]\nwaived = [\"seccomp\"]\n", Origin::Repository), @r"
        error: `sandbox` in kaizen.toml, line 1, cannot be set by a repository
        help: `sandbox` decides what this machine may do; set it in your own file, see `kaizen doctor`
        ");
        let error = refused("[security]\nadvisories = \"\"\n", Origin::Repository);
        assert!(error.contains("`security` in kaizen.toml, line 1, cannot be set by a repository"), "{error}");
    }

    #[test]
    fn the_database_of_advisories_has_one_place() {
        insta::assert_snapshot!(refused("[security]\nadvisories = \"~/advisory-db\"\n", Origin::Own), @r"
        error: `security.advisories` in kaizen.toml, line 2: must be an absolute path, or empty
        help: `kaizen init --explain security` shows each key with its default
        ");
        let text = "[security]\nadvisories = \"/srv/advisory-db\"\n".to_owned();
        let settings = load(&[Layer { file: "f".to_owned(), text, origin: Origin::Own }]).unwrap();
        assert_eq!(settings.security.advisories, "/srv/advisory-db");
        assert_eq!(Settings::default().security.advisories, "");
    }

    #[test]
    fn a_section_explains_itself() {
        let text = explain(Some("landing"));
        assert!(
            text.starts_with("[landing]\n# branch:") && text.contains("subject") && !text.contains("[signals]"),
            "{text}"
        );
    }
}
